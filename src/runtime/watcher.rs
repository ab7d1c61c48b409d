//! One kind of object, followed: everything there is, then everything that changes.
//!
//! Subscribe, then list, then read what each hint names. A gap in the hints, too many of them at once, a failed read and
//! the resync timer all end in a new list, so whatever the event stream keeps to itself is found then.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

use super::backoff::{Backoff, random};
use crate::client::{Api, Error, Found, Hint, Known, Listable, Listed, Subscription, Unreadable};
use crate::swarm::Resource;

/// How often everything is listed anew: at 1,000 services a list costs the engine and skep some 50 ms.
pub const RESYNC: Duration = Duration::from_secs(60);
/// How long the first list waits for the event stream: without it, what happens in between is found by the resync.
const CONNECT: Duration = Duration::from_secs(3);
/// From so many objects on, one list costs less than reading each.
const MANY: usize = 32;
/// After a list that failed.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(15) };

/// What a watcher sees.
#[derive(Debug, Clone)]
pub enum Event<K> {
    /// A complete list begins. What was known before stays valid until it is done.
    Init,
    /// An object of the list.
    InitApply(Arc<K>),
    /// An object of the list that could not be read.
    InitUnreadable(Unreadable),
    /// The list is complete: what was not in it is gone.
    InitDone,
    /// An object is there, new or changed or as it was.
    Apply(Arc<K>),
    /// An object is there and could not be read.
    Unreadable(Unreadable),
    /// The object with this id is gone.
    Delete(String),
}

/// Where a watcher reads.
pub trait Source: Send + 'static {
    /// The kind it reads.
    type Object: Resource;
    /// All objects, in one complete answer.
    fn list(&mut self) -> impl Future<Output = Result<Listed<Arc<Self::Object>>, Error>> + Send;
    /// One object by its full id.
    fn read(&mut self, id: &str) -> impl Future<Output = Result<Found<Arc<Self::Object>>, Error>> + Send;
}

/// The engine as a source. What did not change since the last list is shared with it, not decoded again.
pub struct ApiSource<K> {
    api: Api<K>,
    known: Known<K>,
}

impl<K: Listable> ApiSource<K> {
    /// Reads through this API.
    pub fn new(api: Api<K>) -> Self {
        Self { api, known: Known::default() }
    }
}

impl<K: Listable> Source for ApiSource<K> {
    type Object = K;

    async fn list(&mut self) -> Result<Listed<Arc<K>>, Error> {
        self.api.list_again(&mut self.known).await
    }

    async fn read(&mut self, id: &str) -> Result<Found<Arc<K>>, Error> {
        self.api.read_again(id, &mut self.known).await
    }
}

/// Follows one kind of object. The stream does not end; an error in it says that a list or read failed and will be tried
/// again, later each time.
pub fn watcher<S: Source>(
    source: S,
    subscription: Subscription,
    resync: Duration,
) -> impl Stream<Item = Result<Event<S::Object>, Error>> + Send {
    let watcher = Watcher {
        source,
        subscription,
        resync,
        phase: Phase::Connect,
        failures: 0,
        out: VecDeque::new(),
        hints_ended: false,
        connections_ended: false,
    };
    futures_util::stream::unfold(watcher, async |mut watcher| {
        let item = watcher.next().await;
        Some((item, watcher))
    })
}

enum Phase {
    /// Nothing was listed yet.
    Connect,
    /// A list is due.
    List,
    /// A list failed: the next is due then.
    Pause(Instant),
    /// Everything is listed, and will be again then.
    Watch(Instant),
}

struct Watcher<S: Source> {
    source: S,
    subscription: Subscription,
    resync: Duration,
    phase: Phase,
    failures: u32,
    out: VecDeque<Result<Event<S::Object>, Error>>,
    hints_ended: bool,
    connections_ended: bool,
}

impl<S: Source> Watcher<S> {
    async fn next(&mut self) -> Result<Event<S::Object>, Error> {
        loop {
            if let Some(item) = self.out.pop_front() {
                return item;
            }
            match self.phase {
                Phase::Connect => {
                    let connected = self.subscription.connections.wait_for(|count| *count > 0);
                    // Either way: a connection made later is a reason to list again.
                    let _ = tokio::time::timeout(CONNECT, connected).await;
                    self.phase = Phase::List;
                }
                Phase::List => self.list().await,
                Phase::Pause(until) => {
                    tokio::time::sleep_until(until).await;
                    self.phase = Phase::List;
                }
                Phase::Watch(resync) => self.watch(resync).await,
            }
        }
    }

    async fn list(&mut self) {
        // What was hinted until now, this list shows.
        self.subscription.connections.mark_unchanged();
        while let Ok(_) | Err(TryRecvError::Lagged(_)) = self.subscription.hints.try_recv() {}
        match self.source.list().await {
            Ok(listed) => {
                self.failures = 0;
                self.out.push_back(Ok(Event::Init));
                self.out.extend(listed.items.into_iter().map(|object| Ok(Event::InitApply(object))));
                self.out.extend(listed.unreadable.into_iter().map(|object| Ok(Event::InitUnreadable(object))));
                self.out.push_back(Ok(Event::InitDone));
                // The instances and kinds that started together need not list together for ever.
                self.phase = Phase::Watch(Instant::now() + self.resync.mul_f64(0.9 + random() / 5.0));
            }
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: Error) {
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Pause(Instant::now() + BACKOFF.delay(self.failures));
        self.out.push_back(Err(error));
    }

    async fn watch(&mut self, resync: Instant) {
        let mut ids = BTreeSet::new();
        tokio::select! {
            () = tokio::time::sleep_until(resync) => self.phase = Phase::List,
            changed = self.subscription.connections.changed(), if !self.connections_ended => match changed {
                Ok(()) => self.phase = Phase::List,
                Err(_) => self.connections_ended = true,
            },
            hint = self.subscription.hints.recv(), if !self.hints_ended => match hint {
                Ok(hint) => note(&mut ids, hint, S::Object::KIND),
                Err(RecvError::Lagged(_)) => self.phase = Phase::List,
                Err(RecvError::Closed) => self.hints_ended = true,
            },
        }
        // A burst becomes one pass.
        while ids.len() <= MANY {
            match self.subscription.hints.try_recv() {
                Ok(hint) => note(&mut ids, hint, S::Object::KIND),
                Err(TryRecvError::Lagged(_)) => self.phase = Phase::List,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if ids.len() > MANY {
            self.phase = Phase::List;
        }
        if matches!(self.phase, Phase::Watch(_)) {
            self.read(ids).await;
        }
    }

    async fn read(&mut self, ids: BTreeSet<String>) {
        for id in ids {
            match self.source.read(&id).await {
                Ok(Found::Object(object)) => self.out.push_back(Ok(Event::Apply(object))),
                Ok(Found::Unreadable(object)) => self.out.push_back(Ok(Event::Unreadable(object))),
                Ok(Found::Absent) => self.out.push_back(Ok(Event::Delete(id))),
                // What this object is now is not known, so a list must say.
                Err(error) => return self.fail(error),
            }
        }
    }
}

fn note(ids: &mut BTreeSet<String>, hint: Hint, kind: crate::model::Kind) {
    if hint.kind == kind {
        ids.insert(hint.id);
    }
}

#[cfg(test)]
#[path = "watcher_tests.rs"]
mod tests;
