//! The form of a stack file, for its JSON Schema: editors complete and check keys with it. The parser has the last word:
//! interpolation, references and the grammars of ports, durations and sizes are its alone.
//!
//! These types are never filled; they say which keys there are and which shapes a value may have.
#![allow(dead_code, reason = "the types stand for shapes in the schema and never for values")]

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::keys;

/// Keys that begin with `x-` are anybody's, in every mapping that is not a table of names.
fn extensions(schema: &mut Schema) {
    schema.insert("patternProperties".to_owned(), serde_json::json!({ "^x-": true }));
}

/// What Docker accepts and ignores is taken here too, with a word on what to do instead.
fn ignored(schema: &mut Schema, known: &[keys::Known]) {
    let properties = schema.ensure_object().entry("properties").or_insert_with(|| serde_json::json!({}));
    let Some(properties) = properties.as_object_mut() else { return };
    for (key, fate) in known {
        if let keys::Fate::Ignored(hint) | keys::Fate::Dropped(hint) = fate {
            let description = format!("Ignored. Instead: {hint}.");
            let property = serde_json::json!({ "description": description, "deprecated": true });
            properties.entry(*key).or_insert(property);
        }
    }
}

fn ignored_of_services(schema: &mut Schema) {
    ignored(schema, keys::SERVICE);
}

fn ignored_of_attachments(schema: &mut Schema) {
    ignored(schema, keys::ATTACHMENT);
}

/// A stack file: the services, networks, volumes, configs and secrets of one stack.
#[derive(JsonSchema)]
#[schemars(title = "skep stack file", deny_unknown_fields, transform = extensions)]
pub struct Stack {
    /// The version of the old Compose file format, 3 to 3.13. Modern files say none.
    version: Option<String>,
    /// The stack's name, where nothing else says it.
    name: Option<String>,
    /// The services.
    services: Option<BTreeMap<String, Service>>,
    /// The networks. A service that names none joins `default`.
    networks: Option<BTreeMap<String, Option<Network>>>,
    /// The volumes.
    volumes: Option<BTreeMap<String, Option<Volume>>>,
    /// The configs.
    configs: Option<BTreeMap<String, FileObject>>,
    /// The secrets.
    secrets: Option<BTreeMap<String, FileObject>>,
}

/// A whole number, or text that interpolates to one.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Integer {
    Number(i64),
    Text(String),
}

/// A number, or text that interpolates to one.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Number {
    Number(f64),
    Text(String),
}

/// `true` or `false`, or text that interpolates to one.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Boolean {
    Value(bool),
    Text(String),
}

/// Text, a number, a boolean or nothing.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Scalar {
    Text(String),
    Number(f64),
    Boolean(bool),
    Null(()),
}

/// `NAME: value` pairs, or a list of `NAME=value`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum PairsOrList {
    Pairs(BTreeMap<String, Scalar>),
    List(Vec<String>),
}

/// One text, or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum TextOrList {
    Text(String),
    List(Vec<String>),
}

/// A duration as Go writes it: `1m30s`, `500ms`.
struct Duration;

impl JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A duration: `1m30s`, `500ms`." })
    }
}

/// A size in bytes: `512M`, `1.5g`, or a number.
struct Bytes;

impl JsonSchema for Bytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bytes".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "description": "A size in bytes: `512M` is 512 × 1024 × 1024." })
    }
}

/// A service.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions, transform = ignored_of_services)]
struct Service {
    /// The image.
    image: Option<String>,
    /// Replaces the image's command: text is split as a shell would.
    command: Option<TextOrList>,
    /// Replaces the image's entrypoint.
    entrypoint: Option<TextOrList>,
    /// Environment variables.
    environment: Option<PairsOrList>,
    /// Files of environment variables, one `NAME=value` a line, taken literally.
    env_file: Option<TextOrList>,
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
    /// How its health is probed.
    healthcheck: Option<Healthcheck>,
    /// The user, `name` or `uid:gid`.
    user: Option<Scalar>,
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
    /// Lines of /etc/hosts, `host:ip`.
    extra_hosts: Option<PairsOrList>,
    /// Name servers.
    dns: Option<TextOrList>,
    /// Search domains.
    dns_search: Option<TextOrList>,
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
    /// Services this one waits for.
    depends_on: Option<DependsOn>,
    /// How it runs on the swarm.
    deploy: Option<Deploy>,
}

