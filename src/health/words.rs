//! The words for how a stack fares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether what runs, runs well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Health {
    /// Everything wanted runs.
    Healthy,
    /// It is on its way.
    Progressing,
    /// Tasks fail, or a rollout was given up.
    Degraded,
    /// A person has stopped skep from writing to it.
    Suspended,
    /// It is not there.
    Missing,
    /// Nobody could look.
    #[default]
    Unknown,
}
