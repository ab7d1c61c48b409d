//! What can be wrong with an encrypted file.

use super::metadata::Recipients;
use crate::diag::{Diagnostic, code};

/// How many recipients a message names.
const MAX_SHOWN: usize = 5;

/// What is wrong with an encrypted file, its place to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// No key was given.
    NoKey,
    /// None of the keys fits.
    Key(Recipients),
    /// What is there is not what was encrypted.
    Mac(String),
    /// It has no form that can be read.
    Format(String),
}

impl Fault {
    pub fn format(why: impl Into<String>) -> Self {
        Fault::Format(why.into())
    }

    /// The fault in words.
    pub fn of(self, path: &str) -> Diagnostic {
        match self {
            Fault::NoKey => Diagnostic::error(
                code::SOPS_NO_KEY,
                format!("`{path}` is encrypted with SOPS, and no age key is given to decrypt it"),
            )
            .hint("name the key's file in SOPS_AGE_KEY_FILE, or set SOPS_AGE_KEY")
            .hint("a controller takes files of keys from `decryption.ageKeyFiles` of its configuration as well"),
            Fault::Key(recipients) => no_key_fits(path, &recipients),
            Fault::Mac(why) => Diagnostic::error(code::SOPS_MAC, format!("`{path}`: {why}"))
                .hint("change encrypted files with `sops edit`, or put back the version that was encrypted"),
            Fault::Format(why) => Diagnostic::error(code::SOPS_FORMAT, format!("`{path}`: {why}")),
        }
    }
}

fn no_key_fits(path: &str, recipients: &Recipients) -> Diagnostic {
    let add = "add an age recipient: `sops rotate --in-place --add-age age1… FILE`";
    if recipients.age.is_empty() {
        let others = recipients.others.join(", ");
        let others = if others.is_empty() { "nobody".to_owned() } else { others };
        let message = format!("`{path}` is encrypted for {others}: skep decrypts with age keys alone");
        return Diagnostic::error(code::SOPS_KEY, message).hint(add);
    }
    let shown: Vec<&str> = recipients.age.iter().take(MAX_SHOWN).map(String::as_str).collect();
    let more = match recipients.age.len().saturating_sub(MAX_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message =
        format!("none of the age keys given decrypts `{path}`: it is encrypted for {}{more}", shown.join(", "));
    Diagnostic::error(code::SOPS_KEY, message)
        .hint("give the key of one of them, or add this key's recipient with `sops`")
}
