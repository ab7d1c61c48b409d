//! Bringing one stack to what git says: the one function to read first is [`reconcile`].

mod carry;
mod fail;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::claim::Unowned;
use super::context::{Context, Error, Loaded, Prepared};
use super::record::{Applied as AppliedRecord, Attempt, Past, Record, Status};
use super::records::{self, Stored};
use super::verdict::{self, Trouble, Verdict};
use super::world::{Assignment, Orphan};
use super::{claim, contest, inventory, reason, rendering};
use crate::desired::{Desired, External};
use crate::diag::{Severity, code};
use crate::health::Health;
use crate::model::{Kind, StackName};
use crate::plan::{FirstContact, Plan, Sync};
use crate::runtime::Action;
use crate::settings::{Adopt, Drift, Removed, SyncMode};
use crate::swarm::Live;

/// How often a rollout is looked at. The engine sends no event for a task.
const LOOK: Duration = Duration::from_secs(1);

/// How soon a snapshot that does not show one's own writes yet is looked at again.
const BEHIND: Duration = Duration::from_millis(50);

/// How soon a stack is looked at again whose registries are being asked.
const ASKING: Duration = Duration::from_millis(250);

/// How soon a plan that something forbids is made again.
const BLOCKED: Duration = Duration::from_secs(15);

/// How soon a deletion that the engine put off is tried again, and a stack that waits for another is looked at.
const AGAIN: Duration = Duration::from_secs(2);

/// Brings one stack to what git says, as far as that can be done now, and says when to come back.
///
/// Nothing here waits for a rollout: it records how far it is and comes back.
///
/// # Errors
/// [`Error`] says by its class when to try again. What is wrong with the stack's own input is no error: it is in the record.
pub async fn reconcile(context: &Context, stack: &StackName) -> Result<Action, Error> {
    let live = context.live().ok_or(Error::NotReady)?;
    if context.is_behind(&live) {
        return Ok(Action::requeue(BEHIND));
    }
    let stored = Stored::among(&live.configs, stack)?;
    let assignment = match claim::owner(&context.world, stack, stored.as_ref()) {
        Ok(assignment) => assignment,
        Err(Unowned::Orphaned(orphan)) => return orphaned(context, stored, orphan).await,
        Err(Unowned::Refused { sources, reason }) => {
            let record = || Record::new(stack.clone(), sources);
            return report(context, stored, record, Sync::Unknown, &reason).await;
        }
        // Whoever is read later wakes it.
        Err(Unowned::TooEarly) => return Ok(Action::await_change()),
    };
    let prepared = match context.prepare(&assignment, &live).await? {
        Loaded::Prepared(prepared) => prepared,
        Loaded::NotYet => return Ok(Action::await_change()),
        Loaded::Unread(reason) => return assignment.report(context, stored, Sync::Unknown, &reason).await,
        Loaded::Invalid(reason) => return assignment.report(context, stored, Sync::OutOfSync, &reason).await,
    };
    let planned = context.plan(prepared, &assignment.declared.settings, stored.as_ref(), &live).await?;
    // Registries are asked meanwhile, and nobody else waits for them.
    let Some((plan, prepared)) = planned else { return Ok(Action::requeue(ASKING)) };
    let turn = Turn { context, assignment, stored, prepared, live };
    match turn.decide(&plan) {
        Decision::Settle => turn.settle(&plan).await,
        Decision::Adopt => turn.adopt(&plan).await,
        Decision::Wait { reason, health, again } => turn.wait(&plan, &reason, health, again).await,
        Decision::Hold { cause } => turn.hold(&plan, cause).await,
        Decision::GivenUp(found) => turn.fail(&plan, &found).await,
        Decision::Retreat => turn.retreat(&plan).await,
        Decision::Apply => turn.carry_out(&plan).await,
    }
}

impl Assignment {
    /// Says in the stack's record why it cannot be looked at, under the name of this source where there is none yet.
    async fn report(
        &self,
        context: &Context,
        stored: Option<Stored>,
        sync: Sync,
        reason: &str,
    ) -> Result<Action, Error> {
        let record = || Record::new(self.declared.name.clone(), self.source.to_string());
        report(context, stored, record, sync, reason).await
    }
}

