//! Which digest an image's text stands for: the one that runs, or the one its registry names.
//!
//! A text that is new or changed is pinned to what its tag points to, as `docker stack deploy` does. One that is unchanged keeps
//! its digest, unless a moved tag is to be followed. Pinning what runs without a digest would restart it for nothing: that
//! waits until its tasks are replaced anyway.

use std::collections::BTreeMap;

use super::keep;
use crate::desired;
use crate::diag::{Diagnostic, code};
use crate::plan::draft::Outcome;
use crate::plan::index::Index;
use crate::plan::step::{Change, Origin};
use crate::plan::{Input, Policy};
use crate::settings::Resolve;
use crate::swarm::image::ImageReference;
use crate::swarm::{Images, Platform, ServiceSpec};

/// Where a spec has its image.
pub(in crate::plan) const IMAGE: &str = "/TaskTemplate/ContainerSpec/Image";
/// Where it has the platforms of it.
const PLATFORMS: &str = "/TaskTemplate/Placement/Platforms";

/// Whether a moved tag is followed.
pub(in crate::plan) fn follows(policy: &Policy) -> bool {
    policy.resolve_now || policy.resolve == Resolve::Always
}

/// Whether registries count at all.
pub(in crate::plan) fn counts(policy: &Policy) -> bool {
    policy.resolve_now || policy.resolve != Resolve::Never
}

/// The digest that an image is pinned to.
pub(in crate::plan) fn digest(image: &str) -> Option<&str> {
    image.split_once('@').map(|(_, digest)| digest)
}

/// Pins the image of `spec`, which has what silence leaves alone by now, to what its registry says. `said` is the text of git.
pub(super) fn pin(
    spec: &mut ServiceSpec,
    said: &str,
    live: Option<&ServiceSpec>,
    applied: Option<&ServiceSpec>,
    (images, policy): (&Images, &Policy),
) {
    if !counts(policy) {
        return;
    }
    if said.contains('@') {
        let runs_so = [live, applied].into_iter().flatten().any(|it| keep::image(it) == Some(said));
        if let Some(known) = images.get(said).filter(|known| !runs_so && !known.platforms.is_empty()) {
            set_platforms(spec, &known.platforms);
        }
    } else if takes(spec, said, live, applied, policy) {
        set(spec, said, images);
    }
}

/// Whether the registry's word counts for an image of which `spec` has what silence leaves alone.
fn takes(
    spec: &ServiceSpec,
    said: &str,
    live: Option<&ServiceSpec>,
    applied: Option<&ServiceSpec>,
    policy: &Policy,
) -> bool {
    if keep::image(spec).and_then(digest).is_some() {
        return follows(policy);
    }
    let runs_so = [live, applied].into_iter().flatten().any(|it| keep::image(it) == Some(said));
    !runs_so || policy.resolve_now
}

/// Pins an image that has no digest, where its tasks are replaced anyway. Says whether that changed anything.
pub(super) fn ride_along(spec: &mut ServiceSpec, said: &desired::Service, input: &Input<'_>) -> bool {
    let Some(said) = keep::image(&said.spec) else { return false };
    keep::image(spec) == Some(said) && digest(said).is_none() && counts(input.policy) && set(spec, said, input.images)
}

fn set(spec: &mut ServiceSpec, said: &str, images: &Images) -> bool {
    let Some(known) = images.get(said) else { return false };
    let Some(digest) = &known.digest else { return false };
    let pinned = ImageReference::parse(said).and_then(|image| image.with_digest(digest)).map(|it| it.to_string());
    let (Ok(pinned), Some(container)) = (pinned, spec.task_template.container_spec.as_mut()) else { return false };
    if container.image == pinned {
        return false;
    }
    container.image = pinned;
    set_platforms(spec, &known.platforms);
    true
}

