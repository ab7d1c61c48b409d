//! The objects of one kind: list, get, create, replace, delete, as far as the kind can.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use serde::{Deserialize, Serialize};

use super::Client;
use super::capability::{Create, Delete, Listable, Replace, Stacked};
use super::error::{Attempt, Error, Verb};
use super::filters::Filters;
use super::listed::{self, Found, Known, Listed};
use super::registry::AuthHeader;
use super::transport::{Call, failure};
use crate::model::{Kind, StackName};
use crate::swarm::{Config, ConfigSpec, Network, Service, Version};

/// What a write gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The object's id.
    pub id: String,
    /// What the engine remarks, such as an image it could not look up.
    pub warnings: Vec<String>,
}

/// The objects of one kind, of a whole swarm or of one stack.
///
/// What a kind cannot do does not compile. Nobody deletes a task:
/// ```compile_fail
/// async fn gone(client: skep::client::Client) {
///     let _ = skep::client::Api::<skep::swarm::Task>::all(client).delete("id").await;
/// }
/// ```
/// and a network, once made, is what it is:
/// ```compile_fail
/// async fn changed(client: skep::client::Client, spec: skep::swarm::NetworkSpec) {
///     let networks = skep::client::Api::<skep::swarm::Network>::all(client);
///     let _ = networks.replace("id", skep::swarm::Version::default(), &spec, None).await;
/// }
/// ```
#[derive(Clone)]
pub struct Api<K> {
    client: Client,
    scope: Filters,
    kind: PhantomData<fn() -> K>,
}

impl<K: Listable> Api<K> {
    /// Those of the whole swarm.
    pub fn all(client: Client) -> Self {
        Self { client, scope: Filters::new(), kind: PhantomData }
    }

    /// Those that bear a stack's label.
    pub fn stack(client: Client, stack: &StackName) -> Self
    where
        K: Stacked,
    {
        Self::narrowed(client, Filters::new().stack(stack))
    }

    /// Those that pass some filters.
    pub fn narrowed(client: Client, filters: Filters) -> Self {
        Self { client, scope: filters, kind: PhantomData }
    }

    /// All of them, in one complete answer.
    ///
    /// # Errors
    /// Those of a read. An object that does not parse is none.
    pub async fn list(&self) -> Result<Listed<K>, Error> {
        self.list_with(&Filters::new()).await
    }

