//! The text of a YAML file with its values decrypted: comments and layout stay as SOPS keeps them.

use super::fault::Fault;
use super::key::Keys;
use super::value::{BEGIN, Opener};
use super::yaml::{Edit, Edits, walk};
use crate::diag::{FileId, Span};
use crate::model::Confidential;
use crate::yaml::{Node, Resolved, Scalar, Style, read};

/// How many comments are decrypted, each of which may have to be tried at every level around it.
const MAX_COMMENTS: usize = 2000;

/// Words that YAML 1.1 takes for booleans or nothing: readers of that version are still about.
const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];

/// A YAML file's text, decrypted; `None` where it has no metadata.
pub(super) fn decrypt(text: &str, file: FileId, keys: &Keys) -> Result<Option<(String, Confidential)>, Fault> {
    let mut documents =
        read(text, file).map_err(|_| Fault::format("it looks encrypted with SOPS, but is no YAML that can be read"))?;
    let metadata: Vec<(u32, u32)> = documents.iter().filter_map(|document| metadata(document, text)).collect();
    let mut edits = Edits::default();
    let Some(walked) = walk(&mut documents, keys, Some(&mut edits)).map_err(|(fault, _)| fault)? else {
        return Ok(None);
    };
    let mut replaced: Vec<(usize, usize, String)> =
        metadata.iter().map(|(a, b)| (to(*a), to(*b), String::new())).collect();
    replaced.extend(comments(text, &edits, &metadata, &walked.opener));
    replaced.extend(edits.scalars.iter().map(|(span, edit)| replacement(text, *span, edit)));
    replaced.sort_by_key(|(start, ..)| *start);
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, new) in replaced {
        // A value that an alias repeats is written once.
        if start < at {
            continue;
        }
        result.push_str(text.get(at..start).unwrap_or_default());
        result.push_str(&new);
        at = end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    Ok(Some((result, walked.confidential)))
}

fn to(offset: u32) -> usize {
    offset as usize
}

/// Where the key `sops` of a document stands: from its line to the next key, or to the document's end.
fn metadata(document: &Node, text: &str) -> Option<(u32, u32)> {
    let entries = &document.mapping()?.entries;
    let at = entries.iter().position(|entry| entry.key == "sops")?;
    let start = entries.get(at)?.key_span.start;
    let rest = text.get(to(start)..)?;
    let end = match entries.get(at + 1) {
        Some(next) => next.key_span.start,
        None => start + u32::try_from(rest.find("\n---").map_or(rest.len(), |length| length + 1)).ok()?,
    };
    (end > start).then_some((start, end))
}

fn replacement(text: &str, span: Span, edit: &Edit) -> (usize, usize, String) {
    let (start, end) = (to(span.start), to(span.end));
    match edit {
        Edit::Scalar(scalar) => (start, end, written(scalar)),
        Edit::Comment(comment) => {
            let before = text.get(..start).unwrap_or_default().trim_end_matches(' ');
            let dash = before.strip_suffix('-').map_or(start, str::len);
            (dash, end, format!("#{}", comment.replace('\n', " ")))
        }
    }
}

/// The encrypted comments. A comment was encrypted at the place of the mapping or list that it stands in, which its own
/// text does not say: it is one of those around the values before and after it.
fn comments(text: &str, edits: &Edits, metadata: &[(u32, u32)], opener: &Opener) -> Vec<(usize, usize, String)> {
    let is_metadata = |at: usize| metadata.iter().any(|(start, end)| (to(*start)..to(*end)).contains(&at));
    let mut found = Vec::new();
    for (at, _) in text.match_indices(&format!("#{BEGIN}")).take(MAX_COMMENTS) {
        let Some(length) = text.get(at..).and_then(|rest| rest.find(']')) else { continue };
        let (start, end) = (at + 1, at + length + 1);
        if is_metadata(at) {
            continue;
        }
        let encrypted = text.get(start..end).unwrap_or_default();
        let next = edits.places.partition_point(|(place, _)| to(*place) < at);
        let around = [Some(next), next.checked_sub(1)];
        let around = around.into_iter().flatten().filter_map(|index| edits.places.get(index));
        let opened = around.flat_map(|(_, place)| levels(place)).find_map(|place| opener.comment(encrypted, place));
        if let Some(comment) = opened.or_else(|| opener.comment(encrypted, ":")) {
            found.push((start, end, comment.replace('\n', " ")));
        }
    }
    found
}

/// The places around a place, the nearest first: `a:b:`, `a:`.
fn levels(place: &str) -> impl Iterator<Item = &str> {
    place.rmatch_indices(':').filter_map(|(at, _)| place.get(..=at))
}

/// A scalar as YAML.
fn written(scalar: &Scalar) -> String {
    if scalar.style == Style::Plain || is_plain(&scalar.text) {
        return scalar.text.clone();
    }
    let mut quoted = String::with_capacity(scalar.text.len() + 2);
    quoted.push('"');
    for character in scalar.text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{2028}' | '\u{2029}' | '\u{feff}' => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ if character.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a text may stand without quotes anywhere and is still text.
fn is_plain(text: &str) -> bool {
    let may_begin = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_'));
    may_begin
        && !text.ends_with(':')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:@+".contains(&byte))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && Scalar::plain(text).resolve() == Resolved::Text
}
