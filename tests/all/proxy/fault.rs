//! Faults on demand.

use std::time::Duration;

use tokio::sync::watch;

/// What shall go wrong. Writes are counted from 1, from when the fault is armed, without the lease's
/// renewals; a fault on a write happens once.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Each request waits before it is passed on.
    Delay(Duration),
    /// The n-th write never reaches the engine: the connection closes.
    Refuse(usize),
    /// The n-th write is carried out, and the connection closes in place of the answer.
    Lose(usize),
    /// The n-th write is carried out, and its answer held until the proxy is disarmed. The moment to kill whoever waits for it.
    Hold(usize),
}

/// A fault and how far it has come.
#[derive(Default)]
pub(super) struct Plan {
    fault: Option<Fault>,
    writes: usize,
    happened: bool,
    /// Dropped with the plan, which ends the waiting of those that are held.
    held: Option<watch::Sender<()>>,
}

/// What to do with one request.
pub(super) enum Verdict {
    Pass,
    Delay(Duration),
    Refuse,
    Lose,
    Hold(watch::Receiver<()>),
}

impl Plan {
    pub(super) fn new(fault: Fault) -> Plan {
        Plan { fault: Some(fault), ..Plan::default() }
    }

    pub(super) fn has_happened(&self) -> bool {
        self.happened
    }

    pub(super) fn happens(&mut self) {
        self.happened = true;
    }

    /// Judges the next request. A fault after the write counts as happened only when the engine has answered.
    pub(super) fn judge(&mut self, is_write: bool) -> Verdict {
        self.writes += usize::from(is_write);
        let now = |n: usize, writes: usize| is_write && n == writes;
        match self.fault {
            Some(Fault::Delay(time)) => {
                self.happened = true;
                Verdict::Delay(time)
            }
            Some(Fault::Refuse(n)) if now(n, self.writes) => {
                self.happened = true;
                Verdict::Refuse
            }
            Some(Fault::Lose(n)) if now(n, self.writes) => Verdict::Lose,
            Some(Fault::Hold(n)) if now(n, self.writes) => {
                let (sender, receiver) = watch::channel(());
                self.held = Some(sender);
                Verdict::Hold(receiver)
            }
            _ => Verdict::Pass,
        }
    }
}
