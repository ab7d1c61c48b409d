//! The audit as machines read it; text and Markdown are printed from it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::updates;
use crate::diag::{Severity, code};
use crate::model::Kind;
use crate::plan::plural;

/// The version of the format. What is added leaves it as it is; what changes or goes raises it.
pub const FORMAT_VERSION: u32 = 1;

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The version of this format.
    pub format_version: u32,
    /// All of it in one line.
    pub headline: String,
    /// What was found, by section.
    pub findings: Vec<Found>,
    /// What could not be looked at, and why.
    pub not_checked: Vec<String>,
    /// The sums.
    pub summary: Summary,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// What it is about.
    pub section: Section,
    /// The stable code.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The kind of the object; null where it is the swarm itself.
    pub kind: Option<Kind>,
    /// The object's name; empty where it is the swarm itself.
    pub name: String,
    /// The stack whose label it carries.
    pub stack: Option<String>,
    /// What is to be said of it, without its name.
    pub message: String,
    /// What to do about it.
    pub hints: Vec<String>,
}

/// What findings are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// Updates to come that would drop requests.
    Updates,
    /// Tasks that fail, or find no node.
    Tasks,
    /// Updates that were, and what they left behind.
    Rollouts,
    /// Tags that moved, and images without a digest.
    Images,
    /// Who else writes.
    Writers,
    /// Configs and secrets that nothing uses.
    Leftovers,
    /// Nodes and managers.
    Nodes,
}

impl Section {
    /// What stands above it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Section::Updates => "Updates that lose requests",
            Section::Tasks => "Tasks that do not run",
            Section::Rollouts => "Rollouts",
            Section::Images => "Images",
            Section::Writers => "Who else writes",
            Section::Leftovers => "Leftovers",
            Section::Nodes => "Nodes",
        }
    }
}

/// The sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Services that were looked at.
    pub services: usize,
    /// Nodes of the swarm.
    pub nodes: usize,
    /// Services that lose requests at every update.
    pub losing: usize,
    /// Services whose tag points to another image by now.
    pub moved_tags: usize,
    /// Services whose last update left nothing to go back to.
    pub lost_targets: usize,
    /// Services with tasks that fail, or find no node.
    pub failing: usize,
    /// Configs and secrets that nothing uses.
    pub unused: usize,
}

impl Document {
    pub(super) fn new(services: usize, nodes: usize, findings: Vec<Found>, not_checked: Vec<String>) -> Self {
        let named = |is: &dyn Fn(&Found) -> bool| {
            let names: BTreeSet<(Option<Kind>, &str)> =
                findings.iter().filter(|found| is(found)).map(|found| (found.kind, found.name.as_str())).collect();
            names.len()
        };
        let summary = Summary {
            services,
            nodes,
            losing: named(&updates::loses_always),
            moved_tags: named(&|found| found.code == code::IMAGE_MOVED),
            lost_targets: named(&|found| found.code == code::TARGET_LOST),
            failing: named(&|found| found.section == Section::Tasks),
            unused: named(&|found| found.code == code::UNUSED),
        };
        Self { format_version: FORMAT_VERSION, headline: summary.line(findings.len()), findings, not_checked, summary }
    }

    /// Whether anything was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Summary {
    /// The line that a person would post.
    fn line(self, findings: usize) -> String {
        let count = |number: usize, noun: &str| plural(number as u64, noun);
        let parts = [
            (self.losing, format!("{} {} requests at every update", self.losing, verb(self.losing, "loses", "lose"))),
            (self.failing, format!("{} failing", count(self.failing, "service"))),
            (self.moved_tags, format!("{} moved", count(self.moved_tags, "tag"))),
            (self.lost_targets, format!("{} lost", count(self.lost_targets, "rollback target"))),
            (self.unused, format!("{} unused", plural_of(self.unused, "config or secret", "configs and secrets"))),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words).collect();
        let what = match (parts.is_empty(), findings) {
            (false, _) => parts.join(", "),
            (true, 0) => "nothing to complain of".to_owned(),
            (true, _) => count(findings, "finding"),
        };
        format!("{} on {}: {what}", count(self.services, "service"), count(self.nodes, "node"))
    }
}

fn verb(number: usize, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

fn plural_of(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
