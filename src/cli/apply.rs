//! `skep apply`: plan, confirm, apply, and show the rollout until it has converged.

mod account;
mod back;
mod session;

pub use account::is_due;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::desired::External;
use crate::diag::{Severity, code};
use crate::model::StackName;
use crate::operator::images::Resolver;
use crate::plan::{Hooks, Mask};
use crate::runtime::lease;
use crate::swarm::Live;

use super::arguments::{ApplyArguments, Output};
use super::ask::confirm;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::Stop;
use super::plan::{self, Planned};
use super::progress::{self, Form};
use super::target::{Origin, Target, Undeclared};
use super::{connect, print, saved};
use session::Session;

pub async fn run(arguments: &ApplyArguments, environment: &Environment) -> Result<Exit, Failure> {
    let stop = Stop::listen();
    let saved = arguments.plan.as_deref().map(saved::read).transpose()?;
    let of_plan = saved.as_ref().map(|saved| saved.arguments(arguments)).transpose()?;
    let arguments = of_plan.as_ref().unwrap_or(arguments);
    let timeout = arguments.timeout.as_deref().map(super::records::duration).transpose()?;
    let client = connect::client(environment)?;
    let (mut target, mut live) =
        stop.unless(plan::look(&client, &arguments.target, environment, Undeclared::Refuse)).await?;
    super::validate::show(&target, environment);
    if target.has_errors() {
        return Err(Failure::Invalid);
    }
    if let (Origin::Repository { reference, .. }, Some(saved)) = (&mut target.origin, &saved) {
        // The branch that led to the commit: by now it may lead elsewhere.
        *reference = saved.plan.reference.clone().unwrap_or_default();
    }
    if let Origin::Repository { .. } = target.origin
        && !arguments.change.force
    {
        alone(&live)?;
    }
    let resolver = Resolver::new(client.clone(), Arc::new(connect::credentials(environment, None)));
    // What is carried out is what was shown, tags that have moved since included.
    let images = match &saved {
        Some(saved) => saved.images.clone(),
        None => stop.unless(plan::resolve(&resolver, &target, &live, &arguments.change)).await?,
    };
    // A plan that was saved has waves.
    let hooks = Hooks { unwatched: arguments.detach && saved.is_none(), ..Hooks::default() };
    let told = (&images, Some(&hooks));
    let mut plans = stop.unless(plan::exact(&client, &target, &mut live, &arguments.change, told)).await?;
    if let Some(saved) = &saved {
        // It was saved with what looks like a secret hidden, and is compared so.
        let cluster = arguments.target.cluster.as_deref();
        saved.check(&target, &plans, &live, &plan::document(&target, &plans, &live, cluster, Mask::default()))?;
    }
    let judged = async {
        plan::judge(&client, environment, &arguments.change, &live, &mut plans, &resolver).await;
        Ok(())
    };
    stop.unless(judged).await?;
    show(arguments, environment, &target, &plans, &live)?;
    for planned in &plans {
        plan::mistyped(&target, planned, &live);
        if !comes_later(planned, &plans) {
            permitted(&target, planned, arguments.change.force)?;
        }
    }
    let is_wanted = |planned: &&Planned<'_>| !planned.plan.steps.is_empty() || account::is_due(&target, planned);
    // What others of them make comes first.
    let (later, first): (Vec<_>, Vec<_>) =
        plans.iter().filter(is_wanted).partition(|planned| comes_later(planned, &plans));
    let wanted: Vec<&Planned<'_>> = first.into_iter().chain(later).collect();
    let writes = plans.iter().any(|planned| !planned.plan.steps.is_empty());
    if !wanted.is_empty() && !arguments.yes {
        let trusts = wanted.iter().any(|planned| planned.verifies);
        let question = match (writes, trusts) {
            (true, _) => "Apply this?",
            (false, true) => "Take these secrets for what git says: write the record?",
            (false, false) => "All of it runs already. Write its record?",
        };
        confirm(environment, question, "--yes", &stop).await?;
    }
    let session = Session {
        credentials: connect::credentials(environment, None),
        stop,
        form: form(arguments, environment),
        timeout,
        arguments,
        client,
        target: &target,
        images: &images,
        saved: saved.as_ref(),
        written: Mutex::default(),
        hooks: Mutex::default(),
    };
    all(&session, &wanted).await
}

