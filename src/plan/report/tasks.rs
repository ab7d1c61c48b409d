//! Tasks that are not what their service asks for: they fail, find no node, or run another image.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Found;
use crate::plan::applied::Applied;
use crate::plan::index::Index;
use crate::plan::service::keep::image;
use crate::swarm::{Node, Service, Task};

/// How far back failures count in a place where a task runs again.
const RECENT: SignedDuration = SignedDuration::from_mins(10);
/// How many of them tell that it will not run for long. The engine keeps five tasks of a place.
const FAILURES: usize = 3;

/// What is the matter with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// It failed, or the ones before it in its place did, again and again.
    Failing,
    /// No node takes it.
    Unplaced,
    /// It runs another image than its service's.
    OtherImage,
}

/// A task that is not what its service asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Troubled {
    /// The service's full name.
    pub service: String,
    /// The task's id.
    pub task: String,
    /// Which replica it is; `None` of a service with one task a node.
    pub slot: Option<u64>,
    /// The host name of its node, or its id; `None` while it has none.
    pub node: Option<String>,
    /// What is the matter.
    pub problem: Problem,
    /// Where it has got to.
    pub state: String,
    /// Where it should be.
    pub desired_state: String,
    /// Since when it is there, by its node's clock.
    pub since: String,
    /// What went wrong, in the engine's words.
    pub error: Option<String>,
    /// How many tasks that the engine remembers of its place have failed.
    pub failures: usize,
    /// The image that it runs and the one that its service asks for, where they differ.
    pub images: Option<(String, String)>,
    /// How its service's last update fares, where one is on its way or was stopped.
    pub update: Option<String>,
}

/// The troubled tasks of a stack's services, by service and place.
pub(super) fn troubled(found: &Found<'_>, index: &Index<'_>, applied: &Applied) -> Vec<Troubled> {
    let mut by_service: BTreeMap<&str, (&Service, Vec<&Task>)> = BTreeMap::new();
    for service in &found.live.services {
        let name = service.spec.name.as_str();
        if applied.services.contains_key(name) || index.is_labelled(&service.spec.labels) {
            by_service.insert(service.id.as_str(), (&**service, Vec::new()));
        }
    }
    for task in found.tasks {
        if let Some((_, tasks)) = by_service.get_mut(task.service_id.as_str()) {
            tasks.push(&**task);
        }
    }
    let mut troubled: Vec<Troubled> = by_service
        .values()
        .flat_map(|(service, tasks)| troubled_tasks(service, tasks, &found.live.nodes, found.now))
        .collect();
    troubled.sort_by(|a, b| (&a.service, a.slot, &a.node, &a.task).cmp(&(&b.service, b.slot, &b.node, &b.task)));
    troubled
}

/// Those of one service, of all its tasks. `now` is the time by the engine's clock.
pub(crate) fn troubled_tasks(
    service: &Service,
    tasks: &[&Task],
    nodes: &[Arc<Node>],
    now: Option<Timestamp>,
) -> Vec<Troubled> {
    let mode = service.spec.mode.clone().unwrap_or_default();
    let is_global = mode.global.is_some() || mode.global_job.is_some();
    let iteration = service.job_status.as_ref().map(|status| status.job_iteration);
    let mut places: BTreeMap<(u64, &str), Vec<&Task>> = BTreeMap::new();
    for task in tasks.iter().filter(|task| iteration.is_none() || task.job_iteration == iteration) {
        // A node that takes no tasks ends its own, and the engine makes no others there.
        if !is_global || takes_tasks(nodes, &task.node_id) {
            let place = if is_global { (0, task.node_id.as_str()) } else { (task.slot, "") };
            places.entry(place).or_default().push(task);
        }
    }
    let make = |task: &Task, problem: Problem, failures: usize, images: Option<(String, String)>| Troubled {
        service: service.spec.name.clone(),
        task: task.id.clone(),
        slot: (!is_global).then_some(task.slot),
        node: name_of(nodes, &task.node_id),
        problem,
        state: task.status.state.clone(),
        desired_state: task.desired_state.clone(),
        since: task.status.timestamp.clone(),
        error: error(task),
        failures,
        images,
        update: service.update_status.as_ref().map(|status| status.state.clone()).filter(|state| state != "completed"),
    };
    let wanted = image(&service.spec).unwrap_or_default();
    let mut troubled = Vec::new();
    let written = moment(&service.updated_at);
    for place in places.values_mut() {
        place.sort_by_key(|task| (moment(&task.created_at), task.version));
        // What failed before the service was last written may be why it was.
        let is_recent = |task: &Task| is_recent(task, now) && moment(&task.created_at) >= written;
        if let Some((task, problem)) = problem(place, is_recent) {
            let failures = place.iter().filter(|task| has_failed(task)).count();
            troubled.push(make(task, problem, failures, None));
        }
        for task in place.iter().filter(|task| runs(task)) {
            let runs = &task.spec.container_spec.image;
            if !runs.is_empty() && !wanted.is_empty() && runs != wanted {
                troubled.push(make(task, Problem::OtherImage, 0, Some((runs.clone(), wanted.to_owned()))));
            }
        }
    }
    troubled
}

/// What is the matter in a place, and the task that tells why. Its tasks come in the order in which they were made.
fn problem<'t>(place: &[&'t Task], is_recent: impl Fn(&Task) -> bool) -> Option<(&'t Task, Problem)> {
    let mut tasks = place.iter().rev().filter(|task| task.desired_state != "remove").copied();
    let latest = tasks.next()?;
    if latest.status.state == "pending" && error(latest).is_some_and(|error| error.contains("no suitable node")) {
        return Some((latest, Problem::Unplaced));
    }
    if has_failed(latest) {
        return Some((latest, Problem::Failing));
    }
    // What was stopped on purpose, or is done, is no failure, whatever came before.
    if latest.desired_state == "shutdown" || latest.status.state == "complete" {
        return None;
    }
    let before = tasks.next().filter(|task| has_failed(task));
    let is_again_and_again = place.iter().filter(|task| has_failed(task) && is_recent(task)).count() >= FAILURES;
    let is_on_its_way = latest.status.state != "running";
    let last = place.iter().rev().find(|task| has_failed(task));
    let tells = if is_on_its_way { before } else { None };
    tells.or_else(|| last.copied().filter(|_| is_again_and_again)).map(|task| (task, Problem::Failing))
}

/// Both times are engines': the clock of this machine says nothing about them.
fn is_recent(task: &Task, now: Option<Timestamp>) -> bool {
    now.zip(moment(&task.status.timestamp)).is_some_and(|(now, at)| now.duration_since(at) < RECENT)
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn has_failed(task: &Task) -> bool {
    matches!(task.status.state.as_str(), "failed" | "rejected")
}

fn runs(task: &Task) -> bool {
    task.desired_state == "running" && matches!(task.status.state.as_str(), "starting" | "running")
}

fn error(task: &Task) -> Option<String> {
    let words = [&task.status.err, &task.status.message].into_iter().find(|words| !words.is_empty());
    words.filter(|_| task.status.state != "running").cloned()
}

fn name_of(nodes: &[Arc<Node>], id: &str) -> Option<String> {
    let name = nodes.iter().find(|node| node.id == id).map(|node| node.description.hostname.clone());
    name.filter(|name| !name.is_empty()).or_else(|| Some(id.to_owned())).filter(|name| !name.is_empty())
}

fn takes_tasks(nodes: &[Arc<Node>], id: &str) -> bool {
    let node = nodes.iter().find(|node| node.id == id);
    node.is_none_or(|node| node.status.state == "ready" && node.spec.availability == "active")
}
