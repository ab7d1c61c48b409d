//! Specs as the Engine API writes them (1.41 and up): what is sent, and what is stored.
//!
//! These are skep's own and not bollard's models, which lose fields on a read-modify-write (the healthcheck of a live
//! service among them). Every level keeps the fields it does not know in `extra`, so a newer engine's settings survive.
//! Enumerations are text: one unknown word must not fail a whole list. Durations are nanoseconds, memory bytes, CPUs
//! billionths of one.
//!
//! Whether a *message* (`Resources`, `Placement`, `EndpointSpec` …) is absent or empty matters: it restarts tasks. So
//! messages are `Option`s; lists and maps are plain, since an empty one equals an absent one.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Fields this version of skep has no name for.
pub type Extra = Map<String, Value>;

/// Text to text, sorted.
pub type Labels = BTreeMap<String, String>;

/// Go writes an absent list, map or number as `null` here and leaves it out there: both are the default.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// The engine keeps ratios in 32 bits and writes the fewest digits that mean them: 0.2, and not the 0.20000000298023224 that
/// it becomes in 64.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn shortest<S: Serializer>(ratio: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(ratio.to_string().parse().unwrap_or(f64::from(*ratio)))
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero<T: PartialEq + Default>(value: &T) -> bool {
    *value == T::default()
}

