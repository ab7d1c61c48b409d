//! `include:` other files, each with a directory and variables of its own. What they define is as if it stood here; what
//! this file says of the same thing overrides.

use std::rc::Rc;

use super::cast;
use super::document::Loader;
use super::merge;
use super::tags;
use super::unit::Unit;
use crate::diag::{Diagnostic, Span, code};
use crate::model::files::directory;
use crate::yaml::{Entry, Mapping, Node, Value, View};

/// How deep files may include each other.
const MAX_DEPTH: usize = 16;
/// How many files one stack may include.
const MAX_INCLUDED: usize = 1000;
/// What a file takes over from those it includes. Their `name` and `x-` keys are theirs.
const SECTIONS: &[&str] = &["services", "networks", "volumes", "configs", "secrets"];

/// One entry of `include:`.
struct Wanted {
    /// The files: the later override the first.
    paths: Vec<(String, Span)>,
    /// What their relative paths begin at, if it is said.
    project_directory: Option<(String, Span)>,
    /// Files of variables, in place of the `.env` of their directory.
    env_files: Option<Vec<(String, Span)>>,
    span: Span,
}

impl Loader<'_> {
    /// Takes in what a document includes.
    pub(super) fn include(&mut self, document: &mut Node, unit: &Unit, trail: &[String]) {
        let wanted = {
            let root = View::root(document, &self.faults);
            root.find("include").map(|view| entries(&view))
        };
        let Some(wanted) = wanted else { return };
        if let Value::Mapping(mapping) = &mut document.value {
            mapping.entries.retain(|entry| entry.key != "include");
        }
        for wanted in wanted {
            if let Some(model) = self.included(&wanted, unit, trail) {
                import(model, document, &mut self.faults.borrow_mut());
            }
        }
    }

    /// The files of one entry as one document.
    fn included(&mut self, wanted: &Wanted, unit: &Unit, trail: &[String]) -> Option<Node> {
        let mut paths = Vec::new();
        for (path, span) in &wanted.paths {
            paths.push((self.locate(&unit.dir, path, *span)?, *span));
        }
        if let Some((path, span)) = paths.iter().find(|(path, _)| trail.contains(path)) {
            let circle: Vec<&str> =
                trail.iter().skip_while(|passed| *passed != path).map(String::as_str).chain([path.as_str()]).collect();
            let message = format!("files include each other in a circle: {}", circle.join(" → "));
            self.fault(Diagnostic::error(code::INCLUDE_CYCLE, message).at(*span));
            return None;
        }
        self.included += paths.len();
        if trail.len() >= MAX_DEPTH || self.included > MAX_INCLUDED {
            let message =
                format!("files include each other deeper than {MAX_DEPTH}, or more than {MAX_INCLUDED} in all");
            self.fault(Diagnostic::error(code::YAML_BOUNDS, message).at(wanted.span));
            return None;
        }
        let dir = match &wanted.project_directory {
            Some((dir, span)) => self.locate(&unit.dir, dir, *span)?,
            None => directory(&paths.first()?.0).to_owned(),
        };
        let own = Unit { variables: Rc::new(self.variables_for(wanted, unit, &dir)?), dir };
        let trail: Vec<String> = trail.iter().cloned().chain(paths.iter().map(|(path, _)| path.clone())).collect();
        let mut model: Option<Node> = None;
        for (path, span) in paths {
            let Some((path, documents)) = self.open(&path, Some(span)) else { continue };
            for mut document in documents {
                self.units.assign(document.span.file, own.clone());
                self.prepare(&mut document, &path, &own, &trail);
                model = Some(match model {
                    None => document,
                    Some(mut base) => {
                        tags::apply(&document, &mut base);
                        merge::modern(base, document, &mut self.faults.borrow_mut())
                    }
                });
            }
        }
        if let Some(model) = &mut model {
            tags::settle(model);
        }
        model
    }

    /// The variables of included files: those of the file that includes them, and where these are silent their own.
    fn variables_for(&mut self, wanted: &Wanted, unit: &Unit, dir: &str) -> Option<super::Variables> {
        let mut variables = unit.variables.as_ref().clone();
        match &wanted.env_files {
            None => {
                if let Some(beside) = self.beside(dir, &unit.variables) {
                    variables.fill(&beside);
                }
            }
            Some(files) => {
                let mut own = super::Variables::new();
                // The way to say that there is none.
                for (path, span) in files.iter().filter(|(path, _)| path != "/dev/null") {
                    let path = self.locate(&unit.dir, path, *span)?;
                    own.extend(&self.variables_of(&path, Some(*span), &unit.variables)?);
                }
                variables.fill(&own);
            }
        }
        Some(variables)
    }

    /// Where a path leads that is written in a file of a directory.
    pub(super) fn locate(&self, dir: &str, path: &str, span: Span) -> Option<String> {
        match self.input.files.locate(dir, path) {
            Ok(located) => Some(located),
            Err(error) => {
                let message = format!("`{path}` cannot be read: {error}");
                self.fault(Diagnostic::error(code::FILE_OUTSIDE, message).at(span));
                None
            }
        }
    }
}

