//! Updates that were: how they ended, what they can go back to, what they cost.

use jiff::{SignedDuration, Timestamp};

use super::{Found, Scope, Section, of_service};
use crate::diag::{Severity, code};
use crate::health;
use crate::swarm::canonical::canonical_service;
use crate::swarm::{Service, ServiceSpec, Task, UpdateStatus};

/// How long an update may take beyond what its own policy waits, before it counts as stuck.
const LONG: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn look(scope: &Scope<'_>, found: &mut Vec<Found>) {
    for service in scope.services() {
        found.extend(service.update_status.as_ref().and_then(|status| ended(service, status, scope.evidence.now)));
        let previous = scope.evidence.previous.get(&service.id);
        found.extend(previous.filter(|previous| is_same(previous, &service.spec)).map(|_| lost(service)));
        let old = scope.tasks_of(service).filter(|task| ended_in_last_update(service, task));
        let killed = health::killed(old);
        if killed.any() {
            let told = of_service(Section::Rollouts, code::KILLED, Severity::Warning, service, killed.to_string());
            found.push(told.hint(
                "let it end on its stop signal, and `stop_grace_period` be longer than its longest request; a shell as \
                 process 1 passes no signal on: `exec` the program, or `init: true`",
            ));
        }
    }
}

fn ended(service: &Service, status: &UpdateStatus, now: Option<Timestamp>) -> Option<Found> {
    let told = |code, message: String| of_service(Section::Rollouts, code, Severity::Warning, service, message);
    match status.state.as_str() {
        "paused" | "rollback_paused" => Some(
            told(code::ROLLOUT_FAILED, format!("its update is stopped half-way: {}", status.message))
                .hint("sending the same again resumes it and takes away the next good task; `docker service rollback` goes back"),
        ),
        "rollback_completed" => Some(
            told(code::ROLLOUT_FAILED, format!("its last update was taken back: {}", status.message))
                .hint("sending the same again fails and rolls back again"),
        ),
        "updating" | "rollback_started" => {
            let since: Timestamp = status.started_at.as_deref()?.parse().ok()?;
            let policy = service.spec.update_config.clone().unwrap_or_default();
            let pauses = SignedDuration::from_nanos(policy.delay.max(policy.monitor));
            let lasts = now?.duration_since(since);
            (lasts > LONG + pauses).then(|| {
                let minutes = lasts.as_mins();
                told(code::ROLLOUT_STUCK, format!("its update has been under way for {minutes} minutes"))
                    .hint("`docker service ps` tells what it waits for; to send it again takes away its verdict and its rollback")
            })
        }
        _ => None,
    }
}

/// Whether a rollback would change nothing. That a counter was raised (`--force`) is no version to go back to.
fn is_same(previous: &ServiceSpec, spec: &ServiceSpec) -> bool {
    let canonical = |spec: &ServiceSpec| {
        let mut spec = spec.clone();
        spec.task_template.force_update = 0;
        canonical_service(&mut spec);
        spec
    };
    canonical(previous) == canonical(spec)
}

fn lost(service: &Service) -> Found {
    let says = "its rollback target is lost: its last update changed nothing, so it would go back to what it is";
    let told = of_service(Section::Rollouts, code::TARGET_LOST, Severity::Warning, service, says);
    told.hint(
        "the engine keeps one version, and an identical update overwrites it: send only what differs, as skep does",
    )
}

/// Whether Swarm stopped a task after the last update began.
fn ended_in_last_update(service: &Service, task: &Task) -> bool {
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    let began = service.update_status.as_ref().and_then(|status| moment(status.started_at.as_deref()?));
    began.zip(moment(&task.status.timestamp)).is_some_and(|(began, ended)| ended >= began)
}