/// As docker's client does: each once, none of what only stands for attestations, and of `arm` no architecture, because nodes
/// name theirs otherwise.
fn set_platforms(spec: &mut ServiceSpec, said: &[(String, String)]) {
    let mut platforms: Vec<Platform> = Vec::new();
    for (os, architecture) in said {
        if os == "unknown" || architecture == "unknown" || (os.is_empty() && architecture.is_empty()) {
            continue;
        }
        let architecture = if architecture.eq_ignore_ascii_case("arm") { "" } else { architecture };
        let platform = Platform { os: os.clone(), architecture: architecture.to_owned(), ..Platform::default() };
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    if !platforms.is_empty() || spec.task_template.placement.is_some() {
        spec.task_template.placement.get_or_insert_default().platforms = platforms;
    }
}

/// An image whose text is as it was has another digest for its registry's sake.
pub(super) fn attribute(changes: &mut [Change], said: &desired::Service) {
    let text = |value: &Option<serde_json::Value>| {
        let image = value.as_ref()?.as_str()?;
        Some(image.split('@').next().unwrap_or(image).to_owned())
    };
    let moved = |change: &Change| change.path == IMAGE && text(&change.before) == text(&change.after);
    if keep::image(&said.spec).and_then(digest).is_some() || !changes.iter().any(moved) {
        return;
    }
    let is_of_image = |path: &str| path == IMAGE || path.starts_with(PLATFORMS);
    for change in changes.iter_mut().filter(|change| is_of_image(&change.path)) {
        if matches!(change.origin, Origin::Git | Origin::Unknown) {
            change.origin = Origin::Registry;
        }
    }
}

/// What is to be said of images, and for which texts the word of their registry counts: text and digest.
pub(super) fn tell(
    input: &Input<'_>,
    index: &Index<'_>,
    outcomes: &[Outcome],
) -> (Vec<Diagnostic>, BTreeMap<String, String>) {
    let (mut found, mut pins) = (Vec::new(), BTreeMap::new());
    let (mut unpinned, mut kept): (Groups<'_>, Groups<'_>) = Default::default();
    for (name, service) in &input.desired.services {
        let Some(said) = keep::image(&service.spec).filter(|said| digest(said).is_none()) else { continue };
        let Some(known) = input.images.get(said).filter(|_| counts(input.policy)) else { continue };
        let live = index.services.get(name.as_str()).map(|live| &live.spec);
        let applied = input.applied.and_then(|applied| applied.services.get(name));
        let written = outcomes.iter().filter(|outcome| outcome.object.name == *name);
        let written = written.flat_map(Outcome::written_services).next();
        let Some(image) = written.or(live).and_then(keep::image) else { continue };
        let why = || known.problem.as_ref().map_or_else(|| "it names no digest".to_owned(), ToString::to_string);
        match (digest(image), &known.digest) {
            (pinned, Some(now)) => {
                let mut spec = service.spec.clone();
                keep::image_and_platforms(&mut spec, live, applied);
                let rides_along = keep::image(&spec) == Some(said) && written.is_some() && pinned == Some(now.as_str());
                let is_taken = rides_along || takes(&spec, said, live, applied, input.policy);
                if is_taken {
                    pins.insert(said.to_owned(), now.clone());
                } else if let Some(pinned) =
                    pinned.filter(|pinned| pinned != now && image.split('@').next() == Some(said))
                {
                    found.push(moved(service, said, pinned, now, input));
                }
            }
            (None, None) if written.is_some() => note(&mut unpinned, said, why()),
            (Some(_), None) if follows(input.policy) => note(&mut kept, said, why()),
            _ => {}
        }
    }
    let words = |((host, why), images): (&(String, String), &Vec<&str>)| (host.clone(), why.clone(), listed(images));
    for (host, why, images) in unpinned.iter().map(words) {
        found.push(
            Diagnostic::warning(
                code::IMAGE_NOT_PINNED,
                format!(
                    "not pinned to a digest: {images}, of registry {host} ({why}): each node runs what it finds there"
                ),
            )
            .hint("the digest is looked up again when the image's text changes, or when its tasks are replaced anyway"),
        );
    }
    for (host, why, images) in kept.iter().map(words) {
        let message = format!("not looked up: {images}, of registry {host} ({why}): what runs keeps its digest");
        found.push(Diagnostic::note(code::IMAGE_KEPT, message));
    }
    (found, pins)
}

/// Images, by registry and by why it did not say more.
type Groups<'a> = BTreeMap<(String, String), Vec<&'a str>>;

fn note<'a>(groups: &mut Groups<'a>, image: &'a str, why: String) {
    let host = ImageReference::parse(image).map_or_else(|_| String::new(), |image| image.host().to_owned());
    let images = groups.entry((host, why)).or_default();
    if !images.contains(&image) {
        images.push(image);
    }
}

/// The first few names.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = names.get(..SHOWN.min(names.len())).unwrap_or_default().join(", ");
    let more = names.len().saturating_sub(SHOWN);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn moved(service: &desired::Service, said: &str, runs: &str, now: &str, input: &Input<'_>) -> Diagnostic {
    let key = &service.key;
    let (runs, now) = (short(runs), short(now));
    let message = format!("{key}: the tag of {said} has moved: it points to {now} now, and {runs} runs");
    let hint = if input.policy.direct {
        "`--resolve-image always` rolls it".to_owned()
    } else {
        format!("`skep sync --resolve {}` rolls it once, `resolve: always` whenever it moves", input.desired.stack)
    };
    Diagnostic::note(code::TAG_MOVED, message).at(service.span).hint(hint)
}

/// A digest as people tell it from another.
fn short(digest: &str) -> &str {
    const LENGTH: usize = "sha256:".len() + 12;
    digest.get(..LENGTH).unwrap_or(digest)
}
