//! The tests that need more than the library: the binary, a real swarm, a registry, a git server.
//!
//! They share one binary so that they share one swarm ([`lab::Lab::shared`]). Whatever a test deploys carries a stack name of its
//! own ([`lab::unique`]). A test that breaks its swarm starts its own ([`lab::Lab::start`]).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod adoption;
mod bad_input;
mod cases;
mod ci;
mod client;
mod commands;
mod controller;
mod corpus;
mod coverage;
mod differential;
mod documents;
mod examples;
mod feasible;
mod git_server;
mod git_servers;
mod goldens;
mod hostile;
mod house;
mod import;
mod lab;
mod lab_itself;
mod pages;
mod proxy;
mod reference;
mod registry;
mod restarts;
mod runner;
mod stored;
mod sweep;
mod wait;
mod zero_downtime;
