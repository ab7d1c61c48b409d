//! Networks: those of the stack, and those that it joins.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::file::{self, Attachment, Ipam, Network, Pool};
use super::keys::Keys;
use super::{Request, Taken, is_of, own_labels};
use crate::diag::{Diagnostic, Faults, code};
use crate::model::StackName;
use crate::swarm::{self, NetworkAttachment, Service};

/// What a service joins that names no network.
const DEFAULT: &str = "default";
/// What the overlay driver writes into a network's options by itself.
const ALLOCATED_OPTION: &str = "com.docker.network.driver.overlay.vxlanid_list";

/// The networks of a file.
pub(super) struct Networks<'a> {
    stack: &'a StackName,
    /// Keys by what attachments name: ids, and names.
    keys: BTreeMap<String, String>,
    /// Names by key.
    names: BTreeMap<String, String>,
    definitions: IndexMap<String, Network>,
}

impl<'a> Networks<'a> {
    /// Those that the services join.
    pub fn new(request: &Request<'a>, services: &[&Service], faults: &mut Faults) -> Self {
        let attachments = services.iter().flat_map(|service| &service.spec.task_template.networks);
        let joined: BTreeSet<&str> = attachments.map(|network| network.target.as_str()).collect();
        let stack = request.stack;
        let mut networks = Self { stack, keys: BTreeMap::new(), names: BTreeMap::new(), definitions: IndexMap::new() };
        let mut keys = Keys::beside(DEFAULT);
        let swarm = request.live.networks.iter().filter(|network| network.scope == "swarm" && !network.ingress);
        let mut known: Vec<&swarm::Network> = swarm.map(|network| &**network).collect();
        // The stack's own have the first choice of keys.
        known.sort_by_key(|network| (!is_of(&network.labels, stack), network.name.as_str()));
        for network in known {
            let ours = is_of(&network.labels, stack);
            if joined.contains(network.id.as_str()) || joined.contains(network.name.as_str()) {
                networks.add(network, ours, &mut keys);
            } else if ours {
                faults.push(unused(&network.name));
            }
        }
        for target in joined {
            if !networks.keys.contains_key(target) {
                let name = request.predefined.get(target).map_or(target, String::as_str);
                networks.add_external(target, name, &mut keys);
            }
        }
        networks
    }

    fn add(&mut self, live: &swarm::Network, ours: bool, keys: &mut Keys) {
        if !ours {
            self.add_external(&live.id, &live.name, keys);
            self.keys.insert(live.name.clone(), self.keys.get(&live.id).cloned().unwrap_or_default());
            return;
        }
        let wish = self.stack.descope(&live.name);
        let key = if live.name == self.stack.scope(DEFAULT) { DEFAULT.to_owned() } else { keys.give(wish) };
        let definition = Network {
            name: (self.stack.scope(&key) != live.name).then(|| live.name.clone()),
            ..definition(live, self.stack)
        };
        self.keys.insert(live.id.clone(), key.clone());
        self.keys.insert(live.name.clone(), key.clone());
        self.names.insert(key.clone(), live.name.clone());
        // The stack's own network is made where nothing is said of it.
        if key != DEFAULT || definition != Network::default() {
            self.definitions.insert(key, definition);
        }
    }

    fn add_external(&mut self, target: &str, name: &str, keys: &mut Keys) {
        let key = keys.give(name);
        let definition = Network { name: (key != name).then(|| name.to_owned()), external: true, ..Network::default() };
        self.keys.insert(target.to_owned(), key.clone());
        self.names.insert(key.clone(), name.to_owned());
        self.definitions.insert(key, definition);
    }

    /// What a service says of its networks: nothing where it joins the stack's own and no other.
    pub fn of_service(&self, key: &str, attachments: &[NetworkAttachment], taken: Taken) -> Option<file::Networks> {
        let mut said: IndexMap<String, Option<Attachment>> = IndexMap::new();
        for attachment in attachments {
            let Some(network) = self.keys.get(&attachment.target) else { continue };
            let mut aliases = attachment.aliases.clone();
            // Lowering puts the service's key behind them.
            if taken == Taken::OfStack && !self.is_predefined(network) && aliases.last().is_some_and(|last| last == key)
            {
                aliases.pop();
            }
            let attachment = Attachment { aliases, driver_opts: attachment.driver_opts.clone() };
            said.insert(network.clone(), Some(attachment).filter(|it| *it != Attachment::default()));
        }
        said.sort_unstable_keys();
        let plain = said.values().all(Option::is_none);
        match said.len() {
            0 => None,
            1 if taken == Taken::OfStack && plain && said.contains_key(DEFAULT) => None,
            _ if plain => Some(file::Networks::Names(said.into_keys().collect())),
            _ => Some(file::Networks::Said(said)),
        }
    }

    fn is_predefined(&self, key: &str) -> bool {
        let name = self.names.get(key).map_or("", String::as_str);
        matches!(name, "host" | "bridge" | "none")
    }

    /// The definitions, by key.
    pub fn into_definitions(mut self) -> IndexMap<String, Network> {
        self.definitions.sort_unstable_keys();
        self.definitions
    }
}

/// What a file says of a network that the stack makes.
fn definition(live: &swarm::Network, stack: &StackName) -> Network {
    let mut options = live.options.clone();
    options.remove(ALLOCATED_OPTION);
    Network {
        name: None,
        external: false,
        driver: if live.driver == "overlay" { String::new() } else { live.driver.clone() },
        driver_opts: options,
        attachable: live.attachable,
        internal: live.internal,
        enable_ipv6: live.enable_ipv6,
        ipam: live.ipam.as_ref().map(ipam).filter(|ipam| *ipam != Ipam::default()),
        labels: own_labels(&live.labels, stack),
    }
}

fn ipam(live: &swarm::Ipam) -> Ipam {
    let pools = live.config.iter().filter(|pool| !is_allocated(pool));
    Ipam {
        driver: if live.driver == "default" { String::new() } else { live.driver.clone() },
        options: live.options.clone(),
        config: pools
            .map(|pool| Pool {
                subnet: pool.subnet.clone(),
                ip_range: pool.ip_range.clone(),
                // The first address is what the engine would take.
                gateway: if first_address(&pool.subnet).as_deref() == Some(&pool.gateway) {
                    String::new()
                } else {
                    pool.gateway.clone()
                },
            })
            .collect(),
    }
}

/// Whether a pool looks as though the engine had chosen it: a network reads back the subnet it was given and the one it was
/// asked for alike. A swarm takes networks of 256 addresses from 10.0.0.0/8 unless it was made otherwise.
fn is_allocated(pool: &swarm::IpamPool) -> bool {
    pool.ip_range.is_empty()
        && pool.subnet.starts_with("10.")
        && pool.subnet.ends_with(".0/24")
        && (pool.gateway.is_empty() || first_address(&pool.subnet).as_deref() == Some(&pool.gateway))
}

/// The first address of a subnet.
fn first_address(subnet: &str) -> Option<String> {
    let address: std::net::Ipv4Addr = subnet.split_once('/')?.0.parse().ok()?;
    Some(std::net::Ipv4Addr::from(address.to_bits().checked_add(1)?).to_string())
}

fn unused(name: &str) -> Diagnostic {
    let message =
        format!("network {name} is left out: no service of the stack joins it, and a stack file makes no such network");
    Diagnostic::note(code::IMPORT_LEFT_OUT, message).hint(format!("`docker network rm {name}`, if nobody needs it"))
}
