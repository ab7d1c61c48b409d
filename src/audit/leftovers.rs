//! Configs and secrets that nothing uses.

use std::collections::BTreeSet;

use super::{Found, Scope, Section, stack_of};
use crate::diag::{Severity, code};
use crate::model::{Kind, label};
use crate::swarm::{Labels, ServiceSpec};

pub(super) fn look(scope: &Scope<'_>, found: &mut Vec<Found>) {
    let live = &scope.evidence.live;
    let specs = live.services.iter().map(|service| &service.spec).chain(scope.evidence.previous.values());
    let used: BTreeSet<&str> = specs.flat_map(references).collect();
    let configs = live.configs.iter().map(|it| (Kind::Config, &it.id, &it.spec.name, &it.spec.labels, &it.created_at));
    let secrets = live.secrets.iter().map(|it| (Kind::Secret, &it.id, &it.spec.name, &it.spec.labels, &it.created_at));
    for (kind, id, name, labels, _) in configs.chain(secrets) {
        // What skep remembers of stacks is used by nobody else.
        let is_own = labels.contains_key(label::KIND);
        if !is_own && !used.contains(id.as_str()) && scope.has(labels) {
            found.push(unused(kind, name, labels));
        }
    }
}

/// The ids of configs and secrets that a spec refers to.
fn references(spec: &ServiceSpec) -> impl Iterator<Item = &str> {
    let container = spec.task_template.container_spec.iter();
    container.flat_map(|container| {
        let credential =
            container.privileges.iter().filter_map(|it| it.credential_spec.as_ref()).map(|it| it.config.as_str());
        let configs = container.configs.iter().map(|it| it.config_id.as_str());
        configs.chain(container.secrets.iter().map(|it| it.secret_id.as_str())).chain(credential)
    })
}

fn unused(kind: Kind, name: &str, labels: &Labels) -> Found {
    Found {
        section: Section::Leftovers,
        code: code::UNUSED.to_owned(),
        severity: Severity::Note,
        kind: Some(kind),
        name: name.to_owned(),
        stack: stack_of(labels),
        message: format!("no service names this {kind}, and none would after a rollback"),
        hints: vec![format!("`docker {kind} rm` it")],
    }
}
