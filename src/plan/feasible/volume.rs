//! Volumes that belong to one node, and tasks that may come to another.

use std::collections::BTreeSet;

use super::fit::Demand;
use super::room::House;
use super::start::{Replaced, Start};
use super::words;
use crate::desired::Desired;
use crate::diag::{Diagnostic, code};
use crate::plan::cost::{self, Mode};
use crate::swarm::Mount;

/// Whether a mount is of a volume that each node has for itself. One with a device is where its device is.
fn is_of_a_node(mount: &Mount) -> bool {
    let driver = mount.volume_options.as_ref().and_then(|options| options.driver_config.as_ref());
    mount.kind == "volume"
        && !mount.source.is_empty()
        && driver.is_none_or(|driver| {
            matches!(driver.name.as_str(), "" | "local")
                && !driver.options.keys().any(|option| matches!(option.as_str(), "type" | "o" | "device"))
        })
}

/// What a step means for the volumes of its service, before it is carried out in the books.
pub(super) fn check(start: &Start<'_>, key: &str, house: &House<'_>, desired: &Desired) -> Option<Diagnostic> {
    let container = start.spec.task_template.container_spec.as_ref()?;
    let volumes: Vec<&str> =
        container.mounts.iter().filter(|mount| is_of_a_node(mount)).map(|mount| mount.source.as_str()).collect();
    if volumes.is_empty() || !matches!(cost::mode(start.spec), Mode::Replicated(_)) {
        return None;
    }
    match start.before {
        Some(_) => moving(start, key, house, &volumes),
        None => unpinned(start, key, house, &volumes, desired),
    }
}

/// The tasks of a service are on one node, and what replaces them may come to another.
fn moving(start: &Start<'_>, key: &str, house: &House<'_>, volumes: &[&str]) -> Option<Diagnostic> {
    let before = start.before?.spec.task_template.container_spec.as_ref()?;
    let is_known = |volume: &&&str| before.mounts.iter().any(|mount| is_of_a_node(mount) && mount.source == **volume);
    let volumes: Vec<&str> = volumes.iter().filter(is_known).copied().collect();
    let homes: BTreeSet<usize> = house.lodgers(start.name).iter().map(|lodger| lodger.room).collect();
    let [home] = homes.iter().copied().collect::<Vec<_>>()[..] else { return None };
    if volumes.is_empty() || start.replaced == Replaced::None {
        return None;
    }
    let demand = Demand::of(start.spec);
    let home_name = &house.rooms.get(home)?.node.description.hostname;
    if start.replaced == Replaced::Misplaced && demand.lasting(house.rooms.get(home)?.node).is_none() {
        return None;
    }
    let others = house.rooms.iter().enumerate().filter(|(room, it)| *room != home && demand.obstacle(it).is_none());
    let others: Vec<&str> = others.map(|(_, room)| room.node.description.hostname.as_str()).collect();
    if others.is_empty() {
        return None;
    }
    let message = format!(
        "{key}: what is in {} is on node {home_name}; the new task may start on {}, where that is empty, {}",
        volume_names(&volumes),
        words::names(&others),
        words::ESTIMATE,
    );
    Some(Diagnostic::warning(code::VOLUME_EMPTY, message).hint(pin(home_name)))
}

/// A new service whose task may start elsewhere some day, without what it will have written.
fn unpinned(
    start: &Start<'_>,
    key: &str,
    house: &House<'_>,
    volumes: &[&str],
    desired: &Desired,
) -> Option<Diagnostic> {
    let own: Vec<&str> = volumes.iter().filter(|volume| desired.volumes.contains_key(**volume)).copied().collect();
    let demand = Demand::of(start.spec);
    let nodes = house.rooms.iter().filter(|room| demand.lasting(room.node).is_none()).count();
    if own.is_empty() || nodes < 2 || cost::mode(start.spec) != Mode::Replicated(1) {
        return None;
    }
    let message = format!(
        "{key}: {} will be on the node where its task starts; should another task start on one of the {} others, that is empty there",
        volume_names(&own),
        nodes - 1,
    );
    Some(Diagnostic::note(code::VOLUME_EMPTY, message).hint(pin("NODE")))
}

fn volume_names(volumes: &[&str]) -> String {
    let word = if volumes.len() == 1 { "volume" } else { "volumes" };
    format!("{word} {}", words::names(volumes))
}

fn pin(node: &str) -> String {
    format!("pin it with `deploy.placement.constraints: [node.hostname=={node}]`, or use a volume that all nodes share")
}
