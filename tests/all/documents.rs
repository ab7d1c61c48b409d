//! What is generated is current: schemas, the command line reference, what becomes of every key. `make generate` writes them anew.

use std::path::Path;

use skep::cli::schema::Name;
use skep::cli::{coverage, reference};

/// Compares a generated text with its file; with `SKEP_GENERATE` set, writes the file.
fn current(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("SKEP_GENERATE").is_some() {
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("made");
        std::fs::write(&file, text).expect("written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == text, "{path} is not current: run `make generate` and read the difference");
}

#[test]
fn schemas_are_current() {
    for name in Name::ALL {
        current(&format!("schemas/{}.schema.json", name.as_str()), &name.text());
    }
}

#[test]
fn the_command_line_reference_is_current() {
    current("docs/cli.md", &reference::page());
}

#[test]
fn what_becomes_of_every_key_is_current() {
    current("docs/compose.md", &coverage::page());
}

#[test]
fn every_schema_is_a_valid_schema() {
    for name in Name::ALL {
        let schema = serde_json::to_value(name.schema()).expect("JSON");
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{}: {error}", name.as_str()));
    }
}
