//! Nodes as what is left of them.

use std::collections::{BTreeMap, HashMap};

use crate::swarm::{GenericResource, Live, Node, Port, ResourceReservations, Service, ServiceSpec, Tenant};

/// A port of a node: protocol and number.
pub(super) type HostPort = (String, u32);

/// What one task takes of its node.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Need {
    /// Billionths of a CPU.
    pub cpus: i64,
    /// Bytes of memory.
    pub memory: i64,
    /// Things that only the user counts, by kind.
    pub things: BTreeMap<String, i64>,
    /// Ports of the node itself.
    pub ports: Vec<HostPort>,
}

impl Need {
    /// Of a task that is made from a spec.
    pub fn of_spec(spec: &ServiceSpec) -> Self {
        let reserved = spec.task_template.resources.as_ref().and_then(|resources| resources.reservations.as_ref());
        Self { ports: host_ports(spec), ..reserved.map(Self::of_reservations).unwrap_or_default() }
    }

    /// Of a task that is there. One that has not started does not tell its ports: those are its service's.
    fn of_tenant(tenant: &Tenant, service: Option<&Service>) -> Self {
        let mut need = Self::of_reservations(tenant.reservations());
        if !tenant.generic_resources.is_empty() {
            need.things = things(&tenant.generic_resources);
        }
        need.ports = match tenant.host_ports() {
            [] => service.map(|service| host_ports(&service.spec)).unwrap_or_default(),
            ports => ports.iter().map(host_port).collect(),
        };
        // Engine 20.10 tells each of them twice.
        need.ports.sort();
        need.ports.dedup();
        need
    }

    fn of_reservations(reserved: &ResourceReservations) -> Self {
        Self {
            cpus: reserved.nano_cpus,
            memory: reserved.memory_bytes,
            things: things(&reserved.generic_resources),
            ports: Vec::new(),
        }
    }
}

/// How many of each kind. Of those with names each is one.
fn things(resources: &[GenericResource]) -> BTreeMap<String, i64> {
    let mut things: BTreeMap<String, i64> = BTreeMap::new();
    for resource in resources {
        let (kind, count) = match (&resource.discrete_resource_spec, &resource.named_resource_spec) {
            (Some(discrete), _) => (&discrete.kind, discrete.value),
            (None, Some(named)) => (&named.kind, 1),
            (None, None) => continue,
        };
        let sum = things.entry(kind.clone()).or_default();
        *sum = sum.saturating_add(count);
    }
    things
}

fn host_ports(spec: &ServiceSpec) -> Vec<HostPort> {
    let ports = spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports);
    ports.filter(|port| port.publish_mode == "host" && port.published_port != 0).map(host_port).collect()
}

fn host_port(port: &Port) -> HostPort {
    (super::port::protocol(port).to_owned(), port.published_port)
}

/// A node as what is left of it.
#[derive(Debug, Clone)]
pub(super) struct Room<'a> {
    /// The node.
    pub node: &'a Node,
    /// What nobody has reserved, and the ports that are taken.
    pub left: Need,
    /// How many tasks it has.
    pub tasks: u64,
    tasks_of: HashMap<String, u64>,
}

impl<'a> Room<'a> {
    fn new(node: &'a Node) -> Self {
        let left = Need::of_reservations(&node.resources());
        Self { node, left, tasks: 0, tasks_of: HashMap::new() }
    }

    /// How many tasks of a service it has.
    pub fn tasks_of(&self, service: &str) -> u64 {
        self.tasks_of.get(service).copied().unwrap_or_default()
    }

    /// Gives so many tasks of a service a place.
    pub fn take(&mut self, service: &str, need: &Need, count: u64) {
        let times = i64::try_from(count).unwrap_or(i64::MAX);
        self.left.cpus = self.left.cpus.saturating_sub(need.cpus.saturating_mul(times));
        self.left.memory = self.left.memory.saturating_sub(need.memory.saturating_mul(times));
        for (kind, wanted) in &need.things {
            let left = self.left.things.entry(kind.clone()).or_default();
            *left = left.saturating_sub(wanted.saturating_mul(times));
        }
        if count > 0 {
            self.left.ports.extend(need.ports.iter().cloned());
        }
        self.tasks = self.tasks.saturating_add(count);
        let of_service = self.tasks_of.entry(service.to_owned()).or_default();
        *of_service = of_service.saturating_add(count);
    }

    /// Takes the place of one task of a service back.
    pub fn free(&mut self, service: &str, need: &Need) {
        self.left.cpus = self.left.cpus.saturating_add(need.cpus);
        self.left.memory = self.left.memory.saturating_add(need.memory);
        for (kind, had) in &need.things {
            let left = self.left.things.entry(kind.clone()).or_default();
            *left = left.saturating_add(*had);
        }
        self.left.ports.retain(|port| !need.ports.contains(port));
        self.tasks = self.tasks.saturating_sub(1);
        if let Some(count) = self.tasks_of.get_mut(service) {
            *count = count.saturating_sub(1);
        }
    }
}

/// A task that has a place.
#[derive(Debug, Clone)]
pub(super) struct Lodger {
    /// Which of the rooms.
    pub room: usize,
    /// What it takes of it.
    pub need: Need,
}

/// Every node, with the tasks that have a place there.
#[derive(Debug, Clone, Default)]
pub(super) struct House<'a> {
    /// The nodes.
    pub rooms: Vec<Room<'a>>,
    lodgers: HashMap<String, Vec<Lodger>>,
}

impl<'a> House<'a> {
    /// The swarm's nodes as tasks have left them.
    pub fn new(live: &'a Live, tenants: &[Tenant]) -> Self {
        let rooms: Vec<Room<'a>> = live.nodes.iter().map(|node| Room::new(node)).collect();
        let mut house = Self { rooms, lodgers: HashMap::new() };
        let numbers: HashMap<&str, usize> =
            live.nodes.iter().enumerate().map(|(number, node)| (node.id.as_str(), number)).collect();
        let services: HashMap<&str, &Service> =
            live.services.iter().map(|service| (service.id.as_str(), &**service)).collect();
        for tenant in tenants.iter().filter(|tenant| tenant.stays()) {
            let Some(room) = numbers.get(tenant.node_id.as_str()).copied() else { continue };
            let service = services.get(tenant.service_id.as_str()).copied();
            let name = service.map_or(tenant.service_id.as_str(), |service| service.spec.name.as_str());
            house.lodge(name, Lodger { room, need: Need::of_tenant(tenant, service) });
        }
        house
    }

    /// Gives a task a place.
    pub fn lodge(&mut self, service: &str, lodger: Lodger) {
        if let Some(room) = self.rooms.get_mut(lodger.room) {
            room.take(service, &lodger.need, 1);
            self.lodgers.entry(service.to_owned()).or_default().push(lodger);
        }
    }

    /// The tasks of a service that have a place.
    pub fn lodgers(&self, service: &str) -> &[Lodger] {
        self.lodgers.get(service).map_or(&[], Vec::as_slice)
    }

    /// Lets a service's tasks out of the books, but not out of their places.
    pub fn forget(&mut self, service: &str) -> Vec<Lodger> {
        self.lodgers.remove(service).unwrap_or_default()
    }

    /// Ends a task.
    pub fn end(&mut self, service: &str, lodger: &Lodger) {
        if let Some(room) = self.rooms.get_mut(lodger.room) {
            room.free(service, &lodger.need);
        }
    }
}
