//! Networks: made where they are missing, and never changed, since Swarm cannot.

use super::applied::Object;
use super::draft::{Entry, Outcome, State};
use super::index::{Index, Owner};
use super::step::{Action, Body, Change, Downtime, Drifted, Effect, Step, Write};
use super::{Input, base, diff, guard, is_drift_alone};
use crate::desired;
use crate::diag::{Diagnostic, Severity, code};
use crate::model::Kind;
use crate::swarm::NetworkSpec;
use crate::swarm::canonical::canonical_network;

/// Every network that the stack makes.
pub(super) fn resolve(input: &Input<'_>, index: &Index<'_>, faults: &mut Vec<Diagnostic>) -> Vec<Outcome> {
    input.desired.networks.iter().map(|(name, network)| one(input, index, name, network, faults)).collect()
}

fn one(
    input: &Input<'_>,
    index: &Index<'_>,
    name: &str,
    network: &desired::Network,
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    let object = Object::new(Kind::Network, name);
    let applied = input.applied.and_then(|applied| applied.networks.get(name));
    let Some(live) = index.networks.get(name) else {
        let step = Box::new(create(name, &network.spec));
        let is_applied = applied == Some(&network.spec);
        return Outcome::new(object, if is_applied { State::Missing(step) } else { State::Write(step) });
    };
    let owner = index.owner(Kind::Network, name, &live.labels);
    if owner != Owner::Ours {
        faults.push(guard::taken(Kind::Network, name, owner, network.span));
        return Outcome::new(object, State::Refused);
    }
    let found = canonical_network(live, &network.spec);
    if found == network.spec {
        return Outcome { entry: Some(Entry::Network(found)), ..Outcome::new(object, State::Same) };
    }
    let value = |spec: &NetworkSpec| serde_json::to_value(spec).unwrap_or_default();
    let applied_value = applied.map(value);
    let mut changes = diff::changes(&value(&found), &value(&network.spec), base(applied_value.as_ref()));
    for change in &mut changes {
        change.effect = if change.path.starts_with("/Labels") { Effect::None } else { Effect::Replace };
    }
    let entry = Some(Entry::Network(applied.cloned().unwrap_or(found)));
    if is_drift_alone(&changes) {
        let drift = Drifted {
            kind: Kind::Network,
            name: name.to_owned(),
            updated: live.created.clone(),
            effect: changes.iter().map(|change| change.effect).max().unwrap_or(Effect::None),
            changes,
            tasks_restarting: 0,
            tasks_stopping: 0,
        };
        return Outcome { object, state: State::Drifted, drift: Some(drift), entry };
    }
    faults.push(immutable(name, network, &changes));
    let labels_only = changes.iter().all(|change| change.effect == Effect::None);
    Outcome { entry, ..Outcome::new(object, if labels_only { State::Same } else { State::Refused }) }
}

/// Nothing of a network can be changed, its labels included; but those are worth no interruption.
fn immutable(name: &str, network: &desired::Network, changes: &[Change]) -> Diagnostic {
    let labels = changes.iter().all(|change| change.effect == Effect::None);
    let fields: Vec<&str> = changes.iter().map(|change| change.label.as_str()).collect();
    let mut fault = Diagnostic::error(
        code::IMMUTABLE,
        format!("network {name} exists with another {}, and Swarm cannot change a network", fields.join(", ")),
    )
    .at(network.span);
    if labels {
        fault.severity = Severity::Warning;
        return fault.hint("its labels stay as they are until the network is made anew");
    }
    fault
        .hint("give it another key or `name:`; its services restart onto the new one, and the old one is deleted after")
        .hint(format!("or put the file back to what runs: `docker network inspect {name}`"))
}

fn create(name: &str, spec: &NetworkSpec) -> Step {
    Step {
        action: Action::Create,
        kind: Kind::Network,
        name: name.to_owned(),
        effect: Effect::Create,
        downtime: Downtime::None,
        tasks_restarting: 0,
        tasks_stopping: 0,
        rollout: None,
        changes: Vec::new(),
        write: Write::Create(Body::Network(spec.clone())),
    }
}
