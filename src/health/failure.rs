//! Why a task failed.

use std::fmt;
use std::sync::Arc;

use crate::swarm::{Node, Task};

/// A task that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its id.
    pub task: String,
    /// Which replica it was; 0 of a global service.
    pub slot: u64,
    /// The host name of its node, or the node's id where it is gone; `None` where it never had one.
    pub node: Option<String>,
    /// The engine's words.
    pub error: String,
    /// The exit code of its container, where it had one that ended by itself.
    pub exit_code: Option<i64>,
}

impl Failure {
    /// Why a task failed, with its node's name.
    pub fn of(task: &Task, nodes: &[Arc<Node>]) -> Self {
        let node = nodes.iter().find(|node| node.id == task.node_id);
        let error = if task.status.err.is_empty() { &task.status.message } else { &task.status.err };
        let container = task.status.extra.get("ContainerStatus");
        let exit_code = container.and_then(|container| container.get("ExitCode")).and_then(serde_json::Value::as_i64);
        Self {
            task: task.id.clone(),
            slot: task.slot,
            node: node
                .map(|node| node.description.hostname.clone())
                .or_else(|| Some(task.node_id.clone()))
                .filter(|node| !node.is_empty()),
            error: error.clone(),
            // A task that was refused has a container status of zeroes.
            exit_code: exit_code.filter(|code| *code != 0),
        }
    }
}

/// The failure of the task that failed last.
pub fn last_failure(tasks: &[Arc<Task>], nodes: &[Arc<Node>]) -> Option<Failure> {
    let failed = tasks.iter().filter(|task| matches!(task.status.state.as_str(), "failed" | "rejected"));
    failed.max_by_key(|task| (task.version, &task.id)).map(|task| Failure::of(task, nodes))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.error.is_empty() { "it failed" } else { &self.error })?;
        match self.exit_code {
            // The engine's own words usually say it already.
            Some(code) if !self.error.contains(&code.to_string()) => write!(f, " (exit code {code})")?,
            _ => {}
        }
        self.node.as_ref().map_or(Ok(()), |node| write!(f, " on {node}"))
    }
}
