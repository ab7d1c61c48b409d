//! The stable codes of diagnostics, `area/what`. A code, once released, keeps its meaning.

/// A file that is named cannot be read.
pub const FILE_UNREADABLE: &str = "file/unreadable";
/// A path leads out of the repository.
pub const FILE_OUTSIDE: &str = "file/outside";
/// The text is not YAML.
pub const YAML_SYNTAX: &str = "yaml/syntax";
/// A key stands twice in one mapping.
pub const YAML_DUPLICATE_KEY: &str = "yaml/duplicate-key";
/// Too deep, too many aliases, too large.
pub const YAML_BOUNDS: &str = "yaml/bounds";
/// A value has the wrong type.
pub const WRONG_TYPE: &str = "schema/wrong-type";
/// A key nobody knows.
pub const UNKNOWN_KEY: &str = "schema/unknown-key";
/// A key that must be there is not.
pub const MISSING_KEY: &str = "schema/missing-key";
/// A value is not one of those allowed, or has the wrong form.
pub const INVALID_VALUE: &str = "schema/invalid-value";
/// A compose key that skep does not lower yet.
pub const COMPOSE_NOT_LOWERED: &str = "compose/not-lowered";
/// A compose key that Swarm cannot carry out.
pub const COMPOSE_UNSUPPORTED: &str = "compose/unsupported";
/// A variable that is not defined and has no default.
pub const VARIABLE_UNDEFINED: &str = "compose/undefined-variable";
/// `$` forms that do not parse.
pub const INTERPOLATION: &str = "compose/interpolation";
/// A line of a file of variables that does not parse.
pub const ENV_FILE: &str = "file/env";
/// A reference that `docker stack deploy` reads otherwise.
pub const INTERPOLATION_DIFFERS: &str = "compose/interpolation-differs";
/// A merge of several files that `docker stack deploy` does otherwise.
pub const MERGE_DIFFERS: &str = "compose/merge-differs";
/// A variable that is empty in the file and taken from the environment.
pub const EMPTY_VARIABLE: &str = "compose/empty-variable";
/// Two mounts, configs or secrets at one path.
pub const DUPLICATE_TARGET: &str = "compose/duplicate-target";
/// A port that is published twice.
pub const DUPLICATE_PORT: &str = "compose/duplicate-port";
/// Keys that exclude each other.
pub const CONFLICT: &str = "compose/conflict";
/// A service that `depends_on` names and no file defines.
pub const UNDEFINED_SERVICE: &str = "compose/undefined-service";
/// Services that wait for each other.
pub const DEPENDENCY_CYCLE: &str = "compose/dependency-cycle";
/// A network that no `networks:` defines.
pub const UNDEFINED_NETWORK: &str = "compose/undefined-network";
/// A volume that no `volumes:` defines.
pub const UNDEFINED_VOLUME: &str = "compose/undefined-volume";
/// A config that no `configs:` defines.
pub const UNDEFINED_CONFIG: &str = "compose/undefined-config";
/// A secret that no `secrets:` defines.
pub const UNDEFINED_SECRET: &str = "compose/undefined-secret";
/// A bind mount whose source is relative to a file that no node has.
pub const RELATIVE_BIND: &str = "compose/relative-bind";
/// A name the engine refuses.
pub const INVALID_NAME: &str = "compose/invalid-name";
/// Two objects of one kind with one name.
pub const DUPLICATE_NAME: &str = "compose/duplicate-name";
/// The content of a config or secret is empty, or more than the engine takes.
pub const CONTENT_SIZE: &str = "compose/content-size";
/// A service without an image.
pub const NO_IMAGE: &str = "compose/no-image";
/// Stacks that depend on each other in a circle.
pub const STACK_CYCLE: &str = "fleet/dependency-cycle";
/// Two stacks with one name.
pub const DUPLICATE_STACK: &str = "fleet/duplicate-stack";
/// No stack was found.
pub const NO_STACK: &str = "fleet/no-stack";
/// A secret whose live content nobody can verify.
pub const SECRET_UNVERIFIABLE: &str = "secret/unverifiable";
/// A name that the stack wants belongs to somebody else.
pub const NAME_TAKEN: &str = "plan/name-taken";
/// The files define nothing, and something of the stack runs.
pub const EMPTY_DESIRED: &str = "plan/empty-desired";
/// git no longer names an object that something still refers to.
pub const KEPT_IN_USE: &str = "plan/kept-in-use";
/// git no longer names objects, and nothing is to be deleted.
pub const PRUNE_OFF: &str = "plan/prune-off";
/// An update that stops the only task before the new one runs.
pub const ONE_REPLICA_STOP_FIRST: &str = "zero-downtime/one-replica-stop-first";
/// An update that stops all tasks before the new ones run.
pub const ALL_AT_ONCE: &str = "zero-downtime/all-at-once";
/// A service that is scaled to nothing.
pub const NO_REPLICAS: &str = "zero-downtime/no-replicas";
/// An external network, config or secret that does not exist.
pub const EXTERNAL_MISSING: &str = "plan/external-missing";
/// A field that the engine is too old to store.
pub const UNSTORED: &str = "plan/unstored";
/// A change that Swarm cannot carry out in place.
pub const IMMUTABLE: &str = "plan/immutable";
/// A setting that is accepted and does nothing yet.
pub const NOT_YET: &str = "settings/not-yet";
/// A `skep.yaml` for another cluster.
pub const WRONG_CLUSTER: &str = "fleet/wrong-cluster";
