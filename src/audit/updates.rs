//! Which updates drop requests: the rules of `lint` over all that runs, with the engine's own defaults.

use super::{Found, Scope, Section, of_service};
use crate::diag::{Severity, code};
use crate::lint::{self, Subject, World};

/// What loses requests whenever a service is updated, and not only when the new version is bad.
const ALWAYS: &[&str] = &[
    code::ONE_REPLICA_STOP_FIRST,
    code::ALL_AT_ONCE,
    code::NO_HEALTHCHECK,
    code::PROXY_REFRESH,
    code::DNS_ONCE,
    code::NO_GRACE,
    code::ABRUPT_EXIT,
];

pub(super) fn look(scope: &Scope<'_>, found: &mut Vec<Found>) {
    let world = World::of_live(&scope.evidence.live);
    for service in scope.services() {
        for finding in lint::lint(&Subject::live(service, check_of(scope, service)), &world) {
            let told = of_service(Section::Updates, finding.code, finding.severity, service, finding.says);
            found.push(Found { hints: finding.hints, ..told });
        }
    }
}

fn image(service: &crate::swarm::Service) -> Option<&str> {
    Some(service.spec.task_template.container_spec.as_ref()?.image.as_str())
}

fn check_of(scope: &Scope<'_>, service: &crate::swarm::Service) -> Option<bool> {
    scope.evidence.image_checks.get(image(service)?).copied()
}

/// Whether it is one of those that happen at every update.
pub(super) fn loses_always(found: &Found) -> bool {
    found.section == Section::Updates && found.severity < Severity::Note && ALWAYS.contains(&found.code.as_str())
}

/// Images that this engine does not have: whether they bring a healthcheck is not known, and the rules take it that they do not.
pub(super) fn not_checked(scope: &Scope<'_>) -> Option<String> {
    let is_silent = |service: &&std::sync::Arc<crate::swarm::Service>| {
        let container = service.spec.task_template.container_spec.as_ref();
        container.is_some_and(|it| it.healthcheck.as_ref().is_none_or(|check| check.test.is_empty()))
    };
    let unknown = scope.services().filter(is_silent).filter(|service| check_of(scope, service).is_none()).count();
    (unknown > 0).then(|| {
        format!(
            "whether the images of {} bring a healthcheck of their own: this engine does not have them, so they count as if not",
            crate::plan::plural(unknown as u64, "service")
        )
    })
}
