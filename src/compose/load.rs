//! Files → [`Compose`].

use std::cell::RefCell;

use super::environment::Environments;
use super::interpolate::{Interpolator, severity_of_undefined};
use super::{At, Compose, Context, Input, Loaded, Mode, Variables, check, dotenv, keys, merge, object, service};
use crate::diag::{Diagnostic, Faults, FileId, Sources, Span, code};
use crate::model::files::directory;
use crate::model::{FileError, Kind, StackName};
use crate::yaml::{self, Node, View};

/// Reads, interpolates, merges and checks the files of one stack. All faults of all files are found in one run.
pub fn load(input: &Input<'_>) -> Loaded {
    let mut sources = Sources::new();
    let faults = RefCell::new(Faults::new());
    let dir = input.paths.first().map_or("", |path| directory(path));
    let mut documents = read(input, &mut sources, &mut faults.borrow_mut());
    let beside = match input.mode {
        Mode::Repository => beside(input, dir, &mut sources, &mut faults.borrow_mut()),
        Mode::Direct => Variables::new(),
    };
    let mut variables = input.variables.clone();
    variables.fill(&beside);
    let mut interpolator = Interpolator::new(&variables, severity_of_undefined(input), &sources);
    for document in &mut documents {
        interpolator.tree(document, &mut faults.borrow_mut());
    }
    let environments = Environments::new(input, dir, &variables);
    for document in &mut documents {
        refuse_tags(document, &mut faults.borrow_mut());
        check_version(document, &faults);
        environments.resolve(document, &mut sources, &faults);
    }
    let merged = documents.into_iter().reduce(|base, over| merge::documents(base, over, &mut faults.borrow_mut()));
    let mut compose = merged.and_then(|tree| decode(&View::root(&tree, &faults), &Context::new(input, dir)));
    let mut faults = faults.into_inner();
    if let Some(compose) = &mut compose {
        check::references(compose, &mut faults);
    }
    let complete = !faults.any_errors();
    Loaded { compose: compose.filter(|_| complete), diagnostics: faults.into_sorted(), sources }
}

/// The first document of every file that can be read.
fn read(input: &Input<'_>, sources: &mut Sources, faults: &mut Faults) -> Vec<Node> {
    let mut documents = Vec::new();
    if input.paths.is_empty() {
        faults.push(Diagnostic::error(code::FILE_UNREADABLE, "there is no stack file to read"));
    }
    for path in input.paths {
        match yaml::open(input.files, path, None, sources) {
            Err(found) => faults.extend(found),
            Ok((file, read)) => documents.extend(one(file, read, faults)),
        }
    }
    documents
}

fn one(file: FileId, documents: Vec<Node>, faults: &mut Faults) -> Option<Node> {
    let mut documents = documents.into_iter();
    let first = documents.next();
    if let Some(second) = documents.next() {
        let message = "skep does not carry out files with several documents yet";
        let fault = Diagnostic::error(code::COMPOSE_NOT_LOWERED, message).at(second.span);
        faults.push(fault.hint("`docker stack deploy` reads the first and leaves out the rest in silence"));
    }
    match first {
        Some(document) if document.mapping().is_some() => Some(document),
        Some(document) => {
            let message = format!("a stack file must be a mapping, not {}", document.describe());
            faults.push(Diagnostic::error(code::WRONG_TYPE, message).at(document.span));
            None
        }
        None => {
            let fault = Diagnostic::error(code::WRONG_TYPE, "the stack file is empty");
            faults.push(fault.at(Span { file, start: 0, end: 0 }));
            None
        }
    }
}

/// The variables of the `.env` beside the first file, if there is one.
fn beside(input: &Input<'_>, dir: &str, sources: &mut Sources, faults: &mut Faults) -> Variables {
    let Ok(path) = input.files.locate(dir, ".env") else { return Variables::new() };
    if matches!(input.files.read(&path), Err(FileError::NotFound | FileError::Directory)) {
        return Variables::new();
    }
    match yaml::text_of(input.files, &path, None, sources) {
        Ok(file) => dotenv::parse(sources.text(file), file, input.variables, severity_of_undefined(input), faults),
        Err(found) => {
            faults.extend(found);
            Variables::new()
        }
    }
}

/// `!reset` and `!override` would change what a merge gives. Any other tag means nothing, as in Docker.
fn refuse_tags(node: &Node, faults: &mut Faults) {
    if let Some(tag) = node.tag.as_deref().filter(|tag| matches!(*tag, "!reset" | "!override")) {
        let message = format!("skep does not carry out the tag `{tag}` yet");
        faults.push(Diagnostic::error(code::COMPOSE_NOT_LOWERED, message).at(node.span));
    }
    match &node.value {
        yaml::Value::Scalar(_) => {}
        yaml::Value::Sequence(items) => items.iter().for_each(|item| refuse_tags(item, faults)),
        yaml::Value::Mapping(mapping) => mapping.entries.iter().for_each(|entry| refuse_tags(&entry.value, faults)),
    }
}

/// `version` selects nothing, but a file of another format is not read as one of this.
fn check_version(document: &Node, faults: &RefCell<Faults>) {
    let root = View::root(document, faults);
    let Some(version) = root.find("version") else { return };
    let Some(scalar) = version.node().scalar() else { return version.wrong_type("text") };
    let minor = match scalar.text.split_once('.') {
        Some(("3", minor)) => Some(minor),
        None if matches!(scalar.text.as_str(), "3" | "") => Some("0"),
        _ => None,
    };
    if !minor.is_some_and(|minor| minor.len() <= 2 && minor.bytes().all(|b| b.is_ascii_digit()) && !minor.is_empty()) {
        let message = format!("`version`: `{}` is not a version of the format that stacks have", scalar.text);
        version.fault(
            Diagnostic::error(code::COMPOSE_UNSUPPORTED, message)
                .at(version.span())
                .hint("leave `version` out, or write `version: \"3.8\"`"),
        );
    }
}

fn decode(root: &View<'_>, context: &Context<'_>) -> Option<Compose> {
    let mut fields = root.fields()?;
    fields.take("version");
    let name = fields.take("name").and_then(|view| {
        let name = view.text()?;
        match StackName::parse(&name) {
            Ok(_) => Some(At::new(name, view.span())),
            Err(error) => {
                view.fault(Diagnostic::error(code::INVALID_NAME, format!("`name`: {error}")).at(view.span()));
                None
            }
        }
    });
    if !["services", "configs", "secrets"].iter().any(|key| fields.has(key)) {
        let fault = Diagnostic::error(code::MISSING_KEY, "the stack has no `services`");
        root.fault(fault.at(Span { end: root.span().start, ..root.span() }));
    }
    let services = fields.take("services").and_then(|view| {
        view.entries(|name, view| Some(At::new(service::decode(name, view, context)?, view.key_span())))
    });
    let compose = Compose {
        name,
        services: services.unwrap_or_default(),
        networks: object::section(&mut fields, "networks", object::network),
        volumes: object::section(&mut fields, "volumes", object::volume),
        configs: object::section(&mut fields, "configs", |view| object::file_object(view, Kind::Config, context)),
        secrets: object::section(&mut fields, "secrets", |view| object::file_object(view, Kind::Secret, context)),
    };
    keys::refuse(&mut fields, keys::FILE);
    object::extensions(&mut fields);
    fields.finish();
    Some(compose)
}
