//! JSON files, and files of any bytes, which SOPS puts into JSON. The order of the keys is part of what is signed.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::key::Keys;
use super::metadata::is_metadata;
use super::session::{Found, Session};
use super::value::{Plain, Type};
use crate::model::Confidential;

/// A JSON value whose objects keep their order.
#[derive(Debug)]
enum Tree {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// What was decrypted and is no text.
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// What a JSON file becomes. `None` where it has no metadata. `is_binary` is whether a single text under `data` is the
/// whole content of another file.
pub(super) fn decrypt(text: &str, keys: &Keys, is_binary: bool) -> Result<Option<(Vec<u8>, Confidential)>, Fault> {
    let Ok(Tree::Object(mut entries)) = serde_json::from_str(text) else { return Ok(None) };
    let Some(at) = entries.iter().position(|(key, _)| key == "sops") else { return Ok(None) };
    let (_, Tree::Object(sops)) = entries.remove(at) else { return Ok(None) };
    let names: Vec<&str> = sops.iter().map(|(key, _)| key.as_str()).collect();
    if !is_metadata(&names) {
        return Ok(None);
    }
    let sops: Map<String, Value> = sops.into_iter().map(|(key, tree)| (key, value(tree))).collect();
    let mut session = Session::start(&sops, keys)?;
    walk_object(&mut session, &mut entries)?;
    let (mut confidential, _) = session.finish()?;
    let content = match entries.as_slice() {
        [(key, content)] if is_binary && key == "data" => match content {
            Tree::Text(text) => text.clone().into_bytes(),
            Tree::Bytes(bytes) => bytes.clone(),
            _ => return Err(Fault::format("it holds no bytes under `data`")),
        },
        _ => {
            let mut text = String::new();
            write(&Tree::Object(entries), 0, &mut text)?;
            text.push('\n');
            text.into_bytes()
        }
    };
    if is_binary && let Ok(text) = std::str::from_utf8(&content) {
        text.lines().filter(|line| line.trim().len() >= SHORTEST_LINE).for_each(|line| confidential.add(line.trim()));
    }
    Ok(Some((content, confidential)))
}

/// Shorter lines of a file are not looked for in what is printed: `}` is nobody's secret.
const SHORTEST_LINE: usize = 8;

fn walk_object(session: &mut Session, entries: &mut [(String, Tree)]) -> Result<(), Fault> {
    for (key, tree) in entries {
        let mark = session.enter(key);
        let result = walk(session, tree);
        session.leave(&mark);
        result?;
    }
    Ok(())
}

fn walk(session: &mut Session, tree: &mut Tree) -> Result<(), Fault> {
    let signed = match tree {
        Tree::Null | Tree::Bytes(_) => return Ok(()),
        Tree::List(items) => {
            for item in items {
                walk(session, item)?;
            }
            return Ok(());
        }
        Tree::Object(entries) => return walk_object(session, entries),
        Tree::Boolean(true) => "True".to_owned(),
        Tree::Boolean(false) => "False".to_owned(),
        Tree::Integer(number) => number.to_string(),
        Tree::Float(number) => number.to_string(),
        Tree::Text(text) => std::mem::take(text),
    };
    let text = matches!(tree, Tree::Text(_)).then_some(signed.as_str());
    match session.value(text, signed.as_bytes())? {
        Found::Plain(plain) => *tree = decrypted(&plain)?,
        Found::Clear => {
            if let Tree::Text(text) = tree {
                *text = signed;
            }
        }
    }
    Ok(())
}

fn decrypted(plain: &Plain) -> Result<Tree, Fault> {
    let wrong = || Fault::format("an encrypted value in it is not of the type it says");
    Ok(match plain.kind {
        Type::Integer => Tree::Integer(plain.text()?.parse().map_err(|_| wrong())?),
        Type::Float => Tree::Float(plain.text()?.parse().map_err(|_| wrong())?),
        Type::Boolean => Tree::Boolean(plain.is_true()),
        Type::Text | Type::Bytes | Type::Time | Type::Comment => match plain.text() {
            Ok(text) => Tree::Text(text.to_owned()),
            Err(_) => Tree::Bytes(plain.bytes.to_vec()),
        },
    })
}

fn value(tree: Tree) -> Value {
    match tree {
        Tree::Null | Tree::Bytes(_) => Value::Null,
        Tree::Boolean(value) => Value::Bool(value),
        Tree::Integer(number) => number.into(),
        Tree::Float(number) => number.into(),
        Tree::Text(text) => Value::String(text),
        Tree::List(items) => Value::Array(items.into_iter().map(value).collect()),
        Tree::Object(entries) => Value::Object(entries.into_iter().map(|(key, tree)| (key, value(tree))).collect()),
    }
}

/// JSON as `sops decrypt` prints it, which is as Go does: indented by tabs, `<`, `>` and `&` escaped.
fn write(tree: &Tree, depth: usize, to: &mut String) -> Result<(), Fault> {
    let broken = |_: fmt::Error| Fault::format("it cannot be written");
    match tree {
        Tree::Null => to.push_str("null"),
        Tree::Boolean(value) => write!(to, "{value}").map_err(broken)?,
        Tree::Integer(number) => write!(to, "{number}").map_err(broken)?,
        Tree::Float(number) => to.push_str(&float(*number)),
        Tree::Text(text) => quote(text, to),
        Tree::Bytes(_) => return Err(Fault::format("a value in it is not text, but bytes")),
        Tree::List(items) if items.is_empty() => to.push_str("[]"),
        Tree::Object(entries) if entries.is_empty() => to.push_str("{}"),
        Tree::List(items) => {
            for (index, item) in items.iter().enumerate() {
                to.push_str(if index == 0 { "[" } else { "," });
                indent(depth + 1, to);
                write(item, depth + 1, to)?;
            }
            indent(depth, to);
            to.push(']');
        }
        Tree::Object(entries) => {
            for (index, (key, tree)) in entries.iter().enumerate() {
                to.push_str(if index == 0 { "{" } else { "," });
                indent(depth + 1, to);
                quote(key, to);
                to.push_str(": ");
                write(tree, depth + 1, to)?;
            }
            indent(depth, to);
            to.push('}');
        }
    }
    Ok(())
}

fn indent(depth: usize, to: &mut String) {
    to.push('\n');
    to.extend(std::iter::repeat_n('\t', depth));
}

fn quote(text: &str, to: &mut String) {
    to.push('"');
    for character in text.chars() {
        match character {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            '\u{8}' => to.push_str("\\b"),
            '\u{c}' => to.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                to.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => to.push(character),
        }
    }
    to.push('"');
}

/// An exponent below a millionth and from 10^21 on.
fn float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        return if size < 1.0 { text } else { text.replace('e', "e+") };
    }
    number.to_string()
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        // SOPS takes what does not fit for a float.
        #[expect(clippy::cast_precision_loss, reason = "as SOPS does")]
        Ok(i64::try_from(value).map_or(Tree::Float(value as f64), Tree::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Object(entries))
    }
}
