//! One form for a spec that is sent and the same spec read back, so that what still differs is a difference for the engine.
//!
//! The engine fills in words and numbers, forgets fields and turns names into ids. Whether a message is absent or empty
//! stays as it is, because it restarts tasks; `Placement` is the one exception. Compare with specs read without
//! `insertDefaults`: those hide differences that restart tasks.

mod network;
mod version;

pub use network::canonical_network;
pub use version::forget_unstored;

use super::spec::{
    BindOptions, ConfigReference, ContainerSpec, EndpointSpec, Extra, FileTarget, Mount, Port, Replicated,
    ReplicatedJob, RestartPolicy, SecretReference, ServiceMode, ServiceSpec, TaskSpec, UpdateConfig,
};

/// Brings a service's spec, desired or live, to the form in which equality means "no difference for the engine".
///
/// Network targets are compared as they are: see [`resolve_networks`]. So are the ids of configs and secrets. Lists whose
/// order a stack file cannot express (ports, references, networks) are sorted; before a write, [`keep_order`] puts them
/// back as the live spec has them.
pub fn canonical_service(spec: &mut ServiceSpec) {
    canonical_mode(spec.mode.get_or_insert_default());
    for policy in [&mut spec.update_config, &mut spec.rollback_config].into_iter().flatten() {
        canonical_policy(policy);
    }
    if let Some(endpoint) = &mut spec.endpoint_spec {
        canonical_endpoint(endpoint);
    }
    canonical_task(&mut spec.task_template);
    prune(&mut spec.extra);
}

/// Replaces the names of networks by what `lookup` knows them as (their ids). A name it does not know stays.
///
/// A service on the engine's own `host` or `bridge` reads back the id of a swarm-scoped object that no list of networks
/// has, under any filter: only `GET /networks/host?scope=swarm` gives it (measured on 20.10 and 26.1). `lookup` has to
/// know it, or such a service differs for ever.
pub fn resolve_networks(spec: &mut ServiceSpec, lookup: impl Fn(&str) -> Option<String>) {
    for network in &mut spec.task_template.networks {
        if let Some(id) = lookup(&network.target) {
            network.target = id;
        }
    }
}

/// Puts ports, references and networks of `spec` into the order that `live` has them in, where only the order differs.
/// The engine compares these lists in order: an update that means to change a label would otherwise restart tasks.
///
/// `spec` need not be canonical; its network targets must be resolved as those of `live` are.
pub fn keep_order(spec: &mut ServiceSpec, live: &ServiceSpec) {
    if let (Some(endpoint), Some(live)) = (&mut spec.endpoint_spec, &live.endpoint_spec) {
        follow(&mut endpoint.ports, &live.ports, |port| {
            let mut port = port.clone();
            canonical_port(&mut port);
            port
        });
    }
    let (task, live) = (&mut spec.task_template, &live.task_template);
    follow(&mut task.networks, &live.networks, Clone::clone);
    if let (Some(container), Some(live)) = (&mut task.container_spec, &live.container_spec) {
        follow(&mut container.secrets, &live.secrets, Clone::clone);
        follow(&mut container.configs, &live.configs, Clone::clone);
    }
}

/// No mode, and no number, is one replica; a job without numbers runs once.
fn canonical_mode(mode: &mut ServiceMode) {
    if let Some(job) = &mut mode.replicated_job {
        let ReplicatedJob { max_concurrent, total_completions, .. } = job;
        let concurrent = *max_concurrent.get_or_insert(1);
        total_completions.get_or_insert(concurrent);
    }
    let said = mode.global.is_some() || mode.global_job.is_some() || mode.replicated_job.is_some();
    if let Some(replicated) = &mut mode.replicated {
        replicated.replicas.get_or_insert(1);
    } else if !said && mode.extra.is_empty() {
        mode.replicated = Some(Replicated { replicas: Some(1), ..Replicated::default() });
    }
}

fn canonical_policy(policy: &mut UpdateConfig) {
    fill(&mut policy.failure_action, "pause");
    fill(&mut policy.order, "stop-first");
}

fn canonical_endpoint(endpoint: &mut EndpointSpec) {
    endpoint.mode.make_ascii_lowercase();
    fill(&mut endpoint.mode, "vip");
    endpoint.ports.iter_mut().for_each(canonical_port);
    endpoint.ports.sort_by(|a, b| port_key(a).cmp(&port_key(b)));
}

