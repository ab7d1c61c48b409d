//! Deleting what git no longer names, and only that.

use std::collections::{BTreeSet, HashSet};

use super::applied::Object;
use super::cost::{self, Cost};
use super::index::{Index, content_ids};
use super::policy::Prune;
use super::step::{Action, Body, Downtime, Effect, Step, Write};
use super::{Input, guard};
use crate::diag::{Diagnostic, code};
use crate::model::Kind;
use crate::swarm::{PreviousSpec, Resource, ServiceSpec};

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
            deletions.push(target.step(object));
        }
    }
    deletions
}

/// What skep applied, is still there under the stack's label, and git no longer names.
fn unnamed(input: &Input<'_>, index: &Index<'_>, wanted: &HashSet<Object>) -> BTreeSet<Object> {
    let is_there =
        |object: &Object| index.labels(object.kind, &object.name).is_some_and(|labels| index.is_labelled(labels));
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

/// Names and ids that a service refers to once the plan is carried out, where a rollback would lead included. After an
/// update that is the spec of today, before it the one of yesterday; what is deleted refers to nothing.
fn used_afterwards<'a>(input: &Input<'a>, steps: &'a [Step], deleted: &HashSet<&str>) -> HashSet<&'a str> {
    let mut used = HashSet::new();
    let mut updated = HashSet::new();
    for step in steps {
        if let Write::Create(Body::Service { spec, .. }) | Write::Update { body: Body::Service { spec, .. }, .. } =
            &step.write
        {
            used.extend(references(spec));
            updated.insert(step.name.as_str());
        }
    }
    for service in input.live.services.iter().filter(|service| !deleted.contains(service.spec.name.as_str())) {
        used.extend(references(&service.spec));
        if !updated.contains(service.spec.name.as_str()) {
            used.extend(service.previous_spec.as_deref().into_iter().flat_map(PreviousSpec::references));
        }
    }
    used.remove("");
    used
}

fn references(spec: &ServiceSpec) -> impl Iterator<Item = &str> {
    content_ids(spec).chain(spec.task_template.networks.iter().map(|network| network.target.as_str()))
}

struct Target {
    id: String,
    version: crate::swarm::Version,
    cost: Cost,
}

fn target(input: &Input<'_>, index: &Index<'_>, object: &Object) -> Option<Target> {
    let name = object.name.as_str();
    let free = Cost {
        effect: Effect::Delete,
        downtime: Downtime::None,
        tasks_restarting: 0,
        tasks_stopping: 0,
        rollout: None,
    };
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
    fn step(self, object: &Object) -> Step {
        Step {
            action: Action::Delete,
            kind: object.kind,
            name: object.name.clone(),
            effect: Effect::Delete,
            downtime: self.cost.downtime,
            tasks_restarting: 0,
            tasks_stopping: self.cost.tasks_stopping,
            rollout: None,
            changes: Vec::new(),
            write: Write::Delete { id: self.id, version: self.version },
        }
    }
}

/// A version that was superseded is kept in silence: it goes as soon as nothing could roll back to it.
fn kept_in_use(input: &Input<'_>, object: &Object) -> Option<Diagnostic> {
    let is_current = |contents: &std::collections::BTreeMap<String, super::Content>, named: &dyn Fn(&str) -> bool| {
        contents.iter().any(|(plain, content)| content.name == object.name && !named(plain))
    };
    let removed_from_git = match (object.kind, input.applied) {
        (Kind::Config, Some(applied)) => {
            is_current(&applied.configs, &|plain| input.desired.configs.contains_key(plain))
        }
        (Kind::Secret, Some(applied)) => {
            is_current(&applied.secrets, &|plain| input.desired.secrets.contains_key(plain))
        }
        _ => true,
    };
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
