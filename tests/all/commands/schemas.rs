//! The schemas of what people write: they take what the parser takes, and refuse what it refuses.

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
fn json(path: &Path) -> Value {
    let machine = Machine::new("/", None);
    let mut sources = Sources::new();
    let (_, documents) = yaml::open(&machine, &path.display().to_string(), None, &mut sources)
        .unwrap_or_else(|faults| panic!("{}: {faults:?}", path.display()));
    value(&documents[0])
}

fn value(node: &Node) -> Value {
    match &node.value {
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

/// Stack files, and whether they are taken.
const SAMPLES: &[(&str, bool)] = &[
    ("services: { web: { image: a } }", true),
    ("services: { web: { image: a, ports: ['80:80', 443, { target: 80, published: '8080' }] } }", true),
    ("services: { web: { image: a, environment: { A: 1, B: null, C: true } } }", true),
    ("services: { web: { image: a, deploy: { replicas: '${N:-2}' } } }", true),
    ("services: { web: { image: a, x-mine: 1 } }\nx-also: [1]", true),
    ("services: { web: { image: a, networks: { default: { aliases: [b] } } } }", true),
    ("services: { web: { image: a, healthcheck: { test: [CMD, true], interval: 5s } } }", false),
    ("services: { web: { image: a, healthcheck: { test: [CMD, 'true'], interval: 5s } } }", true),
    ("services: { web: { imgae: a } }", false),
    ("services: { web: { image: [a] } }", false),
    ("services: { web: { image: a, ports: 80 } }", false),
    ("services: { web: { image: a, deploy: { replicas: [1] } } }", false),
    ("services: { web: { image: a, deploy: { replcas: 1 } } }", false),
    ("services: [web]", false),
    ("service: { web: { image: a } }", false),
    ("services: { web: { image: a } }\nnetworks: { n: { driverr: overlay } }", false),
    ("services: { web: { image: a } }\nconfigs: { c: { fil: a } }", false),
];

#[test]
fn schema_and_parser_agree_on_samples() {
    let directory = tempfile::tempdir().expect("a directory");
    for (text, taken) in SAMPLES {
        let file = directory.path().join("stack.yaml");
        std::fs::write(&file, text).expect("written");
        let by_schema = faults(Name::Stack, &json(&file));
        let machine = Machine::new(directory.path(), None);
        let (paths, variables) = ([file.display().to_string()], Variables::new());
        let loaded = compose::load(&Input::new(&machine, &paths, &variables, Mode::Direct));
        let by_parser = !skep::diag::has_errors(&loaded.diagnostics);
        assert_eq!(by_parser, *taken, "the parser on {text}: {:?}", loaded.diagnostics);
        assert_eq!(by_schema.is_empty(), *taken, "the schema on {text}: {by_schema:?}");
    }
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
