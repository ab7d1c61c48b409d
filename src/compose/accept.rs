//! `x-skep.accept`: warnings that somebody has seen and wants to see no more, by their codes, in a whole stack or in what
//! the key stands in.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Severity, Span, code, did_you_mean};
use crate::yaml::{Node, Value, View};

/// Which warnings are accepted where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Codes accepted in the whole stack.
    everywhere: Vec<String>,
    /// Codes accepted inside these pieces of files.
    inside: Vec<(String, Vec<Span>)>,
}

/// The sections whose entries may accept something.
const SECTIONS: &[&str] = &["services", "networks", "volumes", "configs", "secrets"];

impl Accepted {
    /// Whether this diagnostic is not to be told. An error always is.
    pub fn covers(&self, diagnostic: &Diagnostic) -> bool {
        if diagnostic.severity == Severity::Error {
            return false;
        }
        let is = |code: &String| code == diagnostic.code;
        let holds = |span: Span| move |piece: &Span| contains(*piece, span);
        self.everywhere.iter().any(is)
            || diagnostic
                .span
                .is_some_and(|span| self.inside.iter().any(|(code, pieces)| is(code) && pieces.iter().any(holds(span))))
    }

    /// The diagnostics that are to be told.
    pub fn filter(&self, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        diagnostics.into_iter().filter(|diagnostic| !self.covers(diagnostic)).collect()
    }
}

/// Reads what documents accept. What one file accepts of a service holds for what every file says of that service.
pub(super) fn read<'n>(documents: impl Iterator<Item = View<'n>>) -> Accepted {
    let mut accepted = Accepted::default();
    let mut pieces: BTreeMap<(String, String), (Vec<String>, Vec<Span>)> = BTreeMap::new();
    for root in documents {
        accepted.everywhere.extend(codes(&root));
        for section in SECTIONS {
            let Some(view) = root.find(section) else { continue };
            if view.node().mapping().is_none() {
                continue;
            }
            let piece = |name: &str, entry: View<'_>| {
                let (accepts, spans) = pieces.entry(((*section).to_owned(), name.to_owned())).or_default();
                accepts.extend(codes(&entry));
                spans.push(entry.key_span());
                cover(entry.node(), spans);
                Some(())
            };
            let _: Option<Vec<(String, ())>> = view.entries(piece);
        }
    }
    for (codes, spans) in pieces.into_values() {
        accepted.inside.extend(codes.into_iter().map(|code| (code, spans.clone())));
    }
    accepted
}

/// The pieces of files that a value came from: more than one where it was merged.
fn cover(node: &Node, spans: &mut Vec<Span>) {
    spans.push(node.span);
    cover_within(node.span, node, spans);
}

/// The pieces of a value that lie outside one that is covered already.
fn cover_within(outer: Span, node: &Node, spans: &mut Vec<Span>) {
    if contains(outer, node.span) {
        match &node.value {
            Value::Scalar(_) => {}
            Value::Sequence(items) => items.iter().for_each(|item| cover_within(outer, item, spans)),
            Value::Mapping(mapping) => {
                for entry in &mapping.entries {
                    if !contains(outer, entry.key_span) {
                        spans.push(entry.key_span);
                    }
                    cover_within(outer, &entry.value, spans);
                }
            }
        }
    } else {
        cover(node, spans);
    }
}

fn contains(piece: Span, span: Span) -> bool {
    piece.file == span.file && piece.start <= span.start && span.start <= piece.end
}

/// The codes under `x-skep.accept`; a code that nothing has is said.
fn codes(view: &View<'_>) -> Vec<String> {
    let Some(own) = view.find("x-skep") else { return Vec::new() };
    let Some(accept) = own.find("accept") else { return Vec::new() };
    let code = |item: View<'_>| {
        let text = item.text()?;
        if !code::ALL.iter().any(|(known, _)| *known == text) {
            let message = format!("{}: there is no diagnostic `{text}`", item.name());
            let fault = Diagnostic::warning(code::INVALID_VALUE, message).at(item.span());
            item.fault(match did_you_mean(&text, code::ALL.iter().map(|(known, _)| *known)) {
                Some(near) if text.len() <= 64 => fault.hint(format!("did you mean `{near}`?")),
                _ => fault,
            });
        }
        Some(text)
    };
    match accept.node().scalar() {
        Some(_) => code(accept).into_iter().collect(),
        None => accept.list(code).unwrap_or_default(),
    }
}
