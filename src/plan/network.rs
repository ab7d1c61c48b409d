//! Networks: made where they are missing, and replaced where git says otherwise, since Swarm can change none.
//!
//! A network that is to be another one is made under a name cut from what it is. The services join it before they leave
//! the old one ([`super::service`]), so that those that talk to each other always have one in common; the old one goes
//! once no rollback leads to it.

use std::collections::BTreeMap;

use super::applied::Object;
use super::draft::{Entry, Outcome, State};
use super::index::{Index, Owner};
use super::step::{Action, Body, Change, Drifted, Effect, Step, Write};
use super::{Input, base, diff, guard, is_drift_alone};
use crate::desired::{self, names};
use crate::diag::{Diagnostic, Severity, Span, code};
use crate::model::{Digest, Kind};
use crate::swarm::canonical::canonical_network;
use crate::swarm::{Network, NetworkSpec, Service};

/// The most characters the engine takes in a network's name.
const MAX_NAME: usize = 63;

/// Which network of the swarm each of git's is.
#[derive(Default)]
pub(super) struct Networks<'a> {
    /// The names they have in the swarm, by the plain names that desired specs refer to.
    pub names: BTreeMap<&'a str, String>,
    /// The ids of those that services leave, with the names of what they join instead.
    pub left: BTreeMap<&'a str, String>,
}

/// Every network that the stack makes, and what services join.
pub(super) fn resolve<'a>(
    input: &Input<'a>,
    index: &Index<'a>,
    faults: &mut Vec<Diagnostic>,
) -> (Vec<Outcome>, Networks<'a>) {
    let mut networks = Networks::default();
    let resolved = input.desired.networks.iter().map(|(plain, network)| {
        let versions = versions(index, plain);
        let outcome = one(input, index, &versions, (plain, network), faults);
        networks.names.insert(plain, outcome.object.name.clone());
        if !matches!(outcome.state, State::Refused) {
            let others = versions.iter().filter(|version| version.name != outcome.object.name);
            networks.left.extend(others.map(|version| (version.id.as_str(), outcome.object.name.clone())));
        }
        outcome
    });
    let outcomes = resolved.collect();
    (outcomes, networks)
}

/// Whether a name is that of a version of a network.
pub(super) fn is_version(plain: &str, name: &str) -> bool {
    let hash = names::hash_of(name);
    name == plain || (hash.len() == names::SUFFIX && names::versioned_within(plain, hash, MAX_NAME) == name)
}

/// The stack's networks that are versions of one that git names, those in use first: choosing another one would restart
/// services.
fn versions<'a>(index: &Index<'a>, plain: &str) -> Vec<&'a Network> {
    let is_ours = |network: &&Network| index.owner(Kind::Network, &network.name, &network.labels) == Owner::Ours;
    let found = index.networks.values().copied().filter(|network| is_version(plain, &network.name)).filter(is_ours);
    let mut found: Vec<&Network> = found.collect();
    found.sort_by_key(|network| (index.attached(&network.id).next().is_none(), network.name != plain, &network.name));
    found
}

fn one(
    input: &Input<'_>,
    index: &Index<'_>,
    versions: &[&Network],
    (plain, network): (&str, &desired::Network),
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    let named = |name: &str| NetworkSpec { name: name.to_owned(), ..network.spec.clone() };
    let found = |live: &Network| canonical_network(live, &network.spec);
    if let Some(live) = versions.iter().find(|live| found(live) == named(&live.name)) {
        let entry = Some(Entry::Network(found(live)));
        return Outcome { entry, ..Outcome::new(Object::new(Kind::Network, &*live.name), State::Same) };
    }
    match versions.first() {
        Some(current) => differs(input, index, current, network, faults),
        None => absent(input, index, plain, network, faults),
    }
}

/// No version of it is there.
fn absent(
    input: &Input<'_>,
    index: &Index<'_>,
    plain: &str,
    network: &desired::Network,
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    if let Some(live) = index.networks.get(plain) {
        let owner = index.owner(Kind::Network, plain, &live.labels);
        faults.push(guard::taken(Kind::Network, plain, owner, network.span));
        return Outcome::new(Object::new(Kind::Network, plain), State::Refused);
    }
    // What was applied under a name of its own comes back under it.
    let applied = input.applied.iter().flat_map(|applied| applied.networks.values());
    let mut applied = applied.filter(|applied| is_version(plain, &applied.name));
    let applied =
        applied.find(|applied| **applied == NetworkSpec { name: applied.name.clone(), ..network.spec.clone() });
    let spec = applied.unwrap_or(&network.spec);
    let step = create(spec, Vec::new());
    let state = if applied.is_some() { State::Missing(Box::new(step)) } else { State::write(step) };
    Outcome::new(Object::new(Kind::Network, &*spec.name), state)
}

