//! Who may write: one instance a swarm, without synchronised clocks and without a server of our own.
//!
//! The lease is a config object that its holder writes every 3 s under the version check, each time with another nonce.
//! What the rest of this file takes care of:
//!
//! - **Only an acknowledged renewal proves anything**, and from the moment it was *sent*: a manager that is cut off goes on
//!   answering reads from its own store for 10 to 20 s. No write starts later than 8 s after that moment.
//! - **Whoever wants the lease waits until it has not changed for 30 s** by its own monotonic clock, counted from when it
//!   first saw the lease so. The holder stopped 22 s before, at least; the engine gives a late write 20 s.
//! - **A refused or unanswered renewal may have taken effect**: its nonce tells. It still proves nothing; the next one may.
//! - **A released lease is taken at once.** Each taking raises the term, and the records carry it: what an earlier holder
//!   sent and arrives late is known by it.

mod guard;
mod state;
mod store;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

pub use guard::Guard;
use guard::Proof;
pub use state::{Content, FORMAT, Held, LeaseState, NAME};
pub use store::{LeaseStore, SwarmLease};

use crate::client::Error;

/// So many of one's own nonces are remembered. More cannot be under way: a write that was not answered is settled within
/// the engine's 20 s, and one is sent every second at most.
const NONCES: usize = 64;

/// So many looks in a row are taken without a pause.
const AT_ONCE: u32 = 3;

/// The times of a lease. They depend on each other: `renew` < `hold` < `expire` less the engine's own deadline of 20 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between the sending of two renewals.
    pub renew: Duration,
    /// From the sending of an acknowledged renewal on, writes may start for so long.
    pub hold: Duration,
    /// A lease that does not change for so long is held by nobody.
    pub expire: Duration,
    /// Between two looks at somebody else's lease, and after a failure.
    pub poll: Duration,
    /// For one request.
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            renew: Duration::from_secs(3),
            hold: Duration::from_secs(8),
            expire: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            patience: Duration::from_secs(3),
        }
    }
}

/// Whether this instance leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leadership {
    /// It does, and may write as its [`Guard`] says.
    Leading {
        /// The term: higher than that of anybody who led before.
        term: u64,
    },
    /// It does not.
    Following {
        /// Who does, where that is known.
        holder: Option<String>,
    },
}

/// One instance's part in the lease.
pub struct Lease<S> {
    store: S,
    holder: String,
    timing: Timing,
    /// Nonces of writes that are under way or took effect: a lease with one of them is one's own.
    nonces: VecDeque<String>,
    /// Somebody else's lease, and since when it has looked like this.
    seen: Option<(Held, Instant)>,
    /// Since when there is no lease at all.
    absent: Option<Instant>,
    /// The highest term seen so far.
    highest: u64,
    outranked: Arc<AtomicU64>,
    proof: watch::Sender<Option<Proof>>,
    leadership: watch::Sender<Leadership>,
}

/// What the rest of the instance holds of its lease.
#[derive(Debug, Clone)]
pub struct LeaseHandle {
    proof: watch::Receiver<Option<Proof>>,
    leadership: watch::Receiver<Leadership>,
    outranked: Arc<AtomicU64>,
}

impl LeaseHandle {
    /// The permission to write, asked right before every write.
    pub fn guard(&self) -> Guard {
        Guard::of(self.proof.clone())
    }

    /// Whether this instance leads, and every change of that. For starting and stopping; before a write the guard is
    /// asked.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// Says that a term was found in a record. Where it is not below one's own, the next renewal raises one's own above it:
    /// somebody deleted the lease, and with it the memory of the terms before.
    pub fn outrank(&self, term: u64) {
        self.outranked.fetch_max(term, Ordering::AcqRel);
    }
}

/// What a turn came to.
enum Turn {
    /// Acknowledged; sent then.
    Renewed { term: u64, sent: Instant },
    /// Somebody else has it.
    Others(Option<String>),
    /// The version had moved on, or the object appeared or went: look again now.
    Again,
    /// Nothing was learned.
    Failed(Error),
}

