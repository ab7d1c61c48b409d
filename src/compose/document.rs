//! From paths to documents: each opened, its variables replaced, what it includes and extends taken in.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::context::MAX_EXPANDED;
use super::family::Family;
use super::interpolate::{Interpolator, severity_of_undefined};
use super::template::Expansion;
use super::unit::{Unit, Units};
use super::{Input, Mode, Variables, content, encrypted, tags};
use crate::diag::{Diagnostic, Faults, FileId, Sources, Span, code};
use crate::model::files::directory;
use crate::model::{Confidential, FileError};
use crate::sops;
use crate::yaml::{self, Node};

/// How many values `extends` may copy in one stack, counted like those of aliases in one file.
const MAX_COPIED: usize = 1_000_000;

/// How many services one file may have: five times what docs/benchmarks.md measures with.
const MAX_SERVICES: usize = 5_000;
/// How many documents one file may have: each is merged into all before it.
const MAX_DOCUMENTS: usize = 100;

/// One document of a stack's own files.
pub(super) struct Document {
    /// The document.
    pub node: Node,
    /// Whether it follows another document in the same file: `docker stack deploy` knows no such, so its rule of merging
    /// does not hold.
    pub continues: bool,
}

/// Reads the files of one stack. All faults are collected; reading goes on.
pub(super) struct Loader<'a> {
    /// What is loaded.
    pub input: &'a Input<'a>,
    /// The texts.
    pub sources: Sources,
    /// The faults.
    pub faults: RefCell<Faults>,
    /// What paths and variables mean in each file.
    pub units: Units,
    /// Files that services extend, by path and by whose variables count.
    pub(super) families: HashMap<(String, usize), Option<Rc<Family>>>,
    /// Whether `docker stack deploy` refuses the stack, so that nobody relies on what it would make of it.
    pub modern: bool,
    /// Texts that came out of encrypted stack files.
    pub confidential: Confidential,
    /// How many files were included.
    pub(super) included: usize,
    left: usize,
    copied: usize,
}

/// A file that was opened: its path and its documents, as written.
type Opened = (String, Vec<Node>);

impl<'a> Loader<'a> {
    /// Nothing read yet.
    pub fn new(input: &'a Input<'a>) -> Self {
        let dir = input.paths.first().map_or("", |path| directory(path)).to_owned();
        Self {
            input,
            sources: Sources::new(),
            faults: RefCell::new(Faults::new()),
            units: Units::new(Unit { dir, variables: Rc::default() }),
            families: HashMap::new(),
            modern: false,
            confidential: Confidential::new(),
            included: 0,
            left: MAX_EXPANDED,
            copied: 0,
        }
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Diagnostic) {
        self.faults.borrow_mut().push(fault);
    }

    /// The documents of the stack's own files, in order, ready to be merged.
    pub fn documents(&mut self) -> Vec<Document> {
        if self.input.paths.is_empty() {
            self.fault(Diagnostic::error(code::FILE_UNREADABLE, "there is no stack file to read"));
        }
        let opened: Vec<Opened> = self.input.paths.iter().filter_map(|path| self.open(path, None)).collect();
        let variables = self.variables(&opened);
        let dir = self.units.main().dir.clone();
        let unit = Unit { dir, variables: Rc::new(variables) };
        self.units = Units::new(unit.clone());
        let mut documents = Vec::new();
        for (path, nodes) in opened {
            for (index, mut node) in nodes.into_iter().enumerate() {
                if index > 0 {
                    let message =
                        "this document is merged into the one before, where `docker stack deploy` leaves it out";
                    self.fault(Diagnostic::warning(code::MERGE_DIFFERS, message).at(node.span));
                }
                self.prepare(&mut node, &path, &unit, std::slice::from_ref(&path));
                documents.push(Document { node, continues: index > 0 });
            }
        }
        for at in 0..documents.len() {
            let (earlier, later) = documents.split_at_mut(at);
            let Some(over) = later.first_mut() else { continue };
            if let Some(tagged) = tags::first(&over.node) {
                if !earlier.is_empty() {
                    let message = "`!reset` and `!override` are obeyed, where `docker stack deploy` merges as if they were not there";
                    self.fault(Diagnostic::warning(code::MERGE_DIFFERS, message).at(tagged.span));
                }
                earlier.iter_mut().for_each(|base| tags::apply(&over.node, &mut base.node));
                tags::settle(&mut over.node);
            }
        }
        documents
    }

    /// Replaces a document's variables and takes in what it includes and extends. `trail` holds the files that lead here.
    pub fn prepare(&mut self, node: &mut Node, path: &str, unit: &Unit, trail: &[String]) {
        self.modern |= is_modern(node);
        self.interpolate(node, unit);
        self.include(node, unit, trail);
        self.extend(node, path, unit);
    }

    /// Replaces the variables of a tree.
    pub fn interpolate(&mut self, node: &mut Node, unit: &Unit) {
        let undefined = severity_of_undefined(self.input);
        let mut interpolator = Interpolator::new(&unit.variables, undefined, &self.sources, self.left);
        interpolator.tree(node, &mut self.faults.borrow_mut());
        self.left = interpolator.left();
    }

    /// The documents of the file at a located path, each a mapping; `None` where it cannot be read.
    pub fn open(&mut self, path: &str, cited: Option<Span>) -> Option<Opened> {
        let file = self.text(path, cited)?;
        match yaml::read(self.sources.text(file), file) {
            Ok(mut documents) => {
                match sops::decrypt(&mut documents, self.input.keys, path) {
                    Ok(texts) => texts.iter().for_each(|texts| self.confidential.extend(texts)),
                    Err(found) => {
                        self.faults.borrow_mut().extend(found);
                        return None;
                    }
                }
                let documents = self.mappings(file, documents);
                (!documents.is_empty()).then(|| (path.to_owned(), documents))
            }
            Err(found) => {
                self.faults.borrow_mut().extend(found);
                None
            }
        }
    }

