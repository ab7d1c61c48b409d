//! Services that move from one network to another: they join the new one, all of them, before any leaves the old.

use std::collections::HashSet;

use super::{Planner, comparable, replace, value};
use crate::desired;
use crate::diag::Diagnostic;
use crate::plan::diff::{self, Base};
use crate::plan::index::Index;
use crate::plan::network::Networks;
use crate::plan::step::{Origin, Step};
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
        let is_behind = |service: &&Service| {
            let is_wanted = input.desired.services.contains_key(&service.spec.name);
            is_wanted && !id.as_deref().is_some_and(|id| is_on(&service.spec, id))
        };
        talking.len() > 1 && talking.iter().any(is_behind)
    };
    networks.left.iter().filter(|(old, new)| is_apart(old, new)).map(|(old, _)| *old).collect()
}

fn is_on(spec: &ServiceSpec, network: &str) -> bool {
    spec.task_template.networks.iter().any(|attachment| attachment.target == network)
}

impl Planner<'_, '_> {
    /// Keeps a service on the networks that it must not leave yet, beside those that it joins.
    pub(super) fn stay(&self, spec: &mut ServiceSpec, live: Option<&ServiceSpec>) {
        if let Some(live) = live.filter(|live| !replace::is_needed(live, spec)) {
            spec.task_template.networks.extend(self.kept(live));
        }
    }

    /// The attachments that a service keeps for a while. A job keeps none: each write runs it again.
    fn kept(&self, live: &ServiceSpec) -> Vec<NetworkAttachment> {
        let has_joined = |new: &str| self.index.network_id(new).is_some_and(|id| is_on(live, &id));
        let must_stay = |attachment: &&NetworkAttachment| {
            let old = attachment.target.as_str();
            self.joined.contains(old) && self.networks.left.get(old).is_some_and(|new| !has_joined(new))
        };
        let attached = live.task_template.networks.iter().filter(|_| !cost::mode(live).is_job());
        attached.filter(must_stay).cloned().collect()
    }

    /// The wave in which a service is written: one that has joined waits for the others before it leaves.
    pub(super) fn wave(&self, live: &Service) -> u32 {
        let attached = &live.spec.task_template.networks;
        let leaves = attached.iter().any(|attachment| self.joined.contains(attachment.target.as_str()));
        u32::from(leaves && self.kept(&live.spec).is_empty())
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
        let joined = join.write.service().filter(|_| !kept.is_empty())?;
        let mut spec = joined.clone();
        spec.task_template.networks.retain(|attachment| !kept.iter().any(|old| old.target == attachment.target));
        keep_order(&mut spec, joined);
        let (from, to) = (comparable(self.index, joined.clone()), comparable(self.index, spec.clone()));
        let mut changes = diff::changes(&value(&from), &value(&to), Base::Applied(Some(&value(&from))));
        let nodes = &self.input.live.nodes;
        let then = Service { spec: joined.clone(), ..live.clone() };
        cost::assess_changes(&mut changes, &then, &to, nodes);
        if applied.is_none() {
            changes.iter_mut().for_each(|change| change.origin = Origin::Unknown);
        }
        let cost = self.cost(service, &changes, &then, &to, faults);
        Some(self.updating(service, live, spec, cost, changes).in_wave(1))
    }
}
