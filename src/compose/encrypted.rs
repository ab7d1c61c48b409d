//! Files of variables that may be encrypted: what is read is the text in clear, what is shown is the file as it lies there.

use std::borrow::Cow;

use super::Variables;
use super::dotenv;
use crate::diag::{Diagnostic, Faults, FileId, Severity, Sources, Span};
use crate::model::Confidential;
use crate::sops::{self, Keys};

/// The text of a file, decrypted where it is encrypted.
pub(super) struct Text<'a> {
    content: Cow<'a, str>,
    original: &'a str,
    confidential: Confidential,
}

impl<'a> Text<'a> {
    /// The text of a file that was read.
    ///
    /// # Errors
    /// It is encrypted and cannot be decrypted; the diagnostic is about the whole file.
    pub fn open(sources: &'a Sources, file: FileId, keys: &Keys) -> Result<Self, Box<Diagnostic>> {
        let original = sources.text(file);
        let opened = sops::open(original.as_bytes(), sources.path(file), keys)
            .map_err(|fault| Box::new(fault.at(Span { file, start: 0, end: 0 })))?;
        let Some(opened) = opened else {
            let content = Cow::Borrowed(original);
            return Ok(Self { content, original, confidential: Confidential::new() });
        };
        let content = Cow::Owned(String::from_utf8_lossy(opened.content.reveal()).into_owned());
        Ok(Self { content, original, confidential: opened.confidential })
    }

    /// The text in clear.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Whether the file is encrypted: nothing of it must be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.content, Cow::Owned(_))
    }

    /// Where something of the text in clear stands in the file: of an encrypted one, on that line.
    pub fn place(&self, span: Span) -> Span {
        if !self.is_secret() {
            return span;
        }
        let before = self.content.get(..span.start as usize).unwrap_or(&self.content);
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let start: usize = self.original.split_inclusive('\n').take(line).map(str::len).sum();
        let length = self.original.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: offset(start), end: offset(start + length), ..span }
    }

    /// Faults of the text in clear as faults of the file.
    pub fn faults(&self, found: Faults) -> impl Iterator<Item = Diagnostic> {
        found.into_sorted().into_iter().map(|mut fault| {
            fault.span = fault.span.map(|span| self.place(span));
            fault.related = fault.related.map(|(span, label)| (self.place(span), label));
            fault.conceal(&self.confidential);
            fault
        })
    }
}

/// The variables of a file that was read, as [`dotenv::parse`] gives them. Those of an encrypted one are secret.
pub fn variables(
    sources: &Sources,
    file: FileId,
    keys: &Keys,
    known: &Variables,
    undefined: Severity,
    faults: &mut Faults,
) -> Variables {
    let text = match Text::open(sources, file, keys) {
        Ok(text) => text,
        Err(fault) => {
            faults.push(*fault);
            return Variables::new();
        }
    };
    let mut found = Faults::new();
    let variables = dotenv::parse(text.content(), file, known, undefined, &mut found);
    faults.extend(text.faults(found));
    if text.is_secret() { variables.into_secret() } else { variables }
}
