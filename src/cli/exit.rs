//! Exit codes: part of the contract (`docs/cli.md`).

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// It failed: bad usage and invalid input included.
    Failed,
    /// With `--detailed-exitcode` only: there are changes.
    Changes,
    /// A saved plan is stale: something it is about has moved.
    Stale,
    /// Applied, but not healthy in time or rolled back.
    Unhealthy,
    /// Blocked: held, suspended, a guard, or managed by a controller.
    Blocked,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Changes => 2,
            Exit::Stale => 3,
            Exit::Unhealthy => 4,
            Exit::Blocked => 5,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
