//! What is there, as far as is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{Stream, StreamExt};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::watcher::Event;
use crate::client::{Error, Unreadable};
use crate::model::{Kind, label};
use crate::swarm::{Labels, Resource};

/// So many changes wait for a slow listener; one that falls further behind takes everything as changed. They take 100
/// bytes each from the start.
const BACKLOG: usize = 512;

/// An object that changed, appeared or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The stack whose label it bears, or bore: one that moved makes a change for each.
    pub stack: Option<String>,
}

/// All objects of one kind. Clones share them.
///
/// A complete list replaces everything at once, when it is done; what is read between lists replaces one object.
pub struct Store<K>(Arc<Shared<K>>);

impl<K> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<K> {
    state: Mutex<State<K>>,
    changes: broadcast::Sender<Change>,
    listed: watch::Sender<Option<Instant>>,
}

struct State<K> {
    current: Objects<K>,
    building: Option<Objects<K>>,
    /// `current` by name, made when it is asked for.
    sorted: Option<Arc<Vec<Arc<K>>>>,
}

struct Objects<K> {
    readable: BTreeMap<String, Arc<K>>,
    unreadable: Vec<Unreadable>,
}

impl<K> Default for Objects<K> {
    fn default() -> Self {
        Self { readable: BTreeMap::new(), unreadable: Vec::new() }
    }
}

