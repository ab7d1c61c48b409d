//! Label keys, Docker's and skep's own.

/// The stack an object belongs to, as `docker stack deploy` writes it on every object it makes.
pub const NAMESPACE: &str = "com.docker.stack.namespace";
/// The image exactly as the stack file wrote it, on a service, as `docker stack deploy` writes it.
pub const IMAGE: &str = "com.docker.stack.image";

/// What a config object of skep's own is: one of the `KIND_*` values. Its presence is how skep knows its own state.
pub const KIND: &str = "skep.kind";
/// The value of [`KIND`] on a stack's record.
pub const KIND_RECORD: &str = "record";
/// The value of [`KIND`] on a compressed rendering of a stack.
pub const KIND_RENDERING: &str = "rendering";
/// The value of [`KIND`] on the lease.
pub const KIND_LEASE: &str = "lease";
/// The format number of a state object. A skep that meets a newer one reads and does not write.
pub const FORMAT: &str = "skep.format";
/// The stack a state object is about. Not [`NAMESPACE`]: `docker stack rm` would delete it.
pub const STACK: &str = "skep.stack";
/// The JSON document that a record or lease holds.
pub const STATE: &str = "skep.state";
/// The fingerprint of a secret's content, on the secret.
pub const FINGERPRINT: &str = "skep.fingerprint";

/// Below these doco-cd keeps its books on what it deploys (`internal/docker/labels.go` and `swarm.go` at 03cbeb36): who, when,
/// from which commit. What people write for it in their files, as `cd.doco.job.schedule`, stands elsewhere.
const DOCO_CD: &[&str] = &[
    "cd.doco.metadata.",
    "cd.doco.source",
    "cd.doco.deployment.name",
    "cd.doco.deployment.timestamp",
    "cd.doco.deployment.compose.",
    "cd.doco.deployment.working_dir",
    "cd.doco.deployment.config.",
    "cd.doco.deployment.target.",
    "cd.doco.deployment.trigger",
    "cd.doco.deployment.auto_discover",
    "cd.doco.deployment.cert.",
    "cd.doco.job.swarm.restart_replicas",
];

/// Whether another tool writes this label for itself, without a word of it in the stack's files. Of the tools whose stacks
/// skep takes over only doco-cd does: `docker stack deploy` writes [`NAMESPACE`] and [`IMAGE`], as skep does, and swarm-cd,
/// docker-sdp and Portainer call it and add nothing.
pub fn is_bookkeeping(key: &str) -> bool {
    DOCO_CD.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_for_another_tool_is_no_bookkeeping() {
        for key in ["cd.doco.metadata.manager", "cd.doco.source", "cd.doco.source.url", "cd.doco.deployment.config.sha"]
        {
            assert!(is_bookkeeping(key), "{key}");
        }
        let written = ["cd.doco.job.schedule", "cd.doco.job.enabled", "cd.doco.deployment.recreate.ignore"];
        for key in written.into_iter().chain([NAMESPACE, IMAGE, FINGERPRINT, "io.portainer.accesscontrol.teams", "cd"])
        {
            assert!(!is_bookkeeping(key), "{key}");
        }
    }
}
