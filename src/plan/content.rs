//! Configs and secrets by content: which object of the swarm holds what git says, and what to make where none does.
//!
//! Their data can never change. So what has the wanted content is used under whatever name it has, and a changed content
//! is a new object under a name cut from it, to which the services' references are moved.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

use super::applied::{Applied, Content, Object};
use super::draft::{Entry, Outcome, State};
use super::index::{Index, Owner};
use super::step::{Action, Body, Change, Downtime, Drifted, Effect, Step, Write};
use super::{Input, base, diff, guard, is_drift_alone};
use crate::desired::{self, names};
use crate::diag::{Diagnostic, Span, code};
use crate::model::{Digest, Kind, label};
use crate::swarm::{ConfigSpec, Driver, Labels, Resource, SecretSpec, Version};

/// The names that configs and secrets have in the swarm, by the plain names that desired specs refer to.
#[derive(Default)]
pub(super) struct Names<'a> {
    /// Of configs.
    pub configs: BTreeMap<&'a str, String>,
    /// Of secrets.
    pub secrets: BTreeMap<&'a str, String>,
}

/// An object that is there.
#[derive(Clone, Copy)]
struct Found<'a> {
    id: &'a str,
    updated: &'a str,
    version: Version,
    labels: &'a Labels,
    name: &'a str,
    same: Same,
    in_use: bool,
}

/// Whether an object holds the wanted content.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Same {
    Yes,
    No,
    /// Nobody can tell.
    Unknown,
}

/// What git wants of one config or secret.
struct Wanted<'a> {
    kind: Kind,
    plain: &'a str,
    /// What its content is known by; empty where it is not.
    content: String,
    /// What the name of a later version is cut from.
    hash: String,
    labels: Labels,
    /// Whether a config's content came out of an encrypted file.
    confidential: bool,
    span: Option<Span>,
}

/// Every config and secret of the stack, and the names they have.
pub(super) fn resolve<'a>(
    input: &Input<'a>,
    index: &Index<'a>,
    faults: &mut Vec<Diagnostic>,
) -> (Vec<Outcome>, Names<'a>) {
    let in_use = index.in_use();
    let (mut outcomes, mut names) = (Vec::new(), Names::default());
    for (plain, config) in &input.desired.configs {
        let (wanted, candidates) = config_candidates(plain, config, index, &in_use);
        let body = |name: &str| Body::Config {
            plain: plain.clone(),
            content: wanted.content.clone(),
            confidential: config.confidential,
            spec: ConfigSpec { name: name.to_owned(), ..config.spec.clone() },
        };
        let applied = input.applied.and_then(|applied| applied.configs.get(plain));
        let outcome = settle(index, &wanted, candidates, applied, body, faults);
        names.configs.insert(plain, outcome.object.name.clone());
        outcomes.push(outcome);
    }
    for (plain, secret) in &input.desired.secrets {
        let (wanted, candidates) = secret_candidates(plain, secret, index, input.applied, &in_use);
        let body = |name: &str| Body::Secret {
            plain: plain.clone(),
            fingerprint: secret.fingerprint.clone(),
            spec: SecretSpec { name: name.to_owned(), data: String::new(), ..secret.spec.clone() },
            data: secret.content.clone(),
        };
        let applied = input.applied.and_then(|applied| applied.secrets.get(plain));
        let outcome = settle(index, &wanted, candidates, applied, body, faults);
        names.secrets.insert(plain, outcome.object.name.clone());
        outcomes.push(outcome);
    }
    (outcomes, names)
}

fn config_candidates<'a>(
    plain: &'a str,
    config: &'a desired::Config,
    index: &Index<'a>,
    in_use: &HashSet<&str>,
) -> (Wanted<'a>, Vec<Found<'a>>) {
    let templating = config.spec.templating.as_ref();
    let hash = hash(&config.spec.data, templating);
    let found = versions(plain, &index.configs)
        .filter(|live| index.owner(Kind::Config, &live.spec.name, &live.spec.labels) == Owner::Ours)
        .map(|live| {
            let same = live.spec.data == config.spec.data && live.spec.templating.as_ref() == templating;
            found(live, if same { Same::Yes } else { Same::No }, in_use)
        });
    let wanted = Wanted {
        kind: Kind::Config,
        plain,
        content: hash.as_str().to_owned(),
        hash: hash.as_str().to_owned(),
        labels: config.spec.labels.clone(),
        confidential: config.confidential,
        span: config.span,
    };
    (wanted, found.collect())
}

