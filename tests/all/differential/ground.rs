//! One engine on which stacks are deployed and read back. Its node is drained: nothing has to run for objects to be equal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use skep::desired::{Desired, External};
use skep::model::Kind;

use crate::cases::Case;
use crate::lab::Lab;
use crate::lab::engine::{array, escaped};
use crate::reference;
use crate::runner::{Outcome, Skep};
use crate::wait::{wait_for, wait_until};

/// A swarm, and the client to compare with.
pub struct Ground {
    pub lab: Lab,
    client: &'static Path,
    minor: u32,
    engine: String,
}

impl Ground {
    /// A swarm whose only node takes no tasks.
    pub fn new(lab: Lab, client: &'static Path) -> Ground {
        let ground = Ground::running(lab, client);
        let node = ground.lab.docker(1, &["node", "ls", "-q"]);
        ground.lab.docker(1, &["node", "update", "--availability", "drain", &node]);
        ground
    }

    /// A swarm whose node runs what it is given.
    pub fn running(lab: Lab, client: &'static Path) -> Ground {
        let version = lab.api(1, "/version");
        let api = version["ApiVersion"].as_str().expect("a version");
        let minor = api.split_once('.').and_then(|(_, minor)| minor.parse().ok()).expect("1.N");
        let engine = format!("Docker engine {} (API {api})", version["Version"].as_str().expect("a version"));
        Ground { lab, client, minor, engine }
    }

    /// The minor number of the engine's API version.
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// Its name and version.
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// `docker stack deploy`.
    ///
    /// # Errors
    /// What it said when it failed.
    pub fn deploy(&self, case: &Case) -> Result<(), String> {
        let mut docker = reference::docker(self.client, &case.variables);
        docker.env("DOCKER_HOST", self.lab.docker_host(1)).current_dir(&case.dir);
        docker.args(["stack", "deploy", "--detach=true", "--resolve-image", "never"]);
        let output = docker.args(case.arguments()).arg(&case.name).output().expect("the docker client runs");
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }

    /// The same over what is there. The engine itself writes to a service that was just made, and docker does not look again.
    ///
    /// # Errors
    /// What it said when it failed for another reason.
    pub fn deploy_again(&self, case: &Case) -> Result<(), String> {
        wait_for(Duration::from_secs(20), "docker updates before the engine does", || match self.deploy(case) {
            Err(said) if said.contains("update out of sequence") => None,
            settled => Some(settled),
        })
    }

    /// `skep WORDS -c FILE STACK`.
    pub fn skep(&self, case: &Case, words: &[&str]) -> Outcome {
        let mut skep = Skep::on(&self.lab.docker_host(1)).env("DOCKER_CONFIG", "/nonexistent").at(&case.dir);
        for (name, value) in &case.variables {
            skep = skep.env(name, value);
        }
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        words.extend(case.arguments());
        words.push(case.name.clone());
        skep.run(&words)
    }

    /// `skep WORDS`, in an environment without any variable.
    pub fn skep_on(&self, words: &[&str]) -> Outcome {
        Skep::on(&self.lab.docker_host(1)).env("DOCKER_CONFIG", "/nonexistent").run(words)
    }

    /// Makes what stacks take as given, where it is missing.
    pub fn provide(&self, external: &[External]) {
        for External { kind, name, .. } in external {
            let (path, body) = match kind {
                Kind::Network => ("/networks/create", json!({ "Name": name, "Driver": "overlay", "Attachable": true })),
                Kind::Config => ("/configs/create", json!({ "Name": name, "Data": "Z2l2ZW4K" })),
                Kind::Secret => ("/secrets/create", json!({ "Name": name, "Data": "Z2l2ZW4K" })),
                other => panic!("no external {other}"),
            };
            let answer = self.lab.request(1, "POST", path, Some(&body));
            let said = answer.body["message"].as_str().unwrap_or_default();
            let exists = answer.status == 409 || said.contains("name conflicts with an existing object");
            assert!(answer.status == 201 || exists, "{kind} {name}: {answer:?}");
        }
    }

    /// Removes what was provided for others under a name that this stack makes itself.
    pub fn withdraw(&self, desired: &Desired, stack: &str) {
        let kinds = [
            ("networks", desired.networks.keys().collect::<Vec<_>>()),
            ("configs", desired.configs.keys().collect()),
            ("secrets", desired.secrets.keys().collect()),
        ];
        for (kind, names) in kinds {
            for name in names.into_iter().filter(|name| !name.starts_with(&format!("{stack}_"))) {
                let answer = self.lab.request(1, "DELETE", &format!("/{kind}/{name}"), None);
                assert!(matches!(answer.status, 200..300 | 404), "{kind} {name}: {answer:?}");
            }
        }
    }

