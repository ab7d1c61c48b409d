//! The stable categories of what can go wrong.

use std::fmt;

use super::Error;

/// The stable categories of [`Error`]: for metrics, for the JSON forms, and for deciding how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// [`Error::Unauthorized`].
    Unauthorized,
    /// [`Error::HostKey`].
    HostKey,
    /// [`Error::Certificate`].
    Certificate,
    /// [`Error::Unreachable`].
    Unreachable,
    /// [`Error::Timeout`].
    Timeout,
    /// [`Error::NotFound`], [`Error::NotARepository`], [`Error::Foreign`] and [`Error::Directory`].
    NotFound,
    /// [`Error::UnknownReference`], [`Error::Ambiguous`] and [`Error::NotACommit`].
    UnknownReference,
    /// [`Error::Empty`].
    Empty,
    /// [`Error::Gone`].
    Gone,
    /// [`Error::Credential`].
    Credential,
    /// [`Error::Unsupported`].
    Unsupported,
    /// [`Error::Clone`].
    Clone,
    /// [`Error::Transport`].
    Transport,
    /// [`Error::Watch`].
    Watch,
    /// [`Error::Pattern`], [`Error::TooMany`] and [`Error::Listing`].
    Discovery,
    /// [`Error::Interrupted`].
    Interrupted,
}

impl Category {
    /// The word for it. It never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Unauthorized => "unauthorized",
            Category::HostKey => "host-key",
            Category::Certificate => "certificate",
            Category::Unreachable => "unreachable",
            Category::Timeout => "timeout",
            Category::NotFound => "not-found",
            Category::UnknownReference => "unknown-reference",
            Category::Empty => "empty",
            Category::Gone => "gone",
            Category::Credential => "credential",
            Category::Unsupported => "unsupported",
            Category::Clone => "clone",
            Category::Transport => "transport",
            Category::Watch => "watch",
            Category::Discovery => "discovery",
            Category::Interrupted => "interrupted",
        }
    }

    /// Whether looking again soon may help with nobody doing anything.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Category::Unreachable
                | Category::Timeout
                | Category::Gone
                | Category::Clone
                | Category::Transport
                | Category::Interrupted
        )
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Error {
    /// The stable category.
    pub fn category(&self) -> Category {
        match self {
            Error::Unauthorized { .. } => Category::Unauthorized,
            Error::HostKey { .. } => Category::HostKey,
            Error::Certificate { .. } => Category::Certificate,
            Error::Unreachable { .. } => Category::Unreachable,
            Error::Timeout { .. } => Category::Timeout,
            Error::NotFound { .. } | Error::NotARepository { .. } | Error::Foreign { .. } | Error::Directory { .. } => {
                Category::NotFound
            }
            Error::UnknownReference { .. } | Error::Ambiguous { .. } | Error::NotACommit { .. } => {
                Category::UnknownReference
            }
            Error::Empty { .. } => Category::Empty,
            Error::Gone { .. } => Category::Gone,
            Error::Credential { .. } => Category::Credential,
            Error::Unsupported { .. } => Category::Unsupported,
            Error::Clone { .. } => Category::Clone,
            Error::Transport { .. } => Category::Transport,
            Error::Watch { .. } => Category::Watch,
            Error::Pattern { .. } | Error::TooMany { .. } | Error::Listing { .. } => Category::Discovery,
            Error::Interrupted { .. } => Category::Interrupted,
        }
    }
}