impl<K: Resource> Default for Store<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Resource> Store<K> {
    /// An empty store that knows nothing yet.
    pub fn new() -> Self {
        let state = State { current: Objects::default(), building: None, sorted: None };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changes: broadcast::Sender::new(BACKLOG),
            listed: watch::Sender::new(None),
        }))
    }

    /// Everything that can be read, by name; empty before the first list is complete.
    pub fn snapshot(&self) -> Arc<Vec<Arc<K>>> {
        let mut state = self.lock();
        if let Some(sorted) = &state.sorted {
            return sorted.clone();
        }
        let mut objects: Vec<_> = state.current.readable.values().cloned().collect();
        objects.sort_by(|a, b| a.meta().name.cmp(b.meta().name));
        let sorted = Arc::new(objects);
        state.sorted = Some(sorted.clone());
        sorted
    }

    /// Everything there is, by name; `None` before the first list is complete, and while anything is there that cannot be
    /// read. What decides by absence takes nothing else.
    pub fn complete_snapshot(&self) -> Option<Arc<Vec<Arc<K>>>> {
        let complete = self.listed_at().is_some() && self.lock().current.unreadable.is_empty();
        complete.then(|| self.snapshot())
    }

    /// The object with this id.
    pub fn find(&self, id: &str) -> Option<Arc<K>> {
        self.lock().current.readable.get(id).cloned()
    }

    /// What is there and cannot be read.
    pub fn unreadable(&self) -> Vec<Unreadable> {
        self.lock().current.unreadable.clone()
    }

    /// When the last complete list was done: how old what this store says may be, at most.
    pub fn listed_at(&self) -> Option<Instant> {
        *self.0.listed.borrow()
    }

    /// Waits for the first complete list.
    pub async fn listed(&self) {
        // The sender lives as long as this store.
        let _ = self.0.listed.subscribe().wait_for(Option::is_some).await;
    }

    /// Changes from now on. A list that shows nothing new makes none. `Lagged` means that anything may have changed.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Takes in what a watcher saw.
    pub fn apply(&self, event: Event<K>) {
        let mut state = self.lock();
        match event {
            Event::Init => state.building = Some(Objects::default()),
            Event::InitApply(object) => {
                let id = object.meta().id.to_owned();
                state.building.get_or_insert_default().readable.insert(id, object);
            }
            Event::InitUnreadable(object) => state.building.get_or_insert_default().unreadable.push(object),
            Event::InitDone => {
                let next = state.building.take().unwrap_or_default();
                let before = std::mem::replace(&mut state.current, next);
                let changes = differences(&before, &state.current);
                if !changes.is_empty() {
                    state.sorted = None;
                }
                warn_of_new::<K>(&before.unreadable, &state.current.unreadable);
                drop(state);
                self.0.listed.send_replace(Some(Instant::now()));
                self.tell(changes);
            }
            Event::Apply(object) => {
                let id = object.meta().id.to_owned();
                let mut changes = forget_unreadable::<K>(&mut state.current, &id);
                let before = state.current.readable.insert(id, object.clone());
                if !before.as_ref().is_some_and(|before| Arc::ptr_eq(before, &object)) {
                    state.sorted = None;
                    changes.extend(before.as_deref().map(change));
                    changes.push(change(object.as_ref()));
                }
                drop(state);
                self.tell(changes);
            }
            Event::Unreadable(object) => {
                let mut changes = forget_unreadable::<K>(&mut state.current, &object.id);
                changes.extend(forget(&mut state, &object.id));
                warn_of_new::<K>(&[], std::slice::from_ref(&object));
                changes.push(unreadable_change::<K>(&object));
                state.current.unreadable.push(object);
                drop(state);
                self.tell(changes);
            }
            Event::Delete(id) => {
                let mut changes = forget_unreadable::<K>(&mut state.current, &id);
                changes.extend(forget(&mut state, &id));
                drop(state);
                self.tell(changes);
            }
        }
    }

    fn tell(&self, mut changes: Vec<Change>) {
        // An object that changed within its stack makes one change, not one for each side.
        changes.dedup();
        for change in changes {
            let _ = self.0.changes.send(change);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a store up to date for as long as the watcher lasts. A failure is logged when it begins and when it ends.
pub async fn reflect<K: Resource>(store: Store<K>, watcher: impl Stream<Item = Result<Event<K>, Error>>) {
    let mut watcher = std::pin::pin!(watcher);
    let mut failing = false;
    while let Some(item) = watcher.next().await {
        match item {
            Ok(event) => {
                if failing && matches!(event, Event::InitDone) {
                    failing = false;
                    tracing::info!(kind = %K::KIND, "the swarm's objects can be listed again");
                }
                store.apply(event);
            }
            Err(error) if failing => {
                tracing::debug!(kind = %K::KIND, error = %error, "cannot list the swarm's objects")
            }
            Err(error) => {
                failing = true;
                tracing::warn!(kind = %K::KIND, error = %error, "cannot list the swarm's objects, retrying");
            }
        }
    }
}

fn forget<K: Resource>(state: &mut State<K>, id: &str) -> Option<Change> {
    let gone = state.current.readable.remove(id)?;
    state.sorted = None;
    Some(change(gone.as_ref()))
}

fn forget_unreadable<K: Resource>(objects: &mut Objects<K>, id: &str) -> Vec<Change> {
    let gone = objects.unreadable.extract_if(.., |object| object.id == id);
    gone.map(|object| unreadable_change::<K>(&object)).collect()
}

fn differences<K: Resource>(before: &Objects<K>, now: &Objects<K>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (id, object) in &now.readable {
        match before.readable.get(id) {
            Some(known) if Arc::ptr_eq(known, object) => {}
            known => {
                changes.extend(known.map(|known| change(known.as_ref())));
                changes.push(change(object.as_ref()));
            }
        }
    }
    let gone = before.readable.iter().filter(|(id, _)| !now.readable.contains_key(*id));
    changes.extend(gone.map(|(_, object)| change(object.as_ref())));
    let differ = |a: &[Unreadable], b: &[Unreadable]| -> Vec<Change> {
        a.iter().filter(|object| !b.contains(object)).map(unreadable_change::<K>).collect()
    };
    changes.extend(differ(&before.unreadable, &now.unreadable));
    changes.extend(differ(&now.unreadable, &before.unreadable));
    changes
}

fn warn_of_new<K: Resource>(before: &[Unreadable], now: &[Unreadable]) {
    for object in now.iter().filter(|object| !before.contains(object)) {
        tracing::warn!(
            kind = %K::KIND, object = object.name, id = object.id, error = object.error,
            "an object of the swarm cannot be read; nothing of its kind is deleted meanwhile"
        );
    }
}

fn stack_of(labels: &Labels) -> Option<String> {
    labels.get(label::NAMESPACE).cloned()
}

fn change<K: Resource>(object: &K) -> Change {
    let meta = object.meta();
    Change { kind: K::KIND, id: meta.id.to_owned(), name: meta.name.to_owned(), stack: stack_of(meta.labels) }
}

fn unreadable_change<K: Resource>(object: &Unreadable) -> Change {
    Change { kind: K::KIND, id: object.id.clone(), name: object.name.clone(), stack: stack_of(&object.labels) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::Config;

    fn config(id: &str, stack: Option<&str>) -> Arc<Config> {
        let mut config = Config { id: id.into(), ..Config::default() };
        config.spec.name = format!("name-{id}");
        config.spec.labels.extend(stack.map(|stack| (label::NAMESPACE.to_owned(), stack.to_owned())));
        Arc::new(config)
    }

    fn unreadable(id: &str) -> Unreadable {
        Unreadable { id: id.into(), name: String::new(), labels: Labels::new(), error: "odd".into() }
    }

    fn list(store: &Store<Config>, objects: &[&Arc<Config>]) {
        store.apply(Event::Init);
        for object in objects {
            store.apply(Event::InitApply((*object).clone()));
        }
        store.apply(Event::InitDone);
    }

    fn drain(changes: &mut broadcast::Receiver<Change>) -> Vec<(String, Option<String>)> {
        std::iter::from_fn(|| changes.try_recv().ok()).map(|change| (change.id, change.stack)).collect()
    }

    #[test]
    fn half_a_list_is_never_seen() {
        let store = Store::new();
        store.apply(Event::Init);
        store.apply(Event::InitApply(config("1", None)));
        assert!(store.complete_snapshot().is_none() && store.snapshot().is_empty());
        store.apply(Event::InitDone);
        assert_eq!(store.complete_snapshot().map(|objects| objects.len()), Some(1));
        store.apply(Event::Init);
        assert_eq!(store.snapshot().len(), 1, "the old list serves until the new one is done");
        store.apply(Event::InitDone);
        assert_eq!(store.complete_snapshot().map(|objects| objects.len()), Some(0));
    }

    #[test]
    fn a_snapshot_is_complete_only_while_everything_can_be_read() {
        let store = Store::new();
        list(&store, &[&config("1", None)]);
        store.apply(Event::Unreadable(unreadable("1")));
        assert!(store.complete_snapshot().is_none());
        assert!(store.find("1").is_none(), "what it was before is not what it is");
        assert_eq!(store.unreadable().len(), 1);
        store.apply(Event::Apply(config("1", None)));
        assert!(store.complete_snapshot().is_some());
        store.apply(Event::Init);
        store.apply(Event::InitUnreadable(unreadable("2")));
        store.apply(Event::InitDone);
        assert!(store.complete_snapshot().is_none());
        store.apply(Event::Delete("2".into()));
        assert!(store.complete_snapshot().is_some());
    }

    #[test]
    fn changes_name_the_stacks_they_concern_and_nothing_new_names_none() {
        let store = Store::new();
        let mut changes = store.changes();
        let (one, two) = (config("1", Some("shop")), config("2", None));
        list(&store, &[&one, &two]);
        let shop = || Some("shop".to_owned());
        assert_eq!(drain(&mut changes), [("1".into(), shop()), ("2".into(), None)]);
        list(&store, &[&one, &two]);
        store.apply(Event::Apply(one.clone()));
        assert_eq!(drain(&mut changes), []);
        let moved = config("1", Some("blog"));
        store.apply(Event::Apply(moved.clone()));
        assert_eq!(drain(&mut changes), [("1".into(), shop()), ("1".into(), Some("blog".into()))]);
        store.apply(Event::Apply(config("2", None)));
        assert_eq!(drain(&mut changes), [("2".into(), None)], "one change within one stack");
        list(&store, &[&moved]);
        assert_eq!(drain(&mut changes), [("2".into(), None)]);
        store.apply(Event::Delete("1".into()));
        store.apply(Event::Delete("1".into()));
        assert_eq!(drain(&mut changes), [("1".into(), Some("blog".into()))]);
    }

    #[test]
    fn a_snapshot_is_sorted_by_name_and_shared_until_something_changes() {
        let store = Store::new();
        list(&store, &[&config("b", None), &config("a", None)]);
        let first = store.snapshot();
        assert_eq!(first.iter().map(|object| object.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(Arc::ptr_eq(&first, &store.snapshot()));
        store.apply(Event::Delete("a".into()));
        assert_eq!((first.len(), store.snapshot().len()), (2, 1));
    }
}
