//! A swarm that stores what it is sent as the engine does, and a record that follows.

use std::sync::Arc;

use serde_json::json;

use super::super::{Applied, Body, Input, Plan, Policy, Step, Write, fill_references, plan};
use crate::desired::Desired;
use crate::model::Kind;
use crate::swarm::canonical::{canonical_service, keep_order, resolve_networks};
use crate::swarm::{Config, Images, Live, Network, Node, SecretObject, Service, ServiceSpec, Version};

/// A swarm and its record.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    pub live: Live,
    pub applied: Option<Applied>,
    pub writes: u64,
}

impl Cluster {
    /// Plans with the record, carries the plan out wave after wave, and gives it back.
    pub fn apply(&mut self, desired: &Desired) -> Plan {
        let first = self.plan(desired);
        self.carry_out(&first);
        let mut left = first.clone();
        while left.has_later_waves() {
            let next = self.plan(desired);
            assert!(next.steps.len() < left.steps.len(), "a plan shrinks while it is carried out");
            let is_planned =
                |step: &Step| left.steps.iter().any(|seen| (seen.kind, &seen.name) == (step.kind, &step.name));
            assert!(next.steps.iter().all(is_planned), "{:?} after {:?}", next.steps, left.steps);
            self.carry_out(&next);
            left = next;
        }
        first
    }

    /// Applies while another rendering is the last good one.
    pub fn apply_beside(&mut self, desired: &Desired, good: &Applied) {
        loop {
            let plan = self.planned(desired, Some(good));
            if plan.steps.is_empty() {
                return;
            }
            self.carry_out(&plan);
        }
    }

    /// Plans with the record.
    pub fn plan(&self, desired: &Desired) -> Plan {
        self.planned(desired, None)
    }

    fn planned(&self, desired: &Desired, good: Option<&Applied>) -> Plan {
        let applied = self.applied.clone().unwrap_or_default();
        let policy = Policy { allow_delete: true, ..Policy::default() };
        plan(Input {
            desired,
            live: &self.live,
            applied: Some(&applied),
            good,
            images: &Images::default(),
            policy: &policy,
        })
    }

    /// Carries out the first wave of a plan, as the engine would.
    pub fn carry_out(&mut self, plan: &Plan) {
        assert!(!plan.is_blocked(), "{:?}", plan.diagnostics);
        let mut applied = plan.settled.clone();
        for step in plan.first_wave() {
            let id = match &step.write {
                Write::Create(body) => {
                    let id = format!("{}-{}", step.kind, self.next());
                    self.store(&id, body);
                    id
                }
                Write::Update { id, version, body } => {
                    assert_eq!(*version, self.version(step.kind, id), "{} moved", step.name);
                    self.store(id, body);
                    id.clone()
                }
                Write::Replace { id, body, .. } => {
                    self.delete(step.kind, id);
                    let id = format!("{}-{}", step.kind, self.next());
                    self.store(&id, body);
                    id
                }
                Write::Delete { id, .. } => {
                    self.delete(step.kind, id);
                    id.clone()
                }
            };
            applied.record(step, &id);
        }
        self.applied = Some(applied);
    }

    fn next(&mut self) -> u64 {
        self.writes += 1;
        self.writes
    }

    fn version(&self, kind: Kind, id: &str) -> Version {
        match kind {
            Kind::Service => self.live.services.iter().find(|it| it.id == id).map(|it| it.version),
            Kind::Config => self.live.configs.iter().find(|it| it.id == id).map(|it| it.version),
            Kind::Secret => self.live.secrets.iter().find(|it| it.id == id).map(|it| it.version),
            _ => None,
        }
        .unwrap_or_else(|| panic!("there is no {kind} {id}"))
    }

