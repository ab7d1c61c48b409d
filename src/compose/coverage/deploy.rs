//! Keys of `deploy`.

use super::{Row, reading, service};

/// Keys of `deploy`, but for reservations.
pub(super) const ROWS: &[Row] = &[
    service("mode", &["Mode"]),
    service(
        "replicas",
        &["Mode/Replicated/Replicas", "Mode/ReplicatedJob/MaxConcurrent", "Mode/ReplicatedJob/TotalCompletions"],
    )
    .note("silence is 1 at creation, and the live number afterwards")
    .differs("silence is 1, each time"),
    service("labels", &["Labels/*"]).differs("booleans are refused"),
    service("endpoint_mode", &["EndpointSpec/Mode"]),
    service("update_config", &["UpdateConfig"]),
    service("update_config.parallelism", &["UpdateConfig/Parallelism"]).note("1 where it is silent; 0 is all at once"),
    service("update_config.delay", &["UpdateConfig/Delay"]),
    service("update_config.failure_action", &["UpdateConfig/FailureAction"]),
    service("update_config.monitor", &["UpdateConfig/Monitor"]),
    service("update_config.max_failure_ratio", &["UpdateConfig/MaxFailureRatio"]),
    service("update_config.order", &["UpdateConfig/Order"]),
    service("rollback_config", &["RollbackConfig"]),
    service("rollback_config.parallelism", &["RollbackConfig/Parallelism"]),
    service("rollback_config.delay", &["RollbackConfig/Delay"]),
    service("rollback_config.failure_action", &["RollbackConfig/FailureAction"]),
    service("rollback_config.monitor", &["RollbackConfig/Monitor"]),
    service("rollback_config.max_failure_ratio", &["RollbackConfig/MaxFailureRatio"]),
    service("rollback_config.order", &["RollbackConfig/Order"]),
    service("resources", &["TaskTemplate/Resources"]),
    service("resources.limits", &["TaskTemplate/Resources/Limits"]).note("`{}` counts as said"),
    service("resources.limits.cpus", &["TaskTemplate/Resources/Limits/NanoCPUs"]).differs("a number must be in quotes"),
    service("resources.limits.memory", &["TaskTemplate/Resources/Limits/MemoryBytes"])
        .differs("a number must be in quotes"),
    service("resources.limits.pids", &["TaskTemplate/Resources/Limits/Pids"]),
    service("resources.reservations", &["TaskTemplate/Resources/Reservations"]).note("`{}` counts as said"),
    service("restart_policy", &["TaskTemplate/RestartPolicy"]),
    service("restart_policy.condition", &["TaskTemplate/RestartPolicy/Condition"]),
    service("restart_policy.delay", &["TaskTemplate/RestartPolicy/Delay"]),
    service("restart_policy.max_attempts", &["TaskTemplate/RestartPolicy/MaxAttempts"]),
    service("restart_policy.window", &["TaskTemplate/RestartPolicy/Window"]),
    reading("placement", ""),
    service("placement.constraints", &["TaskTemplate/Placement/Constraints"]),
    service("placement.preferences", &["TaskTemplate/Placement/Preferences"]),
    service("placement.preferences.spread", &["TaskTemplate/Placement/Preferences/*/Spread/SpreadDescriptor"]),
    service("placement.max_replicas_per_node", &["TaskTemplate/Placement/MaxReplicas"]),
];

/// Keys of `resources.reservations`.
pub(super) const RESERVATIONS: &[Row] = &[
    service("cpus", &["TaskTemplate/Resources/Reservations/NanoCPUs"]).differs("a number must be in quotes"),
    service("memory", &["TaskTemplate/Resources/Reservations/MemoryBytes"]).differs("a number must be in quotes"),
    service("generic_resources", &["TaskTemplate/Resources/Reservations/GenericResources"]),
    service(
        "generic_resources.discrete_resource_spec",
        &["TaskTemplate/Resources/Reservations/GenericResources/*/DiscreteResourceSpec"],
    ),
    service(
        "generic_resources.discrete_resource_spec.kind",
        &["TaskTemplate/Resources/Reservations/GenericResources/*/DiscreteResourceSpec/Kind"],
    ),
    service(
        "generic_resources.discrete_resource_spec.value",
        &["TaskTemplate/Resources/Reservations/GenericResources/*/DiscreteResourceSpec/Value"],
    ),
];
