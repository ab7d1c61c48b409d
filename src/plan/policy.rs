//! What a plan may do.

use crate::settings::DEFAULT_MAX_DELETE;

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
    /// JSON pointers into a service's spec that no diff looks at and no write changes: the live value stays.
    pub ignore: Vec<String>,
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
