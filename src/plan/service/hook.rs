//! Hooks: jobs that run for the sake of what else is written.

use super::Planner;
use crate::desired;
use crate::desired::Hook;
use crate::plan::cost::Cost;
use crate::plan::draft::{Outcome, State};
use crate::plan::step::{Effect, Step};
use crate::swarm::{Service, ServiceSpec};

impl Planner<'_, '_> {
    /// What was found out about a hook, together with the write that runs it: that of what differs, or an identical update,
    /// which makes a job run again.
    pub(super) fn hook(
        &self,
        hook: Hook,
        service: &desired::Service,
        live: Option<&Service>,
        applied: Option<&ServiceSpec>,
        outcome: Outcome,
    ) -> Outcome {
        let (differs, run) = match outcome.state {
            State::Write(steps) => (true, steps),
            State::Missing(step) => (false, vec![*step]),
            State::Same | State::Drifted => {
                let run = live.map(|live| {
                    let cost = Cost { effect: Effect::JobRun, ..Cost::default() };
                    self.updating(live, self.sent(service, live, applied, true), cost, Vec::new())
                });
                (false, run.into_iter().collect())
            }
            state => return Outcome { state, ..outcome },
        };
        let run: Vec<Step> = run.into_iter().map(|step| step.with_hook(Some(hook))).collect();
        Outcome { state: State::Hook { hook, differs, run }, ..outcome }
    }
}
