//! Deleting what git no longer names, and only that.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::applied::{Applied, Object};
use super::cost::{self, Cost};
use super::index::{Index, content_ids};
use super::policy::Prune;
use super::step::{Action, Effect, Step, Write};
use super::{Input, guard};
use crate::diag::{Diagnostic, code};
use crate::model::{Kind, label};
use crate::swarm::{Resource, ServiceSpec};

/// Deletions go in this order: what refers before what is referred to.
const ORDER: [Kind; 4] = [Kind::Service, Kind::Config, Kind::Secret, Kind::Network];

/// The deletions, last of all steps. `wanted` is what git names, under the names it has in the swarm.
pub(super) fn deletions(
    input: &Input<'_>,
    index: &Index<'_>,
    wanted: &HashSet<Object>,
    steps: &[Step],
    faults: &mut Vec<Diagnostic>,
) -> Vec<Step> {
    if guard::is_empty_by_mistake(input, index) {
        faults.push(guard::empty(input.desired.stack.as_str()));
        return Vec::new();
    }
    let unnamed = unnamed(input, index, wanted);
    if unnamed.is_empty() {
        return Vec::new();
    }
    if input.policy.prune == Prune::Off {
        faults.push(kept_by_policy(&unnamed));
        return Vec::new();
    }
    let forbidden = guard::deletions(input, &unnamed);
    if !forbidden.is_empty() {
        faults.extend(forbidden);
        return Vec::new();
    }
    // What is deleted waits until what replaces it is healthy.
    let writes = steps.iter().filter(|step| step.kind == Kind::Service).map(|step| step.wave.saturating_add(1)).max();
    let wave = writes.or(steps.last().map(|step| step.wave)).unwrap_or(0);
    let services: HashSet<&str> =
        unnamed.iter().filter(|it| it.kind == Kind::Service).map(|it| it.name.as_str()).collect();
    let used = used_afterwards(input, steps, &services);
    let mut deletions = Vec::new();
    for kind in ORDER {
        for object in unnamed.iter().filter(|object| object.kind == kind) {
            let Some(target) = target(input, index, object) else { continue };
            if used.contains(target.id.as_str()) || (kind != Kind::Service && used.contains(object.name.as_str())) {
                faults.extend(kept_in_use(input, object));
                continue;
            }
            deletions.push(target.step(object, wave));
        }
    }
    deletions
}

/// What skep applied, is still there under the stack's label, and git no longer names. What had no label when it was applied
/// has none now.
fn unnamed(input: &Input<'_>, index: &Index<'_>, wanted: &HashSet<Object>) -> BTreeSet<Object> {
    let is_there = |object: &Object| {
        index.labels(object.kind, &object.name).is_some_and(|labels| {
            index.is_labelled(labels)
                || (!labels.contains_key(label::NAMESPACE) && was_taken_as_it_is(input.applied, object))
        })
    };
    let candidates: BTreeSet<Object> = match (input.policy.prune, input.applied) {
        (Prune::Labelled, _) => index
            .labelled_services()
            .map(|service| Object::new(Kind::Service, &*service.spec.name))
            .filter(|object| !wanted.contains(object))
            .collect(),
        (_, Some(applied)) => applied.inventory.iter().filter(|object| !wanted.contains(*object)).cloned().collect(),
        (_, None) => BTreeSet::new(),
    };
    candidates.into_iter().filter(is_there).collect()
}

/// Whether a service was applied without any stack's label.
fn was_taken_as_it_is(applied: Option<&Applied>, object: &Object) -> bool {
    let spec = applied.filter(|_| object.kind == Kind::Service).and_then(|it| it.services.get(&object.name));
    spec.is_some_and(|spec| !spec.labels.contains_key(label::NAMESPACE))
}

