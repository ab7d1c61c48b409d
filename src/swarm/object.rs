//! Objects as the engine reports them: a spec, with an id, a version and what the engine adds.

use serde::{Deserialize, Serialize};

use super::previous::PreviousSpec;
use super::spec::{ConfigSpec, Extra, Ipam, Labels, NodeSpec, Port, SecretSpec, ServiceSpec, nullable};
use crate::model::Kind;

/// The version of an object: the raft index of its last write. Every write bumps it, the engine's own included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Version {
    /// The raft index.
    #[serde(rename = "Index", default)]
    pub index: u64,
}

/// What every object has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta<'a> {
    /// The engine's id.
    pub id: &'a str,
    /// The name, unique within the kind.
    pub name: &'a str,
    /// The version that the next write must name.
    pub version: Version,
    /// The labels.
    pub labels: &'a Labels,
    /// When it was made, RFC 3339 by the engine's clock: shown, never subtracted from.
    pub created: &'a str,
    /// When it was last written, likewise.
    pub updated: &'a str,
}

/// An object of the swarm.
pub trait Resource: for<'de> Deserialize<'de> + Clone + Send + Sync + 'static {
    /// Its kind.
    const KIND: Kind;
    /// Its id, name, version and labels.
    fn meta(&self) -> Meta<'_>;
}

/// A service. Unlike in a spec, which is sent back, what has no name here is left out: addresses take nearly as much as a
/// spec.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Service {
    /// The engine's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The version that the next write must name.
    pub version: Version,
    /// When it was made.
    pub created_at: String,
    /// When it was last written.
    pub updated_at: String,
    /// What it should be.
    pub spec: ServiceSpec,
    /// What it was before the last update: where a rollback returns to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_spec: Option<Box<PreviousSpec>>,
    /// How it is reached, the ports that the engine chose included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// How the last update fares. Absent when nothing had to be replaced, and for a moment after every write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_status: Option<UpdateStatus>,
    /// How many tasks run, of how many. Only in lists that ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_status: Option<ServiceStatus>,
    /// The run of a service in a job mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_status: Option<JobStatus>,
    /// The node of each task that should run, by id, empty where it has none yet. No list of services has them: `None` where
    /// nobody asked for the tasks.
    #[serde(skip)]
    pub task_nodes: Option<Vec<String>>,
}

/// How a service is reached.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Endpoint {
    /// Its published ports.
    #[serde(deserialize_with = "nullable")]
    pub ports: Vec<Port>,
}

/// How an update fares.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct UpdateStatus {
    /// `updating`, `completed`, `paused`, `rollback_started`, `rollback_paused` or `rollback_completed`.
    pub state: String,
    /// The engine's reason.
    pub message: String,
    /// When it began.
    pub started_at: Option<String>,
    /// When it ended.
    pub completed_at: Option<String>,
}

/// How many tasks run, of how many. Old and new tasks count alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ServiceStatus {
    /// Tasks that run.
    pub running_tasks: u64,
    /// Tasks that should.
    pub desired_tasks: u64,
    /// Tasks of a job that are done.
    pub completed_tasks: u64,
}

/// The run of a service in a job mode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct JobStatus {
    /// Which run it is: every write raises it.
    pub job_iteration: Version,
    /// When it began.
    pub last_execution: String,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Network {
    /// The engine's id.
    #[serde(rename = "Id")]
    pub id: String,
    /// The name.
    pub name: String,
    /// When it was made.
    pub created: String,
    /// `swarm` or `local`.
    pub scope: String,
    /// The driver.
    pub driver: String,
    /// Whether it has IPv6 addresses.
    #[serde(rename = "EnableIPv6", deserialize_with = "nullable")]
    pub enable_ipv6: bool,
    /// Whether it has no way out.
    pub internal: bool,
    /// Whether plain containers may join.
    pub attachable: bool,
    /// Whether it is the routing mesh.
    pub ingress: bool,
    /// Address management, the allocated subnets included.
    #[serde(rename = "IPAM")]
    pub ipam: Option<Ipam>,
    /// The driver's options, the engine's own included.
    #[serde(deserialize_with = "nullable")]
    pub options: Labels,
    /// The labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: Labels,
    /// What this version has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A config.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Config {
    /// The engine's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The version that the next write must name.
    pub version: Version,
    /// When it was made.
    pub created_at: String,
    /// When it was last written.
    pub updated_at: String,
    /// What it is, its data included.
    pub spec: ConfigSpec,
    /// What this version has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A secret. Its data is never read back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SecretObject {
    /// The engine's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The version that the next write must name.
    pub version: Version,
    /// When it was made.
    pub created_at: String,
    /// When it was last written.
    pub updated_at: String,
    /// What it is, without data.
    pub spec: SecretSpec,
    /// What this version has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Node {
    /// The engine's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The version that the next write must name.
    pub version: Version,
    /// When it was made.
    pub created_at: String,
    /// When it was last written.
    pub updated_at: String,
    /// What it should be.
    pub spec: NodeSpec,
    /// What it says of itself.
    pub description: NodeDescription,
    /// Whether it is there.
    pub status: NodeStatus,
    /// Its part in raft, where it is a manager.
    pub manager_status: Option<ManagerStatus>,
    /// What this version has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeDescription {
    /// Its host name.
    pub hostname: String,
    /// What this version has no name for: platform, resources, engine.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Whether a node is there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct NodeStatus {
    /// `ready`, `down`, `unknown` or `disconnected`.
    pub state: String,
    /// The engine's reason.
    pub message: String,
    /// Its address.
    pub addr: String,
}

