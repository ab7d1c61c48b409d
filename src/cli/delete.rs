//! `skep delete STACK`: the end of a stack.

use std::time::{Duration, Instant};

use crate::apply::{Apply, Event, Outcome, Stopped};
use crate::client::Client;
use crate::model::StackName;
use crate::operator::{end, inventory, records, rendering, snapshot};
use crate::plan::Plan;

use super::arguments::DeleteArguments;
use super::ask::confirm;
use super::connect;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::Stop;
use super::print;
use super::status;

/// How long the tasks of deleted services may take to let go of networks.
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn run(arguments: &DeleteArguments, environment: &Environment) -> Result<Exit, Failure> {
    let stop = Stop::listen();
    let stack =
        StackName::parse(&arguments.stack).map_err(|error| Failure::usage(format!("invalid stack name: {error}")))?;
    let client = connect::manager(environment).await?;
    let Some(mut stored) = records::find(&client, &stack).await? else {
        return Err(Failure::usage_hint(
            format!("stack {stack} has no record, so skep has applied nothing of it"),
            format!("docker stack rm {stack} removes a stack that docker made"),
        ));
    };
    still_declared(&client, &stored).await?;
    if arguments.keep {
        records::forget(&client, &stored).await?;
        print::text(&format!("{stack} is forgotten; what runs, runs on\n"))?;
        return Ok(Exit::Done);
    }
    let deadline = Instant::now() + PATIENCE;
    let mut asked = arguments.yes;
    loop {
        let live = snapshot::take(&client).await?;
        let applied = rendering::applied(&stored.record, &live).map_err(records::Error::from)?.unwrap_or_default();
        let plan = end::plan(&stack, &applied, &live);
        if plan.is_blocked() {
            return Err(protected(&plan));
        }
        if !asked {
            ask(&plan, environment, &stop).await?;
            asked = true;
        }
        if plan.steps.is_empty() {
            records::forget(&client, &stored).await?;
            print::text(&format!("{stack} is deleted\n"))?;
            return Ok(Exit::Done);
        }
        let outcome = carry_out(&client, environment, &stop, &plan).await;
        let mut record = stored.record.clone();
        record.inventory = inventory::of(&outcome.applied);
        stored = records::write(&client, &stored, record).await?;
        match outcome.stopped {
            None => {}
            Some(Stopped::NoPermit) => {
                let left = plan.steps.iter().skip(outcome.written);
                let left: Vec<String> = left.map(|step| format!("{} {}", step.kind, step.name)).collect();
                print::say(&format!("interrupted; not deleted: {}", left.join(", ")));
                return Ok(Exit::Interrupted);
            }
            Some(Stopped::Engine(error)) => return Err(Failure::Client(error)),
            Some(stopped) => return Err(Failure::usage(print::chain(&stopped))),
        }
        let left: Vec<String> =
            outcome.deferred.iter().map(|object| format!("{} {}", object.kind, object.name)).collect();
        if Instant::now() > deadline {
            return Err(Failure::usage_hint(
                format!("still in use: {}", left.join(", ")),
                format!("once nothing uses them, skep delete {stack} ends it"),
            ));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
            () = stop.asked() => {}
        }
    }
}

/// A controller would make it anew as long as git declares it.
async fn still_declared(client: &Client, stored: &records::Stored) -> Result<(), Failure> {
    let record = &stored.record;
    if record.status.reason.starts_with("orphaned") {
        return Ok(());
    }
    match status::leader(client).await? {
        None => Ok(()),
        Some(leader) => Err(Failure::blocked(
            format!(
                "{} still declares stack {}, and the controller {leader} would make it anew",
                record.source, record.stack
            ),
            "take it out of git first; it then shows as orphaned, and can be deleted",
        )),
    }
}

fn protected(plan: &Plan) -> Failure {
    let faults: Vec<&str> = plan.diagnostics.iter().map(|fault| fault.message.as_str()).collect();
    Failure::blocked(
        faults.join("; "),
        format!(
            "take `protect` away in a commit of its own, or forget the stack and leave it running: skep delete --keep {}",
            plan.stack
        ),
    )
}

async fn ask(plan: &Plan, environment: &Environment, stop: &Stop) -> Result<(), Failure> {
    for step in &plan.steps {
        print::say(&format!("  - {} {}", step.kind, step.name));
    }
    let question = match plan.steps.is_empty() {
        true => format!("Nothing of stack {} is left. Delete its record?", plan.stack),
        false => format!("Delete these of stack {}, and its record?", plan.stack),
    };
    confirm(environment, &question, "--yes", stop).await
}

async fn carry_out(client: &Client, environment: &Environment, stop: &Stop, plan: &Plan) -> Outcome {
    let credentials = connect::credentials(environment, None);
    let apply = Apply {
        client,
        credentials: &credentials,
        permit: stop,
        observe: &|event| {
            if let Event::Done(step, _) = event {
                print::say(&format!("deleted {} {}", step.kind, step.name));
            }
        },
    };
    apply.run(plan).await
}
