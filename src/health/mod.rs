//! Service, tasks and nodes → verdict: how a rollout fares, from nothing but data.
//!
//! What the engine reports is not enough: `completed` and `rollback_completed` are both reported while tasks fail, and
//! the state is absent for a moment after every write. So a rollout has converged when the state is absent or
//! `completed`, *and* the live spec is the one that was sent, *and* every task that is wanted is up to date, runs, and has
//! done so for the time in which the engine itself would count a failure.

mod words;

use std::collections::BTreeSet;
use std::time::Duration;

pub use words::Health;

use crate::swarm::{Node, Service, ServiceSpec, Task, UpdateStatus};

/// The engine's own window in which a failure counts, where the spec says none.
const DEFAULT_MONITOR: Duration = Duration::from_secs(5);

/// How long a global service without any task is given until no node is taken to fit it: the engine makes tasks within
/// milliseconds of a write.
const NO_TASKS: Duration = Duration::from_secs(5);

/// What is seen of one service.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The service as it is now.
    pub service: &'a Service,
    /// Whether its spec is the one that was sent. After an automatic rollback it is not.
    pub is_wanted: bool,
    /// All its tasks.
    pub tasks: &'a [Task],
    /// The ids of those that are up to date by the engine's own test.
    pub up_to_date: &'a BTreeSet<String>,
    /// The nodes.
    pub nodes: &'a [std::sync::Arc<Node>],
    /// For how long it has been as it should be, at each look: zero at the first.
    pub stable_for: Duration,
    /// For how long nothing has become better.
    pub stalled_for: Duration,
    /// For how long that may go on.
    pub timeout: Duration,
}

/// How a service fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every wanted task is up to date and has run long enough.
    Converged,
    /// It is on its way.
    Progressing(Progress),
    /// It did not get there in time, or tasks fail.
    Degraded {
        /// How far it came.
        progress: Progress,
        /// What fails.
        failing: Option<Failing>,
    },
    /// The engine went back to the spec before, or is doing so.
    RolledBack {
        /// The engine's reason.
        message: String,
        /// Whether it is done.
        is_done: bool,
    },
    /// The engine gave the rollout up.
    Paused {
        /// The engine's reason.
        message: String,
    },
    /// A task can be placed nowhere.
    Stuck {
        /// The scheduler's reason.
        reason: String,
    },
}

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Wanted tasks that are up to date and run (of a job: are complete).
    pub ready: u64,
    /// Wanted tasks.
    pub wanted: u64,
    /// What it waits for.
    pub waiting_for: String,
}

/// A task that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Its id.
    pub task: String,
    /// The host name of its node.
    pub node: String,
    /// What went wrong, in the engine's words.
    pub error: String,
    /// The exit code, where its process ended by itself.
    pub exit_code: Option<i64>,
}

impl std::fmt::Display for Failing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.error)?;
        if !self.node.is_empty() {
            write!(f, " on {}", self.node)?;
        }
        Ok(())
    }
}

/// Whether the engine is updating a service or taking it back at this moment.
pub fn is_rolling(service: &Service) -> bool {
    matches!(state(service), "updating" | "rollback_started")
}

/// Why the engine gave up the last update of a service or went back on it; `None` where it did neither.
pub fn gave_up(service: &Service) -> Option<String> {
    let message = service.update_status.as_ref().map(|status| status.message.clone()).unwrap_or_default();
    match state(service) {
        "paused" => Some(format!("the rollout is paused: {message}")),
        "rollback_started" | "rollback_paused" | "rollback_completed" => Some(format!("rolled back: {message}")),
        _ => None,
    }
}

/// Judges one service.
pub fn assess(seen: &Observation<'_>) -> Verdict {
    let message = || seen.service.update_status.as_ref().map(|status| status.message.clone()).unwrap_or_default();
    match state(seen.service) {
        "paused" | "rollback_paused" if seen.is_wanted => return Verdict::Paused { message: message() },
        "rollback_started" => return Verdict::RolledBack { message: message(), is_done: false },
        "rollback_paused" | "rollback_completed" if !seen.is_wanted => {
            return Verdict::RolledBack { message: message(), is_done: true };
        }
        _ => {}
    }
    let count = count(seen);
    let failing = failing(seen);
    let mut progress = Progress { ready: count.ready, wanted: count.wanted, waiting_for: String::new() };
    if count.is_complete() && state(seen.service) != "updating" {
        let monitor = if count.is_job { Duration::ZERO } else { monitor(&seen.service.spec) };
        if seen.stable_for >= monitor || seen.service.update_status.is_some() {
            return Verdict::Converged;
        }
        progress.waiting_for = format!("tasks to stay up for {} s", monitor.as_secs_f32());
        return Verdict::Progressing(progress);
    }
    let pending = pending(seen);
    if seen.stalled_for >= seen.timeout {
        return match pending {
            Some(reason) => Verdict::Stuck { reason },
            None => Verdict::Degraded { progress, failing },
        };
    }
    progress.waiting_for = match (pending, failing) {
        (Some(reason), _) => reason,
        (None, Some(failing)) => failing.to_string(),
        (None, None) if count.is_complete() => "the engine to watch the new tasks".to_owned(),
        (None, None) => format!("{} of {} tasks", count.ready, count.wanted),
    };
    Verdict::Progressing(progress)
}

