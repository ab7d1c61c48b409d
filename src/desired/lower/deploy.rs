//! `deploy:`: the mode, the update policies, the restart policy, resources and placement.

use crate::compose::{self, At, Deploy, Service};
use crate::desired::SaidPolicy;
use crate::diag::{Diagnostic, Faults, Span, code};
use crate::swarm::{
    DiscreteResource, Empty, GenericResource, Placement, Preference, Replicated, ReplicatedJob, ResourceLimits,
    ResourceReservations, Resources, RestartPolicy, ServiceMode, Spread, UpdateConfig,
};

/// The least memory the engine takes as a limit or reservation: 4 MiB.
const LEAST_MEMORY: i64 = 4 << 20;
/// The least share of a CPU, in billionths.
const LEAST_CPU: i64 = 1_000_000;

/// The mode. Which one is always sent; the number only where the file says it.
pub(super) fn mode(deploy: &Deploy, service: Option<Span>, faults: &mut Faults) -> ServiceMode {
    let word = deploy.mode.as_ref().map_or("", |mode| mode.value.as_str());
    let replicas = deploy.replicas.as_ref().map(|replicas| replicas.value);
    let mode = match word {
        "" | "replicated" => {
            ServiceMode { replicated: Some(Replicated { replicas, ..Replicated::default() }), ..ServiceMode::default() }
        }
        "replicated-job" => {
            let job =
                ReplicatedJob { max_concurrent: replicas, total_completions: replicas, ..ReplicatedJob::default() };
            ServiceMode { replicated_job: Some(job), ..ServiceMode::default() }
        }
        "global" => ServiceMode { global: Some(Empty::default()), ..ServiceMode::default() },
        "global-job" => ServiceMode { global_job: Some(Empty::default()), ..ServiceMode::default() },
        _ => {
            let span = deploy.mode.as_ref().and_then(|mode| mode.span).or(service);
            faults.push(invalid("deploy.mode", word, "replicated, global, replicated-job or global-job", span));
            ServiceMode::default()
        }
    };
    if let (Some(At { span, .. }), "global" | "global-job") = (&deploy.replicas, word) {
        let message = format!("`deploy.replicas` has no meaning in the mode `{word}`: it runs one task a node");
        faults.push(Diagnostic::error(code::CONFLICT, message).at(span.or(service)));
    }
    if let (Some(At { span, .. }), "replicated-job" | "global-job") = (&deploy.update_config, word) {
        let message = format!("`deploy.update_config` has no meaning in the mode `{word}`, and the engine refuses it");
        faults.push(Diagnostic::error(code::CONFLICT, message).at(span.or(service)));
    }
    mode
}

/// Which fields of `update_config` or `rollback_config` the file says.
pub(super) fn said(config: Option<&At<compose::UpdateConfig>>) -> SaidPolicy {
    let Some(At { value: file, .. }) = config else { return SaidPolicy::default() };
    SaidPolicy {
        parallelism: file.parallelism.is_some(),
        delay: file.delay.is_some(),
        failure_action: file.failure_action.is_some(),
        monitor: file.monitor.is_some(),
        max_failure_ratio: file.max_failure_ratio != 0.0,
        order: file.order.is_some(),
    }
}

/// `update_config` or `rollback_config`. Absent stays absent: the engine has its own defaults at run time.
pub(super) fn policy(
    config: Option<&At<compose::UpdateConfig>>,
    key: &str,
    faults: &mut Faults,
) -> Option<UpdateConfig> {
    let At { value: file, span } = config?;
    let mut word = |name: &str, text: &Option<String>, allowed: &[&str]| {
        let text = text.clone().unwrap_or_default();
        if !text.is_empty() && !allowed.contains(&text.as_str()) {
            faults.push(invalid(&format!("deploy.{key}.{name}"), &text, &allowed.join(", "), *span));
        }
        text
    };
    let failure_action = word("failure_action", &file.failure_action, &["pause", "continue", "rollback"]);
    let order = word("order", &file.order, &["stop-first", "start-first"]);
    let (delay, monitor) = (file.delay.unwrap_or_default(), file.monitor.unwrap_or_default());
    if delay < 0 || monitor < 0 {
        let message = format!("`deploy.{key}`: `delay` and `monitor` cannot be negative");
        faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(*span));
    }
    if !(0.0..=1.0).contains(&file.max_failure_ratio) {
        let message = format!("`deploy.{key}.max_failure_ratio` is a share: between 0 and 1");
        faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(*span));
    }
    Some(UpdateConfig {
        parallelism: file.parallelism.unwrap_or(1),
        delay,
        failure_action,
        monitor,
        max_failure_ratio: file.max_failure_ratio,
        order,
        ..UpdateConfig::default()
    })
}

