//! The objects that may hold a config or secret: which are versions of it, and which of them holds what git says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

use super::Input;
use super::content::Wanted;
use super::index::{Index, Owner};
use crate::desired::names::{self, Scheme};
use crate::desired::{self, Desired};
use crate::model::{Digest, Kind, label};
use crate::swarm::{ContainerSpec, Labels, Resource, SecretObject, Version};

/// An object that is there.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub id: &'a str,
    pub updated: &'a str,
    pub version: Version,
    pub labels: &'a Labels,
    pub name: &'a str,
    pub same: Same,
    /// Whether a service of the stack uses it.
    pub in_use: bool,
    /// Whether a service uses it just where git's service uses what is wanted.
    pub in_place: bool,
}

/// Whether an object holds the wanted content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Same {
    Yes,
    No,
    /// Nobody can tell.
    Unknown,
}

/// What the stack's running services use, and where.
pub(super) struct Uses<'a> {
    ids: HashSet<&'a str>,
    /// By kind and plain name, the ids of what is at the paths where git wants it.
    places: HashMap<(Kind, &'a str), HashSet<&'a str>>,
}

impl<'a> Uses<'a> {
    pub fn of(input: &Input<'a>, index: &Index<'a>) -> Self {
        let desired: &'a Desired = input.desired;
        let mut places: HashMap<_, HashSet<_>> = HashMap::new();
        for (name, service) in &desired.services {
            let live = index.services.get(name.as_str()).filter(|live| index.is_labelled(&live.spec.labels));
            let live = live.and_then(|live| live.spec.task_template.container_spec.as_ref());
            let wanted = service.spec.task_template.container_spec.as_ref();
            let (Some(live), Some(wanted)) = (live, wanted) else { continue };
            for wanted in references(wanted) {
                let there = references(live).filter(|live| live.kind == wanted.kind && live.path == wanted.path);
                places.entry((wanted.kind, wanted.name)).or_default().extend(there.map(|live| live.id));
            }
        }
        Self { ids: index.in_use(), places }
    }

    fn is_in_place(&self, kind: Kind, plain: &str, id: &str) -> bool {
        self.places.get(&(kind, plain)).is_some_and(|ids| ids.contains(id))
    }
}

/// A reference to a config or secret.
struct Reference<'a> {
    kind: Kind,
    name: &'a str,
    id: &'a str,
    path: &'a str,
}

/// The configs and secrets that are files in a container.
fn references(spec: &ContainerSpec) -> impl Iterator<Item = Reference<'_>> {
    let configs = spec.configs.iter().filter_map(|it| {
        let path = it.file.as_ref()?.name.as_str();
        Some(Reference { kind: Kind::Config, name: &it.config_name, id: &it.config_id, path })
    });
    let secrets = spec.secrets.iter().filter_map(|it| {
        let path = it.file.as_ref()?.name.as_str();
        Some(Reference { kind: Kind::Secret, name: &it.secret_name, id: &it.secret_id, path })
    });
    configs.chain(secrets)
}

/// What git wants of a config, and what may be it.
pub(super) fn of_config<'a>(
    plain: &'a str,
    config: &'a desired::Config,
    index: &Index<'a>,
    uses: &Uses<'a>,
) -> (Wanted<'a>, Vec<Found<'a>>) {
    let templating = config.spec.templating.as_ref();
    let hash = names::of_config(&config.spec.data, templating.map(|driver| driver.name.as_str()));
    let found = versions(plain, &config.schemes, &index.configs)
        .into_iter()
        .filter(|live| index.owner(Kind::Config, &live.spec.name, &live.spec.labels) == Owner::Ours)
        .map(|live| {
            let same = live.spec.data == config.spec.data && live.spec.templating.as_ref() == templating;
            found(plain, live, if same { Same::Yes } else { Same::No }, uses)
        });
    let wanted = Wanted {
        kind: Kind::Config,
        plain,
        content: hash.as_str().to_owned(),
        hash: hash.as_str().to_owned(),
        labels: config.spec.labels.clone(),
        confidential: config.confidential,
        trusted: false,
        span: config.span,
    };
    (wanted, found.collect())
}