/// What the content of a config is known by.
pub(super) fn hash(data: &str, templating: Option<&Driver>) -> Digest {
    match templating {
        None => Digest::of(data),
        Some(driver) => Digest::of(format!("{}\0{data}", driver.name)),
    }
}

fn secret_candidates<'a>(
    plain: &'a str,
    secret: &'a desired::SecretData,
    index: &Index<'a>,
    applied: Option<&Applied>,
    in_use: &HashSet<&str>,
) -> (Wanted<'a>, Vec<Found<'a>>) {
    let spec = &secret.spec;
    // A store's secret is known by where it is kept; one with data by its fingerprint alone.
    let known = match &secret.fingerprint {
        Some(fingerprint) => fingerprint.clone(),
        None if secret.content.is_none() => Digest::of(format!("{:?}", spec.driver)).as_str().to_owned(),
        None => String::new(),
    };
    let hash = match &spec.templating {
        None => known.clone(),
        Some(driver) => Digest::of(format!("{}\0{known}", driver.name)).as_str().to_owned(),
    };
    let later = names::versioned(plain, names::suffix(&hash));
    let same = |live: &crate::swarm::SecretObject| {
        if live.spec.templating != spec.templating || live.spec.driver != spec.driver {
            return Same::No;
        }
        if secret.content.is_none() || (live.spec.name == later && !hash.is_empty()) {
            return Same::Yes;
        }
        let recorded = applied.and_then(|applied| applied.secrets.values().find(|entry| entry.id == live.id));
        let recorded = recorded.map(|entry| entry.content.as_str()).filter(|content| !content.is_empty());
        match recorded.or_else(|| live.spec.labels.get(label::FINGERPRINT).map(String::as_str)) {
            Some(content) if known == content => Same::Yes,
            Some(_) if !known.is_empty() => Same::No,
            _ => Same::Unknown,
        }
    };
    let found = versions(plain, &index.secrets)
        .filter(|live| index.owner(Kind::Secret, &live.spec.name, &live.spec.labels) == Owner::Ours)
        .map(|live| found(live, same(live), in_use))
        .collect();
    let mut labels = spec.labels.clone();
    if let Some(fingerprint) = &secret.fingerprint {
        labels.insert(label::FINGERPRINT.to_owned(), fingerprint.clone());
    }
    let wanted =
        Wanted { kind: Kind::Secret, plain, content: known, hash, labels, confidential: false, span: secret.span };
    (wanted, found)
}

fn found<'a, R: Resource>(live: &'a R, same: Same, in_use: &HashSet<&str>) -> Found<'a> {
    let meta = live.meta();
    Found {
        id: meta.id,
        updated: meta.updated,
        version: meta.version,
        labels: meta.labels,
        name: meta.name,
        same,
        in_use: in_use.contains(meta.id),
    }
}

/// The objects that may be versions of a plain name: that name itself, and those with a hash behind it.
fn versions<'a, 'i, R>(plain: &'i str, objects: &'i BTreeMap<&'a str, &'a R>) -> impl Iterator<Item = &'a R> {
    let hashed = |name: &str| {
        let hash = name.rsplit_once('-').map_or("", |(_, hash)| hash);
        hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && names::versioned(plain, hash) == name
    };
    // A later version of a long name is shortened, so its plain name is no prefix of it; half of it is.
    let prefix = plain.get(..plain.len() / 2).unwrap_or(plain);
    objects
        .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
        .take_while(move |(name, _)| name.starts_with(prefix))
        .filter(move |(name, _)| **name == plain || hashed(name))
        .map(|(_, object)| *object)
}

/// Chooses among the candidates and says what has to be written.
fn settle(
    index: &Index<'_>,
    wanted: &Wanted<'_>,
    mut candidates: Vec<Found<'_>>,
    applied: Option<&Content>,
    body: impl Fn(&str) -> Body,
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    // What services use now comes first: choosing another object of the same content would restart them.
    candidates.sort_by_key(|found| (!found.in_use, found.name != wanted.plain, found.name));
    let chosen = candidates.iter().find(|found| found.same == Same::Yes).or_else(|| {
        // What is in use and cannot be told apart from what git says stays. It is the first, if it is any.
        candidates.first().filter(|found| found.same == Same::Unknown)
    });
    match chosen {
        Some(found) => reuse(wanted, found, applied, body, faults),
        None => create(index, wanted, !candidates.is_empty(), applied, body, faults),
    }
}

