//! Where the lease is kept: three requests, the last of which is a compare-and-set.

use std::future::Future;

use super::state::{Held, LeaseState, NAME, spec};
use crate::client::{Api, Attempt, Client, Error, Failure, Verb};
use crate::model::Kind;
use crate::swarm::{Config, ConfigSpec, Version};

/// Where a lease is kept.
pub trait LeaseStore: Send + Sync + 'static {
    /// The lease as it is, or `None` where a complete list holds none.
    fn read(&self) -> impl Future<Output = Result<Option<Held>, Error>> + Send;
    /// Makes it. [`Error::AlreadyExists`] where somebody else was faster.
    fn create(&self, state: &LeaseState) -> impl Future<Output = Result<(), Error>> + Send;
    /// Writes it if it still has this version. [`Error::Conflict`] where it has not.
    fn update(&self, id: &str, version: Version, state: &LeaseState) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The lease as a config object of the swarm, its state in a label.
#[derive(Clone)]
pub struct SwarmLease(Api<Config>);

impl SwarmLease {
    /// The lease of the swarm that this client talks to.
    pub fn new(client: Client) -> Self {
        Self(Api::all(client))
    }
}

impl LeaseStore for SwarmLease {
    async fn read(&self) -> Result<Option<Held>, Error> {
        Ok(self.0.find_named(NAME).await?.as_ref().map(Held::of))
    }

    async fn create(&self, state: &LeaseState) -> Result<(), Error> {
        self.0.create(&written(state, Verb::Create)?, None).await.map(drop)
    }

    async fn update(&self, id: &str, version: Version, state: &LeaseState) -> Result<(), Error> {
        self.0.replace(id, version, &written(state, Verb::Update)?, None).await.map(drop)
    }
}

fn written(state: &LeaseState, verb: Verb) -> Result<ConfigSpec, Error> {
    spec(state, verb == Verb::Create).map_err(|error| {
        Error::Invalid(Box::new(Failure {
            attempt: Attempt::object(verb, Kind::Config, NAME),
            message: "the lease cannot be written as JSON".to_owned(),
            status: None,
            source: Some(error.into()),
        }))
    })
}