/// What is done with a plan.
enum Decision {
    /// Nothing is to be written: say how it stands.
    Settle,
    /// The first contact with a stack that is as it should be: the record is written, and nothing else.
    Adopt,
    /// Something forbids to write now.
    Wait { reason: String, health: Option<Health>, again: Option<Duration> },
    /// Nothing is written until git says something else, or a person does.
    Hold { cause: String },
    /// The engine gave up on the attempt that is under way.
    GivenUp(Trouble),
    /// The attempt that is under way has failed.
    Retreat,
    /// Carry it out.
    Apply,
}

/// One look at one stack.
struct Turn<'a> {
    context: &'a Context,
    assignment: Assignment,
    stored: Option<Stored>,
    prepared: Prepared,
    live: Arc<Live>,
}

impl Turn<'_> {
    fn record(&self) -> Option<&Record> {
        self.stored.as_ref().map(|stored| &stored.record)
    }

    fn desired(&self) -> &Desired {
        &self.prepared.desired
    }

    /// What the record says of an attempt at just this, if its verdict is out.
    fn open_attempt(&self) -> Option<&Attempt> {
        let record = self.record()?;
        record.attempt.as_ref().filter(|attempt| attempt.digest == self.prepared.digest)
    }

    fn decide(&self, plan: &Plan) -> Decision {
        let settings = &self.assignment.declared.settings;
        let wait = |reason: String| Decision::Wait { reason, health: None, again: None };
        if let Some(record) = self.record() {
            if record.is_suspended(self.context.now()) {
                let suspended = record.suspended.as_ref();
                let reason = suspended.map(|s| format!("suspended by {}: {}", s.by, s.reason)).unwrap_or_default();
                let again = suspended.and_then(|s| s.until).map(|until| until_then(self.context.now(), until));
                return Decision::Wait { reason, health: Some(Health::Suspended), again };
            }
            if let Some(attempt) = &record.attempt
                && attempt.term > self.context.term()
            {
                return wait(format!("another skep with the later term {} writes this stack", attempt.term));
            }
            if let Some(held) = record.held.as_ref().filter(|held| held.digest == self.prepared.digest) {
                if plan.steps.is_empty() {
                    return Decision::Settle;
                }
                let reason = format!("held: {}", held.cause);
                return Decision::Wait { reason, health: Some(Health::Degraded), again: None };
            }
        }
        if let Some(attempt) = self.open_attempt() {
            if attempt.failed.is_some() {
                return Decision::Retreat;
            }
            if let Some(found) = attempt.failure(&self.live) {
                return Decision::GivenUp(found);
            }
        }
        if let Some((what, other)) = self.awaited(plan) {
            let reason = format!("waiting: {what} comes with stack {other}");
            return Decision::Wait { reason, health: None, again: Some(AGAIN) };
        }
        if let Some(reason) = reason::blocked(plan) {
            // What it lacks may belong to another stack, whose events wake only that one.
            return Decision::Wait { reason, health: None, again: Some(BLOCKED) };
        }
        let approved = self.record().is_some_and(|record| record.approved.is_some());
        if plan.first_contact == Some(FirstContact::Safe) && !approved {
            return Decision::Adopt;
        }
        if plan.steps.is_empty() {
            return Decision::Settle;
        }
        if plan.first_contact == Some(FirstContact::Unsafe) && settings.adopt == Adopt::Safe && !approved {
            let reason = format!(
                "adoption: it runs already, and its plan is more than nothing; `skep sync {}` applies it",
                plan.stack
            );
            return wait(reason);
        }
        if settings.mode == SyncMode::Manual && !approved {
            return wait(format!("manual: changes wait for `skep sync {}`", plan.stack));
        }
        if let Some(name) = self.unready_dependency() {
            let reason = format!("waiting: it depends on {name}, which is not healthy yet");
            return Decision::Wait { reason, health: None, again: Some(AGAIN) };
        }
        if settings.drift == Drift::Correct
            && !approved
            && let Some(cause) = self.taken_back(plan)
        {
            return Decision::Hold { cause };
        }
        if let Some((object, again)) = self.context.put_off.wait(plan, Instant::now()) {
            let reason = format!("waiting: {} {} is still in use", object.kind, object.name);
            return Decision::Wait { reason, health: None, again: Some(again) };
        }
        if let Some(name) = self.rolling(plan) {
            let reason = format!("waiting: {name} is updating");
            return Decision::Wait { reason, health: Some(Health::Progressing), again: Some(LOOK) };
        }
        Decision::Apply
    }

    /// A stack that comes before this one, and has not come up yet. Only the first deployment waits: later a neighbour's
    /// trouble is no reason to hold anything back.
    fn unready_dependency(&self) -> Option<&StackName> {
        if self.record().is_some_and(|record| record.applied.is_some()) {
            return None;
        }
        self.assignment.declared.depends_on.iter().find(|name| {
            let stored = Stored::among(&self.live.configs, name).ok().flatten();
            !stored.is_some_and(|Stored { record, .. }| {
                record.applied.is_some() && record.status.health == Health::Healthy
            })
        })
    }

    /// Something that this stack needs, that another stack which is declared makes by its name, and that is not there yet: that
    /// orders the first deployments as well as `dependsOn` does. Nothing where something else forbids the plan.
    fn awaited(&self, plan: &Plan) -> Option<(String, StackName)> {
        let mut errors = plan.diagnostics.iter().filter(|fault| fault.severity == Severity::Error);
        if !errors.all(|fault| fault.code == code::EXTERNAL_MISSING) {
            return None;
        }
        let is_there = |external: &External| match external.kind {
            Kind::Network => self.live.networks.iter().any(|it| it.name == external.name),
            Kind::Config => self.live.configs.iter().any(|it| it.spec.name == external.name),
            _ => self.live.secrets.iter().any(|it| it.spec.name == external.name),
        };
        let declared = self.context.world.stacks();
        let missing = self.desired().external.iter().filter(|external| !is_there(external));
        missing
            .filter_map(|external| {
                let makes = |stack: &&StackName| {
                    **stack != plan.stack
                        && external.name.strip_prefix(stack.as_str()).is_some_and(|it| it.starts_with('_'))
                };
                let other = declared.iter().find(makes)?;
                Some((format!("{} {}", external.kind, external.name), other.clone()))
            })
            .next()
    }

    /// A service that the plan would write in the middle of a rollout. skep's own rollout of an earlier revision is
    /// superseded on purpose; what a hand started, or this very revision, is waited for.
    fn rolling(&self, plan: &Plan) -> Option<String> {
        let attempt = self.record().and_then(|record| record.attempt.as_ref());
        let superseded = attempt.is_some_and(|attempt| attempt.digest != self.prepared.digest);
        plan.services()
            .filter_map(|name| self.live.services.iter().find(|service| service.spec.name == name))
            .find(|service| verdict::is_rolling(service) && !superseded)
            .map(|service| service.spec.name.clone())
    }

    /// A service that a hand rolled back: writing it again would undo what somebody did for a reason. The engine keeps the
    /// spec before a rollback by hand, and forgets it after one of its own.
    fn taken_back(&self, plan: &Plan) -> Option<String> {
        let corrected = plan.steps.iter().filter(|step| contest::is_correction(plan, step));
        corrected
            .filter_map(|step| self.live.services.iter().find(|service| service.spec.name == step.name))
            .find(|service| {
                let state = service.update_status.as_ref().map_or("", |status| status.state.as_str());
                state.starts_with("rollback") && service.previous_spec.is_some()
            })
            .map(|service| format!("{} was rolled back by hand", service.spec.name))
    }

    /// Nothing is to be written. Says how it stands, and finishes an attempt whose verdict is out.
    async fn settle(&self, plan: &Plan) -> Result<Action, Error> {
        let mut record = self.new_record(plan);
        let settings = &self.assignment.declared.settings;
        let was_healthy = record.attempt.is_none() && record.status.health == Health::Healthy;
        let assessed = verdict::look(self.context, self.desired(), &self.live, settings, was_healthy).await?;
        let verdict = verdict::summary(&assessed);
        let drift = reason::drift(plan);
        let images = reason::images(plan);
        // What is contested may be corrected again when its time has passed.
        let mut again = self.context.corrections.again_in(&plan.stack, Instant::now());
        let health = match &verdict {
            Verdict::Healthy => Health::Healthy,
            Verdict::Progressing { .. } => {
                again = Some(LOOK);
                Health::Progressing
            }
            Verdict::Degraded(_) | Verdict::Failed(_) => Health::Degraded,
        };
        let contested = reason::contested(plan);
        let waiting = match &verdict {
            Verdict::Progressing { waiting } => Some(waiting.clone()),
            Verdict::Degraded(trouble) | Verdict::Failed(trouble) => Some(trouble.to_string()),
            Verdict::Healthy => None,
        };
        let problem = self.assignment.problem.as_ref().map(|problem| format!("source: {problem}"));
        let reason = [problem, contested, drift, images, waiting].into_iter().flatten().collect::<Vec<_>>().join("; ");
        if record.applied.as_ref().is_none_or(|applied| applied.digest != self.prepared.digest) {
            let rendering = records::keep(&self.context.client, &plan.stack, &plan.settled).await?;
            record.applied = Some(AppliedRecord {
                revision: self.revision(),
                digest: self.prepared.digest.clone(),
                at: self.context.now(),
                rendering,
            });
            record.inventory = inventory::of(&plan.settled);
            // A crash came between the last write and its record.
            if let Some(attempt) = record.attempt.as_mut().filter(|attempt| attempt.digest == self.prepared.digest) {
                attempt.written = true;
            }
        }
        // What was unwell before the attempt, and is no part of it, is not its failure.
        let own = match self.open_attempt() {
            Some(attempt) => verdict::summary(assessed.iter().filter(|one| attempt.services.contains(&one.name))),
            None => verdict,
        };
        let led_back_to = record.good.clone();
        match &own {
            Verdict::Healthy => self.finish(&mut record, plan),
            Verdict::Failed(trouble) | Verdict::Degraded(trouble) if record.attempt.is_some() => {
                return self.fail(plan, trouble).await;
            }
            _ => {}
        }
        if led_back_to.is_some() && led_back_to != record.good {
            // What a failure would have led back to may go now, and no event tells of that.
            again.get_or_insert(LOOK);
        }
        let sync = plan.sync();
        record.status = Status { sync, health, revision: Some(self.revision()), reason };
        let stored = self.write(record).await?;
        self.sweep(&stored.record).await?;
        // What is failing is looked at again, since no event tells of a task; what is healthy waits for one.
        Ok(match (again, health) {
            (Some(again), _) => Action::requeue(again),
            (None, Health::Degraded) => Action::requeue(Duration::from_secs(15)),
            _ => Action::await_change(),
        })
    }

    /// Deletes the renderings that nothing leads to any more, those that a crash has left behind included.
    async fn sweep(&self, record: &Record) -> Result<(), Error> {
        let kept = record.renderings();
        let mut renderings = self.live.configs.iter().filter(|config| rendering::is_of(config, &record.stack));
        if renderings.all(|config| kept.contains(&config.spec.name.as_str())) {
            return Ok(());
        }
        if !self.context.permit.may_write() {
            return Err(Error::NoLease);
        }
        Ok(records::sweep(&self.context.client, &record.stack, &kept).await?)
    }

    /// An attempt came to a good end.
    fn finish(&self, record: &mut Record, plan: &Plan) {
        if let Some(attempt) = record.came_up(self.context.now()) {
            tracing::info!(stack = %plan.stack, revision = %attempt.revision, "stack is healthy");
        }
    }

    async fn adopt(&self, plan: &Plan) -> Result<Action, Error> {
        let mut record = self.new_record(plan);
        let adopted = inventory::adopted(plan);
        let rendering = records::keep(&self.context.client, &plan.stack, &adopted).await?;
        record.applied = Some(AppliedRecord {
            revision: self.revision(),
            digest: self.prepared.digest.clone(),
            at: self.context.now(),
            rendering,
        });
        record.inventory = inventory::of(&adopted);
        record.remember(self.past("adopted", 0));
        tracing::info!(stack = %plan.stack, revision = %self.revision(), "running stack adopted");
        record.status = Status {
            sync: plan.sync(),
            health: Health::Unknown,
            revision: Some(self.revision()),
            reason: String::new(),
        };
        self.write(record).await?;
        Ok(Action::requeue(LOOK))
    }

    async fn wait(
        &self,
        plan: &Plan,
        reason: &str,
        health: Option<Health>,
        again: Option<Duration>,
    ) -> Result<Action, Error> {
        let mut record = self.new_record(plan);
        let health = health.unwrap_or(record.status.health);
        record.status =
            Status { sync: plan.sync(), health, revision: Some(self.revision()), reason: reason.to_owned() };
        self.write(record).await?;
        Ok(again.map_or_else(Action::await_change, Action::requeue))
    }

    async fn hold(&self, plan: &Plan, cause: String) -> Result<Action, Error> {
        let mut record = self.new_record(plan);
        self.mark_held(&mut record, &cause);
        record.status = Status {
            sync: plan.sync(),
            health: Health::Degraded,
            revision: Some(self.revision()),
            reason: format!("held: {cause}"),
        };
        let stored = self.write(record).await?;
        self.sweep(&stored.record).await?;
        Ok(Action::await_change())
    }

    fn revision(&self) -> crate::model::Revision {
        self.prepared.revision.clone()
    }

    fn past(&self, result: &str, steps: usize) -> Past {
        Past {
            revision: self.revision(),
            at: self.context.now(),
            result: result.to_owned(),
            steps: u32::try_from(steps).unwrap_or(u32::MAX),
        }
    }

    /// The record to go on from, named after the source that declares the stack now.
    fn new_record(&self, plan: &Plan) -> Record {
        let source = self.assignment.source.to_string();
        let record = match self.record() {
            Some(record) => Record { source, ..record.clone() },
            None => Record::new(plan.stack.clone(), source),
        };
        Record { images: self.prepared.images.clone(), ..record }
    }

    async fn write(&self, record: Record) -> Result<Stored, Error> {
        store(self.context, self.stored.as_ref(), record).await
    }
}

