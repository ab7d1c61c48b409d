//! Printing: data to standard output, talk to standard error.

use std::io::Write;

use serde::Serialize;

use crate::diag::{Diagnostic, Report, Sources, Style};

use super::failure::Failure;

/// Writes text to standard output.
///
/// # Errors
/// [`Failure::Output`].
pub fn text(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::output)
}

/// Writes bytes to standard output as they are.
///
/// # Errors
/// [`Failure::Output`].
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Failure::output)
}

/// Writes a value as indented JSON to standard output.
///
/// # Errors
/// [`Failure::Output`].
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let document = serde_json::to_string_pretty(value).map_err(|error| Failure::output(error.into()))?;
    text(&format!("{document}\n"))
}

/// Writes a value as one line of JSON to standard output.
///
/// # Errors
/// [`Failure::Output`].
pub fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let document = serde_json::to_string(value).map_err(|error| Failure::output(error.into()))?;
    text(&format!("{document}\n"))
}

/// Writes diagnostics to standard error, in the form for people.
pub fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources, style: Style) {
    if !diagnostics.is_empty() {
        talk(&Report { diagnostics, sources }.text(style));
    }
}

/// Talk: one line to standard error.
pub fn say(line: &str) {
    talk(&format!("{line}\n"));
}

/// Talk that waits for an answer on the same line.
pub fn prompt(question: &str) {
    talk(question);
}

/// Nobody listening to the talk (`2>&1 | head`) must not end what goes on.
fn talk(text: &str) {
    let mut err = anstream::stderr().lock();
    drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
}

/// A moment as people read it, to the second.
pub fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// An error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    crate::operator::sources::describe(error)
}