    /// What the engine holds of a stack, as `skep render` would print it: names instead of ids.
    pub fn held(&self, stack: &str) -> Value {
        let networks = array(self.get("/networks"));
        let mut names: BTreeMap<String, String> =
            networks.iter().map(|network| (text(network, "Id"), text(network, "Name"))).collect();
        for predefined in ["host", "bridge"] {
            names.insert(text(&self.get(&format!("/networks/{predefined}?scope=swarm")), "Id"), predefined.to_owned());
        }
        let mut services: Vec<Value> =
            self.of(stack, "services").into_iter().map(|mut found| found["Spec"].take()).collect();
        for service in &mut services {
            for network in service["TaskTemplate"]["Networks"].as_array_mut().into_iter().flatten() {
                let id = text(network, "Target");
                network["Target"] = names.get(&id).cloned().unwrap_or(id).into();
            }
            // A credential specification is known by the id of its config.
            let container = &mut service["TaskTemplate"]["ContainerSpec"];
            let configs = container["Configs"].as_array().cloned().unwrap_or_default();
            if let Some(Value::String(id)) = container.pointer_mut("/Privileges/CredentialSpec/Config") {
                let config = configs.iter().find(|config| text(config, "ConfigID") == *id);
                *id = config.map_or_else(|| id.clone(), |config| text(config, "ConfigName"));
            }
        }
        let specs =
            |kind: &str| self.of(stack, kind).into_iter().map(|mut found| found["Spec"].take()).collect::<Vec<_>>();
        let by_name = |mut list: Vec<Value>| {
            list.sort_by_key(|spec| text(spec, "Name"));
            list
        };
        json!({
            "services": by_name(services),
            "networks": by_name(self.networks(stack)),
            "configs": by_name(specs("configs")),
            "secrets": by_name(specs("secrets")),
        })
    }

    /// A stack's networks, once the engine has given them what they asked for; until then it shows nothing of them.
    fn networks(&self, stack: &str) -> Vec<Value> {
        wait_for(Duration::from_secs(20), "networks are allocated", || {
            let networks = self.of(stack, "networks");
            networks.iter().all(|network| network["Driver"] != "").then_some(networks)
        })
    }

    /// The ids of a stack's tasks that should run or wait to.
    pub fn tasks(&self, stack: &str) -> BTreeSet<String> {
        self.tasks_where(stack, json!({}))
    }

    /// Those of them that are as their service says, as the engine itself judges it.
    pub fn current_tasks(&self, stack: &str) -> BTreeSet<String> {
        self.tasks_where(stack, json!({ "_up-to-date": ["true"] }))
    }

    fn tasks_where(&self, stack: &str, mut filters: Value) -> BTreeSet<String> {
        // Every write of a job runs it anew, so its tasks say nothing.
        let services = self.of(stack, "services").into_iter().filter(|service| {
            let mode = &service["Spec"]["Mode"];
            mode.get("ReplicatedJob").is_none() && mode.get("GlobalJob").is_none()
        });
        let ids: Vec<String> = services.map(|service| text(&service, "ID")).collect();
        if ids.is_empty() {
            return BTreeSet::new();
        }
        filters["service"] = json!(ids);
        filters["desired-state"] = json!(["running"]);
        array(self.get(&format!("/tasks?filters={}", escaped(&filters)))).iter().map(|task| text(task, "ID")).collect()
    }

    /// Removes a stack.
    pub fn clear(&self, stack: &str) {
        for kind in ["services", "configs", "secrets"] {
            for object in self.of(stack, kind) {
                let answer = self.lab.request(1, "DELETE", &format!("/{kind}/{}", text(&object, "ID")), None);
                assert!(answer.status < 300, "{kind} of {stack}: {answer:?}");
            }
        }
        // Tasks let go of a network a moment after their service.
        wait_until(Duration::from_secs(30), "the stack's networks are gone", || {
            let left = self.of(stack, "networks");
            for network in &left {
                self.lab.request(1, "DELETE", &format!("/networks/{}", text(network, "Id")), None);
            }
            left.is_empty()
        });
    }

    fn of(&self, stack: &str, kind: &str) -> Vec<Value> {
        let filters = json!({ "label": [format!("com.docker.stack.namespace={stack}")] });
        array(self.get(&format!("/{kind}?filters={}", escaped(&filters))))
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        let answer = self.lab.request_of(self.minor, 1, "GET", path, None);
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.body
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
