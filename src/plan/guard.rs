//! What keeps a plan from being carried out.

use super::Input;
use super::index::{Index, Owner};
use super::policy::Prune;
use crate::diag::{Diagnostic, Span, code};
use crate::model::Kind;

/// Networks that every engine has and no list shows as the swarm's.
const PREDEFINED: &[&str] = &["bridge", "host", "none", "default"];

/// Whether the engine makes a network of this name by itself.
pub(super) fn is_predefined(network: &str) -> bool {
    PREDEFINED.contains(&network) || network.starts_with("container:")
}

/// What others make must be there.
pub(super) fn externals(input: &Input<'_>, index: &Index<'_>, faults: &mut Vec<Diagnostic>) {
    for external in &input.desired.external {
        let (kind, name) = (external.kind, external.name.as_str());
        if index.labels(kind, name).is_some() || (kind == Kind::Network && is_predefined(name)) {
            continue;
        }
        let local = kind == Kind::Network && input.live.networks.iter().any(|network| network.name == name);
        let fault = if local {
            Diagnostic::error(code::EXTERNAL_MISSING, format!("external network {name} is of one node's scope only"))
                .hint(format!("make one for the swarm: `docker network create --driver overlay {name}`"))
        } else {
            let how = match kind {
                Kind::Network => format!("docker network create --driver overlay {name}"),
                _ => format!("docker {kind} create {name} FILE"),
            };
            Diagnostic::error(code::EXTERNAL_MISSING, format!("external {kind} {name} does not exist"))
                .hint(format!("make it first: `{how}`"))
        };
        faults.push(fault.at(external.span));
    }
}

/// A name that git wants for this stack belongs to somebody else.
pub(super) fn taken(kind: Kind, name: &str, owner: Owner<'_>, span: Option<Span>) -> Diagnostic {
    let whose = match owner {
        Owner::Ours => "and holds another content".to_owned(),
        Owner::Stack(stack) => format!("and belongs to stack {stack}"),
        Owner::Nobody => "and belongs to no stack".to_owned(),
    };
    let hint = match kind {
        Kind::Service => "give the stack or the service another name, or remove that service".to_owned(),
        _ => format!("use it as it is with `external: true`, or give this {kind} another `name:`"),
    };
    Diagnostic::error(code::NAME_TAKEN, format!("{kind} {name} exists already {whose}")).at(span).hint(hint)
}

/// Whether deleting is out of the question because git names nothing at all, which is more often a mistake than a wish.
pub(super) fn is_empty_by_mistake(input: &Input<'_>, index: &Index<'_>) -> bool {
    let desired = input.desired;
    let names_nothing = desired.services.is_empty()
        && desired.networks.is_empty()
        && desired.configs.is_empty()
        && desired.secrets.is_empty();
    let would_delete = match input.policy.prune {
        Prune::Off => false,
        Prune::Recorded => input.applied.is_some_and(|applied| !applied.inventory.is_empty()),
        Prune::Labelled => index.labelled_services().next().is_some(),
    };
    names_nothing && would_delete && !input.policy.allow_delete
}

/// Says so.
pub(super) fn empty(stack: &str) -> Diagnostic {
    Diagnostic::error(
        code::EMPTY_DESIRED,
        format!("the files of stack {stack} define nothing: all that runs of it would be deleted"),
    )
    .hint("`--allow-delete` carries it out")
    .hint(format!("`skep delete {stack}` ends the stack"))
}