    fn store(&mut self, id: &str, body: &Body) {
        let version = Version { index: self.next() };
        match body {
            Body::Network(spec) => {
                assert!(self.live.networks.iter().all(|it| it.name != spec.name), "{} is taken", spec.name);
                let mut network = json!({
                    "Id": id, "Name": spec.name, "Scope": "swarm", "Driver": spec.driver, "Attachable": spec.attachable,
                    "Internal": spec.internal, "Options": spec.options, "Labels": spec.labels,
                    "IPAM": { "Driver": "default", "Config": [{ "Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1" }] }
                });
                network["Options"]["com.docker.network.driver.overlay.vxlanid_list"] = json!("4097");
                let network: Network = serde_json::from_value(network).expect("a network");
                self.live.networks.push(Arc::new(network));
            }
            Body::Config { spec, .. } => match self.live.configs.iter_mut().find(|it| it.id == id) {
                Some(config) => {
                    let config = Arc::make_mut(config);
                    (config.spec.labels, config.version) = (spec.labels.clone(), version);
                }
                None => {
                    assert!(self.live.configs.iter().all(|it| it.spec.name != spec.name), "{} is taken", spec.name);
                    let config = Config { id: id.to_owned(), version, spec: spec.clone(), ..Default::default() };
                    self.live.configs.push(Arc::new(config));
                }
            },
            Body::Secret { spec, .. } => match self.live.secrets.iter_mut().find(|it| it.id == id) {
                Some(secret) => {
                    let secret = Arc::make_mut(secret);
                    (secret.spec.labels, secret.version) = (spec.labels.clone(), version);
                }
                None => {
                    assert!(self.live.secrets.iter().all(|it| it.spec.name != spec.name), "{} is taken", spec.name);
                    let secret = SecretObject { id: id.to_owned(), version, spec: spec.clone(), ..Default::default() };
                    self.live.secrets.push(Arc::new(secret));
                }
            },
            Body::Service { spec, .. } => {
                let spec = self.read_back(spec);
                match self.live.services.iter_mut().find(|it| it.id == id) {
                    Some(service) => {
                        let service = Arc::make_mut(service);
                        service.previous_spec = Some(Box::new((&std::mem::replace(&mut service.spec, spec)).into()));
                        service.version = version;
                    }
                    None => {
                        assert!(
                            self.live.services.iter().all(|it| it.spec.name != spec.name),
                            "{} is taken",
                            spec.name
                        );
                        let service = Service { id: id.to_owned(), version, spec, ..Default::default() };
                        self.live.services.push(Arc::new(service));
                    }
                }
            }
        }
    }

    /// What the engine makes of a spec: ids for names, its own words where there were none, the order as it was sent.
    fn read_back(&self, sent: &ServiceSpec) -> ServiceSpec {
        let mut sent = sent.clone();
        let id = |kind, name: &str| match kind {
            Kind::Config => self.live.configs.iter().find(|it| it.spec.name == name).map(|it| it.id.clone()),
            _ => self.live.secrets.iter().find(|it| it.spec.name == name).map(|it| it.id.clone()),
        };
        fill_references(&mut sent, id).expect("everything referred to is there");
        let network = |name: &str| self.live.networks.iter().find(|it| it.name == name).map(|it| it.id.clone());
        resolve_networks(&mut sent, network);
        for attachment in &sent.task_template.networks {
            let is_known = self.live.networks.iter().any(|it| it.id == attachment.target);
            assert!(is_known, "network {} is not there", attachment.target);
        }
        let mut stored = sent.clone();
        canonical_service(&mut stored);
        keep_order(&mut stored, &sent);
        stored
    }

    fn delete(&mut self, kind: Kind, id: &str) {
        let in_use = |service: &Service| {
            super::super::index::content_ids(&service.spec).any(|it| it == id)
                || service.spec.task_template.networks.iter().any(|it| it.target == id)
        };
        assert!(!self.live.services.iter().any(|it| it.id != id && in_use(it)), "{kind} {id} is in use");
        match kind {
            Kind::Service => self.live.services.retain(|it| it.id != id),
            Kind::Network => self.live.networks.retain(|it| it.id != id),
            Kind::Config => self.live.configs.retain(|it| it.id != id),
            Kind::Secret => self.live.secrets.retain(|it| it.id != id),
            other => panic!("nobody deletes a {other}"),
        }
    }

    /// Somebody changes a service by hand.
    pub fn by_hand(&mut self, name: &str, edit: impl FnOnce(&mut ServiceSpec)) {
        let version = Version { index: self.next() };
        let service = self.live.services.iter_mut().find(|it| it.spec.name == name).expect("the service");
        let service = Arc::make_mut(service);
        service.previous_spec = Some(Box::new((&service.spec).into()));
        edit(&mut service.spec);
        service.version = version;
    }

    /// Somebody asked where the tasks of a service are.
    pub fn located(mut self, name: &str, nodes: [&str; 3]) -> Self {
        let service = self.live.services.iter_mut().find(|it| it.spec.name == name).expect("the service");
        Arc::make_mut(service).task_nodes = Some(nodes.map(str::to_owned).to_vec());
        self
    }

    pub fn service(&self, name: &str) -> &Service {
        self.live.services.iter().find(|it| it.spec.name == name).expect("the service")
    }

    pub fn config_names(&self) -> Vec<&str> {
        self.live.configs.iter().map(|it| it.spec.name.as_str()).collect()
    }

    /// Adds nodes that are ready, `true` with the label `disk=ssd`.
    pub fn with_nodes(mut self, nodes: &[bool]) -> Self {
        for (index, ssd) in nodes.iter().enumerate() {
            let labels = if *ssd { json!({ "disk": "ssd" }) } else { json!({}) };
            let node: Node = serde_json::from_value(json!({
                "ID": format!("node-{index}"), "Spec": { "Availability": "active", "Labels": labels },
                "Status": { "State": "ready" }
            }))
            .expect("a node");
            self.live.nodes.push(Arc::new(node));
        }
        self
    }
}
