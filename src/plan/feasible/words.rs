//! What falls short, in words.

use std::collections::BTreeMap;

use super::fit::Obstacle;
use super::rollout::{Short, Shortage};
use crate::diag::{Diagnostic, code};
use crate::swarm::architecture;

/// How many things are named before the rest is counted.
const NAMED: usize = 3;

/// Every message of an estimate says that it is one.
pub(super) const ESTIMATE: &str = "estimated by the nodes as they are now";

/// What falls short of one service.
pub(super) fn explain(shortage: &Shortage, key: &str) -> Diagnostic {
    let reasons = reasons(&shortage.obstacles);
    let deepest = shortage.obstacles.iter().map(|(_, obstacle)| obstacle).max();
    match shortage.kind {
        Short::Few { placed, wanted } => {
            let tasks = if wanted == 1 { "task" } else { "tasks" };
            let message = format!("{key}: {placed} of {wanted} {tasks} would find a node, {ESTIMATE}{reasons}");
            Diagnostic::warning(code_of(deepest), message).hint(hint(deepest))
        }
        Short::Nowhere => {
            let message = format!("{key}: no node would get a task of it, {ESTIMATE}{reasons}");
            Diagnostic::warning(code_of(deepest), message).hint(hint(deepest))
        }
        Short::Waits => Diagnostic::warning(
            code::START_FIRST,
            format!("{key}: no new task would find room beside the old ones, so the update would wait for ever, {ESTIMATE}{reasons}"),
        )
        .hint("`deploy.update_config.order: stop-first`, or room for one more task"),
    }
}

fn code_of(obstacle: Option<&Obstacle>) -> &'static str {
    match obstacle {
        None | Some(Obstacle::Away(_)) => code::NO_NODE,
        Some(Obstacle::Constraints(_)) => code::CONSTRAINTS,
        Some(Obstacle::Platform(_)) => code::PLATFORM,
        Some(Obstacle::Resources(_)) => code::RESOURCES,
        Some(Obstacle::HostPort(_)) => code::HOST_PORT,
        Some(Obstacle::MaxReplicas(_)) => code::MAX_REPLICAS,
    }
}

fn hint(obstacle: Option<&Obstacle>) -> String {
    match obstacle {
        None | Some(Obstacle::Away(_)) => {
            "`docker node ls` shows them; `docker node update --availability active NODE` lets one take tasks again"
                .into()
        }
        Some(Obstacle::Constraints(unmet)) => {
            let label = unmet.iter().find_map(|constraint| {
                let (key, value) = constraint.split_once("==")?;
                Some((key.trim().strip_prefix("node.labels.")?, value.trim()))
            });
            match label {
                Some((label, value)) => format!(
                    "`docker node update --label-add {label}={value} NODE`, or other `deploy.placement.constraints`"
                ),
                None => "other `deploy.placement.constraints`, or a node that meets these".into(),
            }
        }
        Some(Obstacle::Platform(_)) => "an image that is made for these nodes, or a node that it is made for".into(),
        Some(Obstacle::Resources(_)) => "lower `deploy.resources.reservations`, fewer replicas, or another node".into(),
        Some(Obstacle::HostPort(_)) => {
            "a port in host mode admits one task a node: fewer replicas, another port, or `mode: global`".into()
        }
        Some(Obstacle::MaxReplicas(_)) => {
            "a higher `deploy.placement.max_replicas_per_node`, fewer replicas, or another node".into()
        }
    }
}

/// `; n1, n2: port 80/tcp is taken; n3: drained`, the nearest miss first.
fn reasons(obstacles: &[(String, Obstacle)]) -> String {
    let mut nodes: BTreeMap<&Obstacle, Vec<&str>> = BTreeMap::new();
    for (node, obstacle) in obstacles {
        nodes.entry(obstacle).or_default().push(node);
    }
    let mut text = String::new();
    for (obstacle, nodes) in nodes.iter().rev().take(NAMED) {
        text.push_str(&format!("; {}: {obstacle}", names(nodes)));
    }
    let rest: usize = nodes.values().rev().skip(NAMED).map(Vec::len).sum();
    if rest > 0 {
        text.push_str(&format!("; {rest} more do not fit either"));
    }
    if obstacles.is_empty() {
        text.push_str("; there is none");
    }
    text
}

/// The first few names, sorted, and how many more there are.
pub(super) fn names<T: AsRef<str>>(names: &[T]) -> String {
    let mut names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    let first: Vec<&str> = names.iter().take(NAMED).copied().collect();
    match names.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// As `linux/amd64`.
pub(super) fn platform(os: &str, arch: &str) -> String {
    match (os, architecture(arch)) {
        ("", "") => "an unknown platform".to_owned(),
        (os, "") => os.to_owned(),
        ("", arch) => arch.to_owned(),
        (os, arch) => format!("{os}/{arch}"),
    }
}

/// How many CPUs are left of how many.
pub(super) fn cpus(left: i64, need: i64) -> String {
    let cpus = |nano: i64| (nano.max(0) / 10_000_000) as f64 / 100.0;
    format!("{} CPUs are left of the {} a task reserves", cpus(left), cpus(need))
}

/// How much memory is left of how much.
pub(super) fn memory(left: i64, need: i64) -> String {
    const MEBI: i64 = 1024 * 1024;
    let shown = |bytes: i64| match bytes.max(0) {
        bytes if need >= MEBI => format!("{} MiB", bytes / MEBI),
        bytes => format!("{bytes} B"),
    };
    format!("{} of memory are left of the {} a task reserves", shown(left), shown(need))
}
