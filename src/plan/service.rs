//! Services: what is sent where something differs, and nothing where nothing does.

mod hook;
mod join;
pub(super) mod keep;
mod refuse;
mod replace;

use std::collections::HashSet;

use serde_json::Value;

use super::applied::Object;
use super::content::Names;
use super::cost::{self, Cost};
use super::diff::{self, Base};
use super::draft::{Entry, Outcome, State};
use super::index::{Index, Owner};
use super::lines::Texts;
use super::network::Networks;
use super::step::{Action, Body, Change, Drifted, Effect, Origin, Step, Write};
use super::{Input, base, correct, guard, ignore, is_drift_alone};
use crate::desired;
use crate::diag::{Diagnostic, code};
use crate::model::{Kind, label};
use crate::swarm::canonical::{canonical_service, forget_unstored, keep_order, resolve_networks};
use crate::swarm::{Service, ServiceSpec, effects};

/// Every service of the stack.
pub(super) fn resolve(
    input: &Input<'_>,
    index: &Index<'_>,
    names: &Names<'_>,
    networks: &Networks<'_>,
    faults: &mut Vec<Diagnostic>,
    ignored: &mut Vec<Drifted>,
) -> Vec<Outcome> {
    let planner = Planner { input, index, names, networks, joined: join::needed(input, index, networks) };
    let services = input.desired.services.iter();
    services.map(|(name, service)| planner.one(name, service, faults, ignored)).collect()
}

struct Planner<'p, 'a> {
    input: &'p Input<'a>,
    index: &'p Index<'a>,
    names: &'p Names<'a>,
    networks: &'p Networks<'a>,
    /// Networks that services must not leave before all of them have joined what comes instead, by id.
    joined: HashSet<&'p str>,
}

impl Planner<'_, '_> {
    fn one(
        &self,
        name: &str,
        service: &desired::Service,
        faults: &mut Vec<Diagnostic>,
        ignored: &mut Vec<Drifted>,
    ) -> Outcome {
        let applied = self.input.applied.and_then(|applied| applied.services.get(name));
        self.warn_of_unstored(service, faults);
        let live = self.index.services.get(name).copied();
        let outcome = self.plain(name, service, live, applied, faults, ignored);
        match service.hook {
            None => outcome,
            Some(hook) => self.hook(hook, service, live, applied, outcome),
        }
    }

    /// What is found out about a service that may be no hook.
    fn plain(
        &self,
        name: &str,
        service: &desired::Service,
        live: Option<&Service>,
        applied: Option<&ServiceSpec>,
        faults: &mut Vec<Diagnostic>,
        ignored: &mut Vec<Drifted>,
    ) -> Outcome {
        let Some(live) = live else { return self.absent(name, service, applied) };
        let owner = self.index.owner(Kind::Service, name, &live.spec.labels);
        if owner == Owner::Ours || (owner == Owner::Nobody && service.as_is) {
            self.present(name, service, live, applied, faults, ignored)
        } else {
            faults.push(guard::taken(Kind::Service, name, owner, service.span));
            Outcome::new(Object::new(Kind::Service, name), State::Refused)
        }
    }

    /// An engine that is older than a field takes it and forgets it. It is not sent, and the user is told.
    fn warn_of_unstored(&self, service: &desired::Service, faults: &mut Vec<Diagnostic>) {
        let Some(minor) = self.input.live.api_minor else { return };
        for path in forget_unstored(&mut service.spec.clone(), minor) {
            let message = format!("{}: this engine (API 1.{minor}) forgets `{path}`, so it is not sent", service.key);
            faults.push(Diagnostic::warning(code::UNSTORED, message).at(service.span));
        }
    }

    fn absent(&self, name: &str, service: &desired::Service, applied: Option<&ServiceSpec>) -> Outcome {
        let spec = self.wanted(service, None, applied);
        let rendering = self.rendering(spec.clone());
        let is_applied = applied.is_some_and(|applied| {
            let mut applied = applied.clone();
            canonical_service(&mut applied);
            applied == rendering
        });
        let origin = match self.input.applied {
            None => Origin::Unknown,
            Some(_) if is_applied => Origin::Drift,
            Some(_) => Origin::Git,
        };
        let mut changes = diff::changes(&Value::Null, &value(&rendering), Base::Unknown);
        for change in &mut changes {
            (change.effect, change.origin) = (Effect::Create, origin);
        }
        let object = Object::new(Kind::Service, name);
        let write = Write::Create(Body::Service { spec: Box::new(spec), rendering: Box::new(rendering) });
        let step = Step::free(object.clone(), Action::Create, Effect::Create, changes, write);
        let state = if is_applied { State::Missing(Box::new(step)) } else { State::write(step) };
        Outcome::new(object, state)
    }

