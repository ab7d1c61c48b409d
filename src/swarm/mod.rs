//! The cluster's objects.

pub mod image;
mod object;
mod spec;

pub use object::*;
pub use spec::*;
