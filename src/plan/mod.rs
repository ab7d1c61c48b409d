//! Desired × live × last applied → [`Plan`]: what has to be written, what each write costs, and whose change it is.
//!
//! [`plan`] is pure: the same input gives the same plan, and nothing is written by looking. A plan is data. Whoever
//! carries it out takes the [`Step`]s one by one; whoever shows it takes the [`view`].

mod applied;
mod content;
mod correct;
mod cost;
mod diff;
mod draft;
mod extra;
mod feasible;
mod frame;
mod guard;
mod html;
mod ignore;
mod index;
mod lines;
mod list;
mod markdown;
mod mask;
mod network;
mod pointer;
mod policy;
mod prune;
mod reference;
mod report;
mod retreat;
mod seal;
mod service;
mod step;
mod subnet;
mod text;
mod versions;
pub mod view;
mod wave;
mod words;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use applied::{Applied, Content, Object};
pub use feasible::{Answer, Estimate, Facts, Questions};
pub use frame::Frame;
pub use html::{drift_html, plan_html};
pub use lines::Texts;
pub(crate) use markdown::{code as markdown_code, prose as markdown_prose};
pub use markdown::{drift_markdown, plan_markdown};
pub use mask::Mask;
pub use policy::{Contest, Difference, Hooks, OnDrift, Policy, Prune, Share};
pub use reference::{Unfilled, fill_references};
pub(crate) use report::troubled_tasks;
pub use report::{Basis, Found, Problem, Report, Troubled, drift_of, drift_of_files};
pub use retreat::{AFTER_HOOK, Failed, Left, Retreat, found, remainder, retreat};
pub use step::{
    Action, Body, Change, Downtime, Drift, Drifted, Effect, FirstContact, Origin, Plan, Rollout, Step, Sync, Write,
};
pub use text::{Form, Layout, drift_text, plan_text};
pub(crate) use text::{Paint, plural, wrap};

use crate::desired::Desired;
use crate::model::StackName;
use crate::swarm::{Images, Live};
use diff::Base;
use index::Index;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What git says.
    pub desired: &'a Desired,
    /// What the swarm holds: all of it, since absence is concluded from it.
    pub live: &'a Live,
    /// What was last applied, as the record says. Without a record nothing is deleted.
    pub applied: Option<&'a Applied>,
    /// What the last good rendering holds: what it refers to is not deleted.
    pub good: Option<&'a Applied>,
    /// What registries say of the images that git names. What they do not say stays as it runs.
    pub images: &'a Images,
    /// What the plan may do.
    pub policy: &'a Policy,
}

/// Plans what brings one stack from what it is to what git says.
pub fn plan(mut input: Input<'_>) -> Plan {
    if input.policy.direct {
        input.applied = None;
    }
    let sealed = input.applied.filter(|applied| applied.sealed);
    let opened = sealed.and_then(|applied| opened(&input.desired.stack, applied, input.live, Some(input.desired)));
    decide(&Input { applied: opened.as_ref().or(input.applied), ..input })
}

fn decide(input: &Input<'_>) -> Plan {
    let index = Index::new(&input.desired.stack, input.live, input.applied);
    let mut faults = Vec::new();
    guard::externals(input, &index, &mut faults);
    let (networks, joined) = network::resolve(input, &index, &mut faults);
    let (contents, names) = content::resolve(input, &index, &mut faults);
    let mut ignored = Vec::new();
    let services = service::resolve(input, &index, &names, &joined, &mut faults, &mut ignored);
    let mut plan = draft::plan(input, &index, networks.into_iter().chain(contents).chain(services).collect(), faults);
    plan.drift.ignored = ignored;
    plan
}

/// What was applied, with its secret texts where the swarm or git still has them.
fn opened(stack: &StackName, applied: &Applied, live: &Live, desired: Option<&Desired>) -> Option<Applied> {
    let value = |spec: serde_json::Result<Value>| spec.unwrap_or_default();
    let services = live.services.iter().filter(|service| applied.services.contains_key(&service.spec.name));
    let mut known: Vec<Value> = services.map(|service| value(serde_json::to_value(&service.spec))).collect();
    known.extend(live.networks.iter().map(|network| value(serde_json::to_value(&**network))));
    known.extend(live.configs.iter().map(|config| value(serde_json::to_value(&config.spec.labels))));
    known.extend(live.secrets.iter().map(|secret| value(serde_json::to_value(&secret.spec.labels))));
    if let Some(desired) = desired {
        known.extend(desired.services.values().map(|service| value(serde_json::to_value(&service.spec))));
        known.extend(desired.networks.values().map(|it| value(serde_json::to_value(&it.spec))));
        known.extend(desired.configs.values().map(|it| value(serde_json::to_value(&it.spec.labels))));
        known.extend(desired.secrets.values().map(|it| value(serde_json::to_value(&it.spec.labels))));
    }
    applied.opened(stack, known.iter())
}

/// Whether all that differs is drift, which by itself is no reason to write.
fn is_drift_alone(changes: &[Change]) -> bool {
    !changes.is_empty() && changes.iter().all(|change| change.origin == Origin::Drift)
}

/// What a field is compared with to tell whose a difference is. Of an object that the record does not know, nobody can.
fn base(applied: Option<&Value>) -> Base<'_> {
    applied.map_or(Base::Unknown, |applied| Base::Applied(Some(applied)))
}
