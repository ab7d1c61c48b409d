//! A mapping with known keys: each is taken once, and what is left over is unknown.

use std::collections::BTreeMap;

use super::view::MAX_COMPARED;
use super::{Entry, Mapping, View};
use crate::diag::{Diagnostic, Span, code, did_you_mean};

/// How many unknown keys of one mapping are told one by one.
const MAX_UNKNOWN: usize = 50;

/// The fields of a mapping. [`Fields::finish`] reports every key that nobody asked for.
#[must_use = "`finish` reports unknown keys"]
pub struct Fields<'a> {
    view: &'a View<'a>,
    entries: &'a [Entry],
    taken: Vec<bool>,
    asked: Vec<&'static str>,
    /// Keys that are known and not worth a suggestion, unless nothing else is near.
    hidden: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(view: &'a View<'_>, mapping: &'a Mapping) -> Self {
        let taken = vec![false; mapping.entries.len()];
        Self { view, entries: &mapping.entries, taken, asked: Vec::new(), hidden: Vec::new() }
    }

    /// The mapping's own view.
    pub fn view(&self) -> &'a View<'a> {
        self.view
    }

    /// Whether a key is there. It stays to be taken.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// The value of a key, null included.
    pub fn take(&mut self, key: &'static str) -> Option<View<'a>> {
        self.asked.push(key);
        self.find(key)
    }

    /// The value of a key that is suggested for a misspelled one only where no other is near.
    pub fn take_hidden(&mut self, key: &'static str) -> Option<View<'a>> {
        self.hidden.push(key);
        self.find(key)
    }

    fn find(&mut self, key: &str) -> Option<View<'a>> {
        let (entry, taken) = self.entries.iter().zip(&mut self.taken).find(|(entry, _)| entry.key == key)?;
        *taken = true;
        Some(self.view.under_key(&entry.key, entry.key_span, &entry.value))
    }

    /// The value of a key, if it says something: null is as if it were absent.
    pub fn said(&mut self, key: &'static str) -> Option<View<'a>> {
        self.take(key).filter(|value| !value.is_null())
    }

    /// The value of a key that must be there.
    pub fn require(&mut self, key: &'static str) -> Option<View<'a>> {
        let value = self.take(key);
        if value.is_none() {
            let message = format!("{} needs the key `{key}`", self.view.name());
            self.view.fault(Diagnostic::error(code::MISSING_KEY, message).at(self.view.key_span()));
        }
        value
    }

    /// Accepts every key that begins with `x-`, whatever it holds.
    pub fn accept_extensions(&mut self) {
        for (entry, taken) in self.entries.iter().zip(&mut self.taken) {
            *taken |= entry.key.starts_with("x-");
        }
    }

    /// A text.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key)?.text()
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.take(key)?.boolean()
    }

    /// A whole number.
    pub fn integer<T: TryFrom<i128>>(&mut self, key: &'static str) -> Option<T> {
        self.take(key)?.integer()
    }

    /// A number.
    pub fn number(&mut self, key: &'static str) -> Option<f64> {
        self.take(key)?.number()
    }

    /// A duration in nanoseconds.
    pub fn duration(&mut self, key: &'static str) -> Option<i64> {
        self.take(key)?.duration()
    }

    /// One of some words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.take(key)?.choice(choices)
    }

    /// A list, each item read by `read`.
    pub fn list<T>(&mut self, key: &'static str, read: impl FnMut(View<'_>) -> Option<T>) -> Option<Vec<T>> {
        self.take(key)?.list(read)
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.take(key)?.texts()
    }

    /// A mapping of texts.
    pub fn text_map(&mut self, key: &'static str) -> Option<BTreeMap<String, String>> {
        self.take(key)?.text_map()
    }

    /// The keys nobody has taken, with their places.
    pub fn rest(&self) -> impl Iterator<Item = (&'a str, Span)> {
        self.entries
            .iter()
            .zip(&self.taken)
            .filter(|(_, taken)| !**taken)
            .map(|(entry, _)| (entry.key.as_str(), entry.key_span))
    }

    /// Reports every key that was not taken, with the nearest one that was asked for.
    pub fn finish(self) {
        let inside = match self.view.path().to_string() {
            path if path.is_empty() => String::new(),
            path => format!(" in `{path}`"),
        };
        for (key, span) in self.rest().take(MAX_UNKNOWN) {
            let mut fault = Diagnostic::error(code::UNKNOWN_KEY, format!("unknown key `{key}`{inside}")).at(span);
            if !self.view.is_full()
                && key.len() <= MAX_COMPARED
                && let Some(near) = did_you_mean(key, self.asked.iter().copied())
                    .or_else(|| did_you_mean(key, self.hidden.iter().copied()))
            {
                fault = fault.hint(format!("did you mean `{near}`?"));
            }
            self.view.fault(fault);
        }
        if let Some((_, span)) = self.rest().nth(MAX_UNKNOWN) {
            let more = self.rest().count() - MAX_UNKNOWN;
            let message = format!("{more} more unknown keys{inside}");
            self.view.fault(Diagnostic::error(code::UNKNOWN_KEY, message).at(span));
        }
    }
}
