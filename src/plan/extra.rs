//! Objects that carry the stack's label although skep never applied them.

use std::collections::HashSet;
use std::sync::Arc;

use super::Input;
use super::applied::Object;
use crate::model::{Kind, StackName, label};
use crate::swarm::{Labels, Live, Resource};

/// What is labelled as this stack's and neither named by git nor ever applied. It is shown, and nothing deletes it.
pub(super) fn objects(input: &Input<'_>, wanted: &HashSet<Object>) -> Vec<Object> {
    let is_applied = |object: &Object| input.applied.is_some_and(|applied| applied.inventory.contains(object));
    labelled(&input.desired.stack, input.live, |object| wanted.contains(object) || is_applied(object))
}

/// What is labelled as a stack's and not known.
pub(super) fn labelled(stack: &StackName, live: &Live, is_known: impl Fn(&Object) -> bool) -> Vec<Object> {
    fn labels<R: Resource>(objects: &[Arc<R>]) -> impl Iterator<Item = (Kind, &str, &Labels)> {
        objects.iter().map(|object| (R::KIND, object.meta().name, object.meta().labels))
    }
    let all =
        labels(&live.services).chain(labels(&live.networks)).chain(labels(&live.configs)).chain(labels(&live.secrets));
    let is_ours = |labels: &Labels| labels.get(label::NAMESPACE).is_some_and(|name| name == stack.as_str());
    let mut extra: Vec<Object> = all
        .filter(|(_, _, labels)| is_ours(labels))
        .map(|(kind, name, _)| Object::new(kind, name))
        .filter(|object| !is_known(object))
        .collect();
    extra.sort();
    extra
}
