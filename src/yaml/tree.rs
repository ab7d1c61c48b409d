//! The tree: what a YAML document is after reading.

use crate::diag::Span;

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: its type is decided by its text.
    Plain,
    /// In quotes, as a block, or with a tag that says it is text: text.
    Quoted,
}

/// One value of a YAML document, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// A tag of the file's own (`!reset`), without YAML's core tags.
    pub tag: Option<Box<str>>,
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
    /// Whether it came out of an encrypted file, or a variable in it did: it must not be shown.
    pub secret: bool,
}

/// A mapping with text keys, each once, in the file's order; what `<<` brought follows.
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

impl Node {
    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The mapping, if it is one.
    pub fn mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Whether it is `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// What it is, for messages: "a list".
    pub fn describe(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) => scalar.resolve().describe(),
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl Mapping {
    /// The entry of a key.
    pub fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}
