//! The one YAML reader: text → a tree of [`Node`]s in which every value keeps its place → typed values; and the one
//! writer.
//!
//! No serde-typed parser reads compose files as Docker does (octal modes, `yes` as text, `1.10` as `1.1`), so scalars keep
//! their text and style, and [`Scalar::resolve`] resolves them by Docker's rule. The tree is what interpolation and merging
//! work on; spans survive both. [`View`] and [`Fields`] then decode it, and name every fault with its place.

mod duration;
mod fields;
mod open;
mod read;
mod scalar;
mod timestamp;
mod tree;
mod view;
mod write;

pub use duration::parse_duration;
pub use fields::Fields;
pub use open::{open, text_of};
pub use read::{MAX_CLONED_BYTES, MAX_CLONED_NODES, MAX_DEPTH, MAX_NODES, read};
pub use scalar::Resolved;
pub use tree::{Entry, Mapping, Node, Scalar, Style, Value};
pub use view::{Path, View};
pub use write::{Octal, WriteError, write, write_template};
