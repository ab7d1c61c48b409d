//! A service's variables: `env_file` and `environment` of one file become one mapping, before files are merged, as
//! `docker stack deploy` does it. Its labels likewise: those of `label_file` stand below its own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use indexmap::IndexMap;

use super::context::MAX_CONTENT;
use super::encrypted::Text;
use super::interpolate::severity_of_undefined;
use super::unit::Units;
use super::{Input, Variables, content, dotenv, env_file, keys};
use crate::diag::{Diagnostic, Faults, FileId, Sources, Span, code};
use crate::model::FileError;
use crate::yaml::{Entry, Mapping, Node, Scalar, Value, View};

/// A variable's value and place.
struct Variable {
    value: Option<String>,
    secret: bool,
    key_span: Span,
    span: Span,
}

/// A file of variables that a service names.
struct Wanted {
    path: String,
    /// Where it is named.
    span: Span,
    /// Whether its absence is a fault.
    required: bool,
    form: Form,
}

/// How a file of variables is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Literally, as `docker stack deploy` reads what it knows; `format: raw` asks for the same.
    Literal,
    /// As Docker Compose reads what is named by a mapping: quotes, comments and references count.
    Compose,
}

/// What a line of an env file counts beside its bytes. Each service that names the file has every variable of it.
const PER_LINE: usize = 350;

/// Reads the variables of services.
pub(super) struct Environments<'a> {
    input: &'a Input<'a>,
    units: &'a Units,
    /// What `env_file` named already, by path: many services share one.
    read: RefCell<HashMap<String, Option<FileId>>>,
    left: Cell<usize>,
}

impl<'a> Environments<'a> {
    /// For all files of a stack. Absent and empty values are taken from the variables of their file.
    pub fn new(input: &'a Input<'a>, units: &'a Units) -> Self {
        Self { input, units, read: RefCell::default(), left: Cell::new(MAX_CONTENT) }
    }

