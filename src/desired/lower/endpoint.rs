//! How a service is reached: its mode and its published ports.

use std::collections::BTreeMap;

use super::order::sort_as_go;
use crate::compose::{At, Compose, Port, Service};
use crate::diag::{Diagnostic, Faults, Span, code};
use crate::swarm::{self, EndpointSpec};

/// Present though empty, as `docker stack deploy` sends it.
pub(super) fn lower(service: &At<Service>, faults: &mut Faults) -> EndpointSpec {
    let file = &service.value;
    let mode = file.deploy.endpoint_mode.as_deref().unwrap_or_default().to_lowercase();
    if !matches!(mode.as_str(), "" | "vip" | "dnsrr") {
        let message = format!("`deploy.endpoint_mode` cannot be `{mode}`: it is vip or dnsrr");
        faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(service.span));
    }
    if mode == "dnsrr" {
        for port in file.ports.iter().filter(|port| is_ingress(&port.value)) {
            let message = format!("port {} is published in ingress mode, which needs a virtual IP", port.value.target);
            let hint = "publish it with `mode: host`, or leave out `endpoint_mode: dnsrr`";
            faults.push(Diagnostic::error(code::CONFLICT, message).at(port.span.or(service.span)).hint(hint));
        }
    }
    let mut seen: BTreeMap<(u32, &str), Option<Span>> = BTreeMap::new();
    for port in file.ports.iter().filter(|port| port.value.published != 0) {
        if let Some(first) = seen.insert(key(&port.value), port.span) {
            faults.push(duplicate(port, first, "published twice"));
        }
    }
    let mut ports: Vec<swarm::Port> = file.ports.iter().map(|port| published(&port.value)).collect();
    sort_as_go(&mut ports, |port| port.published_port);
    EndpointSpec { mode, ports, ..EndpointSpec::default() }
}

/// The routing mesh has each port once in the whole swarm: two services of one file can never both have it.
pub(super) fn check_across(compose: &Compose, faults: &mut Faults) {
    let mut holders: BTreeMap<(u32, &str), (&str, &At<Port>)> = BTreeMap::new();
    for (name, service) in &compose.services {
        for port in service.value.ports.iter().filter(|port| port.value.published != 0) {
            match holders.get(&key(&port.value)) {
                Some((holder, first)) if holder != name && (is_ingress(&first.value) || is_ingress(&port.value)) => {
                    faults.push(duplicate(port, first.span, &format!("already published by the service `{holder}`")));
                }
                Some(_) => {}
                None => {
                    holders.insert(key(&port.value), (name, port));
                }
            }
        }
    }
}

fn duplicate(port: &At<Port>, first: Option<Span>, what: &str) -> Diagnostic {
    let (number, protocol) = key(&port.value);
    let diagnostic =
        Diagnostic::error(code::DUPLICATE_PORT, format!("port {number}/{protocol} is {what}")).at(port.span);
    match first {
        Some(first) => diagnostic.related(first, "first published here"),
        None => diagnostic,
    }
}

/// The node's port and its protocol, as the engine will read it.
fn key(port: &Port) -> (u32, &str) {
    let protocol = ["udp", "sctp"].into_iter().find(|known| port.protocol.eq_ignore_ascii_case(known));
    (port.published, protocol.unwrap_or("tcp"))
}

fn is_ingress(port: &Port) -> bool {
    !port.mode.eq_ignore_ascii_case("host")
}

fn published(port: &Port) -> swarm::Port {
    swarm::Port {
        protocol: port.protocol.clone(),
        target_port: port.target,
        published_port: port.published,
        publish_mode: port.mode.clone(),
        ..swarm::Port::default()
    }
}
