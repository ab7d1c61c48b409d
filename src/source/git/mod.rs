//! Git repositories, through git2.
//!
//! A repository of this machine is read in place ([`Repository`]); one behind a network is cloned whole and bare, since a
//! commit cannot be fetched by its id everywhere. Files come from the object database ([`Tree`]); nothing is checked out.

mod clone;
mod connection;
mod follow;
mod library;
mod reference;
mod repository;
mod tree;

pub use follow::{Follow, Patience, Spec};
pub use library::{Setup, initialise};
pub use reference::Reference;
pub use repository::{Commit, Repository, enclosing};
pub use tree::Tree;

/// The name under which git keeps its own data in a work tree.
pub const DOT_GIT: &str = ".git";
