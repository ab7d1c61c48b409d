//! Texts that came out of encrypted files, wherever they ended up: what is printed passes by here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

/// What stands for a hidden text.
pub const HIDDEN: &str = "***";

/// A shorter text is hidden only where it stands alone: the digit of an encrypted number would otherwise hide every such
/// digit.
const SHORTEST_INSIDE: usize = 4;

/// A shorter text is hidden only where it is a word: `work` is not to be hidden in `network`.
const SHORTEST_PART: usize = 8;

/// Texts that no output may hold. It shows none of them itself.
#[derive(Clone, Default)]
pub struct Confidential {
    texts: BTreeSet<String>,
    /// What finds them: of a whole encrypted file there may be tens of thousands. Built when it is first asked.
    finder: Arc<OnceLock<Option<AhoCorasick>>>,
}

impl Confidential {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text. Nothing is nothing to hide.
    pub fn add(&mut self, text: &str) {
        if !text.is_empty() && self.texts.insert(text.to_owned()) {
            self.finder = Arc::default();
        }
    }

    /// Adds the texts of another.
    pub fn extend(&mut self, other: &Confidential) {
        if self.is_empty() {
            self.clone_from(other);
        } else {
            other.texts.iter().for_each(|text| self.add(text));
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether a text is one of them or holds one.
    pub fn is_in(&self, text: &str) -> bool {
        !self.is_empty() && (self.texts.contains(text) || self.places(text).is_none_or(|places| !places.is_empty()))
    }

    /// A sentence without any of them, [`HIDDEN`] in their place: short ones where they stand in quotes, too.
    pub fn hide_inside<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut hidden = self.hide(text);
        for quote in ['`', '"', '\''] {
            if !hidden.contains(quote) {
                continue;
            }
            let is_short = |part: &&str| part.len() < SHORTEST_INSIDE && self.texts.contains(*part);
            let found: BTreeSet<String> = hidden.split(quote).filter(is_short).map(str::to_owned).collect();
            for short in found {
                let quoted = format!("{quote}{short}{quote}");
                hidden = Cow::Owned(hidden.replace(&quoted, &format!("{quote}{HIDDEN}{quote}")));
            }
        }
        hidden
    }

    /// The text without any of them, [`HIDDEN`] in their place.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.is_empty() {
            return Cow::Borrowed(text);
        }
        if self.texts.contains(text) {
            return Cow::Borrowed(HIDDEN);
        }
        let Some(mut places) = self.places(text) else { return Cow::Borrowed(HIDDEN) };
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        places.sort_by_key(|place| place.start);
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        for place in places {
            // One may be a part of another, or overlap it.
            if place.start >= at {
                result.push_str(text.get(at..place.start).unwrap_or_default());
                result.push_str(HIDDEN);
            }
            at = at.max(place.end);
        }
        result.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(result)
    }

    /// Where a text holds one that is so long that it is no accident; a short one counts as a word, and one that is shorter
    /// still not at all. `None` where there are more than can be searched for: everything is then hidden.
    fn places(&self, text: &str) -> Option<Vec<Range<usize>>> {
        let build = || {
            let texts = self.texts.iter().filter(|hidden| hidden.len() >= SHORTEST_INSIDE);
            AhoCorasickBuilder::new().build(texts).ok()
        };
        let found = self.finder.get_or_init(build).as_ref()?.find_overlapping_iter(text).map(|found| found.range());
        Some(found.filter(|place| place.len() >= SHORTEST_PART || is_word(text, place)).collect())
    }
}

fn is_word(text: &str, place: &Range<usize>) -> bool {
    let before = text.get(..place.start).and_then(|before| before.chars().next_back());
    let after = text.get(place.end..).and_then(|after| after.chars().next());
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

impl PartialEq for Confidential {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Confidential {}

/// Nothing of what it holds is shown.
impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Confidential({} texts)", self.texts.len())
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

    #[test]
    fn tens_of_thousands_are_searched_for_at_once() {
        let mut hidden = Confidential::new();
        for number in 0..30_000 {
            hidden.add(&format!("secret-number-{number}"));
        }
        let began = std::time::Instant::now();
        for number in 0..30_000 {
            assert!(!hidden.is_in(&format!("some other text that says nothing, number {number}")));
        }
        assert_eq!(hidden.hide("x secret-number-29999 x"), "x *** x");
        assert!(began.elapsed().as_secs() < 10, "it took {:?}", began.elapsed());
    }
}
