//! References to networks, configs and secrets that steps of the same plan make: their ids are known only then.

use crate::model::Kind;
use crate::swarm::ServiceSpec;

/// A reference to an object that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {name} does not exist")]
pub struct Unfilled {
    /// A config or secret.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

/// Fills in the ids that a spec lacks, with what `id` knows of the objects' names: afterwards it is the spec that will be
/// read back. Ids that are there stay, and so do the names of networks that only the engine knows.
///
/// # Errors
/// [`Unfilled`] where `id` does not know an object: the spec must not be sent.
pub fn fill_references(spec: &mut ServiceSpec, id: impl Fn(Kind, &str) -> Option<String>) -> Result<(), Unfilled> {
    let find = |kind, name: &str| id(kind, name).ok_or_else(|| Unfilled { kind, name: name.to_owned() });
    for network in &mut spec.task_template.networks {
        if let Some(id) = id(Kind::Network, &network.target) {
            network.target = id;
        }
    }
    let Some(container) = &mut spec.task_template.container_spec else { return Ok(()) };
    for reference in container.configs.iter_mut().filter(|reference| reference.config_id.is_empty()) {
        reference.config_id = find(Kind::Config, &reference.config_name)?;
    }
    // A credential spec names its config by the id that the reference beside it has.
    let runtime = container.configs.iter().filter(|reference| reference.runtime.is_some());
    if let Some(spec) = container.privileges.as_mut().and_then(|privileges| privileges.credential_spec.as_mut())
        && let Some(reference) = runtime.clone().find(|reference| reference.config_name == spec.config)
    {
        spec.config.clone_from(&reference.config_id);
    }
    for reference in container.secrets.iter_mut().filter(|reference| reference.secret_id.is_empty()) {
        reference.secret_id = find(Kind::Secret, &reference.secret_name)?;
    }
    Ok(())
}
