//! References: what a service names must be there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{At, Compose, Condition, CredentialSpec, Dependency, Service};
use crate::diag::{Diagnostic, Faults, Span, code, did_you_mean};

/// Reports every reference to what no file defines, and breaks circles of `depends_on`.
///
/// `disabled` are services that take no part, with their places.
pub(super) fn references(compose: &mut Compose, disabled: &BTreeMap<String, Span>, faults: &mut Faults) {
    for (name, service) in &compose.services {
        for (network, at) in &service.value.networks {
            // Every stack has a network of this name.
            if network != "default" {
                defined(name, "network", network, at.span, &compose.networks, code::UNDEFINED_NETWORK, faults);
            }
        }
        for mount in &service.value.volumes {
            let named = match mount.value.kind.as_str() {
                "volume" => !mount.value.source.is_empty(),
                "cluster" => !mount.value.source.is_empty() && !mount.value.source.starts_with("group:"),
                _ => false,
            };
            if named {
                let volume = &mount.value.source;
                defined(name, "volume", volume, mount.span, &compose.volumes, code::UNDEFINED_VOLUME, faults);
            }
        }
        for config in &service.value.configs {
            let source = &config.value.source;
            defined(name, "config", source, config.span, &compose.configs, code::UNDEFINED_CONFIG, faults);
        }
        if let Some(At { value: CredentialSpec::Config(source), span }) = &service.value.credential_spec {
            defined(name, "config", source, *span, &compose.configs, code::UNDEFINED_CONFIG, faults);
        }
        for secret in &service.value.secrets {
            let source = &secret.value.source;
            defined(name, "secret", source, secret.span, &compose.secrets, code::UNDEFINED_SECRET, faults);
        }
    }
    completions(&compose.services, faults);
    hooks(&compose.services, faults);
    dependencies(&mut compose.services, disabled, faults);
}

/// A hook ends, and then what waits for it goes on.
fn hooks(services: &BTreeMap<String, At<Service>>, faults: &mut Faults) {
    for (name, service) in services {
        let Some(hook) = service.value.own.hook.filter(|_| !is_job(&service.value)) else { continue };
        let message = format!("`services.{name}` is a {} hook and no job, so it would never end", hook.word());
        let fault = Diagnostic::error(code::HOOK_NO_JOB, message).at(service.span);
        faults.push(fault.hint(format!("write `mode: replicated-job` under `deploy` of `{name}`")));
    }
}

fn is_job(service: &Service) -> bool {
    service.deploy.mode.as_ref().is_some_and(|mode| mode.value.ends_with("-job"))
}

/// Only a job ends well; a service that is not one is started again whenever it ends.
fn completions(services: &BTreeMap<String, At<Service>>, faults: &mut Faults) {
    for (name, service) in services {
        for wanted in &service.value.depends_on {
            let Dependency { service: other, condition, .. } = &wanted.value;
            if *condition == Condition::Completed && services.get(other).is_some_and(|other| !is_job(&other.value)) {
                let message =
                    format!("`services.{name}` waits for the end of `{other}`, which is no job and never ends");
                let fault = Diagnostic::warning(code::DEPENDENCY_NO_JOB, message).at(wanted.span);
                faults.push(fault.hint(format!("write `mode: replicated-job` under `deploy` of `{other}`")));
            }
        }
    }
}

fn defined<T>(
    service: &str,
    kind: &str,
    name: &str,
    span: Option<Span>,
    known: &BTreeMap<String, T>,
    code: &'static str,
    faults: &mut Faults,
) {
    if known.contains_key(name) || faults.is_full() {
        return;
    }
    let message = format!("`services.{service}` uses the {kind} `{name}`, which no file defines");
    let fault = Diagnostic::error(code, message).at(span);
    faults.push(match near(name, known.keys()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint(format!("define it under the top-level `{kind}s`")),
    });
}

/// The nearest name. Comparing with very many names would take long and help nobody.
fn near<'n>(name: &str, known: impl ExactSizeIterator<Item = &'n String>) -> Option<&'n str> {
    if name.len() > 64 || known.len() > 1000 { None } else { did_you_mean(name, known.map(String::as_str)) }
}

