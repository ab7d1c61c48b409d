//! What a plan may do.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Kind;
use crate::settings::{DEFAULT_MAX_DELETE, Resolve, ZeroDowntime};

/// What a plan may do, as the stack's settings or the command line say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// What is deleted when git no longer names it.
    pub prune: Prune,
    /// What becomes of drift.
    pub drift: OnDrift,
    /// Direct mode: there is no record and there will be none. Every difference is written, whosesoever it is.
    pub direct: bool,
    /// Deletes even where a guard would refuse to, but for what is protected.
    pub allow_delete: bool,
    /// How much of a stack may be deleted at once.
    pub max_delete: Share,
    /// Differences that are not corrected for now, and why. They are shown.
    pub contested: BTreeMap<Difference, Contest>,
    /// Takes a secret that is in use for what git says where nobody can verify it.
    pub trust_secrets: bool,
    /// What is filled in where the files do not say how an update rolls, and whether downtime is refused.
    pub zero_downtime: ZeroDowntime,
    /// When the digest that a tag points to counts.
    pub resolve: Resolve,
    /// Follows moved tags this once, whatever `resolve` says, and pins what runs without a digest.
    pub resolve_now: bool,
    /// How far the stack's hooks are.
    pub hooks: Hooks,
    /// How many services may replace their tasks at the same time; `None` is no limit.
    pub parallel: Option<u32>,
}

/// How far the hooks of a stack are that an attempt runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hooks {
    /// Whether an attempt at just this is under way: then what is left of its hooks runs even where nothing else is left to be
    /// written.
    pub are_due: bool,
    /// Whether it has failed: then those run that wait for it, and no others.
    pub has_failed: bool,
    /// Whether nobody waits for what is written: then `depends_on` orders the writes and makes no waves. Hooks make them all the
    /// same.
    pub unwatched: bool,
    /// Those that have run in this attempt, or begun to, by full name.
    pub ran: BTreeSet<String>,
}

/// One field of one object that is not as it was applied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Difference {
    /// The object's kind.
    pub kind: Kind,
    /// Its full name.
    pub name: String,
    /// The field, a JSON pointer; empty where the object is gone.
    pub path: String,
}

/// Why a difference is not corrected any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contest {
    /// Somebody made it again each time it was corrected.
    Others,
    /// It was there again right after it was written, by nobody's hand.
    Own,
}

/// A part of a stack's objects, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u8);

impl Default for Share {
    fn default() -> Self {
        Share(DEFAULT_MAX_DELETE)
    }
}

impl Share {
    /// Whether `part` is more of `whole` than this.
    pub fn is_exceeded(self, part: usize, whole: usize) -> bool {
        part.saturating_mul(100) > whole.saturating_mul(usize::from(self.0))
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// What is deleted when git no longer names it. Volumes never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prune {
    /// Nothing.
    Off,
    /// What the record says was applied. Without a record, nothing.
    #[default]
    Recorded,
    /// What carries the stack's label, services only: what `docker stack deploy --prune` does. For direct mode, where a
    /// person asks for it by that name.
    Labelled,
}

/// What becomes of a difference that is drift alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDrift {
    /// It is shown and not written.
    #[default]
    Report,
    /// It is written as it was applied.
    Correct,
    /// It is neither shown nor written.
    Ignore,
}
