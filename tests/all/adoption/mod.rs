//! Stacks that other tools deployed, taken over: no task restarts, no object is written, and git is followed from then on.

pub mod tools;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::git_server::Served;
use crate::lab::Lab;
use crate::lab::engine::{array, escaped};
use crate::proxy::Proxy;
use crate::reference;
use crate::runner::{Outcome, Skep};
use crate::wait::wait_until;
use tools::Tool;

/// What a task notices: a config and a secret under another path than their names, volumes with labels, a variable that the tool
/// knows. Nothing of `pinned` runs: its image is of no registry.
const FILE: &str = "
services:
  web:
    image: idle:1
    environment: { GREETING: '${GREETING}' }
    volumes: [ 'data:/data' ]
    configs: [ { source: conf, target: /etc/app.conf } ]
    secrets: [ { source: token, target: token }, { source: key, target: key } ]
    stop_grace_period: 1s
    deploy:
      replicas: 2
      update_config: { order: start-first, monitor: 1s, parallelism: 0 }
  pinned: { image: 'idle:1', deploy: { replicas: 0 } }
volumes: { data: }
configs: { conf: { file: ./app.conf } }
secrets: { token: { file: ./token.txt }, key: { file: ./api/token.txt } }
";

#[test]
fn what_each_tool_deployed_is_taken_over_as_it_runs() {
    take_over("this machine's engine", || Some(Lab::start(1)));
}

#[test]
fn what_each_tool_deployed_is_taken_over_on_the_next_engine_too() {
    take_over("the next Debian's engine", || match reference::unpacked() {
        Ok(unpacked) => Some(Lab::start_on(&unpacked.dockerd(), 1)),
        Err(why) => {
            reference::skip("stacks of other tools on the second engine", why);
            None
        }
    });
}

fn take_over(engine: &str, start: impl FnOnce() -> Option<Lab>) {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => return reference::skip(&format!("taking over other tools' stacks on {engine}"), why),
    };
    let Some(lab) = start() else { return };
    lab.image("idle:1", &[r#"CMD ["idle"]"#]);
    std::thread::scope(|scope| {
        for tool in Tool::ALL {
            let lab = &lab;
            scope.spawn(move || {
                let scene = Scene::new(lab, client, tool);
                scene.deploy();
                scene.is_changed_by_hand();
                scene.is_adopted();
                scene.follows_git();
                if tool == Tool::Docker {
                    scene.goes_back();
                }
            });
        }
    });
}

/// One stack, in a repository, on a swarm.
struct Scene<'a> {
    lab: &'a Lab,
    client: &'static Path,
    tool: Tool,
    stack: String,
    served: Served,
    proxy: Proxy,
    skep: Skep,
}

impl<'a> Scene<'a> {
    fn new(lab: &'a Lab, client: &'static Path, tool: Tool) -> Self {
        let served = Served::new();
        let stack = tool.name().to_owned();
        let declared = format!(
            "version: 1\nvariables: {{ GREETING: hello }}\nstacks:\n  - name: {stack}\n    files: [ compose.yaml ]\n"
        );
        for (path, text) in [
            ("skep.yaml", &*declared),
            ("compose.yaml", FILE),
            ("app.conf", "one\n"),
            ("token.txt", "s3cret\n"),
            ("api/token.txt", "k3y\n"),
        ] {
            served.commit(path, text);
        }
        let proxy = Proxy::start(&lab.socket(1));
        let skep = Skep::on(&proxy.docker_host()).env("GREETING", "hello").at(&served.path().join("work"));
        Self { lab, client, tool, stack, served, proxy, skep }
    }

    fn work(&self) -> PathBuf {
        self.served.path().join("work")
    }

    fn full(&self, key: &str) -> String {
        format!("{}_{key}", self.stack)
    }

    /// Deploys as the tool does, and waits until it runs.
    fn deploy(&self) {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("compose.yaml");
        std::fs::write(&file, self.tool.rewrite(FILE, &self.stack, &self.work())).expect("written");
        let mut docker = reference::docker(self.client, &[("GREETING".to_owned(), "hello".to_owned())]);
        docker.env("DOCKER_HOST", self.lab.docker_host(1)).args(["stack", "deploy", "--detach=true"]);
        docker.args(self.tool.arguments()).arg("--compose-file").arg(&file).arg(&self.stack);
        let output = docker.output().expect("the docker client runs");
        assert!(output.status.success(), "{:?}: {}", self.tool, String::from_utf8_lossy(&output.stderr));
        wait_until(Duration::from_secs(60), "two tasks run", || self.tasks().len() == 2);
    }

