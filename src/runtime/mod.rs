//! The machinery of the controller, without its decisions: what is there (watcher, store), what is to be done (queue,
//! controller), and who may do it (lease).
//!
//! ```text
//! events, lists ─▶ watcher ─▶ Store ─ changes ─▶ Queue ─▶ Controller ─▶ Reconcile
//!                                                             ▲
//!                                         lease ─ Guard ──────┘
//! ```
//!
//! # Guarantees
//! - A [`Store`] holds what one complete list held, with what was read since; never half a list.
//! - A [`Controller`] runs a key at most once at a time, and runs it again when it was asked to meanwhile.
//! - A [`Guard`] permits no write later than 8 s after the sending of the last renewal that the swarm acknowledged.

mod backoff;
mod controller;
pub mod lease;
mod queue;
mod store;
mod watcher;

pub use backoff::Backoff;
pub use controller::{Action, Classify, Controller, Reconcile};
pub use lease::{Guard, Leadership, Lease, LeaseHandle};
pub use queue::Queue;
pub use store::{Change, Store, reflect};
pub use watcher::{ApiSource, Event, RESYNC, Source, watcher};
