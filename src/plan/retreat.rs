//! The way back: what a failed attempt has written of a stack becomes again what last ran well.
//!
//! Swarm takes back the one service whose rollout failed, to the spec before; a stack is more than one service, and the spec
//! before may be that of a revision which never came up. So the way back leads to the recorded rendering, with the digests
//! that ran, for every service that the attempt has written, the last one first.

use std::collections::BTreeSet;

use super::applied::{Applied, Object};
use super::cost;
use super::diff::{self, Base};
use super::index::Index;
use super::seal;
use super::service::{comparable, keep_predefined, value};
use super::step::{Action, Body, Drift, Plan, Step, Write};
use super::{fill_references, guard, opened};
use crate::model::{Kind, StackName};
use crate::swarm::canonical::{canonical_service, keep_order};
use crate::swarm::{Live, Mount, Service, ServiceSpec};

/// What there is to take back.
#[derive(Debug, Clone, Copy)]
pub struct Failed<'a> {
    /// The stack.
    pub stack: &'a StackName,
    /// What the swarm holds.
    pub live: &'a Live,
    /// The rendering that last ran well.
    pub good: &'a Applied,
    /// What the attempt has applied.
    pub attempted: &'a Applied,
    /// The services that it has written, in that order.
    pub written: &'a [String],
    /// Those of them that are hooks: these do not go back.
    pub hooks: &'a BTreeSet<String>,
}

/// The way back.
#[derive(Debug, Clone, PartialEq)]
pub struct Retreat {
    /// The writes that lead there, the last service first. Empty where everything is back that can be.
    pub plan: Plan,
    /// What is left as it is, and why.
    pub left: Vec<Left>,
    /// What is applied when it is carried out: the good rendering, but for what is left.
    pub applied: Applied,
}

/// A service that is not taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its full name.
    pub service: String,
    /// Why, as the end of a sentence: `it has a volume of its own`.
    pub why: &'static str,
}

/// Why nothing is taken back once a hook has run.
pub const AFTER_HOOK: &str = "a pre-deploy hook has run, and what it did stays";

const NEW: &str = "this revision made it";
const MOUNT: &str = "it has a writable mount of its own, which the new version may have changed";
const MODE: &str = "its mode changed, which only a deletion would undo";
const GONE: &str = "a network, config or secret that it had is gone";
const SECRET: &str = "it had a secret text that only an earlier commit holds";

/// Plans the way back. A service that is as it was needs nothing, be it that Swarm has taken it back already.
pub fn retreat(failed: &Failed<'_>) -> Retreat {
    let known = if failed.good.sealed { opened(failed.stack, failed.good, failed.live, None) } else { None };
    let good = known.as_ref().unwrap_or(failed.good);
    let index = Index::new(failed.stack, failed.live, Some(good));
    let (mut steps, mut left) = (Vec::new(), Vec::new());
    let mut applied = merged(good, failed.attempted);
    for name in failed.written.iter().rev().filter(|name| !failed.hooks.contains(*name)) {
        let Some(live) = index.services.get(name.as_str()) else { continue };
        match back(&index, live, good.services.get(name), failed.live) {
            Ok(step) => steps.extend(step),
            Err(why) => {
                // Where nothing ever ran there is nothing to go back to, and that goes without saying.
                if !good.services.is_empty() {
                    left.push(Left { service: name.clone(), why });
                }
                keep_attempted(&mut applied, failed.attempted, name);
            }
        }
    }
    let plan = Plan {
        stack: failed.stack.clone(),
        steps,
        unchanged: 0,
        drift: Drift::default(),
        diagnostics: Vec::new(),
        first_contact: None,
        settled: failed.attempted.clone(),
        confidential: applied.confidential.clone(),
    };
    Retreat { plan, left, applied }
}

/// What is applied where nothing is taken back but what Swarm took back itself: of each service that was written, what it is.
pub fn remainder(failed: &Failed<'_>) -> Applied {
    let index = Index::new(failed.stack, failed.live, Some(failed.attempted));
    let mut applied = merged(failed.good, failed.attempted);
    for name in failed.written {
        let is_as_sent = failed.attempted.services.get(name).is_some_and(|sent| {
            index.services.get(name.as_str()).is_some_and(|live| restored(&index, sent, live).is_none())
        });
        if is_as_sent {
            keep_attempted(&mut applied, failed.attempted, name);
        }
    }
    applied
}

