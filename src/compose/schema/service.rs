//! A service.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::super::keys::{self, Fate, Known};
use super::attached::{FileReference, Mount, Port, ServiceNetworks};
use super::deploy::Deploy;
use super::values::{
    Boolean, Bytes, DependencyCondition, Duration, EnvFileFormat, Integer, Number, OwnOfService, PairsOrList, Scalar,
    TextOrList, extensions, known,
};

fn known_of_services(schema: &mut Schema) {
    known(schema, keys::SERVICE);
}

/// What Swarm cannot carry out is refused, but in a service with profiles: one that takes no part may ask for it.
fn refuse_without_profiles(schema: &mut Schema) {
    let refused = |known: &[Known]| -> Map<String, Value> {
        let keys = known.iter().filter(|(_, fate)| matches!(fate, Fate::Refused(_)));
        keys.map(|(key, _)| ((*key).to_owned(), Value::Bool(false))).collect()
    };
    let within = |key: &str, inner: Value| json!({ "properties": { key: inner } });
    let mut strict = refused(keys::SERVICE);
    let attachment = json!({ "properties": refused(keys::ATTACHMENT) });
    strict.insert("networks".to_owned(), json!({ "additionalProperties": attachment }));
    let mount = json!({ "properties": refused(keys::MOUNT) });
    strict.insert("volumes".to_owned(), json!({ "items": mount }));
    let reservations = json!({ "properties": refused(keys::RESERVATIONS) });
    strict.insert("deploy".to_owned(), within("resources", within("reservations", reservations)));
    schema.insert("anyOf".to_owned(), json!([{ "required": ["profiles"] }, { "properties": strict }]));
}

/// A service.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    transform = extensions,
    transform = known_of_services,
    transform = refuse_without_profiles
)]
pub(super) struct Service {
    /// The image.
    image: Option<String>,
    /// The service this one begins as.
    extends: Option<Extends>,
    /// Takes part only where one of these is asked for.
    profiles: Option<Vec<String>>,
    /// Replaces the image's command: text is split as a shell would.
    command: Option<TextOrList>,
    /// Replaces the image's entrypoint.
    entrypoint: Option<TextOrList>,
    /// Environment variables.
    environment: Option<PairsOrList>,
    /// Files of environment variables, one `NAME=value` a line.
    env_file: Option<EnvFiles>,
    /// Published ports.
    ports: Option<Vec<Port>>,
    /// Mounts.
    volumes: Option<Vec<Mount>>,
    /// Networks to join.
    networks: Option<ServiceNetworks>,
    /// Configs it is given.
    configs: Option<Vec<FileReference>>,
    /// Secrets it is given.
    secrets: Option<Vec<FileReference>>,
    /// Labels of the containers.
    labels: Option<PairsOrList>,
    /// Files of labels of the containers.
    label_file: Option<TextOrList>,
    /// How its health is probed.
    healthcheck: Option<Healthcheck>,
    /// The user, `name` or `uid:gid`.
    user: Option<String>,
    /// Further groups of the user.
    group_add: Option<Vec<Group>>,
    /// The working directory.
    working_dir: Option<String>,
    /// The host name; may be a Go template.
    hostname: Option<String>,
    /// Where the logs go.
    logging: Option<Logging>,
    /// How long it may take to stop.
    stop_grace_period: Option<Duration>,
    /// The signal that asks it to stop.
    stop_signal: Option<String>,
    /// Whether an init process runs as pid 1.
    init: Option<Boolean>,
    /// Capabilities added.
    cap_add: Option<Vec<String>>,
    /// Capabilities taken away.
    cap_drop: Option<Vec<String>>,
    /// The account that Windows containers have in a directory service.
    credential_spec: Option<CredentialSpec>,
    /// Lines of /etc/hosts, `host:ip`.
    extra_hosts: Option<Hosts>,
    /// Name servers.
    dns: Option<TextOrList>,
    /// Search domains.
    dns_search: Option<TextOrList>,
    /// Options of the resolver.
    dns_opt: Option<TextOrList>,
    /// Kernel parameters.
    sysctls: Option<PairsOrList>,
    /// Resource limits.
    ulimits: Option<BTreeMap<String, Ulimit>>,
    /// Whether the root file system is read-only.
    read_only: Option<Boolean>,
    /// Whether a terminal is attached.
    tty: Option<Boolean>,
    /// Whether standard input stays open.
    stdin_open: Option<Boolean>,
    /// Isolation technology (Windows).
    isolation: Option<String>,
    /// The old form of `deploy.restart_policy`.
    restart: Option<String>,
    /// Another place for `deploy.replicas`.
    scale: Option<Integer>,
    /// Another place for `deploy.resources.limits.cpus`.
    cpus: Option<Number>,
    /// Another place for `deploy.resources.limits.pids`.
    pids_limit: Option<Integer>,
    /// Another place for `deploy.resources.reservations.memory`.
    mem_reservation: Option<Bytes>,
    /// Services this one waits for.
    depends_on: Option<DependsOn>,
    /// How it runs on the swarm.
    deploy: Option<Deploy>,
    /// skep's own.
    #[schemars(rename = "x-skep")]
    own: Option<OwnOfService>,
}

