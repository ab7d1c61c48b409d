//! What the record keeps in place of a secret text: enough to see whether it is still the same, and not the text.
//!
//! A rendering is compared with what the swarm holds and with what git says, text by text. So it is enough to know of each
//! secret whether a text of those is it. A seal is a digest, salted with the stack's name: whoever may read the record may
//! read the service, which holds the text itself; but a record is kept when the service has another text by now, and then
//! only a guess can be checked.

use std::collections::HashMap;

use serde_json::Value;

use super::Applied;
use crate::model::{Confidential, Digest, StackName};

/// What a seal begins with.
const SEAL: &str = "***sealed:";
/// How many digits of the digest are kept.
const DIGITS: usize = 32;

/// Whether a text is a seal, or a name with one for its value.
pub(super) fn is_sealed(text: &str) -> bool {
    split(text).1.starts_with(SEAL)
}

/// Whether a text of a spec holds a secret: the whole of it, a part, or the value behind `NAME=`.
pub(super) fn is_secret(confidential: &Confidential, text: &str) -> bool {
    !confidential.is_empty() && (confidential.is_in(text) || confidential.is_in(split(text).1))
}

/// The name and the equals sign of `NAME=value`, and the rest. Names stay readable: lists are compared by them.
pub(super) fn split(text: &str) -> (&str, &str) {
    match text.find('=') {
        Some(at) => text.split_at_checked(at + 1).unwrap_or(("", text)),
        None => ("", text),
    }
}

fn seal(stack: &str, text: &str, confidential: &Confidential) -> String {
    let (name, _) = split(text);
    let name = if is_secret(confidential, name.trim_end_matches('=')) { "" } else { name };
    format!("{name}{SEAL}{}", digest(stack, text))
}

fn digest(stack: &str, text: &str) -> String {
    Digest::of(format!("skep seal\0{stack}\0{text}")).prefix(DIGITS).to_owned()
}

impl Applied {
    /// What is to be kept of it: JSON in which secret texts are sealed.
    ///
    /// # Errors
    /// Never, as far as is known: every part of it has a form in JSON.
    pub fn kept(&self, stack: &StackName) -> serde_json::Result<Value> {
        let mut value = serde_json::to_value(self)?;
        if self.confidential.is_empty() {
            return Ok(value);
        }
        let mut sealed = false;
        for part in ["services", "networks", "configs", "secrets"] {
            for object in
                value.get_mut(part).and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut())
            {
                let object =
                    if matches!(part, "configs" | "secrets") { object.get_mut("labels") } else { Some(object) };
                texts_mut(object, &mut |text| {
                    if is_secret(&self.confidential, text) {
                        *text = seal(stack.as_str(), text, &self.confidential);
                        sealed = true;
                    }
                });
            }
        }
        if sealed && let Some(map) = value.as_object_mut() {
            map.insert("sealed".to_owned(), true.into());
        }
        Ok(value)
    }

    /// The same with every seal opened that one of these texts fits. The texts that did are secret.
    pub(super) fn opened<'v>(&self, stack: &StackName, known: impl Iterator<Item = &'v Value>) -> Option<Self> {
        let mut by_digest: HashMap<String, String> = HashMap::new();
        for value in known {
            texts(value, &mut |text| {
                by_digest.insert(digest(stack.as_str(), text), text.to_owned());
            });
        }
        let mut confidential = self.confidential.clone();
        let mut value = serde_json::to_value(self).ok()?;
        texts_mut(Some(&mut value), &mut |text| {
            let found = split_seal(text).and_then(|(name, digest)| Some((name.len(), by_digest.get(digest)?)));
            if let Some((name, found)) = found {
                confidential.add(found.get(name..).unwrap_or(found));
                text.clone_from(found);
            }
        });
        let opened: Self = serde_json::from_value(value).ok()?;
        Some(Self { confidential, ..opened })
    }
}

fn split_seal(text: &str) -> Option<(&str, &str)> {
    let (name, seal) = split(text);
    Some((name, seal.strip_prefix(SEAL)?))
}

/// Every text of a value.
pub(super) fn texts(value: &Value, take: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, take)),
        Value::Object(map) => map.values().for_each(|value| texts(value, take)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn texts_mut(value: Option<&mut Value>, change: &mut impl FnMut(&mut String)) {
    match value {
        Some(Value::String(text)) => change(text),
        Some(Value::Array(items)) => items.iter_mut().for_each(|item| texts_mut(Some(item), change)),
        Some(Value::Object(map)) => map.values_mut().for_each(|value| texts_mut(Some(value), change)),
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => {}
    }
}