/// What runs of a stack, as a rendering: what there is to go back to where no record says.
pub fn found(stack: &StackName, live: &Live) -> Applied {
    let index = Index::new(stack, live, None);
    let mut applied = Applied::default();
    for service in index.labelled_services() {
        let mut spec = comparable(&index, service.spec.clone());
        if let Some(container) = &mut spec.task_template.container_spec {
            container.configs.iter_mut().for_each(|reference| reference.config_id.clear());
            container.secrets.iter_mut().for_each(|reference| reference.secret_id.clear());
        }
        applied.inventory.insert(Object::new(Kind::Service, &*spec.name));
        applied.services.insert(spec.name.clone(), spec);
    }
    applied
}

/// The good rendering, beside all that was made since.
fn merged(good: &Applied, attempted: &Applied) -> Applied {
    let mut applied = good.clone();
    applied.inventory.extend(attempted.inventory.iter().cloned());
    for (name, spec) in &attempted.networks {
        applied.networks.entry(name.clone()).or_insert_with(|| spec.clone());
    }
    for (plain, content) in &attempted.configs {
        applied.configs.entry(plain.clone()).or_insert_with(|| content.clone());
    }
    for (plain, content) in &attempted.secrets {
        applied.secrets.entry(plain.clone()).or_insert_with(|| content.clone());
    }
    applied.confidential.extend(&attempted.confidential);
    applied
}

fn keep_attempted(applied: &mut Applied, attempted: &Applied, name: &str) {
    if let Some(spec) = attempted.services.get(name) {
        applied.services.insert(name.to_owned(), spec.clone());
        applied.inventory.insert(Object::new(Kind::Service, name));
    }
}

/// The write that takes a service back; nothing where it is back.
fn back(
    index: &Index<'_>,
    live: &Service,
    good: Option<&ServiceSpec>,
    swarm: &Live,
) -> Result<Option<Step>, &'static str> {
    let good = good.ok_or(NEW)?;
    let Some(spec) = restored(index, good, live) else { return Ok(None) };
    if cost::mode(&live.spec).is_other_kind(cost::mode(good)) {
        return Err(MODE);
    }
    if is_writing(&live.spec) || is_writing(good) {
        return Err(MOUNT);
    }
    let mut is_sealed = false;
    seal::texts(&value(&spec), &mut |text| is_sealed |= seal::is_sealed(text));
    if is_sealed {
        return Err(SECRET);
    }
    let mut spec = spec;
    if lacks_network(index, good, &live.spec) || fill_references(&mut spec, |_, _| None).is_err() {
        return Err(GONE);
    }
    let (found, wanted) = (comparable(index, live.spec.clone()), comparable(index, spec.clone()));
    let mut changes = diff::changes(&value(&found), &value(&wanted), Base::Applied(Some(&value(&found))));
    cost::assess_changes(&mut changes, live, &wanted, &swarm.nodes);
    let cost = cost::of_update(&changes, live, &wanted, &swarm.nodes);
    let body = Body::Service { rendering: Box::new(good.clone()), spec: Box::new(spec) };
    let write = Write::Update { id: live.id.clone(), version: live.version, body };
    Ok(Some(Step::costing(Object::new(Kind::Service, &*live.spec.name), Action::Update, cost, changes, write)))
}

/// The spec that a service would get back, ids as far as they are known; `None` where that is what it has.
fn restored(index: &Index<'_>, good: &ServiceSpec, live: &Service) -> Option<ServiceSpec> {
    let mut spec = good.clone();
    spec.task_template.force_update = live.spec.task_template.force_update;
    index.fill_references(&mut spec);
    for network in &mut spec.task_template.networks {
        if let Some(id) = index.network_id(&network.target) {
            network.target = id;
        }
    }
    keep_predefined(index, &mut spec, Some(&live.spec));
    canonical_service(&mut spec);
    keep_order(&mut spec, &live.spec);
    let (found, wanted) = (comparable(index, live.spec.clone()), comparable(index, spec.clone()));
    (found != wanted).then_some(spec)
}

/// Whether a network that a service had is gone. The engine's own are in no list.
fn lacks_network(index: &Index<'_>, good: &ServiceSpec, live: &ServiceSpec) -> bool {
    let (had, has) = (&good.task_template.networks, &live.task_template.networks);
    had.iter().any(|network| {
        let target = &network.target;
        !guard::is_predefined(target)
            && index.network_id(target).is_none()
            && !has.iter().any(|it| it.target == *target)
    })
}

/// Whether what a service writes outlives its tasks, and is nobody else's.
fn is_writing(spec: &ServiceSpec) -> bool {
    let is_kept = |mount: &Mount| !mount.read_only && mount.kind != "tmpfs";
    spec.task_template.container_spec.as_ref().is_some_and(|container| container.mounts.iter().any(is_kept))
}
