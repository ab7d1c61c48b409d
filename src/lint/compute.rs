//! The update policy that is computed for a service: what `docs/zero-downtime.md` derives from the measurements.

use std::time::Duration;

use super::words::{duration, nanoseconds};
use crate::swarm::{Healthcheck, ServiceSpec};

/// The longest window in which failures are waited for.
pub const LONGEST: Duration = Duration::from_secs(300);
/// The engine's own default, and the least that is computed.
pub const SHORTEST: Duration = Duration::from_secs(5);
/// The window where nothing tells when a task is well.
pub const BLIND: Duration = Duration::from_secs(30);

/// When a healthcheck calls a task unwell: its numbers, Docker's own defaults where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Between two probes.
    pub interval: Duration,
    /// How long a probe may take.
    pub timeout: Duration,
    /// How many must fail in a row.
    pub retries: u32,
}

impl Check {
    /// The check of a service; `None` where it has none, or switches off that of its image.
    pub fn of(spec: &ServiceSpec) -> Option<Self> {
        let check = spec.task_template.container_spec.as_ref()?.healthcheck.as_ref()?;
        (!check.test.is_empty() && !is_none(check)).then(|| Self::numbers(check))
    }

    /// Docker's own defaults: those of an image's check that nobody looked at.
    pub fn docker() -> Self {
        Self::numbers(&Healthcheck::default())
    }

    /// The numbers of a check, whatever it runs.
    pub fn numbers(check: &Healthcheck) -> Self {
        Self {
            interval: nanoseconds(check.interval).unwrap_or(Duration::from_secs(30)),
            timeout: nanoseconds(check.timeout).unwrap_or(Duration::from_secs(30)),
            retries: u32::try_from(check.retries).ok().filter(|it| *it > 0).unwrap_or(3),
        }
    }

    /// How long it takes at most until a task that turned unwell is called so: `retries * (interval + timeout)`.
    pub fn notices_within(self) -> Duration {
        self.interval.saturating_add(self.timeout).saturating_mul(self.retries)
    }

    /// How long after a batch failures are waited for: two seconds longer than the check takes, since in the measured run a new
    /// task was still started 1.6 s after a crash.
    pub fn watched(self) -> Duration {
        self.notices_within().saturating_add(Duration::from_secs(2)).clamp(SHORTEST, LONGEST)
    }
}

/// Whether a check says that there is none.
pub fn is_none(check: &Healthcheck) -> bool {
    check.test.first().is_some_and(|word| word == "NONE")
}

/// How many of so many tasks are replaced at once: a third of them can be bad.
pub fn at_once(tasks: u64) -> u64 {
    (tasks / 3).max(1)
}

/// The numbers of a computed policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Computed {
    /// How many tasks are replaced at once: a third can be bad.
    pub parallelism: u64,
    /// How long after a batch failures count.
    pub monitor: Duration,
    /// How long the next batch waits: as long as failures count. Nothing else holds it back.
    pub delay: Duration,
}

impl Computed {
    /// For so many replicas.
    pub fn of(check: Option<Check>, replicas: u64) -> Self {
        let monitor = check.map_or(BLIND, Check::watched);
        let parallelism = at_once(replicas);
        Self { parallelism, monitor, delay: if replicas > parallelism { monitor } else { Duration::ZERO } }
    }

    /// As a line of a stack file, with what else is to stand in it.
    pub(super) fn line(self, rest: &str) -> String {
        let (delay, monitor) = (duration(self.delay), duration(self.monitor));
        let parallelism = self.parallelism;
        format!("deploy.update_config: {{ parallelism: {parallelism}, delay: {delay}, monitor: {monitor}{rest} }}")
    }
}
