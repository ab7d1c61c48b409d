//! The permission to write.

use tokio::sync::watch;
use tokio::time::Instant;

/// What the last acknowledged renewal proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proof {
    /// The term it was written under.
    pub term: u64,
    /// The moment from which it proves nothing, by the monotonic clock.
    pub until: Instant,
}

/// Says whether this instance may write, at the moment it is asked. Asked right before every write, not once a pass.
#[derive(Debug, Clone)]
pub struct Guard(Permission);

#[derive(Debug, Clone)]
enum Permission {
    Lease(watch::Receiver<Option<Proof>>),
    Always,
}

impl Guard {
    pub(super) fn of(proof: watch::Receiver<Option<Proof>>) -> Self {
        Self(Permission::Lease(proof))
    }

    /// A guard for whoever writes without a lease: a person at the command line.
    pub fn without_lease() -> Self {
        Self(Permission::Always)
    }

    /// The term under which this instance may write now. `None` where it may not, and 0 for a guard without a lease.
    pub fn term(&self) -> Option<u64> {
        match &self.0 {
            Permission::Always => Some(0),
            Permission::Lease(proof) => {
                let proof = (*proof.borrow())?;
                (Instant::now() < proof.until).then_some(proof.term)
            }
        }
    }

    /// Whether this instance may write now, under the term that it began its work with: what was decided under another
    /// term is decided anew.
    pub fn may_write(&self, term: u64) -> bool {
        self.term() == Some(term)
    }
}
