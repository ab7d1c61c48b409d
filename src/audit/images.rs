//! What runs, against what its name means by now.

use std::collections::BTreeMap;

use super::{Found, Scope, Section, Tag, of_service};
use crate::diag::{Severity, code};
use crate::swarm::Service;
use crate::swarm::image::ImageReference;

/// Digits of a digest that people compare.
const DIGITS: usize = 12;

pub(super) fn look(scope: &Scope<'_>, found: &mut Vec<Found>) {
    for service in scope.services() {
        let Some(reference) = image_of(service) else { continue };
        let warn = |code, message: String| of_service(Section::Images, code, Severity::Warning, service, message);
        let name = reference.clone().without_digest().to_string();
        match (reference.digest(), scope.evidence.tags.get(&name)) {
            (None, _) => found.push(
                warn(
                    code::IMAGE_NO_DIGEST,
                    "its image has no digest: each node runs what the tag meant when it pulled".to_owned(),
                )
                .hint("skep, and `docker stack deploy` without `--resolve-image never`, pin one"),
            ),
            (Some(_), Some(Tag::Missing)) => found.push(warn(
                code::IMAGE_MISSING,
                format!(
                    "its registry has no {name} any more: a task that moves to a node without the image does not start"
                ),
            )),
            (Some(runs), Some(Tag::PointsTo(digest))) if runs != digest => found.push(
                warn(code::IMAGE_MOVED, format!("{name} points to {} by now, {} runs", short(digest), short(runs)))
                    .hint("the next `docker stack deploy` of its file rolls it, whatever else changed"),
            ),
            _ => {}
        }
    }
}

/// The image of a service, if it can be read.
pub(super) fn image_of(service: &Service) -> Option<ImageReference> {
    ImageReference::parse(&service.spec.task_template.container_spec.as_ref()?.image).ok()
}

fn short(digest: &str) -> &str {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    digits.get(..DIGITS).unwrap_or(digits)
}

/// Registries that did not tell, by why.
pub(super) fn not_checked(scope: &Scope<'_>) -> Vec<String> {
    let mut by_reason: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for (image, tag) in &scope.evidence.tags {
        if let Tag::Unknown(why) = tag {
            let host = ImageReference::parse(image).map(|image| image.host().to_owned()).unwrap_or_default();
            *by_reason.entry((host, why.as_str())).or_default() += 1;
        }
    }
    let told = by_reason.into_iter().map(|((host, why), count)| {
        format!("whether {} of {host} moved: {why}", crate::plan::plural(count as u64, "tag"))
    });
    told.collect()
}
