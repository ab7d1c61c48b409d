//! What the rules ask of a service.

use std::time::Duration;

use super::compute::{self, Check, Computed};
use super::words::nanoseconds;
use super::{Filled, Finding, Subject, World, traefik};
use crate::diag::Severity;
use crate::model::label;
use crate::swarm::image::ImageReference;
use crate::swarm::{ContainerSpec, Mount, ServiceSpec, UpdateConfig};

/// The engine's own window where nothing is said of it.
const ENGINE_MONITOR: Duration = Duration::from_secs(5);

/// What of a host is mounted writable and is nobody's data: two tasks may well have it.
const SHARED: &[&str] = &["/dev", "/proc", "/sys", "/etc/localtime", "/etc/timezone", "/var/run", "/run", "/tmp"];

/// Images whose data one process at a time may have open.
const DATABASES: &[&str] = &[
    "postgres",
    "postgresql",
    "postgis",
    "pgvector",
    "timescaledb",
    "mysql",
    "mysql-server",
    "mariadb",
    "percona",
    "mongo",
    "mongodb",
    "elasticsearch",
    "opensearch",
    "influxdb",
    "clickhouse",
    "clickhouse-server",
    "couchdb",
    "neo4j",
    "cassandra",
    "rethinkdb",
    "etcd",
    "questdb",
    "victoria-metrics",
    "prometheus",
    "meilisearch",
    "server-mssql",
];

/// Which comes first when a task is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The old one ends.
    StopFirst,
    /// The new one starts.
    StartFirst,
}

/// A setting, and whether somebody said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Set<T> {
    pub value: T,
    pub said: bool,
}

/// How requests reach a service, as far as that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// By Traefik, as its labels say.
    Traefik,
    /// By another proxy that reads labels, or one whose configuration names it.
    Proxy,
    /// By a published port.
    Port,
}

/// Why two of a service may not run side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Apart {
    /// Its file says so.
    Single,
    /// What it has mounted there is written by one at a time.
    Data(String),
    /// A port of the node can be had once.
    HostPort(u32),
}

/// How its updates roll, with what is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rolls {
    pub order: Set<Order>,
    /// 0 is all at once.
    pub parallelism: u64,
    pub delay: Set<Duration>,
    pub monitor: Set<Duration>,
    pub failure_action: Set<String>,
    pub rollback_order: Set<Order>,
}

/// A service, as the rules see it. Jobs have none: their tasks end by themselves.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub subject: &'a Subject<'a>,
    pub container: &'a ContainerSpec,
    /// How many tasks it has; of a global service how many nodes may have one, or two where nobody knows.
    pub tasks: u64,
    pub is_global: bool,
    pub door: Option<Door>,
    /// When it is called unwell. An image's own check counts with Docker's numbers.
    pub check: Option<Check>,
    pub apart: Option<Apart>,
    pub rolls: Rolls,
    /// How many nodes may have tasks of it, where they are known.
    nodes: Option<u64>,
}

impl<'a> Facts<'a> {
    pub fn of(subject: &'a Subject<'a>, world: &World) -> Option<Self> {
        let spec = subject.spec;
        let container = spec.task_template.container_spec.as_ref()?;
        let mode = spec.mode.clone().unwrap_or_default();
        let is_global = mode.global.is_some();
        if mode.replicated_job.is_some() || mode.global_job.is_some() {
            return None;
        }
        let tasks = if is_global {
            world.nodes_for(spec).unwrap_or(2)
        } else {
            mode.replicated.and_then(|replicated| replicated.replicas).unwrap_or(1)
        };
        if tasks == 0 {
            return None;
        }
        let switched_off = container.healthcheck.as_ref().is_some_and(compute::is_none);
        let image_check = || subject.image_check.filter(|has| *has && !switched_off).map(|_| Check::docker());
        let check = Check::of(spec).or_else(image_check);
        let apart = apart(subject, container, is_global || tasks == 1);
        let rolls = rolls(subject, check, apart.as_ref(), tasks);
        let door = door(spec, world);
        Some(Self { subject, container, tasks, is_global, door, check, apart, rolls, nodes: world.nodes_for(spec) })
    }

    /// Whether a new task that needs a node for itself finds one beside the old ones.
    pub fn has_spare_nodes(&self) -> bool {
        !self.is_global && self.nodes.is_some_and(|nodes| nodes > self.tasks)
    }

    /// The most tasks that a node may have, and how many nodes there are, where the tasks fill them all.
    pub fn is_full(&self) -> Option<(u64, u64)> {
        let most = self.subject.spec.task_template.placement.as_ref()?.max_replicas;
        let nodes = self.nodes?;
        (!self.is_global && most > 0 && self.tasks >= most.saturating_mul(nodes)).then_some((most, nodes))
    }

    pub fn serves(&self) -> bool {
        self.door.is_some()
    }

