//! The command line, as a person or a script meets it: exit codes, words, JSON, and what reaches the engine.

mod apply;
mod audit;
mod confidential;
mod connections;
mod credentials;
mod drift;
mod import;
mod modern;
mod offline;
mod plan;
mod policy;
mod records;
mod repository;
mod saved;
pub mod schemas;
mod terminal;
mod verdicts;

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::lab::{Lab, unique};
use crate::proxy::Proxy;
use crate::runner::{Outcome, Process, Skep};
use crate::wait::{holds_within, wait_until};

/// How long nodes may take to let go of a network.
const NETWORKS: Duration = Duration::from_secs(60);

/// A swarm of one node in which no controller runs: beside one, `skep apply` of a repository rightly refuses.
pub fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::start(1);
        lab.app("cli-app:1", "one", &[]);
        lab.app("cli-app:2", "two", &[]);
        lab.image("cli-crash:1", &[r#"CMD ["sh", "-c", "exit 3"]"#]);
        lab
    })
}

/// `skep` in front of that swarm, with a proxy between that counts, and a stack of its own.
pub struct Scene {
    pub proxy: Proxy,
    pub skep: Skep,
    pub stack: String,
}

impl Scene {
    pub fn new(prefix: &str) -> Scene {
        let proxy = Proxy::start(&lab().socket(1));
        let skep = Skep::on(&proxy.docker_host());
        Scene { proxy, skep, stack: unique(prefix) }
    }

    /// Writes a file below the current directory of `skep`.
    pub fn write(&self, path: &str, text: &str) {
        write(self.skep.directory(), path, text);
    }

    /// Runs a command line; `STACK` in it is this scene's stack.
    #[track_caller]
    pub fn run(&self, line: &str) -> Outcome {
        self.skep.run(&self.words(line))
    }

    /// Starts one.
    #[track_caller]
    pub fn spawn(&self, line: &str) -> Process {
        self.skep.spawn(&self.words(line))
    }

    /// The full name of an object of the stack.
    pub fn full(&self, name: &str) -> String {
        format!("{}_{name}", self.stack)
    }

    /// The ids of the tasks that run.
    pub fn tasks(&self, service: &str) -> Vec<String> {
        let tasks = lab().running(&self.full(service));
        let mut ids: Vec<String> = tasks.iter().map(|task| task["ID"].as_str().expect("an id").to_owned()).collect();
        ids.sort();
        ids
    }

    /// Waits until no network of the stack is left: nodes let go of them late.
    #[track_caller]
    pub fn wait_networks_gone(&self) {
        wait_until(NETWORKS, "the stack's networks are gone", || !self.has_networks());
    }

    /// Leaves the shared swarm as it was, as far as its engine lets go of networks: one whose task was deleted while it started
    /// may keep its network for good, which harms no other test.
    fn let_networks_go(&self) {
        if !holds_within(NETWORKS, || !self.has_networks()) {
            println!("the engine keeps a network of {}", self.stack);
        }
    }

    fn has_networks(&self) -> bool {
        let label = format!("label=com.docker.stack.namespace={}", self.stack);
        !lab().docker(1, &["network", "ls", "-q", "--filter", &label]).is_empty()
    }

    fn words(&self, line: &str) -> Vec<String> {
        line.split_whitespace().map(|word| word.replace("STACK", &self.stack)).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.proxy.disarm();
            // Its record, if it has one.
            let _ = self.run("delete STACK --yes");
            // What was just deleted is listed for a moment longer, so this may find nothing to remove.
            let _ = lab().try_docker(1, &["stack", "rm", &self.stack]);
            self.let_networks_go();
        }
    }
}

/// Writes a file, and the directories above it.
pub fn write(directory: &Path, path: &str, text: &str) {
    let file = directory.join(path);
    std::fs::create_dir_all(file.parent().expect("a directory")).expect("made");
    std::fs::write(file, text).expect("written");
}

/// A stack file with one service whose rollouts are watched for a moment only.
pub fn web(image: &str, replicas: u64) -> String {
    format!(
        "services:\n  web:\n    image: {image}\n    deploy:\n      replicas: {replicas}\n      \
         update_config: {{ order: start-first, monitor: 2s, failure_action: rollback }}\n"
    )
}

/// The lines of `apply -o json`.
pub fn events(outcome: &Outcome) -> Vec<serde_json::Value> {
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// Demands that JSON is as its schema says.
#[track_caller]
pub fn conforms(name: skep::cli::schema::Name, value: &serde_json::Value) {
    let schema = serde_json::to_value(name.schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let faults: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{}: {faults:#?}\n{value:#}", name.as_str());
}
