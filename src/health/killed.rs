//! Old tasks that had to be killed: what they were answering is lost.

use std::fmt;

use crate::swarm::Task;

/// The exit code of a process that SIGKILL ended.
const SIGKILL: i64 = 128 + 9;

/// How many of the tasks that Swarm stopped ended only by SIGKILL, when their grace was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Killed {
    /// Ended by SIGKILL.
    pub killed: u64,
    /// Stopped by Swarm, however they ended.
    pub ended: u64,
}

impl Killed {
    /// Whether any was.
    pub fn any(self) -> bool {
        self.killed > 0
    }
}

/// Counts the tasks that Swarm stopped: give it the old tasks of one rollout. One that failed by itself was not stopped, and one
/// that never had a container had nothing to lose.
pub fn killed<'t>(tasks: impl IntoIterator<Item = &'t Task>) -> Killed {
    let mut counted = Killed::default();
    for task in tasks {
        if let Some(code) = stopped_with(task) {
            counted.ended += 1;
            counted.killed += u64::from(code == SIGKILL);
        }
    }
    counted
}

/// The exit code of a task that Swarm stopped.
fn stopped_with(task: &Task) -> Option<i64> {
    // A task that ends before it was told to is `failed` or `complete`.
    if task.desired_state != "shutdown" || task.status.state != "shutdown" {
        return None;
    }
    let container = task.status.extra.get("ContainerStatus")?;
    container.get("ContainerID").and_then(serde_json::Value::as_str).filter(|id| !id.is_empty())?;
    container.get("ExitCode").and_then(serde_json::Value::as_i64)
}

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Killed { killed, ended } = self;
        let (tasks, were) = (if *ended == 1 { "task" } else { "tasks" }, if *killed == 1 { "was" } else { "were" });
        write!(f, "{killed} of {ended} old {tasks} {were} killed: requests in flight were lost")
    }
}