    fn present(
        &self,
        name: &str,
        service: &desired::Service,
        live: &Service,
        applied: Option<&ServiceSpec>,
        faults: &mut Vec<Diagnostic>,
        ignored: &mut Vec<Drifted>,
    ) -> Outcome {
        let object = Object::new(Kind::Service, name);
        let entry = |rendering| Some(Entry::Service(Box::new(rendering)));
        let counted = || counted(live, applied?, &ignore::of(service));
        let same = |wanted| Outcome {
            drift: counted().map(|change| self.drifted(live, &wanted, vec![change])),
            entry: entry(self.settled(wanted, applied)),
            ..Outcome::new(Object::new(Kind::Service, name), State::Same)
        };
        let mut wanted = self.wanted(service, Some(&live.spec), applied);
        canonical_service(&mut wanted);
        // What skep wrote reads back as it was sent: no need to copy the live spec to see that nothing differs.
        keep_order(&mut wanted, &live.spec);
        if wanted == live.spec {
            return same(wanted);
        }
        let found = comparable(self.index, live.spec.clone());
        let mut wanted = comparable(self.index, wanted);
        if wanted == found {
            return same(wanted);
        }
        ignored.extend(self.ignore(service, live, &found, &mut wanted));
        let mut changes = self.changes(&found, &wanted, applied);
        if changes.is_empty() {
            return same(wanted);
        }
        cost::assess_changes(&mut changes, live, &wanted, &self.input.live.nodes);
        if is_drift_alone(&changes) && !self.corrects(service, &object, (&found, &wanted), &changes, faults) {
            changes.extend(counted());
            let drift = Some(self.drifted(live, &wanted, changes));
            return Outcome { object, state: State::Drifted, drift, entry: entry(self.settled(wanted, applied)) };
        }
        if cost::replaces_tasks(&changes) && keep::drop_bookkeeping(&mut wanted, &service.spec) {
            changes = self.changes(&found, &wanted, applied);
            cost::assess_changes(&mut changes, live, &wanted, &self.input.live.nodes);
        }
        let drift = self.overwritten(live, &wanted, applied, &changes, counted());
        // What is yet to be written is not applied. Without a record, what runs is what was.
        let entry = entry(applied.cloned().unwrap_or_else(|| self.rendering(found.clone())));
        let before = faults.len();
        refuse::immutable(service, name, &found, &wanted, faults);
        let state = if faults.len() > before {
            State::Refused
        } else if replace::is_needed(&found, &wanted) {
            self.replace(service, live, &wanted, changes, applied, faults)
        } else {
            let step = self.update(service, live, &wanted, changes, applied, faults);
            let then = self.leave(service, live, &step, applied, faults);
            State::Write(std::iter::once(step).chain(then).collect())
        };
        Outcome { object, state, drift, entry }
    }

    /// Whether drift alone is written back.
    fn corrects(
        &self,
        service: &desired::Service,
        object: &Object,
        (found, wanted): (&ServiceSpec, &ServiceSpec),
        changes: &[Change],
        faults: &mut Vec<Diagnostic>,
    ) -> bool {
        let mut refused = Vec::new();
        refuse::immutable(service, &object.name, found, wanted, &mut refused);
        refused.is_empty() && correct::is_due(self.input, object, changes, faults)
    }

    /// The spec as it would be sent.
    fn wanted(
        &self,
        service: &desired::Service,
        live: Option<&ServiceSpec>,
        applied: Option<&ServiceSpec>,
    ) -> ServiceSpec {
        let mut spec = service.spec.clone();
        self.refer(&mut spec);
        self.stay(&mut spec, live);
        resolve_networks(&mut spec, |name| self.index.network_id(name));
        keep_predefined(self.index, &mut spec, live);
        keep::image_and_platforms(&mut spec, live, applied);
        keep::order_of_variables(&mut spec, live, applied);
        let past = live.or(applied);
        if !service.said.replicas {
            keep::numbers(&mut spec.mode, past.and_then(|past| past.mode.as_ref()));
        }
        if let Some(live) = live {
            keep::bookkeeping(&mut spec, live);
        }
        spec.task_template.force_update = past.map_or(0, |past| past.task_template.force_update);
        if let Some(minor) = self.input.live.api_minor {
            forget_unstored(&mut spec, minor);
        }
        spec
    }

    /// Moves references to the objects that hold the wanted contents.
    fn refer(&self, spec: &mut ServiceSpec) {
        for attachment in &mut spec.task_template.networks {
            if let Some(name) = self.networks.names.get(attachment.target.as_str()) {
                attachment.target.clone_from(name);
            }
        }
        let Some(container) = &mut spec.task_template.container_spec else { return };
        if let Some(spec) = container.privileges.as_mut().and_then(|privileges| privileges.credential_spec.as_mut())
            && let Some(name) = self.names.configs.get(spec.config.as_str())
        {
            spec.config.clone_from(name);
        }
        for reference in &mut container.configs {
            if let Some(name) = self.names.configs.get(reference.config_name.as_str()) {
                reference.config_name.clone_from(name);
            }
        }
        for reference in &mut container.secrets {
            if let Some(name) = self.names.secrets.get(reference.secret_name.as_str()) {
                reference.secret_name.clone_from(name);
            }
        }
        self.index.fill_references(spec);
    }

