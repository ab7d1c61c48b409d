//! Stack files → [`Compose`]: parse, interpolate, merge, validate. Every value keeps its place.

mod accept;
mod cast;
mod check;
mod content;
mod context;
pub mod coverage;
mod credential;
mod deploy;
mod document;
pub mod dotenv;
pub mod encrypted;
mod env_file;
mod environment;
mod extends;
mod family;
pub mod grammar;
mod healthcheck;
mod include;
mod interpolate;
mod keys;
mod load;
mod merge;
mod mount;
mod object;
mod own;
mod port;
mod profile;
mod quantity;
mod reference;
pub mod schema;
mod service;
mod shell;
mod tags;
mod template;
#[cfg(test)]
mod tests;
mod tmpfs;
mod types;
mod unit;
mod variables;

pub use accept::Accepted;
pub use content::{foreign, pointer};
pub use load::{load, name};
pub use own::{Hook, Own};
pub use types::*;
pub use variables::{Found, Variables};

use self::context::Context;
use crate::diag::{Diagnostic, Sources};
use crate::model::{Confidential, Files};
use crate::sops::Keys;

/// Where the variables and relative paths of a stack's files come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `-c FILE`, as `docker stack deploy` does it: the process environment interpolates, relative binds are joined to
    /// the first file's directory, an undefined variable is a warning and empty.
    Direct,
    /// A commit means the same on every machine: an undefined variable without a default is an error, and so is a
    /// relative bind.
    Repository,
}

/// What loading needs.
pub struct Input<'a> {
    /// The tree the paths lie in.
    pub files: &'a dyn Files,
    /// The stack's files, located, in order: later ones override. Relative paths of all of them resolve against the
    /// directory of the first.
    pub paths: &'a [String],
    /// The variables: the environment in direct mode; in a repository those of `skep.yaml` and `envFiles`, to which the
    /// `.env` beside the first file is added where they are silent.
    pub variables: &'a Variables,
    /// Where it comes from.
    pub mode: Mode,
    /// Whether an undefined variable in a repository is only a warning (`variables: loose`).
    pub loose: bool,
    /// The home directory, for `~` in direct mode.
    pub home: Option<&'a str>,
    /// The stack's name, where it is known before its files are read: `COMPOSE_PROJECT_NAME` in files that have a `name`.
    pub stack: Option<&'a str>,
    /// The profiles that are asked for; `COMPOSE_PROFILES` among the variables adds to them.
    pub profiles: &'a [String],
    /// The directory of the nodes that stands for the repository's root where a bind source is relative (`bindRoot`).
    pub bind_root: Option<&'a str>,
    /// What encrypted files are decrypted with.
    pub keys: &'a Keys,
}

impl<'a> Input<'a> {
    /// The files of a stack with these variables, and nothing else said.
    pub fn new(files: &'a dyn Files, paths: &'a [String], variables: &'a Variables, mode: Mode) -> Self {
        static NO_KEYS: Keys = Keys::none();
        Self {
            files,
            paths,
            variables,
            mode,
            loose: false,
            home: None,
            stack: None,
            profiles: &[],
            bind_root: None,
            keys: &NO_KEYS,
        }
    }
}

/// What loading gives.
#[derive(Debug)]
pub struct Loaded {
    /// The stack. `None` when any diagnostic is an error: half a stack must never be applied.
    pub compose: Option<Compose>,
    /// Every fault found, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// Texts that came out of encrypted files: no output may hold them, diagnostics included.
    pub confidential: Confidential,
    /// The texts the diagnostics point into.
    pub sources: Sources,
}
