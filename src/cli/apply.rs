//! `skep apply`: plan, confirm, apply, and show the rollout until it has converged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::apply::{Apply, Event, Permit, Stopped};
use crate::client::{Client, Credentials, Error as ClientError};
use crate::desired;
use crate::health::Health;
use crate::model::StackName;
use crate::operator::record::{APPLYING, Applied as AppliedRecord, Attempt, Held, Past, Record, Status};
use crate::operator::records::{self, Stored};
use crate::operator::verdict::{self, Verdict, Wanted};
use crate::operator::{inventory, snapshot};
use crate::plan::{Body, Plan, Write};
use crate::runtime::lease;
use crate::swarm::{Live, ServiceSpec};

use super::arguments::{ApplyArguments, Output};
use super::ask::confirm;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::plan::{self, Planned};
use super::progress::{Form, Progress};
use super::target::{Origin, Stack, Target, Undeclared};
use super::{connect, print};

/// How often the rollout is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How often a plan is made anew because something moved while it was carried out.
const REPLANS: usize = 5;

pub async fn run(arguments: &ApplyArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::client(environment)?;
    let (target, live) = plan::look(&client, &arguments.target, environment, Undeclared::Refuse).await?;
    super::validate::show(&target, environment);
    if target.has_errors() {
        return Err(Failure::Invalid);
    }
    if let Origin::Repository { .. } = target.origin
        && !arguments.change.force
    {
        alone(&live)?;
    }
    let plans = plan::plans(&target, &live, &arguments.change)?;
    let mask = plan::mask(&arguments.change, environment);
    let document = plan::document(&target, &plans, &live, arguments.target.cluster.as_deref(), mask);
    let text = plan::text(&document, environment, None);
    match arguments.output {
        Output::Json => {
            print::json_line(&json!({ "time": Timestamp::now().to_string(), "event": "plan", "plan": document }))?
        }
        Output::Text => print::text(&text)?,
    }
    if let Some(blocked) = plans.iter().find(|planned| planned.plan.is_blocked()) {
        return Err(Failure::blocked(
            format!("stack {} cannot be applied: see above", blocked.plan.stack),
            "nothing was done; mend it and plan again",
        ));
    }
    for planned in &plans {
        held_back(planned)?;
    }
    let wanted: Vec<&Planned<'_>> =
        plans.iter().filter(|planned| !planned.plan.steps.is_empty() || needs_record(&target, planned)).collect();
    if plans.iter().all(|planned| planned.plan.steps.is_empty()) {
        // Adoption writes the record and nothing else.
        for planned in wanted {
            adopt(&client, &target, planned).await?;
        }
        return Ok(Exit::Done);
    }
    if !arguments.yes {
        confirm(environment, "Apply this?", "--yes")?;
    }
    let session = Session {
        credentials: connect::credentials(environment, None),
        stop: Stop::listen(),
        form: form(arguments, environment),
        timeout: arguments.timeout.as_deref().map(super::records::duration).transpose()?,
        arguments,
        client,
    };
    let mut worst = Exit::Done;
    for planned in wanted {
        let exit = session.stack(&target, planned).await?;
        if exit != Exit::Done {
            worst = exit;
        }
        if exit == Exit::Interrupted {
            break;
        }
    }
    Ok(worst)
}

fn form(arguments: &ApplyArguments, environment: &Environment) -> Form {
    match arguments.output {
        _ if arguments.quiet => Form::Silent,
        Output::Json => Form::Events,
        Output::Text if environment.can_ask && environment.stdout_is_terminal => Form::Live,
        Output::Text => Form::Lines,
    }
}

/// A repository is applied by its controller where one leads.
fn alone(live: &Live) -> Result<(), Failure> {
    let config = live.configs.iter().find(|config| config.spec.name == lease::NAME);
    match config.map(|config| lease::Held::of(config).content) {
        Some(lease::Content::State(state)) if !state.released => Err(Failure::blocked(
            format!("a controller leads this swarm ({}), and applies what is committed", state.holder),
            "commit the change; or, if that controller is gone for good, use --force",
        )),
        _ => Ok(()),
    }
}

