//! What a planner asks registries before it plans for good, and by which digest it then knows what is wanted.

use std::collections::BTreeMap;

use super::service::{image, keep};
use super::{Effect, Input, Plan};
use crate::desired::Desired;
use crate::model::{Digest, Kind};
use crate::settings::ZeroDowntime;
use crate::swarm::{Service, ServiceSpec};

/// What a registry is asked of one image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// What its tag points to.
    pub tag: bool,
    /// The digest that runs, or that its text says.
    pub digest: Option<String>,
    /// Whether of that digest no more needs to be known: it runs, and what is done with its service does not hang on it.
    pub settled: bool,
    /// Whether the image's own healthcheck counts, where more is to be known of it.
    pub healthcheck: bool,
}

impl Question {
    /// Both at once: services of one image are asked about together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            tag: self.tag || other.tag,
            digest: self.digest.or(other.digest),
            settled: self.settled && other.settled,
            healthcheck: self.healthcheck || other.healthcheck,
        }
    }
}

/// What has to be asked of images, each by its text, before `first` is a plan to carry out: it is the plan of the same input
/// with no word from any registry. With `watch` tags are asked about for the sake of telling that they have moved, too.
///
/// Nothing is asked of what stays as it is, unless a moved tag is to be followed. Where something is asked, the plan is made
/// anew with the answers.
pub fn images_asked(input: &Input<'_>, first: &Plan, watch: bool) -> BTreeMap<String, Question> {
    let mut asked = BTreeMap::new();
    let nothing_starts = first.steps.iter().all(|step| step.kind != Kind::Service);
    if !image::counts(input.policy) || (nothing_starts && !watch && !image::follows(input.policy)) {
        return asked;
    }
    let live: BTreeMap<&str, &Service> =
        input.live.services.iter().map(|service| (service.spec.name.as_str(), &**service)).collect();
    for (name, service) in &input.desired.services {
        let Some(said) = keep::image(&service.spec).filter(|said| !said.is_empty()) else { continue };
        let found = live.get(name.as_str()).and_then(|live| keep::image(&live.spec));
        let step = first.steps.iter().find(|step| step.kind == Kind::Service && step.name == *name);
        let sent = step.and_then(|step| keep::image(step.write.service()?));
        let starts = step.is_some_and(|step| step.effect > Effect::InPlace);
        let healthcheck = input.policy.zero_downtime != ZeroDowntime::Off && has_none(&service.spec);
        let is_written = sent.is_some();
        let question = if let Some(digest) = image::digest(said) {
            let is_new = is_written && found != Some(said);
            let digest = Some(digest.to_owned());
            (is_new || (is_written && healthcheck)).then_some(Question {
                tag: false,
                digest,
                settled: false,
                healthcheck,
            })
        } else {
            let same = |image: &&str| image.split('@').next() == Some(said);
            let digest = sent.or(found).filter(same).and_then(image::digest).map(str::to_owned);
            let follows = image::follows(input.policy) && (digest.is_some() || input.policy.resolve_now);
            let tag = follows || (starts && digest.is_none()) || (watch && digest.is_some());
            let settled = !(is_written && healthcheck);
            (tag || (!settled && digest.is_some())).then_some(Question { tag, digest, settled, healthcheck })
        };
        if let Some(question) = question {
            let before: Option<Question> = asked.remove(said);
            asked.insert(
                said.to_owned(),
                before.map_or_else(|| question.clone(), |before| before.and(question.clone())),
            );
        }
    }
    asked
}

/// Whether the file leaves the healthcheck to the image: it says none, or only how often.
fn has_none(spec: &ServiceSpec) -> bool {
    let own = spec.task_template.container_spec.as_ref().and_then(|container| container.healthcheck.as_ref());
    own.is_none_or(|own| own.test.is_empty())
}

/// The digest of what is wanted, images resolved: another where git says something else (`said`, the digest of the desired
/// objects), and where a tag whose word counts points elsewhere (`pins`, [`Plan::pins`]). A registry that does not answer changes nothing: what it said
/// before is in `remembered` (text and digest), and what is to be remembered from now on comes back.
pub fn wanted_digest(
    said: &Digest,
    desired: &Desired,
    pins: &BTreeMap<String, String>,
    remembered: &BTreeMap<String, String>,
) -> (Digest, BTreeMap<String, String>) {
    let texts = desired.services.values().filter_map(|service| keep::image(&service.spec));
    let known = |text: &str| pins.get(text).or_else(|| remembered.get(text));
    let images: BTreeMap<String, String> =
        texts.filter_map(|text| Some((text.to_owned(), known(text)?.clone()))).collect();
    if images.is_empty() {
        return (said.clone(), images);
    }
    let mut all = said.to_string();
    for (text, digest) in &images {
        all.push_str(&format!("\n{text} {digest}"));
    }
    (Digest::of(all), images)
}
