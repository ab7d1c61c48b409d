//! Configs and secrets given to a service.

use std::collections::BTreeMap;

use super::{At, FileReference, cast, keys};
use crate::diag::{Diagnostic, Span, code};
use crate::yaml::{Resolved, View};

/// Configs or secrets given to the service: keys, or mappings.
pub(super) fn list(view: &View<'_>) -> Vec<At<FileReference>> {
    let references = view.list(reference).unwrap_or_default();
    let target = |at: &At<FileReference>| at.value.target.clone().unwrap_or_else(|| at.value.source.clone());
    let targets: Vec<_> = references.iter().map(|at| (target(at), at.span)).collect();
    unique_targets(view, targets.iter().map(|(target, span)| (target.as_str(), *span)));
    references
}

fn reference(view: View<'_>) -> Option<At<FileReference>> {
    if view.node().mapping().is_none() {
        let reference = FileReference { source: view.text()?, ..FileReference::default() };
        return Some(At::new(reference, view.span()));
    }
    let mut fields = view.fields()?;
    let source = fields.require("source").and_then(|source| source.text());
    let reference = FileReference {
        source: String::new(),
        target: fields.text("target").filter(|target| !target.is_empty()),
        uid: fields.text("uid"),
        gid: fields.text("gid"),
        mode: fields.take("mode").and_then(file_mode),
    };
    keys::finish(fields);
    Some(At::new(FileReference { source: source?, ..reference }, view.span()))
}

/// A file mode: a number as YAML reads it, `0444` octal. Text is octal too, as the Compose Specification has it; but
/// Docker reads what a variable brings as decimal digits.
fn file_mode(view: View<'_>) -> Option<u32> {
    let scalar = view.node().scalar();
    let Some(scalar) = scalar.filter(|scalar| scalar.resolve() == Resolved::Text) else {
        return view.integer();
    };
    if scalar.interpolated {
        let mode = cast::integer(view);
        if scalar.text.starts_with('0') && scalar.text.len() > 1 {
            let message = format!("{}: Docker reads a mode from a variable as decimal digits", view.name());
            view.fault(
                Diagnostic::warning(code::INVALID_VALUE, message).at(view.span()).hint("write the mode into the file"),
            );
        }
        return mode;
    }
    let digits = scalar.text.strip_prefix("0o").unwrap_or(&scalar.text);
    let mode = u32::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+'));
    if mode.is_none() {
        view.wrong_type("a file mode as `0444`");
    }
    mode
}

/// Reports everything that stands at a path where something else stands already.
pub(super) fn unique_targets<'t>(view: &View<'_>, targets: impl Iterator<Item = (&'t str, Option<Span>)>) {
    let mut seen = BTreeMap::new();
    for (target, span) in targets {
        let Some(first) = seen.insert(target, span) else { continue };
        let message = format!("{}: two of them have the target `{target}`", view.name());
        let fault = Diagnostic::error(code::DUPLICATE_TARGET, message).at(span);
        view.fault(match first {
            Some(first) => fault.related(first, "first here"),
            None => fault,
        });
    }
}
