//! Compose → swarm objects.

mod types;

pub use types::*;
