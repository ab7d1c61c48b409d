//! What a plan may do.

/// What a plan may do, as the stack's settings or the command line say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// What is deleted when git no longer names it.
    pub prune: Prune,
    /// What becomes of drift.
    pub drift: OnDrift,
    /// Direct mode: there is no record and there will be none. Every difference is written, whosesoever it is.
    pub direct: bool,
    /// Deletes even where a guard would refuse to.
    pub allow_delete: bool,
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
    /// It is neither shown nor written.
    Ignore,
}
