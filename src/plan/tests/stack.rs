//! Stacks as the lowering makes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::desired::names::{self, Scheme};
use crate::desired::{Config, Desired, Network, Said, SecretData, Service};
use crate::model::{Confidential, Digest, Secret, StackName, label};
use crate::swarm::{ConfigReference, FileTarget, Labels, NetworkAttachment, SecretReference, ServiceSpec};

fn namespace() -> Labels {
    [(label::NAMESPACE.to_owned(), "shop".to_owned())].into()
}

/// The stack `shop`, with its default network.
pub fn stack() -> Desired {
    let mut desired = Desired {
        stack: StackName::parse("shop").expect("valid"),
        services: Default::default(),
        networks: Default::default(),
        volumes: Default::default(),
        configs: Default::default(),
        secrets: Default::default(),
        external: Vec::new(),
        confidential: Confidential::new(),
        protected: Default::default(),
        accepted: Default::default(),
    };
    network(&mut desired, "default");
    desired
}

pub fn network<'d>(desired: &'d mut Desired, key: &str) -> &'d mut Network {
    let name = format!("shop_{key}");
    let spec = serde_json::from_value(
        json!({ "Name": name, "Driver": "overlay", "Labels": { "com.docker.stack.namespace": "shop" } }),
    )
    .expect("a network");
    desired.networks.entry(name).or_insert(Network { spec, span: None })
}

/// A service with one replica, where the file does not say how many.
pub fn service<'d>(desired: &'d mut Desired, key: &str, image: &str) -> &'d mut Service {
    let name = format!("shop_{key}");
    let spec = serde_json::from_value(json!({
        "Name": name,
        "Labels": { "com.docker.stack.image": image, "com.docker.stack.namespace": "shop" },
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": image,
                "Labels": { "com.docker.stack.namespace": "shop" },
                "Privileges": { "CredentialSpec": null, "SELinuxContext": null, "NoNewPrivileges": false }
            },
            "Resources": {}, "Placement": {}, "ForceUpdate": 0,
            "Networks": [{ "Target": "shop_default", "Aliases": [key] }]
        },
        "Mode": { "Replicated": {} },
        "EndpointSpec": {}
    }))
    .expect("a service");
    let service = Service {
        as_is: false,
        key: key.to_owned(),
        spec,
        said: Said::default(),
        depends_on: Vec::new(),
        single: false,
        hook: None,
        ignore: Vec::new(),
        span: None,
    };
    desired.services.insert(name.clone(), service);
    desired.services.get_mut(&name).expect("just made")
}

fn schemes(key: &str) -> Vec<Scheme> {
    names::schemes(&StackName::parse("shop").expect("valid"), key, None, Some(&format!("{key}.txt")))
}

pub fn config(desired: &mut Desired, key: &str, content: &str) {
    let name = format!("shop_{key}");
    let spec = crate::swarm::ConfigSpec {
        name: name.clone(),
        labels: namespace(),
        data: STANDARD.encode(content),
        ..Default::default()
    };
    desired.configs.insert(name, Config { spec, confidential: false, schemes: schemes(key), span: None });
}

/// A secret whose fingerprint was computed.
pub fn secret(desired: &mut Desired, key: &str, content: &str) {
    let name = format!("shop_{key}");
    let spec = crate::swarm::SecretSpec { name: name.clone(), labels: namespace(), ..Default::default() };
    let fingerprint = Some(Digest::of(format!("salt {content}")).as_str().to_owned());
    let content = Some(Secret::new(content.as_bytes().to_vec()));
    desired.secrets.insert(name, SecretData { spec, content, fingerprint, schemes: schemes(key), span: None });
}

fn file(name: &str) -> Option<FileTarget> {
    Some(FileTarget { name: name.to_owned(), uid: "0".into(), gid: "0".into(), mode: 0o444, ..Default::default() })
}

/// What the tests change in a service.
pub trait Edit {
    fn spec(&mut self) -> &mut ServiceSpec;

    fn replicas(&mut self, replicas: u64) -> &mut Self {
        self.spec().mode.as_mut().and_then(|mode| mode.replicated.as_mut()).expect("replicated").replicas =
            Some(replicas);
        self
    }

    fn env(&mut self, variable: &str) -> &mut Self {
        let env = &mut self.container().env;
        let name = variable.split('=').next().unwrap_or(variable);
        env.retain(|it| it.split('=').next() != Some(name));
        env.push(variable.to_owned());
        env.sort();
        self
    }

    fn label(&mut self, key: &str, value: &str) -> &mut Self {
        self.spec().labels.insert(key.to_owned(), value.to_owned());
        self
    }

    fn image(&mut self, image: &str) -> &mut Self {
        self.container().image = image.to_owned();
        self
    }

    fn order(&mut self, order: &str) -> &mut Self {
        let policy = self.spec().update_config.get_or_insert_default();
        policy.parallelism = 1;
        policy.order = order.to_owned();
        self
    }

    /// A healthcheck that finds a bad task in 14 s.
    fn checked(&mut self) -> &mut Self {
        let second = 1_000_000_000;
        self.container().healthcheck = Some(crate::swarm::Healthcheck {
            test: vec!["CMD".to_owned(), "check".to_owned()],
            interval: 2 * second,
            timeout: 2 * second,
            retries: 3,
            ..Default::default()
        });
        self
    }

    fn constraint(&mut self, constraint: &str) -> &mut Self {
        self.spec().task_template.placement.get_or_insert_default().constraints = vec![constraint.to_owned()];
        self
    }

    fn port(&mut self, published: u32, target: u32) -> &mut Self {
        let port = crate::swarm::Port { published_port: published, target_port: target, ..Default::default() };
        self.spec().endpoint_spec.get_or_insert_default().ports = vec![port];
        self
    }

    fn joins(&mut self, network: &str) -> &mut Self {
        let target = format!("shop_{network}");
        self.spec().task_template.networks.push(NetworkAttachment { target, ..Default::default() });
        self
    }

    fn mounts(&mut self, config: &str) -> &mut Self {
        let reference =
            ConfigReference { config_name: format!("shop_{config}"), file: file(config), ..ConfigReference::default() };
        self.container().configs.push(reference);
        self
    }

    fn is_given(&mut self, secret: &str) -> &mut Self {
        let reference =
            SecretReference { secret_name: format!("shop_{secret}"), file: file(secret), ..SecretReference::default() };
        self.container().secrets.push(reference);
        self
    }

    fn container(&mut self) -> &mut crate::swarm::ContainerSpec {
        self.spec().task_template.container_spec.as_mut().expect("a container")
    }
}

impl Edit for Service {
    fn spec(&mut self) -> &mut ServiceSpec {
        &mut self.spec
    }

    fn replicas(&mut self, replicas: u64) -> &mut Self {
        self.said.replicas = true;
        Edit::replicas(&mut self.spec, replicas);
        self
    }

    fn order(&mut self, order: &str) -> &mut Self {
        (self.said.update.order, self.said.update.parallelism) = (true, true);
        Edit::order(&mut self.spec, order);
        self
    }
}

impl Edit for ServiceSpec {
    fn spec(&mut self) -> &mut ServiceSpec {
        self
    }
}
