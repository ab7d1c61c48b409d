//! The kube-like client: one transport to an engine, and the swarm's objects on it, kind by kind.
//!
//! ```no_run
//! use skep::client::{Api, Client, Endpoint};
//! use skep::model::StackName;
//! use skep::swarm::Service;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(Endpoint::parse("unix:///var/run/docker.sock", None)?);
//! client.info().await?.require_manager()?;
//! let shop = StackName::parse("shop")?;
//! for service in Api::<Service>::stack(client.clone(), &shop).list().await?.items {
//!     println!("{}", service.spec.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//! - Every try of every request has a deadline. Reads are tried again inside, writes never: what came of one that was not
//!   answered, only a fresh read can tell ([`Error::may_have_happened`]).
//! - No request or answer body is ever logged.
//! - bollard, which the breadth of the API comes from, is named nowhere outside this room. It logs bodies at its debug
//!   level, so whoever sets up logging caps `bollard` and `hyper` at `info`.

mod api;
mod capability;
mod connector;
mod context;
mod counts;
mod deadlines;
mod distribution;
mod endpoint;
mod engine;
mod error;
mod events;
mod filters;
mod image;
mod listed;
mod logs;
mod registry;
#[cfg(test)]
pub(crate) mod scripted;
mod ssh;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod version;

use std::sync::Arc;

pub use api::{Api, Written};
pub use capability::{Create, Delete, Listable, Replace, Stacked};
pub use context::{ContextError, Selection};
pub use counts::{RequestCounts, Sort};
pub use deadlines::Deadlines;
pub use distribution::Distribution;
pub use endpoint::{DEFAULT_HOST, Endpoint, EndpointError};
pub use engine::{EngineVersion, Info};
pub use error::{Attempt, Class, Error, Failure, Verb};
pub use events::{Action, Events, EventsSource, Hint, Subscription};
pub use filters::Filters;
pub use listed::{Found, Known, Listed, Unreadable};
pub use registry::{AuthHeader, Credentials, CredentialsError};
pub use tls::{Identity, Tls, TlsError, Verification};
pub use version::{ApiVersion, NEWEST_API, OLDEST_API};

use transport::Transport;

/// A client of one engine. Clones share its connections.
#[derive(Clone)]
pub struct Client(Arc<Transport>);

impl Client {
    /// A client with the deadlines that fit the endpoint. Nothing is connected before the first request.
    pub fn new(endpoint: Endpoint) -> Self {
        let deadlines = Deadlines::of(&endpoint);
        Self::with_deadlines(endpoint, deadlines)
    }

    /// A client with deadlines of the caller's own.
    pub fn with_deadlines(endpoint: Endpoint, deadlines: Deadlines) -> Self {
        Self(Arc::new(Transport::new(endpoint, deadlines)))
    }

    /// The engine it talks to.
    pub fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }

    /// How many requests were made so far, bollard's included.
    pub fn counts(&self) -> &RequestCounts {
        &self.0.counts
    }

    /// The events of the engine: hints on what to look at again.
    pub fn events(&self) -> Events {
        Events::start(self.clone())
    }

    pub(self) fn transport(&self) -> &Arc<Transport> {
        &self.0
    }
}
