//! The swarm by name, and whose an object is.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::applied::Applied;
use crate::model::{Kind, StackName, label};
use crate::swarm::{Config, Labels, Live, Network, Resource, SecretObject, Service, ServiceSpec};

/// The swarm by name.
pub(super) struct Index<'a> {
    stack: &'a StackName,
    live: &'a Live,
    applied: Option<&'a Applied>,
    /// Services.
    pub services: HashMap<&'a str, &'a Service>,
    /// Networks of the swarm's scope; a node's own of the same name are not meant.
    pub networks: HashMap<&'a str, &'a Network>,
    network_names: HashMap<&'a str, &'a str>,
    /// Configs.
    pub configs: BTreeMap<&'a str, &'a Config>,
    /// Secrets.
    pub secrets: BTreeMap<&'a str, &'a SecretObject>,
}

/// Whose an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// This stack's: by its label, or by the record where it has no label.
    Ours,
    /// Another stack's.
    Stack(&'a str),
    /// No stack's.
    Nobody,
}

impl<'a> Index<'a> {
    pub fn new(stack: &'a StackName, live: &'a Live, applied: Option<&'a Applied>) -> Self {
        let swarm_networks = || live.networks.iter().filter(|network| network.scope == "swarm");
        Self {
            stack,
            live,
            applied,
            services: live.services.iter().map(|service| (service.spec.name.as_str(), &**service)).collect(),
            networks: swarm_networks().map(|network| (network.name.as_str(), &**network)).collect(),
            network_names: swarm_networks().map(|network| (network.id.as_str(), network.name.as_str())).collect(),
            configs: live.configs.iter().map(|config| (config.spec.name.as_str(), &**config)).collect(),
            secrets: live.secrets.iter().map(|secret| (secret.spec.name.as_str(), &**secret)).collect(),
        }
    }

    /// Whose the object of this kind, name and labels is.
    pub fn owner<'b>(&self, kind: Kind, name: &str, labels: &'b Labels) -> Owner<'b> {
        match labels.get(label::NAMESPACE) {
            Some(stack) if stack == self.stack.as_str() => Owner::Ours,
            Some(stack) => Owner::Stack(stack),
            None if self.applied.is_some_and(|applied| applied.holds(kind, name)) => Owner::Ours,
            None => Owner::Nobody,
        }
    }

    /// Whether an object carries the stack's label.
    pub fn is_labelled(&self, labels: &Labels) -> bool {
        labels.get(label::NAMESPACE).is_some_and(|stack| stack == self.stack.as_str())
    }

    /// The services that carry the stack's label.
    pub fn labelled_services(&self) -> impl Iterator<Item = &'a Service> {
        self.services.values().copied().filter(|service| self.is_labelled(&service.spec.labels))
    }

    /// The ids of the configs and secrets that the stack's services refer to.
    pub fn in_use(&self) -> HashSet<&'a str> {
        self.labelled_services().flat_map(|service| content_ids(&service.spec)).collect()
    }

    /// The labels of the object of this kind and name, where there is one.
    pub fn labels(&self, kind: Kind, name: &str) -> Option<&'a Labels> {
        match kind {
            Kind::Service => self.services.get(name).map(|service| &service.spec.labels),
            Kind::Network => self.networks.get(name).map(|network| &network.labels),
            Kind::Config => self.configs.get(name).map(|config| &config.spec.labels),
            Kind::Secret => self.secrets.get(name).map(|secret| &secret.spec.labels),
            Kind::Volume | Kind::Task | Kind::Node => None,
        }
    }

    /// The services that are attached to a network, by its id.
    pub fn attached(&self, network: &str) -> impl Iterator<Item = &'a Service> {
        let is_attached = move |service: &&Service| {
            service.spec.task_template.networks.iter().any(|attachment| attachment.target == network)
        };
        self.live.services.iter().map(|service| &**service).filter(is_attached)
    }

    /// The id of a network by its name.
    pub fn network_id(&self, name: &str) -> Option<String> {
        self.networks.get(name).map(|network| network.id.clone())
    }

    /// Replaces ids of networks by their names: plans and records speak of names.
    pub fn name_networks(&self, spec: &mut ServiceSpec) {
        for network in &mut spec.task_template.networks {
            if let Some(name) = self.network_names.get(network.target.as_str()) {
                network.target = (*name).to_owned();
            }
        }
    }

    /// Whether a network of this id is in the swarm's lists. The engine's own `host` and `bridge` never are.
    pub fn knows_network(&self, id: &str) -> bool {
        self.network_names.contains_key(id)
    }

    /// Gives references the ids of the configs and secrets that have their names now.
    pub fn fill_references(&self, spec: &mut ServiceSpec) {
        let Some(container) = &mut spec.task_template.container_spec else { return };
        for reference in &mut container.configs {
            reference.config_id =
                self.configs.get(reference.config_name.as_str()).map_or("", |it| it.meta().id).to_owned();
        }
        for reference in &mut container.secrets {
            reference.secret_id =
                self.secrets.get(reference.secret_name.as_str()).map_or("", |it| it.meta().id).to_owned();
        }
    }
}

/// The ids of the configs and secrets that a spec refers to.
pub(super) fn content_ids(spec: &ServiceSpec) -> impl Iterator<Item = &str> {
    let container = spec.task_template.container_spec.as_ref();
    let configs = container.into_iter().flat_map(|it| &it.configs).map(|reference| reference.config_id.as_str());
    let secrets = container.into_iter().flat_map(|it| &it.secrets).map(|reference| reference.secret_id.as_str());
    configs.chain(secrets)
}
