//! `extends:` a service, of this file or of another: what that one says is the base, what this one says overrides.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::document::Loader;
use super::family::Family;
use super::unit::Unit;
use super::{merge, tags};
use crate::diag::{Diagnostic, Span, code, did_you_mean};
use crate::model::files::directory;
use crate::yaml::{Entry, Mapping, Node, Value, View};

/// How long a chain of services that extend each other may be.
const MAX_CHAIN: usize = 64;

/// What a service extends.
struct Wanted {
    service: String,
    file: Option<(String, Span)>,
    span: Span,
}

/// A service that is being extended: its file and its name.
type Step = (String, String);

impl Loader<'_> {
    /// Puts what they extend into the services of a document.
    pub(super) fn extend(&mut self, document: &mut Node, path: &str, unit: &Unit) {
        let Some(services) = document.mapping().and_then(|keys| keys.find("services")) else { return };
        let Some(services) = services.value.mapping() else { return };
        let extending: BTreeSet<String> =
            services.entries.iter().filter(|entry| extends(&entry.value).is_some()).map(|e| e.key.clone()).collect();
        if extending.is_empty() {
            return;
        }
        let family = Rc::new(Family {
            path: path.to_owned(),
            services: services.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect(),
            unit: unit.clone(),
            raw: false,
        });
        let mut extended: BTreeMap<String, Node> = BTreeMap::new();
        for name in extending {
            if let Some(node) = self.extended(&name, &family, &mut Vec::new()) {
                extended.insert(name, node);
            }
        }
        let Value::Mapping(keys) = &mut document.value else { return };
        let Some(services) = keys.entries.iter_mut().find(|entry| entry.key == "services") else { return };
        let Value::Mapping(services) = &mut services.value.value else { return };
        for service in &mut services.entries {
            match extended.remove(&service.key) {
                Some(node) => service.value = node,
                // It was reported; its `extends` says nothing more.
                None => drop(take(&mut service.value)),
            }
        }
    }

    /// A service with what it extends, all the way down.
    fn extended(&mut self, name: &str, family: &Rc<Family>, trail: &mut Vec<Step>) -> Option<Node> {
        let mut node = family.services.get(name)?.clone();
        if !self.spend_copies(size(&node), node.span) {
            return None;
        }
        if family.raw {
            self.interpolate(&mut node, &family.unit);
        }
        let Some(extends) = take(&mut node) else { return Some(node) };
        let wanted = {
            // Faults name the key, so it is read as one.
            let entry = Entry { key: "extends".to_owned(), key_span: extends.span, value: extends };
            let around =
                Node { span: entry.key_span, tag: None, value: Value::Mapping(Mapping { entries: vec![entry] }) };
            let root = View::root(&around, &self.faults);
            root.find("extends").and_then(|view| read(&view))?
        };
        let base_family = match &wanted.file {
            None => Rc::clone(family),
            Some((file, span)) => self.family(file, *span, &family.unit)?,
        };
        let step = (base_family.path.clone(), wanted.service.clone());
        trail.push((family.path.clone(), name.to_owned()));
        if trail.contains(&step) {
            let from = trail.iter().position(|passed| *passed == step).unwrap_or(0);
            let circle: Vec<&str> = trail.iter().skip(from).chain([&step]).map(|(_, name)| name.as_str()).collect();
            let message = format!("services extend each other in a circle: {}", circle.join(" → "));
            self.fault(Diagnostic::error(code::EXTENDS_CYCLE, message).at(wanted.span));
            return None;
        }
        if trail.len() > MAX_CHAIN {
            let message = format!("services extend each other in a chain of more than {MAX_CHAIN}");
            self.fault(Diagnostic::error(code::YAML_BOUNDS, message).at(wanted.span));
            return None;
        }
        if !base_family.services.contains_key(&wanted.service) {
            self.fault(undefined(&wanted, &base_family));
            return None;
        }
        let mut base = self.extended(&wanted.service, &base_family, trail)?;
        trail.pop();
        tags::settle(&mut base);
        tags::apply(&node, &mut base);
        Some(merge::modern_service(base, node, &mut self.faults.borrow_mut()))
    }

    /// The services of another file, read once for each that asks with the same variables.
    fn family(&mut self, file: &str, span: Span, unit: &Unit) -> Option<Rc<Family>> {
        let path = self.locate(&unit.dir, file, span)?;
        let key = (path.clone(), Rc::as_ptr(&unit.variables) as usize);
        if let Some(known) = self.families.get(&key) {
            return known.clone();
        }
        let family = self.read_family(&path, span, unit).map(Rc::new);
        self.families.insert(key, family.clone());
        family
    }

    fn read_family(&mut self, path: &str, span: Span, unit: &Unit) -> Option<Family> {
        let (path, documents) = self.open(path, Some(span))?;
        let unit = Unit { dir: directory(&path).to_owned(), variables: Rc::clone(&unit.variables) };
        let mut merged: Option<Node> = None;
        for document in documents {
            self.units.assign(document.span.file, unit.clone());
            merged = Some(match merged {
                None => document,
                Some(mut base) => {
                    tags::apply(&document, &mut base);
                    merge::modern(base, document, &mut self.faults.borrow_mut())
                }
            });
        }
        let merged = merged?;
        let services = merged.mapping().and_then(|keys| keys.find("services"));
        let Some(services) = services.and_then(|services| services.value.mapping()) else {
            let message = format!("`{path}` has no `services` to extend");
            self.fault(Diagnostic::error(code::UNDEFINED_SERVICE, message).at(span));
            return None;
        };
        let services = services.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        Some(Family { path, services, unit, raw: true })
    }
}

fn extends(service: &Node) -> Option<&Node> {
    service.mapping()?.find("extends").map(|entry| &entry.value)
}

/// Takes `extends` out of a service.
fn take(service: &mut Node) -> Option<Node> {
    let Value::Mapping(keys) = &mut service.value else { return None };
    let at = keys.entries.iter().position(|entry| entry.key == "extends")?;
    Some(keys.entries.remove(at).value)
}

fn read(view: &View<'_>) -> Option<Wanted> {
    let span = view.span();
    if view.node().mapping().is_none() {
        if view.node().sequence().is_some() || view.is_null() {
            let message = "`extends` must be the name of a service, or a mapping with `service` and `file`";
            view.fault(Diagnostic::error(code::WRONG_TYPE, message).at(span));
            return None;
        }
        return Some(Wanted { service: view.text()?, file: None, span });
    }
    let mut fields = view.fields()?;
    let service = fields.require("service").and_then(|service| service.text());
    let file = fields.said("file").and_then(|file| Some((file.text()?, file.span())));
    super::keys::finish(fields);
    Some(Wanted { service: service?, file, span })
}

fn undefined(wanted: &Wanted, family: &Family) -> Diagnostic {
    let message = format!("there is no service `{}` in `{}` to extend", wanted.service, family.path);
    let fault = Diagnostic::error(code::UNDEFINED_SERVICE, message).at(wanted.span);
    let names = family.services.keys().map(String::as_str);
    match did_you_mean(&wanted.service, names.filter(|name| name.len() <= 64).take(1000)) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    }
}

/// How many values a node holds.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => 1,
        Value::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Mapping(mapping) => 1 + mapping.entries.iter().map(|entry| size(&entry.value)).sum::<usize>(),
    }
}
