//! What stands around a service: proxies, their configurations, names, nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::facts::{image_name, stack};
use super::proxy_config::{Reads, Target};
use super::traefik::Traefik;
use crate::desired::Desired;
use crate::swarm::{Live, Node, ServiceSpec, constraint};

/// The services beside the one that is looked at, of the swarm and of files.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// By full name.
    neighbours: BTreeMap<String, Neighbour>,
    /// The nodes, where they are known.
    nodes: Option<Vec<Arc<Node>>>,
}

/// What is known of one service by the others.
#[derive(Debug, Clone)]
struct Neighbour {
    stack: Option<String>,
    /// Its names on its networks.
    aliases: BTreeSet<String>,
    /// Whether its name means its tasks, and not a virtual address that stays.
    means_tasks: bool,
    traefik: Option<Traefik>,
    /// What its configuration sends requests to, where it is a proxy whose configuration can be read.
    reads: Option<Reads>,
}

impl World {
    /// Everything that runs.
    pub fn of_live(live: &Live) -> Self {
        let mut world = Self { nodes: Some(live.nodes.clone()), ..Self::default() };
        let configs: BTreeMap<&str, &str> =
            live.configs.iter().map(|config| (config.spec.name.as_str(), config.spec.data.as_str())).collect();
        for service in &live.services {
            world.add(&service.spec, &configs);
        }
        world
    }

    /// The same with a stack as its files have it, in place of what runs of it under the same names.
    #[must_use]
    pub fn and_files(mut self, desired: &Desired) -> Self {
        let configs: BTreeMap<&str, &str> =
            desired.configs.iter().map(|(name, config)| (name.as_str(), config.spec.data.as_str())).collect();
        for service in desired.services.values() {
            self.add(&service.spec, &configs);
        }
        self
    }

    fn add(&mut self, spec: &ServiceSpec, configs: &BTreeMap<&str, &str>) {
        let Some(container) = &spec.task_template.container_spec else { return };
        let name = image_name(&container.image);
        let texts = || {
            let data = container.configs.iter().filter_map(|it| configs.get(it.config_name.as_str()));
            let text = |data: &&str| String::from_utf8(STANDARD.decode(data).ok()?).ok();
            data.filter_map(text).collect::<Vec<String>>()
        };
        let neighbour = Neighbour {
            stack: stack(spec).map(str::to_owned),
            aliases: spec.task_template.networks.iter().flat_map(|network| network.aliases.iter().cloned()).collect(),
            means_tasks: spec.endpoint_spec.as_ref().is_some_and(|endpoint| endpoint.mode == "dnsrr"),
            traefik: (name == "traefik").then(|| Traefik::of(&spec.name, container, &texts())),
            reads: Reads::of(&name, texts),
        };
        self.neighbours.insert(spec.name.clone(), neighbour);
    }

    /// The Traefik that learns of tasks most slowly.
    pub(super) fn slowest_traefik(&self) -> Option<&Traefik> {
        self.neighbours.values().filter_map(|neighbour| neighbour.traefik.as_ref()).max_by_key(|traefik| traefik.poll)
    }

    /// What the configuration of a service says, if it is a proxy and it can be read.
    pub(super) fn reads(&self, spec: &ServiceSpec) -> Option<&Reads> {
        self.neighbours.get(&spec.name)?.reads.as_ref()
    }

    /// Whether a name that a service of this stack asks for means tasks: their addresses go with them.
    pub(super) fn means_tasks(&self, host: &str, stack: Option<&str>) -> bool {
        host.starts_with("tasks.") || self.find(host, stack).is_some_and(|neighbour| neighbour.means_tasks)
    }

    fn find(&self, host: &str, stack: Option<&str>) -> Option<&Neighbour> {
        let by_alias = |neighbour: &&Neighbour| {
            neighbour.stack.as_deref() == stack && stack.is_some() && neighbour.aliases.contains(host)
        };
        self.neighbours.get(host).or_else(|| self.neighbours.values().find(by_alias))
    }

    /// Whether the configuration of a proxy sends requests to this service.
    pub(super) fn is_named_by_a_proxy(&self, spec: &ServiceSpec) -> bool {
        let Some(own) = self.neighbours.get(&spec.name) else { return false };
        self.neighbours.values().any(|proxy| {
            let is_own = |target: &Target| {
                let host = target.host.strip_prefix("tasks.").unwrap_or(&target.host);
                host == spec.name || (own.stack.is_some() && own.stack == proxy.stack && own.aliases.contains(host))
            };
            proxy.reads.as_ref().is_some_and(|reads| reads.targets.iter().any(is_own))
        })
    }

    /// How many nodes may have tasks of a service; `None` where no nodes are known.
    pub(super) fn nodes_for(&self, spec: &ServiceSpec) -> Option<u64> {
        let constraints = spec.task_template.placement.as_ref().map_or(&[] as &[_], |it| &it.constraints);
        let nodes = self.nodes.as_ref()?;
        Some(nodes.iter().filter(|node| constraint::is_eligible(constraints, node)).count() as u64)
    }
}
