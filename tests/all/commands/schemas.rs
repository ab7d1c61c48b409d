//! The schemas of what people write: they take what the parser takes, and refuse what it refuses.

mod property;
mod samples;

use std::path::{Path, PathBuf};

use serde_json::Value;
use skep::cli::schema::Name;
use skep::compose::{self, Input, Mode, Variables};
use skep::diag::{Faults, Sources};
use skep::source::Machine;
use skep::yaml::{self, Node, Resolved};

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push(path);
        }
    }
}

/// A YAML file as JSON, by the parser's own reader.
pub fn json(path: &Path) -> Value {
    let machine = Machine::new("/", None);
    let mut sources = Sources::new();
    let (_, documents) = yaml::open(&machine, &path.display().to_string(), None, &mut sources)
        .unwrap_or_else(|faults| panic!("{}: {faults:?}", path.display()));
    value(&documents[0])
}

fn value(node: &Node) -> Value {
    match &node.value {
        // An editor sees what the tag stands at; it is nothing, most often.
        _ if node.tag.as_deref() == Some("!reset") => Value::Null,
        yaml::Value::Sequence(items) => items.iter().map(value).collect(),
        yaml::Value::Mapping(mapping) => {
            mapping.entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect()
        }
        yaml::Value::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => value.into(),
            Resolved::Int(number) => i64::try_from(number).expect("a small number").into(),
            Resolved::Float(number) => number.into(),
            Resolved::Timestamp(text) => text.into(),
            Resolved::Text => scalar.text.clone().into(),
        },
    }
}

fn faults(name: Name, value: &Value) -> Vec<String> {
    let schema = serde_json::to_value(name.schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn schema_of(path: &Path) -> Name {
    match path.file_name().and_then(|name| name.to_str()) {
        Some("skep.yaml") => Name::Skep,
        Some("skep-config.yaml") => Name::Config,
        _ => Name::Stack,
    }
}

#[test]
fn every_example_is_as_its_schema_says() {
    let mut examples = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), &mut examples);
    assert!(examples.len() > 15, "{examples:?}");
    for example in examples {
        let text = std::fs::read_to_string(&example).expect("read");
        if !text.contains("services:") && schema_of(&example) == Name::Stack {
            continue;
        }
        let found = faults(schema_of(&example), &json(&example));
        assert!(found.is_empty(), "{}: {found:#?}", example.display());
    }
}

#[test]
fn every_stack_of_the_corpus_is_as_the_schema_says() {
    let Some(corpus) = std::env::var_os("SKEP_CORPUS") else {
        crate::reference::skip("other people's stacks beside the schema", "SKEP_CORPUS is not set");
        return;
    };
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(corpus).expect("a directory") {
        let file = entry.expect("an entry").path().join("compose.yaml");
        if file.is_file() {
            let found = faults(Name::Stack, &json(&file));
            if !found.is_empty() {
                wrong.push(format!("{}: {found:#?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files that the samples name.
const BESIDE: &[(&str, &str)] =
    &[("a.env", "A=1\n"), ("b.env", "B=1\n"), ("part.yaml", "services: { part: { image: a } }\n")];

/// The document and whether each takes it: the parser, the schema.
fn verdicts(directory: &Path, text: &str) -> (Vec<String>, Vec<String>) {
    let file = directory.join("stack.yaml");
    std::fs::write(&file, text).expect("written");
    let machine = Machine::new(directory, None);
    let mut variables = Variables::new();
    variables.insert("SAMPLE", "sampled", false);
    let paths = [file.display().to_string()];
    let loaded = compose::load(&Input::new(&machine, &paths, &variables, Mode::Direct));
    let errors = loaded.diagnostics.iter().filter(|fault| fault.severity == skep::diag::Severity::Error);
    (errors.map(|fault| fault.message.clone()).collect(), faults(Name::Stack, &json(&file)))
}

#[test]
fn schema_and_parser_agree_on_samples() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in BESIDE {
        std::fs::write(directory.path().join(name), text).expect("written");
    }
    let objects = "configs: { c: { content: a } }\nsecrets: { s: { file: a.env } }\nnetworks: { n: null }\n";
    let other = "other: { image: b }";
    let service = |key: &str, value: &str| match key {
        "image" => format!("services: {{ web: {{ image: {value} }} }}"),
        _ => format!("services: {{ web: {{ image: a, {key}: {value} }}, {other} }}\n{objects}"),
    };
    let deploy = |key: &str, value: &str| format!("services: {{ web: {{ image: a, deploy: {{ {key}: {value} }} }} }}");
    let within = |section: &str, rest: &str, key: &str, value: &str| {
        format!("services: {{ web: {{ image: a }} }}\n{section}: {{ it: {{ {rest}{key}: {value} }} }}")
    };
    let mut samples: Vec<(String, bool)> =
        samples::FILES.iter().map(|(text, taken)| ((*text).to_owned(), *taken)).collect();
    let mut add = |rows: &[(&str, &[&str], &[&str])], document: &dyn Fn(&str, &str) -> String| {
        for (key, taken, refused) in rows {
            samples.extend(taken.iter().map(|value| (document(key, value), true)));
            samples.extend(refused.iter().map(|value| (document(key, value), false)));
        }
    };
    add(samples::SERVICE, &service);
    add(samples::DEPLOY, &deploy);
    add(samples::NETWORK, &|key, value| within("networks", "", key, value));
    add(samples::VOLUME, &|key, value| within("volumes", "", key, value));
    add(samples::CONFIG, &|key, value| within("configs", "content: a, ", key, value));
    let mut wrong = Vec::new();
    for (text, taken) in &samples {
        let (parser, schema) = verdicts(directory.path(), text);
        if parser.is_empty() != *taken || schema.is_empty() != *taken {
            wrong.push(format!("{text}\n  to be taken: {taken}\n  parser: {parser:?}\n  schema: {schema:?}"));
        }
    }
    assert!(samples.len() > 250, "{}", samples.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn fleet_schema_and_parser_agree_on_samples() {
    let directory = tempfile::tempdir().expect("a directory");
    for (text, taken) in [
        ("version: 1\nstacks: [{ discover: '*' }]", true),
        ("version: 1\nstacks: [{ name: shop, files: [a.yaml, '?b.yaml'], dependsOn: [x] }]\nvariables: { A: b }", true),
        ("version: 1\ndefaults: { sync: { mode: manual, drift: report }, timeout: 5m }", true),
        ("version: 1\nstack: [{ discover: '*' }]", false),
        ("version: 1\nstacks: { discover: '*' }", false),
        ("version: 1\ndefaults: { sync: { mode: never } }", false),
    ] {
        let file = directory.path().join("skep.yaml");
        std::fs::write(&file, text).expect("written");
        let mut sources = Sources::new();
        let machine = Machine::new(directory.path(), None);
        let (_, documents) = yaml::open(&machine, &file.display().to_string(), None, &mut sources).expect("YAML");
        let mut found = Faults::new();
        skep::settings::read_fleet(&documents[0], &mut found);
        assert_eq!(!found.any_errors(), taken, "the parser on {text}");
        let by_schema = faults(Name::Skep, &json(&file));
        assert_eq!(by_schema.is_empty(), taken, "the schema on {text}: {by_schema:?}");
    }
}