/// How many tasks are where they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// So many.
    pub count: u64,
    /// Whether that is all of them.
    pub is_complete: bool,
}

/// How many tasks are where they should be: what a timeout without progress is counted by.
pub fn ready(seen: &Observation<'_>) -> Ready {
    let count = count(seen);
    Ready { count: count.ready, is_complete: count.is_complete() }
}

/// Tasks that are where they should be, of those that are wanted.
struct Count {
    ready: u64,
    wanted: u64,
    is_job: bool,
    is_known: bool,
}

impl Count {
    fn is_complete(&self) -> bool {
        self.is_known && self.ready >= self.wanted
    }
}

fn count(seen: &Observation<'_>) -> Count {
    let mode = seen.service.spec.mode.clone().unwrap_or_default();
    let current: Vec<&Task> = seen.tasks.iter().filter(|task| seen.up_to_date.contains(&task.id)).collect();
    let running = |task: &&&Task| task.desired_state == "running" && task.status.state == "running";
    if let Some(job) = &mode.replicated_job {
        let done = current.iter().filter(|task| is_current_run(seen, task) && task.status.state == "complete");
        let wanted = job.total_completions.or(job.max_concurrent).unwrap_or(1);
        return Count { ready: slots(done.copied()), wanted, is_job: true, is_known: true };
    }
    if mode.global_job.is_some() {
        let tasks: Vec<&&Task> = current.iter().filter(|task| is_current_run(seen, task)).collect();
        let ready = tasks.iter().filter(|task| task.status.state == "complete").count();
        return Count { ready: ready as u64, wanted: tasks.len() as u64, is_job: true, is_known: !tasks.is_empty() };
    }
    if mode.global.is_some() {
        let down: BTreeSet<&str> =
            seen.nodes.iter().filter(|node| node.status.state == "down").map(|node| node.id.as_str()).collect();
        let wanted: BTreeSet<&str> = current
            .iter()
            .filter(|task| matches!(task.desired_state.as_str(), "running" | "ready"))
            .map(|task| task.node_id.as_str())
            .filter(|node| !down.contains(node))
            .collect();
        let ready: BTreeSet<&str> = current
            .iter()
            .filter(running)
            .map(|task| task.node_id.as_str())
            .filter(|node| wanted.contains(node))
            .collect();
        let is_known = !wanted.is_empty() || seen.stalled_for >= NO_TASKS;
        return Count { ready: ready.len() as u64, wanted: wanted.len() as u64, is_job: false, is_known };
    }
    let wanted = mode.replicated.and_then(|replicated| replicated.replicas).unwrap_or(1);
    Count { ready: slots(current.iter().filter(running).copied()), wanted, is_job: false, is_known: true }
}

fn slots<'a>(tasks: impl Iterator<Item = &'a Task>) -> u64 {
    tasks.map(|task| task.slot).collect::<BTreeSet<_>>().len() as u64
}

fn is_current_run(seen: &Observation<'_>, task: &Task) -> bool {
    match &seen.service.job_status {
        Some(status) => task.job_iteration == Some(status.job_iteration),
        None => true,
    }
}

/// The newest task that is up to date, or was made since, and ended badly.
fn failing(seen: &Observation<'_>) -> Option<Failing> {
    let ended = |task: &&Task| matches!(task.status.state.as_str(), "failed" | "rejected");
    let task = seen.tasks.iter().filter(ended).max_by(|a, b| a.status.timestamp.cmp(&b.status.timestamp))?;
    // A failure that was overcome is history.
    let newer = |other: &&Task| {
        other.slot == task.slot
            && other.node_id == task.node_id
            && other.status.state == "running"
            && other.created_at > task.created_at
    };
    if seen.tasks.iter().any(|other| newer(&other)) {
        return None;
    }
    let node = seen.nodes.iter().find(|node| node.id == task.node_id);
    let error = if task.status.err.is_empty() { &task.status.message } else { &task.status.err };
    Some(Failing {
        task: task.id.clone(),
        node: node.map(|node| node.description.hostname.clone()).unwrap_or_default(),
        error: error.clone(),
        exit_code: task.status.extra.get("ContainerStatus").and_then(|status| status.get("ExitCode")?.as_i64()),
    })
}

/// Why the scheduler places a task nowhere.
fn pending(seen: &Observation<'_>) -> Option<String> {
    let waiting = |task: &&Task| task.status.state == "pending" && !task.status.err.is_empty();
    seen.tasks.iter().find(waiting).map(|task| task.status.err.clone())
}

fn monitor(spec: &ServiceSpec) -> Duration {
    let said = spec.update_config.as_ref().map_or(0, |config| config.monitor);
    match u64::try_from(said) {
        Ok(nanoseconds) if nanoseconds > 0 => Duration::from_nanos(nanoseconds),
        _ => DEFAULT_MONITOR,
    }
}

fn state(service: &Service) -> &str {
    service.update_status.as_ref().map_or("", |status: &UpdateStatus| status.state.as_str())
}
