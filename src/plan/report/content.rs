//! Configs and secrets that are not as they were applied: gone, labelled otherwise, or made anew under the same name.

use std::collections::BTreeMap;

use serde_json::json;

use super::Look;
use crate::desired::names;
use crate::model::{Kind, label};
use crate::plan::applied::{Content, Object};
use crate::plan::step::{Change, Drifted, Effect, Origin};
use crate::swarm::{Config, Labels, Meta, Resource, SecretObject};

impl Look<'_> {
    pub(super) fn contents(&mut self) {
        let applied = self.applied;
        self.each(Kind::Config, &applied.configs, |look, name| {
            let config: &Config = look.index.configs.get(name).copied()?;
            let driver = config.spec.templating.as_ref().map(|driver| driver.name.as_str());
            let known = names::of_config(&config.spec.data, driver);
            Some((config.meta(), Known::Digest(known.as_str().to_owned())))
        });
        self.each(Kind::Secret, &applied.secrets, |look, name| {
            let secret: &SecretObject = look.index.secrets.get(name).copied()?;
            Some((secret.meta(), Known::Fingerprint(secret.spec.labels.get(label::FINGERPRINT).cloned())))
        });
    }

    fn each<'l>(
        &mut self,
        kind: Kind,
        applied: &BTreeMap<String, Content>,
        find: impl Fn(&Self, &str) -> Option<(Meta<'l>, Known)>,
    ) {
        for content in applied.values() {
            match find(self, &content.name) {
                Some((live, known)) => self.judge(drifted(kind, &live, &known, content)),
                None => self.drift.missing.push(Object::new(kind, &*content.name)),
            }
        }
    }
}

/// What is known of a content that is there.
enum Known {
    /// Of a config, by its data.
    Digest(String),
    /// Of a secret, by a label that anybody may write; its data is never read.
    Fingerprint(Option<String>),
}

fn drifted(kind: Kind, live: &Meta<'_>, known: &Known, applied: &Content) -> Option<Drifted> {
    let mut changes = super::differences(&labels(live.labels), &labels(&applied.labels));
    for change in &mut changes {
        change.effect = Effect::InPlace;
    }
    changes.extend(other_content(live.id, known, applied));
    (!changes.is_empty()).then(|| Drifted::free(Object::new(kind, live.name), live.updated, changes))
}

/// The label with the fingerprint is a copy of what the record knows: whether it is there is no difference.
fn labels(labels: &Labels) -> serde_json::Value {
    let mut labels = labels.clone();
    labels.remove(label::FINGERPRINT);
    json!({ "Labels": labels })
}

/// Data never changes, but an object may be deleted and made anew.
fn other_content(id: &str, known: &Known, applied: &Content) -> Option<Change> {
    let is_other = !applied.id.is_empty() && applied.id != id;
    let detail = match known {
        Known::Digest(digest) if applied.content.is_empty() || *digest == applied.content => return None,
        Known::Digest(_) => "content differs",
        Known::Fingerprint(_) if !is_other => return None,
        Known::Fingerprint(Some(fingerprint)) if *fingerprint == applied.content => return None,
        Known::Fingerprint(_) => "made anew by others: its content cannot be verified",
    };
    Some(Change {
        path: "/Data".to_owned(),
        label: "content".to_owned(),
        before: None,
        after: None,
        detail: Some(detail.to_owned()),
        texts: None,
        effect: Effect::Replace,
        origin: Origin::Drift,
    })
}
