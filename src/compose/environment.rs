//! A service's variables: `env_file` and `environment` of one file become one mapping, before files are merged, as
//! `docker stack deploy` does it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use indexmap::IndexMap;

use super::context::MAX_CONTENT;
use super::{Input, Variables, env_file};
use crate::diag::{Diagnostic, Faults, FileId, Sources, Span, code};
use crate::yaml::{self, Entry, Mapping, Node, Scalar, Value, View};

/// A variable's value and place.
struct Variable {
    value: Option<String>,
    key_span: Span,
    span: Span,
}

/// Reads the variables of services.
pub(super) struct Environments<'a> {
    input: &'a Input<'a>,
    dir: &'a str,
    variables: &'a Variables,
    /// What `env_file` named already, by path: many services share one.
    read: RefCell<HashMap<String, Option<FileId>>>,
    left: Cell<usize>,
}

impl<'a> Environments<'a> {
    /// For all files of a stack. Absent and empty values are taken from `variables`.
    pub fn new(input: &'a Input<'a>, dir: &'a str, variables: &'a Variables) -> Self {
        Self { input, dir, variables, read: RefCell::default(), left: Cell::new(MAX_CONTENT) }
    }

    /// Replaces `environment` and `env_file` of every service of a document by one `environment` mapping.
    pub fn resolve(&self, document: &mut Node, sources: &mut Sources, faults: &RefCell<Faults>) {
        let mut resolved: HashMap<String, Mapping> = {
            let root = View::root(document, faults);
            let Some(services) = root.find("services") else { return };
            if services.node().mapping().is_none() {
                return;
            }
            services.entries(|_, service| self.service(&service, sources, faults)).unwrap_or_default()
        };
        let Value::Mapping(document) = &mut document.value else { return };
        let services = document.entries.iter_mut().find(|entry| entry.key == "services");
        let Some(Value::Mapping(services)) = services.map(|entry| &mut entry.value.value) else { return };
        for service in &mut services.entries {
            if let (Value::Mapping(keys), Some(mapping)) = (&mut service.value.value, resolved.remove(&service.key)) {
                replace(keys, mapping);
            }
        }
    }

    /// The variables of one service; `None` where it says nothing of them.
    fn service(&self, service: &View<'_>, sources: &mut Sources, faults: &RefCell<Faults>) -> Option<Mapping> {
        let (files, given) = (service.find("env_file"), service.find("environment"));
        if files.is_none() && given.is_none() {
            return None;
        }
        let mut all = IndexMap::new();
        if let Some(view) = files {
            for (path, span) in paths(view) {
                self.read(&path, span, sources, faults, &mut all);
            }
        }
        if let Some(view) = given {
            let spans = spans(&view);
            let pairs = super::cast::pairs(view).unwrap_or_default();
            for (name, value) in pairs {
                let (key_span, span) = spans.get(name.as_str()).copied().unwrap_or((view.span(), view.span()));
                self.add(name, Variable { value, key_span, span }, faults, &mut all);
            }
        }
        let entry = |(key, variable): (String, Variable)| Entry {
            key,
            key_span: variable.key_span,
            value: Node {
                span: variable.span,
                tag: None,
                value: Value::Scalar(variable.value.map_or_else(|| Scalar::plain(""), Scalar::quoted)),
            },
        };
        Some(Mapping { entries: all.into_iter().map(entry).collect() })
    }

