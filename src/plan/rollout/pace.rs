//! How long a rollout takes.

use std::time::Duration;

use super::{Check, DEFAULT_MONITOR, SECOND, nanoseconds};
use crate::desired;
use crate::diag::{Diagnostic, code};
use crate::lint;
use crate::plan::step::Rollout;
use crate::plan::words;
use crate::swarm::UpdateConfig;

/// A healthcheck that needs longer than this to find a task bad is slow.
const SLOW: i64 = 60 * SECOND;
/// What is quick, and still no burden.
const QUICK: Check =
    Check::Probes(lint::Check { interval: Duration::from_secs(5), timeout: Duration::from_secs(3), retries: 3 });

/// About how many seconds an update takes that replaces so many tasks: a batch starts, the engine waits, the next starts;
/// and after the last it watches for as long as the policy says.
pub(in crate::plan) fn seconds(policy: Option<&UpdateConfig>, check: Check, tasks: u64) -> u64 {
    let (parallelism, delay, monitor) = match policy {
        Some(policy) => (policy.parallelism, policy.delay, policy.monitor),
        None => (1, 0, 0),
    };
    let monitor = if monitor == 0 { DEFAULT_MONITOR } else { monitor };
    let batches = match parallelism {
        0 => u64::from(tasks > 0),
        parallelism => tasks.div_ceil(parallelism),
    };
    let a_batch = u64::try_from(check.start().saturating_add(delay)).unwrap_or(0);
    let all = batches.saturating_mul(a_batch).saturating_add(u64::try_from(monitor).unwrap_or(0));
    all.div_ceil(SECOND.unsigned_abs())
}

/// Says that a slow healthcheck makes a rollout long, where its numbers made the policy.
pub(in crate::plan) fn slow(
    service: &desired::Service,
    check: Check,
    rollout: Option<&Rollout>,
    tasks: u64,
) -> Option<Diagnostic> {
    let Check::Probes(lint::Check { interval, timeout, retries }) = check else { return None };
    let rollout = rollout.filter(|_| !service.said.update.monitor && check.monitor() > SLOW)?;
    let watched = QUICK.monitor();
    let policy = UpdateConfig {
        parallelism: rollout.parallelism,
        delay: if rollout.parallelism != 0 && tasks > rollout.parallelism { watched } else { 0 },
        monitor: watched,
        ..UpdateConfig::default()
    };
    let quick = seconds(Some(&policy), QUICK, tasks);
    let message = format!(
        "{}: the update takes about {}, because its healthcheck (every {}, {} to answer, {retries} in a row) finds a bad task \
         only after {}; every 5s, 3s to answer, 3 in a row would make it about {}",
        service.key,
        words::about(rollout.seconds),
        words::duration(nanoseconds(interval)),
        words::duration(nanoseconds(timeout)),
        words::duration(check.monitor()),
        words::about(quick),
    );
    let hint =
        "`healthcheck: { interval: 5s, timeout: 3s, retries: 3 }`, with a `start_period` as long as its slowest start";
    Some(Diagnostic::note(code::SLOW_ROLLOUT, message).at(service.span).hint(hint))
}