/// Names, or names with conditions.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum DependsOn {
    Names(Vec<String>),
    Conditions(BTreeMap<String, Dependency>),
}

/// A condition.
#[derive(JsonSchema)]
struct Dependency {
    condition: Option<String>,
    required: Option<Boolean>,
    restart: Option<Boolean>,
}

/// `[HOST:]CONTAINER[/PROTOCOL]`, a number, or the long form.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Port {
    Number(u16),
    Short(String),
    Long(LongPort),
}

/// A published port.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct LongPort {
    /// The container's port.
    target: Integer,
    /// The node's port.
    published: Option<Integer>,
    /// `tcp`, `udp` or `sctp`.
    protocol: Option<String>,
    /// `ingress` or `host`.
    mode: Option<String>,
}

/// `[SOURCE:]TARGET[:OPTIONS]`, or the long form.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Mount {
    Short(String),
    Long(LongMount),
}

/// A mount.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct LongMount {
    /// `volume`, `bind`, `tmpfs`, `npipe` or `cluster`.
    #[schemars(rename = "type")]
    kind: String,
    /// A volume, or a path of the node.
    source: Option<String>,
    /// The path in the container.
    target: Option<String>,
    /// Whether it is read-only.
    read_only: Option<Boolean>,
    /// Sent to the engine, which forgets it.
    consistency: Option<String>,
    /// For `bind`.
    bind: Option<BTreeMap<String, Scalar>>,
    /// For `volume`.
    volume: Option<BTreeMap<String, serde_json::Value>>,
    /// For `tmpfs`.
    tmpfs: Option<BTreeMap<String, Scalar>>,
}

/// Names, or names with options.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum ServiceNetworks {
    Names(Vec<String>),
    Options(BTreeMap<String, Option<ServiceNetwork>>),
}

/// How a service joins a network.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions, transform = ignored_of_attachments)]
struct ServiceNetwork {
    /// Further names of the service there.
    aliases: Option<Vec<String>>,
    /// Options of the attachment.
    driver_opts: Option<BTreeMap<String, Scalar>>,
}

/// The name of a config or secret, or the long form.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum FileReference {
    Short(String),
    Long(LongFileReference),
}

/// A config or secret as a service is given it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct LongFileReference {
    /// The key in `configs` or `secrets`.
    source: Option<String>,
    /// The path in the container.
    target: Option<String>,
    /// Its owner.
    uid: Option<Scalar>,
    /// Its group.
    gid: Option<Scalar>,
    /// Its mode, as 0440.
    mode: Option<Integer>,
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
#[schemars(deny_unknown_fields)]
struct SoftHard {
    soft: Integer,
    hard: Integer,
}

/// How a service runs on the swarm.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Deploy {
    /// `replicated`, `global`, `replicated-job` or `global-job` [default: replicated].
    mode: Option<String>,
    /// How many tasks; where nothing is said, 1 at creation and the live number afterwards.
    replicas: Option<Integer>,
    /// Labels of the service.
    labels: Option<PairsOrList>,
    /// `vip` or `dnsrr` [default: vip].
    endpoint_mode: Option<String>,
    /// How an update rolls.
    update_config: Option<UpdateConfig>,
    /// How a rollback rolls.
    rollback_config: Option<UpdateConfig>,
    /// Limits and reservations.
    resources: Option<Resources>,
    /// What happens when a task ends.
    restart_policy: Option<RestartPolicy>,
    /// Where tasks may run.
    placement: Option<Placement>,
}

