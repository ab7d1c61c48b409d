//! The one YAML reader: text → a tree of [`Node`]s in which every value keeps its place → typed values.
//!
//! No serde-typed parser reads compose files as Docker does (octal modes, `yes` as text, `1.10` as `1.1`), so scalars keep
//! their text and style, and [`Node::scalar`] resolves them by Docker's rule. The tree is what interpolation and merging
//! work on; spans survive both.

use crate::diag::Span;

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: its type is decided by its text.
    Plain,
    /// In quotes or as a block: text.
    Quoted,
}

/// One value of a YAML document, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// A tag of the file's own (`!reset`), without YAML's core tags.
    pub tag: Option<String>,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar: its text, unresolved.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the file's order, merge keys already folded in.
    Mapping(Mapping),
}

/// A scalar's text. Its type is decided when it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, escapes and folding resolved.
    pub text: String,
    /// How it was written.
    pub style: Style,
    /// Whether interpolation changed the text: only then a quoted number may be cast.
    pub interpolated: bool,
}

/// A mapping with text keys, each once, in the file's order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// A scalar's type by Docker's rule (YAML 1.2 booleans, 1.1 octals).
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, octal (`0444`, `0o444`), hexadecimal and binary forms included.
    Int(i128),
    /// A number with a fraction or exponent.
    Float(f64),
    /// Text.
    Text(String),
}