/// `deploy.restart_policy`, or else `restart:`, which `docker stack deploy` honours though it warns that it does not.
pub(super) fn restart_policy(service: &Service, span: Option<Span>, faults: &mut Faults) -> Option<RestartPolicy> {
    let Some(file) = &service.deploy.restart_policy else {
        return service.restart.as_ref().and_then(|restart| restart_word(restart, faults));
    };
    let condition = file.condition.clone().unwrap_or_default();
    if !matches!(condition.as_str(), "" | "any" | "on-failure" | "none") {
        faults.push(invalid("deploy.restart_policy.condition", &condition, "any, on-failure or none", span));
    }
    Some(RestartPolicy {
        condition,
        delay: file.delay,
        max_attempts: file.max_attempts,
        window: file.window,
        ..RestartPolicy::default()
    })
}

/// `no` is silence, and in a swarm silence restarts: that is what `docker stack deploy` does with it.
fn restart_word(restart: &At<String>, faults: &mut Faults) -> Option<RestartPolicy> {
    let policy = |condition: &str, max_attempts| {
        Some(RestartPolicy { condition: condition.to_owned(), max_attempts, ..RestartPolicy::default() })
    };
    let (word, attempts) = match restart.value.split_once(':') {
        Some((word, attempts)) => (word, Some(attempts.parse::<u64>())),
        None => (restart.value.as_str(), None),
    };
    match (word, attempts) {
        ("" | "no", None) => None,
        ("always" | "unless-stopped", None) => policy("any", None),
        ("on-failure", None) => policy("on-failure", None),
        ("on-failure", Some(Ok(attempts))) => policy("on-failure", (attempts > 0).then_some(attempts)),
        _ => {
            let allowed = "no, always, unless-stopped, on-failure or on-failure:N";
            faults.push(invalid("restart", &restart.value, allowed, restart.span));
            None
        }
    }
}

/// Present though empty: its absence would restart the tasks of a service that `docker stack deploy` made.
pub(super) fn resources(deploy: &Deploy, service: Option<Span>, faults: &mut Faults) -> Resources {
    for (key, said) in [("limits", &deploy.limits), ("reservations", &deploy.reservations)] {
        let Some(said) = said else { continue };
        for (name, value, least, shown) in
            [("memory", said.memory_bytes, LEAST_MEMORY, "4MiB"), ("cpus", said.nano_cpus, LEAST_CPU, "0.001")]
        {
            if value != 0 && value < least {
                let message = format!("`deploy.resources.{key}.{name}` is below {shown}, the least the engine takes");
                faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(service));
            }
        }
    }
    Resources {
        limits: deploy.limits.as_ref().map(|said| ResourceLimits {
            nano_cpus: said.nano_cpus,
            memory_bytes: said.memory_bytes,
            pids: said.pids,
            ..ResourceLimits::default()
        }),
        reservations: deploy.reservations.as_ref().map(|said| ResourceReservations {
            nano_cpus: said.nano_cpus,
            memory_bytes: said.memory_bytes,
            generic_resources: said.generic.iter().map(|(kind, value)| generic(kind, *value)).collect(),
            ..ResourceReservations::default()
        }),
        ..Resources::default()
    }
}

fn generic(kind: &str, value: i64) -> GenericResource {
    let discrete = DiscreteResource { kind: kind.to_owned(), value, ..DiscreteResource::default() };
    GenericResource { discrete_resource_spec: Some(discrete), ..GenericResource::default() }
}

/// Present though empty, as `docker stack deploy` sends it.
pub(super) fn placement(file: &compose::Placement, service: Option<Span>, faults: &mut Faults) -> Placement {
    for constraint in &file.constraints {
        let parts = constraint.split_once("==").or_else(|| constraint.split_once("!="));
        if parts.is_none_or(|(key, value)| key.trim().is_empty() || value.trim().is_empty()) {
            let message =
                format!("the placement constraint `{constraint}` is not of the form `key==value` or `key!=value`");
            faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(service));
        }
    }
    let spread = |descriptor: &String| Preference {
        spread: Some(Spread { spread_descriptor: descriptor.clone(), ..Spread::default() }),
        ..Preference::default()
    };
    Placement {
        constraints: file.constraints.clone(),
        preferences: file.spread.iter().map(spread).collect(),
        max_replicas: file.max_replicas_per_node,
        ..Placement::default()
    }
}

fn invalid(key: &str, given: &str, allowed: &str, span: Option<Span>) -> Diagnostic {
    Diagnostic::error(code::INVALID_VALUE, format!("`{key}` cannot be `{given}`: it is one of {allowed}")).at(span)
}
