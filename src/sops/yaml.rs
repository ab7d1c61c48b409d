//! YAML documents, decrypted in place.

use serde_json::{Map, Value as Json};

use super::fault::Fault;
use super::key::Keys;
use super::metadata::is_metadata;
use super::session::{Found, Session};
use super::value::{Opener, Plain, Type};
use crate::diag::{Diagnostic, Span};
use crate::model::Confidential;
use crate::yaml::{Node, Resolved, Scalar, Value};

/// The key that the metadata stand under.
const SOPS: &str = "sops";

/// Decrypts the documents of one YAML file in place, if SOPS encrypted them: every encrypted scalar is replaced, keeps its
/// place and is marked secret; the key `sops` goes. The result is the texts that were decrypted; `None` where the file is
/// not encrypted. `path` is what the file is called in messages.
///
/// # Errors
/// No key is given or none fits, the MAC does not agree, or the file has no form that SOPS gives it. Part of the documents
/// may be decrypted then: they are not to be used.
pub fn decrypt(documents: &mut [Node], keys: &Keys, path: &str) -> Result<Option<Confidential>, Vec<Diagnostic>> {
    let opened = walk(documents, keys, None).map_err(|(fault, span)| vec![fault.of(path).at(span)])?;
    Ok(opened.map(|opened| opened.confidential))
}

/// What walking through a file's documents gives.
pub(super) struct Walked {
    pub confidential: Confidential,
    /// What opens the file's comments, which no MAC covers.
    pub opener: Opener,
}

/// What a whole text is rewritten by.
#[derive(Default)]
pub(super) struct Edits {
    /// Encrypted scalars, and what they become: the scalar, or a comment in place of an item.
    pub scalars: Vec<(Span, Edit)>,
    /// Where each value begins, and the place it has in the tree.
    pub places: Vec<(u32, String)>,
}

/// What an encrypted scalar becomes.
pub(super) enum Edit {
    Scalar(Scalar),
    Comment(String),
}

type Wrong = (Fault, Option<Span>);

pub(super) fn walk(documents: &mut [Node], keys: &Keys, edits: Option<&mut Edits>) -> Result<Option<Walked>, Wrong> {
    let Some((sops, span)) = metadata(documents.first()) else { return Ok(None) };
    let at = |fault: Fault| (fault, Some(span));
    let session = Session::start(&sops, keys).map_err(at)?;
    let mut walk = Walk { session, edits };
    for document in documents {
        if let Value::Mapping(mapping) = &mut document.value {
            mapping.entries.retain(|entry| entry.key != SOPS);
        }
        walk.node(document)?;
    }
    let (confidential, opener) = walk.session.finish().map_err(at)?;
    Ok(Some(Walked { confidential, opener }))
}

/// The metadata of the first document, and the key's place.
fn metadata(document: Option<&Node>) -> Option<(Map<String, Json>, Span)> {
    let entry = document?.mapping()?.find(SOPS)?;
    let mapping = entry.value.mapping()?;
    let keys: Vec<&str> = mapping.entries.iter().map(|entry| entry.key.as_str()).collect();
    match json(&entry.value) {
        Json::Object(map) if is_metadata(&keys) => Some((map, entry.key_span)),
        _ => None,
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_null() => Json::Null,
        Value::Scalar(scalar) => Json::String(scalar.text.clone()),
        Value::Sequence(items) => Json::Array(items.iter().map(json).collect()),
        Value::Mapping(mapping) => {
            Json::Object(mapping.entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect())
        }
    }
}

struct Walk<'e> {
    session: Session,
    edits: Option<&'e mut Edits>,
}

impl Walk<'_> {
    /// Whether the node stays: an encrypted comment between the items of a list is an item until it is decrypted.
    fn node(&mut self, node: &mut Node) -> Result<bool, Wrong> {
        match &mut node.value {
            Value::Scalar(scalar) => return self.scalar(scalar, node.span),
            Value::Sequence(items) => {
                let mut kept = Vec::with_capacity(items.len());
                for mut item in std::mem::take(items) {
                    if self.node(&mut item)? {
                        kept.push(item);
                    }
                }
                *items = kept;
            }
            Value::Mapping(mapping) => {
                for entry in &mut mapping.entries {
                    let mark = self.session.enter(&entry.key);
                    let result = self.node(&mut entry.value);
                    self.session.leave(&mark);
                    result?;
                }
            }
        }
        Ok(true)
    }

    fn scalar(&mut self, scalar: &mut Scalar, span: Span) -> Result<bool, Wrong> {
        if let Some(edits) = &mut self.edits {
            edits.places.push((span.start, self.session.place().to_owned()));
        }
        let resolved = scalar.resolve();
        let Some(signed) = signed(scalar, &resolved) else { return Ok(true) };
        let text = (resolved == Resolved::Text).then_some(scalar.text.as_str());
        let at = |fault: Fault| (fault, Some(span));
        let Found::Plain(plain) = self.session.value(text, signed.as_bytes()).map_err(at)? else { return Ok(true) };
        let is_comment = plain.kind == Type::Comment;
        let edit = if is_comment {
            Edit::Comment(plain.text().map_err(at)?.to_owned())
        } else {
            *scalar = decrypted(&plain).map_err(at)?;
            Edit::Scalar(scalar.clone())
        };
        if let Some(edits) = &mut self.edits {
            edits.scalars.push((span, edit));
        }
        Ok(!is_comment)
    }
}

fn decrypted(plain: &Plain) -> Result<Scalar, Fault> {
    let scalar = match plain.kind {
        Type::Text | Type::Bytes | Type::Comment => Scalar::quoted(plain.text()?),
        Type::Integer | Type::Float | Type::Time => Scalar::plain(plain.text()?),
        Type::Boolean => Scalar::plain(if plain.is_true() { "true" } else { "false" }),
    };
    Ok(Scalar { secret: true, ..scalar })
}

/// The form in which a value in clear is signed; null is not.
fn signed(scalar: &Scalar, resolved: &Resolved) -> Option<String> {
    Some(match resolved {
        Resolved::Null => return None,
        Resolved::Bool(true) => "True".to_owned(),
        Resolved::Bool(false) => "False".to_owned(),
        Resolved::Int(value) => value.to_string(),
        Resolved::Float(value) if *value == f64::INFINITY => "+Inf".to_owned(),
        Resolved::Float(value) if *value == f64::NEG_INFINITY => "-Inf".to_owned(),
        Resolved::Float(value) => value.to_string(),
        Resolved::Timestamp(text) => timestamp(text),
        Resolved::Text => scalar.text.clone(),
    })
}

/// `2001-12-14 21:59:43.1 -0500 -0500` as `2001-12-14T21:59:43.1-05:00`.
fn timestamp(text: &str) -> String {
    let mut parts = text.split(' ');
    let (date, time, zone) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match zone.split_at_checked(3) {
        Some((hours, minutes)) if zone != "+0000" => format!("{date}T{time}{hours}:{minutes}"),
        _ => format!("{date}T{time}Z"),
    }
}
