//! The stable codes of diagnostics, `area/what`. A code, once released, keeps its meaning.

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $code;)+

        /// Every code and what it says, in the order of this file.
        pub const ALL: &[(&str, &str)] = &[$(($code, concat!($($doc),+))),+];
    };
}

codes! {
    /// A file that is named cannot be read.
    FILE_UNREADABLE = "file/unreadable",
    /// A path leads out of the repository.
    FILE_OUTSIDE = "file/outside",
    /// A file is a pointer of Git LFS, not the content it points to.
    FILE_LFS_POINTER = "file/lfs-pointer",
    /// A file lies in a submodule, which is another repository.
    FILE_SUBMODULE = "file/submodule",
    /// The text is not YAML.
    YAML_SYNTAX = "yaml/syntax",
    /// A key stands twice in one mapping.
    YAML_DUPLICATE_KEY = "yaml/duplicate-key",
    /// Too deep, too many aliases, too large.
    YAML_BOUNDS = "yaml/bounds",
    /// A value has the wrong type.
    WRONG_TYPE = "schema/wrong-type",
    /// A key nobody knows.
    UNKNOWN_KEY = "schema/unknown-key",
    /// A key that must be there is not.
    MISSING_KEY = "schema/missing-key",
    /// A value is not one of those allowed, or has the wrong form.
    INVALID_VALUE = "schema/invalid-value",
    /// A compose key that Swarm cannot carry out.
    COMPOSE_UNSUPPORTED = "compose/unsupported",
    /// A variable that is not defined and has no default.
    VARIABLE_UNDEFINED = "compose/undefined-variable",
    /// `$` forms that do not parse.
    INTERPOLATION = "compose/interpolation",
    /// A line of a file of variables that does not parse.
    ENV_FILE = "file/env",
    /// A reference that `docker stack deploy` reads otherwise.
    INTERPOLATION_DIFFERS = "compose/interpolation-differs",
    /// A merge of several files that `docker stack deploy` does otherwise.
    MERGE_DIFFERS = "compose/merge-differs",
    /// A variable that is empty in the file and taken from the environment.
    EMPTY_VARIABLE = "compose/empty-variable",
    /// Two mounts, configs or secrets at one path.
    DUPLICATE_TARGET = "compose/duplicate-target",
    /// A port that is published twice.
    DUPLICATE_PORT = "compose/duplicate-port",
    /// Keys that exclude each other.
    CONFLICT = "compose/conflict",
    /// A service that `depends_on` or `extends` names and no file defines.
    UNDEFINED_SERVICE = "compose/undefined-service",
    /// Files that include each other in a circle.
    INCLUDE_CYCLE = "compose/include-cycle",
    /// Services that extend each other in a circle.
    EXTENDS_CYCLE = "compose/extends-cycle",
    /// A service that waits for the end of one that never ends.
    DEPENDENCY_NO_JOB = "compose/dependency-no-job",
    /// A hook that is no job, so that it would never end.
    HOOK_NO_JOB = "compose/hook-no-job",
    /// Services that wait for each other.
    DEPENDENCY_CYCLE = "compose/dependency-cycle",
    /// A network that no `networks:` defines.
    UNDEFINED_NETWORK = "compose/undefined-network",
    /// A volume that no `volumes:` defines.
    UNDEFINED_VOLUME = "compose/undefined-volume",
    /// A config that no `configs:` defines.
    UNDEFINED_CONFIG = "compose/undefined-config",
    /// A secret that no `secrets:` defines.
    UNDEFINED_SECRET = "compose/undefined-secret",
    /// A bind mount whose source is relative to a file that no node has.
    RELATIVE_BIND = "compose/relative-bind",
    /// A name the engine refuses.
    INVALID_NAME = "compose/invalid-name",
    /// A stack that is deployed under another name than its file says.
    NAME_DIFFERS = "compose/name-differs",
    /// Two objects of one kind with one name.
    DUPLICATE_NAME = "compose/duplicate-name",
    /// The content of a config or secret is empty, or more than the engine takes.
    CONTENT_SIZE = "compose/content-size",
    /// A service without an image.
    NO_IMAGE = "compose/no-image",
    /// Stacks that depend on each other in a circle.
    STACK_CYCLE = "fleet/dependency-cycle",
    /// Two stacks with one name.
    DUPLICATE_STACK = "fleet/duplicate-stack",
    /// No stack was found.
    NO_STACK = "fleet/no-stack",
    /// A secret that stands in a stack file in plain text.
    SECRET_PLAIN = "secret/plain-text",
    /// A secret whose live content nobody can verify.
    SECRET_UNVERIFIABLE = "secret/unverifiable",
    /// A secret is taken for what git says, as it was asked for, without a look at its content.
    SECRET_TRUSTED = "secret/trusted",
    /// A name that the stack wants belongs to somebody else.
    NAME_TAKEN = "plan/name-taken",
    /// The files define nothing, and something of the stack runs.
    EMPTY_DESIRED = "plan/empty-desired",
    /// git no longer names an object that something still refers to.
    KEPT_IN_USE = "plan/kept-in-use",
    /// git no longer names objects, and nothing is to be deleted.
    PRUNE_OFF = "plan/prune-off",
    /// An update that stops the only task before the new one runs.
    ONE_REPLICA_STOP_FIRST = "zero-downtime/one-replica-stop-first",
    /// An update that stops all tasks before the new ones run.
    ALL_AT_ONCE = "zero-downtime/all-at-once",
    /// Tasks get requests before they can answer: nothing tells when they can.
    NO_HEALTHCHECK = "zero-downtime/no-healthcheck",
    /// A proxy learns more slowly of tasks than Swarm ends them.
    PROXY_REFRESH = "zero-downtime/proxy-refresh",
    /// A proxy that looks a name up once, and the name means tasks.
    DNS_ONCE = "zero-downtime/dns-once",
    /// A proxy that does not repeat a failed request on another server.
    NO_RETRY = "zero-downtime/no-retry",
    /// Tasks that are killed without being asked to end.
    ABRUPT_EXIT = "zero-downtime/abrupt-exit",
    /// Tasks that get less time to end than their requests take.
    NO_GRACE = "zero-downtime/no-grace",
    /// Old tasks that had to be killed after an update.
    KILLED = "zero-downtime/killed",
    /// An update that goes on before a new task has proved good.
    DELAY_BELOW_MONITOR = "zero-downtime/delay-below-monitor",
    /// Failures that come too late to be counted.
    MONITOR_TOO_SHORT = "zero-downtime/monitor-too-short",
    /// A rollback that takes tasks away before it starts the good ones.
    ROLLBACK_STOP_FIRST = "zero-downtime/rollback-stop-first",
    /// An update that stays as it is, or goes on, when it fails.
    FAILURE_NOT_ROLLBACK = "zero-downtime/failure-not-rollback",
    /// The only task of a service on a node that is about to be drained.
    SINGLE_REPLICA_DRAIN = "zero-downtime/single-replica-drain",
    /// Somebody who writes services again while they roll.
    REDEPLOY_IN_ROLLOUT = "zero-downtime/redeploy-in-rollout",
    /// A start-first update whose new tasks can be placed nowhere.
    START_FIRST_STUCK = "zero-downtime/start-first-stuck",
    /// Data that two tasks have open at once during an update.
    RUNS_TWICE = "zero-downtime/runs-twice",
    /// A service that is scaled to nothing.
    NO_REPLICAS = "zero-downtime/no-replicas",
    /// An external network, config or secret that does not exist.
    EXTERNAL_MISSING = "plan/external-missing",
    /// A port that another service publishes, so that the engine would refuse it.
    PORT_TAKEN = "plan/port-taken",
    /// No node takes tasks at present.
    NO_NODE = "feasibility/no-node",
    /// Tasks for which no node meets the placement constraints.
    CONSTRAINTS = "feasibility/constraints",
    /// Tasks for which no node has the image's platform.
    PLATFORM = "feasibility/platform",
    /// Tasks for which no node has what they reserve left.
    RESOURCES = "feasibility/resources",
    /// Tasks for which every node's port in host mode is taken.
    HOST_PORT = "feasibility/host-port",
    /// Tasks that `max_replicas_per_node` leaves without a node.
    MAX_REPLICAS = "feasibility/max-replicas",
    /// A start-first update whose new tasks find no room beside the old ones.
    START_FIRST = "feasibility/start-first",
    /// An image that its registry does not have, or not for these credentials.
    IMAGE_MISSING = "feasibility/image-missing",
    /// An image that is not made for the platform of nodes that may run it.
    IMAGE_PLATFORM = "feasibility/image-platform",
    /// A volume of one node, and a task that may start on another.
    VOLUME_EMPTY = "feasibility/volume-empty",
    /// What nobody could be asked: a registry that did not answer in time, tasks that could not be listed.
    NOT_CHECKED = "feasibility/not-checked",
    /// A service whose image is named without a digest, so that nodes may run different ones.
    IMAGE_NO_DIGEST = "image/no-digest",
    /// A tag that points to another image than the one that runs.
    IMAGE_MOVED = "image/tag-moved",
    /// A service whose last update left nothing to go back to.
    TARGET_LOST = "rollout/target-lost",
    /// An update that was stopped, or taken back, because tasks failed.
    ROLLOUT_FAILED = "rollout/failed",
    /// An update that gets on no more.
    ROLLOUT_STUCK = "rollout/stuck",
    /// Tasks that fail.
    TASK_FAILING = "task/failing",
    /// Tasks for which no node is found.
    TASK_UNPLACED = "task/unplaced",
    /// A config or secret that nothing uses any more.
    UNUSED = "leftover/unused",
    /// Another tool that writes services.
    OTHER_WRITER = "writer/other",
    /// A number of managers that bears no more losses than one manager fewer.
    EVEN_MANAGERS = "node/even-managers",
    /// A node that takes no tasks.
    NODE_AWAY = "node/away",
    /// A field that the engine is too old to store.
    UNSTORED = "plan/unstored",
    /// A change that Swarm cannot carry out in place.
    IMMUTABLE = "plan/immutable",
    /// Something that runs and that no stack file can say.
    IMPORT_DIFFERS = "import/differs",
    /// An object that an imported file does not hold.
    IMPORT_LEFT_OUT = "import/left-out",
    /// A stack that has no record: drift is looked for by its files.
    DRIFT_NO_RECORD = "drift/no-record",
    /// A stack of which nothing says what was applied.
    DRIFT_NOTHING_APPLIED = "drift/nothing-applied",
    /// A stack that is being applied: what is written already is not yet in its record.
    DRIFT_UNDER_WAY = "drift/under-way",
    /// Drift that is not corrected any more.
    CONTESTED = "drift/contested",
    /// A network that becomes another one, which its services join before they leave it.
    NETWORK_REPLACED = "plan/network-replaced",
    /// A deletion that the files forbid.
    PROTECTED = "plan/protected",
    /// More of a stack would be deleted at once than is allowed.
    TOO_MANY_DELETIONS = "plan/too-many-deletions",
    /// A service that is deleted and made anew.
    REPLACED = "zero-downtime/replaced",
    /// A setting that is accepted and does nothing yet.
    NOT_YET = "settings/not-yet",
    /// A file encrypted with SOPS, and no key to decrypt it with.
    SOPS_NO_KEY = "sops/no-key",
    /// A file encrypted with SOPS that none of the keys decrypts.
    SOPS_KEY = "sops/key",
    /// A file encrypted with SOPS that was changed since.
    SOPS_MAC = "sops/mac",
    /// A file that looks encrypted with SOPS and has no form that can be read.
    SOPS_FORMAT = "sops/format",
    /// A `skep.yaml` for another cluster.
    WRONG_CLUSTER = "fleet/wrong-cluster",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_one_and_has_an_area() {
        let mut codes: Vec<&str> = ALL.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]), "{codes:?}");
        assert!(codes.iter().all(|code| code.split('/').count() == 2), "{codes:?}");
    }
}
