//! What is done when an attempt has failed: what else it wrote goes back, one look at a time, until nothing is left to do.
//!
//! A service in the middle of a rollout is not written, not even now: only when it has come to an end, or its time is up. And
//! each service is taken back once. One that does not come up with its last good version either is left to a person.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::verdict::{Assessed, Progress, Verdict, Wanted, is_rolling, summary};
use crate::client::{Client, Error};
use crate::health;
use crate::model::{Confidential, StackName};
use crate::plan::{self, Applied, Plan};
use crate::swarm::{Live, Service};

/// An attempt that failed.
pub struct Failed<'a> {
    /// The stack.
    pub stack: &'a StackName,
    /// The swarm as it is.
    pub live: &'a Live,
    /// What the attempt has applied.
    pub attempted: &'a Applied,
    /// What last ran well; nothing where nothing ever did.
    pub good: Option<&'a Applied>,
    /// The services that it has written, in that order.
    pub written: &'a [String],
    /// Those of them that are hooks.
    pub hooks: &'a BTreeSet<String>,
    /// Services that were taken back, with their versions before.
    pub tried: &'a BTreeMap<String, u64>,
    /// Whether anything goes back.
    pub may: May,
    /// How long a service may make no progress.
    pub timeout: Duration,
    /// What no output may hold.
    pub confidential: &'a Confidential,
}

/// Whether anything goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// All that can.
    GoBack,
    /// Nothing, and what would have gone back is named.
    StayAfterHook,
    /// Nothing: the stack's setting says so.
    Stay,
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// To look again: why, in a few words.
    Wait(String),
    /// To carry this out, and then to look again.
    Write(Plan),
    /// Nothing: it is over.
    Over(Over),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Over {
    /// What is applied now; nothing where nothing ever ran well.
    pub applied: Option<Applied>,
    /// The services that are back, the last written first.
    pub back: Vec<String>,
    /// What was left, each with its reason.
    pub left: Vec<String>,
}

const AGAIN: &str = "it did not come up with its last good version either";

/// Looks once.
///
/// # Errors
/// Those of a read.
pub async fn look(failed: &Failed<'_>, client: &Client, progress: &Progress) -> Result<Next, Error> {
    let Some(good) = failed.good else { return Ok(Next::Over(Over::default())) };
    let of_plan = plan::Failed {
        stack: failed.stack,
        live: failed.live,
        good,
        attempted: failed.attempted,
        written: failed.written,
        hooks: failed.hooks,
    };
    if failed.may == May::Stay {
        return Ok(Next::Over(Over { applied: Some(plan::remainder(&of_plan)), ..Over::default() }));
    }
    let mut way = plan::retreat(&of_plan);
    let mut left: Vec<String> = way.left.iter().map(|left| reason(&left.service, left.why)).collect();
    if failed.may == May::StayAfterHook {
        left.extend(way.plan.steps.iter().map(|step| reason(&step.name, plan::AFTER_HOOK)));
        return Ok(Next::Over(Over { applied: Some(plan::remainder(&of_plan)), left, ..Over::default() }));
    }
    let is_meant =
        |service: &Service| failed.written.contains(&service.spec.name) && !failed.hooks.contains(&service.spec.name);
    let services: Vec<Wanted<'_>> = failed
        .live
        .services
        .iter()
        .filter(|service| is_meant(service))
        .map(|service| Wanted { service, lost: None })
        .collect();
    let assessed = progress.assess(client, &services, failed.live, failed.timeout, failed.confidential).await?;
    let is_open = |name: &str| {
        let service = failed.live.services.iter().find(|service| service.spec.name == name);
        service.is_some_and(|service| is_rolling(service)) && !is_over(&assessed, name)
    };
    let is_tried = |name: &str| {
        let service = failed.live.services.iter().find(|service| service.spec.name == name);
        let version = failed.tried.get(name);
        version.zip(service).is_some_and(|(version, service)| service.version.index > *version)
    };
    if let Some(step) = way.plan.steps.iter().find(|step| is_open(&step.name)) {
        let waiting = format!("{} is in the middle of a rollout", step.name);
        way.plan.steps.retain(|step| !is_open(&step.name) && !is_tried(&step.name));
        return Ok(if way.plan.steps.is_empty() { Next::Wait(waiting) } else { Next::Write(way.plan) });
    }
    let (tried, steps): (Vec<_>, Vec<_>) = way.plan.steps.into_iter().partition(|step| is_tried(&step.name));
    if !steps.is_empty() {
        way.plan.steps = steps;
        return Ok(Next::Write(way.plan));
    }
    left.extend(tried.iter().map(|step| reason(&step.name, AGAIN)));
    // What Swarm takes back by itself is held already; what went back is waited for.
    let went_back = assessed.iter().filter(|one| failed.tried.contains_key(&one.name));
    if let Verdict::Progressing { waiting } = summary(went_back) {
        return Ok(Next::Wait(waiting));
    }
    let is_back = |name: &&String| failed.tried.contains_key(*name) && !tried.iter().any(|step| step.name == **name);
    let back = failed.written.iter().rev().filter(is_back).cloned().collect();
    let applied = if tried.is_empty() { way.applied } else { plan::remainder(&of_plan) };
    Ok(Next::Over(Over { applied: Some(applied), back, left }))
}

/// Whether a service's rollout has come to an end, or its time is up.
fn is_over(assessed: &[Assessed], name: &str) -> bool {
    assessed
        .iter()
        .find(|one| one.name == name)
        .is_some_and(|one| !matches!(one.verdict, health::Verdict::Progressing { .. }))
}

fn reason(service: &str, why: &str) -> String {
    format!("{service}: {why}")
}

impl Over {
    /// What the history says of it.
    pub fn result(&self) -> &'static str {
        if self.back.is_empty() { "failed" } else { "rolled back" }
    }

    /// What became of the rest, as the end of the sentence that says what failed.
    pub fn words(&self) -> String {
        let mut words = String::new();
        if !self.back.is_empty() {
            words.push_str(&format!("; {} went back with it", self.back.join(", ")));
        }
        if !self.left.is_empty() {
            words.push_str(&format!("; left as it is: {}", self.left.join("; ")));
        }
        words
    }
}