impl<S: LeaseStore> Lease<S> {
    /// The part of the instance that calls itself `holder`, a name for people to read.
    pub fn new(store: S, holder: impl Into<String>, timing: Timing) -> (Self, LeaseHandle) {
        let proof = watch::Sender::new(None);
        let leadership = watch::Sender::new(Leadership::Following { holder: None });
        let outranked = Arc::new(AtomicU64::new(0));
        let handle =
            LeaseHandle { proof: proof.subscribe(), leadership: leadership.subscribe(), outranked: outranked.clone() };
        let holder = holder.into();
        let lease = Self {
            store,
            holder,
            timing,
            nonces: VecDeque::new(),
            seen: None,
            absent: None,
            highest: 0,
            outranked,
            proof,
            leadership,
        };
        (lease, handle)
    }

    /// Takes and keeps the lease whenever that is possible, until it is cancelled; gives it up then. Whoever cancels has
    /// ended its writes before.
    pub async fn run(mut self, cancel: CancellationToken) {
        let (mut failing, mut again) = (false, 0_u32);
        loop {
            let turn = tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                turn = self.turn() => turn,
            };
            if !matches!(turn, Turn::Failed(_)) {
                failing = false;
            }
            let next = match turn {
                Turn::Renewed { term, sent } => {
                    again = 0;
                    self.lead(term, sent);
                    sent + self.timing.renew
                }
                Turn::Others(holder) => {
                    self.follow(holder);
                    Instant::now() + self.timing.poll
                }
                Turn::Again => {
                    again += 1;
                    // Somebody who is faster each time, or a proxy that sends everything twice, is not chased.
                    if again % AT_ONCE == 0 { Instant::now() + self.timing.poll } else { Instant::now() }
                }
                Turn::Failed(error) => {
                    if std::mem::replace(&mut failing, true) {
                        tracing::debug!(error = %error, "cannot look after the lease");
                    } else {
                        tracing::warn!(error = %error, "cannot look after the lease, retrying");
                    }
                    Instant::now() + self.timing.poll
                }
            };
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = self.lapse() => {}
                () = sleep_until(next) => {}
            }
        }
        self.release().await;
    }

    /// Looks at the lease, and writes it where it is one's own or nobody's.
    async fn turn(&mut self) -> Turn {
        let held = match self.limited(self.store.read()).await {
            Ok(held) => held,
            Err(turn) => return turn,
        };
        let Some(held) = held else { return self.make().await };
        self.absent = None;
        let state = match &held.content {
            Content::Newer => return Turn::Others(None),
            Content::State(state) => Some(state.clone()),
            Content::Damaged => None,
        };
        if let Some(state) = &state {
            self.highest = self.highest.max(state.term);
            if self.nonces.contains(&state.nonce) && !state.released {
                // The same term, unless a record says that it was used before.
                let term = if self.outranked() >= state.term { self.outranked() + 1 } else { state.term };
                return self.write(Some(&held), term).await;
            }
        }
        // Counted from the answer: whoever renewed did so before it was read.
        let now = Instant::now();
        let since = match &self.seen {
            Some((seen, since)) if *seen == held => *since,
            _ => now,
        };
        self.seen = Some((held.clone(), since));
        let released = state.as_ref().is_some_and(|state| state.released);
        if released || now - since >= self.timing.expire {
            return self.write(Some(&held), self.highest.max(self.outranked()) + 1).await;
        }
        Turn::Others(state.map(|state| state.holder))
    }

    /// There is no lease. Its holder, or the first instance of all, makes one at once; whoever saw another's, which somebody
    /// deleted, waits until its holder has noticed or may no longer write.
    async fn make(&mut self) -> Turn {
        let now = Instant::now();
        let since = *self.absent.get_or_insert(now);
        if self.seen.is_some() && now - since < self.timing.hold {
            return Turn::Others(None);
        }
        self.write(None, self.highest.max(self.outranked()) + 1).await
    }

    async fn write(&mut self, held: Option<&Held>, term: u64) -> Turn {
        let nonce = match nonce() {
            Some(nonce) => nonce,
            None => return Turn::Others(None),
        };
        let state = LeaseState { holder: self.holder.clone(), term, nonce: nonce.clone(), released: false };
        self.nonces.push_back(nonce);
        if self.nonces.len() > NONCES {
            self.nonces.pop_front();
        }
        let sent = Instant::now();
        let written = match held {
            Some(held) => self.limited(self.store.update(&held.id, held.version, &state)).await,
            None => self.limited(self.store.create(&state)).await,
        };
        match written {
            Ok(()) => {
                self.highest = self.highest.max(term);
                Turn::Renewed { term, sent }
            }
            Err(turn) => turn,
        }
    }

    /// One request within its time. What a version check refused is looked at again at once.
    async fn limited<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Turn> {
        match timeout(self.timing.patience, request).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(Error::Conflict(_) | Error::AlreadyExists(_) | Error::NotFound(_))) => Err(Turn::Again),
            Ok(Err(error)) => Err(Turn::Failed(error)),
            Err(_) => Err(Turn::Failed(late())),
        }
    }

    fn outranked(&self) -> u64 {
        self.outranked.load(Ordering::Acquire)
    }

    fn lead(&mut self, term: u64, sent: Instant) {
        (self.seen, self.absent) = (None, None);
        self.proof.send_replace(Some(Proof { term, until: sent + self.timing.hold }));
        if self.announce(Leadership::Leading { term }) {
            tracing::info!(term, "this instance leads");
        }
    }

    fn follow(&mut self, holder: Option<String>) {
        self.proof.send_replace(None);
        let led = matches!(*self.leadership.borrow(), Leadership::Leading { .. });
        if self.announce(Leadership::Following { holder: holder.clone() }) {
            if led {
                tracing::warn!(holder, "this instance no longer leads");
            } else {
                tracing::info!(holder, "this instance follows");
            }
        }
    }

    /// Waits until what proves the leadership proves it no longer, and says so.
    async fn lapse(&self) {
        let Some(proof) = *self.proof.borrow() else { return std::future::pending().await };
        sleep_until(proof.until).await;
        self.proof.send_replace(None);
        self.announce(Leadership::Following { holder: None });
        tracing::warn!("this instance no longer leads: no renewal of the lease was acknowledged in time");
    }

    fn announce(&self, now: Leadership) -> bool {
        self.leadership.send_if_modified(|leadership| {
            let changed = *leadership != now;
            *leadership = now;
            changed
        })
    }

    /// Gives the lease up, if it is one's own: the next instance takes it at once.
    async fn release(&mut self) {
        // Before anybody else can take it.
        self.proof.send_replace(None);
        self.announce(Leadership::Following { holder: None });
        let released = timeout(self.timing.patience, async {
            loop {
                let Some(held) = self.store.read().await? else { return Ok(()) };
                let Content::State(state) = &held.content else { return Ok(()) };
                if !self.nonces.contains(&state.nonce) || state.released {
                    return Ok(());
                }
                let state = LeaseState { released: true, ..state.clone() };
                match self.store.update(&held.id, held.version, &state).await {
                    // One's own renewal, sent before and arrived since.
                    Err(Error::Conflict(_)) => {}
                    done => return done,
                }
            }
        })
        .await;
        match released {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %error, "could not give up the lease; it runs out by itself"),
            Err(_) => tracing::warn!("could not give up the lease in time; it runs out by itself"),
        }
    }
}

fn late() -> Error {
    Error::Timeout(Box::new(crate::client::Failure {
        attempt: crate::client::Attempt::Engine("look after the lease"),
        message: "no answer from the engine in time".to_owned(),
        status: None,
        source: None,
    }))
}

/// 64 random bits. Without them one's own writes could not be told from another's, so nothing is written.
fn nonce() -> Option<String> {
    getrandom::u64().ok().map(|bits| format!("{bits:016x}"))
}
