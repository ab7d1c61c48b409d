//! What `skep status` shows: its JSON form. The table is printed from it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::health::Health;
use crate::plan::Sync;

/// `skep status -o json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "skep status")]
pub struct Document {
    /// The version of this format.
    pub format_version: u32,
    /// The instance that writes, if any.
    pub leader: Option<String>,
    /// Every stack with a record, by name.
    pub stacks: Vec<Stack>,
    /// The swarm's managers.
    pub swarm: Swarm,
}

/// One stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// Its name.
    pub stack: String,
    /// Whether the swarm is as git says.
    pub sync: Sync,
    /// Whether what runs, runs well.
    pub health: Health,
    /// The revision that this is about.
    pub revision: Option<String>,
    /// Why.
    pub reason: String,
    /// The source that declares it.
    pub source: String,
    /// What failed and is not tried again.
    pub held: Option<Held>,
    /// The brake.
    pub suspended: Option<Suspended>,
}

/// What failed and is not tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The revision that failed.
    pub revision: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// Why.
    pub cause: String,
    /// The last lines of the task that failed.
    pub logs: Vec<String>,
    /// What of the attempt was left as it was, each with its reason.
    pub left: Vec<String>,
}

/// The brake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suspended {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when, RFC 3339; null is until somebody resumes it.
    pub until: Option<String>,
}

/// The swarm's managers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Swarm {
    /// How many there are.
    pub managers: u32,
    /// Whether enough of them can be reached.
    pub quorum: bool,
    /// How many more may fail.
    pub tolerates: u32,
}
