//! The tasks of a service, counted by its mode.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Failure, Observation};
use crate::swarm::{Node, Task, constraint};

/// Where a task belongs: its replica's number, or its node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Slot(u64),
    Node(String),
}

/// What the tasks of a service add up to.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// How many tasks should be ready.
    pub wanted: u64,
    /// How many are: they run, or are done where that is what they are for.
    pub ready: u64,
    /// The ids of those that are.
    pub ids: BTreeSet<String>,
    /// Old tasks that are yet to be replaced.
    pub old: u64,
    /// How many are on their way.
    pub coming: u64,
    /// Why the engine finds no node for one of them.
    pub unplaced: Option<String>,
    /// The newest failure in a place where nothing is ready.
    pub failing: Option<Failure>,
    /// Whether it is a job.
    pub is_job: bool,
}

/// Counts the tasks of a service.
pub(super) fn count(observation: &Observation<'_>) -> Count {
    let mode = observation.service.spec.mode.clone().unwrap_or_default();
    let is_global = mode.global.is_some() || mode.global_job.is_some();
    let is_job = mode.replicated_job.is_some() || mode.global_job.is_some();
    let nodes = Nodes(observation.nodes);
    let place = |task: &Task| if is_global { Place::Node(task.node_id.clone()) } else { Place::Slot(task.slot) };
    // Tasks of a node that is gone neither run nor end: the engine makes others elsewhere.
    let present = |task: &&Arc<Task>| !nodes.is_down(&task.node_id);
    let current: Vec<&Arc<Task>> = if is_job {
        let iteration = observation.service.job_status.as_ref().map(|status| status.job_iteration);
        observation.tasks.iter().filter(|task| task.job_iteration == iteration).collect()
    } else {
        observation.up_to_date.iter().filter(present).collect()
    };
    let is_ready = |task: &Task| {
        if is_job { task.status.state == "complete" } else { task.status.state == "running" && is_meant_to_run(task) }
    };
    let ready: BTreeSet<Place> = current.iter().filter(|task| is_ready(task)).map(|task| place(task)).collect();
    let coming: Vec<&&Arc<Task>> =
        current.iter().filter(|task| is_live(task) && !is_ready(task) && !ready.contains(&place(task))).collect();
    let failed = current
        .iter()
        .filter(|task| has_failed(task) && !ready.contains(&place(task)))
        .filter(|task| !is_global || nodes.takes_tasks(&task.node_id))
        .max_by_key(|task| (task.version, &task.id));
    let is_old =
        |task: &&Arc<Task>| is_live(task) && is_meant_to_run(task) && !current.iter().any(|other| other.id == task.id);
    let old = observation.tasks.iter().filter(present).filter(is_old).filter(|task| {
        // A paused node keeps what it has, and gets nothing new.
        !is_global || nodes.takes_tasks(&task.node_id)
    });
    let old: BTreeSet<Place> = if is_job { BTreeSet::new() } else { old.map(|task| place(task)).collect() };
    let wanted = if let Some(job) = &mode.replicated_job {
        job.total_completions.or(job.max_concurrent).unwrap_or(1)
    } else if is_global {
        let mut places: BTreeSet<Place> = ready.union(&old).cloned().collect();
        places.extend(coming.iter().map(|task| place(task)));
        places.retain(|it| matches!(it, Place::Node(node) if nodes.takes_tasks(node) || ready.contains(it)));
        let fits = |task: &&&Arc<Task>| nodes.find(&task.node_id).is_some_and(|node| is_eligible(observation, node));
        places.extend(current.iter().filter(|task| has_failed(task)).filter(fits).map(|task| place(task)));
        match places.len() {
            // Before the engine made any, the nodes tell how many there will be.
            0 => observation.nodes.iter().filter(|node| is_eligible(observation, node)).count() as u64,
            count => count as u64,
        }
    } else {
        mode.replicated.and_then(|replicated| replicated.replicas).unwrap_or(1)
    };
    Count {
        wanted,
        ready: (ready.len() as u64).min(wanted),
        ids: current.iter().filter(|task| is_ready(task)).map(|task| task.id.clone()).collect(),
        old: old.difference(&ready).count() as u64,
        coming: coming.len() as u64,
        unplaced: coming.iter().find_map(|task| unplaced(task)),
        failing: failed.map(|task| Failure::of(task, observation.nodes)),
        is_job,
    }
}

fn is_meant_to_run(task: &Task) -> bool {
    matches!(task.desired_state.as_str(), "running" | "ready")
}

/// Whether a task may still become ready.
fn is_live(task: &Task) -> bool {
    let ended =
        matches!(task.status.state.as_str(), "complete" | "shutdown" | "failed" | "rejected" | "remove" | "orphaned");
    !ended && !matches!(task.desired_state.as_str(), "shutdown" | "remove")
}

fn has_failed(task: &Task) -> bool {
    matches!(task.status.state.as_str(), "failed" | "rejected")
}

fn is_eligible(observation: &Observation<'_>, node: &Node) -> bool {
    let placement = observation.service.spec.task_template.placement.as_ref();
    constraint::is_eligible(placement.map_or(&[], |placement| &placement.constraints), node)
}

fn unplaced(task: &Task) -> Option<String> {
    let reason = if task.status.err.is_empty() { &task.status.message } else { &task.status.err };
    (task.status.state == "pending" && reason.contains("no suitable node")).then(|| reason.clone())
}

struct Nodes<'a>(&'a [Arc<Node>]);

impl Nodes<'_> {
    fn find(&self, id: &str) -> Option<&Node> {
        self.0.iter().find(|node| node.id == id).map(|node| &**node)
    }

    fn is_down(&self, id: &str) -> bool {
        self.find(id).is_some_and(|node| node.status.state == "down")
    }

    fn takes_tasks(&self, id: &str) -> bool {
        self.find(id).is_none_or(|node| node.status.state == "ready" && node.spec.availability == "active")
    }
}
