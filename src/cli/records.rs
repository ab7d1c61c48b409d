//! `skep suspend`, `resume`, `retry` and `sync`: a person's word, written into records. They need no controller; one that
//! runs sees the record change and acts on it.

use std::time::Duration;

use jiff::Timestamp;

use crate::client::Client;
use crate::model::StackName;
use crate::operator::record::{Record, Suspended};
use crate::operator::records;

use super::arguments::{StacksArguments, SuspendArguments, SyncArguments};
use super::connect;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::print;

pub async fn suspend(arguments: &SuspendArguments, environment: &Environment) -> Result<Exit, Failure> {
    let until = match &arguments.duration {
        Some(text) => Some(Timestamp::now() + duration(text)?),
        None => None,
    };
    let suspended =
        Suspended { by: environment.who(), reason: arguments.reason.clone(), since: Timestamp::now(), until };
    let client = connect::manager(environment).await?;
    change(&client, &arguments.stacks, "suspended", |record| record.suspended = Some(suspended.clone())).await
}

pub async fn resume(arguments: &StacksArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::manager(environment).await?;
    change(&client, arguments, "resumed", |record| record.suspended = None).await
}

pub async fn retry(arguments: &StacksArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::manager(environment).await?;
    let now = Timestamp::now();
    change(&client, arguments, "will be tried again", |record| {
        record.held = None;
        record.attempt = None;
        record.approved = Some(now);
    })
    .await
}

pub async fn sync(arguments: &SyncArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::manager(environment).await?;
    for stack in &names(&client, &arguments.stacks).await? {
        let held = records::find(&client, stack).await?.and_then(|stored| stored.record.held);
        if let Some(held) = held {
            return Err(Failure::blocked(
                format!("stack {stack} is held since {}: {}", held.since, held.cause),
                format!("when the cause is gone: skep retry {stack}"),
            ));
        }
    }
    let now = Timestamp::now();
    change(&client, &arguments.stacks, "will be applied", |record| {
        record.approved = Some(now);
        record.deletions_approved = arguments.allow_delete;
        record.resolve_now = arguments.resolve;
    })
    .await
}

async fn change(
    client: &Client,
    arguments: &StacksArguments,
    done: &str,
    change: impl Fn(&mut Record),
) -> Result<Exit, Failure> {
    let stacks = names(client, arguments).await?;
    if stacks.is_empty() {
        print::say("no stack has a record yet");
        return Ok(Exit::Done);
    }
    for stack in &stacks {
        match records::change(client, stack, &change).await? {
            Some(_) => print::text(&format!("{stack} {done}\n"))?,
            None => return Err(no_record(stack)),
        }
    }
    Ok(Exit::Done)
}

/// The stacks that are meant. All of them are known before the first is changed.
async fn names(client: &Client, arguments: &StacksArguments) -> Result<Vec<StackName>, Failure> {
    let mut known = Vec::new();
    for stored in records::list(client).await? {
        match stored {
            Ok(stored) => known.push(stored.record.stack),
            Err(error) => print::say(&format!("skep: {error}")),
        }
    }
    if arguments.all {
        return Ok(known);
    }
    let mut names = Vec::new();
    for text in &arguments.stacks {
        match known.iter().find(|stack| stack.as_str() == text) {
            Some(stack) => names.push(stack.clone()),
            None => {
                let near = crate::diag::did_you_mean(text, known.iter().map(StackName::as_str));
                return Err(Failure::Usage {
                    message: format!("stack {text} has no record: no controller has seen it yet"),
                    hint: near.map(|near| format!("did you mean `{near}`?")),
                });
            }
        }
    }
    Ok(names)
}

fn no_record(stack: &StackName) -> Failure {
    Failure::usage(format!("stack {stack} has no record: no controller has seen it yet"))
}

/// A duration as people type it: `90s`, `2h`, `1h30m`.
pub fn duration(text: &str) -> Result<Duration, Failure> {
    let nanoseconds = crate::yaml::parse_duration(text).and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    match nanoseconds {
        Some(nanoseconds) if nanoseconds > 0 => Ok(Duration::from_nanos(nanoseconds)),
        _ => Err(Failure::usage(format!("`{text}` is no duration; say 90s, 10m or 2h"))),
    }
}