/// Leaves in `depends_on` only services that are there, in no circle. Docker ignores the key, so nothing of it stops a
/// stack: it is an order, as far as it can be kept.
fn dependencies(services: &mut BTreeMap<String, At<Service>>, disabled: &BTreeMap<String, Span>, faults: &mut Faults) {
    let mut dropped: HashMap<String, BTreeSet<usize>> = HashMap::new();
    let mut undefined = 0;
    for (name, service) in services.iter() {
        for (index, wanted) in service.value.depends_on.iter().enumerate() {
            if services.contains_key(&wanted.value.service) {
                continue;
            }
            dropped.entry(name.clone()).or_default().insert(index);
            if wanted.value.optional {
                continue;
            }
            if let Some(profiles) = disabled.get(&wanted.value.service) {
                let message = format!(
                    "`services.{name}` depends on the service `{}`, whose profiles are not asked for",
                    wanted.value.service
                );
                let fault = Diagnostic::warning(code::UNDEFINED_SERVICE, message).at(wanted.span);
                faults.push(fault.related(*profiles, "this service takes no part"));
                continue;
            }
            let message =
                format!("`services.{name}` depends on the service `{}`, which no file defines", wanted.value.service);
            let fault = Diagnostic::warning(code::UNDEFINED_SERVICE, message).at(wanted.span);
            undefined += 1;
            faults.push(
                match (undefined <= MAX_NAMED).then(|| near(&wanted.value.service, services.keys())).flatten() {
                    Some(near) => fault.hint(format!("did you mean `{near}`?")),
                    None => fault,
                },
            );
        }
    }
    for (name, index, circle) in circles(services) {
        let span = services.get(&name).and_then(|service| service.value.depends_on.get(index)?.span);
        let message = match circle.as_slice() {
            [] => format!("`services.{name}` waits for a service that waits for it"),
            circle => format!("these services wait for each other: {}", circle.join(" → ")),
        };
        let fault = Diagnostic::warning(code::DEPENDENCY_CYCLE, message).at(span);
        faults.push(fault.hint("this link is not waited for"));
        dropped.entry(name).or_default().insert(index);
    }
    for (name, indices) in dropped {
        if let Some(service) = services.get_mut(&name) {
            let mut index = 0;
            service.value.depends_on.retain(|_| {
                index += 1;
                !indices.contains(&(index - 1))
            });
        }
    }
}

/// How much of what is wrong with `depends_on` is looked into: how many undefined services get a suggestion, how many
/// circles are named, and how many services of one circle.
const MAX_NAMED: usize = 10;

/// The services from `wanted` to the end of the path, and back.
fn circle(path: &[(&str, usize)], wanted: &str) -> Vec<String> {
    let from = path.iter().position(|(name, _)| *name == wanted).unwrap_or(0);
    let mut circle: Vec<String> = path.iter().skip(from).take(MAX_NAMED).map(|(name, _)| (*name).to_owned()).collect();
    if path.len() - from > MAX_NAMED {
        circle.push("…".to_owned());
    }
    circle.push(wanted.to_owned());
    circle
}

/// Every link that closes a circle, found by walking the services in their order: (service, index, the circle).
fn circles(services: &BTreeMap<String, At<Service>>) -> Vec<(String, usize, Vec<String>)> {
    let mut found = Vec::new();
    // 1 is being walked, 2 is done.
    let mut state: HashMap<&str, u8> = HashMap::new();
    for root in services.keys() {
        if state.contains_key(root.as_str()) {
            continue;
        }
        // Not recursive: a chain may be as long as a file.
        let mut path: Vec<(&str, usize)> = vec![(root, 0)];
        state.insert(root, 1);
        while let Some((name, next)) = path.last_mut() {
            let (name, index) = (*name, *next);
            *next += 1;
            let wanted = services.get(name).and_then(|service| service.value.depends_on.get(index));
            let Some(wanted) = wanted else {
                state.insert(name, 2);
                path.pop();
                continue;
            };
            let Some((wanted, _)) = services.get_key_value(&wanted.value.service) else { continue };
            match state.get(wanted.as_str()) {
                None => {
                    state.insert(wanted, 1);
                    path.push((wanted, 0));
                }
                Some(1) => {
                    let circle = if found.len() < MAX_NAMED { circle(&path, wanted) } else { Vec::new() };
                    found.push((name.to_owned(), index, circle));
                }
                Some(_) => {}
            }
        }
    }
    found
}
