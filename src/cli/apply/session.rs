//! One stack at a time: its writes, then the wait for its tasks.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::arguments::ApplyArguments;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::interrupt::Stop;
use super::super::plan::{self, Planned};
use super::super::print;
use super::super::progress::{Form, Progress, last_error};
use super::super::saved::Saved;
use super::super::target::Target;
use super::account::Account;
use crate::apply::{Apply, Event, Outcome, Stopped};
use crate::client::{Class, Client, Credentials, Error as ClientError};
use crate::health;
use crate::model::Kind;
use crate::operator::snapshot::{self, SnapshotError};
use crate::operator::verdict::{self, Assessed, Verdict, Wanted};
use crate::plan::{Action, Mask, Plan, Step};
use crate::swarm::{Images, Live, ServiceSpec};

/// How often the rollout is looked at.
const LOOK: Duration = Duration::from_millis(500);

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
        let mut stored = match &account {
            Some(account) => Some(account.begin().await?),
            None => None,
        };
        let mut plan = planned.plan.clone();
        let (cause, assessed) = loop {
            let Some(outcome) = self.write(planned, &plan, &progress).await? else { return Ok(Exit::Interrupted) };
            if let (Some(account), Some(begun)) = (&account, stored.take()) {
                stored = Some(account.wrote(begun, &outcome).await?);
            }
            if self.arguments.detach {
                return Ok(sent_off(stack, &plan, &progress));
            }
            let Some((cause, assessed)) = self.wait(planned, &plan, &mut progress).await? else {
                progress.talk(&interrupted(&plan));
                return Ok(Exit::Interrupted);
            };
            if cause.is_some() || !plan.has_later_waves() {
                break (cause, assessed);
            }
            plan = self.next(planned).await?;
            if plan.steps.is_empty() {
                break (None, assessed);
            }
        };
        match &cause {
            None => progress.event("healthy", &format!("{stack} is as its files say, and healthy"), json!({})),
            Some(cause) => {
                progress.event("failed", &format!("{stack} failed: {cause}"), json!({ "cause": cause }));
                progress.unhealthy(&assessed);
            }
        }
        if let (Some(account), Some(stored)) = (&account, stored) {
            let went_back = assessed.iter().any(|one| matches!(one.verdict, health::Verdict::RolledBack { .. }));
            account.end(&stored, cause.clone(), went_back).await?;
            if cause.is_some() {
                progress.talk(&format!(
                    "  {stack} is held: it is not applied again until git says something else of it, or skep retry {stack}"
                ));
            }
        }
        Ok(if cause.is_some() { Exit::Unhealthy } else { Exit::Done })
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
        let plans = plan::exact(&self.client, self.target, &mut live, &self.arguments.change, self.images).await?;
        let again = of_stack(plans, planned)?;
        if let Some(saved) = self.saved {
            let document = plan::document(self.target, std::slice::from_ref(&again), &live, None, Mask::default());
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

    /// Plans the stack again, on the swarm as it is now.
    fn again(&self, planned: &Planned<'_>, live: &Live) -> Result<Planned<'_>, Failure> {
        of_stack(plan::plans(self.target, live, &self.arguments.change, self.images)?, planned)
    }

    /// Waits for the verdict, showing the tasks come up, and says what is wrong, if anything. `None` when it was interrupted.
    async fn wait(
        &self,
        planned: &Planned<'_>,
        plan: &Plan,
        progress: &mut Progress,
    ) -> Result<Option<(Option<String>, Vec<Assessed>)>, Failure> {
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
                        Verdict::Degraded { cause } => return Ok(Some((Some(cause), assessed))),
                        Verdict::Failed { cause } => {
                            let cause = given_up(&assessed, &live).unwrap_or(cause);
                            return Ok(Some((Some(cause), assessed)));
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

/// Why the engine gave up, in the words of the task that failed: its own name but a state.
fn given_up(assessed: &[Assessed], live: &Live) -> Option<String> {
    assessed.iter().find_map(|one| {
        let what = match one.verdict {
            health::Verdict::RolledBack { .. } => "rolled back",
            health::Verdict::Paused { .. } => "rollout paused",
            _ => return None,
        };
        Some(format!("{} {what}: {}", one.name, last_error(one, live)?))
    })
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
