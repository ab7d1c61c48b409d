//! `!reset` and `!override`: a later value takes an earlier one away, or stands in its place instead of being merged with
//! it.

use crate::yaml::{Node, Value};

/// Takes out of `base` what `over` resets or overrides.
pub(super) fn apply(over: &Node, base: &mut Node) {
    let (Value::Mapping(over), Value::Mapping(base)) = (&over.value, &mut base.value) else { return };
    for entry in &over.entries {
        let Some(at) = base.entries.iter().position(|other| other.key == entry.key) else { continue };
        if is_reset(&entry.value) || is_override(&entry.value) {
            base.entries.remove(at);
        } else if let Some(other) = base.entries.get_mut(at) {
            apply(&entry.value, &mut other.value);
        }
    }
}

/// Drops what is reset and makes an ordinary value of what overrides, once every earlier value has seen them.
pub(super) fn settle(node: &mut Node) {
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            items.retain(|item| !is_reset(item));
            items.iter_mut().for_each(settle);
        }
        Value::Mapping(mapping) => {
            mapping.entries.retain(|entry| !is_reset(&entry.value));
            mapping.entries.iter_mut().for_each(|entry| settle(&mut entry.value));
        }
    }
    if is_override(node) {
        node.tag = None;
    }
}

/// The first value that carries one of the two, if any does.
pub(super) fn first(node: &Node) -> Option<&Node> {
    if is_reset(node) || is_override(node) {
        return Some(node);
    }
    match &node.value {
        Value::Scalar(_) => None,
        Value::Sequence(items) => items.iter().find_map(first),
        Value::Mapping(mapping) => mapping.entries.iter().find_map(|entry| first(&entry.value)),
    }
}

fn is_reset(node: &Node) -> bool {
    node.tag.as_deref() == Some("!reset")
}

fn is_override(node: &Node) -> bool {
    node.tag.as_deref() == Some("!override")
}
