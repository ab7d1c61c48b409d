//! How a service's update rolls: the policy that is filled in where its file is silent, and how long that takes.
//!
//! What is filled in is computed for one service and one update, from the healthcheck and from whether two of its tasks may
//! run side by side ([`Computed`]). It comes with a write that is due for another reason and never causes one ([`Silence`]).
//! Swarm's updater takes the policy of the spec that is sent, so it holds for that very update; but it takes the rollback policy
//! of the spec that it goes back to, so a rollback of the first update that brings one is still the old, stop-first one.
//!
//! `stop_grace_period` is not filled in: it is a part of the task, so each time another number would be computed, all tasks
//! would restart for it.

mod beside;
mod check;
mod field;
mod pace;
mod silence;
mod words;

use std::sync::Arc;
use std::time::Duration;

use super::cost::{self, Mode};
use crate::desired::{self, SaidPolicy};
use crate::lint;
use crate::swarm::{Images, Node, ServiceSpec, UpdateConfig};

pub(super) use beside::Obstacle;
pub(super) use check::Check;
pub(super) use pace::{seconds, slow};
pub(super) use silence::{Past, Silence, is_open, left_open};
pub(super) use words::{enforced, tell};

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;
/// The engine's own, where a policy says none.
const DEFAULT_MONITOR: i64 = 5 * SECOND;
/// The shortest that is filled in: in the first five seconds most of what crashes has crashed.
const LEAST_MONITOR: i64 = nanoseconds(lint::SHORTEST);
/// The longest that is filled in.
const MOST_MONITOR: i64 = nanoseconds(lint::LONGEST);
/// Without a healthcheck nothing but an exit tells that a task is bad, and that may take a while.
const UNCHECKED_MONITOR: i64 = nanoseconds(lint::BLIND);

/// As the engine counts.
const fn nanoseconds(time: Duration) -> i64 {
    let nanoseconds = time.as_nanos();
    if nanoseconds > i64::MAX as u128 { i64::MAX } else { nanoseconds as i64 }
}

/// What a policy is computed from.
pub(super) struct Given<'a> {
    /// The service as git says it.
    pub service: &'a desired::Service,
    /// Its spec as it is to be, its number of replicas included.
    pub spec: &'a ServiceSpec,
    /// The spec that it has.
    pub live: Option<&'a ServiceSpec>,
    /// What registries said of images.
    pub images: &'a Images,
    /// The swarm's nodes.
    pub nodes: &'a [Arc<Node>],
}

/// The policies of one service, what its file says included.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Computed {
    /// How an update rolls.
    pub update: UpdateConfig,
    /// How it is taken back.
    pub rollback: UpdateConfig,
    /// How the health of its tasks is known.
    pub check: Check,
    /// Why no new task starts before an old one stops; `None` where one does.
    pub obstacle: Option<Obstacle>,
}

impl Computed {
    /// The policies of a service; none of a job, which the engine allows none.
    pub fn of(given: &Given<'_>) -> Option<Self> {
        let tasks = match cost::mode(given.spec) {
            Mode::Replicated(replicas) => replicas,
            Mode::Global => cost::eligible(given.spec, given.nodes),
            Mode::ReplicatedJob | Mode::GlobalJob => return None,
        };
        let check = Check::of(given);
        let said = given.service.said;
        let file = given.service.spec.update_config.clone().unwrap_or_default();
        let obstacle = match said.update.order {
            true => (file.order != "start-first").then_some(Obstacle::Said),
            false => Obstacle::of(given, &check),
        };
        let parallelism = if said.update.parallelism { file.parallelism } else { lint::at_once(tasks) };
        let monitor = if said.update.monitor { file.monitor } else { check.monitor() };
        let has_more_batches = parallelism != 0 && tasks > parallelism;
        let effective = if monitor == 0 { DEFAULT_MONITOR } else { monitor };
        let order = if obstacle.is_none() { "start-first" } else { "stop-first" };
        let update = UpdateConfig {
            parallelism,
            // Between two batches Swarm waits for this and for nothing else: what turns healthy and dies is seen in it.
            delay: if has_more_batches { effective } else { 0 },
            failure_action: "rollback".to_owned(),
            monitor,
            order: order.to_owned(),
            ..UpdateConfig::default()
        };
        let rollback = UpdateConfig {
            parallelism: 0,
            delay: 0,
            failure_action: "pause".to_owned(),
            monitor,
            order: order.to_owned(),
            ..UpdateConfig::default()
        };
        let own = |computed, said: SaidPolicy, file: Option<&UpdateConfig>| match file {
            Some(file) => field::overlay(computed, file, |field| field.is_said(said)),
            None => computed,
        };
        let spec = &given.service.spec;
        Some(Self {
            update: own(update, said.update, spec.update_config.as_ref()),
            rollback: own(rollback, said.rollback, spec.rollback_config.as_ref()),
            check,
            obstacle,
        })
    }

    /// Fills them in.
    pub fn fill(&self, spec: &mut ServiceSpec) {
        (spec.update_config, spec.rollback_config) = (Some(self.update.clone()), Some(self.rollback.clone()));
    }
}

#[cfg(test)]
mod tests;
