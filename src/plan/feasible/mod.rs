//! Whether what a plan starts would run: an estimate, by the nodes as they are and by what registries say.
//!
//! [`super::plan`] needs three lists and no more. What is asked beyond them is asked only for a plan that starts tasks: its
//! [`Questions`] say what, somebody else asks, and an [`Estimate`] is made from the [`Facts`]. The scheduler's own rules are
//! followed: which nodes are ready, constraints, platforms, reservations, ports in host mode, replicas a node.

mod fit;
mod image;
mod place;
pub(super) mod port;
mod rollout;
mod room;
mod start;
mod volume;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Desired;
use crate::diag::{Diagnostic, code};
use crate::plan::Plan;
use crate::swarm::{Live, Tenant};
use room::House;
use start::Start;

/// What has to be asked before a plan can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Questions {
    /// Whether it starts tasks, so that those that are there count.
    pub tasks: bool,
    /// Images that no service of it ran before.
    pub images: BTreeSet<String>,
}

impl Questions {
    /// Those of a plan.
    pub fn of(plan: &Plan, live: &Live) -> Self {
        let starts: Vec<Start<'_>> = starts(plan, live).collect();
        let images = starts.iter().filter(|start| start.has_new_image()).filter_map(Start::image);
        Self {
            tasks: !starts.is_empty(),
            images: images.filter(|image| !image.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// Those of several plans.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.tasks |= other.tasks;
        self.images.extend(other.images);
        self
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// All tasks; or why they could not be listed.
    pub tasks: Result<Vec<Tenant>, String>,
    /// What registries say of images. Of one that is not in here nobody was asked.
    pub images: BTreeMap<String, Answer>,
}

/// What a registry says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has it.
    Found {
        /// For these platforms, as (operating system, architecture).
        platforms: Vec<(String, String)>,
    },
    /// It has none of that name, tag or digest.
    Missing,
    /// It does not tell these credentials.
    Denied,
    /// It did not answer, or not in time.
    Unknown {
        /// Why, in a few words.
        why: String,
    },
}

/// The nodes as the plans that were looked at so far would leave them.
#[derive(Debug, Clone)]
pub struct Estimate<'a> {
    live: &'a Live,
    facts: &'a Facts,
    house: House<'a>,
}

impl<'a> Estimate<'a> {
    /// Before any plan.
    pub fn new(live: &'a Live, facts: &'a Facts) -> Self {
        let tenants = facts.tasks.as_deref().unwrap_or_default();
        Self { live, facts, house: House::new(live, tenants) }
    }

    /// What keeps the tasks that a plan starts from running, service by service in its order: what an earlier one takes, a
    /// later one does not have. What it deletes goes last, and frees nothing in time.
    pub fn of(&mut self, plan: &Plan, desired: &Desired) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let starts: Vec<Start<'_>> = starts(plan, self.live).collect();
        for start in &starts {
            let Some(service) = desired.services.get(start.name) else { continue };
            let key = service.key.as_str();
            let mut faults = Vec::new();
            faults.extend(image::check(start, key, &self.house, self.facts));
            if self.facts.tasks.is_ok() {
                faults.extend(volume::check(start, key, &self.house, desired));
                let shortage = rollout::simulate(&mut self.house, start);
                faults.extend(shortage.map(|shortage| words::explain(&shortage, key)));
            }
            found.extend(faults.into_iter().map(|fault| fault.at(service.span)));
        }
        if let Err(why) = &self.facts.tasks
            && !starts.is_empty()
        {
            let message = format!("not checked: whether the tasks would find a node ({why})");
            found.push(Diagnostic::note(code::NOT_CHECKED, message));
        }
        found.extend(image::unknown(starts.iter().filter_map(Start::image), self.facts));
        found
    }
}

/// The steps that start tasks. A service that is written in two waves is looked at once: both want the same of a node.
fn starts<'a>(plan: &'a Plan, live: &'a Live) -> impl Iterator<Item = Start<'a>> {
    let mut seen = BTreeSet::new();
    plan.steps.iter().filter_map(|step| Start::of(step, live)).filter(move |start| seen.insert(start.name))
}
