//! Keys to be worked on: each at most once in the queue, and never handed out while it is being worked on.
//!
//! An ordered map under a lock, not a timer wheel: there are as many keys as stacks, anybody may add one without waiting,
//! and merging two requests is a comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// A queue of keys. Clones share it. It holds each key once, so it is as bounded as they are.
pub struct Queue<K>(Arc<Shared<K>>);

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

struct State<K> {
    due: BTreeMap<K, Instant>,
    running: BTreeSet<K>,
}

impl<K: Ord + Clone> Default for Queue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Clone> Queue<K> {
    /// An empty queue.
    pub fn new() -> Self {
        let state = State { due: BTreeMap::new(), running: BTreeSet::new() };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Notify::new() }))
    }

    /// Asks for a key to be worked on now. One that is being worked on is worked on again after that.
    pub fn add(&self, key: K) {
        self.add_after(key, Duration::ZERO);
    }

    /// Asks for a key to be worked on after a while. Where it is asked for already, the earlier time counts.
    pub fn add_after(&self, key: K, delay: Duration) {
        let at = Instant::now() + delay;
        self.lock().due.entry(key).and_modify(|due| *due = (*due).min(at)).or_insert(at);
        self.0.changed.notify_one();
    }

    /// Withdraws what was asked for. What is being worked on goes on.
    pub fn remove(&self, key: &K) {
        self.lock().due.remove(key);
    }

    /// How many keys are due now and wait.
    pub fn depth(&self) -> usize {
        let now = Instant::now();
        self.lock().due.values().filter(|at| **at <= now).count()
    }

    /// Waits for a key that is due and not being worked on, the one due longest first. It counts as being worked on until
    /// [`done`](Self::done). One caller at a time.
    pub(super) async fn next(&self) -> K {
        loop {
            let wait = {
                let mut state = self.lock();
                let waiting = state.due.iter().filter(|(key, _)| !state.running.contains(*key));
                match waiting.min_by_key(|(_, at)| **at).map(|(key, at)| (key.clone(), *at)) {
                    Some((key, at)) if at <= Instant::now() => {
                        state.due.remove(&key);
                        state.running.insert(key.clone());
                        return key;
                    }
                    next => next.map(|(_, at)| at),
                }
            };
            match wait {
                Some(at) => {
                    let _ = tokio::time::timeout_at(at, self.0.changed.notified()).await;
                }
                None => self.0.changed.notified().await,
            }
        }
    }

    /// Says that a key is no longer being worked on.
    pub(super) fn done(&self, key: &K) {
        self.lock().running.remove(key);
        self.0.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(1);
    const LATE: Duration = Duration::from_secs(60);

    async fn quiet(queue: &Queue<&'static str>, until: Duration) -> bool {
        tokio::time::timeout(until, queue.next()).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_for_one_key_merge_to_the_earliest() {
        let queue = Queue::new();
        queue.add_after("a", LATE);
        queue.add_after("a", SOON);
        queue.add_after("a", LATE);
        let start = Instant::now();
        assert_eq!(queue.next().await, "a");
        assert_eq!(start.elapsed(), SOON);
        queue.done(&"a");
        assert!(quiet(&queue, LATE * 2).await, "it was asked for once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_never_handed_out_twice_at_a_time_and_not_forgotten_either() {
        let queue = Queue::new();
        queue.add("a");
        assert_eq!(queue.next().await, "a");
        queue.add("a");
        queue.add("a");
        assert!(quiet(&queue, LATE).await);
        queue.done(&"a");
        assert_eq!(queue.next().await, "a");
        queue.done(&"a");
        assert!(quiet(&queue, LATE).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_wakes_a_waiting_worker_and_the_longest_due_comes_first() {
        let queue = Queue::new();
        queue.add_after("late", LATE);
        let other = queue.clone();
        let waiter = tokio::spawn(async move { other.next().await });
        tokio::task::yield_now().await;
        queue.add_after("b", SOON);
        assert_eq!(waiter.await.expect("no panic"), "b");
        queue.add_after("z", SOON);
        tokio::time::advance(SOON * 2).await;
        queue.add("a");
        assert_eq!(queue.depth(), 2);
        assert_eq!((queue.next().await, queue.next().await), ("z", "a"));
        queue.remove(&"late");
        assert!(quiet(&queue, LATE * 2).await);
    }
}
