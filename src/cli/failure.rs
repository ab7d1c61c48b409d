//! How a verb fails: what a person is told, and the exit code.

use crate::client;
use crate::operator;
use crate::source;

use super::exit::Exit;
use super::print;

/// Why a verb did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The engine.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A repository or directory.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// A record.
    #[error(transparent)]
    Records(#[from] operator::records::Error),
    /// The swarm cannot be listed whole.
    #[error(transparent)]
    Snapshot(#[from] operator::snapshot::SnapshotError),
    /// Arguments that do not fit together, or do not parse.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Something forbids it: exit code 5.
    #[error("{message}")]
    Blocked {
        /// What, and why.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A saved plan is not what would happen now: exit code 3.
    #[error("{message}")]
    Stale {
        /// What has moved.
        message: String,
    },
    /// The input has faults, and they are already printed.
    #[error("nothing was done: the input has errors")]
    Invalid,
    /// Standard output cannot be written.
    #[error("the output cannot be written")]
    Output(#[source] std::io::Error),
    /// A thread of skep's own.
    #[error("a thread died: this is a fault of skep's own")]
    Thread(#[from] tokio::task::JoinError),
    /// Ctrl-C, before anything was written.
    #[error("interrupted; nothing was done")]
    Interrupted,
}

impl Failure {
    /// Bad usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: None }
    }

    /// Bad usage, with what to do.
    pub fn usage_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// Something forbids it.
    pub fn blocked(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Blocked { message: message.into(), hint: Some(hint.into()) }
    }

    /// Standard output cannot be written.
    pub fn output(error: std::io::Error) -> Self {
        Self::Output(error)
    }

    /// Says it on standard error, the chain of causes included, and gives the exit code.
    pub fn report(self) -> Exit {
        // A reader that closed the pipe (`skep plan | head`) has what it wanted.
        if matches!(&self, Failure::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe) {
            return Exit::Done;
        }
        let mut message = self.to_string();
        let mut source = std::error::Error::source(&self);
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        print::say(&format!("skep: {message}"));
        if let Some(hint) = self.hint() {
            print::say(&format!("  help: {hint}"));
        }
        match self {
            Failure::Blocked { .. } => Exit::Blocked,
            Failure::Stale { .. } => Exit::Stale,
            Failure::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Failure::Source(error) => error.hint(),
            Failure::Usage { hint, .. } | Failure::Blocked { hint, .. } => hint.clone(),
            Failure::Client(error)
            | Failure::Records(operator::records::Error::Client(error))
            | Failure::Snapshot(operator::snapshot::SnapshotError::Client(error)) => engine(error),
            Failure::Stale { .. } => Some("plan again, and look at it: skep plan … --out FILE".to_owned()),
            Failure::Records(_)
            | Failure::Snapshot(_)
            | Failure::Invalid
            | Failure::Output(_)
            | Failure::Thread(_)
            | Failure::Interrupted => None,
        }
    }
}

/// What to do about an engine that does not do what it is asked.
fn engine(error: &client::Error) -> Option<String> {
    use client::Error::{Conflict, NotManager, Timeout, Unavailable};
    match error {
        NotManager(_) => Some("DOCKER_HOST or DOCKER_CONTEXT names the engine to talk to".to_owned()),
        Unavailable(failure) | Timeout(failure) if failure.status.is_none() => {
            Some("is an engine running there? DOCKER_HOST or DOCKER_CONTEXT names another".to_owned())
        }
        Conflict(_) => Some("somebody else wrote it at the same time: plan again".to_owned()),
        _ => None,
    }
}