fn entries(view: &View<'_>) -> Vec<Wanted> {
    if view.is_null() {
        return Vec::new();
    }
    view.list(entry).unwrap_or_default()
}

fn entry(view: View<'_>) -> Option<Wanted> {
    let span = view.span();
    if view.node().mapping().is_none() {
        let path = view.text()?;
        return Some(Wanted { paths: vec![(path, span)], project_directory: None, env_files: None, span });
    }
    let mut fields = view.fields()?;
    let paths = fields.require("path").and_then(cast::placed_texts);
    let project_directory = fields.said("project_directory").and_then(|dir| Some((dir.text()?, dir.span())));
    let env_files = fields.said("env_file").and_then(cast::placed_texts);
    super::keys::finish(fields);
    let paths = paths.filter(|paths| !paths.is_empty())?;
    Some(Wanted { paths, project_directory, env_files, span })
}

/// Adds what an included model defines to a document. Of what both define, the document's own word counts more.
fn import(model: Node, document: &mut Node, faults: &mut crate::diag::Faults) {
    let (Value::Mapping(model), Value::Mapping(document)) = (model.value, &mut document.value) else { return };
    for section in model.entries {
        if !SECTIONS.contains(&section.key.as_str()) || section.value.is_null() {
            continue;
        }
        let Some(own) = document.entries.iter_mut().find(|entry| entry.key == section.key) else {
            document.entries.push(section);
            continue;
        };
        if own.value.is_null() {
            own.value = section.value;
            continue;
        }
        let (Value::Mapping(from), Value::Mapping(to)) = (section.value.value, &mut own.value.value) else { continue };
        for entry in from.entries {
            match to.entries.iter_mut().find(|own| own.key == entry.key) {
                None => to.entries.push(entry),
                Some(own) => *own = overridden(&section.key, entry, own.clone(), faults),
            }
        }
    }
}

/// One thing that both define: the included one as the base.
fn overridden(section: &str, mut base: Entry, over: Entry, faults: &mut crate::diag::Faults) -> Entry {
    tags::apply(&over.value, &mut base.value);
    let within = |entry: Entry| {
        let span = entry.value.span;
        let inner = Node { span, tag: None, value: Value::Mapping(Mapping { entries: vec![entry] }) };
        let outer = Entry { key: section.to_owned(), key_span: span, value: inner };
        Node { span, tag: None, value: Value::Mapping(Mapping { entries: vec![outer] }) }
    };
    let merged = merge::modern(within(base), within(over.clone()), faults);
    let inner = |node: Node| match node.value {
        Value::Mapping(mapping) => mapping.entries.into_iter().next(),
        _ => None,
    };
    inner(merged).and_then(|section| inner(section.value)).unwrap_or(over)
}
