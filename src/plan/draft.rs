//! A plan that is being put together from what was found out about each object.

use std::collections::{BTreeMap, HashSet};

use super::applied::{Applied, Content, Object};
use super::index::Index;
use super::step::{Body, Drift, Drifted, Effect, FirstContact, Plan, Step};
use super::{Action, Input, OnDrift, correct, extra, feasible, guard, prune, wave};
use crate::desired::Hook;
use crate::diag::{Diagnostic, has_errors};
use crate::lint::{self, World};
use crate::model::Kind;
use crate::swarm::{NetworkSpec, ServiceSpec};

/// What was found out about one object that git names.
pub(super) struct Outcome {
    /// The object, under the name it has in the swarm.
    pub object: Object,
    pub state: State,
    /// How it differs from what was applied, whether it is written or not.
    pub drift: Option<Drifted>,
    /// What the record shall know of it.
    pub entry: Option<Entry>,
}

/// How an object stands to what git says.
pub(super) enum State {
    /// It is as git says.
    Same,
    /// It differs only from what was applied, which is no reason to write.
    Drifted,
    /// It was applied just as git says and is gone. The step makes it anew, if something that is written needs it.
    Missing(Box<Step>),
    /// It has to be written; a service perhaps twice, in two waves.
    Write(Vec<Step>),
    /// A hook. Whether it runs, the rest of the plan says.
    Hook {
        hook: Hook,
        /// Whether git says something else of it than runs.
        differs: bool,
        /// The write that runs it.
        run: Vec<Step>,
    },
    /// What git says cannot be had.
    Refused,
}

impl State {
    /// One write.
    pub fn write(step: Step) -> Self {
        State::Write(vec![step])
    }
}

/// What the record knows of one object.
pub(super) enum Entry {
    Network(NetworkSpec),
    /// Of a config or secret, with its plain name.
    Content(String, Content),
    Service(Box<ServiceSpec>),
}

impl Outcome {
    pub fn new(object: Object, state: State) -> Self {
        Self { object, state, drift: None, entry: None }
    }

    /// The specs of a service that is written.
    fn written_services(&self) -> impl Iterator<Item = &ServiceSpec> {
        let steps = match &self.state {
            State::Write(steps) | State::Hook { run: steps, .. } => steps.as_slice(),
            _ => &[],
        };
        steps.iter().filter_map(|step| match step.write.body() {
            Some(Body::Service { rendering, .. }) => Some(&**rendering),
            _ => None,
        })
    }
}

/// Whether something is written for another reason than to take back what somebody did: that is what hooks run for.
fn has_news(outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|outcome| match &outcome.state {
        State::Write(steps) => steps.iter().any(|step| !super::is_drift_alone(&step.changes)),
        _ => false,
    })
}

/// Whether a hook runs now. An attempt runs each once; one that waits for a failure runs only when there is one.
fn is_due(input: &Input<'_>, name: &str, hook: Hook, differs: bool, has_news: bool) -> bool {
    let hooks = &input.policy.hooks;
    !hooks.ran.contains(name)
        && match hook {
            Hook::OnFailure => hooks.has_failed,
            Hook::PreDeploy | Hook::PostDeploy => !hooks.has_failed && (differs || has_news || hooks.are_due),
        }
}

/// Names of networks, configs and secrets that services refer to which are written. What is missing is drift, and drift
/// alone writes nothing; but no service can start without what it refers to.
fn needed(outcomes: &[Outcome]) -> HashSet<Object> {
    let mut needed = HashSet::new();
    for template in outcomes.iter().flat_map(Outcome::written_services).map(|spec| &spec.task_template) {
        needed.extend(template.networks.iter().map(|network| Object::new(Kind::Network, &*network.target)));
        let Some(container) = &template.container_spec else { continue };
        needed.extend(container.configs.iter().map(|it| Object::new(Kind::Config, &*it.config_name)));
        needed.extend(container.secrets.iter().map(|it| Object::new(Kind::Secret, &*it.secret_name)));
    }
    needed
}

/// Which of the updates to come would drop requests, of the services whose tasks the plan starts or replaces. Of the others it is
/// said by `validate` and `audit`: a plan that does nothing is quiet. So is one that is blocked: that is what matters then.
fn remarks(input: &Input<'_>, steps: &[Step], faults: &[Diagnostic]) -> Vec<Diagnostic> {
    let starts = |step: &&Step| matches!(step.effect, Effect::Create | Effect::Rolling | Effect::Replace);
    let written = steps.iter().filter(starts).filter_map(|step| Some((step.name.as_str(), step.write.service()?)));
    let written: Vec<(&str, &ServiceSpec)> = written.collect();
    if written.is_empty() || has_errors(faults) {
        return Vec::new();
    }
    let world = World::of_live(input.live).and_files(input.desired);
    lint::of_written(written, input.desired, input.policy.zero_downtime.into(), &world, faults)
}