/// What git wants of a secret, and what may be it.
pub(super) fn of_secret<'a>(
    plain: &'a str,
    secret: &'a desired::SecretData,
    input: &Input<'a>,
    index: &Index<'a>,
    uses: &Uses<'a>,
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
    let is_anothers = |name: &str| secret.schemes.iter().any(|scheme| scheme.gives(name));
    let same = |live: &SecretObject| {
        if live.spec.templating != spec.templating || live.spec.driver != spec.driver {
            return Same::No;
        }
        if secret.content.is_none() || (live.spec.name == later && !hash.is_empty()) {
            return Same::Yes;
        }
        let recorded = input.applied.and_then(|applied| applied.secrets.values().find(|entry| entry.id == live.id));
        let recorded = recorded.filter(|entry| !entry.content.is_empty());
        let labelled = live.spec.labels.get(label::FINGERPRINT);
        match (recorded, recorded.map(|entry| &entry.content).or(labelled)) {
            (Some(entry), Some(content)) if entry.unverified && known == *content => Same::Unknown,
            (_, Some(content)) if known == *content => Same::Yes,
            (_, Some(_)) if !known.is_empty() => Same::No,
            // Under another tool's name there may be the secret of another key, or one that was replaced long ago.
            _ if is_anothers(&live.spec.name) && !uses.is_in_place(Kind::Secret, plain, &live.id) => Same::No,
            _ => Same::Unknown,
        }
    };
    let found = versions(plain, &secret.schemes, &index.secrets)
        .into_iter()
        .filter(|live| index.owner(Kind::Secret, &live.spec.name, &live.spec.labels) == Owner::Ours)
        .map(|live| found(plain, live, same(live), uses))
        .collect();
    let mut labels = spec.labels.clone();
    if let Some(fingerprint) = &secret.fingerprint {
        labels.insert(label::FINGERPRINT.to_owned(), fingerprint.clone());
    }
    let wanted = Wanted {
        kind: Kind::Secret,
        plain,
        content: known,
        hash,
        labels,
        confidential: false,
        trusted: input.policy.trust_secrets,
        span: secret.span,
    };
    (wanted, found)
}

fn found<'a, R: Resource>(plain: &str, live: &'a R, same: Same, uses: &Uses<'_>) -> Found<'a> {
    let meta = live.meta();
    Found {
        id: meta.id,
        updated: meta.updated,
        version: meta.version,
        labels: meta.labels,
        name: meta.name,
        same,
        in_use: uses.ids.contains(meta.id),
        in_place: uses.is_in_place(R::KIND, plain, meta.id),
    }
}

/// The objects that may be versions of a plain name: that name itself, those with a hash behind it, and those that another
/// tool would have named so.
fn versions<'a, R>(plain: &str, schemes: &[Scheme], objects: &BTreeMap<&'a str, &'a R>) -> Vec<&'a R> {
    let below = |prefix: &str| {
        let range = objects.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let below: Vec<(&'a str, &'a R)> =
            range.map(|(name, object)| (*name, *object)).take_while(|(name, _)| name.starts_with(prefix)).collect();
        below
    };
    let hashed = |name: &str| {
        let hash = names::hash_of(name);
        hash.len() >= 8 && names::versioned(plain, hash) == name
    };
    // A later version of a long name is shortened, so its plain name is no prefix of it; half of it is.
    let prefix = plain.get(..plain.len() / 2).unwrap_or(plain);
    let mut found: BTreeMap<&str, &R> =
        below(prefix).into_iter().filter(|(name, _)| *name == plain || hashed(name)).collect();
    for scheme in schemes {
        found.extend(below(&scheme.prefix).into_iter().filter(|(name, _)| scheme.gives(name)));
    }
    found.into_values().collect()
}
