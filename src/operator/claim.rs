//! Whose a stack is: which of the sources that declare it may write it.

use super::records::Stored;
use super::world::{Assignment, Claim, Orphan, SourceId, World};
use crate::model::StackName;

/// Why no source may write a stack.
pub enum Unowned {
    /// None declares it.
    Orphaned(Orphan),
    /// More than one does, or one that must not.
    Refused {
        /// Those that declare it, or the one that its record names.
        sources: String,
        /// Why, in a sentence.
        reason: String,
    },
    /// One does, and another may yet say that it does too.
    TooEarly,
}

/// The source that a stack belongs to: the one that declares it, and of several the one that the record names.
///
/// # Errors
/// [`Unowned`].
pub fn owner(world: &World, stack: &StackName, stored: Option<&Stored>) -> Result<Assignment, Unowned> {
    let recorded = stored.map(|stored| stored.record.source.as_str());
    match world.claim(stack) {
        Claim::Nobody => Err(Unowned::Orphaned(match recorded {
            Some(source) => world.orphan(source),
            None => Orphan::Unknown { problem: None },
        })),
        Claim::One(_) if recorded.is_none() && !world.is_read() => Err(Unowned::TooEarly),
        Claim::One(assignment) => match recorded {
            Some(source) if source != assignment.source.as_str() => match world.orphan(source) {
                // Its source let go of it, or is followed no more: the stack has moved.
                Orphan::Removed(_) | Orphan::NoSource => Ok(*assignment),
                Orphan::Unknown { .. } => Err(Unowned::Refused {
                    sources: source.to_owned(),
                    reason: taken(stack, source, &assignment.source),
                }),
            },
            _ => Ok(*assignment),
        },
        Claim::Several(mut found) => {
            let sources = names(&found);
            match found.iter().position(|assignment| Some(assignment.source.as_str()) == recorded) {
                Some(position) => {
                    let mut assignment = found.swap_remove(position);
                    assignment.problem.get_or_insert_with(|| also(&names(&found)));
                    Ok(assignment)
                }
                None => Err(Unowned::Refused { reason: several(stack, &sources), sources }),
            }
        }
    }
}

/// The sources that declare a stack, in words.
fn names(found: &[Assignment]) -> String {
    let names: Vec<&str> = found.iter().map(|assignment| assignment.source.as_str()).collect();
    names.join(" and ")
}

/// Several sources declare a stack.
fn several(stack: &StackName, names: &str) -> String {
    format!("refused: stack `{stack}` is declared by {names}; take it out of all but one")
}

/// Another source's record stands in the way.
fn taken(stack: &StackName, recorded: &str, source: &SourceId) -> String {
    format!(
        "refused: stack `{stack}` belongs to {recorded}, which cannot be read at present; {source} gets it once that one lets go"
    )
}

/// Other sources declare a stack that has an owner.
fn also(names: &str) -> String {
    format!("{names} declares it too, and is refused")
}
