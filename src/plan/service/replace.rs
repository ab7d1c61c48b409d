//! A service whose mode changes: Swarm cannot change it, so it is deleted and made anew.

use super::Planner;
use crate::desired;
use crate::diag::{Diagnostic, code};
use crate::model::Kind;
use crate::plan::applied::Object;
use crate::plan::cost::{self, Cost};
use crate::plan::draft::State;
use crate::plan::guard;
use crate::plan::rollout;
use crate::plan::step::{Action, Change, Downtime, Effect, Step, Write};
use crate::swarm::{Service, ServiceSpec};

/// Whether one spec can become the other only by way of nothing.
pub(super) fn is_needed(live: &ServiceSpec, wanted: &ServiceSpec) -> bool {
    cost::mode(live).is_other_kind(cost::mode(wanted))
}

impl Planner<'_, '_> {
    pub(super) fn replace(
        &self,
        service: &desired::Service,
        live: &Service,
        wanted: &ServiceSpec,
        changes: Vec<Change>,
        applied: Option<&ServiceSpec>,
        faults: &mut Vec<Diagnostic>,
    ) -> State {
        let name = live.spec.name.as_str();
        if guard::is_protected(self.input, Kind::Service, name) {
            let (old, new) = (cost::mode(&live.spec).word(), cost::mode(wanted).word());
            let message = format!(
                "service {name} is protected, and Swarm can make it {new} instead of {old} only by deleting it first"
            );
            let hint = "keep its mode, or take `protect` away in a commit of its own";
            faults.push(Diagnostic::error(code::PROTECTED, message).at(service.span).hint(hint));
            return State::Refused;
        }
        let spec = self.sent(service, live, applied, true);
        let mut cost = Cost { effect: Effect::Replace, ..cost::of_deletion(live, &self.input.live.nodes) };
        if cost::mode(&live.spec).is_job() {
            cost.downtime = Downtime::None;
        }
        if let Some(gap) = gap(service, live, wanted, cost.downtime) {
            faults.extend(rollout::enforced(self.input.policy, &gap));
            faults.push(gap);
        }
        let write = Write::Replace { id: live.id.clone(), version: live.version, body: self.body(service, spec) };
        let object = Object::new(Kind::Service, name);
        State::write(Step::costing(object, Action::Replace, cost, changes, write).in_wave(self.wave(live)))
    }
}

/// Says that nobody serves in between.
fn gap(service: &desired::Service, live: &Service, wanted: &ServiceSpec, downtime: Downtime) -> Option<Diagnostic> {
    let (key, old, new) = (&service.key, cost::mode(&live.spec).word(), cost::mode(wanted).word());
    let message = format!(
        "{key}: it becomes {new} instead of {old}, which Swarm cannot do in place: it is deleted and made anew, and nobody \
         serves from the end of the old tasks until the new ones run"
    );
    let hint = "give the service another key: both run until the old one, which git no longer names, is deleted last";
    (downtime != Downtime::None).then(|| Diagnostic::warning(code::REPLACED, message).at(service.span).hint(hint))
}
