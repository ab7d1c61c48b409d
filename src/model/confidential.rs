//! Texts that came out of encrypted files, wherever they ended up: what is printed passes by here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// What stands for a hidden text.
pub const HIDDEN: &str = "***";

/// A shorter text is hidden only where it stands alone: the digit of an encrypted number would otherwise hide every such
/// digit.
const SHORTEST_INSIDE: usize = 4;

/// Texts that no output may hold. It shows none of them itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Confidential(BTreeSet<String>);

impl Confidential {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text. Nothing is nothing to hide.
    pub fn add(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.insert(text.to_owned());
        }
    }

    /// Adds the texts of another.
    pub fn extend(&mut self, other: &Confidential) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a text is one of them or holds one.
    pub fn is_in(&self, text: &str) -> bool {
        self.0
            .iter()
            .any(|hidden| text == hidden || (hidden.len() >= SHORTEST_INSIDE && text.contains(hidden.as_str())))
    }

    /// A sentence without any of them, [`HIDDEN`] in their place: short ones where they stand in quotes, too.
    pub fn hide_inside<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut hidden = self.hide(text);
        for short in self.0.iter().filter(|text| text.len() < SHORTEST_INSIDE) {
            for (open, close) in [('`', '`'), ('"', '"'), ('\'', '\'')] {
                let quoted = format!("{open}{short}{close}");
                if hidden.contains(&quoted) {
                    hidden = Cow::Owned(hidden.replace(&quoted, &format!("{open}{HIDDEN}{close}")));
                }
            }
        }
        hidden
    }

    /// The text without any of them, [`HIDDEN`] in their place.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.is_in(text) {
            return Cow::Borrowed(text);
        }
        if self.0.contains(text) {
            return Cow::Borrowed(HIDDEN);
        }
        // The longest first: one may be a part of another.
        let mut inside: Vec<&String> = self.0.iter().filter(|hidden| hidden.len() >= SHORTEST_INSIDE).collect();
        inside.sort_by_key(|hidden| std::cmp::Reverse(hidden.len()));
        Cow::Owned(inside.into_iter().fold(text.to_owned(), |text, hidden| text.replace(hidden.as_str(), HIDDEN)))
    }
}

/// Nothing of what it holds is shown.
impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Confidential({} texts)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_does_not_show() {
        let mut hidden = Confidential::new();
        for text in ["hunter2", "hunter2-and-more", "7", ""] {
            hidden.add(text);
        }
        for (given, shown) in [
            ("hunter2", "***"),
            ("postgres://u:hunter2@db", "postgres://u:***@db"),
            ("x hunter2-and-more x", "x *** x"),
            ("7", "***"),
            ("17", "17"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(hidden.hide(given), shown, "{given}");
        }
        assert_eq!(format!("{hidden:?}"), "Confidential(3 texts)");
    }
}