    /// Replaces `environment` and `env_file` of every service of a document by one `environment` mapping, and `labels` and
    /// `label_file` by one `labels` mapping.
    pub fn resolve(&self, document: &mut Node, sources: &mut Sources, faults: &RefCell<Faults>) {
        let mut resolved: HashMap<String, (Option<Mapping>, Option<Mapping>)> = {
            let root = View::root(document, faults);
            let Some(services) = root.find("services") else { return };
            if services.node().mapping().is_none() {
                return;
            }
            let both = |_: &str, service: View<'_>| {
                Some((self.service(&service, sources, faults), self.labels(&service, sources, faults)))
            };
            services.entries(both).unwrap_or_default()
        };
        let Value::Mapping(document) = &mut document.value else { return };
        let services = document.entries.iter_mut().find(|entry| entry.key == "services");
        let Some(Value::Mapping(services)) = services.map(|entry| &mut entry.value.value) else { return };
        for service in &mut services.entries {
            let Value::Mapping(keys) = &mut service.value.value else { continue };
            let (variables, labels) = resolved.remove(&service.key).unwrap_or_default();
            if let Some(variables) = variables {
                replace(keys, &["environment", "env_file"], variables);
            }
            if let Some(labels) = labels {
                replace(keys, &["labels", "label_file"], labels);
            }
        }
    }

    /// The labels of one service; `None` where no file holds any.
    fn labels(&self, service: &View<'_>, sources: &mut Sources, faults: &RefCell<Faults>) -> Option<Mapping> {
        let files = service.find("label_file").filter(|files| !files.is_null())?;
        let mut all = IndexMap::new();
        for path in super::cast::placed_texts(files).unwrap_or_default() {
            let wanted = Wanted { path: path.0, span: path.1, required: true, form: Form::Compose };
            let Some(file) = self.open(&wanted, sources, faults) else { continue };
            if let Some(text) = self.text(file, sources, faults) {
                self.compose(file, &text, wanted.span, &IndexMap::new(), faults, &mut all);
            }
        }
        if let Some(own) = service.find("labels") {
            all.extend(self.spoken(&own));
        }
        Some(mapping(all))
    }

    /// The variables of one service; `None` where it says nothing of them.
    fn service(&self, service: &View<'_>, sources: &mut Sources, faults: &RefCell<Faults>) -> Option<Mapping> {
        let (files, given) = (service.find("env_file"), service.find("environment"));
        if files.is_none() && given.is_none() {
            return None;
        }
        let spoken = given.map(|view| self.spoken(&view)).unwrap_or_default();
        let mut all = IndexMap::new();
        for wanted in files.map(wanted).unwrap_or_default() {
            self.read(&wanted, &spoken, sources, faults, &mut all);
        }
        for (name, variable) in spoken {
            self.add(name, variable, faults, &mut all);
        }
        Some(mapping(all))
    }

    /// What `environment` says.
    fn spoken(&self, view: &View<'_>) -> IndexMap<String, Variable> {
        let places = places(view);
        let pairs = super::cast::pairs(*view).unwrap_or_default();
        let variable = |(name, value): (String, Option<String>)| {
            let (key_span, span, secret) =
                places.get(name.as_str()).copied().unwrap_or((view.span(), view.span(), true));
            (name, Variable { value, secret, key_span, span })
        };
        pairs.into_iter().map(variable).collect()
    }

    fn read(
        &self,
        wanted: &Wanted,
        spoken: &IndexMap<String, Variable>,
        sources: &mut Sources,
        faults: &RefCell<Faults>,
        all: &mut IndexMap<String, Variable>,
    ) {
        let Some(file) = self.open(wanted, sources, faults) else { return };
        let Some(text) = self.text(file, sources, faults) else { return };
        match wanted.form {
            Form::Literal => self.literal(file, &text, &self.units.of(wanted.span).variables, faults, all),
            Form::Compose => self.compose(file, &text, wanted.span, spoken, faults, all),
        }
    }

    /// The text of a file that was opened, in clear.
    fn text<'s>(&self, file: FileId, sources: &'s Sources, faults: &RefCell<Faults>) -> Option<Text<'s>> {
        Text::open(sources, file, self.input.keys).map_err(|fault| faults.borrow_mut().push(*fault)).ok()
    }

    /// A file; `None` where it cannot be read, or need not be there and is not.
    fn open(&self, wanted: &Wanted, sources: &mut Sources, faults: &RefCell<Faults>) -> Option<FileId> {
        let located = match self.input.files.locate(&self.units.of(wanted.span).dir, &wanted.path) {
            Ok(located) => located,
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", wanted.path);
                faults.borrow_mut().push(Diagnostic::error(code::FILE_OUTSIDE, message).at(wanted.span));
                return None;
            }
        };
        let files = self.input.files;
        let is_absent = || matches!(files.read(&located), Err(FileError::NotFound));
        // A commit does not hold the files of a submodule: there, absence is not what was meant.
        if !wanted.required && is_absent() && files.submodule(&located).is_none() {
            return None;
        }
        let known = self.read.borrow().get(&located).copied();
        let file = known.unwrap_or_else(|| {
            let file = content::text(self.input, &located, Some(wanted.span), sources, &mut faults.borrow_mut());
            self.read.borrow_mut().insert(located, file);
            file
        })?;
        let text = sources.text(file);
        let size = text.len() + text.bytes().filter(|byte| *byte == b'\n').count() * PER_LINE;
        if size > self.left.get() {
            let message = format!(
                "the env files of the stack fill more than {} MiB, where each line counts as {PER_LINE} bytes more",
                MAX_CONTENT >> 20
            );
            faults.borrow_mut().push(Diagnostic::error(code::YAML_BOUNDS, message).at(wanted.span));
            return None;
        }
        self.left.set(self.left.get() - size);
        Some(file)
    }

    fn literal(
        &self,
        file: FileId,
        text: &Text<'_>,
        variables: &Variables,
        faults: &RefCell<Faults>,
        all: &mut IndexMap<String, Variable>,
    ) {
        let mut found = Faults::new();
        let lines = env_file::parse(text.content(), file, &mut found);
        faults.borrow_mut().extend(text.faults(found));
        for line in lines {
            // A name alone in a file is the environment's or nothing at all.
            let inherited = line.value.is_none().then(|| variables.find(line.name)).flatten();
            let Some(value) = line.value.or(inherited.map(|found| found.value)) else { continue };
            let secret = text.is_secret() || inherited.is_some_and(|found| found.secret);
            let span = text.place(line.span);
            let variable = Variable { value: Some(value.to_owned()), secret, key_span: span, span };
            self.add(line.name.to_owned(), variable, faults, all);
        }
    }

    /// References mean the stack's variables first, then what the service itself says.
    fn compose(
        &self,
        file: FileId,
        text: &Text<'_>,
        cited: Span,
        spoken: &IndexMap<String, Variable>,
        faults: &RefCell<Faults>,
        all: &mut IndexMap<String, Variable>,
    ) {
        let mut own = Variables::new();
        if text.content().contains('$') {
            for (name, variable) in spoken {
                if let Some(value) = &variable.value {
                    own.insert(name.as_str(), value.as_str(), variable.secret);
                }
            }
        }
        let variables = self.units.of(cited).variables.as_ref();
        let known = if own.is_empty() {
            variables
        } else {
            own.extend(variables);
            &own
        };
        let undefined = severity_of_undefined(self.input);
        let mut found = Faults::new();
        let lines = dotenv::lines(text.content(), file, known, undefined, &mut found);
        faults.borrow_mut().extend(text.faults(found));
        for line in lines {
            let (span, secret) = (text.place(line.span), line.secret || text.is_secret());
            let variable = Variable { value: Some(line.value), secret, key_span: span, span };
            all.insert(line.name, variable);
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
            && let Some(found) = self.units.of(variable.span).variables.find(&name)
        {
            if variable.value.is_some() && !found.value.is_empty() {
                let message = format!("`{name}` is empty here, so it takes the value of the variable `{name}`");
                let fault = Diagnostic::warning(code::EMPTY_VARIABLE, message).at(variable.span);
                faults
                    .borrow_mut()
                    .push(fault.hint("`docker stack deploy` does so too: give one of the two another name"));
            }
            variable.value = Some(found.value.to_owned());
            variable.secret |= found.secret;
        }
        all.insert(name, variable);
    }
}

