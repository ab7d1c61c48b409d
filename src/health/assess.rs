//! The rollout state machine: one look, one verdict.

use std::time::Duration;

use super::tasks::{self, Count};
use super::{Assessment, Observation, Seen, Verdict, WaitingFor, spec};
use crate::swarm::ServiceSpec;

/// How long nothing must have been left that could become ready: a failed task's successor is not made at the same
/// moment.
const DEAD: Duration = Duration::from_secs(5);

/// Looks at a service. `seen` is what the look before returned, `now` the caller's monotonic clock.
pub fn assess(observation: &Observation<'_>, seen: &Seen, now: Duration) -> Assessment {
    let count = tasks::count(observation);
    let mut seen = remember(seen, &count, now);
    let verdict = written_over(observation).unwrap_or_else(|| judge(observation, &count, &seen, now));
    if verdict == Verdict::Converged {
        // What fails later has all its time from then on.
        seen.progressed_at = Some(now);
    }
    Assessment { verdict, up_to_date: count.ready, wanted: count.wanted, seen }
}

fn remember(seen: &Seen, count: &Count, now: Duration) -> Seen {
    let has_progressed = count.ready > seen.progress || seen.progressed_at.is_none();
    let is_complete = count.ready >= count.wanted && count.old == 0;
    let running = is_complete.then(|| match &seen.running {
        Some((ids, since)) if *ids == count.ids => (ids.clone(), *since),
        _ => (count.ids.clone(), now),
    });
    let is_dead = count.ready < count.wanted && count.coming == 0 && count.old == 0 && count.failing.is_some();
    Seen {
        progress: seen.progress.max(count.ready),
        progressed_at: if has_progressed { Some(now) } else { seen.progressed_at },
        running,
        dead_since: is_dead.then(|| seen.dead_since.unwrap_or(now)),
    }
}

/// Verdicts that no count of tasks changes: the engine gave up on the spec, or another one took its place.
fn written_over(observation: &Observation<'_>) -> Option<Verdict> {
    let status = observation.service.update_status.clone().unwrap_or_default();
    let is_ours = observation.expected.is_none_or(|sent| spec::is_same(sent, &observation.service.spec));
    match status.state.as_str() {
        "paused" | "rollback_paused" => Some(Verdict::Paused { message: status.message }),
        "rollback_started" if !is_ours => Some(Verdict::RolledBack { message: status.message, finished: false }),
        "rollback_completed" if !is_ours => Some(Verdict::RolledBack { message: status.message, finished: true }),
        _ if !is_ours => Some(Verdict::Superseded),
        _ => None,
    }
}

fn judge(observation: &Observation<'_>, count: &Count, seen: &Seen, now: Duration) -> Verdict {
    let Some(waiting_for) = waiting_for(observation, count, seen, now) else { return Verdict::Converged };
    if let Some(failure) = &count.failing
        && seen.dead_since.is_some_and(|since| now.saturating_sub(since) >= DEAD)
    {
        return Verdict::Degraded(failure.clone());
    }
    let since = seen.progressed_at.unwrap_or(now);
    let is_late = now.saturating_sub(since) >= observation.timeout + pauses(&observation.service.spec);
    match (&count.failing, is_late) {
        // All run: what is awaited now ends by itself.
        (_, true) if matches!(waiting_for, WaitingFor::Stability(_)) => {
            Verdict::Progressing { waiting_for, failing: None }
        }
        (Some(failure), true) => Verdict::Degraded(failure.clone()),
        (None, true) => Verdict::Stuck { waiting_for },
        (failing, false) => Verdict::Progressing { waiting_for, failing: failing.clone() },
    }
}

/// What the policy itself waits without anything becoming ready: between two batches, and after the last.
fn pauses(spec: &ServiceSpec) -> Duration {
    let policy = spec.update_config.clone().unwrap_or_default();
    Duration::from_nanos(u64::try_from(policy.delay.max(policy.monitor)).unwrap_or(0))
}

fn waiting_for(observation: &Observation<'_>, count: &Count, seen: &Seen, now: Duration) -> Option<WaitingFor> {
    if count.ready < count.wanted {
        return Some(match &count.unplaced {
            Some(reason) => WaitingFor::Placement(reason.clone()),
            None if count.is_job => WaitingFor::Completion(count.wanted - count.ready),
            None if count.coming > 0 => WaitingFor::Start(count.coming),
            None if count.old > 0 => WaitingFor::OldTasks(count.old),
            None => WaitingFor::Tasks,
        });
    }
    if count.old > 0 {
        return Some(WaitingFor::OldTasks(count.old));
    }
    if super::is_rolling(observation.service) {
        return Some(WaitingFor::Update);
    }
    if count.is_job || count.wanted == 0 {
        return None;
    }
    let since = seen.running.as_ref().map_or(now, |(_, since)| *since);
    let left = observation.window.saturating_sub(now.saturating_sub(since));
    (!left.is_zero()).then_some(WaitingFor::Stability(left))
}
