//! The rooms that read what people write, built by themselves.
//!
//! They are taken from the program's own source. That is possible because they are pure: no socket, no git and no async
//! runtime stand in them, so a fuzz target builds a twelfth of the program's dependencies, and in an order of magnitude less
//! time. `tests/all/house.rs` holds them to it. Paths of the form `crate::yaml` mean the same in both packages.

#[path = "../../src/compose/mod.rs"]
pub mod compose;
#[path = "../../src/diag/mod.rs"]
pub mod diag;
#[path = "../../src/model/mod.rs"]
pub mod model;
#[path = "../../src/sops/mod.rs"]
pub mod sops;
#[path = "../../src/yaml/mod.rs"]
pub mod yaml;

pub mod tree;
pub mod value;

use diag::{Diagnostic, Report, Sources, Span, Style};

/// Shows diagnostics in every form there is, and demands that their places lie in the texts.
pub fn show(diagnostics: &[Diagnostic], sources: &Sources) {
    let report = Report { diagnostics, sources };
    let shown = report.shown();
    assert_eq!(shown.len(), diagnostics.len());
    let _ = report.text(Style::Plain);
    for diagnostic in diagnostics {
        assert!(!diagnostic.message.is_empty() && diagnostic.hints.len() <= 2, "{diagnostic:?}");
        let places = diagnostic.span.iter().chain(diagnostic.related.as_ref().map(|(span, _)| span));
        places.for_each(|span| inside(*span, sources));
    }
}

/// Demands that a span begins and ends between characters of its text.
pub fn inside(span: Span, sources: &Sources) {
    let text = sources.text(span.file);
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} of {} bytes", text.len());
}
