//! Everything that needs more than the library: real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod git_server;
mod git_servers;