    /// Those that pass some filters beyond this API's own.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn list_with(&self, filters: &Filters) -> Result<Listed<K>, Error> {
        let body = self.fetch_list(filters, None).await?;
        listed::decode(&body).map_err(|error| undecodable(Attempt::List(K::KIND), error))
    }

    /// All of them, sharing with an earlier list what did not change.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn list_again(&self, known: &mut Known<K>) -> Result<Listed<Arc<K>>, Error> {
        let body = self.fetch_list(&Filters::new(), None).await?;
        known.list(&body).map_err(|error| undecodable(Attempt::List(K::KIND), error))
    }

    /// The object with this full id.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none, [`Error::Decode`] where it does not parse, and those of a read.
    pub async fn get(&self, id: &str) -> Result<K, Error> {
        let (attempt, body) = self.fetch(id).await?;
        serde_json::from_slice(&body).map_err(|error| undecodable(attempt, error))
    }

    /// The object with this full id, or `None` where there is none. Never by name: while the Raft leader changes, that
    /// may miss an object that exists.
    ///
    /// # Errors
    /// [`Error::Decode`] where it does not parse, and those of a read.
    pub async fn find(&self, id: &str) -> Result<Option<K>, Error> {
        absent_as_none(self.get(id).await)
    }

    /// The object with exactly this name, or `None` where a complete list holds none.
    ///
    /// # Errors
    /// [`Error::Decode`] where it is there and does not parse, and those of a read.
    pub async fn find_named(&self, name: &str) -> Result<Option<K>, Error> {
        // Nodes and networks know no prefix that would help, or match by parts; the comparison decides in any case.
        let filters = match K::KIND {
            Kind::Node | Kind::Task => Filters::new(),
            _ => Filters::new().name_prefix(name),
        };
        let listed = self.list_with(&filters).await?;
        if let Some(found) = listed.items.into_iter().find(|item| item.meta().name == name) {
            return Ok(Some(found));
        }
        match listed.unreadable.into_iter().find(|object| object.name == name || object.name.is_empty()) {
            Some(object) => {
                let attempt = Attempt::object(Verb::Read, K::KIND, name);
                Err(Error::Decode(failure(
                    attempt,
                    "the engine's answer cannot be read".into(),
                    Some(object.error.into()),
                )))
            }
            None => Ok(None),
        }
    }

    /// The object with this full id as it is now, sharing what did not change. For whoever must not take an object that
    /// does not parse for an absent one.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn read_again(&self, id: &str, known: &mut Known<K>) -> Result<Found<Arc<K>>, Error> {
        match self.fetch(id).await {
            Ok((attempt, body)) => known.one(&body).map_err(|error| undecodable(attempt, error)),
            Err(Error::NotFound(_)) => Ok(Found::Absent),
            Err(error) => Err(error),
        }
    }

    /// Makes an object. `auth` is for services: the engine keeps it and gives it to the nodes that pull.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] where the name is taken, and those of a write.
    pub fn create(
        &self,
        spec: &K::Spec,
        auth: Option<&AuthHeader>,
    ) -> impl Future<Output = Result<Written, Error>> + Send
    where
        K: Create,
    {
        let attempt = Attempt::object(Verb::Create, K::KIND, K::name(spec));
        self.send(attempt, Method::POST, format!("/{}/create", K::PATH), Some(spec), auth)
    }

    /// Writes an object over, if it still has this version.
    ///
    /// # Errors
    /// [`Error::Conflict`] where it has another version by now, and those of a write.
    pub async fn replace(
        &self,
        id: &str,
        version: Version,
        spec: &K::Spec,
        auth: Option<&AuthHeader>,
    ) -> Result<Written, Error>
    where
        K: Replace,
    {
        let name = <K as Replace>::name(spec);
        let attempt = Attempt::object(Verb::Update, K::KIND, if name.is_empty() { id } else { name });
        let path = format!("/{}/{}/update?version={}", K::PATH, segment(id), version.index);
        let written = self.send(attempt, Method::POST, path, Some(spec), auth).await?;
        Ok(Written { id: id.to_owned(), ..written })
    }

    /// Deletes an object by its full id. There is no version to check: whoever calls this has just read it.
    ///
    /// # Errors
    /// [`Error::InUse`] where something still uses it, [`Error::NotFound`] where it is gone already, and those of a write.
    pub async fn delete(&self, id: &str) -> Result<(), Error>
    where
        K: Delete,
    {
        let attempt = Attempt::object(Verb::Delete, K::KIND, id);
        let path = format!("/{}/{}", K::PATH, segment(id));
        self.send(attempt, Method::DELETE, path, None::<&()>, None).await.map(drop)
    }

    async fn fetch_list(&self, filters: &Filters, more: Option<&str>) -> Result<Bytes, Error> {
        let query: Vec<String> =
            self.scope.clone().and(filters).query().into_iter().chain(more.map(str::to_owned)).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("/{}{mark}{}", K::PATH, query.join("&"));
        self.client.transport().read(&Call::get(Attempt::List(K::KIND), path)).await
    }

    async fn fetch(&self, id: &str) -> Result<(Attempt, Bytes), Error> {
        let attempt = Attempt::object(Verb::Read, K::KIND, id);
        if id.is_empty() {
            // The path would be that of the list.
            return Err(Error::Invalid(failure(attempt, "an id may not be empty".into(), None)));
        }
        let call = Call::get(attempt.clone(), format!("/{}/{}", K::PATH, segment(id)));
        Ok((attempt, self.client.transport().read(&call).await?))
    }

    fn send<S: Serialize + ?Sized>(
        &self,
        attempt: Attempt,
        method: Method,
        path: String,
        spec: Option<&S>,
        auth: Option<&AuthHeader>,
    ) -> impl Future<Output = Result<Written, Error>> + Send + use<S, K> {
        let body = spec.map(serde_json::to_vec).transpose().map(Option::unwrap_or_default);
        let (client, auth) = (self.client.clone(), auth.cloned());
        async move {
            let body = match body {
                Ok(body) => body.into(),
                Err(error) => {
                    let message = "the spec cannot be written as JSON".to_owned();
                    return Err(Error::Invalid(failure(attempt, message, Some(error.into()))));
                }
            };
            let call = Call { attempt, method, path, body, auth };
            let answer = client.transport().write(&call).await?;
            written(&answer).map_err(|error| undecodable(call.attempt, error))
        }
    }
}

