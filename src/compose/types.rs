//! A stack as its files say it: parsed, interpolated, merged and checked, in one normal form. Short forms are expanded and
//! every value that a diagnostic may have to name keeps its place. Lowering to swarm objects is `desired`'s.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Accepted, Own};
use crate::diag::Span;
use crate::model::Confidential;

/// A value and where it was written: the file and line that contributed it, after interpolation and merging too.
#[derive(Debug, Clone, Copy)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands. `None` for what no file says.
    pub span: Option<Span>,
}

impl<T> At<T> {
    /// A value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span: Some(span) }
    }

    /// A value that no file says.
    pub fn silent(value: T) -> Self {
        Self { value, span: None }
    }
}

/// Two values are equal wherever they stand.
impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Default> Default for At<T> {
    fn default() -> Self {
        Self::silent(T::default())
    }
}

/// Keys with values that may be absent (`NAME` alone in a list, `NAME:` in a mapping), in the file's order.
pub type Pairs = IndexMap<String, Option<String>>;

/// One stack.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Compose {
    /// The file's own `name:`.
    pub name: Option<At<String>>,
    /// The services, by key.
    pub services: BTreeMap<String, At<Service>>,
    /// The networks that `networks:` defines, by key.
    pub networks: BTreeMap<String, At<Network>>,
    /// The volumes, by key.
    pub volumes: BTreeMap<String, At<Volume>>,
    /// The configs, by key.
    pub configs: BTreeMap<String, At<FileObject>>,
    /// The secrets, by key.
    pub secrets: BTreeMap<String, At<FileObject>>,
    /// What the file says to skep alone, of the whole stack.
    pub own: Own,
    /// The warnings that the files accept.
    pub accepted: Accepted,
    /// Texts that came out of encrypted files: no output may hold them.
    pub confidential: Confidential,
}

/// One service. An absent field was not said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    /// The image as written.
    pub image: Option<At<String>>,
    /// Arguments; a text form is already split as a shell would.
    pub command: Option<At<Vec<String>>>,
    /// The entrypoint, likewise.
    pub entrypoint: Option<At<Vec<String>>>,
    /// `env_file` and `environment` together, resolved; a name without a value removes the variable from the image's.
    pub environment: Pairs,
    /// Container labels; a key without a value has an empty one.
    pub labels: BTreeMap<String, String>,
    /// Host name.
    pub hostname: Option<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Stop signal.
    pub stop_signal: Option<String>,
    /// Nanoseconds until a stopping task is killed.
    pub stop_grace_period: Option<i64>,
    /// Whether a terminal is attached.
    pub tty: bool,
    /// Whether standard input stays open.
    pub stdin_open: bool,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Whether an init process runs.
    pub init: Option<bool>,
    /// Isolation technology.
    pub isolation: Option<String>,
    /// `host:ip` lines as (host, ip), in order; of the mapping form sorted by `host:ip`.
    pub extra_hosts: Vec<(String, String)>,
    /// Name servers. `Some` and empty is said (`dns: []`) and counts: the engine is sent an empty `DNSConfig`.
    pub dns: Option<Vec<String>>,
    /// Search domains, likewise.
    pub dns_search: Option<Vec<String>>,
    /// Options of the resolver, likewise.
    pub dns_opt: Option<Vec<String>>,
    /// Groups that its user is in besides.
    pub group_add: Vec<String>,
    /// The credentials of a Windows service account.
    pub credential_spec: Option<At<CredentialSpec>>,
    /// Kernel parameters.
    pub sysctls: BTreeMap<String, String>,
    /// Capabilities added, as written.
    pub cap_add: Vec<String>,
    /// Capabilities taken away, as written.
    pub cap_drop: Vec<String>,
    /// Resource limits by name.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// The healthcheck.
    pub healthcheck: Option<At<Healthcheck>>,
    /// The log driver.
    pub logging: Option<At<Logging>>,
    /// Published ports, ranges expanded.
    pub ports: Vec<At<Port>>,
    /// Mounts.
    pub volumes: Vec<At<Mount>>,
    /// Networks joined, by key. Empty is `default`.
    pub networks: IndexMap<String, At<ServiceNetwork>>,
    /// Configs given to it.
    pub configs: Vec<At<FileReference>>,
    /// Secrets given to it.
    pub secrets: Vec<At<FileReference>>,
    /// `restart:`, which `docker stack deploy` honours where `deploy.restart_policy` is silent.
    pub restart: Option<At<String>>,
    /// Services this one waits for.
    pub depends_on: Vec<At<Dependency>>,
    /// `deploy:`.
    pub deploy: Deploy,
    /// What the file says to skep alone.
    pub own: Own,
}

