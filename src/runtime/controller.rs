//! Works on keys until they are as they should be.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::queue::Queue;
use crate::client::Class;

/// When to come back to a key that was worked on with success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// After this while, or when somebody asks.
    Requeue(Duration),
    /// When somebody asks.
    AwaitChange,
}

impl Action {
    /// After this while, or when somebody asks.
    pub fn requeue(after: Duration) -> Self {
        Action::Requeue(after)
    }

    /// When somebody asks.
    pub fn await_change() -> Self {
        Action::AwaitChange
    }
}

/// An error that knows when it is worth trying again.
pub trait Classify {
    /// When it is worth trying again.
    fn class(&self) -> Class;
}

impl Classify for crate::client::Error {
    fn class(&self) -> Class {
        crate::client::Error::class(self)
    }
}

/// What a controller does to a key.
pub trait Reconcile: Send + Sync + 'static {
    /// What it works on: a stack's name, say.
    type Key: Ord + Clone + fmt::Display + Send + Sync + 'static;
    /// Why it failed.
    type Error: Classify + fmt::Display + Send + 'static;

    /// Brings what the key stands for one step nearer to what it should be, and says when to come back. It does not wait
    /// for the swarm: whoever has to wait returns and comes back.
    fn reconcile(&self, key: &Self::Key) -> impl Future<Output = Result<Action, Self::Error>> + Send;
}

/// Runs a [`Reconcile`] on the keys of a queue.
///
/// The class of an error decides the wait: a permanent one until somebody asks, a conflict 0.1 s to 5 s, a transient one
/// 1 s to a minute, each growing with every failure in a row. A panic counts as a transient error of its key alone.
#[derive(Debug, Clone, Copy)]
pub struct Controller {
    /// How many keys are worked on at a time, 1 at least.
    pub concurrency: usize,
    /// The waits after conflicts.
    pub conflict: Backoff,
    /// The waits after transient errors.
    pub transient: Backoff,
}

impl Default for Controller {
    fn default() -> Self {
        Self {
            concurrency: 4,
            conflict: Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(5) },
            transient: Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(60) },
        }
    }
}

/// What came of one run.
enum Outcome<E> {
    Done(Action),
    Failed(E),
    Panicked,
}

impl Controller {
    /// A controller with so many keys at a time.
    pub fn new(concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), ..Self::default() }
    }

    /// Works until it is cancelled; what is being worked on then is worked on to its end.
    pub async fn run<R: Reconcile>(&self, reconciler: Arc<R>, queue: Queue<R::Key>, cancel: CancellationToken) {
        let mut failures = BTreeMap::<R::Key, u32>::new();
        let mut running = JoinSet::<(R::Key, Outcome<R::Error>)>::new();
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Some(ended) = running.join_next() => {
                    if let Ok((key, outcome)) = ended {
                        self.settle(&queue, &mut failures, key, outcome);
                    }
                }
                key = queue.next(), if running.len() < self.concurrency.max(1) => {
                    let reconciler = reconciler.clone();
                    running.spawn(async move {
                        let outcome = run_once(reconciler.as_ref(), &key).await;
                        (key, outcome)
                    });
                }
            }
        }
        while let Some(ended) = running.join_next().await {
            if let Ok((key, outcome)) = ended {
                self.settle(&queue, &mut failures, key, outcome);
            }
        }
    }

    /// Decides when to come back, and lets the key be worked on again.
    fn settle<K: Ord + Clone + fmt::Display, E: Classify + fmt::Display>(
        &self,
        queue: &Queue<K>,
        failures: &mut BTreeMap<K, u32>,
        key: K,
        outcome: Outcome<E>,
    ) {
        let again = match outcome {
            Outcome::Done(action) => {
                failures.remove(&key);
                match action {
                    Action::Requeue(after) => Some(after),
                    Action::AwaitChange => None,
                }
            }
            Outcome::Failed(error) => {
                let class = error.class();
                let wait = self.wait(class, failures, &key);
                let wait_ms = wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
                tracing::warn!(key = %key, class = class.as_str(), wait_ms, error = %error, "reconcile failed");
                wait
            }
            Outcome::Panicked => {
                tracing::error!(key = %key, "reconcile panicked: this is a fault of skep's own");
                self.wait(Class::Transient, failures, &key)
            }
        };
        if let Some(after) = again {
            queue.add_after(key.clone(), after);
        }
        queue.done(&key);
    }

    fn wait<K: Ord + Clone>(&self, class: Class, failures: &mut BTreeMap<K, u32>, key: &K) -> Option<Duration> {
        let count = failures.entry(key.clone()).or_default();
        *count = count.saturating_add(1);
        match class {
            Class::Permanent => {
                failures.remove(key);
                None
            }
            Class::Conflict => Some(self.conflict.delay(*count)),
            Class::Transient => Some(self.transient.delay(*count)),
        }
    }
}