/// A manager's part in raft.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ManagerStatus {
    /// Whether it leads.
    pub leader: bool,
    /// `reachable` or `unreachable`.
    pub reachability: String,
    /// Its address.
    pub addr: String,
}

/// A task. What has no name here, above all the spec it was made from, is left out: a swarm has many of them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Task {
    /// The engine's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The version.
    pub version: Version,
    /// When it was made.
    pub created_at: String,
    /// When it was last written.
    pub updated_at: String,
    /// Its service.
    #[serde(rename = "ServiceID")]
    pub service_id: String,
    /// Which replica it is; 0 of a global service.
    pub slot: u64,
    /// Its node, once it has one.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Where it has got to.
    pub status: TaskStatus,
    /// Where it should be: `running`, `shutdown`, `ready`, `remove`, `complete`.
    pub desired_state: String,
    /// The run of the job it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_iteration: Option<Version>,
    /// Of what it was made from, the image.
    pub spec: MadeFrom,
}

/// Of what a task was made from, what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct MadeFrom {
    /// Its container.
    pub container_spec: MadeContainer,
}

/// Of a task's container, what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct MadeContainer {
    /// The image.
    pub image: String,
}

/// Where a task has got to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TaskStatus {
    /// `new`, `pending`, `assigned`, `accepted`, `preparing`, `ready`, `starting`, `running`, `complete`, `shutdown`,
    /// `failed`, `rejected`, `remove` or `orphaned`.
    pub state: String,
    /// When it got there.
    pub timestamp: String,
    /// The engine's message.
    pub message: String,
    /// What went wrong.
    pub err: String,
    /// The container, and what this version has no name for.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Resource for Service {
    const KIND: Kind = Kind::Service;
    fn meta(&self) -> Meta<'_> {
        Meta {
            id: &self.id,
            name: &self.spec.name,
            version: self.version,
            labels: &self.spec.labels,
            created: &self.created_at,
            updated: &self.updated_at,
        }
    }
}

impl Resource for Network {
    const KIND: Kind = Kind::Network;
    fn meta(&self) -> Meta<'_> {
        Meta {
            id: &self.id,
            name: &self.name,
            version: Version::default(),
            labels: &self.labels,
            created: &self.created,
            updated: &self.created,
        }
    }
}

impl Resource for Config {
    const KIND: Kind = Kind::Config;
    fn meta(&self) -> Meta<'_> {
        Meta {
            id: &self.id,
            name: &self.spec.name,
            version: self.version,
            labels: &self.spec.labels,
            created: &self.created_at,
            updated: &self.updated_at,
        }
    }
}

impl Resource for SecretObject {
    const KIND: Kind = Kind::Secret;
    fn meta(&self) -> Meta<'_> {
        Meta {
            id: &self.id,
            name: &self.spec.name,
            version: self.version,
            labels: &self.spec.labels,
            created: &self.created_at,
            updated: &self.updated_at,
        }
    }
}

impl Resource for Node {
    const KIND: Kind = Kind::Node;
    fn meta(&self) -> Meta<'_> {
        Meta {
            id: &self.id,
            name: &self.description.hostname,
            version: self.version,
            labels: &self.spec.labels,
            created: &self.created_at,
            updated: &self.updated_at,
        }
    }
}

impl Resource for Task {
    const KIND: Kind = Kind::Task;
    fn meta(&self) -> Meta<'_> {
        static NONE: Labels = Labels::new();
        Meta {
            id: &self.id,
            name: &self.id,
            version: self.version,
            labels: &NONE,
            created: &self.created_at,
            updated: &self.updated_at,
        }
    }
}
