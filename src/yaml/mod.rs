//! The one YAML reader: text → a tree of [`Node`]s in which every value keeps its place → typed values.
//!
//! No serde-typed parser reads compose files as Docker does (octal modes, `yes` as text, `1.10` as `1.1`), so scalars keep
//! their text and style, and [`Node::scalar`] resolves them by Docker's rule. The tree is what interpolation and merging
//! work on; spans survive both.
