//! skep: a GitOps operator for Docker Swarm.
//!
//! The rooms, top to bottom; a room uses only rooms above it (ARCHITECTURE.md has the table and the reasons):
//!
//! ```text
//! vocabulary   model  diag  yaml
//! pure         sops  settings  compose  swarm  desired  health  lint  plan  import  audit
//! shell        client  source  runtime  apply  telemetry
//! assembly     operator  cli
//! ```
#![warn(missing_docs)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod apply;
pub mod audit;
pub mod cli;
pub mod client;
pub mod compose;
pub mod desired;
pub mod diag;
pub mod health;
pub mod import;
pub mod lint;
pub mod model;
pub mod operator;
pub mod plan;
pub mod runtime;
pub mod settings;
pub mod sops;
pub mod source;
pub mod swarm;
pub mod telemetry;
pub mod yaml;
