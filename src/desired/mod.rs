//! Compose → swarm objects.
//!
//! [`lower`] makes of a stack's files what `docker stack deploy` would post, field by field, the empty messages included
//! (they restart tasks when they come or go). What follows is known only beside a swarm: [`fingerprint`] gives secrets
//! what they are known by, [`names`] gives changed configs and secrets a name of their own. [`render`] prints the
//! result and [`digest`] names it.

mod digest;
pub mod fingerprint;
mod lower;
pub mod names;
pub mod render;
mod types;

pub use crate::compose::Hook;
pub use digest::digest;
pub use lower::lower;
pub use types::*;
