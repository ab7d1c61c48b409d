//! The kinds of object a swarm holds.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of swarm object, in the lower-case form that plans, logs and metrics print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Networks come first: services refer to them. The order of the variants is the order of creation.
    Network,
    /// A volume. It belongs to one node; managers know nothing of it.
    Volume,
    /// A config: immutable data, readable.
    Config,
    /// A secret: immutable data, never readable.
    Secret,
    /// A service.
    Service,
    /// A task of a service. Never written by skep.
    Task,
    /// A node of the swarm.
    Node,
}

impl Kind {
    /// The singular, lower-case word for this kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Network => "network",
            Kind::Volume => "volume",
            Kind::Config => "config",
            Kind::Secret => "secret",
            Kind::Service => "service",
            Kind::Task => "task",
            Kind::Node => "node",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
