//! `deploy:` of a service.

use schemars::{JsonSchema, Schema};

use super::super::keys;
use super::values::{
    Bytes, Duration, FailureAction, Integer, Number, PairsOrList, RestartCondition, ServiceMode, UpdateOrder,
    extensions, known,
};

/// How a service runs on the swarm.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct Deploy {
    /// `replicated`, `global`, `replicated-job` or `global-job` [default: replicated].
    mode: Option<ServiceMode>,
    /// How many tasks; where nothing is said, 1 at creation and the live number afterwards.
    replicas: Option<Integer>,
    /// Labels of the service.
    labels: Option<PairsOrList>,
    /// `vip` or `dnsrr` [default: vip].
    endpoint_mode: Option<String>,
    /// How an update rolls.
    update_config: Option<UpdateConfig>,
    /// How a rollback rolls.
    rollback_config: Option<UpdateConfig>,
    /// Limits and reservations.
    resources: Option<Resources>,
    /// What happens when a task ends.
    restart_policy: Option<RestartPolicy>,
    /// Where tasks may run.
    placement: Option<Placement>,
}

/// How an update or a rollback rolls.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct UpdateConfig {
    /// Tasks at a time; 0 is all [default: 1].
    parallelism: Option<Integer>,
    /// Between batches [default: 0s].
    delay: Option<Duration>,
    /// `pause`, `continue` or `rollback` [default: pause].
    failure_action: Option<FailureAction>,
    /// In which a failure counts [default: 5s].
    monitor: Option<Duration>,
    /// The share of failures that is borne [default: 0].
    max_failure_ratio: Option<Number>,
    /// `stop-first` or `start-first` [default: stop-first].
    order: Option<UpdateOrder>,
}

/// Limits and reservations.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Resources {
    /// What a task may use at most.
    limits: Option<Limits>,
    /// What a node must have left for it.
    reservations: Option<Reservations>,
}

/// What a task may use at most.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Limits {
    /// CPUs, as "0.5".
    cpus: Option<Number>,
    /// Memory.
    memory: Option<Bytes>,
    /// Processes.
    pids: Option<Integer>,
}

fn known_of_reservations(schema: &mut Schema) {
    known(schema, keys::RESERVATIONS);
}

/// What a node must have left.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions, transform = known_of_reservations)]
struct Reservations {
    /// CPUs, as "0.5".
    cpus: Option<Number>,
    /// Memory.
    memory: Option<Bytes>,
    /// Things that only the user knows how to count.
    generic_resources: Option<Vec<GenericResource>>,
}

/// A thing that only the user knows how to count.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct GenericResource {
    /// So many of a kind.
    discrete_resource_spec: DiscreteResource,
}

/// So many of a kind.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct DiscreteResource {
    /// What is counted, as the nodes' engines announce it.
    kind: String,
    /// How many.
    value: Integer,
}

/// What happens when a task ends.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct RestartPolicy {
    /// `any`, `on-failure` or `none` [default: any].
    condition: Option<RestartCondition>,
    /// Until it is started again [default: 5s].
    delay: Option<Duration>,
    /// How often [default: for ever].
    max_attempts: Option<Integer>,
    /// In which attempts are counted.
    window: Option<Duration>,
}

/// Where tasks may run.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Placement {
    /// `key == value` or `key != value`.
    constraints: Option<Vec<String>>,
    /// How tasks are spread.
    preferences: Option<Vec<Preference>>,
    /// At most so many on a node.
    max_replicas_per_node: Option<Integer>,
}

/// How tasks are spread.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Preference {
    /// Evenly over the values of this label.
    spread: String,
}
