//! A stack file as it is written: the keys in the order in which a person would write them, each left out where there is
//! nothing to say.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Serialize;

use crate::swarm::Labels;
use crate::yaml::Octal;

/// A whole file.
#[derive(Debug, Default)]
pub(super) struct File {
    pub services: IndexMap<String, Service>,
    pub networks: IndexMap<String, Network>,
    pub volumes: IndexMap<String, Volume>,
    pub configs: IndexMap<String, Content>,
    pub secrets: IndexMap<String, Content>,
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_silent(deploy: &Deploy) -> bool {
    *deploy == Deploy::default()
}

fn is_zero<T: PartialEq + Default>(value: &T) -> bool {
    *value == T::default()
}

/// A service.
#[derive(Debug, Default, Serialize)]
pub(super) struct Service {
    pub image: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group_add: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub environment: IndexMap<String, Option<String>>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Mount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networks: Option<Networks>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_spec: Option<CredentialSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub tty: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub stdin_open: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_grace_period: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_add: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_drop: Vec<String>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub sysctls: Labels,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub ulimits: IndexMap<String, Ulimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_opt: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_hosts: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub isolation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
    #[serde(skip_serializing_if = "is_silent")]
    pub deploy: Deploy,
    #[serde(rename = "x-skep", skip_serializing_if = "Own::is_silent")]
    pub own: Own,
}

/// What is said to skep alone.
#[derive(Debug, Default, Serialize)]
pub(super) struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<String>,
}

impl Own {
    fn is_silent(&self) -> bool {
        self.name.is_none() && self.ignore.is_empty()
    }
}

/// A published port.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Port {
    Short(String),
    Long {
        target: u32,
        #[serde(skip_serializing_if = "is_zero")]
        published: u32,
        #[serde(skip_serializing_if = "String::is_empty")]
        protocol: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        mode: String,
    },
}

/// A mount.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Mount {
    Short(String),
    Long {
        #[serde(rename = "type")]
        kind: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        source: String,
        target: String,
        #[serde(skip_serializing_if = "is_false")]
        read_only: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        bind: Option<Bind>,
        #[serde(skip_serializing_if = "Option::is_none")]
        volume: Option<VolumeMount>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tmpfs: Option<Tmpfs>,
    },
}

/// `bind:` of a mount.
#[derive(Debug, Serialize)]
pub(super) struct Bind {
    pub propagation: String,
}

/// `volume:` of a mount.
#[derive(Debug, Serialize)]
pub(super) struct VolumeMount {
    #[serde(skip_serializing_if = "is_false")]
    pub nocopy: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subpath: String,
}

/// `tmpfs:` of a mount.
#[derive(Debug, Serialize)]
pub(super) struct Tmpfs {
    #[serde(skip_serializing_if = "is_zero")]
    pub size: i64,
}

/// The networks of a service: names alone, or with what is said of each.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Networks {
    Names(Vec<String>),
    Said(IndexMap<String, Option<Attachment>>),
}

/// How a service joins a network.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Attachment {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub driver_opts: Labels,
}

/// A config or secret given to a service.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Reference {
    Short(String),
    Long {
        source: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        uid: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        gid: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mode: Option<Octal>,
    },
}

/// The credentials of a Windows service account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) struct CredentialSpec {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub config: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registry: String,
}

/// A healthcheck.
#[derive(Debug, Default, Serialize)]
pub(super) struct Healthcheck {
    #[serde(skip_serializing_if = "is_false")]
    pub disable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_interval: Option<String>,
}

/// A command line for a shell, or the words of one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Words {
    Line(String),
    List(Vec<String>),
}

/// A resource limit: one number for both, or two.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Ulimit {
    Both(i64),
    Each { soft: i64, hard: i64 },
}

/// A log driver.
#[derive(Debug, Serialize)]
pub(super) struct Logging {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub options: Labels,
}

/// `deploy:`.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Deploy {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub endpoint_mode: String,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_config: Option<UpdateConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_config: Option<UpdateConfig>,
}

/// Where tasks may run.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Placement {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferences: Vec<Spread>,
    #[serde(skip_serializing_if = "is_zero")]
    pub max_replicas_per_node: u64,
}

/// A label to spread tasks over.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub spread: String,
}

/// Limits and reservations.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Resources {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Amounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservations: Option<Amounts>,
}

/// Amounts of what a node has.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Amounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub pids: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub generic_resources: Vec<Generic>,
}

/// So many of a kind.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Generic {
    pub discrete_resource_spec: Discrete,
}

/// So many of a kind.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Discrete {
    pub kind: String,
    pub value: i64,
}

/// What happens when a task ends.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct RestartPolicy {
    pub condition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
}

/// How an update or a rollback rolls.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct UpdateConfig {
    pub parallelism: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub order: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub failure_action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_failure_ratio: Option<f64>,
}

/// A network.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Network {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub external: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub driver_opts: Labels,
    #[serde(skip_serializing_if = "is_false")]
    pub attachable: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub internal: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub enable_ipv6: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipam: Option<Ipam>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

/// Address management of a network.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Ipam {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub options: Labels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<Pool>,
}

/// A pool of addresses.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Pool {
    pub subnet: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ip_range: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gateway: String,
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Volume {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub external: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub driver_opts: Labels,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

/// A config or a secret.
#[derive(Debug, Default, Serialize)]
pub(super) struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub external: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub driver_opts: Labels,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub template_driver: String,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}
