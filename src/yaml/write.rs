//! Values → YAML. Whatever is written here reads back the same, by [`super::read`] and by Docker: a text that would
//! resolve to something else is quoted.

use serde::{Serialize, Serializer};
use serde_yaml::Value;

use super::{Resolved, Scalar};

/// A value that YAML cannot hold.
#[derive(Debug, thiserror::Error)]
#[error("the value cannot be written as YAML")]
pub struct WriteError(#[from] serde_yaml::Error);

/// A value as a YAML document in block style, indented by two.
///
/// # Errors
/// [`WriteError`] where the value's own serialisation fails.
pub fn write(value: &impl Serialize) -> Result<String, WriteError> {
    let value = serde_yaml::to_value(value)?;
    let mut out = String::new();
    emit(&value, 0, Place::Line, &mut out);
    Ok(out)
}

/// A value as a YAML document whose variables are replaced before it is read: every `$` in a value is doubled, so that
/// what is read is what was written. Keys are no templates.
///
/// # Errors
/// [`WriteError`] where the value's own serialisation fails.
pub fn write_template(value: &impl Serialize) -> Result<String, WriteError> {
    let mut value = serde_yaml::to_value(value)?;
    double(&mut value);
    let mut out = String::new();
    emit(&value, 0, Place::Line, &mut out);
    Ok(out)
}

fn double(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('$') => *text = text.replace('$', "$$"),
        Value::Sequence(items) => items.iter_mut().for_each(double),
        Value::Mapping(mapping) => mapping.iter_mut().for_each(|(_, value)| double(value)),
        Value::Tagged(tagged) => double(&mut tagged.value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A number that is written with a leading zero, as people write file modes: `0440`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Octal(pub u32);

/// What marks one on its way to the text.
const OCTAL: &str = "octal";

impl Serialize for Octal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_variant("Octal", 0, OCTAL, &self.0)
    }
}

/// What stands before a value on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but indentation, or the document's beginning, or the dash of a list.
    Line,
    /// A key.
    Key,
}

