//! How the health of a service's tasks is known.

use super::silence::is_filled_in;
use super::{Given, SECOND, UNCHECKED_MONITOR, nanoseconds};
use crate::lint::{self, is_none};
use crate::swarm::{Healthcheck, Known, ServiceSpec};

/// How the health of a service's tasks is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Check {
    /// By probes. The start period is not among the numbers: what counts as a failure is counted from the first success on.
    Probes(lint::Check),
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

    /// Numbers that the file leaves open are those of the `image`; what neither says, the engine's own.
    fn probes(check: &Healthcheck, image: Option<&Healthcheck>) -> Self {
        let number = |of: fn(&Healthcheck) -> i64| if of(check) > 0 { of(check) } else { image.map_or(0, of) };
        Check::Probes(lint::Check::numbers(&Healthcheck {
            interval: number(|check| check.interval),
            timeout: number(|check| check.timeout),
            retries: number(|check| check.retries),
            ..Healthcheck::default()
        }))
    }

    /// Whether a task gets requests only once it answers.
    pub fn is_there(self) -> bool {
        matches!(self, Check::Probes(_) | Check::Kept { .. })
    }

    /// How long tasks are watched after they became healthy: as long as it takes to find out that they no longer are.
    pub fn monitor(self) -> i64 {
        match self {
            Check::Probes(check) => nanoseconds(check.watched()),
            Check::Kept { monitor } => monitor,
            Check::None | Check::Unknown => UNCHECKED_MONITOR,
        }
    }

    /// About how long a task takes until it counts as running, in nanoseconds: a container is up in about three seconds, and
    /// the first probe comes after an interval.
    pub fn start(self) -> i64 {
        let probe = match self {
            Check::Probes(check) => nanoseconds(check.interval),
            Check::Kept { .. } | Check::None | Check::Unknown => 0,
        };
        probe.saturating_add(3 * SECOND)
    }
}
