//! `x-skep`: what a stack file says to skep alone. `docker stack deploy` reads over it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cast;
use crate::diag::{Diagnostic, code};
use crate::model::name::check_service_name;
use crate::yaml::{Fields, View};

/// What `x-skep` says of a stack, a service or an object. Which warnings are accepted is read apart
/// ([`super::Accepted`]).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Own {
    /// The name of a service in the swarm, which is taken as it is: nothing of the stack is added to it.
    pub name: Option<String>,
    /// JSON pointers into the service's spec that no difference looks at and no write changes.
    pub ignore: Vec<String>,
    /// Whether it may never be deleted.
    pub protect: bool,
    /// Whether a volume is deleted once git no longer names it.
    pub prune_volumes: bool,
    /// Whether two instances of a service must not run side by side.
    pub single: bool,
    /// When a service in job mode runs, if it is a hook of its stack.
    pub hook: Option<Hook>,
}

/// When a job runs that is a hook of its stack: once for each attempt that writes something else of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Before the stack's services are written: a migration, say.
    PreDeploy,
    /// When they have come up.
    PostDeploy,
    /// When they have not.
    OnFailure,
}

impl Hook {
    /// The word that a stack file has for it.
    pub fn word(self) -> &'static str {
        match self {
            Hook::PreDeploy => "pre-deploy",
            Hook::PostDeploy => "post-deploy",
            Hook::OnFailure => "on-failure",
        }
    }
}

/// Where `x-skep` stands, which says what may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Of the file.
    Stack,
    /// Of a service.
    Service,
    /// Of a volume.
    Volume,
    /// Of a network, a config or a secret.
    Object,
}

/// Reads `x-skep`, and accepts every other key that begins with `x-`.
pub(super) fn read(fields: &mut Fields<'_>, place: Place) -> Own {
    let own = fields.take_hidden("x-skep");
    fields.accept_extensions();
    own.filter(|own| !own.is_null()).and_then(|own| decode(&own, place)).unwrap_or_default()
}

fn decode(view: &View<'_>, place: Place) -> Option<Own> {
    if view.node().mapping().is_none() {
        view.wrong_type("a mapping");
        return None;
    }
    let mut fields = view.fields()?;
    // Codes are read where whole documents still are: what one file accepts holds for what every file says.
    fields.take("accept");
    let mut own = Own { protect: fields.take("protect").and_then(cast::boolean).unwrap_or(false), ..Own::default() };
    if matches!(place, Place::Stack | Place::Service) {
        own.ignore = fields.said("ignore").map(|view| pointers(&view)).unwrap_or_default();
    }
    if place == Place::Service {
        own.name = fields.take("name").and_then(|view| service_name(&view));
        own.single = fields.take("single").and_then(cast::boolean).unwrap_or(false);
        let hooks = [Hook::PreDeploy, Hook::PostDeploy, Hook::OnFailure].map(|hook| (hook.word(), hook));
        own.hook = fields.choice("hook", &hooks);
    }
    if place == Place::Volume {
        own.prune_volumes = fields.take("prune").and_then(|view| prune(&view)).unwrap_or(false);
    }
    fields.accept_extensions();
    fields.finish();
    Some(own)
}

/// A whole name, by the engine's rule.
fn service_name(view: &View<'_>) -> Option<String> {
    let name = view.text()?;
    if let Err(error) = check_service_name(&name) {
        let message = format!("{}: the engine refuses this name: {error}", view.name());
        view.fault(Diagnostic::error(code::INVALID_NAME, message).at(view.span()));
        return None;
    }
    Some(name)
}

/// When a volume is deleted. A manager does not know the volumes of other nodes, so nothing is deleted yet.
fn prune(view: &View<'_>) -> Option<bool> {
    let choice = view.choice(&[("volumes", true), ("never", false)])?;
    if choice {
        let message = format!("{}: volumes are not deleted yet; `docker volume rm` on its node does", view.name());
        view.fault(Diagnostic::warning(code::NOT_YET, message).at(view.span()));
    }
    Some(choice)
}

/// One pointer, or a list of them.
fn pointers(view: &View<'_>) -> Vec<String> {
    match view.node().scalar() {
        Some(_) => pointer(view).into_iter().collect(),
        None => view.list(|item| pointer(&item)).unwrap_or_default(),
    }
}

fn pointer(view: &View<'_>) -> Option<String> {
    let text = view.text()?;
    if text.starts_with('/') && text.len() > 1 {
        return Some(text);
    }
    let message = format!("{}: `{text}` is no JSON pointer into a service's spec", view.name());
    let fault = Diagnostic::error(code::INVALID_VALUE, message).at(view.span());
    view.fault(fault.hint("it begins with `/`, as `/Mode/Replicated/Replicas`"));
    None
}