/// A service that another waits for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependency {
    /// Its key.
    pub service: String,
    /// What it must have come to.
    pub condition: Condition,
    /// Whether it must be there at all.
    pub optional: bool,
}

/// What a service that another waits for must have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// Its tasks run. A task with a healthcheck runs once it is healthy.
    #[default]
    Started,
    /// Its tasks are healthy.
    Healthy,
    /// It is a job, and has ended well.
    Completed,
}

/// Where the credentials of a Windows service account come from: one of three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSpec {
    /// A config of the stack, by its key.
    Config(String),
    /// A file of the node, below its engine's directory of credential specs.
    File(String),
    /// A value of the node's registry.
    Registry(String),
}

/// A soft and a hard limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ulimit {
    /// The soft limit.
    pub soft: i64,
    /// The hard limit.
    pub hard: i64,
}

/// A healthcheck; durations in nanoseconds. `healthcheck: {}` is said and empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Healthcheck {
    /// Whether the image's check is turned off.
    pub disable: bool,
    /// The test; a text form is already `["CMD-SHELL", text]`.
    pub test: Vec<String>,
    /// Between probes.
    pub interval: Option<i64>,
    /// For one probe.
    pub timeout: Option<i64>,
    /// In which failures do not count.
    pub start_period: Option<i64>,
    /// Between probes in the start period.
    pub start_interval: Option<i64>,
    /// Failures in a row until unhealthy.
    pub retries: Option<u64>,
}

/// A log driver. `logging: {}` is said and empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logging {
    /// The driver.
    pub driver: Option<String>,
    /// Its options.
    pub options: BTreeMap<String, String>,
}

/// One published port. Empty text where the file is silent: the engine fills in `tcp` and `ingress`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Port {
    /// The container's port.
    pub target: u32,
    /// The node's port; 0 lets the engine choose.
    pub published: u32,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// `ingress` or `host`.
    pub mode: String,
}

/// One mount, of the short or the long form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mount {
    /// `volume`, `bind`, `tmpfs`, `npipe` or `cluster`.
    pub kind: String,
    /// A volume's key, or a path; a relative bind source is already joined to its directory in direct mode.
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// `consistency`, sent and forgotten by the engine.
    pub consistency: String,
    /// `bind:`, if it was said: its propagation.
    pub bind: Option<BindOptions>,
    /// `volume:`, if it was said.
    pub volume: Option<VolumeOptions>,
    /// `tmpfs:`, if it was said: its size in bytes, 0 where silent.
    pub tmpfs: Option<i64>,
}

/// `bind:` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BindOptions {
    /// As `rprivate`.
    pub propagation: String,
}

/// `volume:` of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeOptions {
    /// Whether the image's content is not copied.
    pub nocopy: bool,
    /// A path inside the volume.
    pub subpath: String,
}

/// How a service joins a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceNetwork {
    /// Further names, in the file's order.
    pub aliases: Vec<String>,
    /// Options of the attachment.
    pub driver_opts: BTreeMap<String, String>,
}

/// A reference to a config or secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileReference {
    /// The key in `configs:` or `secrets:`.
    pub source: String,
    /// The path in the container; the key where silent.
    pub target: Option<String>,
    /// Its owner.
    pub uid: Option<String>,
    /// Its group.
    pub gid: Option<String>,
    /// Its mode as a number (0444 is 292).
    pub mode: Option<u32>,
}

/// A top-level network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network {
    /// A name of its own, instead of `<stack>_<key>`.
    pub name: Option<String>,
    /// Whether somebody else makes it.
    pub external: bool,
    /// The driver.
    pub driver: Option<String>,
    /// Its options.
    pub driver_opts: BTreeMap<String, String>,
    /// Whether it has no way out.
    pub internal: bool,
    /// Whether plain containers may join.
    pub attachable: bool,
    /// Whether tasks have IPv6 addresses too.
    pub enable_ipv6: bool,
    /// Address management, if it was said.
    pub ipam: Option<Ipam>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What the file says to skep alone.
    pub own: Own,
}