async fn run_once<R: Reconcile>(reconciler: &R, key: &R::Key) -> Outcome<R::Error> {
    // A panic is answered here, where the key is known: other keys must not wait for it.
    match AssertUnwindSafe(reconciler.reconcile(key)).catch_unwind().await {
        Ok(Ok(action)) => Outcome::Done(action),
        Ok(Err(error)) => Outcome::Failed(error),
        Err(_) => Outcome::Panicked,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::*;

    #[derive(Debug)]
    struct Fault(Class);

    impl fmt::Display for Fault {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0.as_str())
        }
    }

    impl Classify for Fault {
        fn class(&self) -> Class {
            self.0
        }
    }

    type Script = Box<dyn FnMut(&'static str) -> Result<Action, Fault> + Send>;

    /// Tells when it begins, takes a second, and does what the script says.
    struct Scripted {
        begun: mpsc::UnboundedSender<(&'static str, Instant)>,
        script: Mutex<Script>,
    }

    impl Reconcile for Scripted {
        type Key = &'static str;
        type Error = Fault;
        async fn reconcile(&self, key: &&'static str) -> Result<Action, Fault> {
            self.begun.send((key, Instant::now())).expect("the test listens");
            tokio::time::sleep(Duration::from_secs(1)).await;
            (self.script.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))(key)
        }
    }

    struct Rig {
        queue: Queue<&'static str>,
        begun: mpsc::UnboundedReceiver<(&'static str, Instant)>,
        cancel: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    fn start(concurrency: usize, script: impl FnMut(&'static str) -> Result<Action, Fault> + Send + 'static) -> Rig {
        let (queue, cancel) = (Queue::new(), CancellationToken::new());
        let (sender, begun) = mpsc::unbounded_channel();
        let reconciler = Arc::new(Scripted { begun: sender, script: Mutex::new(Box::new(script)) });
        let (keys, token) = (queue.clone(), cancel.clone());
        let task = tokio::spawn(async move { Controller::new(concurrency).run(reconciler, keys, token).await });
        Rig { queue, begun, cancel, task }
    }

    impl Rig {
        async fn next(&mut self) -> (&'static str, Instant) {
            self.begun.recv().await.expect("the controller runs")
        }

        async fn nothing_for(&mut self, time: Duration) {
            let begun = tokio::time::timeout(time, self.begun.recv()).await;
            assert!(begun.is_err(), "{begun:?}");
        }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn a_key_runs_once_at_a_time_and_again_for_what_was_asked_meanwhile() {
        let mut rig = start(4, |_| Ok(Action::await_change()));
        rig.queue.add("a");
        let (_, first) = rig.next().await;
        for _ in 0..10 {
            rig.queue.add("a");
        }
        let (_, second) = rig.next().await;
        assert_eq!(second - first, Duration::from_secs(1), "right after the first, not beside it");
        rig.nothing_for(HOUR).await;
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_keys_run_at_a_time_than_allowed() {
        let mut rig = start(2, |_| Ok(Action::await_change()));
        for key in ["a", "b", "c"] {
            rig.queue.add(key);
        }
        let starts = [rig.next().await.1, rig.next().await.1, rig.next().await.1];
        assert_eq!(starts[0], starts[1]);
        assert_eq!(starts[2] - starts[0], Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn success_comes_back_when_it_says() {
        let mut rig = start(1, |_| Ok(Action::requeue(Duration::from_secs(30))));
        rig.queue.add("a");
        let (_, first) = rig.next().await;
        let (_, second) = rig.next().await;
        assert_eq!((second - first).as_secs(), 31);
    }

    #[tokio::test(start_paused = true)]
    async fn the_class_of_an_error_decides_the_wait() {
        let mut rig = start(4, |key| {
            Err(Fault(match key {
                "permanent" => Class::Permanent,
                "conflict" => Class::Conflict,
                _ => Class::Transient,
            }))
        });
        rig.queue.add("permanent");
        rig.next().await;
        rig.nothing_for(HOUR).await;
        rig.queue.add("permanent");
        rig.next().await;
        rig.queue.add("conflict");
        let (_, first) = rig.next().await;
        let (_, second) = rig.next().await;
        assert!(second - first < Duration::from_millis(1250), "{:?}", second - first);
        rig.cancel.cancel();
        let mut rig = start(4, |_| Err(Fault(Class::Transient)));
        rig.queue.add("transient");
        let mut starts = Vec::new();
        for _ in 0..10 {
            starts.push(rig.next().await.1);
        }
        let waits: Vec<Duration> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(waits[0] < Duration::from_millis(3100) && waits[8] > Duration::from_secs(30), "{waits:?}");
        assert!(waits[8] <= Duration::from_secs(61), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_concerns_its_own_key_alone() {
        let mut first = true;
        let mut rig = start(1, move |_| {
            assert!(!std::mem::take(&mut first), "on purpose");
            Ok(Action::await_change())
        });
        rig.queue.add("a");
        rig.next().await;
        rig.queue.add("b");
        assert_eq!(rig.next().await.0, "b");
        assert_eq!(rig.next().await.0, "a", "tried again");
    }

    #[tokio::test(start_paused = true)]
    async fn cancelling_lets_what_runs_end_and_starts_nothing() {
        let mut rig = start(1, |_| Ok(Action::await_change()));
        rig.queue.add("a");
        rig.queue.add("b");
        let (_, begun) = rig.next().await;
        rig.cancel.cancel();
        rig.task.await.expect("no panic");
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
        assert!(rig.begun.try_recv().is_err());
    }
}
