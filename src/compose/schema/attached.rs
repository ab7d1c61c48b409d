//! What a service is given: ports, mounts, networks, configs and secrets.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};

use super::super::keys;
use super::values::{Boolean, Bytes, Integer, MountKind, Scalar, extensions, known};

/// `[HOST:]CONTAINER[/PROTOCOL]`, a number, or the long form.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Port {
    Number(u16),
    Short(String),
    Long(LongPort),
}

/// A published port.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct LongPort {
    /// A name for people.
    name: Option<String>,
    /// The container's port.
    target: Integer,
    /// The node's port.
    published: Option<Integer>,
    /// The address of the node, which Swarm cannot keep to.
    host_ip: Option<String>,
    /// `tcp`, `udp` or `sctp`.
    protocol: Option<String>,
    /// The protocol above that, for people.
    app_protocol: Option<String>,
    /// `ingress` or `host`.
    mode: Option<String>,
}

/// `[SOURCE:]TARGET[:OPTIONS]`, or the long form.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Mount {
    Short(String),
    Long(Box<LongMount>),
}

fn known_of_mounts(schema: &mut Schema) {
    known(schema, keys::MOUNT);
}

/// A mount.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions, transform = known_of_mounts)]
pub(super) struct LongMount {
    /// `volume`, `bind`, `tmpfs`, `npipe` or `cluster`.
    #[schemars(rename = "type")]
    kind: MountKind,
    /// A volume, or a path of the node.
    source: Option<String>,
    /// The path in the container.
    target: String,
    /// Whether it is read-only.
    read_only: Option<Boolean>,
    /// Sent to the engine, which forgets it.
    consistency: Option<String>,
    /// For `bind`.
    bind: Option<Bind>,
    /// For `volume`.
    volume: Option<VolumeMount>,
    /// For `tmpfs`.
    tmpfs: Option<Tmpfs>,
}

/// Options of a bind mount. Other keys are ignored.
#[derive(JsonSchema)]
struct Bind {
    /// How mounts below it spread, as `rprivate`.
    propagation: Option<String>,
    /// Ignored: a path that a node does not have is an error of its tasks.
    create_host_path: Option<serde_json::Value>,
    /// Ignored.
    recursive: Option<serde_json::Value>,
    /// Ignored.
    selinux: Option<serde_json::Value>,
}

/// Options of a volume's mount. Other keys are ignored.
#[derive(JsonSchema)]
struct VolumeMount {
    /// Whether the image's content is not copied into a new volume.
    nocopy: Option<Boolean>,
    /// A path inside the volume.
    subpath: Option<String>,
    /// Ignored: the labels of a volume stand under the top-level `volumes`.
    labels: Option<serde_json::Value>,
}

/// Options of a tmpfs. Other keys are ignored.
#[derive(JsonSchema)]
struct Tmpfs {
    /// Its size.
    size: Option<Bytes>,
    /// Its mode, as 0755.
    mode: Option<serde_json::Value>,
}

/// Names, or names with options.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum ServiceNetworks {
    Names(Vec<String>),
    Options(BTreeMap<String, Option<ServiceNetwork>>),
}

fn known_of_attachments(schema: &mut Schema) {
    known(schema, keys::ATTACHMENT);
}

/// How a service joins a network.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions, transform = known_of_attachments)]
pub(super) struct ServiceNetwork {
    /// Further names of the service there.
    aliases: Option<Vec<String>>,
    /// Options of the attachment.
    driver_opts: Option<BTreeMap<String, Scalar>>,
}

/// The name of a config or secret, or the long form.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum FileReference {
    Short(String),
    Long(LongFileReference),
}

/// A config or secret as a service is given it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct LongFileReference {
    /// The key in `configs` or `secrets`.
    source: String,
    /// The path in the container.
    target: Option<String>,
    /// Its owner.
    uid: Option<String>,
    /// Its group.
    gid: Option<String>,
    /// Its mode, as 0440.
    mode: Option<Integer>,
}
