//! Errors, warnings and notes of a stack.

use super::{capital, escape};
use crate::diag::{Severity, Shown};

pub(super) fn list(diagnostics: &[Shown]) -> String {
    let items: String = diagnostics.iter().map(item).collect();
    if items.is_empty() { items } else { format!("<ul class=\"said\">{items}</ul>\n") }
}

fn item(shown: &Shown) -> String {
    let tone = match shown.severity {
        Severity::Error => "bad",
        Severity::Warning => "warn",
        Severity::Note => "calm",
    };
    let place = match (&shown.file, shown.line) {
        (Some(file), Some(line)) => format!(" · {file}:{line}"),
        (Some(file), None) => format!(" · {file}"),
        _ => String::new(),
    };
    let hints: String = shown.hints.iter().map(|hint| format!("<small>Help: {}</small>", sentence(hint))).collect();
    format!(
        "<li><span class=\"badge {tone}\">{}</span><div><p>{}</p>{hints}<small>{}{}</small></div></li>\n",
        capital(shown.severity.as_str()),
        sentence(&shown.message),
        escape(&shown.code),
        escape(&place)
    )
}

/// A sentence in which what stands in backticks is code.
fn sentence(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let shown = parts.iter().enumerate().map(|(index, part)| match index % 2 {
        1 => format!("<code>{}</code>", escape(part)),
        _ => escape(part),
    });
    shown.collect()
}
