//! Configs and secrets by content: which object of the swarm holds what git says, and what to make where none does.
//!
//! Their data can never change. So what has the wanted content is used under whatever name it has, and a changed content
//! is a new object under a name cut from it, to which the services' references are moved.

use std::collections::BTreeMap;

use super::applied::{Content, Object};
use super::draft::{Entry, Outcome, State};
use super::index::Index;
use super::step::{Action, Body, Change, Drifted, Effect, Step, Write};
use super::versions::{self, Found, Same};
use super::{Input, base, correct, diff, guard, is_drift_alone};
use crate::desired::names;
use crate::diag::{Diagnostic, Span, code};
use crate::model::{Kind, label};
use crate::swarm::{ConfigSpec, Labels, SecretSpec};

/// The names that configs and secrets have in the swarm, by the plain names that desired specs refer to.
#[derive(Default)]
pub(super) struct Names<'a> {
    /// Of configs.
    pub configs: BTreeMap<&'a str, String>,
    /// Of secrets.
    pub secrets: BTreeMap<&'a str, String>,
}

/// What git wants of one config or secret.
pub(super) struct Wanted<'a> {
    pub kind: Kind,
    pub plain: &'a str,
    /// What its content is known by; empty where it is not.
    pub content: String,
    /// What the name of a later version is cut from.
    pub hash: String,
    pub labels: Labels,
    /// Whether a config's content came out of an encrypted file.
    pub confidential: bool,
    /// Whether a secret is taken for what git says where nobody can tell.
    pub trusted: bool,
    pub span: Option<Span>,
}

/// Every config and secret of the stack, and the names they have.
pub(super) fn resolve<'a>(
    input: &Input<'a>,
    index: &Index<'a>,
    faults: &mut Vec<Diagnostic>,
) -> (Vec<Outcome>, Names<'a>) {
    let uses = versions::Uses::of(input, index);
    let (mut outcomes, mut names) = (Vec::new(), Names::default());
    for (plain, config) in &input.desired.configs {
        let (wanted, candidates) = versions::of_config(plain, config, index, &uses);
        let body = |name: &str| Body::Config {
            plain: plain.clone(),
            content: wanted.content.clone(),
            confidential: config.confidential,
            spec: ConfigSpec { name: name.to_owned(), ..config.spec.clone() },
        };
        let applied = input.applied.and_then(|applied| applied.configs.get(plain));
        let outcome = settle(input, index, &wanted, candidates, applied, body, faults);
        names.configs.insert(plain, outcome.object.name.clone());
        outcomes.push(outcome);
    }
    for (plain, secret) in &input.desired.secrets {
        let (wanted, candidates) = versions::of_secret(plain, secret, input, index, &uses);
        let body = |name: &str| Body::Secret {
            plain: plain.clone(),
            fingerprint: secret.fingerprint.clone(),
            unverified: false,
            spec: SecretSpec { name: name.to_owned(), data: String::new(), ..secret.spec.clone() },
            data: secret.content.clone(),
        };
        let applied = input.applied.and_then(|applied| applied.secrets.get(plain));
        let outcome = settle(input, index, &wanted, candidates, applied, body, faults);
        names.secrets.insert(plain, outcome.object.name.clone());
        outcomes.push(outcome);
    }
    (outcomes, names)
}

/// Chooses among the candidates and says what has to be written.
fn settle(
    input: &Input<'_>,
    index: &Index<'_>,
    wanted: &Wanted<'_>,
    mut candidates: Vec<Found<'_>>,
    applied: Option<&Content>,
    body: impl Fn(&str) -> Body,
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    // What services use now comes first: choosing another object of the same content would restart them.
    candidates.sort_by_key(|found| (!found.in_place, !found.in_use, found.name != wanted.plain, found.name));
    let chosen = candidates.iter().find(|found| found.same == Same::Yes).or_else(|| {
        // What is in use and cannot be told apart from what git says stays. It is the first, if it is any.
        candidates.first().filter(|found| found.same == Same::Unknown)
    });
    match chosen {
        Some(found) => reuse(input, wanted, found, applied, body, faults),
        None => create(index, wanted, !candidates.is_empty(), applied, body, faults),
    }
}

/// An object that holds the wanted content is used as it is, but for its labels.
fn reuse(
    input: &Input<'_>,
    wanted: &Wanted<'_>,
    found: &Found<'_>,
    applied: Option<&Content>,
    body: impl Fn(&str) -> Body,
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    let unverified = found.same == Same::Unknown && !wanted.trusted;
    if unverified {
        faults.push(unverifiable(wanted, found));
    } else if found.same == Same::Unknown && !is_recorded(wanted, found, applied) {
        faults.push(trusted(wanted, found));
    }
    let labels = labels(wanted, found);
    let mut changes = label_changes(found.labels, &labels, applied.map(|applied| &applied.labels));
    for change in &mut changes {
        change.effect = Effect::InPlace;
    }
    let object = Object::new(wanted.kind, found.name);
    let content = Content {
        name: found.name.to_owned(),
        id: found.id.to_owned(),
        content: wanted.content.clone(),
        unverified,
        confidential: wanted.confidential,
        labels: labels.clone(),
    };
    if changes.is_empty() {
        let entry = Some(Entry::Content(wanted.plain.to_owned(), content));
        return Outcome { entry, ..Outcome::new(object, State::Same) };
    }
    if is_drift_alone(&changes) && !correct::is_due(input, &object, &changes, faults) {
        let drift = Drifted::free(object.clone(), found.updated, changes);
        let entry = Some(Entry::Content(wanted.plain.to_owned(), content));
        return Outcome { object, state: State::Drifted, drift: Some(drift), entry };
    }
    // Labels that are yet to be written are not applied. Without a record, those that are there were.
    let past = applied.map_or(found.labels, |applied| &applied.labels).clone();
    let entry = Some(Entry::Content(wanted.plain.to_owned(), Content { labels: past, ..content }));
    let step = relabel(wanted, found, changes, labels, unverified, body(found.name));
    Outcome { entry, ..Outcome::new(object, State::write(step)) }
}

