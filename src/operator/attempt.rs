//! An attempt to apply something, as its record holds it: what was begun, which hooks have run, what failed.
//!
//! It is written before the first write, so a crash leaves it behind, and what it says together with what the swarm shows is
//! enough for whoever comes next: a hook that has run shows a later run than the attempt remembers, a rollout that failed shows
//! another beginning than the failures that were there before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::Applied;
use super::verdict::{PAUSED, ROLLED_BACK, Trouble};
use crate::model::{Digest, Revision};
use crate::plan::{Hooks, Plan};
use crate::swarm::{Live, Service};

/// An attempt to apply something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The lease's term of whoever tries. A lower term than the recorded one stops.
    pub term: u64,
    /// The revision.
    pub revision: Revision,
    /// What was wanted.
    pub digest: Digest,
    /// When, by the writer's clock: shown, never subtracted from.
    pub at: Timestamp,
    /// Whether every write of a wave was made and its verdict is out.
    #[serde(default)]
    pub written: bool,
    /// Whether it only brings back what was applied before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub correction: bool,
    /// The services that it writes, in that order: what the engine says of their rollouts, it says of this attempt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Rollouts that the engine had given up before this began, by service: when each of them had begun, in the engine's
    /// words. They are not this attempt's failures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stale: BTreeMap<String, String>,
    /// The hooks that it runs, by service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hooks: BTreeMap<String, HookRun>,
    /// What was applied before: what is applied again once the engine has gone back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Applied>,
    /// What failed of it, while what else it has written is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

/// A hook that an attempt runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HookRun {
    /// The job's run before this attempt wrote it; nothing where there was no such service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Whether it has ended well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
}

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// Why, in a sentence.
    pub cause: String,
    /// The last lines of the task that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<String>,
    /// The services that are taken back, with their versions before: each once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub back: BTreeMap<String, u64>,
}

impl Attempt {
    /// An attempt that is about to begin with a plan.
    pub fn new(term: u64, revision: Revision, digest: Digest, plan: &Plan, live: &Live) -> Self {
        let services: Vec<&str> = plan.services().collect();
        Self {
            term,
            revision,
            digest,
            at: Timestamp::now(),
            written: false,
            correction: false,
            stale: stale(&services, live),
            services: services.into_iter().map(str::to_owned).collect(),
            hooks: BTreeMap::new(),
            previous: None,
            failed: None,
        }
    }

    /// Takes up what an earlier attempt at the same has begun.
    pub(super) fn go_on_from(&mut self, earlier: Attempt) {
        let known = self.services.clone();
        self.services.extend(earlier.services.into_iter().filter(|name| !known.contains(name)));
        self.stale = earlier.stale;
        self.hooks = earlier.hooks;
        self.previous = earlier.previous;
    }

    /// Remembers of each hook that is about to be written which run of it was the last.
    pub fn note_hooks(&mut self, plan: &Plan, live: &Live) {
        for step in plan.first_wave().iter().filter(|step| step.hook.is_some()) {
            let before =
                live.services.iter().find(|service| service.spec.name == step.name).map(|service| run(service));
            self.hooks.entry(step.name.clone()).or_insert(HookRun { before, done: false });
        }
    }

    /// Remembers that the hooks which have begun have ended well.
    pub fn hooks_are_done(&mut self, live: &Live) {
        let begun = self.begun(live);
        for (_, run) in self.hooks.iter_mut().filter(|(name, _)| begun.contains(*name)) {
            run.done = true;
        }
    }

    /// How far its hooks are, for a plan.
    pub fn hooks(&self, live: &Live) -> Hooks {
        Hooks {
            are_due: !self.correction && self.failed.is_none(),
            has_failed: self.failed.is_some(),
            unwatched: false,
            ran: self.begun(live),
        }
    }

    /// The hooks that it has run, or has begun to.
    fn begun(&self, live: &Live) -> BTreeSet<String> {
        let has_begun = |(name, hook): &(&String, &HookRun)| {
            let service = live.services.iter().find(|service| service.spec.name == **name);
            hook.done || service.is_some_and(|service| hook.before.is_none_or(|before| run(service) > before))
        };
        self.hooks.iter().filter(has_begun).map(|(name, _)| name.clone()).collect()
    }

    /// The service that the engine gave up on in this attempt, or went back on.
    pub fn failure(&self, live: &Live) -> Option<Trouble> {
        self.services.iter().find_map(|name| {
            let service = live.services.iter().find(|service| service.spec.name == *name)?;
            let (begun, found) = given_up(service)?;
            (self.stale.get(name) != Some(&begun)).then_some(found)
        })
    }

    /// Takes up what else it writes.
    pub fn extend(&mut self, plan: &Plan, live: &Live) {
        let more: Vec<&str> = plan.services().filter(|name| !self.services.iter().any(|known| known == name)).collect();
        self.stale.extend(stale(&more, live));
        self.services.extend(more.into_iter().map(str::to_owned));
    }
}

/// The number of a job's run.
fn run(service: &Service) -> u64 {
    service.job_status.as_ref().map_or(0, |status| status.job_iteration.index)
}

fn stale(names: &[&str], live: &Live) -> BTreeMap<String, String> {
    let written = live.services.iter().filter(|service| names.contains(&service.spec.name.as_str()));
    written.filter_map(|service| Some((service.spec.name.clone(), given_up(service)?.0))).collect()
}

/// What the engine has given up or gone back on, and when that rollout had begun.
fn given_up(service: &Service) -> Option<(String, Trouble)> {
    let status = service.update_status.as_ref()?;
    let what = match status.state.as_str() {
        "paused" => PAUSED,
        "rollback_started" | "rollback_paused" | "rollback_completed" => ROLLED_BACK,
        _ => return None,
    };
    let (service, reason) = (service.spec.name.clone(), status.message.clone());
    Some((status.started_at.clone().unwrap_or_default(), Trouble { service, what, reason }))
}
