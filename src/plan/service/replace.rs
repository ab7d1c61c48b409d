//! A service whose mode changes: Swarm cannot change it, so it is deleted and made anew.

use super::Planner;
use crate::desired;
use crate::diag::{Diagnostic, code};
use crate::model::Kind;
use crate::plan::draft::State;
use crate::plan::step::{Action, Body, Change, Downtime, Effect, Step, Write};
use crate::plan::{cost, guard};
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
        let cost = cost::of_deletion(live, &self.input.live.nodes);
        let is_job = cost::mode(&live.spec).is_job();
        let downtime = if is_job { Downtime::None } else { cost.downtime };
        faults.extend(gap(service, live, wanted, downtime));
        let rendering = self.rendering(spec.clone());
        State::write(Step {
            action: Action::Replace,
            kind: Kind::Service,
            name: name.to_owned(),
            effect: Effect::Replace,
            downtime,
            tasks_restarting: 0,
            tasks_stopping: cost.tasks_stopping,
            rollout: None,
            wave: self.wave(live),
            changes,
            write: Write::Replace {
                id: live.id.clone(),
                version: live.version,
                body: Body::Service { spec: Box::new(spec), rendering: Box::new(rendering) },
            },
        })
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