/// The engine takes `tcp` and `ingress` for every word it does not know.
fn canonical_port(port: &mut Port) {
    port.protocol.make_ascii_lowercase();
    if !matches!(port.protocol.as_str(), "tcp" | "udp" | "sctp") {
        port.protocol = "tcp".to_owned();
    }
    port.publish_mode.make_ascii_lowercase();
    if !matches!(port.publish_mode.as_str(), "ingress" | "host") {
        port.publish_mode = "ingress".to_owned();
    }
}

fn port_key(port: &Port) -> (u32, u32, &str, &str) {
    (port.published_port, port.target_port, &port.protocol, &port.publish_mode)
}

fn canonical_task(task: &mut TaskSpec) {
    fill(&mut task.runtime, "container");
    // Absent and empty are one here, and only here.
    task.placement.get_or_insert_default();
    if let Some(RestartPolicy { condition, max_attempts, .. }) = &mut task.restart_policy {
        fill(condition, "any");
        max_attempts.get_or_insert(0);
    }
    task.networks.sort_by(|a, b| a.target.cmp(&b.target));
    if let Some(container) = &mut task.container_spec {
        canonical_container(container);
    }
    prune(&mut task.extra);
}

fn canonical_container(container: &mut ContainerSpec) {
    fill(&mut container.isolation, "default");
    container.mounts.iter_mut().for_each(canonical_mount);
    container.secrets.sort_by(|a, b| secret_key(a).cmp(&secret_key(b)));
    container.configs.sort_by(|a, b| config_key(a).cmp(&config_key(b)));
    container.oom_score_adj = container.oom_score_adj.filter(|adjustment| *adjustment != 0);
    // By its name: the id is that of the reference beside it.
    if let Some(spec) = container.privileges.as_mut().and_then(|privileges| privileges.credential_spec.as_mut())
        && let Some(reference) = container.configs.iter().find(|reference| {
            reference.runtime.is_some() && reference.config_id == spec.config && !spec.config.is_empty()
        })
    {
        spec.config.clone_from(&reference.config_name);
    }
    // Newer engines write options that nobody set as null.
    if let Some(privileges) = &mut container.privileges {
        prune(&mut privileges.extra);
        if let Some(context) = &mut privileges.selinux_context {
            prune(&mut context.extra);
        }
    }
    prune(&mut container.extra);
}

fn canonical_mount(mount: &mut Mount) {
    fill(&mut mount.kind, "bind");
    mount.consistency.clear();
    mount.cluster_options = None;
    match &mut mount.bind_options {
        Some(BindOptions { propagation, non_recursive, .. }) if propagation.is_empty() => {
            if *non_recursive {
                propagation.push_str("rprivate");
            } else {
                mount.bind_options = None;
            }
        }
        _ => {}
    }
    if let Some(tmpfs) = &mut mount.tmpfs_options {
        prune(&mut tmpfs.extra);
    }
    prune(&mut mount.extra);
}

/// `docker stack deploy` sorts by name only and puts two targets of one name in a random order.
fn secret_key(reference: &SecretReference) -> (&str, Option<&str>) {
    (&reference.secret_name, target(reference.file.as_ref()))
}

fn config_key(reference: &ConfigReference) -> (&str, Option<&str>) {
    (&reference.config_name, target(reference.file.as_ref()))
}

fn target(file: Option<&FileTarget>) -> Option<&str> {
    file.map(|file| file.name.as_str())
}

/// Of the fields nobody here knows, those the engine has no value for: Go writes them as null, as an empty list or as no text.
fn prune(extra: &mut Extra) {
    extra.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()) && value != "");
}

fn fill(text: &mut String, default: &str) {
    if text.is_empty() {
        text.push_str(default);
    }
}

/// Gives `list` the order of `live` if it holds the same items, two being the same when their keys are.
fn follow<T: Clone, K: PartialEq>(list: &mut Vec<T>, live: &[T], key: impl Fn(&T) -> K) {
    if list.len() != live.len() {
        return;
    }
    let mut left = list.clone();
    let mut ordered = Vec::with_capacity(left.len());
    for wanted in live.iter().map(&key) {
        let Some(index) = left.iter().position(|item| key(item) == wanted) else { return };
        ordered.push(left.remove(index));
    }
    *list = ordered;
}

#[cfg(test)]
mod tests;
