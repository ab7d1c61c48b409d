//! `skep.yaml`: what a source declares.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::stack::StackSettings;
use crate::diag::Span;

/// `skep.yaml`, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "skep.yaml")]
pub struct Fleet {
    /// The format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The cluster this is for. Must be the controller's name for its swarm, or nothing is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Settings for all stacks.
    #[serde(default)]
    pub defaults: StackSettings,
    /// Variables for all stacks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Scalar>")]
    pub variables: BTreeMap<String, String>,
    /// The stacks.
    #[serde(default)]
    pub stacks: Vec<StackEntry>,
}

/// One entry of `stacks`: a pattern that finds stacks, or one stack by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StackEntry {
    /// Every directory that matches is a stack of the directory's name, if it holds the first of `files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discover: Option<String>,
    /// The name of one stack. Exactly one of `discover` and `name` is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The stack's files, later ones override; `?` before one takes it only if it is there. With `discover` they lie in
    /// the directory, otherwise beside skep.yaml. [default: compose.yaml, compose.yml, docker-compose.yml or
    /// docker-stack.yml, the first that is there]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Files of `NAME=value` lines with variables for these stacks; `?` as with `files`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_files: Vec<String>,
    /// Stacks that are deployed before this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// A repository of the stack's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// The branch, tag or commit of that repository [default: HEAD].
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Settings of these stacks.
    #[serde(flatten)]
    pub settings: StackSettings,
    /// Where the entry stands.
    #[serde(skip)]
    #[schemars(skip)]
    pub span: Option<Span>,
}

/// A variable's value as it may be written; numbers and booleans become text.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it stands for a shape in the schema and never for a value")]
enum Scalar {
    Text(String),
    Number(f64),
    Boolean(bool),
}
