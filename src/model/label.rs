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
