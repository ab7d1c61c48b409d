//! What git says, lowered to Engine API objects.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Scheme;
use crate::compose::{Accepted, Dependency, Hook};
use crate::diag::Span;
use crate::model::{Confidential, Kind, Secret, StackName};
use crate::swarm::{ConfigSpec, NetworkSpec, SecretSpec, ServiceSpec};

/// Everything one stack should be. Maps are keyed by the object's full name.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// The stack.
    pub stack: StackName,
    /// Its services.
    pub services: BTreeMap<String, Service>,
    /// Its networks: those it makes.
    pub networks: BTreeMap<String, Network>,
    /// Its volumes. The nodes make them when a task needs them; they are shown and never written.
    pub volumes: BTreeMap<String, Volume>,
    /// Its configs, under the names `docker stack deploy` would give them.
    pub configs: BTreeMap<String, Config>,
    /// Its secrets, likewise.
    pub secrets: BTreeMap<String, SecretData>,
    /// What others make and this stack needs: they must exist before anything is written.
    pub external: Vec<External>,
    /// Objects that nothing may delete, by the names that git gives them.
    pub protected: BTreeSet<(Kind, String)>,
    /// The warnings that its files accept.
    pub accepted: Accepted,
    /// Texts that came out of encrypted files: no output may hold them.
    pub confidential: Confidential,
}

/// A service, with what its spec cannot say.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// The key in the file.
    pub key: String,
    /// The spec as it would be posted: network targets by name, config and secret references by their plain names and
    /// without ids, the image normalised and without a digest unless the file wrote one, `ForceUpdate` 0.
    pub spec: ServiceSpec,
    /// What the file says and what it leaves open. Silence leaves alone.
    pub said: Said,
    /// The services this one waits for.
    pub depends_on: Vec<Dependency>,
    /// Whether two instances of it must not run side by side, as its file says.
    pub single: bool,
    /// When it runs, if it is a hook of its stack.
    pub hook: Option<Hook>,
    /// Whether it is named by its own name and taken as it is: nothing of the stack is added to it, and one that carries no
    /// stack's label is this.
    pub as_is: bool,
    /// JSON pointers into the spec that no difference looks at and no write changes: those of `skep.yaml`, of the file and
    /// of the service.
    pub ignore: Vec<String>,
    /// Where the service stands in its file.
    pub span: Option<Span>,
}

/// What the file says of things where silence leaves the live value alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// `deploy.replicas`. Silent: 1 at creation, the live number afterwards.
    pub replicas: bool,
    /// `deploy.update_config`. Where it is silent, skep may fill in what suits the service.
    pub update: SaidPolicy,
    /// `deploy.rollback_config`, likewise.
    pub rollback: SaidPolicy,
}

/// Which fields of an update policy the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SaidPolicy {
    /// `parallelism`.
    pub parallelism: bool,
    /// `delay`.
    pub delay: bool,
    /// `failure_action`.
    pub failure_action: bool,
    /// `monitor`.
    pub monitor: bool,
    /// `max_failure_ratio`, if it is not 0: that is what silence means anyway.
    pub max_failure_ratio: bool,
    /// `order`.
    pub order: bool,
}

/// A network the stack makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The body of its creation.
    pub spec: NetworkSpec,
    /// Where it stands in its file.
    pub span: Option<Span>,
}

/// A volume, as mounts of the stack's services describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// Its driver; empty is `local`.
    pub driver: String,
    /// The driver's options.
    pub options: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is deleted, with all that is in it, once git no longer names it.
    pub prune: bool,
    /// Where it stands in its file.
    pub span: Option<Span>,
}

/// A config the stack makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The body of its creation, its data included.
    pub spec: ConfigSpec,
    /// Whether its content came out of an encrypted file: it is shown like a secret's, not at all.
    pub confidential: bool,
    /// How other tools would name it.
    pub schemes: Vec<Scheme>,
    /// Where it stands in its file.
    pub span: Option<Span>,
}

/// A secret the stack makes.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretData {
    /// The body of its creation, without its data.
    pub spec: SecretSpec,
    /// Its content. `None` where a secret store provides it.
    pub content: Option<Secret<Vec<u8>>>,
    /// What its content is known by, once it was computed (see `fingerprint`).
    pub fingerprint: Option<String>,
    /// How other tools would name it.
    pub schemes: Vec<Scheme>,
    /// Where it stands in its file.
    pub span: Option<Span>,
}

/// A thing that somebody else makes.
#[derive(Debug, Clone, PartialEq)]
pub struct External {
    /// A network, config or secret.
    pub kind: Kind,
    /// Its full name.
    pub name: String,
    /// Where it is asked for.
    pub span: Option<Span>,
}