    /// Somebody forces an update, and an image gets a digest, as it does where a registry knows it.
    fn is_changed_by_hand(&self) {
        let before = self.tasks();
        self.lab.docker(1, &["service", "update", "--detach=false", "--quiet", "--force", &self.full("web")]);
        wait_until(Duration::from_secs(60), "other tasks run", || {
            self.tasks().len() == 2 && self.tasks().is_disjoint(&before)
        });
        let digest = format!("idle:1@sha256:{}", "0123456789abcdef".repeat(4));
        let update = ["service", "update", "--detach=true", "--quiet", "--no-resolve-image", "--image", &digest];
        self.lab.docker(1, &[&update[..], &[&self.full("pinned")]].concat());
        let service = self.lab.service(&self.full("pinned")).expect("pinned");
        assert_eq!(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], digest);
    }

    fn is_adopted(&self) {
        let tool = self.tool;
        let before = self.everything();
        let tasks = self.tasks();
        for (key, file) in [("conf", "app.conf"), ("token", "token.txt"), ("key", "api/token.txt")] {
            let name = tool.object_name(&self.stack, key, &self.work().join(file)).unwrap_or_else(|| self.full(key));
            assert!(before.iter().any(|object| object["Spec"]["Name"] == name), "{tool:?}: {name} is there");
        }
        let direct = self.run("plan --detailed-exitcode -o json -c compose.yaml STACK").expect(0);
        assert_eq!(codes(&direct), ["secret/unverifiable"; 2], "{tool:?}");
        let planned = self.run("plan --detailed-exitcode -o json --repo .").expect(0);
        assert_eq!(planned.json()["stacks"][0]["firstContact"], "safe", "{tool:?}: {}", planned.stdout);
        assert_eq!(codes(&planned), ["secret/unverifiable"; 2], "{tool:?}");
        let trusting = self.run("plan --detailed-exitcode -o json --repo . --trust-secrets").expect(0);
        assert_eq!(codes(&trusting), ["secret/trusted"; 2], "{tool:?}");
        let mut words = "runs as git says";
        if tool == Tool::Portainer {
            // Trust may come later.
            let applied = self.run("apply --repo . --yes").expect(0);
            assert!(applied.stderr.contains(words), "{}", applied.stderr);
            let planned = self.run("plan --detailed-exitcode -o json --repo .").expect(0);
            assert_eq!(codes(&planned), ["secret/unverifiable"; 2], "{}", planned.stdout);
            words = "is trusted with its secrets";
        }
        let applied = self.run("apply --repo . --yes --trust-secrets").expect(0);
        let written = format!("{} {words}; its record is written", self.stack);
        assert!(applied.stderr.contains(&written), "{tool:?}: {}", applied.stderr);
        assert!(self.proxy.object_writes().is_empty(), "{tool:?}: {:#?}", self.proxy.object_writes());
        assert_eq!((self.everything(), self.tasks()), (before, tasks), "{tool:?}");

        let planned = self.run("plan --detailed-exitcode -o json --repo .").expect(0);
        assert_eq!(codes(&planned), [] as [&str; 0], "{tool:?}: {}", planned.stdout);
        let stack = &planned.json()["stacks"][0];
        assert_eq!((&stack["sync"], &stack["drift"], &stack["extra"]), (&"Synced".into(), &Value::Null, &Value::Null));
    }

    /// A config and a secret change in git, each once: a new object, one update, and the old one goes with the next.
    fn follows_git(&self) {
        let tool = self.tool;
        let old = self.name_of("configs", "/etc/app.conf");
        let before = self.tasks();
        self.apply("app.conf", "two\n");
        let new = self.name_of("configs", "/etc/app.conf");
        assert_eq!(self.writes(), ["/configs/create", "/services/web/update"], "{tool:?}");
        assert!(is_versioned(&new, &self.full("conf")), "{tool:?}: {new}");
        wait_until(Duration::from_secs(60), "the new tasks run", || {
            self.tasks().len() == 2 && self.tasks().is_disjoint(&before)
        });
        let spec = self.lab.service(&self.full("web")).expect("web")["Spec"].to_string();
        assert!(!spec.contains("cd.doco."), "{tool:?}: {spec}");
        assert!(self.names("configs").contains(&old), "{tool:?}: a rollback would lead to it");

        self.apply("token.txt", "0ther\n");
        let token = self.name_of("secrets", "token");
        assert!(is_versioned(&token, &self.full("token")), "{tool:?}: {token}");
        assert!(self.writes().starts_with(&["/secrets/create".to_owned(), "/services/web/update".to_owned()]));
        assert!(!self.names("configs").contains(&old), "{tool:?}: {old} is pruned");
        self.run("plan --detailed-exitcode --repo .").expect(0);
    }

    /// As docs/migrate.md has it: skep lets go, and docker deploys the names that run.
    fn goes_back(&self) {
        let plain = reference::docker(self.client, &[]);
        let mut text = FILE.to_owned();
        for (kind, path, file) in [("configs", "/etc/app.conf", "./app.conf"), ("secrets", "token", "./token.txt")] {
            let named = format!("{{ file: {file}, name: {} }}", self.name_of(kind, path));
            text = text.replace(&format!("{{ file: {file} }}"), &named);
        }
        self.run("delete --keep STACK").expect(0);
        let (tasks, mut docker) = (self.tasks(), plain);
        self.served.commit("compose.yaml", &text);
        docker.env("DOCKER_HOST", self.lab.docker_host(1)).env("GREETING", "hello").current_dir(self.work());
        docker.args([
            "stack",
            "deploy",
            "--detach=true",
            "--resolve-image",
            "never",
            "-c",
            "compose.yaml",
            &self.stack,
        ]);
        let output = docker.output().expect("the docker client runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(self.tasks(), tasks);
        // And skep takes it over again.
        self.proxy.forget();
        self.run("apply --repo . --yes --trust-secrets").expect(0);
        assert!(self.proxy.object_writes().is_empty(), "{:#?}", self.proxy.object_writes());
    }

    fn apply(&self, path: &str, text: &str) {
        self.served.commit(path, text);
        self.proxy.forget();
        self.run("apply --repo . --yes").expect(0);
    }

    #[track_caller]
    fn run(&self, line: &str) -> Outcome {
        let words: Vec<String> = line.split_whitespace().map(|word| word.replace("STACK", &self.stack)).collect();
        self.skep.run(&words)
    }

    /// The paths of what was written for the user, services by their keys.
    fn writes(&self) -> Vec<String> {
        let web = self.lab.service(&self.full("web")).expect("web")["ID"].as_str().expect("an id").to_owned();
        self.proxy.object_writes().iter().map(|request| request.path.replace(&web, "web")).collect()
    }

    fn tasks(&self) -> BTreeSet<String> {
        let tasks = self.lab.running(&self.full("web"));
        tasks.iter().map(|task| task["ID"].as_str().expect("an id").to_owned()).collect()
    }

    /// Every object of the stack but its networks, which carry no version.
    fn everything(&self) -> Vec<Value> {
        ["services", "configs", "secrets"].iter().flat_map(|kind| self.list(kind)).collect()
    }

    fn list(&self, kind: &str) -> Vec<Value> {
        let filters = serde_json::json!({ "label": [format!("com.docker.stack.namespace={}", self.stack)] });
        array(self.lab.api(1, &format!("/{kind}?filters={}", escaped(&filters))))
    }

    fn names(&self, kind: &str) -> Vec<String> {
        self.list(kind).iter().map(|object| object["Spec"]["Name"].as_str().expect("a name").to_owned()).collect()
    }

    /// The name of the config or secret that the service has at a path.
    fn name_of(&self, kind: &str, path: &str) -> String {
        let service = self.lab.service(&self.full("web")).expect("web");
        let (list, field) = if kind == "configs" { ("Configs", "ConfigName") } else { ("Secrets", "SecretName") };
        let references = service["Spec"]["TaskTemplate"]["ContainerSpec"][list].as_array().expect("references").clone();
        let found = references.iter().find(|reference| reference["File"]["Name"] == path).expect("the path");
        found[field].as_str().expect("a name").to_owned()
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.proxy.disarm();
            self.run("delete STACK --yes").expect(0);
        }
    }
}

fn is_versioned(name: &str, plain: &str) -> bool {
    name.strip_prefix(plain).and_then(|rest| rest.strip_prefix('-')).is_some_and(|digits| digits.len() == 12)
}

/// The codes of what a plan tells, but for what no registry says: there is none here.
fn codes(planned: &Outcome) -> Vec<String> {
    let plan = planned.json();
    let diagnostics = plan["stacks"][0]["diagnostics"].as_array().expect("diagnostics").clone();
    let codes = diagnostics.iter().map(|diagnostic| diagnostic["code"].as_str().expect("a code").to_owned());
    codes.filter(|code| code != "plan/image-kept").collect()
}