    /// The documents that are mappings. An empty one after the first says nothing: `---` often ends a file.
    fn mappings(&self, file: FileId, documents: Vec<Node>) -> Vec<Node> {
        if documents.is_empty() {
            let fault = Diagnostic::error(code::WRONG_TYPE, "the stack file is empty");
            self.fault(fault.at(Span { file, start: 0, end: 0 }));
        }
        let mut first = true;
        let mut kept = Vec::with_capacity(documents.len().min(MAX_DOCUMENTS));
        for document in documents {
            if kept.len() == MAX_DOCUMENTS {
                let message = format!("the file holds more than {MAX_DOCUMENTS} documents");
                self.fault(Diagnostic::error(code::YAML_BOUNDS, message).at(document.span));
                break;
            }
            if let Some(mapping) = document.mapping() {
                let services = mapping.find("services").map(|entry| (entry.key_span, entry.value.mapping()));
                if let Some((span, Some(services))) = services
                    && services.entries.len() > MAX_SERVICES
                {
                    let message = format!("the file has more than {MAX_SERVICES} services");
                    self.fault(Diagnostic::error(code::YAML_BOUNDS, message).at(span));
                    break;
                }
                kept.push(document);
            } else if first || !document.is_null() {
                let message = format!("a stack file must be a mapping, not {}", document.describe());
                self.fault(Diagnostic::error(code::WRONG_TYPE, message).at(document.span));
            }
            first = false;
        }
        kept
    }

    /// The variables of the stack's own files: those given, where they are silent those of the `.env` beside the first
    /// file, and the stack's name where a file says `name`.
    fn variables(&mut self, opened: &[Opened]) -> Variables {
        let mut variables = self.input.variables.clone();
        if self.input.mode == Mode::Repository {
            let dir = self.units.main().dir.clone();
            if let Some(beside) = self.beside(&dir, &variables) {
                variables.fill(&beside);
            }
        }
        if let Some(own) = named(opened, &variables) {
            variables.insert("COMPOSE_PROJECT_NAME", self.input.stack.unwrap_or(&own), false);
        }
        variables
    }

    /// What the stack's own files call it. A name is no secret, and is read without a key: one that is encrypted is none.
    pub fn name(mut self) -> Option<String> {
        let mut read = |path: &String| yaml::open(self.input.files, path, None, &mut self.sources).ok();
        let opened = self.input.paths.iter().filter_map(|path| Some((path.clone(), read(path)?.1)));
        let opened: Vec<Opened> = opened.collect();
        let variables = self.variables(&opened);
        named(&opened, &variables).filter(|name| !name.starts_with("ENC["))
    }

    /// The variables of the `.env` in a directory; `None` where there is none.
    pub fn beside(&mut self, dir: &str, known: &Variables) -> Option<Variables> {
        let path = self.input.files.locate(dir, ".env").ok()?;
        if matches!(self.input.files.read(&path), Err(FileError::NotFound | FileError::Directory)) {
            return None;
        }
        self.variables_of(&path, None, known)
    }

    /// The variables of the file at a located path, read as Docker Compose reads one.
    pub fn variables_of(&mut self, path: &str, cited: Option<Span>, known: &Variables) -> Option<Variables> {
        let file = self.text(path, cited)?;
        let undefined = severity_of_undefined(self.input);
        let faults = &mut self.faults.borrow_mut();
        Some(encrypted::variables(&self.sources, file, self.input.keys, known, undefined, faults))
    }

    /// The text of the file at a located path; `None` where it cannot be read, or holds no content of its own.
    fn text(&mut self, path: &str, cited: Option<Span>) -> Option<FileId> {
        content::text(self.input, path, cited, &mut self.sources, &mut self.faults.borrow_mut())
    }

    /// Whether so many values more may be copied. Says so once where they may not.
    pub fn spend_copies(&mut self, count: usize, at: Span) -> bool {
        let before = self.copied;
        self.copied = self.copied.saturating_add(count);
        if before <= MAX_COPIED && self.copied > MAX_COPIED {
            let message = format!("what services extend fills more than {MAX_COPIED} values");
            self.fault(Diagnostic::error(code::YAML_BOUNDS, message).at(at));
        }
        self.copied <= MAX_COPIED
    }
}

/// The last `name` that documents say, its variables replaced; nothing where that is nothing.
fn named(opened: &[Opened], variables: &Variables) -> Option<String> {
    let documents = opened.iter().flat_map(|(_, documents)| documents);
    let mut names = documents.filter_map(|document| document.mapping()?.find("name")?.value.scalar());
    let lookup = |name: &str| variables.find(name).map(|found| found.value);
    let name = Expansion::new(&lookup, MAX_EXPANDED).expand(&names.next_back()?.text).ok()?;
    Some(name).filter(|name| !name.is_empty())
}

/// Whether a document has one of the keys that `docker stack deploy` knows of and refuses. Not all of them: this only spares
/// people a word on what it would do otherwise.
fn is_modern(document: &Node) -> bool {
    let Some(keys) = document.mapping() else { return false };
    let services = keys.find("services").and_then(|services| services.value.mapping());
    let mut services = services.map(|services| services.entries.as_slice()).unwrap_or_default().iter();
    let has = |service: &Node, key| service.mapping().is_some_and(|keys| keys.find(key).is_some());
    ["name", "include"].iter().any(|key| keys.find(key).is_some())
        || services.any(|service| has(&service.value, "extends") || has(&service.value, "profiles"))
}
