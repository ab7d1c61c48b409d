//! The waves of a plan: what is written waits until what it needs is healthy.
//!
//! Inside a stack `depends_on` orders, and so do hooks: a pre-deploy hook comes before everything that it does not itself
//! need, a post-deploy hook after everything. A service that the plan does not write holds nothing up. Services that nothing
//! orders roll at the same time, as many as [`super::Policy::parallel`] allows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Input;
use super::step::{Action, Step};
use crate::desired::{Desired, Hook, Service};
use crate::model::Kind;

/// Gives every step its wave, in which the steps keep their order. A service that is written twice, to join a network and to
/// leave another, leaves when all have joined.
pub(super) fn assign(input: &Input<'_>, steps: &mut [Step]) {
    let services = steps.iter().filter(|it| it.kind == Kind::Service).map(|it| it.name.clone());
    let written: BTreeSet<String> = services.collect();
    let mut depths = depths(input.desired, &written.iter().map(String::as_str).collect());
    let is_at_once = input.policy.hooks.unwatched && steps.iter().all(|step| step.hook.is_none());
    if is_at_once {
        // What others need is written first.
        steps.sort_by_key(|step| (step.wave, depths.get(step.name.as_str()).copied().unwrap_or(0)));
        depths.clear();
    }
    let deepest = depths.values().copied().max().unwrap_or(0);
    for step in steps.iter_mut().filter(|step| step.kind == Kind::Service) {
        step.wave = match step.wave {
            0 => depths.get(step.name.as_str()).copied().unwrap_or(0),
            later => deepest.saturating_add(later),
        };
    }
    // Stable: within a wave the order of writes stays.
    steps.sort_by_key(|step| step.wave);
    if let Some(parallel) = input.policy.parallel.filter(|_| !is_at_once) {
        split(steps, parallel.max(1));
    }
}

/// How many services that are written each of them waits for, one after the other, by full name.
fn depths(desired: &Desired, written: &BTreeSet<&str>) -> BTreeMap<String, u32> {
    let needs: HashMap<&str, Vec<&str>> = written
        .iter()
        .filter_map(|name| Some((*name, needs(desired, name, desired.services.get(*name)?, written))))
        .collect();
    let mut depths = BTreeMap::new();
    for name in written {
        depth(name, &needs, &mut depths);
    }
    depths
}

/// The files' own circles were broken when they were read, and a hook never waits for what waits for it: there is no circle
/// here. Should one come about, it counts as begun.
fn depth(name: &str, needs: &HashMap<&str, Vec<&str>>, depths: &mut BTreeMap<String, u32>) -> u32 {
    if let Some(known) = depths.get(name) {
        return *known;
    }
    depths.insert(name.to_owned(), 0);
    let direct = needs.get(name).into_iter().flatten();
    let found = direct.map(|other| depth(other, needs, depths).saturating_add(1)).max().unwrap_or(0);
    depths.insert(name.to_owned(), found);
    found
}

/// What a service waits for, of what is written.
fn needs<'a>(desired: &'a Desired, name: &str, service: &Service, written: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let declared = reached(desired, service);
    let hook = |other: &str| desired.services.get(other).and_then(|other| other.hook);
    let waits = |other: &&&str| {
        let other: &str = other;
        let by_hooks = match (service.hook, hook(other)) {
            _ if other == name => false,
            // Its own dependencies a hook cannot precede, nor can it wait for what waits for it.
            (_, Some(Hook::PreDeploy)) => {
                service.hook != Some(Hook::PreDeploy)
                    && desired.services.get(other).is_none_or(|hook| !reached(desired, hook).contains(name))
            }
            (Some(Hook::PostDeploy), Some(Hook::PostDeploy)) => false,
            (Some(Hook::PostDeploy), _) => {
                desired.services.get(other).is_none_or(|other| !reached(desired, other).contains(name))
            }
            _ => false,
        };
        by_hooks || declared.contains(other)
    };
    written.iter().filter(waits).copied().collect()
}

/// The full names of everything that a service needs, what those need included.
fn reached<'a>(desired: &'a Desired, service: &'a Service) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![service];
    while let Some(service) = open.pop() {
        for dependency in &service.depends_on {
            let found = desired.services.iter().find(|(_, other)| other.key == dependency.service);
            if let Some((name, other)) = found
                && reached.insert(name.as_str())
            {
                open.push(other);
            }
        }
    }
    reached
}

/// Splits waves in which more services replace their tasks than may at once. What is made new is not counted: it takes nothing
/// away, and services that need each other without saying so come up only together.
fn split(steps: &mut [Step], parallel: u32) {
    let (mut shift, mut rolling, mut wave) = (0, 0_u32, None);
    for step in steps {
        if wave.replace(step.wave) != Some(step.wave) {
            rolling = 0;
        }
        if step.kind == Kind::Service && step.action != Action::Create && step.tasks_restarting > 0 {
            if rolling == parallel {
                (shift, rolling) = (shift + 1, 0);
            }
            rolling += 1;
        }
        step.wave += shift;
    }
}