/// The labels of an object that is used as it is. The fingerprint is a copy of what the record knows: whether it is there
/// is no difference. What another tool wrote for itself stays as long as the object does.
fn labels(wanted: &Wanted<'_>, found: &Found<'_>) -> Labels {
    let mut labels = wanted.labels.clone();
    labels.remove(label::FINGERPRINT);
    let is_left_alone = |key: &str| key == label::FINGERPRINT || label::is_bookkeeping(key);
    for (key, value) in found.labels.iter().filter(|(key, _)| is_left_alone(key)) {
        labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    labels
}

/// Whether the record holds this very content of this very object.
fn is_recorded(wanted: &Wanted<'_>, found: &Found<'_>, applied: Option<&Content>) -> bool {
    applied.is_some_and(|applied| applied.id == found.id && applied.content == wanted.content)
}

fn create(
    index: &Index<'_>,
    wanted: &Wanted<'_>,
    is_later: bool,
    applied: Option<&Content>,
    body: impl Fn(&str) -> Body,
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    let past = applied.filter(|past| !is_later && !past.content.is_empty() && past.content == wanted.content);
    let name = match past {
        Some(past) => past.name.clone(),
        None if is_later && !wanted.hash.is_empty() => names::versioned(wanted.plain, names::suffix(&wanted.hash)),
        None => wanted.plain.to_owned(),
    };
    let object = Object::new(wanted.kind, &*name);
    if let Some(labels) = index.labels(wanted.kind, &name) {
        let owner = index.owner(wanted.kind, &name, labels);
        faults.push(guard::taken(wanted.kind, &name, owner, wanted.span));
        return Outcome::new(object, State::Refused);
    }
    let body = with_labels(body(&name), wanted.labels.clone());
    let step = step(Action::Create, wanted.kind, &name, Vec::new(), Write::Create(body));
    Outcome::new(object, if past.is_some() { State::Missing(Box::new(step)) } else { State::write(step) })
}

fn step(action: Action, kind: Kind, name: &str, changes: Vec<Change>, write: Write) -> Step {
    let effect = if action == Action::Create { Effect::Create } else { Effect::InPlace };
    Step::free(Object::new(kind, name), action, effect, changes, write)
}

fn with_labels(mut body: Body, labels: Labels) -> Body {
    match &mut body {
        Body::Config { spec, .. } => spec.labels = labels,
        Body::Secret { spec, .. } => spec.labels = labels,
        Body::Network(_) | Body::Service { .. } => {}
    }
    body
}

/// Only labels can be written, and the data need not be sent along.
fn relabel(
    wanted: &Wanted<'_>,
    found: &Found<'_>,
    changes: Vec<Change>,
    labels: Labels,
    is_unverified: bool,
    body: Body,
) -> Step {
    let mut body = with_labels(body, labels);
    match &mut body {
        Body::Config { spec, .. } => spec.data.clear(),
        Body::Secret { data, unverified, .. } => (*data, *unverified) = (None, is_unverified),
        Body::Network(_) | Body::Service { .. } => {}
    }
    let write = Write::Update { id: found.id.to_owned(), version: found.version, body };
    step(Action::Update, wanted.kind, found.name, changes, write)
}

fn label_changes(live: &Labels, wanted: &Labels, applied: Option<&Labels>) -> Vec<Change> {
    if live == wanted {
        return Vec::new();
    }
    let spec = |labels: &Labels| serde_json::json!({ "Labels": labels });
    let applied = applied.map(spec);
    diff::changes(&spec(live), &spec(wanted), base(applied.as_ref()))
}

fn unverifiable(wanted: &Wanted<'_>, found: &Found<'_>) -> Diagnostic {
    Diagnostic::warning(
        code::SECRET_UNVERIFIABLE,
        format!(
            "whether secret {} holds what git says cannot be verified: it stays as it is, and --trust-secrets accepts it",
            found.name
        ),
    )
    .at(wanted.span)
    .hint("`trustSecrets: true` in skep.yaml accepts it as well: what git says is then what it holds")
    .hint("or have it made anew from git: give it another `name:`")
}

fn trusted(wanted: &Wanted<'_>, found: &Found<'_>) -> Diagnostic {
    let message = format!("secret {} is taken for what git says, unseen: secrets are trusted", found.name);
    Diagnostic::note(code::SECRET_TRUSTED, message).at(wanted.span)
}