    fn read(
        &self,
        path: &str,
        cited: Span,
        sources: &mut Sources,
        faults: &RefCell<Faults>,
        all: &mut IndexMap<String, Variable>,
    ) {
        let located = match self.input.files.locate(self.dir, path) {
            Ok(located) => located,
            Err(error) => {
                let message = format!("`{path}` cannot be read: {error}");
                return faults.borrow_mut().push(Diagnostic::error(code::FILE_OUTSIDE, message).at(cited));
            }
        };
        let known = self.read.borrow().get(&located).copied();
        let file = known.unwrap_or_else(|| {
            let read = yaml::text_of(self.input.files, &located, Some(cited), sources);
            let file = read.map_err(|found| faults.borrow_mut().extend(found)).ok();
            self.read.borrow_mut().insert(located, file);
            file
        });
        let Some(file) = file else { return };
        let size = sources.text(file).len();
        if size > self.left.get() {
            let message = format!("the env files of the stack fill more than {} MiB", MAX_CONTENT >> 20);
            return faults.borrow_mut().push(Diagnostic::error(code::YAML_BOUNDS, message).at(cited));
        }
        self.left.set(self.left.get() - size);
        let lines = env_file::parse(sources.text(file), file, &mut faults.borrow_mut());
        for line in lines {
            let value = match line.value {
                Some(value) => Some(value.to_owned()),
                // A name alone in a file is the environment's or nothing at all.
                None => match self.variables.find(line.name) {
                    Some(found) => Some(found.value.to_owned()),
                    None => continue,
                },
            };
            let variable = Variable { value, key_span: line.span, span: line.span };
            self.add(line.name.to_owned(), variable, faults, all);
        }
    }

    /// Adds a variable. One without content is the environment's where that has it.
    fn add(
        &self,
        name: String,
        mut variable: Variable,
        faults: &RefCell<Faults>,
        all: &mut IndexMap<String, Variable>,
    ) {
        if variable.value.as_deref().is_none_or(str::is_empty)
            && let Some(found) = self.variables.find(&name)
        {
            let value = found.value;
            if variable.value.is_some() && !value.is_empty() {
                let message = format!("`{name}` is empty here, so it takes the value of the variable `{name}`");
                let fault = Diagnostic::warning(code::EMPTY_VARIABLE, message).at(variable.span);
                faults
                    .borrow_mut()
                    .push(fault.hint("`docker stack deploy` does so too: give one of the two another name"));
            }
            variable.value = Some(value.to_owned());
        }
        all.insert(name, variable);
    }
}

/// The paths of `env_file`, which is a text or a list of texts.
fn paths(view: View<'_>) -> Vec<(String, Span)> {
    let path = |item: View<'_>| {
        if item.node().mapping().is_some() {
            let message = format!("skep does not carry out the mapping form of {} yet", item.name());
            item.fault(Diagnostic::error(code::COMPOSE_NOT_LOWERED, message).at(item.span()));
            return None;
        }
        item.text().map(|path| (path, item.span()))
    };
    match view.node().scalar() {
        Some(_) => path(view).into_iter().collect(),
        None => view.list(path).unwrap_or_default(),
    }
}

/// Where the variables of `environment` stand: key and value of the mapping form, the whole item of the list form.
fn spans<'a>(view: &View<'a>) -> HashMap<&'a str, (Span, Span)> {
    match &view.node().value {
        Value::Mapping(mapping) => {
            mapping.entries.iter().map(|entry| (entry.key.as_str(), (entry.key_span, entry.value.span))).collect()
        }
        Value::Sequence(items) => items
            .iter()
            .filter_map(|item| {
                let text = item.scalar()?.text.as_str();
                Some((text.split_once('=').map_or(text, |(name, _)| name), (item.span, item.span)))
            })
            .collect(),
        Value::Scalar(_) => HashMap::new(),
    }
}

fn replace(keys: &mut Mapping, variables: Mapping) {
    let Some(at) = keys.entries.iter().position(|entry| matches!(entry.key.as_str(), "environment" | "env_file"))
    else {
        return;
    };
    let (key_span, span) = keys.entries.get(at).map_or((None, None), |e| (Some(e.key_span), Some(e.value.span)));
    keys.entries.retain(|entry| !matches!(entry.key.as_str(), "environment" | "env_file"));
    if let (Some(key_span), Some(span)) = (key_span, span) {
        let value = Node { span, tag: None, value: Value::Mapping(variables) };
        let entry = Entry { key: "environment".to_owned(), key_span, value };
        keys.entries.insert(at.min(keys.entries.len()), entry);
    }
}
