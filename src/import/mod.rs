//! What runs → stack files: the inverse of [`crate::desired::lower`].
//!
//! [`import`] writes a file from the live objects, reads it back, lowers and plans it against the swarm that it was written
//! from. That plan should be empty. Where it is not, the difference is something that a stack file has no key for. What
//! writing it would restart tasks for goes under `x-skep.ignore`, the rest is named: nothing is claimed of a file that was
//! not tried.

mod check;
mod contents;
mod deploy;
mod file;
mod keys;
mod mounts;
mod networks;
mod service;
mod text;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Diagnostic, Faults, code};
use crate::model::{StackName, label};
use crate::plan::Mask;
use crate::swarm::{Labels, Live, Service};
use contents::Contents;
use file::File;
use keys::Keys;
use mounts::Volumes;
use networks::Networks;

/// What is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The stack: all that carries its label.
    pub stack: &'a StackName,
    /// Services by name that are taken in besides, just as they are.
    pub services: &'a [String],
    /// What the swarm holds.
    pub live: &'a Live,
    /// The names of networks that no list holds, by id: the engine's own `host` and `bridge`.
    pub predefined: &'a BTreeMap<String, String>,
    /// Where the contents of configs go.
    pub placing: Placing,
}

/// Where the contents of configs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Into the stack file, under `content`, which `docker stack deploy` does not know.
    Inline,
    /// Into files beside it, which can be edited, compared line by line, and hold bytes that are no text.
    Files,
}

/// The name of the stack file.
pub const FILE: &str = "compose.yaml";

/// Stack files.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The files by their paths, [`FILE`] first.
    pub files: Vec<(String, Vec<u8>)>,
    /// What the files do not say of what runs.
    pub diagnostics: Vec<Diagnostic>,
}

impl Imported {
    /// The stack file.
    pub fn text(&self) -> String {
        self.files.first().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }
}

/// The stacks that have a service, a network, a config or a secret.
pub fn stacks(live: &Live) -> Vec<&str> {
    let services = live.services.iter().map(|it| &it.spec.labels);
    let networks = live.networks.iter().map(|it| &it.labels);
    let configs = live.configs.iter().map(|it| &it.spec.labels);
    let secrets = live.secrets.iter().map(|it| &it.spec.labels);
    let labels = services.chain(networks).chain(configs).chain(secrets);
    let mut stacks: Vec<&str> = labels.filter_map(|labels| labels.get(label::NAMESPACE)).map(String::as_str).collect();
    stacks.sort_unstable();
    stacks.dedup();
    stacks
}

/// The `skep.yaml` that declares stacks, each in a directory of its name.
pub fn declaration(stacks: &[StackName]) -> String {
    let mut text = "version: 1\nstacks:\n".to_owned();
    for stack in stacks {
        text.push_str(&format!("- name: {stack}\n  files: [{stack}/{FILE}]\n"));
    }
    text
}

/// Writes stack files of what runs, and says what they leave out.
pub fn import(request: &Request<'_>) -> Imported {
    let mut faults = Faults::new();
    let services = services(request);
    let live: Vec<&Service> = services.iter().map(|(service, _)| *service).collect();
    let mut writer = Writer {
        request,
        networks: Networks::new(request, &live, &mut faults),
        volumes: Volumes::new(request.stack),
        contents: Contents::new(request, &live, &mut faults),
    };
    let mut keys = Keys::default();
    let mut file = File::default();
    // The stack's own have their keys by their names.
    let (own, others): (Vec<_>, Vec<_>) = services.into_iter().partition(|(_, taken)| *taken == Taken::OfStack);
    for (live, taken) in own.into_iter().chain(others) {
        let key = keys.give(request.stack.descope(&live.spec.name));
        let service = writer.service(&key, &live.spec, taken);
        file.services.insert(key, service);
    }
    file.services.sort_unstable_keys();
    let Writer { networks, volumes, contents, .. } = writer;
    file.networks = networks.into_definitions();
    file.volumes = volumes.into_definitions();
    let (configs, secrets, beside) = contents.into_definitions();
    (file.configs, file.secrets) = (configs, secrets);
    faults.extend(exposed(&file));
    let mut files = vec![(FILE.to_owned(), text::print(&file, request.stack).into_bytes())];
    files.extend(beside);
    let mut tried = check::plan(request, &files);
    if !tried.kept.is_empty() {
        faults.extend(keep(&mut file, &tried.kept));
        if let Some((_, text)) = files.first_mut() {
            *text = text::print(&file, request.stack).into_bytes();
        }
        tried = check::plan(request, &files);
    }
    faults.extend(tried.into_diagnostics());
    Imported { files, diagnostics: faults.into_sorted() }
}

