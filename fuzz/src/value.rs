//! What a tree says, without its places: what must survive being written and read again.

use serde_json::Value;

use crate::yaml::{self, Node, Resolved};

/// The value of a node. A number with a fraction is written as the text Docker makes of it: not every one has a form in JSON.
pub fn of(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => value.into(),
            Resolved::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => value.into(),
                (_, Ok(value)) => value.into(),
                _ => panic!("{value} is no number of Docker's"),
            },
            Resolved::Float(_) | Resolved::Timestamp(_) => scalar.go_text().into(),
            Resolved::Text => scalar.text.clone().into(),
        },
        yaml::Value::Sequence(items) => items.iter().map(of).collect(),
        yaml::Value::Mapping(mapping) => mapping
            .entries
            .iter()
            .map(|entry| (entry.key.clone(), of(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}