/// What a service should be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceSpec {
    /// The full name, `<stack>_<service>`.
    #[serde(rename = "Name")]
    pub name: String,
    /// Labels of the service itself; they restart nothing.
    #[serde(rename = "Labels", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// What each task is.
    #[serde(rename = "TaskTemplate")]
    pub task_template: TaskSpec,
    /// How many tasks, and where.
    #[serde(rename = "Mode", skip_serializing_if = "Option::is_none")]
    pub mode: Option<ServiceMode>,
    /// How an update rolls.
    #[serde(rename = "UpdateConfig", skip_serializing_if = "Option::is_none")]
    pub update_config: Option<UpdateConfig>,
    /// How a rollback rolls.
    #[serde(rename = "RollbackConfig", skip_serializing_if = "Option::is_none")]
    pub rollback_config: Option<UpdateConfig>,
    /// How the service is reached.
    #[serde(rename = "EndpointSpec", skip_serializing_if = "Option::is_none")]
    pub endpoint_spec: Option<EndpointSpec>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a task is. Nearly every change here replaces tasks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskSpec {
    /// The container.
    #[serde(rename = "ContainerSpec", skip_serializing_if = "Option::is_none")]
    pub container_spec: Option<ContainerSpec>,
    /// Limits and reservations.
    #[serde(rename = "Resources", skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// What happens when a task ends.
    #[serde(rename = "RestartPolicy", skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
    /// Where tasks may run.
    #[serde(rename = "Placement", skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// Networks the tasks join.
    #[serde(rename = "Networks", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<NetworkAttachment>,
    /// Where the logs go.
    #[serde(rename = "LogDriver", skip_serializing_if = "Option::is_none")]
    pub log_driver: Option<Driver>,
    /// A counter that replaces the tasks when it changes.
    #[serde(rename = "ForceUpdate")]
    pub force_update: u64,
    /// "" when sent, `container` when read back.
    #[serde(rename = "Runtime", skip_serializing_if = "String::is_empty")]
    pub runtime: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The container of a task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSpec {
    /// The image, with its digest where one is known.
    #[serde(rename = "Image")]
    pub image: String,
    /// Labels of the containers.
    #[serde(rename = "Labels", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Replaces the image's entrypoint.
    #[serde(rename = "Command", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Replaces the image's command.
    #[serde(rename = "Args", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The container's host name; may be a Go template.
    #[serde(rename = "Hostname", skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// `NAME=value`, or a bare `NAME`, which takes the variable away.
    #[serde(rename = "Env", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The working directory.
    #[serde(rename = "Dir", skip_serializing_if = "String::is_empty")]
    pub dir: String,
    /// The user, `name` or `uid:gid`.
    #[serde(rename = "User", skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Further groups.
    #[serde(rename = "Groups", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Credentials and security options.
    #[serde(rename = "Privileges", skip_serializing_if = "Option::is_none")]
    pub privileges: Option<Privileges>,
    /// Whether a terminal is attached.
    #[serde(rename = "TTY", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub tty: bool,
    /// Whether standard input stays open.
    #[serde(rename = "OpenStdin", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub open_stdin: bool,
    /// Whether the root file system is read-only.
    #[serde(rename = "ReadOnly", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// What is mounted.
    #[serde(rename = "Mounts", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// The signal that asks it to stop.
    #[serde(rename = "StopSignal", skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    /// Nanoseconds until it is killed.
    #[serde(rename = "StopGracePeriod", skip_serializing_if = "Option::is_none")]
    pub stop_grace_period: Option<i64>,
    /// How its health is probed.
    #[serde(rename = "Healthcheck", skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Lines of /etc/hosts, `ip name`.
    #[serde(rename = "Hosts", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Name servers and search domains.
    #[serde(rename = "DNSConfig", skip_serializing_if = "Option::is_none")]
    pub dns_config: Option<DnsConfig>,
    /// Secrets it is given.
    #[serde(rename = "Secrets", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretReference>,
    /// Configs it is given.
    #[serde(rename = "Configs", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<ConfigReference>,
    /// Windows' isolation; reads back `default`.
    #[serde(rename = "Isolation", skip_serializing_if = "String::is_empty")]
    pub isolation: String,
    /// Whether an init process runs as pid 1; absent leaves it to the engine.
    #[serde(rename = "Init", skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    /// Kernel parameters.
    #[serde(rename = "Sysctls", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub sysctls: Labels,
    /// Capabilities added.
    #[serde(rename = "CapabilityAdd", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub capability_add: Vec<String>,
    /// Capabilities taken away.
    #[serde(rename = "CapabilityDrop", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub capability_drop: Vec<String>,
    /// Resource limits.
    #[serde(rename = "Ulimits", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub ulimits: Vec<Ulimit>,
    /// The out-of-memory killer's preference (API 1.46).
    #[serde(rename = "OomScoreAdj", skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i64>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How a container's health is probed. Zero durations mean the image's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", "…"]` or `["NONE"]`.
    #[serde(rename = "Test", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Nanoseconds between probes.
    #[serde(rename = "Interval", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// Nanoseconds a probe may take.
    #[serde(rename = "Timeout", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// Failures in a row until unhealthy.
    #[serde(rename = "Retries", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub retries: i64,
    /// Nanoseconds in which failures do not count.
    #[serde(rename = "StartPeriod", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// Nanoseconds between probes in the start period (API 1.44).
    #[serde(rename = "StartInterval", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Name servers and search domains.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DnsConfig {
    /// Addresses of name servers.
    #[serde(rename = "Nameservers", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub nameservers: Vec<String>,
    /// Search domains.
    #[serde(rename = "Search", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    /// Resolver options.
    #[serde(rename = "Options", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One resource limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ulimit {
    /// Its name, as `nofile`.
    #[serde(rename = "Name")]
    pub name: String,
    /// The soft limit.
    #[serde(rename = "Soft")]
    pub soft: i64,
    /// The hard limit.
    #[serde(rename = "Hard")]
    pub hard: i64,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mount {
    /// `volume`, `bind`, `tmpfs`, `npipe` or `cluster`. Never empty when sent: the engine would take `bind`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// The volume's name or the host's path.
    #[serde(rename = "Source", skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The path in the container.
    #[serde(rename = "Target")]
    pub target: String,
    /// Whether it is read-only.
    #[serde(rename = "ReadOnly", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// Sent and forgotten by the engine.
    #[serde(rename = "Consistency", skip_serializing_if = "String::is_empty")]
    pub consistency: String,
    /// For `bind`.
    #[serde(rename = "BindOptions", skip_serializing_if = "Option::is_none")]
    pub bind_options: Option<BindOptions>,
    /// For `volume`.
    #[serde(rename = "VolumeOptions", skip_serializing_if = "Option::is_none")]
    pub volume_options: Option<VolumeOptions>,
    /// For `tmpfs`.
    #[serde(rename = "TmpfsOptions", skip_serializing_if = "Option::is_none")]
    pub tmpfs_options: Option<TmpfsOptions>,
    /// For `cluster`.
    #[serde(rename = "ClusterOptions", skip_serializing_if = "Option::is_none")]
    pub cluster_options: Option<Empty>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Options of a bind mount.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BindOptions {
    /// As `rprivate`.
    #[serde(rename = "Propagation", skip_serializing_if = "String::is_empty")]
    pub propagation: String,
    /// Whether mounts below are left out.
    #[serde(rename = "NonRecursive", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub non_recursive: bool,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Options of a volume mount: they make the volume on the node where it does not exist.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeOptions {
    /// Whether the image's content is not copied into a new volume.
    #[serde(rename = "NoCopy", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub no_copy: bool,
    /// Labels of a new volume.
    #[serde(rename = "Labels", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The driver of a new volume.
    #[serde(rename = "DriverConfig", skip_serializing_if = "Option::is_none")]
    pub driver_config: Option<Driver>,
    /// A path inside the volume.
    #[serde(rename = "Subpath", skip_serializing_if = "String::is_empty")]
    pub subpath: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Options of a tmpfs mount.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TmpfsOptions {
    /// Its size.
    #[serde(rename = "SizeBytes", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub size_bytes: i64,
    /// Its file mode.
    #[serde(rename = "Mode", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub mode: u32,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A named driver with options: of logs, volumes, secrets, address management.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Driver {
    /// Its name; empty is the engine's default.
    #[serde(rename = "Name", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its options.
    #[serde(rename = "Options", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub options: Labels,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A message without fields of interest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Empty {
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A secret given to a container.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretReference {
    /// The file it becomes.
    #[serde(rename = "File", skip_serializing_if = "Option::is_none")]
    pub file: Option<FileTarget>,
    /// The secret's id.
    #[serde(rename = "SecretID", skip_serializing_if = "String::is_empty")]
    pub secret_id: String,
    /// The secret's name.
    #[serde(rename = "SecretName")]
    pub secret_name: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A config given to a container.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigReference {
    /// The file it becomes.
    #[serde(rename = "File", skip_serializing_if = "Option::is_none")]
    pub file: Option<FileTarget>,
    /// Present where it is not a file but a credential spec.
    #[serde(rename = "Runtime", skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Empty>,
    /// The config's id.
    #[serde(rename = "ConfigID", skip_serializing_if = "String::is_empty")]
    pub config_id: String,
    /// The config's name.
    #[serde(rename = "ConfigName")]
    pub config_name: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The file that a config or secret becomes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileTarget {
    /// Its path: a secret's relative to /run/secrets, a config's to /.
    #[serde(rename = "Name")]
    pub name: String,
    /// Its owner.
    #[serde(rename = "UID")]
    pub uid: String,
    /// Its group.
    #[serde(rename = "GID")]
    pub gid: String,
    /// Its mode.
    #[serde(rename = "Mode")]
    pub mode: u32,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Credentials and security options.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Privileges {
    /// For managed service accounts on Windows.
    #[serde(rename = "CredentialSpec")]
    pub credential_spec: Option<CredentialSpec>,
    /// SELinux labels.
    #[serde(rename = "SELinuxContext")]
    pub selinux_context: Option<Empty>,
    /// Whether no new privileges may be gained.
    #[serde(rename = "NoNewPrivileges", deserialize_with = "nullable")]
    pub no_new_privileges: bool,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// For managed service accounts on Windows: one of three.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CredentialSpec {
    /// The id of a config.
    #[serde(rename = "Config", skip_serializing_if = "String::is_empty")]
    pub config: String,
    /// A file on the node.
    #[serde(rename = "File", skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// A registry key on the node.
    #[serde(rename = "Registry", skip_serializing_if = "String::is_empty")]
    pub registry: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Limits and reservations.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// What a task may use at most.
    #[serde(rename = "Limits", skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceLimits>,
    /// What a node must have left.
    #[serde(rename = "Reservations", skip_serializing_if = "Option::is_none")]
    pub reservations: Option<ResourceReservations>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a task may use at most.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceLimits {
    /// Billionths of a CPU.
    #[serde(rename = "NanoCPUs", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub nano_cpus: i64,
    /// Bytes.
    #[serde(rename = "MemoryBytes", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub memory_bytes: i64,
    /// Processes.
    #[serde(rename = "Pids", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub pids: i64,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a node must have left for a task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceReservations {
    /// Billionths of a CPU.
    #[serde(rename = "NanoCPUs", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub nano_cpus: i64,
    /// Bytes.
    #[serde(rename = "MemoryBytes", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub memory_bytes: i64,
    /// Things that only the user knows how to count.
    #[serde(rename = "GenericResources", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub generic_resources: Vec<GenericResource>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A thing that only the user knows how to count.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GenericResource {
    /// So many of a kind.
    #[serde(rename = "DiscreteResourceSpec", skip_serializing_if = "Option::is_none")]
    pub discrete_resource_spec: Option<DiscreteResource>,
    /// One of a kind, by name.
    #[serde(rename = "NamedResourceSpec", skip_serializing_if = "Option::is_none")]
    pub named_resource_spec: Option<NamedResource>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// So many of a kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DiscreteResource {
    /// The kind.
    #[serde(rename = "Kind")]
    pub kind: String,
    /// How many.
    #[serde(rename = "Value")]
    pub value: i64,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One of a kind, by name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NamedResource {
    /// The kind.
    #[serde(rename = "Kind")]
    pub kind: String,
    /// The name.
    #[serde(rename = "Value")]
    pub value: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What happens when a task ends.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RestartPolicy {
    /// `any`, `on-failure` or `none`; empty reads back `any`.
    #[serde(rename = "Condition", skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Nanoseconds until it is started again.
    #[serde(rename = "Delay", skip_serializing_if = "Option::is_none")]
    pub delay: Option<i64>,
    /// How often; 0 is for ever.
    #[serde(rename = "MaxAttempts", skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u64>,
    /// Nanoseconds in which attempts are counted.
    #[serde(rename = "Window", skip_serializing_if = "Option::is_none")]
    pub window: Option<i64>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Where tasks may run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// `key == value` or `key != value`.
    #[serde(rename = "Constraints", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// How tasks are spread.
    #[serde(rename = "Preferences", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub preferences: Vec<Preference>,
    /// At most so many on a node; 0 is any number.
    #[serde(rename = "MaxReplicas", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub max_replicas: u64,
    /// What the image runs on.
    #[serde(rename = "Platforms", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How tasks are spread.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preference {
    /// Evenly over the values of a label.
    #[serde(rename = "Spread", skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Evenly over the values of a label.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Spread {
    /// The label, as `node.labels.zone`.
    #[serde(rename = "SpreadDescriptor")]
    pub spread_descriptor: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// As `amd64`.
    #[serde(rename = "Architecture", skip_serializing_if = "String::is_empty")]
    pub architecture: String,
    /// As `linux`.
    #[serde(rename = "OS", skip_serializing_if = "String::is_empty")]
    pub os: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A network that tasks join.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkAttachment {
    /// Its name when sent, its id when read back.
    #[serde(rename = "Target")]
    pub target: String,
    /// Names by which tasks are found there.
    #[serde(rename = "Aliases", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Options of the attachment.
    #[serde(rename = "DriverOpts", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub driver_opts: Labels,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How many tasks, and where: exactly one of four.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceMode {
    /// So many tasks.
    #[serde(rename = "Replicated", skip_serializing_if = "Option::is_none")]
    pub replicated: Option<Replicated>,
    /// One task a node.
    #[serde(rename = "Global", skip_serializing_if = "Option::is_none")]
    pub global: Option<Empty>,
    /// So many completions.
    #[serde(rename = "ReplicatedJob", skip_serializing_if = "Option::is_none")]
    pub replicated_job: Option<ReplicatedJob>,
    /// One completion a node.
    #[serde(rename = "GlobalJob", skip_serializing_if = "Option::is_none")]
    pub global_job: Option<Empty>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// So many tasks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Replicated {
    /// How many; absent is 1.
    #[serde(rename = "Replicas", skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u64>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// So many completions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicatedJob {
    /// At most so many at once.
    #[serde(rename = "MaxConcurrent", skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u64>,
    /// How many in all.
    #[serde(rename = "TotalCompletions", skip_serializing_if = "Option::is_none")]
    pub total_completions: Option<u64>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How an update or a rollback rolls.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateConfig {
    /// Tasks at a time; 0 is all of them.
    #[serde(rename = "Parallelism")]
    pub parallelism: u64,
    /// Nanoseconds between batches.
    #[serde(rename = "Delay", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub delay: i64,
    /// `pause`, `continue` or `rollback`; empty reads back `pause`.
    #[serde(rename = "FailureAction", skip_serializing_if = "String::is_empty")]
    pub failure_action: String,
    /// Nanoseconds in which a failure counts; 0 is 5 s.
    #[serde(rename = "Monitor", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub monitor: i64,
    /// The share of failures that is borne.
    #[serde(rename = "MaxFailureRatio", serialize_with = "shortest")]
    pub max_failure_ratio: f32,
    /// `stop-first` or `start-first`; empty reads back `stop-first`.
    #[serde(rename = "Order")]
    pub order: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How a service is reached.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointSpec {
    /// `vip` or `dnsrr`; empty reads back `vip`.
    #[serde(rename = "Mode", skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// Published ports.
    #[serde(rename = "Ports", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Port {
    /// Never set by stack files.
    #[serde(rename = "Name", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `tcp`, `udp` or `sctp`; empty reads back `tcp`.
    #[serde(rename = "Protocol", skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// The container's port.
    #[serde(rename = "TargetPort", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub target_port: u32,
    /// The node's port; 0 lets the engine choose.
    #[serde(rename = "PublishedPort", deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub published_port: u32,
    /// `ingress` or `host`; empty reads back `ingress`.
    #[serde(rename = "PublishMode", skip_serializing_if = "String::is_empty")]
    pub publish_mode: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a network should be: the body of its creation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkSpec {
    /// The full name.
    #[serde(rename = "Name")]
    pub name: String,
    /// The driver; `overlay` where the file is silent.
    #[serde(rename = "Driver")]
    pub driver: String,
    /// The driver's options.
    #[serde(rename = "Options", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub options: Labels,
    /// Whether it has no way out.
    #[serde(rename = "Internal", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub internal: bool,
    /// Whether plain containers may join.
    #[serde(rename = "Attachable", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub attachable: bool,
    /// Whether it has IPv6 addresses.
    #[serde(rename = "EnableIPv6", deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub enable_ipv6: bool,
    /// Its address management.
    #[serde(rename = "IPAM", skip_serializing_if = "Option::is_none")]
    pub ipam: Option<Ipam>,
    /// Its labels.
    #[serde(rename = "Labels", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Address management.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ipam {
    /// The driver.
    #[serde(rename = "Driver", skip_serializing_if = "String::is_empty")]
    pub driver: String,
    /// Its options.
    #[serde(rename = "Options", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub options: Labels,
    /// Its pools.
    #[serde(rename = "Config", deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<IpamPool>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One pool of addresses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IpamPool {
    /// The subnet in CIDR form.
    #[serde(rename = "Subnet", skip_serializing_if = "String::is_empty")]
    pub subnet: String,
    /// The part tasks get addresses from.
    #[serde(rename = "IPRange", skip_serializing_if = "String::is_empty")]
    pub ip_range: String,
    /// The gateway.
    #[serde(rename = "Gateway", skip_serializing_if = "String::is_empty")]
    pub gateway: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a config should be: the body of its creation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigSpec {
    /// The full name.
    #[serde(rename = "Name")]
    pub name: String,
    /// Its labels.
    #[serde(rename = "Labels", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Its content, base64.
    #[serde(rename = "Data", skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// The template driver.
    #[serde(rename = "Templating", skip_serializing_if = "Option::is_none")]
    pub templating: Option<Driver>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a secret should be. `Data` is there when sent, never when read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretSpec {
    /// The full name.
    #[serde(rename = "Name")]
    pub name: String,
    /// Its labels.
    #[serde(rename = "Labels", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Its content, base64.
    #[serde(rename = "Data", skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// An external secret store.
    #[serde(rename = "Driver", skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// The template driver.
    #[serde(rename = "Templating", skip_serializing_if = "Option::is_none")]
    pub templating: Option<Driver>,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a node should be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeSpec {
    /// A name of its own; usually empty.
    #[serde(rename = "Name", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its labels.
    #[serde(rename = "Labels", deserialize_with = "nullable", skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// `manager` or `worker`.
    #[serde(rename = "Role")]
    pub role: String,
    /// `active`, `pause` or `drain`.
    #[serde(rename = "Availability")]
    pub availability: String,
    /// Fields this version of skep has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}
