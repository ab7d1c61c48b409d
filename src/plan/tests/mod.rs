//! Plans against a swarm that is simulated: what is sent is stored as the engine would store it.

mod adoption;
mod as_is;
mod cluster;
mod confidential;
mod contact;
mod contents;
mod costs;
mod deletion;
mod feasible;
mod goldens;
mod laws;
mod origin;
mod recorded;
mod replaced;
mod report;
mod retreat;
mod shown;
mod stack;
mod waves;

use cluster::Cluster;
use stack::{config, network, secret, service, stack};

use super::*;
use crate::desired::Desired;
use crate::model::Kind;
use crate::swarm::Images;

/// A plan with the record, as a controller makes it.
fn planned(desired: &Desired, cluster: &Cluster) -> Plan {
    with_policy(desired, cluster, &Policy::default())
}

fn with_policy(desired: &Desired, cluster: &Cluster, policy: &Policy) -> Plan {
    plan(Input {
        desired,
        live: &cluster.live,
        applied: cluster.applied.as_ref(),
        good: None,
        images: &Images::default(),
        policy,
    })
}

/// What drifted, as the record alone tells.
fn reported(cluster: &Cluster) -> Report {
    let stack = stack().stack;
    let found = Found { stack: &stack, live: &cluster.live, tasks: &[], now: None };
    drift_of(found, cluster.applied.as_ref().expect("a record"))
}

/// What a plan does, one word a step: `update service shop_web`.
fn done(plan: &Plan) -> Vec<String> {
    let word = |action| match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
    };
    plan.steps.iter().map(|step| format!("{} {} {}", word(step.action), step.kind, step.name)).collect()
}

fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// A cluster to which a stack was applied.
fn applied(desired: &Desired) -> Cluster {
    let mut cluster = Cluster::default();
    cluster.apply(desired);
    cluster
}