/// Names and ids that a service refers to once the plan is carried out, where a rollback would lead included: that is the
/// spec before the last update. What is deleted refers to nothing.
fn used_afterwards<'a>(input: &Input<'a>, steps: &'a [Step], deleted: &HashSet<&str>) -> HashSet<&'a str> {
    // Of each service what its specs refer to, one after the other.
    let mut specs: HashMap<&str, Vec<Vec<&str>>> = HashMap::new();
    for service in input.live.services.iter().filter(|service| !deleted.contains(service.spec.name.as_str())) {
        let specs = specs.entry(&service.spec.name).or_default();
        specs.extend(service.previous_spec.as_deref().map(|previous| previous.references().collect()));
        specs.push(references(&service.spec).collect());
    }
    for step in steps {
        let Some(spec) = step.write.service() else { continue };
        let specs = specs.entry(&step.name).or_default();
        if let Write::Replace { .. } = step.write {
            // Nothing rolls back across its end.
            specs.clear();
        }
        specs.push(references(spec).collect());
    }
    let mut used: HashSet<&str> =
        specs.into_values().flat_map(|specs| specs.into_iter().rev().take(2)).flatten().collect();
    // Where a failure would lead back to.
    let good = input.good.iter().flat_map(|good| &good.services);
    used.extend(good.filter(|(name, _)| !deleted.contains(name.as_str())).flat_map(|(_, spec)| named(spec)));
    used.remove("");
    used
}

fn references(spec: &ServiceSpec) -> impl Iterator<Item = &str> {
    content_ids(spec).chain(spec.task_template.networks.iter().map(|network| network.target.as_str()))
}

/// What a rendering refers to: it holds no ids.
fn named(spec: &ServiceSpec) -> impl Iterator<Item = &str> {
    let container = spec.task_template.container_spec.as_ref();
    let configs = container.into_iter().flat_map(|it| &it.configs).map(|reference| reference.config_name.as_str());
    let secrets = container.into_iter().flat_map(|it| &it.secrets).map(|reference| reference.secret_name.as_str());
    let accounts = container.into_iter().filter_map(|it| it.privileges.as_ref()?.credential_spec.as_ref());
    let accounts = accounts.map(|account| account.config.as_str());
    let networks = spec.task_template.networks.iter().map(|network| network.target.as_str());
    configs.chain(secrets).chain(accounts).chain(networks)
}

struct Target {
    id: String,
    version: crate::swarm::Version,
    cost: Cost,
}

fn target(input: &Input<'_>, index: &Index<'_>, object: &Object) -> Option<Target> {
    let name = object.name.as_str();
    let free = Cost { effect: Effect::Delete, ..Cost::default() };
    let (meta, cost) = match object.kind {
        Kind::Service => {
            let service = index.services.get(name)?;
            (service.meta(), cost::of_deletion(service, &input.live.nodes))
        }
        Kind::Network => (index.networks.get(name)?.meta(), free),
        Kind::Config => (index.configs.get(name)?.meta(), free),
        Kind::Secret => (index.secrets.get(name)?.meta(), free),
        // The nodes make volumes, and what is in them is the users'.
        Kind::Volume | Kind::Task | Kind::Node => return None,
    };
    Some(Target { id: meta.id.to_owned(), version: meta.version, cost })
}

impl Target {
    fn step(self, object: &Object, wave: u32) -> Step {
        let write = Write::Delete { id: self.id, version: self.version };
        Step::costing(object.clone(), Action::Delete, self.cost, Vec::new(), write).in_wave(wave)
    }
}

/// A version that was superseded is kept in silence: it goes as soon as nothing could roll back to it.
fn kept_in_use(input: &Input<'_>, object: &Object) -> Option<Diagnostic> {
    let removed_from_git =
        guard::plain(input, object).is_some_and(|plain| !guard::is_named(input, &Object::new(object.kind, plain)));
    removed_from_git.then(|| {
        Diagnostic::note(
            code::KEPT_IN_USE,
            format!(
                "{} {} is kept although git no longer names it: a service uses it or could roll back to it",
                object.kind, object.name
            ),
        )
    })
}

fn kept_by_policy(unnamed: &BTreeSet<Object>) -> Diagnostic {
    let names: Vec<String> = unnamed.iter().map(|object| format!("{} {}", object.kind, object.name)).collect();
    Diagnostic::note(code::PRUNE_OFF, format!("git no longer names {}, and pruning is off", names.join(", ")))
}
