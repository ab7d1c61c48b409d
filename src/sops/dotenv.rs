//! Files of `NAME=value` lines. Each line stays in its place.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::key::Keys;
use super::session::{Found, Session};
use super::value::is_encrypted;
use crate::model::Confidential;

/// What the names of metadata begin with.
const PREFIX: &str = "sops_";
/// The only list of metadata that is read is flattened so.
const AGE: &str = "age__list_";
/// How many recipients are read.
const MAX_RECIPIENTS: usize = 10_000;

/// Whether a text has metadata of this store.
pub(super) fn is_encrypted_file(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("sops_mac=") || line.starts_with("sops_lastmodified="))
}

/// The text with its values decrypted, and without its metadata.
pub(super) fn decrypt(text: &str, keys: &Keys) -> Result<(String, Confidential), Fault> {
    let mut session = Session::start(&metadata(text)?, keys)?;
    let mut lines: Vec<String> = Vec::new();
    let mut comments: Vec<(usize, &str)> = Vec::new();
    let mut used = 0;
    for line in text.split('\n') {
        // What stands in the place of metadata is an empty line, as long as anything follows.
        lines.push(String::new());
        if line.is_empty() || line.starts_with(PREFIX) {
            continue;
        }
        let decrypted = match (line.strip_prefix('#'), line.split_once('=')) {
            (Some(comment), _) => {
                if is_encrypted(comment) {
                    comments.push((lines.len() - 1, comment));
                }
                line.to_owned()
            }
            (None, Some((name, value))) => format!("{name}={}", self::value(&mut session, name, value)?),
            (None, None) => return Err(Fault::format("a line in it is neither `NAME=value` nor a comment")),
        };
        if let Some(last) = lines.last_mut() {
            *last = decrypted;
        }
        used = lines.len();
    }
    let (mut confidential, opener) = session.finish()?;
    for (index, encrypted) in comments {
        if let (Some(comment), Some(line)) = (opener.comment(encrypted, ":"), lines.get_mut(index)) {
            *line = format!("#{}", comment.replace('\n', " "));
        }
    }
    lines.truncate(used);
    unquote(&lines, text, &mut confidential);
    let mut result = lines.join("\n");
    if !result.is_empty() {
        result.push('\n');
    }
    Ok((result, confidential))
}

fn value(session: &mut Session, name: &str, value: &str) -> Result<String, Fault> {
    let whole = value.replace("\\n", "\n");
    let mark = session.enter(name);
    let found = session.value(Some(&whole), whole.as_bytes());
    session.leave(&mark);
    Ok(match found? {
        Found::Clear => value.to_owned(),
        Found::Plain(plain) => plain.text()?.replace('\n', "\\n"),
    })
}

/// A value in quotes is used without them.
fn unquote(lines: &[String], encrypted: &str, confidential: &mut Confidential) {
    for (line, before) in lines.iter().zip(encrypted.split('\n')) {
        let (Some((_, value)), Some((_, before))) = (line.split_once('='), before.split_once('=')) else { continue };
        let bare = ['"', '\''].iter().find_map(|quote| value.trim().strip_prefix(*quote)?.strip_suffix(*quote));
        if let Some(bare) = bare.filter(|_| is_encrypted(before)) {
            confidential.add(bare);
        }
    }
}

/// The metadata as the tree they were before they were flattened.
fn metadata(text: &str) -> Result<Map<String, Value>, Fault> {
    let mut sops = Map::new();
    let mut age: Vec<Map<String, Value>> = Vec::new();
    for line in text.split('\n') {
        let Some((name, value)) = line.strip_prefix(PREFIX).and_then(|line| line.split_once('=')) else { continue };
        let value = Value::String(value.replace("\\n", "\n"));
        if let Some((index, field)) = name.strip_prefix(AGE).and_then(|rest| rest.split_once("__map_")) {
            let index: usize = index.parse().map_err(|_| Fault::format("its SOPS metadata are malformed"))?;
            if index >= MAX_RECIPIENTS {
                return Err(Fault::format(format!("it is encrypted for more than {MAX_RECIPIENTS} recipients")));
            }
            if age.len() <= index {
                age.resize_with(index + 1, Map::new);
            }
            if let Some(recipient) = age.get_mut(index) {
                recipient.insert(field.to_owned(), value);
            }
        } else if let Some((list, _)) = name.split_once("__list_") {
            sops.insert(list.to_owned(), Value::Array(vec![Value::Null]));
        } else {
            sops.insert(name.to_owned(), value);
        }
    }
    sops.insert("age".to_owned(), Value::Array(age.into_iter().map(Value::Object).collect()));
    Ok(sops)
}