/// Puts the plan together. `outcomes` come in the order in which they are to be written.
pub(super) fn plan(input: &Input<'_>, index: &Index<'_>, outcomes: Vec<Outcome>, mut faults: Vec<Diagnostic>) -> Plan {
    let (needed, has_news) = (needed(&outcomes), has_news(&outcomes));
    let external = input.desired.external.iter().map(|external| Object::new(external.kind, &*external.name));
    let mut wanted: HashSet<Object> = external.collect();
    let (mut steps, mut drift, mut unchanged) = (Vec::new(), Drift::default(), 0);
    let mut settled = Applied::default();
    let past = input.applied.iter().flat_map(|applied| &applied.inventory);
    settled.inventory.extend(past.filter(|it| index.labels(it.kind, &it.name).is_some()).cloned());
    for Outcome { object, state, drift: drifted, entry } in outcomes {
        let is_there = !matches!(state, State::Refused) && entry.is_some();
        if is_there || matches!(state, State::Missing(_)) {
            settled.inventory.insert(object.clone());
        }
        match state {
            State::Same => unchanged += 1,
            State::Drifted | State::Refused => {}
            State::Missing(step) if needed.contains(&object) => steps.push(*step),
            State::Missing(step) => {
                drift.missing.push(object.clone());
                if correct::is_due(input, &object, &[], &mut faults) {
                    steps.push(*step);
                }
            }
            State::Write(written) => steps.extend(written),
            State::Hook { hook, differs, run } if is_due(input, &object.name, hook, differs, has_news) => {
                steps.extend(run)
            }
            State::Hook { .. } => unchanged += 1,
        }
        drift.changed.extend(drifted);
        if let Some(entry) = entry {
            keep(&mut settled, &object, entry);
        }
        wanted.insert(object);
    }
    wave::assign(input, &mut steps);
    let deletions = prune::deletions(input, index, &wanted, &steps, &mut faults);
    steps.extend(deletions);
    feasible::port::taken(&steps, input.desired, input.live, &mut faults);
    drift.extra = extra::objects(input, &wanted);
    if input.policy.drift == OnDrift::Ignore {
        drift.changed.clear();
        drift.missing.clear();
    }
    settled.protected = guard::protected(input);
    if let Some(applied) = input.applied {
        remember(&mut settled, applied);
    }
    settled = settled.ignoring(input.desired);
    faults.extend(remarks(input, &steps, &faults));
    let stack = input.desired.stack.clone();
    let mut confidential = input.desired.confidential.clone();
    if let Some(applied) = input.applied {
        confidential.extend(&applied.confidential);
    }
    settled.confidential = confidential.clone();
    let mut plan =
        Plan { stack, steps, unchanged, drift, diagnostics: Vec::new(), first_contact: None, settled, confidential };
    plan.remark(faults, input.desired);
    plan.first_contact = first_contact(input, index, &plan);
    if input.policy.direct {
        plan.settled = Applied::default();
    }
    plan
}

fn keep(settled: &mut Applied, object: &Object, entry: Entry) {
    match entry {
        Entry::Network(spec) => drop(settled.networks.insert(object.name.clone(), spec)),
        Entry::Service(spec) => drop(settled.services.insert(object.name.clone(), *spec)),
        Entry::Content(plain, content) if object.kind == Kind::Config => drop(settled.configs.insert(plain, content)),
        Entry::Content(plain, content) => drop(settled.secrets.insert(plain, content)),
    }
}

/// What was applied and is neither written nor gone is still applied, whether git names it or not.
fn remember(settled: &mut Applied, applied: &Applied) {
    fn rest<T: Clone>(to: &mut BTreeMap<String, T>, from: &BTreeMap<String, T>, is_held: impl Fn(&str, &T) -> bool) {
        for (name, value) in from.iter().filter(|(name, value)| is_held(name, value)) {
            if !to.contains_key(name) {
                to.insert(name.clone(), value.clone());
            }
        }
    }
    let inventory = &settled.inventory;
    let holds = |kind: Kind, name: &str| inventory.contains(&Object::new(kind, name));
    rest(&mut settled.services, &applied.services, |name, _| holds(Kind::Service, name));
    rest(&mut settled.networks, &applied.networks, |name, _| holds(Kind::Network, name));
    rest(&mut settled.configs, &applied.configs, |_, content| holds(Kind::Config, &content.name));
    rest(&mut settled.secrets, &applied.secrets, |_, content| holds(Kind::Secret, &content.name));
}

/// A stack that runs without a record is adopted by itself only if nothing of it would restart, stop or be deleted.
fn first_contact(input: &Input<'_>, index: &Index<'_>, plan: &Plan) -> Option<FirstContact> {
    let mut taken =
        input.desired.services.iter().filter(|(name, it)| it.as_is && index.services.contains_key(name.as_str()));
    let runs = taken.next().is_some() || index.labelled_services().next().is_some();
    if input.policy.direct || input.applied.is_some() || !runs {
        return None;
    }
    let is_harmless = |step: &Step| {
        step.tasks_restarting == 0
            && step.tasks_stopping == 0
            && step.effect != Effect::JobRun
            && matches!(step.action, Action::Create | Action::Update)
    };
    let safe = !plan.is_blocked() && plan.steps.iter().all(is_harmless);
    Some(if safe { FirstContact::Safe } else { FirstContact::Unsafe })
}
