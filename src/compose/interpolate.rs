//! Variables: every scalar of a tree is a template, keys are not. Values keep their places.

use std::cell::Cell;

use super::context::MAX_EXPANDED;
use super::template::{Expansion, Malformed, Missing, expand_as_docker};
use super::{Input, Mode, Variables};
use crate::diag::{Diagnostic, Faults, Severity, Sources, Span, code};
use crate::yaml::{Node, Scalar, Value};

/// In a value with more bytes than this, so many faults are shown where they are, and the others where the value is.
const SMALL: usize = 64 * 1024;
const MAX_PLACES: usize = 50;
/// So many characters of a piece are looked for.
const MAX_PIECE: usize = 200;

/// Replaces the variables of trees.
pub(super) struct Interpolator<'a> {
    variables: &'a Variables,
    undefined: Severity,
    sources: &'a Sources,
    left: usize,
}

/// How bad an undefined variable is.
pub(super) fn severity_of_undefined(input: &Input<'_>) -> Severity {
    match input.mode {
        Mode::Repository if !input.loose => Severity::Error,
        _ => Severity::Warning,
    }
}

impl<'a> Interpolator<'a> {
    /// For trees whose values may have `left` bytes in all.
    pub fn new(variables: &'a Variables, undefined: Severity, sources: &'a Sources, left: usize) -> Self {
        Self { variables, undefined, sources, left }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Replaces every reference in a tree.
    pub fn tree(&mut self, node: &mut Node, faults: &mut Faults) {
        match &mut node.value {
            Value::Scalar(scalar) => {
                if scalar.text.contains('$') {
                    self.scalar(scalar, node.span, faults);
                }
            }
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.tree(item, faults)),
            Value::Mapping(mapping) => {
                mapping.entries.iter_mut().for_each(|entry| self.tree(&mut entry.value, faults));
            }
        }
    }

    fn scalar(&mut self, scalar: &mut Scalar, span: Span, faults: &mut Faults) {
        let variables = self.variables;
        let secret = Cell::new(scalar.secret);
        let lookup = |name: &str| {
            let found = variables.find(name)?;
            secret.set(secret.get() || found.secret);
            Some(found.value)
        };
        let mut expansion = Expansion::new(&lookup, self.left);
        let expanded = match expansion.expand(&scalar.text) {
            Ok(expanded) => expanded,
            Err(malformed) => return faults.push(refused(malformed).at(span)),
        };
        self.left -= expanded.len();
        // A text that was not read to its end is refused, whatever Docker would make of it.
        let is_whole = !expansion.has_too_many_strays();
        let docker = is_whole.then(|| expand_as_docker(&scalar.text, &lookup, MAX_EXPANDED)).flatten();
        for at in expansion.stray.iter().take(MAX_PLACES) {
            let rest = scalar.text.get(*at..).unwrap_or_default();
            let piece: String = rest.chars().take(MAX_PIECE).take_while(|c| !c.is_whitespace()).collect();
            let fault = stray(&scalar.text, *at).at(place_of(self.sources, span, &piece));
            faults.push(match &docker {
                // Docker forgets such a fault when a reference after it is in order, and people run files like that.
                Some(_) => Diagnostic {
                    severity: Severity::Warning,
                    message: format!("{}; it is left out, as in `docker stack deploy`", fault.message),
                    ..fault
                },
                None => fault,
            });
        }
        let complete = expansion.missing.iter().all(|missing| missing.required.is_none());
        let places = Cell::new(MAX_PLACES);
        for missing in expansion.missing {
            // Each place is looked for from the beginning, in a value that may be as long as a file.
            if scalar.text.len() > SMALL && places.replace(places.get().saturating_sub(1)) == 0 {
                faults.push(missing_variable(missing, self.undefined).at(span));
                continue;
            }
            let braced = format!("${{{}", missing.name);
            let bare = format!("${}", missing.name);
            let written = if reference_at(&scalar.text, &braced).is_some() { braced } else { bare };
            let place = place_of(self.sources, span, &written);
            faults.push(missing_variable(missing, self.undefined).at(place));
        }
        if complete && docker.is_some_and(|docker| docker != expanded) {
            let message = "`docker stack deploy` reads this reference otherwise than the Compose Specification, which counts here";
            let hint = "write `${NAME}` with braces, and no `-`, `?` or `${` in its default, where both must agree";
            faults.push(Diagnostic::warning(code::INTERPOLATION_DIFFERS, message).at(span).hint(hint));
        }
        if expanded != scalar.text {
            scalar.text = expanded;
            scalar.secret = secret.get();
            scalar.interpolated = true;
        }
    }
}

/// The diagnostic of a variable without a value.
pub(super) fn missing_variable(missing: Missing, undefined: Severity) -> Diagnostic {
    let name = missing.name;
    match (missing.required, undefined) {
        (Some(message), _) => {
            let because = if message.is_empty() { String::new() } else { format!(": {message}") };
            Diagnostic::error(code::VARIABLE_UNDEFINED, format!("the required variable `{name}` has no value{because}"))
        }
        (None, Severity::Error) => Diagnostic::error(
            code::VARIABLE_UNDEFINED,
            format!("the variable `{name}` is not defined"),
        )
        .hint(format!(
            "define it under `variables` in skep.yaml, in an env file or in `.env`, or give a default: `${{{name}:-…}}`"
        )),
        (None, _) => Diagnostic::warning(
            code::VARIABLE_UNDEFINED,
            format!("the variable `{name}` is not defined, so nothing stands in its place"),
        ),
    }
}

/// The diagnostic of a text without a result.
pub(super) fn refused(malformed: Malformed) -> Diagnostic {
    match malformed {
        Malformed::Syntax => Diagnostic::error(code::INTERPOLATION, "a reference to a variable does not parse"),
        Malformed::Depth => Diagnostic::error(code::YAML_BOUNDS, "the defaults of variables nest too deep"),
        Malformed::Size => {
            let most = MAX_EXPANDED / 1024 / 1024;
            Diagnostic::error(code::YAML_BOUNDS, format!("the values of variables fill more than {most} MiB"))
        }
    }
}

/// The diagnostic of a `$` that begins no reference.
pub(super) fn stray(text: &str, at: usize) -> Diagnostic {
    let shown: String = text.get(at..).unwrap_or(text).chars().take_while(|c| !c.is_whitespace()).take(20).collect();
    Diagnostic::error(code::INTERPOLATION, format!("`{shown}` begins no reference to a variable"))
        .hint("write `$$` for a dollar sign")
}

/// Where a text refers to a variable: `start` is `$NAME` or `${NAME`, and no name goes on after it.
fn reference_at(text: &str, start: &str) -> Option<usize> {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let ends = |at: &usize| !text.get(at + start.len()..).is_some_and(|rest| rest.starts_with(goes_on));
    text.match_indices(start).map(|(at, _)| at).find(ends)
}

/// The place of a piece of a scalar, where the file has it as the value has it; else the scalar's.
fn place_of(sources: &Sources, span: Span, piece: &str) -> Span {
    let text = sources.text(span.file).get(span.start as usize..span.end as usize).unwrap_or_default();
    match reference_at(text, piece).filter(|_| !piece.is_empty()) {
        None => span,
        Some(at) => {
            let offset = |at: usize| span.start + u32::try_from(at).unwrap_or(0);
            Span { file: span.file, start: offset(at), end: offset(at + piece.len()) }
        }
    }
}
