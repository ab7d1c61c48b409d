//! A revision that did not come up: what is known of the failure is recorded, what else was written goes back, and the rest is
//! held.

use std::collections::{BTreeMap, BTreeSet};

use super::super::attempt::Attempt;
use super::super::context::Error;
use super::super::record::{Applied as AppliedRecord, Held, Record, Status};
use super::super::records::Stored;
use super::super::retreat::{self, May, Next, Over};
use super::super::verdict::{self, Trouble, Verdict};
use super::super::{autopsy, records, rendering, sources};
use super::{LOOK, Turn, store};
use crate::apply::Stopped;
use crate::client::Class;
use crate::desired::Hook;
use crate::health::Health;
use crate::plan::Plan;
use crate::runtime::Action;
use crate::settings::OnFailure;

impl Turn<'_> {
    /// Records that an attempt failed, and why: what follows begins with the next look, whoever makes it.
    pub(super) async fn fail(&self, plan: &Plan, trouble: &Trouble) -> Result<Action, Error> {
        let context = self.context;
        let failed = autopsy::of(&context.client, &self.live, trouble, &plan.confidential).await;
        let mut record = self.new_record(plan);
        if record.attempt.is_none() {
            return self.hold(plan, failed.cause).await;
        }
        record.status = Status {
            sync: plan.sync(),
            health: Health::Degraded,
            revision: Some(self.revision()),
            reason: format!("failed: {}", failed.cause),
        };
        tracing::warn!(stack = %plan.stack, revision = %self.revision(), cause = failed.cause, "revision failed");
        if let Some(attempt) = &mut record.attempt {
            attempt.failed = Some(failed);
        }
        self.write(record).await?;
        Ok(Action::requeue(std::time::Duration::ZERO))
    }

    /// One look at the way back from what failed.
    pub(super) async fn retreat(&self, plan: &Plan) -> Result<Action, Error> {
        let Some(attempt) = self.open_attempt() else { return Ok(Action::await_change()) };
        let Some(failed) = &attempt.failed else { return Ok(Action::await_change()) };
        let hooks: Vec<_> = plan.steps.iter().filter(|step| step.hook == Some(Hook::OnFailure)).cloned().collect();
        if !hooks.is_empty() {
            let hooks = Plan { steps: hooks, ..plan.clone() };
            let mut record = self.new_record(plan);
            if let Some(attempt) = &mut record.attempt {
                attempt.note_hooks(&hooks, &self.live);
                attempt.term = self.context.term();
            }
            return self.carry(&hooks, record).await;
        }
        let stored = self.stored.as_ref();
        let good = stored.map(|stored| rendering::good(&stored.record, &self.live)).transpose()?.flatten();
        let names = self.hooks_of(attempt);
        let settings = &self.assignment.declared.settings;
        let looked = retreat::Failed {
            stack: &plan.stack,
            live: &self.live,
            attempted: &plan.settled,
            good: good.as_ref(),
            written: &attempt.services,
            hooks: &names,
            tried: &failed.back,
            may: self.may(attempt, settings.on_failure).await?,
            timeout: settings.timeout,
            confidential: &plan.confidential,
        };
        match retreat::look(&looked, &self.context.client, &self.context.progress).await? {
            Next::Wait(reason) => {
                let reason = format!("failed: {}; going back: {reason}", failed.cause);
                self.wait(plan, &reason, Some(Health::Degraded), Some(LOOK)).await
            }
            Next::Write(back) => {
                let mut record = self.new_record(plan);
                if let Some(attempt) = &mut record.attempt {
                    attempt.term = self.context.term();
                    if let Some(failed) = &mut attempt.failed {
                        let versions = self.live.services.iter().map(|it| (it.spec.name.clone(), it.version.index));
                        failed.back.extend(versions.filter(|(name, _)| back.services().any(|it| it == name)));
                    }
                }
                tracing::info!(stack = %plan.stack, steps = back.steps.len(), "going back to what last ran well");
                self.carry(&back, record).await
            }
            Next::Over(over) => match stored {
                Some(stored) => self.over(plan, over, stored).await,
                None => Ok(Action::await_change()),
            },
        }
    }

    /// Writes what failure asks for. Every write is either repeated by the next look, or found done by it.
    async fn carry(&self, plan: &Plan, record: Record) -> Result<Action, Error> {
        let context = self.context;
        if !context.permit.may_write() {
            return Err(Error::NoLease);
        }
        let stored = self.write(record).await?;
        match context.write(plan).await.stopped {
            Some(Stopped::NoPermit) => Err(Error::NoLease),
            // To try that again would end the same.
            Some(Stopped::Engine(error)) if error.class() == Class::Permanent => {
                let left = vec![format!("it could not go back: {}", sources::describe(&error))];
                self.over(plan, Over { left, ..Over::default() }, &stored).await
            }
            Some(Stopped::Engine(error)) => Err(Error::Client(error)),
            Some(stopped) => Err(Error::Stopped(stopped.to_string())),
            None => Ok(Action::requeue(LOOK)),
        }
    }

    /// Nothing is left to be done: the revision is held.
    async fn over(&self, plan: &Plan, over: Over, stored: &Stored) -> Result<Action, Error> {
        let mut record = Record { source: self.assignment.source.to_string(), ..stored.record.clone() };
        let known = record.good.clone().or_else(|| record.attempt.as_ref().and_then(|it| it.previous.clone()));
        let rendering = match &over.applied {
            Some(applied) => Some(records::keep(&self.context.client, &plan.stack, applied).await?),
            None => None,
        };
        let failed = record.attempt.as_ref().and_then(|attempt| attempt.failed.clone());
        let (cause, logs) = failed.map(|failed| (failed.cause, failed.logs)).unwrap_or_default();
        let said = format!("{cause}{}", over.words());
        self.mark(&mut record, &said, logs, &over);
        if let (Some(known), Some(rendering)) = (known, rendering) {
            record.applied = Some(AppliedRecord { rendering, ..known });
        }
        record.status = Status {
            sync: plan.sync(),
            health: Health::Degraded,
            revision: Some(self.revision()),
            reason: format!("held: {said}"),
        };
        let stored = store(self.context, Some(stored), record).await?;
        self.sweep(&stored.record).await?;
        Ok(Action::requeue(LOOK))
    }

    /// Makes a record hold what failed.
    pub(super) fn mark_held(&self, record: &mut Record, cause: &str) {
        self.mark(record, cause, Vec::new(), &Over::default());
    }

    fn mark(&self, record: &mut Record, cause: &str, logs: Vec<String>, over: &Over) {
        tracing::error!(stack = %record.stack, revision = %self.revision(), cause, "revision failed and is held");
        let held = Held {
            revision: self.revision(),
            digest: self.prepared.digest.clone(),
            since: self.context.now(),
            cause: cause.to_owned(),
            logs,
            left: over.left.clone(),
        };
        record.hold(held, over.result());
    }

    /// The hooks among what an attempt writes.
    fn hooks_of(&self, attempt: &Attempt) -> BTreeSet<String> {
        let hooks = self.desired().services.iter().filter(|(_, service)| service.hook.is_some());
        hooks.map(|(name, _)| name.clone()).chain(attempt.hooks.keys().cloned()).collect()
    }

    /// Whether what was written goes back. Once a hook has run before the deployment, nothing does: whatever it migrated stays
    /// migrated.
    async fn may(&self, attempt: &Attempt, setting: OnFailure) -> Result<May, Error> {
        if setting == OnFailure::Hold {
            return Ok(May::Stay);
        }
        let services = &self.desired().services;
        let hooks: BTreeMap<_, _> = attempt
            .hooks
            .iter()
            .filter(|(name, _)| services.get(*name).is_some_and(|it| it.hook == Some(Hook::PreDeploy)))
            .collect();
        let begun = attempt.hooks(&self.live).ran;
        for (name, hook) in hooks {
            let settings = &self.assignment.declared.settings;
            let is_it = |other: &str| other == name;
            let has_run = hook.done
                || (begun.contains(name)
                    && verdict::look_at(self.context, self.desired(), &self.live, settings, is_it).await?
                        == Verdict::Healthy);
            if has_run {
                return Ok(May::StayAfterHook);
            }
        }
        Ok(May::GoBack)
    }
}
