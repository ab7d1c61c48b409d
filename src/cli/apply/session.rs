//! One stack at a time: its writes, then the wait for its tasks.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::arguments::ApplyArguments;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::interrupt::Stop;
use super::super::plan::{self as plans, Planned};
use super::super::print;
use super::super::progress::{Form, Progress};
use super::super::saved::Saved;
use super::super::target::Target;
use super::account::Account;
use crate::apply::{Apply, Event, Outcome, Stopped};
use crate::client::{Class, Client, Credentials, Error as ClientError};
use crate::health;
use crate::model::Kind;
use crate::operator::record::Failed;
use crate::operator::records::Stored;
use crate::operator::snapshot::{self, SnapshotError};
use crate::operator::verdict::{self, Assessed, Trouble, Verdict, Wanted};
use crate::plan::{self, Action, Hooks, Mask, Plan, Step};
use crate::swarm::{Images, Live, ServiceSpec};

/// How often the rollout is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// How often a plan is made anew because something moved while it was carried out.
const REPLANS: usize = 20;

/// One run of the verb.
pub struct Session<'a> {
    pub client: Client,
    pub credentials: Credentials,
    pub stop: Stop,
    pub form: Form,
    pub timeout: Option<Duration>,
    pub arguments: &'a ApplyArguments,
    pub target: &'a Target,
    /// What registries said of images before the plan was shown.
    pub images: &'a Images,
    /// The plan that is carried out, if it was saved.
    pub saved: Option<&'a Saved>,
    /// What was written so far.
    pub written: Mutex<HashSet<(Kind, String)>>,
    /// How far the hooks are of the stack that is applied.
    pub hooks: Mutex<Hooks>,
}