impl Api<Service> {
    /// All of them, with how many tasks run of how many: [`Service::service_status`].
    ///
    /// # Errors
    /// Those of a read.
    pub async fn list_status(&self) -> Result<Listed<Service>, Error> {
        let body = self.fetch_list(&Filters::new(), Some("status=true")).await?;
        listed::decode(&body).map_err(|error| undecodable(Attempt::List(Kind::Service), error))
    }
}

impl Api<Network> {
    /// One of the engine's own networks, `host`, `bridge` or `none`, as services join it: no list has it.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn find_predefined(&self, name: &str) -> Result<Option<Network>, Error> {
        let attempt = Attempt::object(Verb::Read, Kind::Network, name);
        let call = Call::get(attempt.clone(), format!("/networks/{}?scope=swarm", segment(name)));
        let read = self.client.transport().read(&call).await;
        let parsed = read.and_then(|body| serde_json::from_slice(&body).map_err(|error| undecodable(attempt, error)));
        absent_as_none(parsed)
    }
}

impl Api<Config> {
    /// How often [`modify`](Self::modify) starts over.
    const TRIES: usize = 5;

    /// Changes a config's labels, and starts over when somebody else was faster. For skep's own records only: a decision
    /// about anything else is taken anew after a conflict, not merely written again.
    ///
    /// `change` is called once a try, on what the config then is; where it changes nothing, nothing is written. Data is
    /// immutable and not sent. What comes back is the spec as it is stored now.
    ///
    /// # Errors
    /// [`Error::Conflict`] after five tries, [`Error::NotFound`], and those of a read and a write.
    pub async fn modify(&self, id: &str, mut change: impl FnMut(&mut ConfigSpec)) -> Result<ConfigSpec, Error> {
        let mut tries = 0;
        loop {
            let config = self.get(id).await?;
            let mut wanted = config.spec.clone();
            change(&mut wanted);
            // After a conflict that was our own write, sent twice by the engine's proxy, this is where it shows.
            if wanted == config.spec {
                return Ok(wanted);
            }
            let data = std::mem::take(&mut wanted.data);
            tries += 1;
            match self.replace(id, config.version, &wanted, None).await {
                Ok(_) => {
                    wanted.data = data;
                    return Ok(wanted);
                }
                Err(error @ Error::Conflict(_)) if tries >= Self::TRIES => return Err(error),
                Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// `Ok(None)` for an object that is not there.
fn absent_as_none<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn undecodable(attempt: Attempt, error: serde_json::Error) -> Error {
    Error::Decode(failure(attempt, "the engine's answer cannot be read".to_owned(), Some(error.into())))
}

/// The answers to writes: an id in either spelling, a warning or several, or nothing at all.
fn written(body: &[u8]) -> Result<Written, serde_json::Error> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Answer {
        #[serde(rename = "ID", alias = "Id")]
        id: String,
        #[serde(rename = "Warning")]
        warning: Option<String>,
        #[serde(rename = "Warnings")]
        warnings: Option<Vec<String>>,
    }
    let answer =
        if body.iter().all(u8::is_ascii_whitespace) { Answer::default() } else { serde_json::from_slice(body)? };
    let warnings = answer.warnings.unwrap_or_default().into_iter().chain(answer.warning);
    Ok(Written { id: answer.id, warnings: warnings.filter(|warning| !warning.is_empty()).collect() })
}

/// An id as one segment of a path, whatever somebody passes for one.
pub(super) fn segment(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        if plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
