//! Health in one word.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;

/// The health of a service or a stack; the worst last, but for what nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum Health {
    /// It runs as it should.
    Healthy,
    /// It is skep's business no longer, until somebody says `resume`.
    Suspended,
    /// It is on its way.
    Progressing,
    /// Something fails.
    Degraded,
    /// It is not there.
    Missing,
    /// Nobody could look.
    #[default]
    Unknown,
}

impl Health {
    /// The word for a verdict.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Converged => Health::Healthy,
            Verdict::Progressing { failing: None, .. } | Verdict::Superseded => Health::Progressing,
            Verdict::Progressing { failing: Some(_), .. }
            | Verdict::Degraded(_)
            | Verdict::RolledBack { .. }
            | Verdict::Paused { .. }
            | Verdict::Stuck { .. } => Health::Degraded,
        }
    }

    /// The worst of several: a stack is as well as the worst of its services. Without any, it is healthy.
    pub fn worst(all: impl IntoIterator<Item = Health>) -> Self {
        all.into_iter().max().unwrap_or(Health::Healthy)
    }
}