/// What a record forbids: a hold, or a suspension.
fn held_back(planned: &Planned<'_>) -> Result<(), Failure> {
    let Some(stored) = &planned.stored else { return Ok(()) };
    let stack = &planned.plan.stack;
    if stored.record.is_suspended(Timestamp::now())
        && let Some(suspended) = &stored.record.suspended
    {
        return Err(Failure::blocked(
            format!("stack {stack} is suspended by {}: {}", suspended.by, suspended.reason),
            format!("skep resume {stack}"),
        ));
    }
    let digest = planned.stack.desired.as_ref().map(desired::digest);
    if let Some(held) = stored.record.held.as_ref().filter(|held| Some(&held.digest) == digest.as_ref())
        && !planned.plan.steps.is_empty()
    {
        return Err(Failure::blocked(
            format!("stack {stack} is held since {}: {}", held.since, held.cause),
            format!("change it in git, or, when the cause is gone: skep retry {stack}"),
        ));
    }
    Ok(())
}

/// Whether a stack of a repository has nothing to write but its record.
fn needs_record(target: &Target, planned: &Planned<'_>) -> bool {
    let Origin::Repository { .. } = target.origin else { return false };
    planned.stored.as_ref().is_none_or(|stored| stored.record.applied.is_none())
}

async fn adopt(client: &Client, target: &Target, planned: &Planned<'_>) -> Result<(), Failure> {
    let Origin::Repository { source, .. } = &target.origin else { return Ok(()) };
    let mut record = new_record(planned.stored.as_ref(), &planned.plan.stack, source.as_str());
    let rendering = records::keep(client, &planned.plan.stack, &planned.plan.settled).await?;
    record.inventory = inventory::of(&planned.plan.settled);
    record.applied = Some(applied_record(target, planned.stack, rendering));
    record.status = status(target, planned.stack, Health::Unknown, "");
    store(client, planned.stored.as_ref(), record).await?;
    print::say(&format!("{} runs as git says; its record is written", planned.plan.stack));
    Ok(())
}

/// Ctrl-C: ends a wait, never half a write.
struct Stop {
    token: CancellationToken,
    flag: Arc<AtomicBool>,
}

impl Stop {
    fn listen() -> Self {
        let stop = Self { token: CancellationToken::new(), flag: Arc::new(AtomicBool::new(false)) };
        let (token, flag) = (stop.token.clone(), Arc::clone(&stop.flag));
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Ordering::Release);
                token.cancel();
            }
        });
        stop
    }

    fn is_asked(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }
}

impl Permit for Stop {
    fn may_write(&self) -> bool {
        !self.is_asked()
    }
}

/// One run of the verb.
struct Session<'a> {
    client: Client,
    credentials: Credentials,
    stop: Stop,
    form: Form,
    timeout: Option<Duration>,
    arguments: &'a ApplyArguments,
}