/// The name of a service of this file, or a service of another one.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Extends {
    Name(String),
    Long(LongExtends),
}

/// A service, perhaps of another file.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct LongExtends {
    /// Its name.
    service: String,
    /// Its file [default: this one].
    file: Option<String>,
}

/// One file or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum EnvFiles {
    One(EnvFile),
    Several(Vec<EnvFile>),
}

/// The path of a file that is taken literally, or a mapping.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum EnvFile {
    Path(String),
    Long(LongEnvFile),
}

/// A file of variables.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct LongEnvFile {
    /// Its path.
    path: String,
    /// Whether it must be there [default: true].
    required: Option<Boolean>,
    /// `raw`: taken literally. Otherwise quotes, comments and references to variables count.
    format: Option<EnvFileFormat>,
}

/// A name, or a number.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Group {
    Name(String),
    Number(i64),
}

/// Where the account stands: one of three.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct CredentialSpec {
    /// In a config of this stack.
    config: Option<String>,
    /// In a file of the nodes.
    file: Option<String>,
    /// In the nodes' registry.
    registry: Option<String>,
}

/// `host: ip` pairs, or a list of `host:ip`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Hosts {
    Pairs(BTreeMap<String, Option<TextOrList>>),
    List(Vec<String>),
}

/// Names, or names with conditions.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum DependsOn {
    Names(Vec<String>),
    Conditions(BTreeMap<String, Option<Dependency>>),
}

fn known_of_dependencies(schema: &mut Schema) {
    known(schema, keys::DEPENDENCY);
}

/// What is waited for.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions, transform = known_of_dependencies)]
struct Dependency {
    /// `service_started`, `service_healthy` or `service_completed_successfully`.
    condition: Option<DependencyCondition>,
    /// Whether the service must be there [default: true].
    required: Option<Boolean>,
}

/// How its health is probed.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Healthcheck {
    /// Whether the image's check is turned off.
    disable: Option<Boolean>,
    /// The command: text for a shell, or a list that begins with CMD, CMD-SHELL or NONE.
    test: Option<TextOrList>,
    /// Between probes.
    interval: Option<Duration>,
    /// For one probe.
    timeout: Option<Duration>,
    /// Failures in a row until unhealthy.
    retries: Option<Integer>,
    /// In which failures do not count.
    start_period: Option<Duration>,
    /// Between probes in the start period.
    start_interval: Option<Duration>,
}

/// Where the logs go.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Logging {
    /// The driver.
    driver: Option<String>,
    /// Its options.
    options: Option<BTreeMap<String, Scalar>>,
}

/// One number for both, or a soft and a hard limit.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Ulimit {
    Both(Integer),
    Each(SoftHard),
}

/// A soft and a hard limit.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct SoftHard {
    /// What holds at first.
    soft: Integer,
    /// What it may be raised to.
    hard: Integer,
}
