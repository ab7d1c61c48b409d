//! What the swarm holds at one moment.

use std::sync::Arc;

use super::{Config, Network, Node, SecretObject, Service};

/// The swarm as complete lists saw it. Absence from one of these is absence: whoever cannot list everything, or could
/// not read everything listed, has no `Live`.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The swarm's id.
    pub swarm_id: String,
    /// The version of the API, as 41 of 1.41: older ones do not store every field. `None` takes them all for stored.
    pub api_minor: Option<u32>,
    /// All services, with their status where it was asked for.
    pub services: Vec<Arc<Service>>,
    /// All networks that the manager knows.
    pub networks: Vec<Arc<Network>>,
    /// All configs, skep's own state included.
    pub configs: Vec<Arc<Config>>,
    /// All secrets.
    pub secrets: Vec<Arc<SecretObject>>,
    /// All nodes.
    pub nodes: Vec<Arc<Node>>,
}
