//! What is said when a stack belongs to another source.

use super::world::{Assignment, SourceId};
use crate::model::StackName;

/// The sources that declare a stack, in words.
pub fn names(found: &[Assignment]) -> String {
    let names: Vec<&str> = found.iter().map(|assignment| assignment.source.as_str()).collect();
    names.join(" and ")
}

/// Several sources declare a stack.
pub fn several(stack: &StackName, names: &str) -> String {
    format!("refused: stack `{stack}` is declared by {names}; take it out of all but one")
}

/// Another source's record stands in the way.
pub fn taken(stack: &StackName, recorded: &str, source: &SourceId) -> String {
    format!(
        "refused: stack `{stack}` belongs to {recorded}, which cannot be read at present; {source} gets it once that one lets go"
    )
}

/// Other sources declare a stack that has an owner.
pub fn also(names: &str) -> String {
    format!("{names} declares it too, and is refused")
}
