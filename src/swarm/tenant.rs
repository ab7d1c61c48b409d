//! Tasks as what they take of their nodes, and nodes as what they have to give.

use serde::Deserialize;

use super::spec::nullable;
use super::{GenericResource, Labels, Meta, Node, Platform, Port, Resource, ResourceReservations, Version};
use crate::model::Kind;

/// A task as the scheduler counts it. What has no name here is left out: a list of all tasks holds each spec once a task.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Tenant {
    /// The engine's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The version.
    pub version: Version,
    /// Its service.
    #[serde(rename = "ServiceID")]
    pub service_id: String,
    /// Its node, once it has one.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Where it should be.
    pub desired_state: String,
    status: Status,
    spec: Spec,
    /// What it was given of the things that its node's owner counts.
    #[serde(deserialize_with = "nullable")]
    pub generic_resources: Vec<GenericResource>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Status {
    state: String,
    #[serde(deserialize_with = "nullable")]
    port_status: PortStatus,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PortStatus {
    #[serde(deserialize_with = "nullable")]
    ports: Vec<Port>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Spec {
    #[serde(deserialize_with = "nullable")]
    resources: Reserved,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Reserved {
    #[serde(deserialize_with = "nullable")]
    reservations: ResourceReservations,
}

impl Tenant {
    /// Whether it has a place that it keeps: it is on a node, has not ended and is not meant to.
    pub fn stays(&self) -> bool {
        let has_ended = matches!(
            self.status.state.as_str(),
            "complete" | "shutdown" | "failed" | "rejected" | "remove" | "orphaned"
        );
        let is_meant_to = matches!(self.desired_state.as_str(), "shutdown" | "remove");
        !self.node_id.is_empty() && !has_ended && !is_meant_to
    }

    /// What it reserves.
    pub fn reservations(&self) -> &ResourceReservations {
        &self.spec.resources.reservations
    }

    /// The ports of its node that it has, where it says so already: one that has not started does not.
    pub fn host_ports(&self) -> &[Port] {
        &self.status.port_status.ports
    }
}

impl Resource for Tenant {
    const KIND: Kind = Kind::Task;
    fn meta(&self) -> Meta<'_> {
        static NONE: Labels = Labels::new();
        Meta { id: &self.id, name: &self.id, version: self.version, labels: &NONE, created: "", updated: "" }
    }
}

impl Node {
    /// All that it has to reserve.
    pub fn resources(&self) -> ResourceReservations {
        self.described("Resources")
    }

    /// What it runs, as images name it.
    pub fn platform(&self) -> Platform {
        self.described("Platform")
    }

    fn described<T: Default + for<'de> Deserialize<'de>>(&self, what: &str) -> T {
        self.description.extra.get(what).and_then(|value| T::deserialize(value).ok()).unwrap_or_default()
    }
}

impl Platform {
    /// Whether an image that is made for this runs on a node of that platform, by the engine's rule: what is not said fits.
    pub fn fits(&self, node: &Platform) -> bool {
        let same = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        same(&self.os, &node.os) && same(architecture(&self.architecture), architecture(&node.architecture))
    }
}

/// Nodes speak of architectures as the kernel does, images as Go does.
pub fn architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other if other.starts_with("armv") && !other.starts_with("armv8") => "arm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_is_read_as_far_as_it_takes_anything() {
        let task = json!({
            "ID": "t", "Version": { "Index": 3 }, "ServiceID": "s", "NodeID": "n", "DesiredState": "running",
            "Spec": { "ContainerSpec": { "Image": "x" }, "Resources": { "Limits": {}, "Reservations": { "MemoryBytes": 5 } } },
            "Status": { "State": "running", "PortStatus": { "Ports": [{ "PublishedPort": 80, "PublishMode": "host" }] } },
            "GenericResources": [{ "NamedResourceSpec": { "Kind": "gpu", "Value": "g0" } }]
        });
        let read = |task| serde_json::from_value::<Tenant>(task).expect("a task");
        let tenant = read(task.clone());
        assert!(tenant.stays());
        assert_eq!((tenant.reservations().memory_bytes, tenant.host_ports().len()), (5, 1));
        assert_eq!(tenant.generic_resources.len(), 1);
        for (pointer, word) in [("/Status/State", "failed"), ("/DesiredState", "shutdown"), ("/NodeID", "")] {
            let mut gone = task.clone();
            *gone.pointer_mut(pointer).expect("there") = word.into();
            assert!(!read(gone).stays(), "{pointer} {word}");
        }
        let bare = read(json!({ "ID": "t", "Spec": { "Resources": null }, "Status": { "PortStatus": null } }));
        assert_eq!(bare.reservations(), &ResourceReservations::default());
    }

    #[test]
    fn architectures_are_known_by_both_names() {
        let platform = |os: &str, architecture: &str| Platform {
            os: os.into(),
            architecture: architecture.into(),
            ..Platform::default()
        };
        let node = platform("linux", "x86_64");
        for (os, architecture, fits) in [
            ("linux", "amd64", true),
            ("linux", "x86_64", true),
            ("linux", "", true),
            ("", "", true),
            ("linux", "arm64", false),
            ("windows", "amd64", false),
        ] {
            assert_eq!(platform(os, architecture).fits(&node), fits, "{os}/{architecture}");
        }
        assert!(platform("linux", "arm64").fits(&platform("linux", "aarch64")));
    }
}
