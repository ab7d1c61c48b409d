//! `skep delete STACK`: the end of a stack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::apply::{Always, Apply, Stopped};
use crate::model::StackName;
use crate::operator::{end, inventory, records, rendering, snapshot};
use crate::plan::Applied;
use crate::swarm::Live;

use super::arguments::DeleteArguments;
use super::ask::confirm;
use super::connect;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::print;

/// How long the tasks of deleted services may take to let go of networks.
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn run(arguments: &DeleteArguments, environment: &Environment) -> Result<Exit, Failure> {
    let stack = StackName::parse(&arguments.stack).map_err(|error| Failure::usage(error.to_string()))?;
    let client = connect::manager(environment).await?;
    let Some(stored) = records::find(&client, &stack).await? else {
        return Err(Failure::usage_hint(
            format!("stack {stack} has no record, so skep has applied nothing of it"),
            format!("docker stack rm {stack} removes a stack that docker made"),
        ));
    };
    if arguments.keep {
        records::forget(&client, &stored).await?;
        print::text(&format!("{stack} is forgotten; what runs, runs on\n"))?;
        return Ok(Exit::Done);
    }
    let credentials = connect::credentials(environment, None);
    let deadline = Instant::now() + PATIENCE;
    let mut stored = stored;
    let mut asked = arguments.yes;
    loop {
        let live = snapshot::take(&client).await?;
        let plan = end::plan(&stack, &applied(&stored, &live)?, &live);
        if plan.steps.is_empty() {
            records::forget(&client, &stored).await?;
            print::text(&format!("{stack} is deleted\n"))?;
            return Ok(Exit::Done);
        }
        if !asked {
            for step in &plan.steps {
                print::say(&format!("  - {} {}", step.kind, step.name));
            }
            confirm(environment, &format!("Delete these of stack {stack}?"), "--yes")?;
            asked = true;
        }
        let apply = Apply {
            client: &client,
            credentials: &credentials,
            permit: &Always,
            observe: &|event| {
                if let crate::apply::Event::Done(step, _) = event {
                    print::say(&format!("deleted {} {}", step.kind, step.name));
                }
            },
        };
        let outcome = apply.run(&plan).await;
        let mut record = stored.record.clone();
        record.inventory = inventory::of(&outcome.applied);
        stored = records::write(&client, &stored, record).await?;
        match outcome.stopped {
            None => {}
            Some(Stopped::Engine(error)) => return Err(Failure::Client(error)),
            Some(stopped) => return Err(Failure::usage(stopped.to_string())),
        }
        if Instant::now() > deadline {
            let left: Vec<String> =
                outcome.deferred.iter().map(|object| format!("{} {}", object.kind, object.name)).collect();
            return Err(Failure::usage_hint(
                format!("still in use: {}", left.join(", ")),
                format!("once nothing uses them, skep delete {stack} ends it"),
            ));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What a record says was applied.
pub fn applied(stored: &records::Stored, live: &Live) -> Result<Applied, Failure> {
    let name = stored.record.applied.as_ref().map(|applied| applied.rendering.as_str());
    let config = name.and_then(|name| live.configs.iter().find(|config| config.spec.name == name));
    let mut applied = match config.map(Arc::as_ref) {
        Some(config) => rendering::from_config(config).map_err(records::Error::from)?,
        None => Applied::default(),
    };
    applied.inventory = inventory::objects(&stored.record.inventory);
    Ok(applied)
}
