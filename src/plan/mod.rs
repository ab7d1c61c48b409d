//! Desired × live × last applied → [`Plan`]: what has to be written, what each write costs, and whose change it is.
//!
//! [`plan`] is pure: the same input gives the same plan, and nothing is written by looking. A plan is data. Whoever
//! carries it out takes the [`Step`]s one by one; whoever shows it takes the [`view`].

mod applied;
mod content;
mod cost;
mod diff;
mod draft;
mod extra;
mod guard;
mod index;
mod list;
mod mask;
mod network;
mod pointer;
mod policy;
mod prune;
mod reference;
mod service;
mod step;
mod text;
pub mod view;
mod words;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use applied::{Applied, Content, Object};
pub use mask::Mask;
pub use policy::{OnDrift, Policy, Prune};
pub use reference::{Unfilled, fill_references};
pub use step::{
    Action, Body, Change, Downtime, Drift, Drifted, Effect, FirstContact, Origin, Plan, Rollout, Step, Sync, Write,
};
pub use text::{Layout, drift_text, plan_text};

use crate::desired::Desired;
use crate::swarm::Live;
use diff::Base;
use index::Index;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What git says.
    pub desired: &'a Desired,
    /// What the swarm holds: all of it, since absence is concluded from it.
    pub live: &'a Live,
    /// What was last applied, as the record says. Without a record nothing is deleted.
    pub applied: Option<&'a Applied>,
    /// What the plan may do.
    pub policy: &'a Policy,
}

/// Plans what brings one stack from what it is to what git says.
pub fn plan(mut input: Input<'_>) -> Plan {
    if input.policy.direct {
        input.applied = None;
    }
    let index = Index::new(&input.desired.stack, input.live, input.applied);
    let mut faults = Vec::new();
    guard::externals(&input, &index, &mut faults);
    let networks = network::resolve(&input, &index, &mut faults);
    let (contents, names) = content::resolve(&input, &index, &mut faults);
    let services = service::resolve(&input, &index, &names, &mut faults);
    draft::plan(&input, &index, networks.into_iter().chain(contents).chain(services).collect(), faults)
}

/// Whether all that differs is drift, which by itself is no reason to write.
fn is_drift_alone(changes: &[Change]) -> bool {
    !changes.is_empty() && changes.iter().all(|change| change.origin == Origin::Drift)
}

/// What a field is compared with to tell whose a difference is. Of an object that the record does not know, nobody can.
fn base(applied: Option<&Value>) -> Base<'_> {
    applied.map_or(Base::Unknown, |applied| Base::Applied(Some(applied)))
}
