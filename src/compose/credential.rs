//! `credential_spec:` of a service: the credentials of a Windows service account.

use super::{At, CredentialSpec, keys};
use crate::diag::{Diagnostic, code};
use crate::yaml::View;

/// What makes a source of credentials of its name.
type Make = fn(String) -> CredentialSpec;

/// Reads `credential_spec:`. Nothing in it is silence.
pub(super) fn decode(view: View<'_>) -> Option<At<CredentialSpec>> {
    if view.is_null() {
        return None;
    }
    let mut fields = view.fields()?;
    let sources: [(&'static str, Make); 3] =
        [("config", CredentialSpec::Config), ("file", CredentialSpec::File), ("registry", CredentialSpec::Registry)];
    let mut found: Option<(At<CredentialSpec>, &str)> = None;
    for (key, make) in sources {
        let Some(source) = fields.take(key) else { continue };
        let Some(name) = source.text().filter(|name| !name.is_empty()) else { continue };
        if let Some((_, first)) = &found {
            let message = format!("{}: `{first}` and `{key}` exclude each other", view.name());
            view.fault(Diagnostic::error(code::CONFLICT, message).at(source.key_span()));
        } else {
            found = Some((At::new(make(name), source.span()), key));
        }
    }
    keys::finish(fields);
    found.map(|(spec, _)| spec)
}