/// Git says something else of it than what is there.
fn differs(
    input: &Input<'_>,
    index: &Index<'_>,
    live: &Network,
    network: &desired::Network,
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    let name = live.name.as_str();
    let object = Object::new(Kind::Network, name);
    let found = canonical_network(live, &network.spec);
    let wanted = NetworkSpec { name: name.to_owned(), ..network.spec.clone() };
    let applied = input.applied.and_then(|applied| applied.networks.get(name));
    let value = |spec: &NetworkSpec| serde_json::to_value(spec).unwrap_or_default();
    let applied_value = applied.map(value);
    let mut changes = diff::changes(&value(&found), &value(&wanted), base(applied_value.as_ref()));
    assess(&mut changes);
    let entry = Some(Entry::Network(applied.cloned().unwrap_or(found)));
    if is_drift_alone(&changes) {
        let drift = Some(Drifted::free(object.clone(), &live.created, changes));
        return Outcome { object, state: State::Drifted, drift, entry };
    }
    // Nothing of a network can be changed, its labels included; but those are worth no interruption.
    if changes.iter().all(|change| change.effect == Effect::None) {
        faults.push(labels_stay(name, network.span));
        return Outcome { entry, ..Outcome::new(object, State::Same) };
    }
    if let Some(fault) = irreplaceable(input, index, live, network) {
        faults.push(fault);
        return Outcome { entry, ..Outcome::new(object, State::Refused) };
    }
    let spec = NetworkSpec { name: next_name(index, network), ..network.spec.clone() };
    let object = Object::new(Kind::Network, &*spec.name);
    faults.push(replaced(index, live, &spec.name, &changes, network.span));
    Outcome::new(object, State::write(create(&spec, changes)))
}

/// Gives each difference of a network its effect: labels are worth no interruption.
pub(super) fn assess(changes: &mut [Change]) {
    for change in changes {
        change.effect = if change.path.starts_with("/Labels") { Effect::None } else { Effect::Replace };
    }
}

/// The plain name where it is free again, or one cut from what the network is.
fn next_name(index: &Index<'_>, network: &desired::Network) -> String {
    let plain = network.spec.name.as_str();
    if !index.networks.contains_key(plain) {
        return plain.to_owned();
    }
    let nameless = NetworkSpec { name: String::new(), labels: Default::default(), ..network.spec.clone() };
    let hash = Digest::of(serde_json::to_string(&nameless).unwrap_or_default());
    names::versioned_within(plain, names::suffix(hash.as_str()), MAX_NAME)
}

/// Why a network cannot be replaced while what uses it runs on.
fn irreplaceable(
    input: &Input<'_>,
    index: &Index<'_>,
    live: &Network,
    network: &desired::Network,
) -> Option<Diagnostic> {
    let name = &live.name;
    let refused = |why: String| Diagnostic::error(code::IMMUTABLE, why).at(network.span);
    let is_ours = |service: &Service| {
        input.desired.services.contains_key(&service.spec.name) || index.is_labelled(&service.spec.labels)
    };
    let strangers = index.attached(&live.id).filter(|service| !is_ours(service));
    if let Some(service) = strangers.min_by_key(|service| &service.spec.name) {
        let why = format!(
            "network {name} cannot be replaced: service {} is attached to it, and is not of this stack",
            service.spec.name
        );
        return Some(
            refused(why).hint("define a network under another key or `name:`, move that service, then this stack"),
        );
    }
    let pools = |ipam: Option<&crate::swarm::Ipam>| -> Vec<String> {
        let pools = ipam.into_iter().flat_map(|ipam| &ipam.config);
        pools.map(|pool| pool.subnet.clone()).filter(|subnet| !subnet.is_empty()).collect()
    };
    let (old, new) = (pools(live.ipam.as_ref()), pools(network.spec.ipam.as_ref()));
    let shared = new.iter().find(|new| old.iter().any(|old| super::subnet::overlap(old, new)))?;
    let why = format!(
        "network {name} cannot be replaced: services join the new one before they leave the old, and both would have \
         the addresses {shared}"
    );
    Some(refused(why).hint("give it another `ipam.config.subnet` as well, or none"))
}

fn labels_stay(name: &str, span: Option<Span>) -> Diagnostic {
    let mut fault = Diagnostic::error(
        code::IMMUTABLE,
        format!("network {name} exists with another label, and Swarm cannot change a network"),
    )
    .at(span);
    fault.severity = Severity::Warning;
    fault.hint("its labels stay as they are until the network is made anew")
}

/// What a replacement does, since it is more than its first step shows.
fn replaced(index: &Index<'_>, live: &Network, name: &str, changes: &[Change], span: Option<Span>) -> Diagnostic {
    let changes: Vec<&Change> = changes.iter().filter(|change| change.effect != Effect::None).collect();
    let fields: Vec<&str> = changes.iter().map(|change| change.label.as_str()).collect();
    let services = match index.attached(&live.id).count() {
        0 => "nothing is attached to it".to_owned(),
        1 => "its one service restarts onto the new one".to_owned(),
        count => format!("its {count} services join the new one, then leave the old: they restart twice"),
    };
    let message = format!(
        "network {} becomes {name}, since Swarm cannot change its {}: {services}",
        live.name,
        fields.join(", ")
    );
    Diagnostic::warning(code::NETWORK_REPLACED, message)
        .at(span)
        .hint("`docker stack deploy` of the same file will fail from then on: it knows the old name only")
}

fn create(spec: &NetworkSpec, changes: Vec<Change>) -> Step {
    let object = Object::new(Kind::Network, &*spec.name);
    Step::free(object, Action::Create, Effect::Create, changes, Write::Create(Body::Network(spec.clone())))
}