impl Session<'_> {
    /// Applies one stack and waits for its verdict.
    async fn stack(&self, target: &Target, planned: &Planned<'_>) -> Result<Exit, Failure> {
        let mut progress = Progress::new(self.form, planned.plan.stack.as_str());
        let mut stored = self.begin(target, planned).await?;
        let mut plan = planned.plan.clone();
        for attempt in 0.. {
            let outcome = self.carry_out(&plan, &progress).await;
            if let Some(previous) = stored.take() {
                stored = Some(self.wrote(target, planned, previous, &outcome).await?);
            }
            match outcome.stopped {
                None if outcome.deferred.is_empty() => break,
                None | Some(Stopped::Moved { .. } | Stopped::Engine(ClientError::Conflict(_))) if attempt < REPLANS => {
                    // The engine itself writes services while they roll, and lets go of networks late. What the plan
                    // said is what happens, or nothing does: the new plan may shrink, and not grow.
                    tokio::time::sleep(LOOK).await;
                    let next = self.again(target, planned).await?;
                    if let Some(step) = next.steps.iter().find(|step| !covers(&planned.plan, step)) {
                        return Err(Failure::usage_hint(
                            format!("{} {} changed while the plan was carried out", step.kind, step.name),
                            "what is not applied is planned anew by another skep plan",
                        ));
                    }
                    plan = next;
                }
                None => break,
                Some(Stopped::NoPermit) if self.stop.is_asked() => {
                    self.interrupted(&plan, outcome.written);
                    return Ok(Exit::Interrupted);
                }
                Some(Stopped::Engine(error)) => return Err(Failure::Client(error)),
                Some(stopped) => return Err(Failure::usage(print::chain(&stopped))),
            }
        }
        if self.arguments.detach {
            return Ok(Exit::Done);
        }
        self.wait(target, planned, stored, &mut progress).await
    }

    /// Carries the plan out, and says each step.
    async fn carry_out(&self, plan: &Plan, progress: &Progress) -> crate::apply::Outcome {
        let apply = Apply {
            client: &self.client,
            credentials: &self.credentials,
            permit: &self.stop,
            observe: &|event| {
                let said = match event {
                    Event::Begin(_) => return,
                    Event::Done(step, warnings) => {
                        for warning in warnings {
                            print::say(&format!("the engine remarks: {warning}"));
                        }
                        progress.event(
                            "written",
                            &format!("{} {} {}", past(step.action), step.kind, step.name),
                            json!({ "action": step.action, "kind": step.kind, "name": step.name }),
                        )
                    }
                    Event::Deferred(step) => progress.event(
                        "deferred",
                        &format!("{} {} is still in use", step.kind, step.name),
                        json!({ "kind": step.kind, "name": step.name }),
                    ),
                };
                // A reader that went away must not stop a write.
                drop(said);
            },
        };
        apply.run(plan).await
    }

    /// Plans the stack again, on the swarm as it is now.
    async fn again(&self, target: &Target, planned: &Planned<'_>) -> Result<Plan, Failure> {
        let live = snapshot::take(&self.client).await?;
        let plans = plan::plans(target, &live, &self.arguments.change)?;
        let found = plans.into_iter().find(|again| again.plan.stack == planned.plan.stack);
        found.map(|again| again.plan).ok_or(Failure::Invalid)
    }

    fn interrupted(&self, plan: &Plan, written: usize) {
        let left: Vec<String> =
            plan.steps.iter().skip(written).map(|step| format!("{} {}", step.kind, step.name)).collect();
        print::say(&format!("interrupted; not applied: {}", left.join(", ")));
    }

    /// Records the attempt of a repository's stack before its first write.
    async fn begin(&self, target: &Target, planned: &Planned<'_>) -> Result<Option<Stored>, Failure> {
        let Origin::Repository { source, .. } = &target.origin else { return Ok(None) };
        let mut record = new_record(planned.stored.as_ref(), &planned.plan.stack, source.as_str());
        let term = record.attempt.as_ref().map_or(0, |attempt| attempt.term);
        if let Some(digest) = planned.stack.desired.as_ref().map(desired::digest) {
            record.begin(Attempt {
                term,
                revision: revision(target, planned.stack),
                digest,
                at: Timestamp::now(),
                written: false,
                services: planned.plan.services().map(str::to_owned).collect(),
                previous: None,
            });
        }
        record.inventory = inventory::with_steps(&record.inventory, &planned.plan);
        record.remember(Past {
            revision: revision(target, planned.stack),
            at: Timestamp::now(),
            result: APPLYING.to_owned(),
            steps: u32::try_from(planned.plan.steps.len()).unwrap_or(u32::MAX),
        });
        record.status = status(target, planned.stack, Health::Progressing, "applying");
        Ok(Some(store(&self.client, planned.stored.as_ref(), record).await?))
    }

    /// Records what was written.
    async fn wrote(
        &self,
        target: &Target,
        planned: &Planned<'_>,
        stored: Stored,
        outcome: &crate::apply::Outcome,
    ) -> Result<Stored, Failure> {
        if outcome.stopped.is_some() {
            return Ok(stored);
        }
        let stack = &planned.plan.stack;
        let rendering = records::keep(&self.client, stack, &outcome.applied).await?;
        let mut record = stored.record.clone();
        record.applied = Some(applied_record(target, planned.stack, rendering));
        record.inventory = inventory::of(&outcome.applied);
        if let Some(attempt) = &mut record.attempt {
            attempt.written = true;
        }
        let stored = store(&self.client, Some(&stored), record).await?;
        records::sweep(&self.client, stack, &stored.record.renderings()).await?;
        Ok(stored)
    }

    /// Waits for the verdict, showing the tasks come up.
    async fn wait(
        &self,
        target: &Target,
        planned: &Planned<'_>,
        stored: Option<Stored>,
        progress: &mut Progress,
    ) -> Result<Exit, Failure> {
        let timeout = self.timeout.unwrap_or(planned.stack.settings.timeout);
        let seen = verdict::Progress::default();
        let verdict = loop {
            let live = snapshot::take(&self.client).await?;
            // A service whose spec is not what was sent has been taken back.
            let left = self.again(target, planned).await?;
            let services: Vec<Wanted<'_>> = live
                .services
                .iter()
                .filter_map(|service| {
                    let sent = sent(&planned.plan, &service.spec.name)?;
                    let is_left = left.steps.iter().any(|step| step.name == service.spec.name);
                    Some(Wanted { service, lost: is_left.then_some(sent) })
                })
                .collect();
            let assessed = seen.assess(&self.client, &services, &live, timeout).await?;
            progress.show(&assessed, &live)?;
            match verdict::summary(&assessed) {
                Verdict::Progressing { .. } => {}
                verdict => break verdict,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.stop.token.cancelled() => {
                    print::say("interrupted; everything is applied, and the tasks go on coming up");
                    return Ok(Exit::Interrupted);
                }
            }
        };
        let stack = &planned.plan.stack;
        let (exit, cause) = match verdict {
            Verdict::Healthy | Verdict::Progressing { .. } => (Exit::Done, None),
            Verdict::Degraded { cause } | Verdict::Failed { cause } => (Exit::Unhealthy, Some(cause)),
        };
        match &cause {
            None => progress.event("healthy", &format!("{stack} is as its files say, and healthy"), json!({}))?,
            Some(cause) => progress.event("failed", &format!("{stack} failed: {cause}"), json!({ "cause": cause }))?,
        }
        if let Some(stored) = stored {
            self.end(target, planned.stack, stored, cause).await?;
        }
        Ok(exit)
    }

    /// Records the verdict.
    async fn end(&self, target: &Target, stack: &Stack, stored: Stored, cause: Option<String>) -> Result<(), Failure> {
        let mut record = stored.record.clone();
        let attempt = record.attempt.take();
        let result = if cause.is_none() { "applied" } else { "failed" };
        if let Some(past) = record.history.first_mut().filter(|past| past.result == APPLYING) {
            past.result = result.to_owned();
            past.at = Timestamp::now();
        }
        match (cause, attempt) {
            (Some(cause), Some(attempt)) => {
                record.status = status(target, stack, Health::Degraded, &format!("held: {cause}"));
                record.applied = attempt.previous;
                record.held =
                    Some(Held { revision: attempt.revision, digest: attempt.digest, since: Timestamp::now(), cause });
            }
            (Some(cause), None) => record.status = status(target, stack, Health::Degraded, &cause),
            (None, _) => {
                record.held = None;
                record.status =
                    Status { sync: crate::plan::Sync::Synced, ..status(target, stack, Health::Healthy, "") };
            }
        }
        store(&self.client, Some(&stored), record).await?;
        Ok(())
    }
}

