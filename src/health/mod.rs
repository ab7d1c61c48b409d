//! (service, tasks, nodes, what was seen before, now) → [`Verdict`]: has it converged, and if not, what is it waiting for.
//!
//! Pure: `now` is the caller's own monotonic clock, and what must be remembered between two looks is a value, [`Seen`].
//! The engine's times are never compared with it. The engine's own verdict is not enough: it says `completed` and
//! `rollback_completed` while tasks fail. Success is: no update under way, the live spec is the one that was sent, and
//! every expected task is up to date and has run for a while.

mod assess;
mod failure;
mod killed;
mod spec;
mod tasks;
mod word;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use assess::assess;
pub use failure::{Failure, last_failure};
pub use killed::{Killed, killed};
pub use word::Health;

use crate::swarm::{Node, Service, ServiceSpec, Task};

/// What the engine counts as the first moments of a task, where the policy does not say.
const DEFAULT_MONITOR: Duration = Duration::from_secs(5);

/// What is known of one service at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The service.
    pub service: &'a Service,
    /// All its tasks, those that ended included.
    pub tasks: &'a [Arc<Task>],
    /// Those the engine calls up to date: `GET /tasks` with the filter `_up-to-date`, the only exact test.
    pub up_to_date: &'a [Arc<Task>],
    /// The nodes.
    pub nodes: &'a [Arc<Node>],
    /// The spec that was sent, networks and references by id. `None` where nothing was: then any spec will do.
    pub expected: Option<&'a ServiceSpec>,
    /// How long all tasks must have run. See [`window`].
    pub window: Duration,
    /// How long nothing may become ready.
    pub timeout: Duration,
}

/// What an earlier look saw. The default is that of a service nobody looked at; a new spec begins with it again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The most tasks that were ready at once. A crash loop, whose tasks run again and again, does not raise it.
    progress: u64,
    /// When that was reached.
    progressed_at: Option<Duration>,
    /// The tasks that ran when all did, and since when just these have.
    running: Option<(BTreeSet<String>, Duration)>,
    /// Since when nothing is left that could become ready.
    dead_since: Option<Duration>,
}

/// A verdict with its numbers, and what the next look needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// What became of it.
    pub verdict: Verdict,
    /// Tasks that are up to date and run; of a job, those that are done.
    pub up_to_date: u64,
    /// Tasks that should be.
    pub wanted: u64,
    /// What to pass to the next look.
    pub seen: Seen,
}

/// What became of a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is as it was sent, and runs. A job is done.
    Converged,
    /// Not yet.
    Progressing {
        /// What is missing.
        waiting_for: WaitingFor,
        /// A task that failed and has no running successor yet.
        failing: Option<Failure>,
    },
    /// Tasks fail, and time is up or nothing restarts them.
    Degraded(Failure),
    /// Swarm went back to the spec before.
    RolledBack {
        /// The engine's reason.
        message: String,
        /// Whether the old tasks are back.
        finished: bool,
    },
    /// Swarm stopped in the middle and does nothing more.
    Paused {
        /// The engine's reason.
        message: String,
    },
    /// Somebody else wrote the service since.
    Superseded,
    /// Nothing fails and nothing comes of it: time is up.
    Stuck {
        /// What it was waiting for.
        waiting_for: WaitingFor,
    },
}

impl Verdict {
    /// Whether a further look without a further write would say the same, as far as anybody can tell.
    pub fn is_final(&self) -> bool {
        !matches!(self, Verdict::Progressing { .. } | Verdict::RolledBack { finished: false, .. })
    }
}

/// What a service is waiting for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingFor {
    /// Tasks that the engine has yet to make.
    Tasks,
    /// A node that takes a task; the engine's reason.
    Placement(String),
    /// So many tasks to start and turn healthy.
    Start(u64),
    /// So many jobs' tasks to end.
    Completion(u64),
    /// So many old tasks to be replaced.
    OldTasks(u64),
    /// The engine to call the update completed.
    Update,
    /// All run; for so long they must go on.
    Stability(Duration),
}

impl fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = |count: &u64| format!("{count} task{}", if *count == 1 { "" } else { "s" });
        match self {
            WaitingFor::Tasks => f.write_str("tasks to be made"),
            WaitingFor::Placement(reason) => write!(f, "a node: {reason}"),
            WaitingFor::Start(count) => write!(f, "{} to start", tasks(count)),
            WaitingFor::Completion(count) => write!(f, "{} to end", tasks(count)),
            WaitingFor::OldTasks(count) => write!(f, "{} to be replaced", tasks(count)),
            WaitingFor::Update => f.write_str("the update to complete"),
            WaitingFor::Stability(left) => write!(f, "all tasks to run for another {}s", left.as_secs_f32().ceil()),
        }
    }
}

/// How long all tasks of a service must run before it counts as converged: the time in which its policy counts failures.
pub fn window(spec: &ServiceSpec) -> Duration {
    let is_job = spec.mode.as_ref().is_some_and(|mode| mode.replicated_job.is_some() || mode.global_job.is_some());
    if is_job {
        return Duration::ZERO;
    }
    let monitor = spec.update_config.as_ref().and_then(|policy| u64::try_from(policy.monitor).ok());
    monitor.filter(|monitor| *monitor > 0).map_or(DEFAULT_MONITOR, Duration::from_nanos)
}

/// Whether the engine is carrying out an update or a rollback right now. Whoever writes the service meanwhile takes away
/// its verdict, and the rollback with it.
pub fn is_rolling(service: &Service) -> bool {
    let status = service.update_status.as_ref();
    status.is_some_and(|status| matches!(status.state.as_str(), "updating" | "rollback_started"))
}
