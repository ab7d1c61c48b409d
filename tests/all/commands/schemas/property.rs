//! Documents made of the schema's own keys, with right shapes and wrong ones.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value, json};
use skep::compose::{self, Input, Mode, Variables};
use skep::diag::{Diagnostic, Severity, code};
use skep::source::Machine;

use super::*;

/// Texts that some grammar or other takes.
const TEXTS: &[&str] = &[
    "a",
    "",
    "1",
    "1s",
    "1m",
    "true",
    "0.5",
    "10.0.0.0/24",
    "10.0.0.1",
    "80:80",
    "/a:/b",
    "/a",
    "A=b",
    "a:10.0.0.1",
    "a.env",
    "part.yaml",
    "other",
    "volume",
    "bind",
    "tmpfs",
    "raw",
    "node.role == worker",
    "any",
    "${NONE:-1}",
];
/// Values of every shape.
const SHAPES: &[&str] =
    &["null", "true", "1", "1.5", "\"a\"", "[]", "[1]", "[\"a\"]", "[[]]", "{}", "{\"a\":1}", "{\"a\":\"b\"}"];

/// A source of decisions that ends: after the last one everything is the first choice.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn below(&mut self, bound: usize) -> usize {
        self.0.next().map_or(0, |byte| usize::from(*byte) % bound.max(1))
    }

    fn one<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> &'t T {
        of[self.below(of.len())]
    }

    /// A value such as a schema wants, or one time in sixteen something else.
    fn value(&mut self, schema: &Value, root: &Value) -> Value {
        if self.below(16) == 15 {
            return serde_json::from_str(self.one(SHAPES)).expect("JSON");
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
            return self.value(&root["$defs"][name], root);
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[self.below(words.len())].clone();
        }
        if schema["properties"].is_object() || schema["additionalProperties"].is_object() {
            return self.mapping(schema, root);
        }
        if let Some(any) = schema["anyOf"].as_array() {
            let chosen = self.below(any.len());
            return self.value(&any[chosen], root);
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds[self.below(kinds.len())].as_str(),
            kind => kind.as_str(),
        };
        match kind {
            Some("string") if schema["pattern"].is_string() => json!("${NONE:-a}"),
            Some("string") => json!(self.one(TEXTS)),
            Some("integer") => json!(self.below(100)),
            Some("number") => json!(self.below(4) as f64 / 4.0),
            Some("boolean") => json!(self.below(2) == 1),
            Some("array") => (0..self.below(3)).map(|_| self.value(&schema["items"], root)).collect(),
            Some("object") => self.mapping(schema, root),
            Some("null") => Value::Null,
            _ => serde_json::from_str(self.one(SHAPES)).expect("JSON"),
        }
    }

    fn mapping(&mut self, schema: &Value, root: &Value) -> Value {
        let mut mapping = Map::new();
        if let Some(properties) = schema["properties"].as_object() {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            for key in required.iter().filter_map(Value::as_str) {
                if self.below(16) < 15 {
                    mapping.insert(key.to_owned(), self.value(&properties[key], root));
                }
            }
            let keys: Vec<&String> = properties.keys().collect();
            for _ in 0..self.below(3) {
                let key = keys[self.below(keys.len())];
                mapping.insert(key.clone(), self.value(&properties[key], root));
            }
        }
        if schema["additionalProperties"].is_object() {
            for name in ["default", "other"].iter().take(self.below(3)) {
                mapping.insert((*name).to_owned(), self.value(&schema["additionalProperties"], root));
            }
        }
        match self.below(16) {
            14 => mapping.insert("x-mine".to_owned(), json!([1])),
            15 => mapping.insert("nosuch".to_owned(), json!("a")),
            _ => None,
        };
        Value::Object(mapping)
    }
}

