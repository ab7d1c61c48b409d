//! The fields of an update policy, one by one.

use crate::desired::SaidPolicy;
use crate::swarm::UpdateConfig;

/// One field of an update policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Parallelism,
    Delay,
    FailureAction,
    Monitor,
    MaxFailureRatio,
    Order,
}

impl Field {
    pub const ALL: [Field; 6] =
        [Field::Parallelism, Field::Delay, Field::FailureAction, Field::Monitor, Field::MaxFailureRatio, Field::Order];

    /// Its name in the engine's API.
    pub fn key(self) -> &'static str {
        match self {
            Field::Parallelism => "Parallelism",
            Field::Delay => "Delay",
            Field::FailureAction => "FailureAction",
            Field::Monitor => "Monitor",
            Field::MaxFailureRatio => "MaxFailureRatio",
            Field::Order => "Order",
        }
    }

    /// Whether the file says it.
    pub fn is_said(self, said: SaidPolicy) -> bool {
        match self {
            Field::Parallelism => said.parallelism,
            Field::Delay => said.delay,
            Field::FailureAction => said.failure_action,
            Field::Monitor => said.monitor,
            Field::MaxFailureRatio => said.max_failure_ratio,
            Field::Order => said.order,
        }
    }

    /// Whether two policies are the same in it, no word being the engine's own.
    pub fn is_same(self, one: &UpdateConfig, other: &UpdateConfig) -> bool {
        let word = |text: &str, default: &str| if text.is_empty() { default.to_owned() } else { text.to_owned() };
        match self {
            Field::Parallelism => one.parallelism == other.parallelism,
            Field::Delay => one.delay == other.delay,
            Field::FailureAction => word(&one.failure_action, "pause") == word(&other.failure_action, "pause"),
            Field::Monitor => one.monitor == other.monitor,
            Field::MaxFailureRatio => one.max_failure_ratio == other.max_failure_ratio,
            Field::Order => word(&one.order, "stop-first") == word(&other.order, "stop-first"),
        }
    }

    fn copy(self, from: &UpdateConfig, to: &mut UpdateConfig) {
        match self {
            Field::Parallelism => to.parallelism = from.parallelism,
            Field::Delay => to.delay = from.delay,
            Field::FailureAction => to.failure_action.clone_from(&from.failure_action),
            Field::Monitor => to.monitor = from.monitor,
            Field::MaxFailureRatio => to.max_failure_ratio = from.max_failure_ratio,
            Field::Order => to.order.clone_from(&from.order),
        }
    }
}

/// A policy with some fields of another.
pub(super) fn overlay(mut under: UpdateConfig, over: &UpdateConfig, takes: impl Fn(Field) -> bool) -> UpdateConfig {
    for field in Field::ALL.into_iter().filter(|field| takes(*field)) {
        field.copy(over, &mut under);
    }
    under
}

/// What a policy that is not there means, in the engine's words.
pub(super) fn absent() -> UpdateConfig {
    UpdateConfig {
        parallelism: 1,
        failure_action: "pause".to_owned(),
        order: "stop-first".to_owned(),
        ..UpdateConfig::default()
    }
}
