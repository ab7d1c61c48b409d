//! Whether a node takes a task, by the engine's own filters.

use std::fmt;

use super::room::{Need, Room};
use crate::swarm::{Node, Placement, Platform, ServiceSpec, constraint};

/// What a service's tasks want of a node.
#[derive(Debug, Clone)]
pub(super) struct Demand<'a> {
    /// The service, by its full name.
    pub service: &'a str,
    /// Where its tasks may run.
    pub placement: Option<&'a Placement>,
    /// What one of them takes.
    pub need: Need,
}

/// Why a node takes no task, in the order in which the scheduler's filters are told of: those that hold for the node as it is
/// before those that hold for what is left of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Obstacle {
    /// It is not there, or takes no tasks.
    Away(&'static str),
    /// It does not meet these constraints.
    Constraints(Vec<String>),
    /// It is of this platform, and the image is made for others.
    Platform(String),
    /// Too little of this is left.
    Resources(String),
    /// This port of it is taken.
    HostPort(String),
    /// It has as many tasks of the service as it may.
    MaxReplicas(u64),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Away(state) => f.write_str(state),
            Obstacle::Constraints(unmet) => write!(f, "{} is not met", unmet.join(" and ")),
            Obstacle::Platform(platform) => write!(f, "the image is not made for {platform}"),
            Obstacle::Resources(what) => write!(f, "{what}"),
            Obstacle::HostPort(port) => write!(f, "port {port} is taken"),
            Obstacle::MaxReplicas(most) => write!(f, "max_replicas_per_node ({most}) is reached"),
        }
    }
}

impl<'a> Demand<'a> {
    /// That of a service.
    pub fn of(spec: &'a ServiceSpec) -> Self {
        let placement = spec.task_template.placement.as_ref();
        Self { service: &spec.name, placement, need: Need::of_spec(spec) }
    }

    /// Whether the service is meant to run on a node at all. One of these is what a global service has a task for.
    pub fn is_meant(&self, node: &Node) -> bool {
        away(node).is_none() && constraint::are_met(self.constraints(), node)
    }

    /// Why a node does not take one more task.
    pub fn obstacle(&self, room: &Room<'_>) -> Option<Obstacle> {
        self.lasting(room.node).or_else(|| self.passing(room))
    }

    /// Why a node would take no task even if it were empty, but for how much it has.
    pub fn lasting(&self, node: &Node) -> Option<Obstacle> {
        if let Some(state) = away(node) {
            return Some(Obstacle::Away(state));
        }
        let unmet = self.constraints().iter().filter(|constraint| !constraint::is_met(constraint, node));
        let unmet: Vec<String> = unmet.cloned().collect();
        if !unmet.is_empty() {
            return Some(Obstacle::Constraints(unmet));
        }
        let platforms: &[Platform] = self.placement.map_or(&[], |placement| &placement.platforms);
        let own = node.platform();
        let fits = platforms.is_empty() || platforms.iter().any(|platform| platform.fits(&own));
        (!fits).then(|| Obstacle::Platform(super::words::platform(&own.os, &own.architecture)))
    }

    fn passing(&self, room: &Room<'_>) -> Option<Obstacle> {
        let (need, left) = (&self.need, &room.left);
        if need.cpus > left.cpus && need.cpus > 0 {
            let what = super::words::cpus(left.cpus, need.cpus);
            return Some(Obstacle::Resources(what));
        }
        if need.memory > left.memory && need.memory > 0 {
            let what = super::words::memory(left.memory, need.memory);
            return Some(Obstacle::Resources(what));
        }
        for (kind, wanted) in &need.things {
            let has = left.things.get(kind).copied().unwrap_or_default();
            if *wanted > has {
                return Some(Obstacle::Resources(format!("{} of the {wanted} {kind} is left", has.max(0))));
            }
        }
        if let Some((protocol, port)) = need.ports.iter().find(|port| left.ports.contains(port)) {
            return Some(Obstacle::HostPort(format!("{port}/{protocol}")));
        }
        let most = self.most();
        (most > 0 && room.tasks_of(self.service) >= most).then_some(Obstacle::MaxReplicas(most))
    }

    /// How many more tasks a node takes.
    pub fn capacity(&self, room: &Room<'_>) -> u64 {
        if self.obstacle(room).is_some() {
            return 0;
        }
        let (need, left) = (&self.need, &room.left);
        if !need.ports.is_empty() {
            return 1;
        }
        let times = |left: i64, need: i64| match need {
            1.. => u64::try_from(left / need).unwrap_or_default(),
            _ => u64::MAX,
        };
        let mut most = times(left.cpus, need.cpus).min(times(left.memory, need.memory));
        for (kind, wanted) in &need.things {
            most = most.min(times(left.things.get(kind).copied().unwrap_or_default(), *wanted));
        }
        match self.most() {
            0 => most,
            limit => most.min(limit.saturating_sub(room.tasks_of(self.service))),
        }
    }

    fn most(&self) -> u64 {
        self.placement.map_or(0, |placement| placement.max_replicas)
    }

    fn constraints(&self) -> &'a [String] {
        self.placement.map_or(&[], |placement| &placement.constraints)
    }
}

/// Why the scheduler does not look at a node.
fn away(node: &Node) -> Option<&'static str> {
    match (node.status.state.as_str(), node.spec.availability.as_str()) {
        ("ready", "active") => None,
        ("ready", "pause") => Some("paused"),
        ("ready", "drain") => Some("drained"),
        ("ready", _) => Some("takes no tasks"),
        ("down", _) => Some("down"),
        _ => Some("not ready"),
    }
}
