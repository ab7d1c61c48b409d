//! Instances against a lease kept in memory, on a paused clock.

use std::sync::Mutex;

use super::*;
use crate::client::{Attempt, Failure};
use crate::swarm::Version;

const SECOND: Duration = Duration::from_secs(1);

/// What the network does to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Network {
    #[default]
    Fine,
    /// Nothing passes, and nothing says so.
    Cut,
    /// Writes take effect, and their answers are lost.
    AnswersLost,
    /// Writes take effect, and the engine's proxy sends them twice: the answer is that of the second.
    Doubled,
    /// Reads are answered from before the cut, writes by nobody.
    Stale,
}

#[derive(Default)]
struct Memory {
    lease: Option<(u64, LeaseState)>,
    writes: u64,
}

/// One instance's way to the lease.
#[derive(Clone, Default)]
struct Way {
    memory: Arc<Mutex<Memory>>,
    network: Arc<Mutex<Network>>,
    stale: Arc<Mutex<Option<Held>>>,
}

impl Way {
    fn another(&self) -> Self {
        Self { memory: self.memory.clone(), ..Self::default() }
    }

    fn set(&self, network: Network) {
        *self.stale.lock().expect("not poisoned") = self.held();
        *self.network.lock().expect("not poisoned") = network;
    }

    fn network(&self) -> Network {
        *self.network.lock().expect("not poisoned")
    }

    fn held(&self) -> Option<Held> {
        let memory = self.memory.lock().expect("not poisoned");
        memory.lease.clone().map(|(index, state)| Held {
            id: "lease".into(),
            version: Version { index },
            content: Content::State(state),
        })
    }

    fn state(&self) -> LeaseState {
        self.memory.lock().expect("not poisoned").lease.clone().expect("a lease").1
    }

    fn compare_and_set(&self, version: Option<u64>, state: &LeaseState) -> Result<(), Error> {
        let mut memory = self.memory.lock().expect("not poisoned");
        match (version, memory.lease.as_ref().map(|(index, _)| *index)) {
            (None, Some(_)) => return Err(Error::AlreadyExists(refusal())),
            (Some(_), None) => return Err(Error::NotFound(refusal())),
            (Some(given), Some(actual)) if given != actual => return Err(Error::Conflict(refusal())),
            _ => {}
        }
        memory.writes += 1;
        // The index is Raft's, and other objects are written too.
        memory.lease = Some((memory.writes * 10, state.clone()));
        Ok(())
    }

    async fn write(&self, version: Option<u64>, state: &LeaseState) -> Result<(), Error> {
        match self.network() {
            Network::Fine => self.compare_and_set(version, state),
            Network::Cut | Network::Stale => std::future::pending().await,
            Network::AnswersLost => {
                let _ = self.compare_and_set(version, state);
                std::future::pending().await
            }
            Network::Doubled => {
                let _ = self.compare_and_set(version, state);
                self.compare_and_set(version, state)
            }
        }
    }
}

fn refusal() -> Box<Failure> {
    Box::new(Failure { attempt: Attempt::Engine("test"), message: String::new(), status: None, source: None })
}

impl LeaseStore for Way {
    async fn read(&self) -> Result<Option<Held>, Error> {
        match self.network() {
            Network::Cut => std::future::pending().await,
            Network::Stale => Ok(self.stale.lock().expect("not poisoned").clone()),
            _ => Ok(self.held()),
        }
    }

    async fn create(&self, state: &LeaseState) -> Result<(), Error> {
        self.write(None, state).await
    }

    async fn update(&self, _: &str, version: Version, state: &LeaseState) -> Result<(), Error> {
        self.write(Some(version.index), state).await
    }
}

