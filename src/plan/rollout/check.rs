//! How the health of a service's tasks is known.

use super::silence::is_filled_in;
use super::{Given, LEAST_MONITOR, MOST_MONITOR, SECOND, SLACK, UNCHECKED_MONITOR};
use crate::swarm::{Healthcheck, Known, ServiceSpec};

/// The engine's own, where neither the file nor the image says any.
const DEFAULT_INTERVAL: i64 = 30 * SECOND;
const DEFAULT_TIMEOUT: i64 = 30 * SECOND;
const DEFAULT_RETRIES: i64 = 3;

/// How the health of a service's tasks is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Check {
    /// By probes. The start period is not among the numbers: what counts as a failure is counted from the first success on.
    Probes {
        /// Nanoseconds between two of them.
        interval: i64,
        /// Nanoseconds that one may take.
        timeout: i64,
        /// How many in a row fail before a task counts as bad.
        retries: i64,
    },
    /// Nobody said anew whether its image has a healthcheck; when the policy was filled in that it has, one did.
    Kept {
        /// How long its tasks are watched, as it was filled in then, in nanoseconds.
        monitor: i64,
    },
    /// It has no healthcheck, or has it switched off.
    None,
    /// Nobody said whether its image has one.
    Unknown,
}

impl Check {
    /// The healthcheck of the file, or else the image's own; numbers that neither says are the engine's.
    pub fn of(given: &Given<'_>) -> Self {
        let container = given.spec.task_template.container_spec.as_ref();
        let file = container.and_then(|container| container.healthcheck.as_ref());
        let text = |spec: &'_ ServiceSpec| {
            let image = spec.task_template.container_spec.as_ref().map(|container| container.image.clone());
            image.unwrap_or_default()
        };
        let image = text(given.spec);
        let tagged = image.split('@').next().unwrap_or_default();
        // What its tag points to by now may be another image than the one that runs.
        let own = given.images.of(&image).map(|image| &image.healthcheck);
        match (file, own) {
            (Some(file), _) if is_none(file) => Check::None,
            (Some(file), Some(Known::Some(own))) if file.test.is_empty() => {
                if is_none(own) || own.test.is_empty() {
                    Check::None
                } else {
                    Check::probes(file, Some(own))
                }
            }
            // Numbers the file leaves open are the image's, if that is known to have any.
            (Some(file), Some(Known::Some(own))) => Check::probes(file, Some(own)),
            (Some(file), _) if !file.test.is_empty() => Check::probes(file, None),
            (None, Some(Known::Some(own))) if is_none(own) || own.test.is_empty() => Check::None,
            (None, Some(Known::Some(own))) => Check::probes(own, None),
            (_, Some(Known::None)) => Check::None,
            (_, Some(Known::Unknown) | None) => {
                let live = given.live.filter(|live| text(live).split('@').next() == Some(tagged));
                let policy = live.and_then(|live| live.update_config.as_ref());
                let kept = policy.filter(|policy| {
                    is_filled_in(policy, given.service.said.update)
                        && policy.order == "start-first"
                        && policy.monitor != UNCHECKED_MONITOR
                });
                kept.map_or(Check::Unknown, |policy| Check::Kept { monitor: policy.monitor })
            }
        }
    }

    fn probes(check: &Healthcheck, image: Option<&Healthcheck>) -> Self {
        let number = |of: fn(&Healthcheck) -> i64, default| {
            let own = image.map_or(0, of);
            [of(check), own].into_iter().find(|number| *number > 0).unwrap_or(default)
        };
        Check::Probes {
            interval: number(|check| check.interval, DEFAULT_INTERVAL),
            timeout: number(|check| check.timeout, DEFAULT_TIMEOUT),
            retries: number(|check| check.retries, DEFAULT_RETRIES),
        }
    }

    /// Whether a task gets requests only once it answers.
    pub fn is_there(self) -> bool {
        matches!(self, Check::Probes { .. } | Check::Kept { .. })
    }

    /// How long tasks are watched after they became healthy: as long as it takes to find out that they no longer are.
    pub fn monitor(self) -> i64 {
        match self {
            Check::Probes { interval, timeout, retries } => {
                let detected = retries.saturating_mul(interval.saturating_add(timeout)).saturating_add(SLACK);
                detected.clamp(LEAST_MONITOR, MOST_MONITOR)
            }
            Check::Kept { monitor } => monitor,
            Check::None | Check::Unknown => UNCHECKED_MONITOR,
        }
    }

    /// About how long a task takes until it counts as running, in nanoseconds: a container is up in about three seconds, and
    /// the first probe comes after an interval.
    pub fn start(self) -> i64 {
        let probe = match self {
            Check::Probes { interval, .. } => interval,
            Check::Kept { .. } | Check::None | Check::Unknown => 0,
        };
        probe.saturating_add(3 * SECOND)
    }
}

fn is_none(check: &Healthcheck) -> bool {
    check.test.first().is_some_and(|word| word == "NONE")
}
