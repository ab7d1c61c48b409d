//! A swarm, a repository and a controller between them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::repository::Repository;
use crate::lab::Lab;
use crate::proxy::{Fault, Proxy, Request};
use crate::runner::{Outcome, Process, Skep};
use crate::wait::wait_until;

/// How long a rollout of a few tasks may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// A swarm of its own, a repository, and a proxy between the controller and the engine.
pub struct Scene {
    pub proxy: Proxy,
    pub lab: Lab,
    pub repository: Repository,
    directory: TempDir,
}

impl Scene {
    /// With one node.
    pub fn new() -> Scene {
        Scene::on(Lab::start(1))
    }

    /// With this swarm.
    pub fn on(lab: Lab) -> Scene {
        lab.image("app:1", &[r#"CMD ["idle"]"#]);
        let proxy = Proxy::start(&lab.socket(1));
        let directory = tempfile::tempdir().expect("a directory");
        Scene { proxy, lab, repository: Repository::new(), directory }
    }

    /// `skep` on the engine itself, for a person's commands.
    pub fn skep(&self) -> Skep {
        Skep::on(&self.lab.docker_host(1))
    }

    /// Runs a person's command, which must succeed.
    #[track_caller]
    pub fn say(&self, arguments: &[&str]) -> Outcome {
        self.skep().run(arguments).expect(0)
    }

    /// The controller's configuration for the repository, which lists the swarm anew every two seconds.
    pub fn configuration(&self) -> Value {
        json!({
            "version": 1,
            "cluster": "test",
            "sources": [ { "url": self.repository.path() } ],
            "resync": "2s",
            "stateDir": self.directory.path().join("state"),
        })
    }

    /// Starts the controller behind the proxy.
    #[track_caller]
    pub fn run(&self) -> Process {
        self.run_with(&self.configuration())
    }

    /// The same with another configuration.
    #[track_caller]
    pub fn run_with(&self, configuration: &Value) -> Process {
        let file = self.directory.path().join("config.yaml");
        // JSON is YAML.
        std::fs::write(&file, configuration.to_string()).expect("a file");
        let heartbeat = self.directory.path().join("heartbeat").display().to_string();
        let skep = Skep::on(&self.proxy.docker_host()).env("SKEP_HEARTBEAT", &heartbeat);
        skep.spawn(&["run".as_ref(), "--config".as_ref(), file.as_os_str()])
    }

    /// What `skep status` says of a stack; null where it has no record.
    pub fn status(&self, stack: &str) -> Value {
        let mut document = self.say(&["status", "-o", "json"]).json();
        let stacks = document["stacks"].as_array_mut().expect("stacks");
        stacks.drain(..).find(|it| it["stack"] == stack).unwrap_or_default()
    }

    /// Waits until the status of a stack is as it should be, and gives it.
    #[track_caller]
    pub fn wait_status(&self, stack: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        self.wait_status_for(SOON, stack, what, is_so)
    }

    /// The same within another time.
    #[track_caller]
    pub fn wait_status_for(&self, within: Duration, stack: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + within;
        loop {
            let status = self.status(stack);
            if is_so(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "{stack} was never {what}: {status:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether a stack is synced, healthy and at this revision.
    pub fn is_synced(&self, stack: &str, revision: &str) -> bool {
        is_synced(&self.status(stack), revision)
    }

    /// Waits until a stack is synced, healthy and at this revision.
    #[track_caller]
    pub fn synced(&self, stack: &str, revision: &str) -> Value {
        self.wait_status(stack, &format!("synced at {revision}"), |status| is_synced(status, revision))
    }

    /// Waits until the controller has listed the services so many times more.
    #[track_caller]
    pub fn resyncs(&self, count: usize) {
        let lists = || self.proxy.requests().iter().filter(|it| it.method == "GET" && it.path == "/services").count();
        let before = lists();
        wait_until(SOON, "the swarm was listed again", || lists() >= before + count);
    }

    /// Every write but the lease's renewals.
    pub fn writes(&self) -> Vec<Request> {
        self.proxy.writes().into_iter().filter(|it| !it.is_lease()).collect()
    }

    /// Demands that from now on nothing was written, records included, while the swarm was listed three times more.
    #[track_caller]
    pub fn nothing_is_written(&self) {
        // A record says first how a stack stands, then a rendering that nothing leads to any more is deleted.
        self.resyncs(1);
        self.proxy.forget();
        self.resyncs(3);
        assert!(self.writes().is_empty(), "{:#?}", self.writes());
    }

    /// Somebody updates a service by hand, with these flags.
    pub fn by_hand(&self, service: &str, flags: &[&str]) {
        self.lab.docker(1, &[&["service", "update", "--detach", "--quiet"], flags, &[service]].concat());
    }

    /// Kills a controller at the `number`-th write of a revision of `shop`, which `commit` makes, has another take over, and waits
    /// until that is synced. Gives that one and the write; the first, where the revision needed fewer writes.
    #[track_caller]
    pub fn killed_at(
        &self,
        number: usize,
        skep: Process,
        commit: impl FnOnce() -> String,
    ) -> Result<(Process, String), Process> {
        self.proxy.arm(Fault::Hold(number));
        let revision = commit();
        wait_until(SOON, &format!("write {number} comes, or turns out to be needless"), || {
            self.proxy.fault_happened() || self.is_synced("shop", &revision)
        });
        if !self.proxy.fault_happened() {
            self.proxy.disarm();
            return Err(skep);
        }
        let write = self.proxy.writes().last().map(|it| format!("{} {}", it.method, it.path)).unwrap_or_default();
        skep.kill();
        self.proxy.disarm();
        self.release_lease();
        let next = self.run();
        self.synced("shop", &revision);
        println!("killed at write {number}: {write}");
        Ok((next, write))
    }

    /// The names of a stack's services.
    pub fn services(&self, stack: &str) -> Vec<String> {
        self.lab.services(stack).iter().map(|it| it["Spec"]["Name"].as_str().expect("a name").to_owned()).collect()
    }

    /// The environment of a service.
    pub fn env(&self, service: &str) -> Vec<String> {
        let service = self.lab.service(service).unwrap_or_default();
        let env = &service["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"];
        env.as_array().into_iter().flatten().map(|it| it.as_str().expect("text").to_owned()).collect()
    }

    /// Objects as they are, versions included, of a path such as `/services`.
    pub fn objects(&self, path: &str) -> Vec<(String, u64)> {
        let listed = self.lab.api(1, path);
        let object = |it: &Value| {
            let name = it["Spec"]["Name"].as_str().or(it["Name"].as_str()).expect("a name");
            (name.to_owned(), it["Version"]["Index"].as_u64().unwrap_or_default())
        };
        let mut objects: Vec<_> = listed.as_array().expect("a list").iter().map(object).collect();
        objects.sort();
        objects
    }

    /// The names of the configs (or secrets) that are the users'.
    pub fn names(&self, path: &str) -> Vec<String> {
        self.objects(path).into_iter().map(|(name, _)| name).filter(|name| !name.starts_with("skep.")).collect()
    }

    /// Waits until a network that was deleted is gone: its node lists it until the last container has left it.
    #[track_caller]
    pub fn network_goes(&self, name: &str) {
        wait_until(SOON, "the network is gone", || !self.names("/networks").iter().any(|it| it == name));
    }

    /// The names of skep's own configs of one kind: `record`, `rendering`, `lease`.
    pub fn state(&self, kind: &str) -> Vec<String> {
        let configs = self.lab.api(1, "/configs");
        let own = configs.as_array().expect("a list").iter().filter(|it| it["Spec"]["Labels"]["skep.kind"] == kind);
        own.map(|it| it["Spec"]["Name"].as_str().expect("a name").to_owned()).collect()
    }

    /// Gives the lease of a controller that was killed up in its stead, so that the next one need not wait for 30 s. A renewal
    /// that it sent last may still arrive.
    #[track_caller]
    pub fn release_lease(&self) {
        wait_until(SOON, "the lease is given up", || {
            let configs = self.lab.api(1, "/configs");
            let lease = configs.as_array().expect("a list").iter().find(|it| it["Spec"]["Name"] == "skep.lease");
            let Some(lease) = lease else { return true };
            let mut spec = lease["Spec"].clone();
            let state = spec["Labels"]["skep.state"].as_str().expect("a state").replace("false", "true");
            spec["Labels"]["skep.state"] = state.into();
            spec.as_object_mut().expect("an object").remove("Data");
            let (id, version) = (lease["ID"].as_str().expect("an id"), &lease["Version"]["Index"]);
            let path = format!("/configs/{id}/update?version={version}");
            self.lab.request(1, "POST", &path, Some(&spec)).status == 200
        });
    }
}

pub fn is_synced(status: &Value, revision: &str) -> bool {
    status["sync"] == "Synced" && status["health"] == "Healthy" && status["revision"] == revision
}

/// Whether the reason says this.
pub fn says(status: &Value, text: &str) -> bool {
    status["reason"].as_str().is_some_and(|reason| reason.contains(text))
}
