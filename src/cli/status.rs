//! `skep status`: how every stack stands, from the records.

use jiff::Timestamp;

use crate::client::{Api, Client};
use crate::diag::Style;
use crate::health::Health;
use crate::model::Revision;
use crate::operator::record::Record;
use crate::operator::records;
use crate::operator::status::{Document, Held, Stack, Suspended, Swarm};
use crate::runtime::lease;
use crate::swarm::{Config, Node};

use super::arguments::{Output, StatusArguments};
use super::connect;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::print;

pub async fn run(arguments: &StatusArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::manager(environment).await?;
    let mut document = collect(&client).await?;
    if !arguments.stacks.is_empty() {
        for name in &arguments.stacks {
            if !document.stacks.iter().any(|stack| stack.stack == *name) {
                let near = crate::diag::did_you_mean(name, document.stacks.iter().map(|stack| stack.stack.as_str()));
                return Err(Failure::Usage {
                    message: format!("stack {name} has no record: no controller has seen it yet"),
                    hint: near.map(|near| format!("did you mean `{near}`?")),
                });
            }
        }
        document.stacks.retain(|stack| arguments.stacks.contains(&stack.stack));
    }
    match arguments.output {
        Output::Json => print::json(&document)?,
        Output::Text => print::text(&text(&document, environment.style()))?,
    }
    Ok(Exit::Done)
}

/// Reads the records, the lease and the nodes.
///
/// # Errors
/// Those of a read.
pub async fn collect(client: &Client) -> Result<Document, Failure> {
    let now = Timestamp::now();
    let mut stacks = Vec::new();
    for stored in records::list(client).await? {
        match stored {
            Ok(stored) => stacks.push(stack(&stored.record, now)),
            Err(error) => print::say(&format!("skep: {error}")),
        }
    }
    stacks.sort_by(|a, b| a.stack.cmp(&b.stack));
    Ok(Document { format_version: 1, leader: leader(client).await?, stacks, swarm: swarm(client).await? })
}

/// The controller that holds the lease, if one does. One that was killed is named until another takes over.
///
/// # Errors
/// Those of a read.
pub async fn leader(client: &Client) -> Result<Option<String>, Failure> {
    let lease = Api::<Config>::all(client.clone()).find_named(lease::NAME).await?;
    Ok(lease.as_ref().and_then(|config| match lease::Held::of(config).content {
        lease::Content::State(state) if !state.released => Some(state.holder),
        _ => None,
    }))
}

fn stack(record: &Record, now: Timestamp) -> Stack {
    let suspended = record.suspended.as_ref().filter(|_| record.is_suspended(now));
    let mut reason = record.status.reason.clone();
    if let Some(suspended) = suspended {
        reason = format!("suspended by {}: {}", suspended.by, suspended.reason);
    }
    Stack {
        stack: record.stack.to_string(),
        sync: record.status.sync,
        health: if suspended.is_some() { Health::Suspended } else { record.status.health },
        revision: record.status.revision.as_ref().map(ToString::to_string),
        reason,
        source: record.source.clone(),
        held: record.held.as_ref().map(|held| Held {
            revision: held.revision.to_string(),
            since: held.since.to_string(),
            cause: held.cause.clone(),
            logs: held.logs.clone(),
            left: held.left.clone(),
        }),
        suspended: suspended.map(|suspended| Suspended {
            by: suspended.by.clone(),
            reason: suspended.reason.clone(),
            until: suspended.until.map(|until| until.to_string()),
        }),
    }
}

async fn swarm(client: &Client) -> Result<Swarm, Failure> {
    let nodes = Api::<Node>::all(client.clone()).list().await?.items;
    let managers: Vec<_> = nodes.iter().filter_map(|node| node.manager_status.as_ref()).collect();
    let count = managers.len();
    let reachable = managers.iter().filter(|manager| manager.reachability == "reachable").count();
    let majority = count / 2 + 1;
    Ok(Swarm {
        managers: u32::try_from(count).unwrap_or(u32::MAX),
        quorum: reachable >= majority,
        tolerates: u32::try_from(reachable.saturating_sub(majority)).unwrap_or(0),
    })
}

fn text(document: &Document, style: Style) -> String {
    let mut rows = vec![["STACK", "SYNC", "HEALTH", "REVISION", "REASON"].map(str::to_owned)];
    for stack in &document.stacks {
        let revision = stack.revision.as_deref().map_or("-".to_owned(), |id| Revision::new(id).shown());
        rows.push([stack.stack.clone(), word(&stack.sync), word(&stack.health), revision, stack.reason.clone()]);
    }
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let padded = format!("{cell:width$}  ");
            line.push_str(&match (index, column, style) {
                (1.., 1 | 2, Style::Colour) => coloured(cell, &padded),
                _ => padded,
            });
        }
        line.push_str(row.last().map_or("", String::as_str));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if document.stacks.is_empty() {
        out = "no stack has a record yet\n".to_owned();
    }
    for stack in &document.stacks {
        let lines = stack.held.iter().flat_map(|held| &held.logs);
        for (index, line) in lines.enumerate() {
            let head =
                if index == 0 { format!("\n{} failed with these last lines:\n", stack.stack) } else { String::new() };
            out.push_str(&format!("{head}  | {line}\n"));
        }
    }
    let swarm = &document.swarm;
    let leader = document.leader.as_deref().unwrap_or("nobody: no controller runs");
    out.push_str(&format!(
        "\nleader: {leader}\nmanagers: {}, quorum {}, {} more may fail\n",
        swarm.managers,
        if swarm.quorum { "held" } else { "lost" },
        swarm.tolerates
    ));
    out
}

fn coloured(word: &str, padded: &str) -> String {
    let colour = match word {
        "Synced" | "Healthy" => "\x1b[32m",
        "Progressing" | "Suspended" => "\x1b[36m",
        "Unknown" => "\x1b[2m",
        _ => "\x1b[33m",
    };
    format!("{colour}{padded}\x1b[0m")
}

/// The word of an enum as JSON writes it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
