//! Texts that came out of encrypted files, wherever they ended up: what is printed passes by here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// What stands for a hidden text.
pub const HIDDEN: &str = "***";

/// A shorter text is hidden only where it stands alone: the digit of an encrypted number would otherwise hide every such
/// digit.
const SHORTEST_INSIDE: usize = 4;

/// A shorter text is hidden only where it is a word: `work` is not to be hidden in `network`.
const SHORTEST_PART: usize = 8;

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
        self.0.iter().any(|hidden| text == hidden || find(text, hidden).is_some())
    }

    /// A sentence without any of them, [`HIDDEN`] in their place: short ones where they stand in quotes, too.
    pub fn hide_inside<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut hidden = self.hide(text);
        for short in self.0.iter().filter(|text| text.len() < SHORTEST_INSIDE) {
            for quote in ['`', '"', '\''] {
                let quoted = format!("{quote}{short}{quote}");
                if hidden.contains(&quoted) {
                    hidden = Cow::Owned(hidden.replace(&quoted, &format!("{quote}{HIDDEN}{quote}")));
                }
            }
        }
        hidden
    }

    /// The text without any of them, [`HIDDEN`] in their place.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.0.contains(text) {
            return Cow::Borrowed(HIDDEN);
        }
        // The longest first: one may be a part of another.
        let mut inside: Vec<&String> = self.0.iter().filter(|hidden| find(text, hidden).is_some()).collect();
        inside.sort_by_key(|hidden| std::cmp::Reverse(hidden.len()));
        inside.into_iter().fold(Cow::Borrowed(text), |text, hidden| match replace(&text, hidden) {
            Some(replaced) => Cow::Owned(replaced),
            None => text,
        })
    }
}

/// Where a text holds one that is to be hidden, if that is so long that it is no accident: a short one counts as a word,
/// and one that is shorter still not at all.
fn find(text: &str, hidden: &str) -> Option<usize> {
    if hidden.len() < SHORTEST_INSIDE {
        return None;
    }
    let is_word = |at: usize| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + hidden.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    };
    text.match_indices(hidden).map(|(at, _)| at).find(|at| hidden.len() >= SHORTEST_PART || is_word(*at))
}

fn replace(text: &str, hidden: &str) -> Option<String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = find(rest, hidden) {
        result.push_str(rest.get(..at)?);
        result.push_str(HIDDEN);
        rest = rest.get(at + hidden.len()..)?;
    }
    result.push_str(rest);
    (!result.is_empty() && rest.len() < text.len()).then_some(result)
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
        for text in ["hunter2", "hunter2-and-more", "work", "7", ""] {
            hidden.add(text);
        }
        for (given, shown) in [
            ("hunter2", "***"),
            ("postgres://u:hunter2@db", "postgres://u:***@db"),
            ("x hunter2-and-more x", "x *** x"),
            ("7", "***"),
            ("17", "17"),
            ("the network works", "the network works"),
            ("work/work", "***/***"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(hidden.hide(given), shown, "{given}");
        }
        assert_eq!(format!("{hidden:?}"), "Confidential(4 texts)");
    }
}
