//! When a service does not come up: why, and what else was written goes back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::failure::Failure;
use super::super::plan::Planned;
use super::super::progress::Progress;
use super::session::{LOOK, Session};
use crate::apply::{Apply, Event};
use crate::desired::Hook;
use crate::model::Kind;
use crate::operator::record::Failed;
use crate::operator::retreat::{self, May, Next, Over};
use crate::operator::verdict::{self, Trouble};
use crate::operator::{autopsy, snapshot};
use crate::plan::{self, Applied, Plan};
use crate::settings::OnFailure;

impl Session<'_> {
    /// Finds out why a service did not come up, and runs the hooks that wait for that.
    pub(super) async fn autopsy(
        &self,
        planned: &Planned<'_>,
        trouble: &Trouble,
        progress: &Progress,
    ) -> Result<Failed, Failure> {
        let live = snapshot::take(&self.client).await?;
        let failed = autopsy::of(&self.client, &live, trouble, &planned.plan.confidential).await;
        self.failed();
        let plan = self.again(planned, &live)?.plan;
        let hooks = plan.steps.iter().filter(|step| step.hook == Some(Hook::OnFailure)).cloned().collect();
        self.send(&Plan { steps: hooks, ..plan }, progress).await?;
        Ok(failed)
    }

    /// Takes back what was written besides what failed, as the stack's settings say. `None` when it was interrupted.
    pub(super) async fn go_back(
        &self,
        planned: &Planned<'_>,
        good: &Applied,
        written: &[String],
        progress: &mut Progress,
    ) -> Result<Option<Over>, Failure> {
        let hooks = planned.stack.desired.iter().flat_map(|desired| &desired.services);
        let hooks: BTreeMap<&String, Hook> = hooks.filter_map(|(name, it)| Some((name, it.hook?))).collect();
        let migrated = written.iter().any(|name| hooks.get(name) == Some(&Hook::PreDeploy));
        let names: BTreeSet<String> = hooks.keys().map(|name| (*name).clone()).collect();
        let seen = verdict::Progress::default();
        let mut tried = BTreeMap::new();
        loop {
            let live = snapshot::take(&self.client).await?;
            let attempted = plan::found(&planned.plan.stack, &live);
            // A hook that did not end well has changed nothing that counts: what it would have stopped was never begun.
            let is_first = written.iter().all(|name| hooks.contains_key(name));
            let looked = retreat::Failed {
                stack: &planned.plan.stack,
                live: &live,
                attempted: &attempted,
                good: Some(good),
                written,
                hooks: &names,
                tried: &tried,
                may: match planned.stack.settings.on_failure {
                    OnFailure::Hold => May::Stay,
                    OnFailure::Rollback if migrated && !is_first => May::StayAfterHook,
                    OnFailure::Rollback => May::GoBack,
                },
                timeout: self.timeout.unwrap_or(planned.stack.settings.timeout),
                confidential: &planned.plan.confidential,
            };
            match retreat::look(&looked, &self.client, &seen).await? {
                Next::Over(over) => {
                    progress.over(&over);
                    return Ok(Some(over));
                }
                Next::Write(plan) => {
                    for step in &plan.steps {
                        let version = live.services.iter().find(|service| service.spec.name == step.name);
                        tried.extend(version.map(|service| (step.name.clone(), service.version.index)));
                    }
                    self.send(&plan, progress).await?;
                }
                Next::Wait(waiting) => progress.going_back(&waiting),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.stop.asked() => return Ok(None),
            }
        }
    }

    /// Carries out what a failure asks for.
    async fn send(&self, plan: &Plan, progress: &Progress) -> Result<(), Failure> {
        let apply = Apply {
            client: &self.client,
            credentials: &self.credentials,
            permit: &self.stop,
            observe: &|event| {
                if let Event::Done(step, _) = event {
                    let (line, event) = match step.hook {
                        Some(_) => (format!("{} runs: it waits for a failure", step.name), "hook"),
                        None => (format!("{} goes back to what last ran", step.name), "back"),
                    };
                    let details = json!({ "action": step.action, "kind": Kind::Service, "name": step.name });
                    progress.event(event, &line, details);
                }
            },
        };
        match apply.run(plan).await.stopped {
            // It moved: the next look tells how.
            None | Some(crate::apply::Stopped::Engine(crate::client::Error::Conflict(_))) => Ok(()),
            Some(crate::apply::Stopped::Engine(error)) => Err(Failure::Client(error)),
            Some(stopped) => Err(Failure::usage(super::super::print::chain(&stopped))),
        }
    }
}