/// Writes a record, if it says anything new, inside the lease.
async fn store(context: &Context, stored: Option<&Stored>, record: Record) -> Result<Stored, Error> {
    match stored {
        Some(stored) if stored.record == record => return Ok(stored.clone()),
        _ if !context.permit.may_write() => return Err(Error::NoLease),
        _ => {}
    }
    let written = match stored {
        Some(stored) => records::write(&context.client, stored, record).await?,
        None => records::create(&context.client, &record).await?,
    };
    context.wrote(&written);
    Ok(written)
}

/// Says in a record, a new one where there is none, what keeps skep from looking further. What runs is left alone.
async fn report(
    context: &Context,
    stored: Option<Stored>,
    new: impl FnOnce() -> Record,
    sync: Sync,
    reason: &str,
) -> Result<Action, Error> {
    let mut record = stored.as_ref().map_or_else(new, |stored| stored.record.clone());
    record.status.sync = sync;
    record.status.reason = reason.to_owned();
    store(context, stored.as_ref(), record).await?;
    Ok(Action::await_change())
}

/// A stack that nobody declares any more.
async fn orphaned(context: &Context, stored: Option<Stored>, orphan: Orphan) -> Result<Action, Error> {
    let Some(stored) = stored else { return Ok(Action::await_change()) };
    let Stored { record, .. } = stored.clone();
    let is_suspended = record.is_suspended(context.now());
    let (source, stack) = (record.source.clone(), record.stack.clone());
    let (sync, reason) = match orphan {
        Orphan::Unknown { problem: None } => return Ok(Action::await_change()),
        Orphan::Unknown { problem: Some(problem) } => (Sync::Unknown, format!("source: {problem}")),
        // Nothing was ever applied, so there is nothing to keep, to delete or to show.
        _ if record.is_empty() && !is_suspended => return super::end::forget(context, &stored).await,
        Orphan::NoSource => (Sync::OutOfSync, format!("orphaned: its source {source} is not followed any more")),
        Orphan::Removed(_) if is_suspended => (Sync::OutOfSync, "orphaned, and suspended".to_owned()),
        Orphan::Removed(Removed::Keep) => {
            (Sync::OutOfSync, format!("orphaned: {source} declares it no more; `skep delete {stack}` ends it"))
        }
        Orphan::Removed(Removed::Delete) => return super::end::end(context, stored).await,
    };
    report(context, Some(stored), || record, sync, &reason).await
}

fn until_then(now: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default() + Duration::from_millis(100)
}
