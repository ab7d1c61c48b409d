//! Objects that carry the stack's label although skep never applied them.

use std::collections::HashSet;

use super::Input;
use super::applied::Object;
use super::index::Index;
use crate::model::Kind;
use crate::swarm::{Labels, Resource};

/// What is labelled as this stack's and neither named by git nor ever applied. It is shown, and nothing deletes it.
pub(super) fn objects(input: &Input<'_>, index: &Index<'_>, wanted: &HashSet<Object>) -> Vec<Object> {
    fn labelled<R: Resource>(objects: &[std::sync::Arc<R>]) -> impl Iterator<Item = (Kind, &str, &Labels)> {
        objects.iter().map(|object| (R::KIND, object.meta().name, object.meta().labels))
    }
    let live = input.live;
    let all = labelled(&live.services)
        .chain(labelled(&live.networks))
        .chain(labelled(&live.configs))
        .chain(labelled(&live.secrets));
    let mut extra: Vec<Object> = all
        .filter(|(_, _, labels)| index.is_labelled(labels))
        .map(|(kind, name, _)| Object::new(kind, name))
        .filter(|object| !wanted.contains(object))
        .filter(|object| !input.applied.is_some_and(|applied| applied.inventory.contains(object)))
        .collect();
    extra.sort();
    extra
}
