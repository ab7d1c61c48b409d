//! The cluster's objects.

pub mod canonical;
pub mod constraint;
pub mod effects;
pub mod image;
mod images;
mod live;
mod object;
mod previous;
mod spec;
mod tenant;

pub use images::{Image, Images, Known};
pub use live::Live;
pub use object::*;
pub use previous::{Predecessor, PreviousSpec};
pub use spec::*;
pub use tenant::{Tenant, architecture};
