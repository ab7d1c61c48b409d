//! Where stack files come from: git repositories, directories, the deployer's machine.
//!
//! Everything here gives its files as [`Files`](crate::model::Files), so that nothing above knows which it was:
//!
//! - [`direct::Machine`]: this machine, for `-c FILE`; links lead anywhere.
//! - [`directory::Directory`]: a directory as it lies there; nothing outside is read.
//! - [`git::Tree`]: a commit's files, straight from the object database; there is no work tree to escape from.
//!
//! [`git::Follow`] keeps up with one repository at one reference, [`watch::Watch`] tells when a local one moved,
//! [`discover`] finds the directories with stacks, [`git::enclosing`] the repository around a directory. No other room
//! names git2.

pub mod address;
mod category;
pub mod credential;
pub mod direct;
pub mod directory;
pub mod discover;
mod disk;
pub mod error;
#[cfg(test)]
mod fixture;
pub mod git;
mod known_hosts;
mod walk;
pub mod watch;

pub use category::Category;
pub use credential::Credential;
pub use direct::Machine;
pub use directory::Directory;
pub use error::Error;
pub use git::{Follow, Reference, Spec};
pub use watch::Watch;
