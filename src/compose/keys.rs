//! Keys that are known and not carried out, because Swarm cannot.

use super::tmpfs;
use crate::diag::{Diagnostic, Severity, code};
use crate::yaml::{Fields, Resolved, View};

/// What becomes of a known key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// `docker stack deploy` accepts and ignores it: a warning, with what to do instead.
    Ignored(&'static str),
    /// It accepts and ignores it although Swarm could: a warning, with what to write instead. Who deployed such a file has
    /// services without it, and carrying it out now would restart them.
    Dropped(&'static str),
    /// It refuses it, and Swarm has nothing like it: an error, with what to do instead.
    Refused(&'static str),
}

/// A key and what becomes of it.
pub(super) type Known = (&'static str, Fate);

use Fate::{Dropped, Ignored, Refused};

/// Keys of the whole file.
pub(super) const FILE: &[Known] = &[("models", Refused("run the model as a service, or outside the swarm"))];

/// Keys of a service.
pub(super) const SERVICE: &[Known] = &[
    ("annotations", Refused("use `labels`")),
    ("attach", Refused("leave it out: a service is never attached to")),
    ("blkio_config", Refused("a service has no limits on disk access")),
    ("build", Ignored("build and push the image beforehand: nodes pull what `image` names")),
    ("cgroup", Refused("a service cannot choose its control group")),
    ("cgroup_parent", Ignored("set it in the configuration of the nodes' engines")),
    ("cgroupns_mode", Ignored("set it in the configuration of the nodes' engines")),
    ("container_name", Ignored("other services reach this one under its key; further names are network `aliases`")),
    ("cpu_count", Refused("use `deploy.resources.limits.cpus`")),
    ("cpu_percent", Refused("use `deploy.resources.limits.cpus`")),
    ("cpu_period", Refused("use `deploy.resources.limits.cpus`")),
    ("cpu_quota", Refused("use `deploy.resources.limits.cpus`")),
    ("cpu_rt_period", Refused("a service has no real-time limits")),
    ("cpu_rt_runtime", Refused("a service has no real-time limits")),
    ("cpu_shares", Refused("use `deploy.resources.reservations.cpus`")),
    ("cpuset", Refused("use `deploy.resources.limits.cpus`")),
    ("develop", Refused("leave it out: it is for `docker compose watch`")),
    ("device_cgroup_rules", Refused("a service cannot have devices")),
    ("devices", Ignored("a service cannot have devices: run what needs one as a plain container on its node")),
    ("domainname", Ignored("write the full name into `hostname`")),
    ("expose", Ignored("leave it out: on a network every port of a service can be reached")),
    ("external_links", Ignored("join the same network: services reach each other under their names")),
    ("gpus", Refused("reserve them with `deploy.resources.reservations.generic_resources`")),
    ("ipc", Ignored("a service cannot share the node's memory")),
    ("links", Ignored("join the same network: services reach each other under their keys and `aliases`")),
    ("mac_address", Ignored("a task has the address its network gives it")),
    ("mem_limit", Refused("use `deploy.resources.limits.memory`")),
    ("mem_swappiness", Refused("set it on the nodes")),
    ("memswap_limit", Refused("use `deploy.resources.limits.memory`")),
    ("models", Refused("run the model as a service, or outside the swarm")),
    ("net", Refused("use `networks`")),
    ("network_mode", Ignored("use `networks`; for the node's own network declare an external network named `host`")),
    ("oom_kill_disable", Refused("a service cannot turn it off")),
    ("oom_score_adj", Dropped("set it in the image's entrypoint, which may only raise it")),
    ("pid", Ignored("a service cannot see the node's processes")),
    ("platform", Refused("use the constraint `node.platform.arch == …` under `deploy.placement.constraints`")),
    ("post_start", Refused("do it in the image's entrypoint")),
    ("pre_start", Refused("do it in the image's entrypoint, or in a job that comes first")),
    ("pre_stop", Refused("do it in the image's entrypoint, on `stop_signal`")),
    ("privileged", Ignored("name what it needs under `cap_add`, or run it as a plain container on its node")),
    ("provider", Refused("run it outside the swarm")),
    ("pull_policy", Refused("leave it out: nodes pull what they do not have")),
    ("pull_refresh_after", Refused("leave it out: nodes pull what they do not have")),
    ("runtime", Refused("set the default runtime of the nodes' engines")),
    ("security_opt", Ignored("set it in the configuration of the nodes' engines")),
    ("shm_size", Ignored("mount a tmpfs at /dev/shm with `volumes`")),
    ("storage_opt", Refused("set it in the configuration of the nodes' engines")),
    (
        "tmpfs",
        Dropped("write `{ type: tmpfs, target: … }` under `volumes`, with `tmpfs: { size: … }` where it has a size"),
    ),
    ("use_api_socket", Refused("mount the socket with `volumes`")),
    ("userns_mode", Ignored("set it in the configuration of the nodes' engines")),
    ("uts", Refused("a service has a host name of its own")),
    ("volume_driver", Refused("set `driver` on the volume under the top-level `volumes`")),
    ("volumes_from", Refused("mount the same named volume in both services")),
];

/// Keys of the long form of a mount.
pub(super) const MOUNT: &[Known] = &[
    ("cluster", Refused("leave it out: the type `cluster` and the source say all there is")),
    ("image", Refused("a service cannot mount an image: copy what it needs into its own image, or into a volume")),
];

/// Keys of `bind` of a mount. A directory that is not there is never made, so `create_host_path: false` says nothing new.
pub(super) const BIND: &[Known] = &[
    ("create_host_path", Dropped("make the directory on every node: a task whose directory is missing does not start")),
    ("recursive", Dropped("leave it out: what is mounted below the directory is mounted too")),
    ("selinux", Dropped("label the directory on the nodes, as with `chcon`")),
];

/// Keys of `volume` of a mount.
pub(super) const VOLUME: &[Known] =
    &[("labels", Dropped("write `labels` at the volume under the top-level `volumes`"))];

/// Keys of `tmpfs` of a mount.
pub(super) const TMPFS: &[Known] =
    &[("mode", Dropped("set the mode in the image's entrypoint; everybody may write there"))];

/// Keys of a service's network.
pub(super) const ATTACHMENT: &[Known] = &[
    ("gw_priority", Refused("a service cannot choose its gateway")),
    ("interface_name", Refused("a service cannot name its interfaces")),
    ("ipv4_address", Ignored("a task has the address its network gives it: reach it by name")),
    ("ipv6_address", Ignored("a task has the address its network gives it: reach it by name")),
    ("link_local_ips", Refused("a task has the addresses its network gives it")),
    ("mac_address", Refused("a task has the address its network gives it")),
    ("priority", Refused("a service cannot order its networks")),
];

/// Keys of the mapping form of `depends_on`.
pub(super) const DEPENDENCY: &[Known] =
    &[("restart", Ignored("a dependent that cannot go on without it ends and is started again"))];

/// Keys of `deploy.resources.reservations`.
pub(super) const RESERVATIONS: &[Known] =
    &[("devices", Refused("reserve them as `generic_resources` that the nodes' engines announce"))];

/// Keys of an entry of `ipam.config`.
pub(super) const SUBNET: &[Known] =
    &[("aux_addresses", Refused("Swarm keeps no addresses back: choose an `ip_range` that leaves them out"))];

/// Reports each of these keys that is there, at its place.
pub(super) fn refuse(fields: &mut Fields<'_>, known: &[Known]) {
    for (key, fate) in known {
        let Some(view) = fields.take_hidden(key) else { continue };
        // `privileged: false` and `devices: []` ask for nothing.
        if matches!(fate, Ignored(_) | Dropped(_)) && asks_nothing(&view) {
            continue;
        }
        let name = view.name();
        let (code, severity, message, hint) = match fate {
            Ignored(hint) => (
                code::COMPOSE_UNSUPPORTED,
                Severity::Warning,
                format!("{name} is ignored: Swarm has nothing like it"),
                *hint,
            ),
            Dropped(hint) => (
                code::COMPOSE_UNSUPPORTED,
                Severity::Warning,
                format!("{name} is ignored, as `docker stack deploy` ignores it"),
                *hint,
            ),
            Refused(hint) => {
                (code::COMPOSE_UNSUPPORTED, Severity::Error, format!("Swarm cannot carry out {name}"), *hint)
            }
        };
        let mut fault = Diagnostic::error(code, message).at(view.key_span());
        fault.severity = severity;
        view.fault(match *key {
            "tmpfs" => fault.hint(tmpfs::instead(&view).unwrap_or_else(|| hint.to_owned())),
            _ => fault.hint(hint),
        });
    }
}

/// Reports unknown keys. Every mapping of a compose file takes `x-` keys.
pub(super) fn finish(mut fields: Fields<'_>) {
    fields.accept_extensions();
    fields.finish();
}

/// Warns of every key that was not taken: Docker accepts and ignores whatever stands there.
pub(super) fn ignore_rest(fields: &mut Fields<'_>) {
    fields.accept_extensions();
    let rest: Vec<_> = fields.rest().collect();
    for (key, span) in rest {
        let message = format!("`{}.{key}` is ignored, as `docker stack deploy` ignores it", fields.view().path());
        fields.view().fault(Diagnostic::warning(code::COMPOSE_UNSUPPORTED, message).at(span));
    }
}

fn asks_nothing(view: &View<'_>) -> bool {
    let node = view.node();
    node.is_null()
        || node.sequence().is_some_and(<[_]>::is_empty)
        || node.mapping().is_some_and(|mapping| mapping.entries.is_empty())
        || node.scalar().is_some_and(|scalar| scalar.resolve() == Resolved::Bool(false) || scalar.text.is_empty())
}