    /// Whether more than one batch is needed, so that a bad version is seen before it is everywhere.
    pub fn has_batches(&self) -> bool {
        self.rolls.parallelism > 0 && self.tasks > self.rolls.parallelism
    }

    pub fn computed(&self) -> Computed {
        Computed::of(self.check, self.tasks)
    }

    pub fn is_database(&self) -> bool {
        is_database(&self.container.image)
    }

    pub fn stack(&self) -> Option<&'a str> {
        stack(self.subject.spec)
    }

    pub fn warning(&self, code: &'static str, says: impl Into<String>, hints: &[&str]) -> Finding {
        self.finding(Severity::Warning, code, says, hints)
    }

    pub fn note(&self, code: &'static str, says: impl Into<String>, hints: &[&str]) -> Finding {
        self.finding(Severity::Note, code, says, hints)
    }

    fn finding(&self, severity: Severity, code: &'static str, says: impl Into<String>, hints: &[&str]) -> Finding {
        Finding {
            code,
            severity,
            key: self.subject.key.to_owned(),
            says: says.into(),
            hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
            span: self.subject.span,
        }
    }
}

/// The stack whose label a service carries.
pub(super) fn stack(spec: &ServiceSpec) -> Option<&str> {
    spec.labels.get(label::NAMESPACE).map(String::as_str)
}

/// The last part of an image's path: `nginx` of `registry.example/mirror/nginx:1`.
pub(super) fn image_name(image: &str) -> String {
    let path = ImageReference::parse(image).map(|image| image.path().to_owned()).unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn is_database(image: &str) -> bool {
    DATABASES.contains(&image_name(image).as_str())
}

fn door(spec: &ServiceSpec, world: &World) -> Option<Door> {
    if traefik::is_routed(&spec.labels) {
        return Some(Door::Traefik);
    }
    let is_caddy = |key: &String| key == "caddy" || key.starts_with("caddy_") || key.starts_with("caddy.");
    if spec.labels.keys().any(is_caddy) || world.is_named_by_a_proxy(spec) {
        return Some(Door::Proxy);
    }
    let ports = spec.endpoint_spec.as_ref().map_or(&[] as &[_], |endpoint| &endpoint.ports);
    ports.iter().any(|port| port.protocol != "udp").then_some(Door::Port)
}

fn apart(subject: &Subject<'_>, container: &ContainerSpec, is_alone: bool) -> Option<Apart> {
    if subject.single {
        return Some(Apart::Single);
    }
    let data = container.mounts.iter().find(|mount| is_data(mount));
    if let Some(mount) = data.filter(|_| is_alone) {
        return Some(Apart::Data(mount.target.clone()));
    }
    let ports = subject.spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports);
    let mut host = ports.filter(|port| port.publish_mode == "host" && port.published_port != 0);
    host.next().map(|port| Apart::HostPort(port.published_port))
}

fn is_data(mount: &Mount) -> bool {
    let is_shared = |path: &str| {
        path == "/"
            || SHARED
                .iter()
                .any(|shared| path.strip_prefix(shared).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    match mount.kind.as_str() {
        _ if mount.read_only => false,
        "bind" => !is_shared(&mount.source),
        "volume" | "cluster" => true,
        _ => false,
    }
}

fn rolls(subject: &Subject<'_>, check: Option<Check>, apart: Option<&Apart>, tasks: u64) -> Rolls {
    let said = subject.spec.update_config.clone();
    let policy = said.clone().unwrap_or_default();
    let auto = subject.filled == Filled::Auto;
    let computed = Computed::of(check, tasks);
    let filled_order = if auto && check.is_some() && apart.is_none() { Order::StartFirst } else { Order::StopFirst };
    let order = order(&policy, filled_order);
    let parallelism = match said {
        Some(said) => said.parallelism,
        None if auto => computed.parallelism,
        None => 1,
    };
    let set = |said: Option<Duration>, filled: Duration| Set { value: said.unwrap_or(filled), said: said.is_some() };
    let monitor = set(nanoseconds(policy.monitor), if auto { computed.monitor } else { ENGINE_MONITOR });
    let delay = set(nanoseconds(policy.delay), if auto { monitor.value } else { Duration::ZERO });
    let failure_action = match policy.failure_action.as_str() {
        "" => Set { value: if auto { "rollback" } else { "pause" }.to_owned(), said: false },
        word => Set { value: word.to_owned(), said: true },
    };
    let rollback = subject.spec.rollback_config.clone().unwrap_or_default();
    let rollback_order = self::order(&rollback, if auto { order.value } else { Order::StopFirst });
    Rolls { order, parallelism, delay, monitor, failure_action, rollback_order }
}

fn order(policy: &UpdateConfig, filled: Order) -> Set<Order> {
    match policy.order.as_str() {
        "start-first" => Set { value: Order::StartFirst, said: true },
        "stop-first" => Set { value: Order::StopFirst, said: true },
        _ => Set { value: filled, said: false },
    }
}