/// The files of `env_file`: a text or a list, of texts or of mappings.
fn wanted(view: View<'_>) -> Vec<Wanted> {
    let one = |item: View<'_>| {
        if item.node().mapping().is_none() {
            return Some(Wanted { path: item.text()?, span: item.span(), required: true, form: Form::Literal });
        }
        let mut fields = item.fields()?;
        let path = fields.require("path").and_then(|path| Some((path.text()?, path.span())));
        let required = fields.said("required").and_then(super::cast::boolean).unwrap_or(true);
        let form =
            fields.said("format").and_then(|format| format.choice(&[("raw", Form::Literal), ("", Form::Compose)]));
        keys::finish(fields);
        let (path, span) = path?;
        Some(Wanted { path, span, required, form: form.unwrap_or(Form::Compose) })
    };
    match view.node().sequence() {
        Some(_) => view.list(one).unwrap_or_default(),
        None => one(view).into_iter().collect(),
    }
}

/// Where the variables of `environment` stand, and whether they are secret: key and value of the mapping form, the whole
/// item of the list form.
fn places<'a>(view: &View<'a>) -> HashMap<&'a str, (Span, Span, bool)> {
    let secret = |node: &Node| node.scalar().is_some_and(|scalar| scalar.secret);
    match &view.node().value {
        Value::Mapping(mapping) => mapping
            .entries
            .iter()
            .map(|entry| (entry.key.as_str(), (entry.key_span, entry.value.span, secret(&entry.value))))
            .collect(),
        Value::Sequence(items) => items
            .iter()
            .filter_map(|item| {
                let text = item.scalar()?.text.as_str();
                Some((text.split_once('=').map_or(text, |(name, _)| name), (item.span, item.span, secret(item))))
            })
            .collect(),
        Value::Scalar(_) => HashMap::new(),
    }
}

fn mapping(variables: IndexMap<String, Variable>) -> Mapping {
    let entry = |(key, variable): (String, Variable)| {
        let scalar = variable.value.map_or_else(|| Scalar::plain(""), Scalar::quoted);
        let value = Value::Scalar(Scalar { secret: variable.secret, ..scalar });
        Entry { key, key_span: variable.key_span, value: Node { span: variable.span, tag: None, value } }
    };
    Mapping { entries: variables.into_iter().map(entry).collect() }
}

/// Puts one mapping in the place of two keys, under the name of the first.
fn replace(keys: &mut Mapping, [name, other]: &[&str; 2], mapping: Mapping) {
    let is_one = |entry: &Entry| entry.key == *name || entry.key == *other;
    let Some(at) = keys.entries.iter().position(is_one) else { return };
    let Some((key_span, span)) = keys.entries.get(at).map(|entry| (entry.key_span, entry.value.span)) else { return };
    keys.entries.retain(|entry| !is_one(entry));
    let value = Node { span, tag: None, value: Value::Mapping(mapping) };
    keys.entries.insert(at.min(keys.entries.len()), Entry { key: (*name).to_owned(), key_span, value });
}