/// An object that holds the wanted content is used as it is, but for its labels.
fn reuse(
    wanted: &Wanted<'_>,
    found: &Found<'_>,
    applied: Option<&Content>,
    body: impl Fn(&str) -> Body,
    faults: &mut Vec<Diagnostic>,
) -> Outcome {
    if found.same == Same::Unknown {
        faults.push(unverifiable(wanted, found));
    }
    // The label is a copy of what the record knows: whether it is there is no difference.
    let mut labels = wanted.labels.clone();
    labels.remove(label::FINGERPRINT);
    labels.extend(found.labels.get_key_value(label::FINGERPRINT).map(|(key, value)| (key.clone(), value.clone())));
    let mut changes = label_changes(found.labels, &labels, applied.map(|applied| &applied.labels));
    for change in &mut changes {
        change.effect = Effect::InPlace;
    }
    let object = Object::new(wanted.kind, found.name);
    let content = Content {
        name: found.name.to_owned(),
        id: found.id.to_owned(),
        content: if found.same == Same::Yes { wanted.content.clone() } else { String::new() },
        confidential: wanted.confidential,
        labels: labels.clone(),
    };
    if changes.is_empty() {
        let entry = Some(Entry::Content(wanted.plain.to_owned(), content));
        return Outcome { entry, ..Outcome::new(object, State::Same) };
    }
    if is_drift_alone(&changes) {
        let drift = Drifted {
            kind: wanted.kind,
            name: found.name.to_owned(),
            updated: found.updated.to_owned(),
            changes,
            effect: Effect::InPlace,
            tasks_restarting: 0,
            tasks_stopping: 0,
        };
        let entry = Some(Entry::Content(wanted.plain.to_owned(), content));
        return Outcome { object, state: State::Drifted, drift: Some(drift), entry };
    }
    // Labels that are yet to be written are not applied. Without a record, those that are there were.
    let past = applied.map_or(found.labels, |applied| &applied.labels).clone();
    let entry = Some(Entry::Content(wanted.plain.to_owned(), Content { labels: past, ..content }));
    let step = relabel(wanted, found, changes, labels, body(found.name));
    Outcome { entry, ..Outcome::new(object, State::Write(Box::new(step))) }
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
    let step = Box::new(step(Action::Create, wanted.kind, &name, Vec::new(), Write::Create(body)));
    Outcome::new(object, if past.is_some() { State::Missing(step) } else { State::Write(step) })
}

fn step(action: Action, kind: Kind, name: &str, changes: Vec<Change>, write: Write) -> Step {
    Step {
        action,
        kind,
        name: name.to_owned(),
        effect: if action == Action::Create { Effect::Create } else { Effect::InPlace },
        downtime: Downtime::None,
        tasks_restarting: 0,
        tasks_stopping: 0,
        rollout: None,
        changes,
        write,
    }
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
fn relabel(wanted: &Wanted<'_>, found: &Found<'_>, changes: Vec<Change>, labels: Labels, body: Body) -> Step {
    let mut body = with_labels(body, labels);
    match &mut body {
        Body::Config { spec, .. } => spec.data.clear(),
        Body::Secret { data, .. } => *data = None,
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
        format!("whether secret {} holds what git says cannot be verified: it is used as it is", found.name),
    )
    .at(wanted.span)
    .hint("remove the secret and let it be made anew, or give it another `name:`")
}

/// How much of a config differs, in a few words.
pub(super) fn lines_differ(before: &str, after: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = |data: &str| STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let (Some(before), Some(after)) = (text(before), text(after)) else { return "content differs".to_owned() };
    let diff = similar::TextDiff::from_lines(&before, &after);
    let changed = diff.iter_all_changes().fold((0_usize, 0_usize), |(gone, new), change| match change.tag() {
        similar::ChangeTag::Delete => (gone + 1, new),
        similar::ChangeTag::Insert => (gone, new + 1),
        similar::ChangeTag::Equal => (gone, new),
    });
    match changed.0.max(changed.1) {
        1 => "1 line differs".to_owned(),
        lines => format!("{lines} lines differ"),
    }
}
