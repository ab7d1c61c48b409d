//! What a running swarm is to be told: which updates drop requests and why, and what else waits to go wrong.
//!
//! [`audit`] is pure and needs no file: it looks at what the engine lists, at what registries answered, and at nothing that git
//! says. So nothing can be accepted here, and the engine's own defaults hold wherever a spec is silent.

mod document;
mod images;
mod leftovers;
mod markdown;
mod nodes;
mod rollouts;
mod tasks;
mod text;
mod updates;
mod writers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

pub use document::{Document, FORMAT_VERSION, Found, Section, Summary};
pub use markdown::audit_markdown;
pub use text::audit_text;

use crate::diag::Severity;
use crate::model::{Kind, label};
use crate::swarm::{Labels, Live, Service, ServiceSpec, Task};

/// What was asked of the swarm, and answered.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// All of it.
    pub live: Live,
    /// What services were before their last update, by id. One that never was updated has none.
    pub previous: BTreeMap<String, ServiceSpec>,
    /// All tasks.
    pub tasks: Vec<Arc<Task>>,
    /// The stacks that skep has a record of.
    pub recorded: BTreeSet<String>,
    /// What registries say that tags point to, by image without digest.
    pub tags: BTreeMap<String, Tag>,
    /// Which images bring a healthcheck, by image as services name it, where that is known.
    pub image_checks: BTreeMap<String, bool>,
    /// What time it is by the engine's clock.
    pub now: Option<Timestamp>,
    /// Only these stacks; empty is everything.
    pub only: Vec<String>,
}

/// What a registry says of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// The digest that it points to.
    PointsTo(String),
    /// It has none of that name.
    Missing,
    /// It did not tell; why, in a few words.
    Unknown(String),
}

/// Looks at everything.
pub fn audit(evidence: &Evidence) -> Document {
    let scope = Scope { evidence };
    let mut found = Vec::new();
    updates::look(&scope, &mut found);
    images::look(&scope, &mut found);
    rollouts::look(&scope, &mut found);
    tasks::look(&scope, &mut found);
    leftovers::look(&scope, &mut found);
    writers::look(&scope, &mut found);
    nodes::look(&scope, &mut found);
    found.sort_by(|a, b| {
        (a.section, a.severity, &a.code, &a.message, &a.name)
            .cmp(&(b.section, b.severity, &b.code, &b.message, &b.name))
    });
    let not_checked = images::not_checked(&scope).into_iter().chain(updates::not_checked(&scope)).collect();
    Document::new(scope.services().count(), evidence.live.nodes.len(), found, not_checked)
}

/// What is looked at.
#[derive(Clone, Copy)]
struct Scope<'a> {
    evidence: &'a Evidence,
}

impl<'a> Scope<'a> {
    fn services(self) -> impl Iterator<Item = &'a Arc<Service>> {
        self.evidence.live.services.iter().filter(move |service| self.has(&service.spec.labels))
    }

    /// Whether an object with these labels is looked at.
    fn has(self, labels: &Labels) -> bool {
        let only = &self.evidence.only;
        only.is_empty() || stack_of(labels).is_some_and(|stack| only.contains(&stack))
    }

    /// Whether the swarm as a whole is looked at, and not some stacks.
    fn is_whole(self) -> bool {
        self.evidence.only.is_empty()
    }

    fn tasks_of(self, service: &'a Service) -> impl Iterator<Item = &'a Task> {
        self.evidence.tasks.iter().filter(move |task| task.service_id == service.id).map(|task| &**task)
    }
}

fn stack_of(labels: &Labels) -> Option<String> {
    labels.get(label::NAMESPACE).cloned()
}

/// Something that is to be said of a service.
fn of_service(
    section: Section,
    code: &'static str,
    severity: Severity,
    service: &Service,
    message: impl Into<String>,
) -> Found {
    Found {
        section,
        code: code.to_owned(),
        severity,
        kind: Some(Kind::Service),
        name: service.spec.name.clone(),
        stack: stack_of(&service.spec.labels),
        message: message.into(),
        hints: Vec::new(),
    }
}

impl Found {
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
