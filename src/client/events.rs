//! Hints from `/events`: which object to look at again, and nothing more.
//!
//! An event carries a kind, an id and a name; there are none of tasks; the stream can fall silent without closing, and
//! nothing is replayed after a gap. So a hint is never believed, only followed, and whoever listens lists everything anew
//! now and then.

use std::sync::Arc;
use std::time::Duration;

use bollard::models::{EventMessage, EventMessageTypeEnum};
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::{Stream, StreamExt};
use tokio::sync::{broadcast, watch};
use tokio_util::task::AbortOnDropHandle;

use super::Client;
use super::engine::{docker, from_bollard};
use super::error::{Attempt, Error};
use crate::model::Kind;

/// So many hints wait for a slow listener; one that falls further behind lists anew.
const BACKLOG: usize = 1024;
/// The pause before a lost connection is made again, and the longest such pause.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What happened to an object, says the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was made.
    Create,
    /// It was written.
    Update,
    /// It was deleted.
    Remove,
}

/// An object worth looking at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its name, where the engine gives it.
    pub name: String,
    /// What happened to it.
    pub action: Action,
}

/// The events of one engine, for any number of listeners. Clones share one connection; the last one's end closes it.
#[derive(Clone)]
pub struct Events {
    hints: broadcast::Sender<Hint>,
    connections: watch::Sender<u64>,
    _task: Option<Arc<AbortOnDropHandle<()>>>,
}

/// The side that speaks.
pub struct EventsSource {
    hints: broadcast::Sender<Hint>,
    connections: watch::Sender<u64>,
}

/// One listener.
pub struct Subscription {
    /// Hints since the subscription began. `Lagged` means that some were lost.
    pub hints: broadcast::Receiver<Hint>,
    /// How many times a connection was made: 0 before the first. Each new one means that hints were lost before it.
    pub connections: watch::Receiver<u64>,
}

impl Events {
    /// Connects, and stays connected, in a task of its own. Called within a tokio runtime.
    pub fn start(client: Client) -> Self {
        let (source, mut events) = Self::pair();
        events._task = Some(Arc::new(AbortOnDropHandle::new(tokio::spawn(follow(client, source)))));
        events
    }

    /// Events that whoever holds the other side makes.
    pub fn pair() -> (EventsSource, Self) {
        let (hints, connections) = (broadcast::Sender::new(BACKLOG), watch::Sender::new(0));
        let source = EventsSource { hints: hints.clone(), connections: connections.clone() };
        (source, Self { hints, connections, _task: None })
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription { hints: self.hints.subscribe(), connections: self.connections.subscribe() }
    }
}

impl EventsSource {
    /// Says that a connection was made, and that hints may have been lost before.
    pub fn connected(&self) {
        self.connections.send_modify(|count| *count += 1);
    }

    /// Passes a hint on. Without a listener it is lost.
    pub fn hint(&self, hint: Hint) {
        let _ = self.hints.send(hint);
    }
}

async fn follow(client: Client, source: EventsSource) {
    let source = Arc::new(source);
    let (mut pause, mut failing) = (PAUSE, false);
    loop {
        let before = *source.connections.borrow();
        let error = follow_once(&client, &source).await;
        let error = error.as_ref().map(tracing::field::display);
        if *source.connections.borrow() > before {
            tracing::debug!(error, "the event stream ended, connecting again");
            (pause, failing) = (PAUSE, false);
        } else {
            if !std::mem::replace(&mut failing, true) {
                tracing::warn!(
                    error,
                    "cannot follow the engine's events, retrying; changes are found by listing meanwhile"
                );
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        tokio::time::sleep(pause).await;
    }
}

async fn follow_once(client: &Client, source: &Arc<EventsSource>) -> Option<Error> {
    let mut stream = match open(client, source) {
        Ok(stream) => std::pin::pin!(stream),
        Err(error) => return Some(error),
    };
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => {
                if let Some(hint) = hint(event) {
                    source.hint(hint);
                }
            }
            Err(error) => return Some(from_bollard(attempt(), error)),
        }
    }
    None
}

fn attempt() -> Attempt {
    Attempt::Engine("follow the engine's events")
}

fn open(
    client: &Client,
    source: &Arc<EventsSource>,
) -> Result<impl Stream<Item = Result<EventMessage, bollard::errors::Error>> + use<>, Error> {
    let connected = source.clone();
    let docker = docker(client.transport(), attempt(), move || connected.connected())?;
    // Only these: a type that bollard does not know would end the stream.
    let types = ["service", "network", "config", "secret", "node"].map(str::to_owned).to_vec();
    let filters = [("type".to_owned(), types)].into_iter().collect();
    Ok(docker.events(Some(EventsOptionsBuilder::new().filters(&filters).build())))
}

fn hint(event: EventMessage) -> Option<Hint> {
    let kind = match event.typ? {
        EventMessageTypeEnum::SERVICE => Kind::Service,
        EventMessageTypeEnum::NETWORK => Kind::Network,
        EventMessageTypeEnum::CONFIG => Kind::Config,
        EventMessageTypeEnum::SECRET => Kind::Secret,
        EventMessageTypeEnum::NODE => Kind::Node,
        _ => return None,
    };
    // A container that joins or leaves a network changes nothing that is looked at.
    let action = match event.action?.as_str() {
        "create" => Action::Create,
        "update" => Action::Update,
        "remove" | "destroy" => Action::Remove,
        _ => return None,
    };
    let actor = event.actor?;
    let name = actor.attributes.and_then(|mut attributes| attributes.remove("name")).unwrap_or_default();
    Some(Hint { kind, id: actor.id.filter(|id| !id.is_empty())?, name, action })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_becomes_a_hint_where_it_names_an_object_of_the_swarm() {
        let event = |json: &str| hint(serde_json::from_str(json).expect("an event"));
        let service = r#"{"Type":"service","Action":"update","Actor":{"ID":"s1","Attributes":{"name":"shop_web"}},"scope":"swarm"}"#;
        assert_eq!(
            event(service),
            Some(Hint { kind: Kind::Service, id: "s1".into(), name: "shop_web".into(), action: Action::Update })
        );
        assert_eq!(event(r#"{"Type":"network","Action":"connect","Actor":{"ID":"n1"}}"#), None);
        assert_eq!(event(r#"{"Type":"container","Action":"create","Actor":{"ID":"c1"}}"#), None);
        assert_eq!(event(r#"{"Type":"config","Action":"remove","Actor":{}}"#), None);
    }
}
