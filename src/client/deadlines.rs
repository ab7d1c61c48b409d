//! How long the client waits.

use std::time::Duration;

use super::endpoint::{Address, Endpoint};

/// How long to wait for the engine.
///
/// Without a Raft leader a request hangs 20 s although one is elected sooner: so a read waits a little and asks again. A
/// write is sent once, since it may take effect after its sender gave up, and waits longer than the engine's own 20 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For the head of a read's answer, and then for each part of it.
    pub read_try: Duration,
    /// For a read with all its tries.
    pub read: Duration,
    /// For a write.
    pub write: Duration,
}

impl Deadlines {
    /// What fits an endpoint: reads 3 s a try and 30 s in all, writes 25 s; over ssh a try has 15 s, since it may include
    /// logging in.
    pub fn of(endpoint: &Endpoint) -> Self {
        let read_try = Duration::from_secs(if matches!(endpoint.0, Address::Ssh(_)) { 15 } else { 3 });
        Self { read_try, read: Duration::from_secs(30), write: Duration::from_secs(25) }
    }
}