/// Puts what no key says under `x-skep.ignore`, where it is seen: it stays as it is.
fn keep(file: &mut File, kept: &BTreeMap<String, BTreeSet<String>>) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    for (key, paths) in kept {
        let Some(service) = file.services.get_mut(key) else { continue };
        service.own.ignore.extend(paths.iter().cloned());
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let message = format!("service {key}: a stack file has no key for {}, which stays as it is", paths.join(", "));
        notes.push(
            Diagnostic::note(code::IMPORT_DIFFERS, message)
                .hint("`x-skep.ignore` in the file says so, and other tools do not read it"),
        );
    }
    notes
}

/// Variables that look like secrets stand in the file for all to read. A path is none.
fn exposed(file: &File) -> Vec<Diagnostic> {
    let mask = Mask::default();
    let mut found = Vec::new();
    for (key, service) in &file.services {
        let is_value = |value: &str| !value.is_empty() && !value.starts_with('/');
        let said = service.environment.iter().filter(|(_, value)| value.as_deref().is_some_and(is_value));
        let names: Vec<&str> = said.map(|(name, _)| name.as_str()).filter(|name| mask.hides(name)).collect();
        if !names.is_empty() {
            let message = format!("service {key}: the file holds the values of {} for all to read", names.join(", "));
            found.push(
                Diagnostic::warning(code::SECRET_PLAIN, message)
                    .hint("move them into an `env_file` encrypted with SOPS before the file is committed"),
            );
        }
    }
    found
}

/// How a service is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// As one of the stack's: what lowering adds is left out.
    OfStack,
    /// As it is, under its own name.
    AsItIs,
}

impl Taken {
    /// What a file says of labels.
    fn labels(self, labels: &Labels, stack: &StackName) -> Labels {
        match self {
            Taken::OfStack => own_labels(labels, stack),
            Taken::AsItIs => labels.clone(),
        }
    }
}

/// The services of the stack and those that are asked for besides, by name. What has not the name that lowering would give
/// it is taken as it is, and so is what is asked for by its name.
fn services<'a>(request: &Request<'a>) -> Vec<(&'a Service, Taken)> {
    let mut services = Vec::new();
    for service in request.live.services.iter().map(|service| &**service) {
        let name = &service.spec.name;
        if request.services.contains(name) {
            services.push((service, Taken::AsItIs));
        } else if is_of(&service.spec.labels, request.stack) {
            let is_named = request.stack.descope(name) != name;
            services.push((service, if is_named { Taken::OfStack } else { Taken::AsItIs }));
        }
    }
    services.sort_by(|(a, _), (b, _)| a.spec.name.cmp(&b.spec.name));
    services
}

/// Whether labels say that an object is of this stack.
fn is_of(labels: &Labels, stack: &StackName) -> bool {
    labels.get(label::NAMESPACE).is_some_and(|name| name == stack.as_str())
}

/// Labels without those that lowering adds, and those in which another tool keeps its books: they stay whatever a file says.
fn own_labels(labels: &Labels, stack: &StackName) -> Labels {
    let mut own = labels.clone();
    own.retain(|key, _| !label::is_bookkeeping(key));
    if is_of(labels, stack) {
        own.remove(label::NAMESPACE);
    }
    own
}

/// What services are written with.
struct Writer<'a> {
    request: &'a Request<'a>,
    networks: Networks<'a>,
    volumes: Volumes<'a>,
    contents: Contents<'a>,
}
