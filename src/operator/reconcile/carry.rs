//! Carrying out a plan: the attempt is recorded before its first write, wave after wave is written, and each waits for the
//! one before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::contest;
use super::super::context::Error;
use super::super::record::{APPLYING, Applied as AppliedRecord, Attempt, Failed, Record, Status};
use super::super::records::{self, Stored};
use super::super::verdict::{self, Verdict};
use super::super::{facts, inventory, snapshot};
use super::{AGAIN, LOOK, Turn};
use crate::apply::{Outcome, Stopped};
use crate::client::Class;
use crate::diag::{Diagnostic, Severity};
use crate::health::Health;
use crate::plan::{Estimate, Plan, Questions, Sync};
use crate::runtime::Action;
use crate::settings::{Drift, Resolve};

impl Turn<'_> {
    /// Carries out the first wave of a plan. The verdict comes with a later look, and so does what waits for it.
    pub(super) async fn carry_out(&self, plan: &Plan) -> Result<Action, Error> {
        if self.open_attempt().is_some_and(|attempt| attempt.written) {
            // Earlier waves of the same are out.
            return match self.earlier_waves().await? {
                Verdict::Healthy => self.apply(plan, self.go_on(plan)).await,
                Verdict::Progressing { waiting } => {
                    self.wait(plan, &format!("waiting: {waiting}"), Some(Health::Progressing), Some(LOOK)).await
                }
                Verdict::Degraded(trouble) | Verdict::Failed(trouble) => self.fail(plan, &trouble).await,
            };
        }
        self.apply(plan, self.begin(plan)).await
    }

    /// How the services fare that earlier waves wrote.
    async fn earlier_waves(&self) -> Result<Verdict, Error> {
        let settings = &self.assignment.declared.settings;
        let written: Vec<String> = self.open_attempt().map(|attempt| attempt.services.clone()).unwrap_or_default();
        let is_written = |name: &str| written.iter().any(|written| written == name);
        verdict::look_at(self.context, self.desired(), &self.live, settings, is_written).await
    }

    /// The record with a new attempt.
    fn begin(&self, plan: &Plan) -> Record {
        let mut record = self.new_record(plan);
        let correction = plan.steps.iter().all(|step| contest::is_correction(plan, step));
        let (term, digest) = (self.context.term(), self.prepared.digest.clone());
        record.begin(Attempt { correction, ..Attempt::new(term, self.revision(), digest, plan, &self.live) });
        record.remember(self.past(APPLYING, plan.steps.len()));
        record
    }

    /// The record with the attempt that is under way.
    fn go_on(&self, plan: &Plan) -> Record {
        let mut record = self.new_record(plan);
        if let Some(attempt) = &mut record.attempt {
            attempt.hooks_are_done(&self.live);
            attempt.extend(plan, &self.live);
            attempt.term = self.context.term();
        }
        record
    }

    async fn apply(&self, plan: &Plan, mut record: Record) -> Result<Action, Error> {
        let context = self.context;
        // What is about to be made belongs to the stack from now on: a crash must not leave what nobody will prune.
        record.inventory = inventory::with_steps(&record.inventory, plan);
        if let Some(attempt) = &mut record.attempt {
            attempt.note_hooks(plan, &self.live);
        }
        record.status = Status {
            sync: Sync::OutOfSync,
            health: Health::Progressing,
            revision: Some(self.revision()),
            reason: "applying".to_owned(),
        };
        if !context.permit.may_write() {
            return Err(Error::NoLease);
        }
        let stored = self.write(record).await?;
        let steps = plan.first_wave().len();
        tracing::info!(stack = %plan.stack, revision = %self.revision(), steps, "applying");
        if self.record().and_then(|record| record.applied.as_ref()).is_none_or(|it| it.digest != self.prepared.digest) {
            context.corrections.forget_faults(&plan.stack);
        }
        context.corrections.made(plan, Instant::now());
        self.foresee(plan);
        let outcome = context.write(plan).await;
        self.after(plan, stored, outcome).await
    }

    /// Says in the log what may keep the tasks of a plan from running. That is an estimate: it keeps no plan back, and no write
    /// waits for the registries that are asked.
    fn foresee(&self, plan: &Plan) {
        let mut questions = Questions::of(plan, &self.live);
        if self.assignment.declared.settings.resolve == Resolve::Never {
            questions.images.clear();
        }
        if questions == Questions::default() {
            return;
        }
        let known = self.context.images.recall(&questions.images);
        let (client, credentials) = (self.context.client.clone(), Arc::clone(&self.context.credentials));
        let (live, desired) = (self.live.clone(), Arc::clone(&self.prepared.desired));
        let mut foreseen = Plan { diagnostics: Vec::new(), ..plan.clone() };
        tokio::spawn(async move {
            let facts = facts::gather(&client, &credentials, questions, &known).await;
            let found = Estimate::new(&live, &facts).of(&foreseen, &desired);
            foreseen.remark(found, &desired);
            for Diagnostic { code, severity, message, .. } in &foreseen.diagnostics {
                if *severity == Severity::Note {
                    tracing::info!(stack = %foreseen.stack, code, fault = message, "worth knowing of what is applied");
                } else {
                    tracing::warn!(stack = %foreseen.stack, code, fault = message, "tasks may not run");
                }
            }
        });
    }

    /// Records what carrying out a plan did.
    async fn after(&self, plan: &Plan, stored: Stored, outcome: Outcome) -> Result<Action, Error> {
        let context = self.context;
        let mut record = stored.record.clone();
        match outcome.stopped {
            None => {
                context.put_off.remember(&plan.stack, &outcome.deferred, Instant::now());
                let rendering = records::keep(&context.client, &record.stack, &outcome.applied).await?;
                record.applied = Some(AppliedRecord {
                    revision: self.revision(),
                    digest: self.prepared.digest.clone(),
                    at: context.now(),
                    rendering,
                });
                record.inventory = inventory::of(&outcome.applied);
                if let Some(attempt) = &mut record.attempt {
                    attempt.written = true;
                }
                record.status.reason = "waiting for tasks".to_owned();
                let stored = records::write(&context.client, &stored, record).await?;
                context.wrote(&stored);
                self.sweep(&stored.record).await?;
                self.look_back(plan, &stored).await?;
                Ok(Action::requeue(if outcome.deferred.is_empty() { Duration::from_millis(200) } else { AGAIN }))
            }
            Some(Stopped::Engine(error)) if error.class() == Class::Permanent => {
                let words = super::super::sources::describe(&error);
                let object = plan.first_wave().get(outcome.written).map(|step| step.name.as_str()).unwrap_or_default();
                record.status.health = Health::Degraded;
                record.status.reason = format!("failed: {words}");
                tracing::warn!(stack = %plan.stack, revision = %self.revision(), object, cause = words, "revision failed");
                if let Some(attempt) = &mut record.attempt {
                    attempt.failed = Some(Failed { cause: words, ..Failed::default() });
                }
                context.wrote(&records::write(&context.client, &stored, record).await?);
                Ok(Action::requeue(Duration::ZERO))
            }
            Some(Stopped::Engine(error)) => Err(Error::Client(error)),
            Some(Stopped::NoPermit) => Err(Error::NoLease),
            Some(stopped) => Err(Error::Stopped(stopped.to_string())),
        }
    }

    /// Where drift is corrected, what was written is read at once: what differs already is nobody's drift, and writing it
    /// again would go on for ever.
    async fn look_back(&self, plan: &Plan, stored: &Stored) -> Result<(), Error> {
        let settings = &self.assignment.declared.settings;
        if settings.drift != Drift::Correct || plan.has_later_waves() {
            return Ok(());
        }
        // It is a precaution: where it fails, corrections are counted as those of anybody's drift.
        let Ok(live) = snapshot::take(&self.context.client).await else { return Ok(()) };
        let after = self.context.plan(self.prepared.clone(), settings, Some(stored), &Arc::new(live)).await?;
        let Some((after, _)) = after else { return Ok(()) };
        let returned = contest::returned(plan, &after);
        for difference in &returned {
            tracing::error!(
                stack = %plan.stack, object = %difference.name, field = %difference.path,
                "what was written reads back otherwise: this is a fault of skep's, and it is not written again"
            );
        }
        if !returned.is_empty() {
            self.context.corrections.own_fault(&plan.stack, returned);
        }
        Ok(())
    }
}
