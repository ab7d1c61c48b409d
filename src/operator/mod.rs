//! Reconcile: the one function to read first is [`reconcile::reconcile`].
//!
//! ```text
//! sources ─ World ─┐
//!                  ├─▶ queue of stacks ─▶ reconcile: load → lower → snapshot → plan → guard → record the attempt → apply
//! stores ─ changes ┘                                 → assess → record the verdict → say when to come back
//! ```
//!
//! [`run::run`] holds the lease and drives it; the command line calls [`fleet`], [`load`], [`snapshot`] and [`records`]
//! itself.

pub mod ahead;
mod attempt;
pub mod autopsy;
mod claim;
mod contest;
pub mod context;
pub mod end;
pub mod facts;
pub mod fleet;
pub mod images;
pub mod inventory;
pub mod keys;
pub mod load;
mod put_off;
mod reason;
pub mod reconcile;
pub mod record;
pub mod records;
pub mod rendering;
pub mod retreat;
pub mod run;
pub mod snapshot;
pub mod sources;
pub mod status;
pub mod verdict;
pub mod world;
