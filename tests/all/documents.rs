//! What is generated is current: schemas, the command line reference, what becomes of every key. `make generate` writes them anew.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use skep::cli::arguments::Arguments;
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

#[test]
fn every_command_in_the_documents_is_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = root.join("docs").read_dir().expect("docs").map(|entry| entry.expect("an entry").path());
    let pages: Vec<PathBuf> =
        docs.chain([root.join("README.md")]).filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    let (mut tried, mut wrong) = (0, Vec::new());
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("a page");
        for command in commands(&text) {
            tried += 1;
            if let Err(error) = Arguments::try_parse_from(words(command)) {
                wrong.push(format!("{}: {command}: {}", page.display(), error.kind()));
            }
        }
    }
    assert!(tried > 20, "{tried} commands were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The lines of a page's shell blocks that begin with `skep`, a prompt before it or not.
fn commands(text: &str) -> Vec<&str> {
    let mut shell = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(language) = line.strip_prefix("```") {
            shell = matches!(language, "sh" | "console");
        } else if shell {
            let command = line.strip_prefix("$ ").unwrap_or(line);
            found.extend(command.starts_with("skep ").then_some(command));
        }
    }
    found
}

/// The words of a command up to a comment or what the shell does with its output; double quotes hold words together.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quoted, mut word) = (Vec::new(), false, String::new());
    for c in command.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    let ends = words.iter().position(|word| word.starts_with(['#', '>', '|', '&', ';']));
    words.truncate(ends.unwrap_or(words.len()));
    words
}