fn emit(value: &Value, indent: usize, place: Place, out: &mut String) {
    let space = if place == Place::Key { " " } else { "" };
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            let mut first = place == Place::Line;
            if !first {
                out.push('\n');
            }
            for (key, value) in mapping {
                // The first key of a list's item stands behind its dash.
                if !std::mem::take(&mut first) {
                    out.extend(std::iter::repeat_n(' ', indent));
                }
                out.push_str(&inline(key));
                out.push(':');
                // As Docker and most people do, a list stands no deeper than its key.
                let deeper = if value.is_sequence() { indent } else { indent + 2 };
                emit(value, deeper, Place::Key, out);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            let mut first = place == Place::Line;
            if !first {
                out.push('\n');
            }
            for item in items {
                if !std::mem::take(&mut first) {
                    out.extend(std::iter::repeat_n(' ', indent));
                }
                out.push_str("- ");
                emit(item, indent + 2, Place::Line, out);
            }
        }
        Value::Tagged(tagged) if tagged.tag != OCTAL => {
            out.push_str(space);
            out.push_str(&tagged.tag.to_string());
            emit(&tagged.value, indent, Place::Key, out);
        }
        Value::String(text) if is_block(text) => {
            out.push_str(space);
            let chomp = if text.ends_with('\n') { "" } else { "-" };
            out.push_str(&format!("|{chomp}\n"));
            let depth = indent.max(2);
            for line in text.lines() {
                if !line.is_empty() {
                    out.extend(std::iter::repeat_n(' ', depth));
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        value => {
            out.push_str(space);
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => quote(text),
        Value::Sequence(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Mapping(mapping) => {
            let entries: Vec<_> =
                mapping.iter().map(|(key, value)| format!("{}: {}", inline(key), inline(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Tagged(tagged) if tagged.tag == OCTAL => format!("0{:o}", tagged.value.as_u64().unwrap_or_default()),
        Value::Tagged(tagged) => format!("{} {}", tagged.tag, inline(&tagged.value)),
    }
}

/// Whether a text may stand without quotes and stay what it is: to this reader, to Docker's, and to those of YAML 1.1,
/// for which `yes` is a boolean and `1:30` a number.
fn is_plain(text: &str) -> bool {
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" | "<<" | "="
    );
    // At the root three dots end a document.
    let begins = !text.starts_with("...")
        && text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '$' | '+'));
    let sexagesimal = text.contains(':') && text.bytes().all(|b| b.is_ascii_digit() || b":._+-".contains(&b));
    let inside = |c: char| c.is_alphanumeric() || " /._-$+:@=,{}()<>~^;*!?&|%#'\"\\[]".contains(c);
    begins
        && !word
        && !sexagesimal
        && text.chars().all(inside)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([' ', ':'])
        // Lists and mappings on one line hold no plain text with these.
        && !text.contains(['[', ']', '{', '}', ','])
        && Scalar::plain(text).resolve() == Resolved::Text
}

/// Whether a text of several lines reads best as a block, and can be one.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.trim() != ""
        && text
            .chars()
            .all(|c| c == '\n' || (!c.is_control() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')))
        && text.lines().all(|line| line.trim() != "" || line.is_empty())
}

/// A text in double quotes, with YAML's escapes.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                out.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diag::Sources;
    use crate::yaml::{Node, read};

    fn text_of(node: &Node, key: &str) -> Option<String> {
        let value = &node.mapping()?.find(key)?.value;
        let text = value.scalar().filter(|scalar| scalar.resolve() == Resolved::Text)?.text.clone();
        Some(text)
    }

    fn round_trip(text: &str) -> Option<String> {
        let written = write(&serde_json::json!({ "outer": [{ "a": text }] })).expect("text can be written");
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", &written);
        let documents = read(&written, file).unwrap_or_else(|faults| panic!("{written:?}: {faults:?}"));
        let outer = &documents[0].mapping()?.find("outer")?.value.sequence()?[0];
        text_of(outer, "a")
    }

    #[test]
    fn a_document_is_written_as_people_would() {
        let value = serde_json::json!({
            "services": { "web": { "image": "nginx:1.27", "command": ["nginx", "-g", "daemon off;"], "replicas": 3,
                "ports": [{ "target": 80, "published": 8080 }], "labels": {}, "init": true, "user": "0",
                "script": "a\n\n  b\n" } }
        });
        insta::assert_snapshot!(write(&value).expect("written"), @r#"
        services:
          web:
            command:
            - nginx
            - "-g"
            - daemon off;
            image: nginx:1.27
            init: true
            labels: {}
            ports:
            - published: 8080
              target: 80
            replicas: 3
            script: |
              a

                b
            user: "0"
        "#);
    }

    #[test]
    fn what_is_a_template_gives_every_dollar_back() {
        let value = serde_json::json!({ "$key": ["$A", "${B:-x}", "$$", "a"] });
        let text = write_template(&value).expect("written");
        assert_eq!(text, "$key:\n- $$A\n- \"$${B:-x}\"\n- $$$$\n- a\n");
    }

    #[test]
    fn a_mode_is_written_in_octal_and_read_as_the_number() {
        let text = write(&std::collections::BTreeMap::from([("mode", Octal(0o440))])).expect("written");
        assert_eq!(text, "mode: 0440\n");
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", &text);
        let documents = read(&text, file).expect("YAML");
        let mode = &documents[0].mapping().expect("a mapping").find("mode").expect("the mode").value;
        assert_eq!(mode.scalar().map(Scalar::resolve), Some(Resolved::Int(0o440)));
    }

    #[test]
    fn texts_that_look_like_something_else_are_quoted() {
        for text in [
            "0444",
            "1_000",
            "0o17",
            "1e3",
            "~",
            "<<",
            "2001-12-14",
            "yes",
            "NO",
            "on",
            "",
            " a",
            "a ",
            "a: b",
            "a #b",
            "- a",
            "*a",
            "1:30",
            "null",
            "a:",
            "#",
            "multi\nline",
            "multi\nline\n",
            "\n",
            " lead\nx",
            "tab\t",
            "\u{1f}",
            "x\r\n",
            "${A}",
            "{{.Node.ID}}",
            "[a]",
            "é",
            "a\n \nb",
            "\u{feff}",
            "a\u{85}b",
            "--- a",
            "...",
        ] {
            assert_eq!(round_trip(text).as_deref(), Some(text), "{text:?}");
        }
    }

    /// What a tree says, without its places.
    fn value_of(node: &Node) -> serde_json::Value {
        match &node.value {
            crate::yaml::Value::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => serde_json::Value::Null,
                Resolved::Bool(value) => value.into(),
                Resolved::Int(value) => i64::try_from(value).expect("written from one").into(),
                Resolved::Float(value) => value.into(),
                Resolved::Timestamp(text) => panic!("nobody wrote the date {text}"),
                Resolved::Text => scalar.text.clone().into(),
            },
            crate::yaml::Value::Sequence(items) => items.iter().map(value_of).collect(),
            crate::yaml::Value::Mapping(mapping) => {
                let entries = mapping.entries.iter().map(|entry| (entry.key.clone(), value_of(&entry.value)));
                entries.collect::<serde_json::Map<_, _>>().into()
            }
        }
    }

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let text = || "\\PC{0,12}|[ -~\n\t]{0,16}|[0-9.:eE_xo+-]{0,8}|~|null|yes|<<|\\.\\.\\.|---";
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            text().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::vec((text(), inner), 0..5)
                    .prop_map(|entries| entries.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest::proptest! {
        /// Whatever stands at the root and in whatever: what is written is read as what it was.
        #[test]
        fn every_value_reads_back(value in values()) {
            let written = write(&value).expect("values can be written");
            let mut sources = Sources::new();
            let file = sources.add("a.yaml", &written);
            let documents = read(&written, file).unwrap_or_else(|faults| panic!("{written:?}: {faults:?}"));
            let again: Vec<_> = documents.iter().map(value_of).collect();
            proptest::prop_assert_eq!(again, [value], "{}", written);
        }

        #[test]
        fn every_text_reads_back(text in "\\PC{0,20}|[ -~\n\t]{0,30}") {
            proptest::prop_assert_eq!(round_trip(&text), Some(text));
        }
    }
}
