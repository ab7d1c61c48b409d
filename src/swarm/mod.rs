//! The cluster's objects.

pub mod canonical;
pub mod constraint;
pub mod effects;
pub mod image;
mod live;
mod object;
mod spec;
mod tenant;

pub use live::Live;
pub use object::*;
pub use spec::*;
pub use tenant::{Tenant, architecture};
