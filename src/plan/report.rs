//! What in the swarm is not as it was applied, from the record alone: no file is needed to see that somebody changed a thing.

mod content;
mod service;
mod tasks;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::applied::{Applied, Object};
use super::diff::{self, Base};
use super::index::Index;
use super::network::assess;
use super::opened;
use super::step::{Change, Drift, Drifted, Plan, Sync};
use crate::diag::{Diagnostic, code, has_errors};
use crate::model::{Confidential, Kind, StackName};
use crate::swarm::canonical::canonical_network;
use crate::swarm::{Live, Network, NetworkSpec, Task};

pub(crate) use tasks::troubled_tasks;
pub use tasks::{Problem, Troubled};

/// What drift is looked for in.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The stack.
    pub stack: &'a StackName,
    /// What the swarm holds: all of it, since absence is concluded from it.
    pub live: &'a Live,
    /// The tasks of the stack's services; tasks of others are passed over.
    pub tasks: &'a [Arc<Task>],
    /// What time it is by the engine's clock. Where it is not known, failures in the past are not counted.
    pub now: Option<Timestamp>,
}

/// What the swarm was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// What the record says was last applied.
    Record,
    /// What the files say: the stack has no record.
    Files,
}

/// How a stack differs from what it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The stack.
    pub stack: StackName,
    /// What it was compared with; nothing, where nothing says what was applied.
    pub basis: Option<Basis>,
    /// The commit that was last applied, where the record says so.
    pub revision: Option<String>,
    /// What differs.
    pub drift: Drift,
    /// Tasks that fail, find no node, or run another image than their service's.
    pub tasks: Vec<Troubled>,
    /// How many objects are as they should be.
    pub unchanged: usize,
    /// What a person should know.
    pub diagnostics: Vec<Diagnostic>,
    /// Texts that came out of encrypted files: no output may hold them.
    pub confidential: Confidential,
}

impl Report {
    /// A stack of which nothing says what was applied.
    pub fn unknown(stack: StackName, diagnostic: Diagnostic) -> Self {
        Self {
            stack,
            basis: None,
            revision: None,
            drift: Drift::default(),
            tasks: Vec::new(),
            unchanged: 0,
            diagnostics: vec![diagnostic],
            confidential: Confidential::new(),
        }
    }

    /// Whether there is nothing to report. What is ignored is nothing, and what cannot be compared is something.
    pub fn is_empty(&self) -> bool {
        self.drift.is_empty() && self.drift.extra.is_empty() && self.tasks.is_empty() && !has_errors(&self.diagnostics)
    }

    /// Whether the objects are as they should be.
    pub fn sync(&self) -> Sync {
        match self.basis {
            None => Sync::Unknown,
            Some(_) if self.drift.is_empty() && !has_errors(&self.diagnostics) => Sync::Synced,
            Some(_) => Sync::OutOfSync,
        }
    }
}

/// Compares a stack with what was last applied of it.
pub fn drift_of(found: Found<'_>, applied: &Applied) -> Report {
    let opened = if applied.sealed { opened(found.stack, applied, found.live, None) } else { None };
    let applied = opened.as_ref().unwrap_or(applied);
    let mut report = compare(found, applied, Basis::Record);
    report.drift.extra = extra(&found, applied);
    report
}

/// Compares a stack that has no record with what its files say, which `plan` was made of: what it would write differs.
pub fn drift_of_files(found: Found<'_>, plan: &Plan) -> Report {
    let mut wanted = plan.settled.clone();
    for step in &plan.steps {
        wanted.record(step, "");
    }
    let mut report = compare(found, &wanted, Basis::Files);
    report.drift.extra.clone_from(&plan.drift.extra);
    report.drift.ignored.clone_from(&plan.drift.ignored);
    // What the update would cost that brings it back is another question.
    let is_of_update = |diagnostic: &&Diagnostic| diagnostic.code.starts_with("zero-downtime/");
    report.diagnostics = plan.diagnostics.iter().filter(|it| !is_of_update(it)).cloned().collect();
    let note = format!("stack {} has no record, so it is compared with its files", found.stack);
    report.diagnostics.push(Diagnostic::note(code::DRIFT_NO_RECORD, note));
    report.confidential.extend(&plan.confidential);
    report
}

fn compare(found: Found<'_>, applied: &Applied, basis: Basis) -> Report {
    let index = Index::new(found.stack, found.live, Some(applied));
    let mut look = Look { applied, live: found.live, index: &index, drift: Drift::default(), unchanged: 0 };
    look.networks();
    look.contents();
    look.services();
    let Look { drift, unchanged, .. } = look;
    let tasks = tasks::troubled(&found, &index, applied);
    let confidential = applied.confidential.clone();
    Report {
        stack: found.stack.clone(),
        basis: Some(basis),
        revision: None,
        drift,
        tasks,
        unchanged,
        diagnostics: Vec::new(),
        confidential,
    }
}

/// One look at one stack.
struct Look<'a> {
    applied: &'a Applied,
    live: &'a Live,
    index: &'a Index<'a>,
    drift: Drift,
    unchanged: usize,
}

impl Look<'_> {
    fn networks(&mut self) {
        let applied = self.applied;
        for (name, applied) in &applied.networks {
            match self.index.networks.get(name.as_str()) {
                Some(live) => self.judge(network(live, applied)),
                None => self.drift.missing.push(Object::new(Kind::Network, name)),
            }
        }
    }

    fn judge(&mut self, drifted: Option<Drifted>) {
        // What is carried over is told, and as it should be.
        if drifted.as_ref().is_none_or(Drifted::stays) {
            self.unchanged += 1;
        }
        self.drift.changed.extend(drifted);
    }
}

fn network(live: &Network, applied: &NetworkSpec) -> Option<Drifted> {
    let found = canonical_network(live, applied);
    if found == *applied {
        return None;
    }
    let value = |spec: &NetworkSpec| serde_json::to_value(spec).unwrap_or_default();
    let mut changes = differences(&value(&found), &value(applied));
    assess(&mut changes);
    Some(Drifted::free(Object::new(Kind::Network, &*live.name), &live.created, changes))
}

/// Whatever differs from what was applied is drift.
fn differences(found: &Value, applied: &Value) -> Vec<Change> {
    diff::changes(found, applied, Base::Applied(Some(applied)))
}

/// What carries the stack's label and was never applied.
fn extra(found: &Found<'_>, applied: &Applied) -> Vec<Object> {
    let mut known: HashSet<Object> = applied.inventory.iter().cloned().collect();
    known.extend(applied.services.keys().map(|name| Object::new(Kind::Service, name)));
    known.extend(applied.networks.keys().map(|name| Object::new(Kind::Network, name)));
    known.extend(applied.configs.values().map(|content| Object::new(Kind::Config, &*content.name)));
    known.extend(applied.secrets.values().map(|content| Object::new(Kind::Secret, &*content.name)));
    super::extra::labelled(found.stack, found.live, |object| known.contains(object))
}