impl Session<'_> {
    /// Applies one stack and waits for its verdict.
    pub async fn stack(&self, planned: &Planned<'_>) -> Result<Exit, Failure> {
        let stack = planned.plan.stack.as_str();
        let account = Account::of(&self.client, self.target, planned);
        let mut progress = Progress::new(self.form, stack);
        if planned.plan.steps.is_empty() {
            if let Some(account) = account {
                account.adopt().await?;
                let words = if planned.verifies { "is trusted with its secrets" } else { "runs as git says" };
                progress.event("adopted", &format!("{stack} {words}; its record is written"), json!({}));
            }
            return Ok(Exit::Done);
        }
        *self.hooks() = self.begun();
        let before = snapshot::take(&self.client).await?;
        let mut stored = match &account {
            Some(account) => Some(account.begin(&before).await?),
            None => None,
        };
        let mut plan = planned.plan.clone();
        let mut written = Vec::new();
        let (trouble, assessed) = loop {
            let services = plan.first_wave().iter().filter(|step| step.kind == Kind::Service);
            written.extend(services.map(|step| step.name.clone()));
            let outcome = match self.write(planned, &plan, &progress).await {
                Ok(Some(outcome)) => outcome,
                Ok(None) => return Ok(Exit::Interrupted),
                Err(Failure::Client(error)) if error.class() == Class::Permanent => {
                    let failed = Failed { cause: print::chain(&error), ..Failed::default() };
                    self.end(planned, failed, (&account, stored), (&before, &written), &mut progress).await?;
                    return Err(Failure::Client(error));
                }
                Err(failure) => return Err(failure),
            };
            self.ran(&plan);
            if let (Some(account), Some(begun)) = (&account, stored.take()) {
                stored = Some(account.wrote(begun, &outcome).await?);
            }
            if self.arguments.detach {
                return Ok(sent_off(stack, &plan, &progress));
            }
            let Some((trouble, assessed)) = self.wait(planned, &plan, &mut progress).await? else {
                progress.talk(&interrupted(&plan));
                return Ok(Exit::Interrupted);
            };
            if trouble.is_some() || !plan.has_later_waves() {
                break (trouble, assessed);
            }
            plan = self.next(planned).await?;
            if plan.steps.is_empty() {
                break (None, assessed);
            }
            progress.wave(&plan);
            if let (Some(account), Some(begun)) = (&account, stored.take()) {
                stored = Some(account.go_on(begun, &plan, &snapshot::take(&self.client).await?).await?);
            }
        };
        let Some(trouble) = trouble else {
            progress.event("healthy", &format!("{stack} is as its files say, and healthy"), json!({}));
            if let (Some(account), Some(stored)) = (&account, stored) {
                account.came_up(&stored).await?;
            }
            return Ok(Exit::Done);
        };
        let failed = self.autopsy(planned, &trouble, &progress).await?;
        progress.failed(&failed, &assessed);
        self.end(planned, failed, (&account, stored), (&before, &written), &mut progress).await
    }

    /// The end of an attempt that failed: what else was written goes back, and what failed is held.
    async fn end(
        &self,
        planned: &Planned<'_>,
        failed: Failed,
        (account, stored): (&Option<Account<'_>>, Option<Stored>),
        (before, written): (&Live, &[String]),
        progress: &mut Progress,
    ) -> Result<Exit, Failure> {
        let stack = &planned.plan.stack;
        let good = account.as_ref().map(|account| account.good(before)).transpose()?.flatten();
        let good = good.unwrap_or_else(|| plan::found(stack, before));
        let Some(over) = self.go_back(planned, &good, written, progress).await? else {
            progress.talk(&format!("interrupted; {stack} is left as it is"));
            return Ok(Exit::Interrupted);
        };
        if let (Some(account), Some(stored)) = (account, stored) {
            account.hold(&stored, failed, over).await?;
            progress.talk(&format!(
                "  {stack} is held: it is not applied again until git says something else of it, or skep retry {stack}"
            ));
        }
        Ok(Exit::Unhealthy)
    }

    /// How far hooks are at the beginning.
    fn begun(&self) -> Hooks {
        Hooks { unwatched: self.arguments.detach && self.saved.is_none(), ..Hooks::default() }
    }

    fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that the attempt has failed: other hooks run from now on.
    pub(super) fn failed(&self) {
        self.hooks().has_failed = true;
    }

    /// Remembers which hooks the first wave of a plan has run.
    fn ran(&self, plan: &Plan) {
        let mut hooks = self.hooks();
        hooks.are_due = true;
        let ran = plan.first_wave().iter().filter(|step| step.hook.is_some());
        hooks.ran.extend(ran.map(|step| step.name.clone()));
    }

    /// Carries out the first wave of a plan, and what is left of it when something moved meanwhile. `None` when it was
    /// interrupted.
    async fn write(&self, planned: &Planned<'_>, plan: &Plan, progress: &Progress) -> Result<Option<Outcome>, Failure> {
        let mut plan = plan.clone();
        let mut tries = 0;
        loop {
            let outcome = self.carry_out(&plan, progress).await;
            tries += 1;
            match &outcome.stopped {
                None if outcome.deferred.is_empty() => return Ok(Some(outcome)),
                None | Some(Stopped::Moved { .. } | Stopped::Engine(ClientError::Conflict(_))) if tries < REPLANS => {
                    tokio::select! {
                        () = tokio::time::sleep(LOOK) => {}
                        () = self.stop.asked() => {}
                    }
                }
                None => return Ok(Some(outcome)),
                Some(Stopped::NoPermit | Stopped::Interrupted) => {
                    progress.talk(&not_applied("interrupted", &plan, outcome.written));
                    return Ok(None);
                }
                Some(_) => {
                    progress.talk(&not_applied("stopped", &plan, outcome.written));
                    return Err(match outcome.stopped {
                        Some(Stopped::Engine(error)) => Failure::Client(error),
                        Some(stopped) => Failure::usage(print::chain(&stopped)),
                        None => Failure::Invalid,
                    });
                }
            }
            // The engine itself writes services while they roll, and lets go of networks late.
            plan = self.next(planned).await?;
        }
    }

    /// What is left of a plan. What the plan said is what happens, or nothing does: the new one may shrink, and not grow.
    async fn next(&self, planned: &Planned<'_>) -> Result<Plan, Failure> {
        let mut live = snapshot::take(&self.client).await?;
        let hooks = self.hooks().clone();
        let told = (self.images, Some(&hooks));
        let plans = plans::exact(&self.client, self.target, &mut live, &self.arguments.change, told).await?;
        let again = of_stack(plans, planned)?;
        if let Some(saved) = self.saved {
            let document = plans::document(self.target, std::slice::from_ref(&again), &live, None, Mask::default());
            let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            saved.check_rest(&again, &live, &document, &written)?;
        }
        let next = again.plan;
        match next.steps.iter().find(|step| !covers(&planned.plan, step)) {
            None => Ok(next),
            Some(step) => Err(Failure::usage_hint(
                format!("{} {} changed while the plan was carried out", step.kind, step.name),
                "run the same command again: it plans anew what is left",
            )),
        }
    }

    /// Carries a plan out once, and says each step.
    async fn carry_out(&self, plan: &Plan, progress: &Progress) -> Outcome {
        let apply = Apply {
            client: &self.client,
            credentials: &self.credentials,
            permit: &self.stop,
            observe: &|event| match event {
                Event::Begin(_) => {}
                Event::Done(step, warnings) => {
                    let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                    written.insert((step.kind, step.name.clone()));
                    progress.event(
                        "written",
                        &format!("{} {} {}", past(step.action), step.kind, step.name),
                        json!({ "action": step.action, "kind": step.kind, "name": step.name }),
                    );
                    for warning in warnings {
                        progress.talk(&format!("the engine remarks on {} {}: {warning}", step.kind, step.name));
                    }
                }
                Event::Deferred(step) => progress.event(
                    "deferred",
                    &format!("{} {} is still in use", step.kind, step.name),
                    json!({ "kind": step.kind, "name": step.name }),
                ),
            },
        };
        apply.run(plan).await
    }

    /// Plans a stack again that waited for others.
    pub async fn now(&self, planned: &Planned<'_>) -> Result<Planned<'_>, Failure> {
        let hooks = self.begun();
        let mut live = snapshot::take(&self.client).await?;
        of_stack(
            plans::exact(&self.client, self.target, &mut live, &self.arguments.change, (self.images, Some(&hooks)))
                .await?,
            planned,
        )
    }

    /// Plans the stack again, on the swarm as it is now.
    pub(super) fn again(&self, planned: &Planned<'_>, live: &Live) -> Result<Planned<'_>, Failure> {
        let hooks = self.hooks().clone();
        of_stack(plans::plans(self.target, live, &self.arguments.change, (self.images, Some(&hooks)))?, planned)
    }

    /// Waits for the verdict, showing the tasks come up, and says what is wrong, if anything. `None` when it was interrupted.
    async fn wait(
        &self,
        planned: &Planned<'_>,
        plan: &Plan,
        progress: &mut Progress,
    ) -> Result<Option<(Option<Trouble>, Vec<Assessed>)>, Failure> {
        let timeout = self.timeout.unwrap_or(planned.stack.settings.timeout);
        let seen = verdict::Progress::default();
        // Since when the engine does not answer, and since when it goes back on a rollout.
        let (mut silent, mut returning): (Option<Instant>, Option<Instant>) = (None, None);
        loop {
            match self.look(planned, plan, &seen, timeout).await {
                Ok((live, assessed)) => {
                    silent = None;
                    progress.show(&assessed, &live);
                    let is_returning =
                        |one: &Assessed| matches!(one.verdict, health::Verdict::RolledBack { finished: false, .. });
                    returning = match returning {
                        _ if !assessed.iter().any(is_returning) => None,
                        None => Some(Instant::now()),
                        since => since,
                    };
                    let is_patient = returning.is_some_and(|since| since.elapsed() < timeout);
                    match verdict::summary(&assessed) {
                        Verdict::Progressing { .. } => {}
                        _ if is_patient => {}
                        Verdict::Healthy => return Ok(Some((None, assessed))),
                        Verdict::Degraded(trouble) | Verdict::Failed(trouble) => {
                            return Ok(Some((Some(trouble), assessed)));
                        }
                    }
                }
                Err(error) if is_passing(&error) && silent.is_none_or(|since| since.elapsed() < timeout) => {
                    if silent.is_none() {
                        progress.talk(&format!("{}; still waiting", print::chain(&error)));
                    }
                    silent.get_or_insert_with(Instant::now);
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.stop.asked() => return Ok(None),
            }
        }
    }

    /// How the services that were written fare.
    async fn look(
        &self,
        planned: &Planned<'_>,
        plan: &Plan,
        seen: &verdict::Progress,
        timeout: Duration,
    ) -> Result<(Live, Vec<Assessed>), Failure> {
        let live = snapshot::take(&self.client).await?;
        // A service whose spec is not what was sent has been taken back, unless a later wave writes it again.
        let left = self.again(planned, &live)?.plan;
        let later = plan.steps.get(plan.first_wave().len()..).unwrap_or_default();
        let is_as_sent = |name: &str| {
            !left.steps.iter().any(|step| step.name == name && !later.iter().any(|later| later.name == name))
                && !left.drift.changed.iter().any(|drifted| drifted.name == name && !drifted.stays())
        };
        let services: Vec<Wanted<'_>> = live
            .services
            .iter()
            .filter_map(|service| {
                let sent = sent(plan, &service.spec.name)?;
                Some(Wanted { service, lost: (!is_as_sent(&service.spec.name)).then_some(sent) })
            })
            .collect();
        let assessed = seen.assess(&self.client, &services, &live, timeout, &planned.plan.confidential).await?;
        Ok((live, assessed))
    }
}

/// Nobody waits for what was sent, so what comes after it is left to the next run.
fn sent_off(stack: &str, plan: &Plan, progress: &Progress) -> Exit {
    progress.event("sent", &format!("{stack} is sent; its tasks are not waited for"), json!({}));
    if plan.has_later_waves() {
        let left = listed(plan.steps.get(plan.first_wave().len()..).unwrap_or_default());
        progress.talk(&format!("what waits until they are healthy is left: {left}; run the same command again then"));
    }
    Exit::Done
}

fn interrupted(plan: &Plan) -> String {
    match plan.steps.get(plan.first_wave().len()..).unwrap_or_default() {
        [] => "interrupted; everything is applied, and the tasks go on coming up".to_owned(),
        left => format!("interrupted; the tasks go on coming up; not applied: {}", listed(left)),
    }
}

/// The plan of the same stack.
fn of_stack<'a>(plans: Vec<Planned<'a>>, planned: &Planned<'_>) -> Result<Planned<'a>, Failure> {
    plans.into_iter().find(|again| again.plan.stack == planned.plan.stack).ok_or(Failure::Invalid)
}

/// The spec that the first wave of a plan sends for a service, if it writes it.
fn sent<'a>(plan: &'a Plan, name: &str) -> Option<&'a ServiceSpec> {
    plan.first_wave().iter().filter(|step| step.name == name).find_map(|step| step.write.service())
}

/// Whether a failure to look may pass by itself, as when the engine is restarted.
fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Client(error) | Failure::Snapshot(SnapshotError::Client(error)) => error.class() == Class::Transient,
        _ => false,
    }
}

fn not_applied(why: &str, plan: &Plan, written: usize) -> String {
    format!("{why}; not applied: {}", listed(plan.steps.get(written..).unwrap_or_default()))
}

fn listed(steps: &[Step]) -> String {
    let left: Vec<String> = steps.iter().map(|step| format!("{} {}", step.kind, step.name)).collect();
    left.join(", ")
}

/// Whether a plan that a person saw holds this step.
fn covers(plan: &Plan, step: &Step) -> bool {
    plan.steps.iter().any(|seen| seen.kind == step.kind && seen.name == step.name && seen.action == step.action)
}

fn past(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
    }
}
