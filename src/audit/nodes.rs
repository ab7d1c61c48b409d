//! Nodes that take no tasks, and how many managers there are.

use super::{Found, Scope, Section, of_service};
use crate::diag::{Severity, code};
use crate::model::Kind;
use crate::swarm::{Node, Service};

pub(super) fn look(scope: &Scope<'_>, found: &mut Vec<Found>) {
    let nodes = &scope.evidence.live.nodes;
    for service in scope.services() {
        found.extend(nodes.iter().filter_map(|node| drain(scope, service, node)));
    }
    if !scope.is_whole() {
        return;
    }
    for node in nodes {
        let says = match (node.status.state.as_str(), node.spec.availability.as_str()) {
            ("ready", "drain") => "is drained: it takes no tasks".to_owned(),
            ("ready", "pause") => "is paused: it keeps its tasks and takes no new ones".to_owned(),
            ("ready", _) => continue,
            (state, _) => format!("is {state}: {}", node.status.message),
        };
        let severity = if node.status.state == "ready" { Severity::Note } else { Severity::Warning };
        found.push(of_node(code::NODE_AWAY, severity, &node.description.hostname, says.trim_end_matches(": ")));
    }
    let managers = nodes.iter().filter(|node| node.manager_status.is_some()).count();
    if managers > 0 && managers.is_multiple_of(2) {
        let says = format!("{managers} managers bear the loss of {}, as {} would", managers / 2 - 1, managers - 1);
        let told = of_node(code::EVEN_MANAGERS, Severity::Warning, "", &says);
        found.push(told.hint("an odd number: `docker node promote` one more, or `docker node demote` one"));
    }
}

/// The only task of a service, on a node that somebody is about to drain.
fn drain(scope: &Scope<'_>, service: &Service, node: &Node) -> Option<Found> {
    let replicas = service.spec.mode.as_ref()?.replicated.as_ref()?.replicas.unwrap_or(1);
    let runs_there = scope.tasks_of(service).any(|task| task.node_id == node.id && task.status.state == "running");
    if replicas != 1 || !runs_there || !matches!(node.spec.availability.as_str(), "pause" | "drain") {
        return None;
    }
    let says = format!(
        "its only task is on {}, which is {}: a drain stops it before the next one runs, 4.0-9.2 s without an answer; 0 where it was \
         moved first",
        node.description.hostname,
        if node.spec.availability == "pause" { "paused" } else { "being drained" }
    );
    let told = of_service(Section::Nodes, code::SINGLE_REPLICA_DRAIN, Severity::Warning, service, says);
    let name = &service.spec.name;
    Some(told.hint(format!(
        "before the drain, with the node paused: `docker service update --force --update-order start-first {name}`"
    )))
}

fn of_node(code: &'static str, severity: Severity, name: &str, says: &str) -> Found {
    Found {
        section: Section::Nodes,
        code: code.to_owned(),
        severity,
        kind: (!name.is_empty()).then_some(Kind::Node),
        name: name.to_owned(),
        stack: None,
        message: says.to_owned(),
        hints: Vec::new(),
    }
}