    /// The form that the record holds: comparable, without ids, which say nothing once an object was made anew, and without
    /// what another tool wrote for itself.
    fn rendering(&self, spec: ServiceSpec) -> ServiceSpec {
        let mut spec = comparable(self.index, spec);
        if let Some(container) = &mut spec.task_template.container_spec {
            container.configs.iter_mut().for_each(|reference| reference.config_id.clear());
            container.secrets.iter_mut().for_each(|reference| reference.secret_id.clear());
        }
        keep::drop_bookkeeping(&mut spec, &ServiceSpec::default());
        spec
    }

    /// What the record is to hold of a service that is not written: a counter that somebody raised stays what was applied, or
    /// the next look would not know of it.
    fn settled(&self, spec: ServiceSpec, applied: Option<&ServiceSpec>) -> ServiceSpec {
        let mut spec = self.rendering(spec);
        if let Some(applied) = applied {
            spec.task_template.force_update = applied.task_template.force_update;
        }
        spec
    }

    /// Makes `wanted` what is found wherever no difference looks, and says what would have differed there.
    fn ignore(
        &self,
        service: &desired::Service,
        live: &Service,
        found: &ServiceSpec,
        wanted: &mut ServiceSpec,
    ) -> Option<Drifted> {
        let said = std::mem::replace(wanted, left_alone(&ignore::of(service), found, wanted.clone()));
        (said != *wanted).then(|| ignored(live, wanted, &said))
    }

    /// The differences.
    fn changes(&self, found: &ServiceSpec, wanted: &ServiceSpec, applied: Option<&ServiceSpec>) -> Vec<Change> {
        let (found_value, wanted_value) = (value(found), value(wanted));
        let applied = applied.map(|applied| {
            let mut applied = applied.clone();
            canonical_service(&mut applied);
            self.index.fill_references(&mut applied);
            keep::pin(&mut applied, found);
            value(&applied)
        });
        let mut changes = diff::changes(&found_value, &wanted_value, base(applied.as_ref()));
        for change in &mut changes {
            if change.path.ends_with("/ConfigName") {
                if let Some(texts) = self.texts(change) {
                    change.tell(texts);
                }
            } else if change.path.ends_with("/SecretName") {
                change.detail = Some("content differs".to_owned());
            } else if change.path.rsplit('/').next().is_some_and(label::is_bookkeeping) {
                change.origin = Origin::Skep;
            }
        }
        changes
    }

    /// The contents of a config that is exchanged for another, if both are there; nothing of them where one may not be shown
    /// or is no text.
    fn texts(&self, change: &Change) -> Option<Option<Texts>> {
        let is_hidden = |name: &str| {
            let wanted = self.names.configs.iter().find(|(_, actual)| *actual == name);
            let wanted = wanted.and_then(|(plain, _)| self.input.desired.configs.get(*plain));
            let mut applied = self.input.applied.into_iter().flat_map(|applied| applied.configs.values());
            wanted.is_some_and(|config| config.confidential)
                || applied.any(|content| content.name == name && content.confidential)
        };
        let (before, after) = (change.before.as_ref()?.as_str()?, change.after.as_ref()?.as_str()?);
        let data = |name: &str| {
            let wanted = self.names.configs.iter().find(|(_, actual)| *actual == name);
            match wanted.and_then(|(plain, _)| self.input.desired.configs.get(*plain)) {
                Some(config) => Some(config.spec.data.as_str()),
                None => self.index.configs.get(name).map(|config| config.spec.data.as_str()),
            }
        };
        let is_shown = !is_hidden(before) && !is_hidden(after);
        Some(if is_shown { Texts::of_data(data(before)?, data(after)?) } else { None })
    }

    fn drifted(&self, live: &Service, wanted: &ServiceSpec, changes: Vec<Change>) -> Drifted {
        Drifted::service(live, wanted, changes, &self.input.live.nodes)
    }

    /// The drift that an update for git's sake overwrites: what was found against what was applied.
    fn overwritten(
        &self,
        live: &Service,
        wanted: &ServiceSpec,
        applied: Option<&ServiceSpec>,
        changes: &[Change],
        counted: Option<Change>,
    ) -> Option<Drifted> {
        let applied = applied.map(value);
        let drift: Vec<Change> = changes
            .iter()
            .filter(|change| matches!(change.origin, Origin::Drift | Origin::Both))
            .map(|change| match change.origin {
                Origin::Both => {
                    let after = applied.as_ref().and_then(|applied| applied.pointer(&change.path)).cloned();
                    Change { after, ..change.clone() }
                }
                _ => change.clone(),
            })
            .chain(counted)
            .collect();
        (!drift.is_empty()).then(|| self.drifted(live, wanted, drift))
    }

