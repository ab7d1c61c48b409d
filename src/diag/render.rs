//! Diagnostics as people and machines read them.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Diagnostic, Severity, Sources, Span};

/// Whether the text may hold colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// ANSI colours.
    Colour,
}

/// A diagnostic as JSON shows it: its place resolved to file, line and column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// The stable code.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The file, as it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// The line it is on, with carets under the place; lines are separated by line feeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

impl Shown {
    /// Resolves a diagnostic's place.
    pub fn new(diagnostic: &Diagnostic, sources: &Sources) -> Self {
        let location = diagnostic.span.map(|span| sources.location(span));
        Self {
            code: diagnostic.code.to_owned(),
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            file: location.as_ref().map(|l| l.path.to_string()),
            line: location.as_ref().map(|l| l.line),
            column: location.as_ref().map(|l| l.column),
            hints: diagnostic.hints.clone(),
            excerpt: None,
        }
    }

    /// One line: `path:line:column: severity: message [code]`.
    pub fn line(&self) -> String {
        let place = match (&self.file, self.line, self.column) {
            (Some(file), Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
            (Some(file), ..) => format!("{file}: "),
            _ => String::new(),
        };
        format!("{place}{}: {} [{}]", self.severity.as_str(), self.message, self.code)
    }
}

/// Diagnostics with the sources their places lie in.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What to show.
    pub diagnostics: &'a [Diagnostic],
    /// The texts.
    pub sources: &'a Sources,
}

impl Report<'_> {
    /// The JSON forms, in order, with their excerpts.
    pub fn shown(&self) -> Vec<Shown> {
        let shown = |diagnostic: &Diagnostic| {
            let excerpt = Some(self.excerpt(diagnostic, Style::Plain)).filter(|excerpt| !excerpt.is_empty());
            Shown { excerpt, ..Shown::new(diagnostic, self.sources) }
        };
        self.diagnostics.iter().map(shown).collect()
    }

    /// The text: for each a line `path:line:column: severity: message [code]`, then the excerpt with a caret, then the
    /// hints.
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        for diagnostic in self.diagnostics {
            let shown = Shown::new(diagnostic, self.sources);
            let (colour, reset) = match (style, diagnostic.severity) {
                (Style::Plain, _) => ("", ""),
                (Style::Colour, Severity::Error) => ("\x1b[1;31m", "\x1b[0m"),
                (Style::Colour, Severity::Warning) => ("\x1b[1;33m", "\x1b[0m"),
                (Style::Colour, Severity::Note) => ("\x1b[1m", "\x1b[0m"),
            };
            out.push_str(&format!("{colour}{}{reset}\n", shown.line()));
            out.push_str(&self.excerpt(diagnostic, style));
            for hint in &diagnostic.hints {
                out.push_str(&format!("  help: {hint}\n"));
            }
        }
        out
    }

    fn excerpt(&self, diagnostic: &Diagnostic, style: Style) -> String {
        let Some(span) = diagnostic.span else { return String::new() };
        let text = self.sources.text(span.file);
        if text.is_empty() {
            return String::new();
        }
        let place = |span: Span| (Window::around(text, span), self.sources.location(span).line as usize);
        let (window, line) = place(span);
        let primary = AnnotationKind::Primary;
        let snippets = match &diagnostic.related {
            Some((other, label)) if other.file == span.file => {
                let context = |range| AnnotationKind::Context.span(range).label(label.as_str());
                let (related, related_line) = place(*other);
                let (start, end) = (window.start.min(related.start), window.end.max(related.end));
                if end - start <= NEAR {
                    let both = Window { start, end, place: window.place.clone() };
                    let snippet = both.snippet(text, line.min(related_line), primary.span(both.inside(&window.place)));
                    vec![snippet.annotation(context(both.inside(&related.place)))]
                } else {
                    let mut both = [(line, window.snippet(text, line, primary.span(window.inside(&window.place)))), {
                        (related_line, related.snippet(text, related_line, context(related.inside(&related.place))))
                    }];
                    both.sort_by_key(|(line, _)| *line);
                    both.map(|(_, snippet)| snippet).into()
                }
            }
            _ => vec![window.snippet(text, line, primary.span(window.inside(&window.place)))],
        };
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Colour => Renderer::styled(),
        };
        let group = [Group::with_level(Level::ERROR).elements(snippets)];
        let mut rendered = renderer.render(&group).to_string();
        if !rendered.ends_with('\n') {
            rendered.push('\n');
        }
        rendered
    }
}

/// So many bytes of a line are shown on each side of the place in it: more than a terminal is wide.
const BESIDE: usize = 400;
/// Two places with at most so many bytes from one to the other are shown in one piece.
const NEAR: usize = 4 * 1024;

/// A piece of a text that is shown: the line in which a place begins, or what is near of it. Laying out costs as much as
/// the text has bytes, so it is never given a whole file.
#[derive(Clone)]
struct Window {
    start: usize,
    end: usize,
    /// The part of the place on its first line: an excerpt shows where a value begins, not all of it.
    place: Range<usize>,
}

impl Window {
    fn around(text: &str, span: Span) -> Self {
        let at = floor(text, (span.start as usize).min(text.len()));
        let first = floor(text, at.saturating_sub(BESIDE));
        let last = floor(text, (at + BESIDE).min(text.len()));
        let before = text.get(first..at).unwrap_or_default();
        let after = text.get(at..last).unwrap_or_default();
        let start = before.rfind('\n').map_or(first, |newline| first + newline + 1);
        let end = after.find('\n').map_or(last, |newline| at + newline);
        let place = at..floor(text, (span.end as usize).min(end)).max(at);
        Self { start, end, place }
    }

    fn inside(&self, place: &Range<usize>) -> Range<usize> {
        place.start - self.start..place.end - self.start
    }

    fn snippet<'t>(&self, text: &'t str, line: usize, annotation: Annotation<'t>) -> Snippet<'t, Annotation<'t>> {
        let shown = text.get(self.start..self.end).unwrap_or_default();
        Snippet::source(shown).line_start(line).fold(true).annotation(annotation)
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_names_its_place_and_shows_it() {
        let mut sources = Sources::new();
        let file = sources.add("shop/compose.yaml", "services:\n  web:\n    imgae: nginx\n");
        let start = 21;
        let diagnostic = Diagnostic::error(super::super::code::UNKNOWN_KEY, "unknown key `imgae`")
            .at(Span { file, start, end: start + 5 })
            .hint("did you mean `image`?");
        let report = Report { diagnostics: &[diagnostic], sources: &sources };
        let text = report.text(Style::Plain);
        assert!(text.starts_with("shop/compose.yaml:3:5: error: unknown key `imgae` [schema/unknown-key]\n"), "{text}");
        assert!(text.contains("imgae: nginx") && text.contains("^^^^^"), "{text}");
        assert!(text.ends_with("  help: did you mean `image`?\n"), "{text}");
        let shown = report.shown();
        assert_eq!((shown[0].line, shown[0].column), (Some(3), Some(5)));
        assert!(shown[0].excerpt.as_ref().is_some_and(|excerpt| excerpt.contains("^^^^^")), "{shown:?}");
    }
}