/// A stack that is in order but for one value.
fn document(choices: &mut Choices<'_>, root: &Value) -> Value {
    let mut document = json!({ "services": { "web": { "image": "a" }, "other": { "image": "b" } } });
    let of = |section: &str| root["properties"][section].clone();
    let defined = |name: &str| root["$defs"][name].clone();
    match choices.below(8) {
        0 => {
            let key =
                choices.one(&["networks", "volumes", "configs", "secrets", "include", "x-skep", "name", "version"]);
            document[key] = choices.value(&of(key), root);
        }
        1 => document["networks"] = json!({ "it": choices.value(&defined("Network"), root) }),
        2 => document["secrets"] = json!({ "it": choices.value(&defined("Secret"), root) }),
        3 => document["services"]["web"]["deploy"] = choices.value(&defined("Deploy"), root),
        _ => {
            let service = defined("Service");
            let keys: Vec<&String> = service["properties"].as_object().expect("keys").keys().collect();
            let key = keys[choices.below(keys.len())].as_str();
            document["services"]["web"][key] = choices.value(&service["properties"][key], root);
        }
    }
    document
}

/// What the parser alone knows: grammars of text, which keys go together, what is defined. And nothing in the place of a
/// value, which the schema lets stand because it has a meaning in files that are merged.
fn is_the_parsers_alone(fault: &Diagnostic) -> bool {
    let shaped = [code::WRONG_TYPE, code::UNKNOWN_KEY, code::MISSING_KEY].contains(&fault.code);
    let grammars = ["a whole number, not text", "a number, not text", "true or false, not text", "`0444`, not text"];
    // A date is text to JSON, and a text of digits that a variable brings is a number to nobody.
    let of_nothing = fault.message.ends_with("not nothing")
        || fault.message.starts_with("`extends` must be the name")
        || fault.message.ends_with("not a date");
    let content =
        fault.message.ends_with("says nothing of its content") || fault.message.contains("needs the key `source`");
    !shaped || of_nothing || content || grammars.iter().any(|grammar| fault.message.ends_with(grammar))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000,
        failure_persistence: None,
        // The same documents each time: what one run proves, the next does not doubt. PROPTEST_RNG_SEED varies them.
        rng_seed: std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(RngSeed::Fixed(4)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_the_parser_takes_the_schema_takes(choices in proptest::collection::vec(any::<u8>(), 4..60)) {
        let known = known();
        let document = document(&mut Choices(choices.iter()), &known.schema);
        let file = known.directory.path().join("stack.yaml");
        std::fs::write(&file, document.to_string()).expect("written");
        let machine = Machine::new(known.directory.path(), None);
        let (paths, variables) = ([file.display().to_string()], Variables::new());
        let loaded = compose::load(&Input::new(&machine, &paths, &variables, Mode::Direct));
        let errors: Vec<_> = loaded.diagnostics.iter().filter(|fault| fault.severity == Severity::Error).collect();
        let refused = known.validator.iter_errors(&document).map(|error| format!("{}", error.instance_path())).next();
        if let Some(place) = refused {
            prop_assert!(!errors.is_empty(), "the schema alone refuses {document} at {place}");
        } else if let Some(fault) = errors.iter().find(|fault| {
            // What other files hold no schema of this one can know.
            let here = fault.span.is_none_or(|span| loaded.sources.path(span.file).ends_with("stack.yaml"));
            here && !is_the_parsers_alone(fault)
        }) {
            prop_assert!(false, "the parser alone refuses {document}: {}", fault.message);
        }
    }
}

struct Known {
    schema: Value,
    validator: jsonschema::Validator,
    directory: tempfile::TempDir,
}

/// The schema, compiled once, and a directory with what documents may name.
fn known() -> &'static Known {
    static KNOWN: std::sync::OnceLock<Known> = std::sync::OnceLock::new();
    KNOWN.get_or_init(|| {
        let schema = serde_json::to_value(Name::Stack.schema()).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in BESIDE {
            std::fs::write(directory.path().join(name), text).expect("written");
        }
        Known { schema, validator, directory }
    })
}