struct Instance {
    way: Way,
    handle: LeaseHandle,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Instance {
    fn start(way: Way, holder: &str) -> Self {
        let (lease, handle) = Lease::new(way.clone(), holder, Timing::default());
        let cancel = CancellationToken::new();
        let task = tokio::spawn(lease.run(cancel.clone()));
        Self { way, handle, cancel, task }
    }

    fn may_write(&self) -> bool {
        self.handle.guard().term().is_some()
    }

    /// Waits until it leads, and gives the term and how long that took.
    async fn leads(&self, within: Duration) -> (u64, Duration) {
        let start = Instant::now();
        let mut leadership = self.handle.leadership();
        let leading = leadership.wait_for(|now| matches!(now, Leadership::Leading { .. }));
        let leading = timeout(within, leading).await.expect("leads in time").expect("runs").clone();
        let Leadership::Leading { term } = leading else { panic!("{leading:?}") };
        (term, start.elapsed())
    }

    async fn follows(&self, within: Duration) -> Duration {
        let start = Instant::now();
        let mut leadership = self.handle.leadership();
        let following = leadership.wait_for(|now| matches!(now, Leadership::Following { .. }));
        timeout(within, following).await.expect("follows in time").expect("runs");
        start.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_at_once_and_keeps_the_lease() {
    let first = Instance::start(Way::default(), "a");
    assert_eq!(first.leads(SECOND).await.0, 1);
    let second = Instance::start(first.way.another(), "b");
    for _ in 0..600 {
        tokio::time::sleep(SECOND).await;
        assert!(first.may_write() && !second.may_write());
    }
    assert_eq!(*second.handle.leadership().borrow(), Leadership::Following { holder: Some("a".into()) });
    let writes = first.way.memory.lock().expect("not poisoned").writes;
    assert!((199..=203).contains(&writes), "one renewal every 3 s: {writes}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_holders_lease_is_taken_after_30_s_and_never_before() {
    let first = Instance::start(Way::default(), "a");
    first.leads(SECOND).await;
    let second = Instance::start(first.way.another(), "b");
    tokio::time::sleep(SECOND * 10).await;
    first.task.abort();
    let (term, took) = second.leads(SECOND * 60).await;
    assert_eq!(term, 2);
    assert!(took > SECOND * 26 && took < SECOND * 35, "{took:?}");
    assert_eq!(second.way.state().holder, "b");
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_taken_at_once() {
    let first = Instance::start(Way::default(), "a");
    first.leads(SECOND).await;
    let second = Instance::start(first.way.another(), "b");
    tokio::time::sleep(SECOND * 5).await;
    let guard = first.handle.guard();
    first.cancel.cancel();
    first.task.await.expect("no panic");
    assert!(guard.term().is_none());
    assert!(second.way.state().released);
    let (term, took) = second.leads(SECOND * 60).await;
    assert_eq!(term, 2);
    assert!(took <= SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_is_cut_off_stops_8_s_after_its_last_renewal_was_sent() {
    for network in [Network::Cut, Network::Stale] {
        let first = Instance::start(Way::default(), "a");
        first.leads(SECOND).await;
        let sent = Instant::now();
        first.way.set(network);
        let second = Instance::start(first.way.another(), "b");
        first.follows(SECOND * 20).await;
        assert!(sent.elapsed() >= SECOND * 8 && sent.elapsed() < SECOND * 12, "{:?}", sent.elapsed());
        // The guard is exact, however long a request hangs.
        let first_guard = first.handle.guard();
        assert!(first_guard.term().is_none());
        let (term, _) = second.leads(SECOND * 60).await;
        assert_eq!(term, 2);
        first.way.set(Network::Fine);
        tokio::time::sleep(SECOND * 60).await;
        assert!(!first.may_write() && second.may_write(), "the old holder follows");
    }
}

#[tokio::test(start_paused = true)]
async fn the_guard_ends_at_8_s_to_the_moment_though_a_request_hangs() {
    let first = Instance::start(Way::default(), "a");
    first.leads(SECOND).await;
    first.way.set(Network::Cut);
    let guard = first.handle.guard();
    tokio::time::sleep(Duration::from_millis(7_900)).await;
    assert!(guard.may_write(1));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!guard.may_write(1));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_was_lost_proves_nothing_and_costs_no_term() {
    let first = Instance::start(Way::default(), "a");
    first.leads(SECOND).await;
    let second = Instance::start(first.way.another(), "b");
    first.way.set(Network::AnswersLost);
    first.follows(SECOND * 20).await;
    tokio::time::sleep(SECOND * 60).await;
    assert!(!first.may_write() && !second.may_write(), "the lease changes, so nobody takes it");
    first.way.set(Network::Fine);
    let (term, took) = first.leads(SECOND * 10).await;
    assert_eq!(term, 1, "nobody else had it in between");
    assert!(took < SECOND * 8, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_ones_own_write_is_told_by_the_nonce() {
    let first = Instance::start(Way::default(), "a");
    first.leads(SECOND).await;
    first.way.set(Network::Doubled);
    tokio::time::sleep(SECOND * 4).await;
    first.way.set(Network::Fine);
    tokio::time::sleep(SECOND * 4).await;
    assert!(first.handle.guard().may_write(1), "still the first term");
}

#[tokio::test(start_paused = true)]
async fn of_many_that_want_it_one_leads() {
    let way = Way::default();
    let all: Vec<_> = (0..10).map(|index| Instance::start(way.another(), &format!("i{index}"))).collect();
    for round in 1..=3 {
        tokio::time::sleep(SECOND * 45).await;
        let leading: Vec<_> = all.iter().filter(|instance| instance.may_write()).collect();
        let [leader] = leading.as_slice() else { panic!("{} lead", leading.len()) };
        assert_eq!(leader.way.state().term, round);
        leader.task.abort();
        tokio::time::sleep(SECOND * 9).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_term_found_in_a_record_is_outranked() {
    let first = Instance::start(Way::default(), "a");
    first.leads(SECOND).await;
    first.handle.outrank(41);
    let mut leadership = first.handle.leadership();
    let raised = leadership.wait_for(|now| *now == Leadership::Leading { term: 42 });
    timeout(SECOND * 10, raised).await.expect("raised in time").expect("runs");
    assert!(first.handle.guard().may_write(42) && !first.handle.guard().may_write(1));
    tokio::time::sleep(SECOND * 10).await;
    assert!(first.handle.guard().may_write(42), "raised once");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_made_anew_under_a_higher_term() {
    let first = Instance::start(Way::default(), "a");
    first.leads(SECOND).await;
    let second = Instance::start(first.way.another(), "b");
    tokio::time::sleep(SECOND * 2).await;
    first.way.memory.lock().expect("not poisoned").lease = None;
    let mut leadership = first.handle.leadership();
    let again = leadership.wait_for(|now| *now == Leadership::Leading { term: 2 });
    timeout(SECOND * 10, again).await.expect("in time").expect("runs");
    assert!(!second.may_write(), "its holder was asked first");
    first.task.abort();
    first.way.memory.lock().expect("not poisoned").lease = None;
    assert_eq!(second.leads(SECOND * 12).await.0, 3);
}

#[test]
fn a_guard_without_a_lease_permits() {
    let guard = Guard::without_lease();
    assert!(guard.term().is_some_and(|term| guard.may_write(term)));
}
