//! The cluster's objects.

mod live;
pub mod image;
mod object;
mod spec;

pub use live::Live;
pub use object::*;
pub use spec::*;
