//! The watcher against a source that says what the test wants, on a paused clock.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::StreamExt;
use tokio::time::timeout;

use super::*;
use crate::client::{Action, Attempt, Events, EventsSource, Failure};
use crate::model::Kind;
use crate::swarm::Config;

#[derive(Default)]
struct Swarm {
    objects: BTreeMap<String, Arc<Config>>,
    unreadable: Vec<Unreadable>,
    lists: usize,
    reads: Vec<String>,
    fails: usize,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Swarm>>);

impl Fake {
    fn with<T>(&self, change: impl FnOnce(&mut Swarm) -> T) -> T {
        change(&mut self.0.lock().expect("not poisoned"))
    }

    fn put(&self, id: &str) {
        let config = Arc::new(Config { id: id.into(), ..Config::default() });
        self.with(|swarm| swarm.objects.insert(id.into(), config));
    }
}

fn fault() -> Error {
    let attempt = Attempt::List(Kind::Config);
    Error::Unavailable(Box::new(Failure { attempt, message: "gone".into(), status: None, source: None }))
}

impl Source for Fake {
    type Object = Config;

    async fn list(&mut self) -> Result<Listed<Arc<Config>>, Error> {
        self.with(|swarm| {
            swarm.lists += 1;
            if swarm.fails > 0 {
                swarm.fails -= 1;
                return Err(fault());
            }
            Ok(Listed { items: swarm.objects.values().cloned().collect(), unreadable: swarm.unreadable.clone() })
        })
    }

    async fn read(&mut self, id: &str) -> Result<Found<Arc<Config>>, Error> {
        self.with(|swarm| {
            swarm.reads.push(id.to_owned());
            if swarm.fails > 0 {
                swarm.fails -= 1;
                return Err(fault());
            }
            Ok(match swarm.objects.get(id) {
                Some(object) => Found::Object(object.clone()),
                None => Found::Absent,
            })
        })
    }
}

struct Rig {
    swarm: Fake,
    source: EventsSource,
    stream: std::pin::Pin<Box<dyn Stream<Item = Result<Event<Config>, Error>> + Send>>,
}

impl Rig {
    fn start(swarm: Fake) -> Self {
        let (source, events) = Events::pair();
        let stream = Box::pin(watcher(swarm.clone(), events.subscribe(), RESYNC));
        Self { swarm, source, stream }
    }

    fn hint(&self, kind: Kind, id: &str) {
        self.source.hint(Hint { kind, id: id.into(), name: String::new(), action: Action::Update });
    }

    /// The next item as a word.
    async fn next(&mut self) -> String {
        let item = timeout(RESYNC * 3, self.stream.next()).await.expect("something comes").expect("no end");
        match item {
            Ok(Event::Init) => "init".into(),
            Ok(Event::InitApply(object)) => format!("has {}", object.id),
            Ok(Event::InitUnreadable(object)) => format!("has odd {}", object.id),
            Ok(Event::InitDone) => "done".into(),
            Ok(Event::Apply(object)) => format!("apply {}", object.id),
            Ok(Event::Unreadable(object)) => format!("odd {}", object.id),
            Ok(Event::Delete(id)) => format!("delete {id}"),
            Err(error) => format!("error {}", error.reason()),
        }
    }

    async fn expect(&mut self, words: &[&str]) {
        for word in words {
            assert_eq!(self.next().await, *word);
        }
    }

    async fn quiet(&mut self, time: Duration) {
        let item = timeout(time, self.stream.next()).await;
        assert!(item.is_err(), "{item:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_lists_everything_and_then_reads_what_hints_name() {
    let swarm = Fake::default();
    swarm.put("1");
    swarm.with(|swarm| {
        let labels = Default::default();
        swarm.unreadable.push(Unreadable { id: "2".into(), name: String::new(), labels, error: "odd".into() });
    });
    let mut rig = Rig::start(swarm);
    rig.source.connected();
    rig.expect(&["init", "has 1", "has odd 2", "done"]).await;
    rig.swarm.put("3");
    rig.hint(Kind::Config, "3");
    rig.expect(&["apply 3"]).await;
    rig.swarm.with(|swarm| swarm.objects.clear());
    rig.hint(Kind::Service, "1");
    rig.hint(Kind::Config, "3");
    rig.expect(&["delete 3"]).await;
    rig.quiet(Duration::from_secs(30)).await;
    assert_eq!(rig.swarm.with(|swarm| (swarm.lists, swarm.reads.join(" "))), (1, "3 3".into()));
}

#[tokio::test(start_paused = true)]
async fn many_hints_for_one_object_are_one_read_and_many_objects_one_list() {
    let mut rig = Rig::start(Fake::default());
    rig.source.connected();
    rig.expect(&["init", "done"]).await;
    rig.swarm.put("1");
    for _ in 0..500 {
        rig.hint(Kind::Config, "1");
    }
    rig.expect(&["apply 1"]).await;
    assert_eq!(rig.swarm.with(|swarm| swarm.reads.len()), 1);
    for index in 0..100 {
        rig.hint(Kind::Config, &index.to_string());
    }
    rig.expect(&["init", "has 1", "done"]).await;
    assert_eq!(rig.swarm.with(|swarm| (swarm.lists, swarm.reads.len())), (2, 1));
    rig.quiet(Duration::from_secs(30)).await;
}

#[tokio::test(start_paused = true)]
async fn silence_a_new_connection_and_lost_hints_end_in_a_list() {
    let mut rig = Rig::start(Fake::default());
    rig.source.connected();
    rig.expect(&["init", "done"]).await;
    rig.quiet(RESYNC.mul_f64(0.89)).await;
    rig.expect(&["init", "done"]).await;
    rig.source.connected();
    rig.expect(&["init", "done"]).await;
    for index in 0..2000 {
        rig.hint(Kind::Node, &index.to_string());
    }
    rig.expect(&["init", "done"]).await;
    rig.quiet(Duration::from_secs(30)).await;
}

#[tokio::test(start_paused = true)]
async fn without_an_event_stream_it_lists_all_the_same() {
    let mut rig = Rig::start(Fake::default());
    rig.expect(&["init", "done", "init", "done"]).await;
    let Rig { swarm, source, stream } = rig;
    drop(source);
    let mut rig = Rig { source: Events::pair().0, swarm, stream };
    rig.expect(&["init", "done"]).await;
    assert_eq!(rig.swarm.with(|swarm| swarm.lists), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_and_followed_by_a_list() {
    let swarm = Fake::default();
    swarm.with(|swarm| swarm.fails = 2);
    let mut rig = Rig::start(swarm);
    rig.source.connected();
    rig.expect(&["error unavailable", "error unavailable", "init", "done"]).await;
    rig.swarm.with(|swarm| swarm.fails = 1);
    rig.hint(Kind::Config, "1");
    rig.expect(&["error unavailable", "init", "done"]).await;
}
