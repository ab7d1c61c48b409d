//! What is wrong with user input, and where: diagnostics with a stable code, a place and a hint.
//!
//! A fault in user input is never an error type: it is a [`Diagnostic`], collected with all the others, so that one run
//! names every fault. [`Sources`] keeps the texts that spans point into.

pub mod code;
mod render;
mod source;
mod suggest;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Confidential;

pub use render::{Report, Shown, Style};
pub use source::{FileId, Location, Sources, Span};
pub use suggest::did_you_mean;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Done all the same; a person should know.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// One fault, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code of the form `area/what`, one of [`code`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// Where, if it has a place.
    pub span: Option<Span>,
    /// What to do about it; two at most.
    pub hints: Vec<String>,
    /// Another place that belongs to it ("first defined here").
    pub related: Option<(Span, String)>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// Something worth knowing.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self { code, severity, message: legible(message.into()), span: None, hints: Vec::new(), related: None }
    }

    /// Says where it is.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.span = span.into();
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(legible(hint.into()));
        self
    }

    /// Hides texts that must not be shown in what it says.
    pub fn conceal(&mut self, confidential: &Confidential) {
        let related = self.related.as_mut().map(|(_, label)| label);
        for text in std::iter::once(&mut self.message).chain(&mut self.hints).chain(related) {
            if let Cow::Owned(hidden) = confidential.hide_inside(text) {
                *text = hidden;
            }
        }
    }

    /// Names another place that belongs to it.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }
}

/// The longest message, in bytes. What somebody wrote is named in it, and may be as long as a file.
const MAX_MESSAGE: usize = 2000;

/// A text that is fit to be shown: not endless, and without characters that a terminal would obey.
fn legible(mut text: String) -> String {
    if text.len() > MAX_MESSAGE {
        let part = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (head, tail) = (part(MAX_MESSAGE * 3 / 4), part(text.len() - MAX_MESSAGE / 4));
        text.replace_range(head..tail, " … ");
    }
    if text.contains(is_commanding) {
        let escaped = |c: char| if is_commanding(c) { c.escape_default().to_string() } else { c.to_string() };
        text = text.chars().map(escaped).collect();
    }
    text
}

/// A control character, or one that changes the direction of what is written after it.
fn is_commanding(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether any of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// How many errors, and how many others, one run collects: input made to fill the memory with faults does not.
const MAX_FAULTS: usize = 1000;

/// Where faults are collected while input is read.
#[derive(Debug, Default)]
pub struct Faults {
    collected: Vec<Diagnostic>,
    errors: usize,
}

impl Faults {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. Beyond a thousand errors, or a thousand of the rest, no more are kept.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let is_error = diagnostic.severity == Severity::Error;
        let count = if is_error { self.errors } else { self.collected.len() - self.errors };
        if count < MAX_FAULTS {
            self.errors += usize::from(is_error);
            self.collected.push(diagnostic);
        }
    }

    /// Adds several.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Whether no more errors are kept, so that none needs to be worded.
    pub fn is_full(&self) -> bool {
        self.errors >= MAX_FAULTS
    }

    /// Whether any of them is an error.
    pub fn any_errors(&self) -> bool {
        self.errors > 0
    }

    /// All of them, sorted by place and then by code, each once.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.collected.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        self.collected.dedup();
        self.collected
    }
}
