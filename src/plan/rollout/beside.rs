//! Whether a new task of a service may run beside the old one that it replaces.

use super::{Check, Given};
use crate::lint;
use crate::plan::cost::{self, Mode};
use crate::swarm::{Mount, Port, ServiceSpec};

/// Why no new task starts before the old one stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) enum Obstacle {
    /// The file says `stop-first`.
    Said,
    /// It has no healthcheck: the old task would go as soon as the new one is started, whether it listens or not.
    Unchecked,
    /// Nobody said whether its image has one.
    Unknown,
    /// Its file says that it runs alone.
    Single,
    /// It is a database, and one.
    Database,
    /// It has a port in host mode: two tasks on one node cannot both have it.
    HostPort(u32),
    /// It writes where no two of its tasks are known to write side by side; the path in the container.
    Mount(String),
    /// No node may have one more.
    Full(u64),
    /// Its published ports change: two tasks of one service would have different ones.
    Ports,
}

impl Obstacle {
    /// What stands in the way, if anything does: what is about the service itself before what may be mended.
    pub fn of(given: &Given<'_>, check: &Check) -> Option<Self> {
        let alone = given.service.single.then_some(Obstacle::Single);
        alone
            .or_else(|| host_port(given.spec))
            .or_else(|| mount(given))
            .or_else(|| database(given.spec))
            .or(match check {
                Check::None => Some(Obstacle::Unchecked),
                Check::Unknown => Some(Obstacle::Unknown),
                Check::Probes(_) | Check::Kept { .. } => None,
            })
            .or_else(|| full(given))
            .or_else(|| given.live.filter(|live| ports(live) != ports(given.spec)).map(|_| Obstacle::Ports))
    }
}

/// A database that runs once is to run once.
fn database(spec: &ServiceSpec) -> Option<Obstacle> {
    let image = spec.task_template.container_spec.as_ref().map_or("", |container| container.image.as_str());
    (cost::mode(spec) == Mode::Replicated(1) && lint::is_database(image)).then_some(Obstacle::Database)
}

fn host_port(spec: &ServiceSpec) -> Option<Obstacle> {
    let ports = spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports);
    let mut host = ports.filter(|port| port.publish_mode.eq_ignore_ascii_case("host"));
    host.next()
        .map(|port| Obstacle::HostPort(if port.published_port == 0 { port.target_port } else { port.published_port }))
}

/// A place that tasks write to, of which nobody knows that two do already.
fn mount(given: &Given<'_>) -> Option<Obstacle> {
    let mut written = mounts(given.spec).iter().filter(|mount| is_written(mount) && !is_own(mount));
    written.find(|mount| !is_shared(mount, given)).map(|mount| Obstacle::Mount(mount.target.clone()))
}

fn mounts(spec: &ServiceSpec) -> &[Mount] {
    spec.task_template.container_spec.as_ref().map_or(&[], |container| &container.mounts)
}

/// Whether something may be written there that outlives a task. The engine's own socket is no such thing.
fn is_written(mount: &Mount) -> bool {
    let is_socket = matches!(mount.source.as_str(), "/var/run/docker.sock" | "/run/docker.sock");
    !mount.read_only && mount.kind != "tmpfs" && mount.kind != "npipe" && !is_socket
}

/// Whether every task has one of its own: a volume without a name, or with the task's in it.
fn is_own(mount: &Mount) -> bool {
    let is_by_task = ["Task.ID", "Task.Name"].iter().any(|name| mount.source.contains(name));
    mount.kind == "volume" && (mount.source.is_empty() || (mount.source.contains("{{") && is_by_task))
}

/// Whether two tasks that run now write to it: there are two, and they meet. What is on a node's own disk is another place
/// on each node, so there they do only where there are more tasks than nodes. A new service is judged by what it will be.
fn is_shared(mount: &Mount, given: &Given<'_>) -> bool {
    let replicas = |spec: &ServiceSpec| match cost::mode(spec) {
        Mode::Replicated(replicas) => replicas,
        // One a node: a second one beside it is the first that ever was.
        _ => 1,
    };
    let has_it = |live: &&ServiceSpec| {
        let same = |other: &Mount| other.kind == mount.kind && other.source == mount.source && !other.read_only;
        mounts(live).iter().any(same)
    };
    let tasks = match given.live {
        Some(live) => Some(live).filter(has_it).map_or(0, replicas).min(replicas(given.spec)),
        None => replicas(given.spec),
    };
    if tasks < 2 || mount.source.contains("{{") {
        return false;
    }
    let options = mount.volume_options.as_ref().and_then(|options| options.driver_config.as_ref());
    let is_remote = mount.kind == "cluster"
        || options.is_some_and(|driver| {
            let is_local = driver.name.is_empty() || driver.name == "local";
            let kind = driver.options.get("type").map_or("", String::as_str);
            !is_local || kind.starts_with("nfs") || kind == "cifs"
        });
    is_remote || tasks > cost::eligible(given.spec, given.nodes)
}

/// Room for one is enough to replace all in turn.
fn full(given: &Given<'_>) -> Option<Obstacle> {
    let most = given.spec.task_template.placement.as_ref().map_or(0, |placement| placement.max_replicas);
    let nodes = cost::eligible(given.spec, given.nodes);
    let (tasks, room) = match cost::mode(given.spec) {
        Mode::Replicated(replicas) => (replicas, nodes.saturating_mul(most)),
        _ => (1, most),
    };
    (most > 0 && tasks >= room).then_some(Obstacle::Full(most))
}

/// What is published, in an order of its own. The engine takes `tcp` and `ingress` for no word.
fn ports(spec: &ServiceSpec) -> Vec<(u32, u32, String, String)> {
    let word = |text: &str, default: &str| if text.is_empty() { default.to_owned() } else { text.to_ascii_lowercase() };
    let port = |port: &Port| {
        (port.published_port, port.target_port, word(&port.protocol, "tcp"), word(&port.publish_mode, "ingress"))
    };
    let mut ports: Vec<_> = spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports).map(port).collect();
    ports.sort();
    ports
}
