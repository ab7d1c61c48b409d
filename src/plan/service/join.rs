//! Services that move from one network to another: they join the new one, all of them, before any leaves the old.

use std::collections::HashSet;

use super::{Planner, comparable, value};
use crate::desired;
use crate::diag::{Diagnostic, Severity};
use crate::model::Kind;
use crate::plan::diff::{self, Base};
use crate::plan::index::Index;
use crate::plan::network::Networks;
use crate::plan::step::{Action, Body, Origin, Step, Write};
use crate::plan::{Input, cost};
use crate::swarm::canonical::keep_order;
use crate::swarm::{NetworkAttachment, Service, ServiceSpec};

/// The networks that services leave and must not leave yet, by id: two or more use it to reach each other, and one of
/// them is not on the new one.
pub(super) fn needed<'p>(input: &Input<'_>, index: &Index<'_>, networks: &'p Networks<'_>) -> HashSet<&'p str> {
    let is_apart = |old: &str, new: &str| {
        let id = index.network_id(new);
        let talking: Vec<&Service> =
            index.attached(old).filter(|service| !cost::mode(&service.spec).is_job()).collect();
        let is_behind = |service: &&&Service| {
            input.desired.services.contains_key(&service.spec.name)
                && !id.as_deref().is_some_and(|id| is_on(service, id))
        };
        talking.len() > 1 && talking.iter().find(is_behind).is_some()
    };
    networks.left.iter().filter(|(old, new)| is_apart(old, new)).map(|(old, _)| *old).collect()
}

fn is_on(service: &Service, network: &str) -> bool {
    service.spec.task_template.networks.iter().any(|attachment| attachment.target == network)
}

impl Planner<'_, '_> {
    /// Keeps a service on the networks that it must not leave yet, beside those that it joins.
    pub(super) fn stay(&self, spec: &mut ServiceSpec, live: Option<&ServiceSpec>) {
        let Some(live) = live.filter(|live| !cost::mode(live).is_job()) else { return };
        if crate::plan::service::replace::is_needed(live, spec) {
            return;
        }
        spec.task_template.networks.extend(self.kept(live));
    }

    /// The attachments that a service keeps for a while.
    fn kept(&self, live: &ServiceSpec) -> Vec<NetworkAttachment> {
        let has_joined = |new: &str| {
            let id = self.index.network_id(new);
            live.task_template.networks.iter().any(|attachment| Some(&attachment.target) == id.as_ref())
        };
        let must_stay = |attachment: &&NetworkAttachment| {
            let old = attachment.target.as_str();
            self.joined.contains(old) && self.networks.left.get(old).is_some_and(|new| !has_joined(new))
        };
        live.task_template.networks.iter().filter(must_stay).cloned().collect()
    }

    /// The wave in which a service is written: one that has joined waits for the others before it leaves.
    pub(super) fn wave(&self, live: &Service) -> u32 {
        let attached = &live.spec.task_template.networks;
        let leaves = attached.iter().any(|attachment| self.joined.contains(attachment.target.as_str()));
        u32::from(leaves && (cost::mode(&live.spec).is_job() || self.kept(&live.spec).is_empty()))
    }

    /// The second update of a service that joins with the first: it leaves the old network.
    pub(super) fn leave(
        &self,
        service: &desired::Service,
        live: &Service,
        join: &Step,
        applied: Option<&ServiceSpec>,
        faults: &mut Vec<Diagnostic>,
    ) -> Option<Step> {
        let kept = self.kept(&live.spec);
        let Write::Update { body: Body::Service { spec: joined, .. }, id, version } = &join.write else { return None };
        if kept.is_empty() || cost::mode(&live.spec).is_job() {
            return None;
        }
        let mut spec = (**joined).clone();
        spec.task_template.networks.retain(|attachment| !kept.iter().any(|old| old.target == attachment.target));
        keep_order(&mut spec, joined);
        let (from, to) = (comparable(self.index, (**joined).clone()), comparable(self.index, spec.clone()));
        let mut changes = diff::changes(&value(&from), &value(&to), Base::Applied(Some(&value(&from))));
        let nodes = &self.input.live.nodes;
        let then = Service { spec: (**joined).clone(), ..live.clone() };
        cost::assess_changes(&mut changes, &then, &to, nodes);
        if applied.is_none() {
            changes.iter_mut().for_each(|change| change.origin = Origin::Unknown);
        }
        let cost = cost::of_update(&changes, &then, &to, nodes);
        faults
            .extend(cost::explain(&cost, &service.key, service.span).filter(|fault| fault.severity != Severity::Error));
        let rendering = self.rendering(spec.clone());
        Some(Step {
            action: Action::Update,
            kind: Kind::Service,
            name: live.spec.name.clone(),
            effect: cost.effect,
            downtime: cost.downtime,
            tasks_restarting: cost.tasks_restarting,
            tasks_stopping: cost.tasks_stopping,
            rollout: cost.rollout,
            wave: 1,
            changes,
            write: Write::Update {
                id: id.clone(),
                version: *version,
                body: Body::Service { spec: Box::new(spec), rendering: Box::new(rendering) },
            },
        })
    }
}