/// Applies stack after stack. One whose dependency did not become healthy is left as it is.
async fn all(session: &Session<'_>, wanted: &[&Planned<'_>]) -> Result<Exit, Failure> {
    let mut worst = Exit::Done;
    let mut unhealthy: BTreeSet<&StackName> = BTreeSet::new();
    for (index, planned) in wanted.iter().enumerate() {
        let name = &planned.stack.name;
        if let Some(first) = planned.stack.depends_on.iter().find(|first| unhealthy.contains(first)) {
            print::say(&format!("{name} is not applied: it depends on {first}"));
            unhealthy.insert(name);
            continue;
        }
        let ended = apply(session, planned).await;
        if !matches!(ended, Ok(Exit::Done | Exit::Unhealthy)) {
            let left: Vec<&str> = wanted.iter().skip(index + 1).map(|planned| planned.stack.name.as_str()).collect();
            if !left.is_empty() {
                print::say(&format!("stacks not applied: {}", left.join(", ")));
            }
            return ended;
        }
        if let Ok(Exit::Unhealthy) = ended {
            worst = Exit::Unhealthy;
            unhealthy.insert(name);
        }
    }
    Ok(worst)
}

/// Applies one stack. One whose plan waited for what others make is planned again first.
async fn apply(session: &Session<'_>, planned: &Planned<'_>) -> Result<Exit, Failure> {
    if !planned.plan.is_blocked() {
        return session.stack(planned).await;
    }
    let again = session.now(planned).await?;
    permitted(session.target, &again, session.arguments.change.force)?;
    session.stack(&again).await
}

/// Whether all that forbids a plan is that other stacks, which are applied with it, have yet to make what it needs.
fn comes_later(planned: &Planned<'_>, plans: &[Planned<'_>]) -> bool {
    let mut errors = planned.plan.diagnostics.iter().filter(|fault| fault.severity == Severity::Error).peekable();
    if errors.peek().is_none() || !errors.all(|fault| fault.code == code::EXTERNAL_MISSING) {
        return false;
    }
    let makes = |external: &External| {
        let mut others = plans.iter().filter(|other| other.plan.stack != planned.plan.stack);
        others.any(|other| other.plan.steps.iter().any(|step| step.kind == external.kind && step.name == external.name))
    };
    // What is there already is in no step, and not what is missing.
    let external = planned.stack.desired.iter().flat_map(|desired| &desired.external);
    let awaited = external.filter(|external| makes(external)).count();
    awaited == planned.plan.diagnostics.iter().filter(|fault| fault.code == code::EXTERNAL_MISSING).count()
}

fn form(arguments: &ApplyArguments, environment: &Environment) -> Form {
    match arguments.output {
        Output::Json => Form::Events,
        Output::Text if arguments.quiet => Form::Silent,
        Output::Text if environment.is_interactive() => Form::Live,
        Output::Text => Form::Lines,
    }
}

fn show(
    arguments: &ApplyArguments,
    environment: &Environment,
    target: &Target,
    plans: &[Planned<'_>],
    live: &Live,
) -> Result<(), Failure> {
    let mask = plan::mask(&arguments.change, environment);
    let document = plan::document(target, plans, live, arguments.target.cluster.as_deref(), mask);
    match arguments.output {
        Output::Json => progress::event("plan", None, &serde_json::json!({ "plan": document })),
        Output::Text => print::text(&plan::text(&document, environment, None, arguments.form.form())),
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

/// What forbids to apply a stack: its plan, another owner, a suspension, a hold.
fn permitted(target: &Target, planned: &Planned<'_>, force: bool) -> Result<(), Failure> {
    let stack = &planned.plan.stack;
    if planned.plan.is_blocked() {
        return Err(Failure::blocked(
            format!("stack {stack} cannot be applied: see above"),
            "nothing was done; mend it and plan again",
        ));
    }
    let Some(stored) = &planned.stored else { return Ok(()) };
    let record = &stored.record;
    if let Origin::Repository { source, .. } = &target.origin
        && source.as_str() != record.source
        && !force
    {
        return Err(Failure::blocked(
            format!("stack {stack} belongs to {}, and this is {source}", record.source),
            "apply it from there; or, if it has moved here, use --force",
        ));
    }
    if record.is_suspended(Timestamp::now())
        && let Some(suspended) = &record.suspended
    {
        return Err(Failure::blocked(
            format!("stack {stack} is suspended by {}: {}", suspended.by, suspended.reason),
            format!("skep resume {stack}"),
        ));
    }
    match record.held.as_ref().filter(|held| held.digest == planned.digest) {
        Some(held) if !planned.plan.steps.is_empty() => Err(Failure::blocked(
            format!("stack {stack} is held since {}: {}", print::moment(held.since), held.cause),
            format!("change it in git, or, when the cause is gone: skep retry {stack}"),
        )),
        _ => Ok(()),
    }
}
