//! What stands around a report.

use super::view::Document;
use crate::model::Revision;

/// What stands around a report: what it is of, when it was made, what comes next.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// What it is of, the same for every report of the same thing: the cluster and path, or the stack. A comment on a merge
    /// request is found by it and edited in place.
    pub subject: &'a str,
    /// When it was made, as people read it.
    pub made: Option<&'a str>,
    /// The command that comes next, if there is something to do.
    pub next: Option<&'a str>,
}

impl Frame<'_> {
    /// The first line of a comment: an HTML comment that nobody sees, and nothing but this subject's.
    pub(super) fn marker(&self, what: &str) -> String {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '/' | ':');
        let mut subject = String::new();
        for c in self.subject.chars() {
            // Two hyphens would end the comment.
            match c {
                '-' if !subject.ends_with('-') => subject.push(c),
                c if is_plain(c) => subject.push(c),
                c => subject.push_str(&format!("%{:X}", u32::from(c))),
            }
        }
        format!("<!-- skep {what}: {} -->", if subject.is_empty() { "all" } else { &subject })
    }
}

/// `main@4f2c91e`, or what of it is known.
pub(super) fn revision(document: &Document) -> Option<String> {
    let revision = document.revision.as_deref().map(|revision| Revision::new(revision).shown());
    match (document.reference.as_deref(), revision) {
        (Some(reference), Some(revision)) => Some(format!("{reference}@{revision}")),
        (Some(reference), None) => Some(reference.to_owned()),
        (None, revision) => revision,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subject_ends_the_comment_it_stands_in() {
        let marker = |subject| Frame { subject, ..Frame::default() }.marker("plan");
        assert_eq!(marker("prod clusters/prod"), "<!-- skep plan: prod clusters/prod -->");
        assert_eq!(marker("a--> b-c"), "<!-- skep plan: a-%2D%3E b-c -->");
        assert_eq!(marker("--\n"), "<!-- skep plan: -%2D%A -->");
        assert_eq!(marker(""), "<!-- skep plan: all -->");
        assert_ne!(marker("a b"), marker("a%20b"));
    }
}
