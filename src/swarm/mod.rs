//! The cluster's objects.

mod object;
mod spec;

pub use object::*;
pub use spec::*;
