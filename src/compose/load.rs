//! Files → [`Compose`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, Loader};
use super::environment::Environments;
use super::unit::Units;
use super::{At, Compose, Context, Input, Loaded, accept, check, keys, merge, object, profile, service};
use crate::diag::{Diagnostic, Faults, Span, code};
use crate::model::{Confidential, Kind, StackName};
use crate::yaml::{Entry, Mapping, Node, Resolved, Value, View};

/// Reads, interpolates, merges and checks the files of one stack. All faults of all files are found in one run.
///
/// Each document first becomes whole: its variables are replaced, what it includes and its services extend is taken in.
/// Then documents are merged, and only the result is decoded; every value still has the place it came from.
pub fn load(input: &Input<'_>) -> Loaded {
    let mut loader = Loader::new(input);
    let mut documents = loader.documents();
    let Loader { mut sources, faults, units, modern, mut confidential, .. } = loader;
    let accepted = accept::read(documents.iter().map(|document| View::root(&document.node, &faults)));
    let environments = Environments::new(input, &units);
    for Document { node, .. } in &mut documents {
        check_version(node, &faults);
        environments.resolve(node, &mut sources, &faults);
    }
    let merged = documents.into_iter().reduce(|base, over| Document {
        node: if over.continues {
            merge::modern(base.node, over.node, &mut faults.borrow_mut())
        } else {
            merge::files(base.node, over.node, &mut faults.borrow_mut())
        },
        continues: false,
    });
    let mut compose = merged.and_then(|Document { mut node, .. }| {
        let disabled = profile::disable(&mut node, &profile::asked(input, &units.main().variables));
        forget_idle(&mut node, &disabled);
        misspelled(&disabled, input, &units, &faults);
        secrets(&node, &mut confidential);
        let context = Context::new(input, &units);
        let compose = decode(&View::root(&node, &faults), &context);
        confidential.extend(&context.confidential.take());
        let compose = compose?;
        Some((compose, profile::places(&disabled)))
    });
    let mut faults = faults.into_inner();
    if let Some((compose, disabled)) = &mut compose {
        check::references(compose, disabled, &mut faults);
    }
    let complete = !faults.any_errors();
    for unit in units.all() {
        unit.variables.secrets().for_each(|text| confidential.add(text));
    }
    let compose = compose.filter(|_| complete).map(|(compose, _)| Compose {
        accepted: accepted.clone(),
        confidential: confidential.clone(),
        ..compose
    });
    let mut diagnostics = accepted.filter(faults.into_sorted());
    // What Docker would make of a file that it refuses is of no use to anybody.
    let compares = |fault: &Diagnostic| matches!(fault.code, code::INTERPOLATION_DIFFERS | code::MERGE_DIFFERS);
    diagnostics.retain(|fault| !(modern && compares(fault)));
    Loaded { compose, diagnostics, confidential, sources }
}

/// The name that the stack's own files give it, its variables replaced; the last file that says one counts. What is wrong
/// with the files is told when they are loaded.
pub fn name(input: &Input<'_>) -> Option<String> {
    Loader::new(input).name()
}

/// What is wrong with the form of services that take no part. What Swarm cannot do need not bother those.
fn misspelled(disabled: &profile::Disabled, input: &Input<'_>, units: &Units, faults: &RefCell<Faults>) {
    let found = RefCell::new(Faults::new());
    let context = Context::new(input, units);
    let Some(span) = disabled.values().next().map(|service| service.key_span) else { return };
    let mapping = |entries| Node { span, tag: None, value: Value::Mapping(Mapping { entries }) };
    let services = mapping(disabled.values().cloned().collect());
    let document = mapping(vec![Entry { key: "services".to_owned(), key_span: span, value: services }]);
    if let Some(services) = View::root(&document, &found).find("services") {
        let decode = |name: &str, view: View<'_>| service::decode(name, view, &context).map(drop);
        let _: Option<BTreeMap<String, ()>> = services.entries(decode);
    }
    let form = [code::WRONG_TYPE, code::UNKNOWN_KEY, code::MISSING_KEY, code::INVALID_VALUE];
    let found = found.into_inner().into_sorted();
    faults.borrow_mut().extend(found.into_iter().filter(|fault| form.contains(&fault.code)));
}

/// Configs and secrets that only services name which take no part are as if they were not there.
fn forget_idle(document: &mut Node, disabled: &profile::Disabled) {
    if disabled.is_empty() {
        return;
    }
    for section in ["configs", "secrets"] {
        let idle: BTreeSet<String> = profile::idle(disabled, section, document);
        let Value::Mapping(keys) = &mut document.value else { return };
        let objects = keys.entries.iter_mut().find(|entry| entry.key == section);
        if let Some(Value::Mapping(objects)) = objects.map(|entry| &mut entry.value.value) {
            objects.entries.retain(|object| !idle.contains(&object.key));
        }
    }
}

/// Every text of a tree that must not be shown, and the words that a command becomes.
fn secrets(node: &Node, confidential: &mut Confidential) {
    match &node.value {
        // Hiding the word for one boolean would hide all others.
        Value::Scalar(scalar) if scalar.secret && !matches!(scalar.resolve(), Resolved::Bool(_)) => {
            confidential.add(&scalar.text);
            confidential.add(&scalar.go_text().unwrap_or_default());
            for word in super::shell::split(&scalar.text).unwrap_or_default() {
                confidential.add(&word);
            }
        }
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter().for_each(|item| secrets(item, confidential)),
        Value::Mapping(mapping) => mapping.entries.iter().for_each(|entry| secrets(&entry.value, confidential)),
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
    let mut compose = Compose {
        name,
        services: services.unwrap_or_default(),
        networks: object::section(&mut fields, "networks", object::network),
        volumes: object::section(&mut fields, "volumes", object::volume),
        configs: object::section(&mut fields, "configs", |view| object::file_object(view, Kind::Config, context)),
        secrets: object::section(&mut fields, "secrets", |view| object::file_object(view, Kind::Secret, context)),
        ..Compose::default()
    };
    keys::refuse(&mut fields, keys::FILE);
    compose.own = super::own::read(&mut fields, super::own::Place::Stack);
    fields.finish();
    Some(compose)
}
