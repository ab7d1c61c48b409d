//! Typed values as compose files hold them: what `docker stack deploy` casts after interpolation, and what the Compose
//! Specification allows as text besides. A number in quotes is a number; text is never made of a number.

use std::collections::BTreeMap;

use super::{At, Pairs, quantity};
use crate::diag::Span;
use crate::yaml::{Fields, Resolved, View};

/// The value of a key with its place.
pub(super) fn placed<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    read: impl FnOnce(View<'_>) -> Option<T>,
) -> Option<At<T>> {
    let view = fields.take(key)?;
    read(view).map(|value| At::new(value, view.span()))
}

/// `true` or `false`; as text also `yes`, `y`, `on` and their opposites, in either case.
pub(super) fn boolean(view: View<'_>) -> Option<bool> {
    let wrong = || view.wrong_type("true or false");
    let Some(scalar) = view.node().scalar() else {
        wrong();
        return None;
    };
    let value = match scalar.resolve() {
        Resolved::Bool(value) => Some(value),
        Resolved::Text => truth(&scalar.text),
        _ => None,
    };
    if value.is_none() {
        wrong();
    }
    value
}

/// The words for true and false.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" | "on" => Some(true),
        "n" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// A whole number; as text in decimal digits.
pub(super) fn integer<T: TryFrom<i128>>(view: View<'_>) -> Option<T> {
    match text_of(view).and_then(decimal) {
        Some(value) => view.in_range(value),
        None => view.integer(),
    }
}

/// A number in decimal digits, with a sign or not.
pub(super) fn decimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let shaped = !digits.is_empty() && digits.len() <= 30 && digits.bytes().all(|b| b.is_ascii_digit());
    shaped.then(|| text.parse().ok()).flatten()
}

/// A number with a fraction.
pub(super) fn number(view: View<'_>) -> Option<f64> {
    let shaped = |text: &&str| text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    match text_of(view).filter(shaped).and_then(|text| text.parse().ok()) {
        Some(value) => Some(value),
        None => view.number(),
    }
}

/// An amount of memory: bytes, or text as `512M`.
pub(super) fn bytes(view: View<'_>) -> Option<i64> {
    let Some(text) = text_of(view) else { return view.integer() };
    let parsed = quantity::bytes(text);
    if parsed.is_none() {
        let fault = view.invalid_diagnostic(format_args!("`{text}` is not an amount of memory"));
        view.fault(fault.hint("amounts are written as in `512M` or `1.5g`, in steps of 1024"));
    }
    parsed
}

/// Processors in billionths: `0.5`, as text or as a number.
pub(super) fn nano_cpus(view: View<'_>) -> Option<i64> {
    let text = match view.node().scalar() {
        Some(scalar) if matches!(scalar.resolve(), Resolved::Int(_) | Resolved::Float(_)) => scalar.text.as_str(),
        _ => view.str()?,
    };
    let parsed = quantity::nano_cpus(text);
    if parsed.is_none() {
        let fault = view.invalid_diagnostic(format_args!("`{text}` is not a number of processors"));
        view.fault(fault.hint("they are written as in `\"0.5\"`, with nine digits after the point at most"));
    }
    parsed
}

/// One text or a list of texts.
pub(super) fn texts(view: View<'_>) -> Option<Vec<String>> {
    match view.node().scalar() {
        Some(_) => view.text().map(|text| vec![text]),
        None => view.texts(),
    }
}

/// One text or several, with their places.
pub(super) fn placed_texts(view: View<'_>) -> Option<Vec<(String, Span)>> {
    let text = |item: View<'_>| Some((item.text()?, item.span()));
    match view.node().scalar() {
        Some(_) => text(view).map(|text| vec![text]),
        None => view.list(text),
    }
}

/// Keys with values: a mapping, or a list of `key=value`. Numbers become the text Docker makes of them, booleans too.
pub(super) fn pairs(view: View<'_>) -> Option<Pairs> {
    if view.node().mapping().is_some() {
        return view.entries(|_, value| scalar_text(value));
    }
    if view.node().sequence().is_none() {
        view.wrong_type("a mapping or a list of `key=value`");
        return None;
    }
    let pair = |item: View<'_>| {
        let text = item.str()?;
        Some(match text.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (text.to_owned(), None),
        })
    };
    view.list(pair).map(|pairs| pairs.into_iter().collect())
}

/// Labels and the like: [`pairs`] in which a key without a value has an empty one.
pub(super) fn labels(view: View<'_>) -> Option<BTreeMap<String, String>> {
    let pairs = pairs(view)?;
    Some(pairs.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// A mapping of texts, numbers included; nothing is empty text.
pub(super) fn options(view: View<'_>) -> Option<BTreeMap<String, String>> {
    view.entries(|_, value| scalar_text(value).map(Option::unwrap_or_default))
}

/// The text Docker makes of any scalar; `Some(None)` for null.
fn scalar_text(view: View<'_>) -> Option<Option<String>> {
    let Some(scalar) = view.node().scalar() else {
        view.wrong_type("text or a number");
        return None;
    };
    Some(scalar.go_text())
}

/// The text of a scalar that is text.
fn text_of(view: View<'_>) -> Option<&str> {
    view.node().scalar().filter(|scalar| scalar.resolve() == Resolved::Text).map(|scalar| scalar.text.as_str())
}
