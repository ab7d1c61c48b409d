//! What is found of one service, and how several are told.

use super::words;
use crate::diag::{Diagnostic, Severity, Span};

/// One thing that is to be said of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What the service is called.
    pub key: String,
    /// What is to be said of it, without its name.
    pub says: String,
    /// What to do about it; two at most.
    pub hints: Vec<String>,
    /// Where the service stands in its file.
    pub span: Option<Span>,
}

impl Finding {
    /// It alone as a diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        self.named(&self.key)
    }

    fn named(&self, names: &str) -> Diagnostic {
        let message = format!("{names}: {}", self.says);
        let diagnostic = match self.severity {
            Severity::Error => Diagnostic::error(self.code, message),
            Severity::Warning => Diagnostic::warning(self.code, message),
            Severity::Note => Diagnostic::note(self.code, message),
        };
        self.hints.iter().fold(diagnostic.at(self.span), |diagnostic, hint| diagnostic.hint(hint.as_str()))
    }

    /// Whether the same is to be said of another service.
    fn says_the_same(&self, other: &Finding) -> bool {
        (self.code, self.severity, &self.says, &self.hints) == (other.code, other.severity, &other.says, &other.hints)
    }
}

/// One diagnostic for all services of which the same is to be said, at the place of the first.
pub fn condense(mut findings: Vec<Finding>) -> Vec<Diagnostic> {
    findings.sort_by(|a, b| (a.span, &a.key).cmp(&(b.span, &b.key)));
    let mut groups: Vec<(Finding, Vec<String>)> = Vec::new();
    for finding in findings {
        let key = finding.key.clone();
        match groups.iter_mut().find(|(first, _)| first.says_the_same(&finding)) {
            Some((_, keys)) => keys.push(key),
            None => groups.push((finding, vec![key])),
        }
    }
    groups.into_iter().map(|(first, keys)| first.named(&words::names(&keys))).collect()
}