/// The spec that a plan sends for a service, if it writes it.
fn sent<'a>(plan: &'a Plan, name: &str) -> Option<&'a ServiceSpec> {
    plan.steps.iter().find(|step| step.name == name).and_then(|step| match &step.write {
        Write::Create(Body::Service { spec, .. }) | Write::Update { body: Body::Service { spec, .. }, .. } => {
            Some(spec.as_ref())
        }
        _ => None,
    })
}

/// Whether a plan that a person saw holds this step.
fn covers(plan: &Plan, step: &crate::plan::Step) -> bool {
    plan.steps.iter().any(|seen| seen.kind == step.kind && seen.name == step.name && seen.action == step.action)
}

fn past(action: crate::plan::Action) -> &'static str {
    match action {
        crate::plan::Action::Create => "created",
        crate::plan::Action::Update => "updated",
        crate::plan::Action::Replace => "replaced",
        crate::plan::Action::Delete => "deleted",
    }
}

fn revision(target: &Target, stack: &Stack) -> crate::model::Revision {
    match (&stack.revision, &target.origin) {
        (Some(revision), _) => revision.clone(),
        (None, Origin::Repository { revision, .. }) => revision.clone(),
        (None, Origin::Direct) => crate::model::Revision::new(""),
    }
}

fn applied_record(target: &Target, stack: &Stack, rendering: String) -> AppliedRecord {
    let digest = stack.desired.as_ref().map(desired::digest);
    AppliedRecord {
        revision: revision(target, stack),
        digest: digest.unwrap_or_else(|| crate::model::Digest::of("")),
        at: Timestamp::now(),
        rendering,
    }
}

fn status(target: &Target, stack: &Stack, health: Health, reason: &str) -> Status {
    Status {
        sync: crate::plan::Sync::OutOfSync,
        health,
        revision: Some(revision(target, stack)),
        reason: reason.to_owned(),
    }
}

fn new_record(stored: Option<&Stored>, stack: &StackName, source: &str) -> Record {
    match stored {
        Some(stored) => Record { source: source.to_owned(), ..stored.record.clone() },
        None => Record::new(stack.clone(), source.to_owned()),
    }
}

async fn store(client: &Client, stored: Option<&Stored>, record: Record) -> Result<Stored, Failure> {
    Ok(match stored {
        Some(stored) => records::write(client, stored, record).await?,
        None => records::create(client, &record).await?,
    })
}
