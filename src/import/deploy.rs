//! `deploy:`.

use super::file::{Amounts, Deploy, Discrete, Generic, Placement, Resources, RestartPolicy, Spread, UpdateConfig};
use super::words;
use crate::swarm::{self, GenericResource, Labels, ServiceSpec};

/// How a service is deployed, with these labels.
pub(super) fn deploy(live: &ServiceSpec, labels: Labels) -> Deploy {
    let task = &live.task_template;
    let (mode, replicas) = mode(live.mode.as_ref());
    let endpoint = live.endpoint_spec.as_ref().map_or("", |endpoint| endpoint.mode.as_str());
    Deploy {
        mode: mode.to_owned(),
        replicas,
        endpoint_mode: if endpoint == "vip" { String::new() } else { endpoint.to_owned() },
        labels,
        placement: task.placement.as_ref().map(placement).filter(|it| *it != Placement::default()),
        resources: task.resources.as_ref().and_then(resources),
        restart_policy: task.restart_policy.as_ref().map(restart_policy),
        update_config: live.update_config.as_ref().map(update_config),
        rollback_config: live.rollback_config.as_ref().map(update_config),
    }
}

/// The word for the mode, silence being replicated, and how many.
fn mode(live: Option<&swarm::ServiceMode>) -> (&'static str, Option<u64>) {
    let Some(live) = live else { return ("", None) };
    if live.global.is_some() {
        ("global", None)
    } else if live.global_job.is_some() {
        ("global-job", None)
    } else if let Some(job) = &live.replicated_job {
        ("replicated-job", job.total_completions.or(job.max_concurrent))
    } else {
        ("", live.replicated.as_ref().and_then(|replicated| replicated.replicas))
    }
}

fn placement(live: &swarm::Placement) -> Placement {
    let spread = live.preferences.iter().filter_map(|preference| preference.spread.as_ref());
    Placement {
        constraints: live.constraints.clone(),
        preferences: spread.map(|spread| Spread { spread: spread.spread_descriptor.clone() }).collect(),
        max_replicas_per_node: live.max_replicas,
    }
}

/// Limits that limit nothing are written too: that they are there counts.
fn resources(live: &swarm::Resources) -> Option<Resources> {
    let limits = live
        .limits
        .as_ref()
        .map(|limits| Amounts { pids: limits.pids, ..amounts(limits.nano_cpus, limits.memory_bytes) });
    let reservations = live.reservations.as_ref().map(|reservations| Amounts {
        generic_resources: reservations.generic_resources.iter().filter_map(generic).collect(),
        ..amounts(reservations.nano_cpus, reservations.memory_bytes)
    });
    (limits.is_some() || reservations.is_some()).then_some(Resources { limits, reservations })
}

fn amounts(nano_cpus: i64, memory: i64) -> Amounts {
    Amounts {
        cpus: (nano_cpus != 0).then(|| words::cpus(nano_cpus)),
        memory: (memory != 0).then(|| words::bytes(memory)),
        ..Amounts::default()
    }
}

fn generic(live: &GenericResource) -> Option<Generic> {
    let discrete = live.discrete_resource_spec.as_ref()?;
    Some(Generic { discrete_resource_spec: Discrete { kind: discrete.kind.clone(), value: discrete.value } })
}

fn restart_policy(live: &swarm::RestartPolicy) -> RestartPolicy {
    RestartPolicy {
        condition: if live.condition.is_empty() { "any".to_owned() } else { live.condition.clone() },
        delay: live.delay.map(words::duration),
        // None and 0 are one, and the engine gives 0 back for either.
        max_attempts: live.max_attempts.filter(|attempts| *attempts != 0),
        window: live.window.map(words::duration),
    }
}

/// What the engine filled in is left out.
fn update_config(live: &swarm::UpdateConfig) -> UpdateConfig {
    let unless = |text: &str, default: &str| if text == default { String::new() } else { text.to_owned() };
    UpdateConfig {
        parallelism: live.parallelism,
        order: unless(&live.order, "stop-first"),
        delay: words::said(live.delay),
        monitor: words::said(live.monitor),
        failure_action: unless(&live.failure_action, "pause"),
        // By its shortest digits: 0.1 would else become 0.10000000149011612.
        max_failure_ratio: live.max_failure_ratio.to_string().parse().ok().filter(|ratio: &f64| *ratio != 0.0),
    }
}
