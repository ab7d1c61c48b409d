//! What keeps a plan from being carried out.

use std::collections::{BTreeMap, BTreeSet};

use super::applied::{Content, Object};
use super::index::{Index, Owner};
use super::policy::{Prune, Share};
use super::{Input, network};
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

/// What nothing may delete, as far as git says so now, or said so when it last named it.
pub(super) fn protected(input: &Input<'_>) -> BTreeSet<Object> {
    let said = input.desired.protected.iter().map(|(kind, name)| Object::new(*kind, name));
    let past = input.applied.into_iter().flat_map(|applied| &applied.protected);
    said.chain(past.filter(|object| !is_named(input, object)).cloned()).collect()
}

/// Whether git says that nothing may delete an object that it names.
pub(super) fn is_protected(input: &Input<'_>, kind: Kind, name: &str) -> bool {
    input.desired.protected.contains(&(kind, name.to_owned()))
}

/// Whether git names an object, by its plain name.
pub(super) fn is_named(input: &Input<'_>, object: &Object) -> bool {
    let (desired, name) = (input.desired, &object.name);
    match object.kind {
        Kind::Service => desired.services.contains_key(name),
        Kind::Network => desired.networks.contains_key(name),
        Kind::Config => desired.configs.contains_key(name),
        Kind::Secret => desired.secrets.contains_key(name),
        Kind::Volume => desired.volumes.contains_key(name),
        Kind::Task | Kind::Node => false,
    }
}

/// The name that git gives, or gave, to an object which the record knows: `None` for an older version of a content, which
/// goes as a matter of course.
pub(super) fn plain<'o>(input: &'o Input<'_>, object: &'o Object) -> Option<&'o str> {
    let current = |contents: &'o BTreeMap<String, Content>| {
        contents.iter().find(|(_, content)| content.name == object.name).map(|(plain, _)| plain.as_str())
    };
    let applied = input.applied?;
    match object.kind {
        Kind::Config => current(&applied.configs),
        Kind::Secret => current(&applied.secrets),
        Kind::Network => {
            let versions = input.desired.networks.keys().find(|plain| network::is_version(plain, &object.name));
            Some(versions.unwrap_or(&object.name))
        }
        _ => Some(&object.name),
    }
}

/// Why what git no longer names is not deleted, none of it.
pub(super) fn deletions(input: &Input<'_>, unnamed: &BTreeSet<Object>) -> Vec<Diagnostic> {
    let removed =
        |object: &&Object| plain(input, object).is_some_and(|plain| !is_named(input, &Object::new(object.kind, plain)));
    let removed: Vec<&Object> = unnamed.iter().filter(removed).collect();
    let protected = protected(input);
    let is_protected = |object: &&&Object| {
        let plain = plain(input, object).unwrap_or(&object.name);
        protected.contains(&Object::new(object.kind, plain))
    };
    let mut faults: Vec<Diagnostic> = removed.iter().filter(is_protected).map(|object| refused(object)).collect();
    let of = input.applied.into_iter().flat_map(|applied| &applied.inventory);
    let of = of.filter(|object| plain(input, object).is_some()).count();
    let share = input.policy.max_delete;
    // One service may always go, with whatever was its own.
    let services = removed.iter().filter(|object| object.kind == Kind::Service).count();
    if !input.policy.allow_delete && services > 1 && share.is_exceeded(removed.len(), of) {
        faults.push(too_many(&removed, of, share));
    }
    faults
}

fn refused(object: &Object) -> Diagnostic {
    let message = format!("{} {} is protected, and git no longer names it", object.kind, object.name);
    Diagnostic::error(code::PROTECTED, message)
        .hint("put it back into the files; to let it go, take `protect` away in a commit of its own first")
}

fn too_many(removed: &[&Object], of: usize, share: Share) -> Diagnostic {
    let names: Vec<String> = removed.iter().take(5).map(|object| format!("{} {}", object.kind, object.name)).collect();
    let more = removed.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!(
        "{} of the stack's {of} objects would be deleted at once, more than {share}: {}{more}",
        removed.len(),
        names.join(", ")
    );
    Diagnostic::error(code::TOO_MANY_DELETIONS, message)
        .hint("if that is meant: `--allow-delete`, or a higher `sync.maxDelete` in skep.yaml")
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
