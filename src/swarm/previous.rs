//! What a service was before its last update: as much of it as anybody asks for.

use serde::{Deserialize, Serialize};

use super::object::{Meta, Resource, Version};
use super::spec::{Labels, ServiceSpec, nullable};
use crate::model::Kind;

/// A service as the whole of what a rollback would return it to: for whoever compares that, once.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Predecessor {
    /// The service's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The service's version.
    pub version: Version,
    /// What it was before its last update; `None` of one that never was updated, or was rolled back.
    pub previous_spec: Option<Box<ServiceSpec>>,
}

impl Resource for Predecessor {
    const KIND: Kind = Kind::Service;
    fn meta(&self) -> Meta<'_> {
        static NONE: Labels = Labels::new();
        Meta { id: &self.id, name: &self.id, version: self.version, labels: &NONE, created: "", updated: "" }
    }
}

/// The spec that a rollback returns to. Only what it refers to is kept: nothing else of it is ever looked at, and in a swarm
/// whose services were all updated once it would take as much as everything else together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PreviousSpec {
    task_template: TaskTemplate,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct TaskTemplate {
    container_spec: Option<ContainerSpec>,
    #[serde(deserialize_with = "nullable")]
    networks: Vec<Network>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ContainerSpec {
    #[serde(deserialize_with = "nullable")]
    configs: Vec<Config>,
    #[serde(deserialize_with = "nullable")]
    secrets: Vec<Secret>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Network {
    #[serde(rename = "Target")]
    target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(rename = "ConfigID")]
    id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Secret {
    #[serde(rename = "SecretID")]
    id: String,
}

impl PreviousSpec {
    /// The ids of the configs, secrets and networks that it refers to.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let task = &self.task_template;
        let container = task.container_spec.as_ref();
        let configs = container.into_iter().flat_map(|it| &it.configs).map(|config| config.id.as_str());
        let secrets = container.into_iter().flat_map(|it| &it.secrets).map(|secret| secret.id.as_str());
        configs.chain(secrets).chain(task.networks.iter().map(|network| network.target.as_str()))
    }
}

impl From<&ServiceSpec> for PreviousSpec {
    fn from(spec: &ServiceSpec) -> Self {
        let container = spec.task_template.container_spec.as_ref().map(|container| ContainerSpec {
            configs: container.configs.iter().map(|it| Config { id: it.config_id.clone() }).collect(),
            secrets: container.secrets.iter().map(|it| Secret { id: it.secret_id.clone() }).collect(),
        });
        let networks = spec.task_template.networks.iter().map(|it| Network { target: it.target.clone() }).collect();
        Self { task_template: TaskTemplate { container_spec: container, networks } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_is_what_a_spec_refers_to() {
        let spec = json!({
            "Name": "shop_web", "Labels": { "a": "b" },
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "nginx:1", "Env": ["A=1"],
                    "Configs": [{ "ConfigID": "c1", "ConfigName": "shop_c", "File": { "Name": "/c" } }],
                    "Secrets": [{ "SecretID": "s1", "SecretName": "shop_s" }],
                },
                "Networks": [{ "Target": "n1", "Aliases": ["web"] }, { "Target": "n2" }],
            },
        });
        let read: PreviousSpec = serde_json::from_value(spec.clone()).expect("a spec");
        assert_eq!(read.references().collect::<Vec<_>>(), ["c1", "s1", "n1", "n2"]);
        let whole: ServiceSpec = serde_json::from_value(spec).expect("a spec");
        assert_eq!(PreviousSpec::from(&whole), read);
        let silent: PreviousSpec = serde_json::from_value(
            json!({ "TaskTemplate": { "Networks": null, "ContainerSpec": { "Configs": null } } }),
        )
        .expect("a spec");
        assert_eq!(silent.references().count(), 0);
    }
}