    /// The spec that is sent for a service that is there: what no diff looks at stays, and so does the order of lists.
    fn sent(
        &self,
        service: &desired::Service,
        live: &Service,
        applied: Option<&ServiceSpec>,
        replaces_tasks: bool,
    ) -> ServiceSpec {
        let mut spec = self.wanted(service, Some(&live.spec), applied);
        if replaces_tasks {
            keep::drop_bookkeeping(&mut spec, &service.spec);
        }
        let mut spec = left_alone(&ignore::of(service), &live.spec, spec);
        keep_order(&mut spec, &live.spec);
        spec
    }

    fn update(
        &self,
        service: &desired::Service,
        live: &Service,
        wanted: &ServiceSpec,
        mut changes: Vec<Change>,
        applied: Option<&ServiceSpec>,
        faults: &mut Vec<Diagnostic>,
    ) -> Step {
        let mut spec = self.sent(service, live, applied, cost::replaces_tasks(&changes));
        if effects::is_overlooked(changes.iter().map(|change| change.path.as_str())) {
            spec.task_template.force_update = spec.task_template.force_update.saturating_add(1);
            changes.push(cost::force(&live.spec));
        }
        let cost = cost::of_update(&changes, live, wanted, &self.input.live.nodes);
        faults.extend(cost::explain(&cost, &service.key, service.span));
        self.updating(live, spec, cost, changes).in_wave(self.wave(live))
    }

    /// The update of a service that is there.
    fn updating(&self, live: &Service, spec: ServiceSpec, cost: Cost, changes: Vec<Change>) -> Step {
        let write = Write::Update { id: live.id.clone(), version: live.version, body: self.body(spec) };
        let object = Object::new(Kind::Service, &*live.spec.name);
        Step::costing(object, Action::Update, cost, changes, write)
    }

    /// A spec as it is sent and as it is recorded.
    fn body(&self, spec: ServiceSpec) -> Body {
        Body::Service { rendering: Box::new(self.rendering(spec.clone())), spec: Box::new(spec) }
    }
}

/// `ForceUpdate` is always the live one: to put it back would restart every task, for a number that says nothing. That
/// somebody raised it is told until the service's next write.
pub(super) fn counted(live: &Service, applied: &ServiceSpec, ignored: &[String]) -> Option<Change> {
    let found = live.spec.task_template.force_update;
    let applied = applied.task_template.force_update;
    let is_ignored = ignored.iter().any(|path| path == cost::FORCE_UPDATE);
    (found != applied && !is_ignored).then(|| Change {
        detail: Some(format!("found {found}, applied {applied}: carried over")),
        ..cost::counter(found, applied, Effect::None, Origin::Drift)
    })
}

/// A spec with what is found at some paths.
pub(super) fn left_alone(paths: &[String], found: &ServiceSpec, wanted: ServiceSpec) -> ServiceSpec {
    if paths.is_empty() {
        return wanted;
    }
    let mut left = value(&wanted);
    ignore::carry_over(paths, &value(found), &mut left);
    serde_json::from_value(left).unwrap_or(wanted)
}

/// What differs where no difference counts: `left` has it as it is found, `said` as it was to be.
pub(super) fn ignored(live: &Service, left: &ServiceSpec, said: &ServiceSpec) -> Drifted {
    let said = value(said);
    let changes = diff::changes(&value(left), &said, Base::Applied(Some(&said)));
    Drifted::free(Object::new(Kind::Service, &*live.spec.name), &live.updated_at, changes)
}

/// A spec as JSON, for its fields to be walked.
pub(super) fn value(spec: &ServiceSpec) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}

/// The form in which two specs are compared and shown: canonical, with networks by name.
pub(super) fn comparable(index: &Index<'_>, mut spec: ServiceSpec) -> ServiceSpec {
    index.name_networks(&mut spec);
    canonical_service(&mut spec);
    spec
}

/// `host` and `bridge` are sent by name and read back as ids that no list explains.
pub(super) fn keep_predefined(index: &Index<'_>, spec: &mut ServiceSpec, live: Option<&ServiceSpec>) {
    let Some(live) = live else { return };
    let mut unknown = live.task_template.networks.iter().filter(|it| !index.knows_network(&it.target));
    for network in &mut spec.task_template.networks {
        if guard::is_predefined(&network.target)
            && let Some(live) = unknown.next()
        {
            network.target.clone_from(&live.target);
        }
    }
}
