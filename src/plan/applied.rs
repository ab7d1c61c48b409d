//! What was last applied: the third side of a three-way plan, and the only reason ever to delete anything.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::step::{Body, Step, Write};
use crate::model::{Confidential, Kind};
use crate::swarm::{Labels, NetworkSpec, ServiceSpec};

/// What was last applied of one stack. The operator keeps it in the stack's record: [`super::Plan::settled`] is what it
/// holds before the first step of a plan, and [`Applied::record`] carries each finished step into it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Applied {
    /// The services' specs in canonical form, network targets by name, references without ids, by full name.
    pub services: BTreeMap<String, ServiceSpec>,
    /// The networks' definitions, by full name.
    pub networks: BTreeMap<String, NetworkSpec>,
    /// The configs, by the plain name git gives them.
    pub configs: BTreeMap<String, Content>,
    /// The secrets, by the plain name git gives them. Never their content.
    pub secrets: BTreeMap<String, Content>,
    /// JSON pointers into a service's spec that no difference looks at, by the service's full name. What labels say of
    /// it is read off the spec.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ignore: BTreeMap<String, Vec<String>>,
    /// JSON pointers to what the files left open of a service's update policies, by the service's full name: what stands
    /// there was filled in, or nothing does. A whole policy is named by itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<String, Vec<String>>,
    /// Everything skep has applied and not deleted since, superseded versions included: what pruning may touch.
    pub inventory: BTreeSet<Object>,
    /// Objects that nothing may delete, configs and secrets by their plain names: git said so when it last named them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub protected: BTreeSet<Object>,
    /// Whether secret texts in it are sealed: it was kept, and what is sealed is only known by what it is compared with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// Secret texts in it, which are sealed where it is kept.
    #[serde(skip)]
    pub confidential: Confidential,
}

/// Which object of the swarm holds a config or secret, and how its content is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Content {
    /// The object's name in the swarm.
    pub name: String,
    /// Its id. What is remembered of a content holds for this very object, not for a later one of its name.
    pub id: String,
    /// The digest of a config's content, the fingerprint of a secret's; empty where nobody knows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content: String,
    /// Whether nobody ever verified that: it is what git said when the secret was found, and git saying something else of
    /// it is a change all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// Whether the content of a config came out of an encrypted file.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub confidential: bool,
    /// The labels it was given.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

/// One object, by kind and full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its full name.
    pub name: String,
}

impl Object {
    /// An object's kind and name.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl Applied {
    /// Whether an object was applied and not deleted since.
    pub fn holds(&self, kind: Kind, name: &str) -> bool {
        self.inventory.contains(&Object::new(kind, name))
    }

    /// Whether secrets are taken for verified that `past` held as unverified.
    pub fn verifies(&self, past: &Self) -> bool {
        self.secrets.iter().any(|(plain, now)| {
            !now.unverified && past.secrets.get(plain).is_some_and(|past| past.unverified && past.id == now.id)
        })
    }

    /// Carries a step that was carried out into what is applied. `id` is the id the engine gave to what was created, or
    /// that of what was updated.
    pub fn record(&mut self, step: &Step, id: &str) {
        let object = Object::new(step.kind, &*step.name);
        match &step.write {
            Write::Create(body) | Write::Update { body, .. } | Write::Replace { body, .. } => {
                self.inventory.insert(object);
                match body {
                    Body::Network(spec) => {
                        self.networks.insert(spec.name.clone(), spec.clone());
                    }
                    Body::Config { plain, content, confidential, spec } => {
                        let content = content.clone();
                        let entry = Content {
                            name: step.name.clone(),
                            id: id.to_owned(),
                            content,
                            unverified: false,
                            confidential: *confidential,
                            labels: spec.labels.clone(),
                        };
                        self.configs.insert(plain.clone(), entry);
                    }
                    Body::Secret { plain, fingerprint, unverified, spec, .. } => {
                        let content = fingerprint.clone().unwrap_or_default();
                        let entry = Content {
                            name: step.name.clone(),
                            id: id.to_owned(),
                            content,
                            unverified: *unverified,
                            confidential: false,
                            labels: spec.labels.clone(),
                        };
                        self.secrets.insert(plain.clone(), entry);
                    }
                    Body::Service { rendering, open, .. } => {
                        self.services.insert(step.name.clone(), (**rendering).clone());
                        self.open.insert(step.name.clone(), open.clone());
                        self.open.retain(|_, paths| !paths.is_empty());
                    }
                }
            }
            Write::Delete { .. } => {
                self.inventory.remove(&object);
                match step.kind {
                    Kind::Service => {
                        self.services.remove(&step.name);
                        self.ignore.remove(&step.name);
                        self.open.remove(&step.name);
                    }
                    Kind::Network => drop(self.networks.remove(&step.name)),
                    Kind::Config => self.configs.retain(|_, entry| entry.name != step.name),
                    Kind::Secret => self.secrets.retain(|_, entry| entry.name != step.name),
                    Kind::Volume | Kind::Task | Kind::Node => {}
                }
            }
        }
    }
}