/// How an update or a rollback rolls.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct UpdateConfig {
    /// Tasks at a time; 0 is all [default: 1].
    parallelism: Option<Integer>,
    /// Between batches [default: 0s].
    delay: Option<Duration>,
    /// `pause`, `continue` or `rollback` [default: pause].
    failure_action: Option<String>,
    /// In which a failure counts [default: 5s].
    monitor: Option<Duration>,
    /// The share of failures that is borne [default: 0].
    max_failure_ratio: Option<Number>,
    /// `stop-first` or `start-first` [default: stop-first].
    order: Option<String>,
}

/// Limits and reservations.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Resources {
    /// What a task may use at most.
    limits: Option<Limits>,
    /// What a node must have left for it.
    reservations: Option<Reservations>,
}

/// What a task may use at most.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Limits {
    /// CPUs, as "0.5".
    cpus: Option<Number>,
    /// Memory.
    memory: Option<Bytes>,
    /// Processes.
    pids: Option<Integer>,
}

/// What a node must have left.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Reservations {
    /// CPUs, as "0.5".
    cpus: Option<Number>,
    /// Memory.
    memory: Option<Bytes>,
    /// Things that only the user knows how to count.
    generic_resources: Option<Vec<GenericResource>>,
}

/// A thing that only the user knows how to count.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct GenericResource {
    discrete_resource_spec: Option<DiscreteResource>,
}

/// So many of a kind.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct DiscreteResource {
    kind: Option<String>,
    value: Option<Integer>,
}

/// What happens when a task ends.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct RestartPolicy {
    /// `any`, `on-failure` or `none` [default: any].
    condition: Option<String>,
    /// Until it is started again [default: 5s].
    delay: Option<Duration>,
    /// How often [default: for ever].
    max_attempts: Option<Integer>,
    /// In which attempts are counted.
    window: Option<Duration>,
}

/// Where tasks may run.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Placement {
    /// `key == value` or `key != value`.
    constraints: Option<Vec<String>>,
    /// How tasks are spread.
    preferences: Option<Vec<Preference>>,
    /// At most so many on a node.
    max_replicas_per_node: Option<Integer>,
}

/// How tasks are spread.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Preference {
    /// Evenly over the values of this label.
    spread: Option<String>,
}

/// Made by somebody else: `true`, or the old form with a name.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum External {
    Flag(Boolean),
    Named(ExternalName),
}

/// The old form of an external name.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ExternalName {
    name: Option<String>,
}

/// A network.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Network {
    /// A name of its own, instead of `<stack>_<key>`.
    name: Option<String>,
    /// The driver [default: overlay].
    driver: Option<String>,
    /// Its options.
    driver_opts: Option<BTreeMap<String, Scalar>>,
    /// Address management.
    ipam: Option<Ipam>,
    /// Whether somebody else makes it.
    external: Option<External>,
    /// Whether it has no way out.
    internal: Option<Boolean>,
    /// Whether plain containers may join.
    attachable: Option<Boolean>,
    /// Its labels.
    labels: Option<PairsOrList>,
}

/// Address management.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Ipam {
    /// The driver.
    driver: Option<String>,
    /// The subnets.
    config: Option<Vec<Subnet>>,
}

/// A subnet.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Subnet {
    /// In CIDR form.
    subnet: Option<String>,
}

/// A volume.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Volume {
    /// A name of its own, instead of `<stack>_<key>`.
    name: Option<String>,
    /// The driver.
    driver: Option<String>,
    /// Its options.
    driver_opts: Option<BTreeMap<String, Scalar>>,
    /// Whether somebody else makes it.
    external: Option<External>,
    /// Its labels.
    labels: Option<PairsOrList>,
}

/// A config or secret.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct FileObject {
    /// A name of its own, instead of `<stack>_<key>`.
    name: Option<String>,
    /// The file with its content.
    file: Option<String>,
    /// Whether somebody else makes it.
    external: Option<External>,
    /// Its labels.
    labels: Option<PairsOrList>,
    /// A secret store (secrets only).
    driver: Option<String>,
    /// Its options.
    driver_opts: Option<BTreeMap<String, Scalar>>,
    /// `golang`: the content is a template.
    template_driver: Option<String>,
}