/// Address management of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ipam {
    /// The driver.
    pub driver: Option<String>,
    /// The driver's options.
    pub options: BTreeMap<String, String>,
    /// The pools that addresses come from, in order.
    pub pools: Vec<Pool>,
}

/// A pool of addresses. Empty text where the file is silent: the engine chooses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pool {
    /// The subnet in CIDR form.
    pub subnet: String,
    /// The part of it that tasks get addresses from, in CIDR form.
    pub ip_range: String,
    /// The address of the gateway.
    pub gateway: String,
}

/// A top-level volume.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Volume {
    /// A name of its own, instead of `<stack>_<key>`.
    pub name: Option<String>,
    /// Whether somebody else makes it.
    pub external: bool,
    /// The driver.
    pub driver: Option<String>,
    /// Its options.
    pub driver_opts: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What the file says to skep alone.
    pub own: Own,
}

/// A top-level config or secret.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileObject {
    /// A name of its own, instead of `<stack>_<key>`.
    pub name: Option<String>,
    /// Whether somebody else makes it.
    pub external: bool,
    /// The last part of the path of its file, if a file has its content: doco-cd names the object after it.
    pub file: Option<String>,
    /// Its content, already read. `None` when external, or when a driver provides it.
    pub content: Option<crate::model::Secret<Vec<u8>>>,
    /// Whether the content came out of an encrypted file, or holds a value that did: a config is then shown like a secret.
    pub confidential: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The template driver.
    pub template_driver: Option<String>,
    /// A secret store.
    pub driver: Option<String>,
    /// Its options.
    pub driver_opts: BTreeMap<String, String>,
    /// What the file says to skep alone.
    pub own: Own,
}

/// `deploy:`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Deploy {
    /// `replicated`, `global`, `replicated-job` or `global-job`.
    pub mode: Option<At<String>>,
    /// How many; absent leaves the live number alone.
    pub replicas: Option<At<u64>>,
    /// Labels of the service.
    pub labels: BTreeMap<String, String>,
    /// `vip` or `dnsrr`.
    pub endpoint_mode: Option<String>,
    /// How an update rolls.
    pub update_config: Option<At<UpdateConfig>>,
    /// How a rollback rolls.
    pub rollback_config: Option<At<UpdateConfig>>,
    /// Limits, if said: `limits: {}` is said and empty.
    pub limits: Option<Resources>,
    /// Reservations, likewise.
    pub reservations: Option<Resources>,
    /// What happens when a task ends.
    pub restart_policy: Option<RestartPolicy>,
    /// Where tasks may run.
    pub placement: Placement,
}

/// `update_config` or `rollback_config`; durations in nanoseconds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpdateConfig {
    /// Tasks at a time; absent is 1, 0 is all.
    pub parallelism: Option<u64>,
    /// Between batches.
    pub delay: Option<i64>,
    /// `pause`, `continue` or `rollback`.
    pub failure_action: Option<String>,
    /// In which a failure counts.
    pub monitor: Option<i64>,
    /// The share of failures that is borne.
    pub max_failure_ratio: f32,
    /// `stop-first` or `start-first`.
    pub order: Option<String>,
}

/// Limits or reservations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resources {
    /// Billionths of a CPU; 0 where silent.
    pub nano_cpus: i64,
    /// Bytes; 0 where silent.
    pub memory_bytes: i64,
    /// Processes (limits only); 0 where silent.
    pub pids: i64,
    /// (kind, number), in order (reservations only).
    pub generic: Vec<(String, i64)>,
}

/// What happens when a task ends; durations in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestartPolicy {
    /// `any`, `on-failure` or `none`.
    pub condition: Option<String>,
    /// Until it is started again.
    pub delay: Option<i64>,
    /// How often.
    pub max_attempts: Option<u64>,
    /// In which attempts are counted.
    pub window: Option<i64>,
}

/// Where tasks may run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// Constraints, verbatim, in order.
    pub constraints: Vec<String>,
    /// Labels to spread over, in order.
    pub spread: Vec<String>,
    /// At most so many on a node; 0 is any number.
    pub max_replicas_per_node: u64,
}
