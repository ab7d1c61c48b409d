//! A stack's files, lowered: one file a kind.

mod capabilities;
mod container;
mod deploy;
mod endpoint;
mod files;
mod mounts;
mod networks;
mod order;
mod service;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{Desired, External};
use crate::compose::{Compose, Service};
use crate::diag::{Diagnostic, Faults, Span, code};
use crate::model::name::NameError;
use crate::model::{Kind, StackName, label};
use crate::swarm::Labels;

/// Lowers a stack to the objects that `docker stack deploy` would post for it, and says what the engine would refuse.
///
/// Where a diagnostic is an error, the objects are incomplete and must not be applied.
pub fn lower(compose: &Compose, stack: &StackName) -> (Desired, Vec<Diagnostic>) {
    let scope = Scope { compose, stack };
    let mut faults = Faults::new();
    let mut services = BTreeMap::new();
    for (key, service) in &compose.services {
        let lowered = service::lower(scope, key, service, &mut faults);
        let (name, span) = (lowered.spec.name.clone(), lowered.span);
        insert(&mut services, name, lowered, Kind::Service, span, &mut faults);
    }
    endpoint::check_across(compose, &mut faults);
    let desired = Desired {
        stack: stack.clone(),
        services,
        networks: networks::made(scope, &mut faults),
        volumes: mounts::volumes(scope),
        configs: files::configs(scope, &mut faults),
        secrets: files::secrets(scope, &mut faults),
        external: external(scope),
        protected: protected(scope),
        accepted: compose.accepted.clone(),
        confidential: compose.confidential.clone(),
    };
    (desired, faults.into_sorted())
}

/// What everything is lowered within.
#[derive(Clone, Copy)]
struct Scope<'a> {
    compose: &'a Compose,
    stack: &'a StackName,
}

impl Scope<'_> {
    /// The full name of a network, volume, config or secret: its own, or the stack's with the key; what others make has
    /// no stack's.
    fn name(self, key: &str, own: Option<&str>, external: bool) -> String {
        match own.filter(|own| !own.is_empty()) {
            Some(own) => own.to_owned(),
            None if external => key.to_owned(),
            None => self.stack.scope(key),
        }
    }

    /// The full name of a service.
    fn service_name(self, key: &str, service: &Service) -> String {
        service.own.name.clone().unwrap_or_else(|| self.stack.scope(key))
    }

    /// Labels of a service of the stack, of its containers and of the volumes it makes. What is taken as it is has its own.
    fn labels_of(self, service: &Service, labels: &Labels) -> Labels {
        if service.own.name.is_some() { labels.clone() } else { self.labels(labels) }
    }

    /// Labels of an object of the stack.
    fn labels(self, labels: &Labels) -> Labels {
        let mut labels = labels.clone();
        labels.insert(label::NAMESPACE.to_owned(), self.stack.to_string());
        labels
    }
}

/// What others make and a service asks for, once each, at the place that asks first.
fn external(scope: Scope<'_>) -> Vec<External> {
    let mut found: BTreeMap<(Kind, String), Option<Span>> = BTreeMap::new();
    for service in scope.compose.services.values() {
        let asked = networks::external(scope, &service.value)
            .chain(files::external(scope, Kind::Config, &service.value.configs, &scope.compose.configs))
            .chain(files::external(scope, Kind::Secret, &service.value.secrets, &scope.compose.secrets));
        for External { kind, name, span } in asked {
            found.entry((kind, name)).or_insert(span);
        }
    }
    found.into_iter().map(|((kind, name), span)| External { kind, name, span }).collect()
}

/// What the files protect: one thing, or all of the stack.
fn protected(scope: Scope<'_>) -> BTreeSet<(Kind, String)> {
    let compose = scope.compose;
    let (all, name) = (compose.own.protect, |key: &str, own: &Option<String>| scope.name(key, own.as_deref(), false));
    let services = compose.services.iter().filter(|(_, service)| all || service.value.own.protect);
    let services = services.map(|(key, service)| (Kind::Service, scope.service_name(key, &service.value)));
    let networks = compose.networks.iter().filter(|(_, it)| !it.value.external && (all || it.value.own.protect));
    let networks = networks.map(|(key, it)| (Kind::Network, name(key, &it.value.name)));
    let volumes = compose.volumes.iter().filter(|(_, it)| !it.value.external && (all || it.value.own.protect));
    let volumes = volumes.map(|(key, it)| (Kind::Volume, name(key, &it.value.name)));
    let files = [(Kind::Config, &compose.configs), (Kind::Secret, &compose.secrets)].into_iter();
    let files = files.flat_map(|(kind, files)| {
        let files = files.iter().filter(|(_, it)| !it.value.external && (all || it.value.own.protect));
        files.map(move |(key, it)| (kind, name(key, &it.value.name)))
    });
    services.chain(networks).chain(volumes).chain(files).collect()
}

/// Adds an object under its name. Two keys with one name would be one object.
fn insert<T>(
    objects: &mut BTreeMap<String, T>,
    name: String,
    object: T,
    kind: Kind,
    span: Option<Span>,
    faults: &mut Faults,
) {
    if objects.contains_key(&name) {
        let message = format!("two {kind}s of this stack have the name `{name}`");
        faults.push(Diagnostic::error(code::DUPLICATE_NAME, message).at(span));
    }
    objects.insert(name, object);
}

/// Says what is wrong with an object's full name.
fn check_name(checked: Result<(), NameError>, kind: Kind, key: &str, span: Option<Span>, faults: &mut Faults) {
    let Err(error) = checked else { return };
    let diagnostic =
        Diagnostic::error(code::INVALID_NAME, format!("{kind} `{key}`: the engine refuses its name: {error}"));
    let hint = match error {
        NameError::TooLong { .. } => "the name is made of the stack's and this key: shorten one of them",
        NameError::Empty | NameError::Form { .. } => "rename it; the name is made of the stack's and this key",
    };
    faults.push(diagnostic.at(span).hint(hint));
}

/// Says that a key names something that the file does not define.
fn undefined<'a>(
    code: &'static str,
    kind: Kind,
    key: &str,
    defined: impl Iterator<Item = &'a String>,
    span: Option<Span>,
) -> Diagnostic {
    let diagnostic = Diagnostic::error(code, format!("undefined {kind} `{key}`")).at(span);
    match crate::diag::did_you_mean(key, defined.map(String::as_str)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!("define it under the top-level `{kind}s:`")),
    }
}
