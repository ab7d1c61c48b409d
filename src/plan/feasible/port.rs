//! Ports that another service publishes: the engine refuses them outright.

use std::collections::BTreeMap;

use super::start;
use crate::desired::Desired;
use crate::diag::{Diagnostic, code};
use crate::model::Kind;
use crate::plan::step::{Action, Step};
use crate::swarm::{Live, Port, Service, ServiceSpec};

/// The protocol of a port.
pub(super) fn protocol(port: &Port) -> &str {
    if port.protocol.is_empty() { "tcp" } else { &port.protocol }
}

/// Published ports by protocol and number, and whether it is the routing mesh that does.
type Published = BTreeMap<(String, u32), bool>;

fn of_ports<'a>(ports: impl Iterator<Item = &'a Port>) -> Published {
    let ports = ports.filter(|port| port.published_port != 0);
    ports.map(|port| ((protocol(port).to_owned(), port.published_port), port.publish_mode != "host")).collect()
}

fn of_spec(spec: &ServiceSpec) -> Published {
    of_ports(spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports))
}

fn of_service(service: &Service) -> Published {
    let chosen = service.endpoint.iter().flat_map(|endpoint| &endpoint.ports);
    let mut published = of_ports(chosen);
    published.extend(of_spec(&service.spec));
    published
}

/// Ports that a step would publish while another service does. Two services may share one in host mode, on different nodes.
///
/// Steps are looked at in their order: what an earlier one lets go of is free, and what the last one deletes is not yet.
pub(in crate::plan) fn taken(steps: &[Step], desired: &Desired, live: &Live, faults: &mut Vec<Diagnostic>) {
    let written = steps.iter().filter(|step| step.kind == Kind::Service);
    let publishes = |step: &&Step| start::sent(step, live).is_some_and(|(spec, _)| !of_spec(spec).is_empty());
    if !written.clone().any(|step| publishes(&step)) {
        return;
    }
    let mut services: BTreeMap<&str, Published> =
        live.services.iter().map(|service| (service.spec.name.as_str(), of_service(service))).collect();
    for step in written {
        let Some((spec, before)) = start::sent(step, live) else {
            if step.action == Action::Delete {
                services.remove(step.name.as_str());
            }
            continue;
        };
        let wanted = of_spec(spec);
        // The engine looks only where the endpoint is another.
        if before.is_none_or(|before| step.action != Action::Update || of_spec(&before.spec) != wanted) {
            for (port, is_mesh) in &wanted {
                let others = services.iter().filter(|(name, _)| **name != step.name);
                let mut clashes =
                    others.filter(|(_, theirs)| theirs.get(port).is_some_and(|theirs| *theirs || *is_mesh));
                if let Some((other, _)) = clashes.next() {
                    faults.push(refusal(step, port, other, steps, desired));
                }
            }
        }
        services.insert(&step.name, wanted);
    }
}

fn refusal(
    step: &Step,
    (protocol, port): &(String, u32),
    other: &str,
    steps: &[Step],
    desired: &Desired,
) -> Diagnostic {
    let service = desired.services.get(&step.name);
    let key = service.map_or(step.name.as_str(), |service| service.key.as_str());
    let message = format!("{key}: port {port}/{protocol} is published by service {other} already");
    let place = |name: &str| steps.iter().position(|it| it.kind == Kind::Service && it.name == name);
    let hint = match place(other).and_then(|at| steps.get(at)) {
        Some(_) if place(other) < place(&step.name) => {
            "only one service may publish it: give one another port".to_owned()
        }
        Some(later) if later.action == Action::Delete => format!(
            "{other} is deleted last, when all else runs: publish another port, or delete it first with `docker service rm {other}`"
        ),
        Some(_) => format!("this plan would write {other} later: take the port from it first, in a change of its own"),
        None => "publish another port, or take that one from the other service first".to_owned(),
    };
    Diagnostic::error(code::PORT_TAKEN, message).at(service.and_then(|service| service.span)).hint(hint)
}
