//! What is measured of `skep run`: its leader dies in the middle of a rollout, and a bad version is committed.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::proxies::{QUICK, SERVICE};
use super::proxy::Proxy;
use super::report::Row;
use super::runner::{Process, Skep};
use super::scenarios::{Scenario, measure};
use super::stage::{App, SOON, Stage, Tool};
use super::wait::wait_until;

/// Writes are counted for so long after a bad version was rolled back.
const MINUTE: Duration = Duration::from_secs(60);

/// A repository of the one stack.
struct Repository(TempDir);

impl Repository {
    fn new() -> Repository {
        let repository = Repository(tempfile::tempdir().expect("a directory"));
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        let text = "version: 1\nstacks:\n  - name: app\n    files: [app.yaml]\n";
        std::fs::write(repository.0.path().join("skep.yaml"), text).expect("a file");
        repository
    }

    /// Commits the application's file, and gives the commit's id.
    fn commit(&self, app: &App) -> String {
        std::fs::write(self.0.path().join("app.yaml"), app.file(Tool::Skep)).expect("a file");
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "a version"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=bench", "-c", "user.email=bench@localhost"]).args(arguments);
        command.current_dir(self.0.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

/// An instance, which keeps its clone in a directory of its own.
struct Instance {
    process: Process,
    _state: TempDir,
}

impl Instance {
    fn start(docker_host: &str, repository: &Path) -> Instance {
        let state = tempfile::tempdir().expect("a directory");
        let config = format!(
            "version: 1\nstateDir: {}\nresync: 10s\nsources:\n  - url: {}\n",
            state.path().join("state").display(),
            repository.display()
        );
        let file = state.path().join("config.yaml");
        std::fs::write(&file, config).expect("a file");
        let heartbeat = state.path().join("heartbeat").display().to_string();
        let skep = Skep::on(docker_host).env("SKEP_HEARTBEAT", &heartbeat);
        let process = skep.spawn(&["run".as_ref(), "--config".as_ref(), file.as_os_str()]);
        Instance { process, _state: state }
    }

    fn leads(&mut self) {
        self.process.wait_log(SOON, "leading");
    }

    fn end(self) {
        assert!(self.process.terminate(SOON).status.success(), "an instance ends well");
    }
}

/// What `skep status` says of the stack.
fn status(stage: &Stage) -> Value {
    let outcome = Skep::on(&stage.lab.docker_host(1)).run(&["status", "-o", "json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let stacks = document["stacks"].as_array();
    stacks.and_then(|all| all.iter().find(|it| it["stack"] == "app")).cloned().unwrap_or_default()
}

fn synced(stage: &Stage, revision: &str) {
    wait_until(SOON, &format!("the stack is synced at {revision}"), || {
        let status = status(stage);
        status["sync"] == "Synced" && status["health"] == "Healthy" && status["revision"] == revision
    });
}

/// Waits until a new rollout of the service has begun.
fn begun(stage: &Stage, before: &Value) {
    wait_until(SOON, "the rollout begins", || {
        let now = stage.lab.service(SERVICE).unwrap_or_default();
        now["UpdateStatus"]["State"] == "updating"
            && now["UpdateStatus"]["StartedAt"] != before["UpdateStatus"]["StartedAt"]
    });
}

fn service(stage: &Stage) -> Value {
    stage.lab.service(SERVICE).expect("the service")
}

/// Removes the stack and what is remembered of it.
fn clear(stage: &Stage) {
    let _ = Skep::on(&stage.lab.docker_host(1)).run(&["delete", "app", "--yes"]);
    stage.clear();
}

/// SIGKILL for the leader in the middle of each rollout; the other instance, on another manager, takes over.
pub fn leader_killed(stage: &Stage, scenario: &Scenario, times: u64) -> Row {
    let repository = Repository::new();
    let app = App::default();
    let first = repository.commit(&app);
    let path = repository.0.path();
    let on = |number: u64| stage.lab.docker_host(if number.is_multiple_of(2) { 1 } else { 2 });
    let mut leader = Instance::start(&on(0), path);
    leader.leads();
    synced(stage, &first);
    stage.ready(&app, QUICK);
    let mut taken_over = Vec::new();
    let row = measure(stage, scenario, "`skep run`", QUICK, |row| {
        for version in 1..=times {
            let mut standby = Instance::start(&on(version), path);
            standby.process.wait_log(SOON, "this instance follows");
            let before = service(stage);
            let at = Instant::now();
            let revision = repository.commit(&App { version, ..app.clone() });
            begun(stage, &before);
            // Dropped, it is killed.
            let dying = std::mem::replace(&mut leader, standby);
            let _ = dying.process.kill();
            let killed = Instant::now();
            leader.leads();
            taken_over.push(killed.elapsed().as_secs());
            row.states.push(stage.rolled(&before));
            synced(stage, &revision);
            row.seconds.push(at.elapsed().as_secs_f64());
        }
    });
    leader.end();
    clear(stage);
    Row { note: format!("another led after {taken_over:?} s; each time the stack was synced at the new commit"), ..row }
}

/// A version that turns healthy and dies is committed; then, so many writes later, a good one.
pub fn dies(stage: &Stage, scenario: &Scenario, times: u64) -> Row {
    let repository = Repository::new();
    let app = App::default();
    let first = repository.commit(&app);
    let proxy = Proxy::start(&stage.lab.socket(1));
    let mut leader = Instance::start(&proxy.docker_host(), repository.0.path());
    leader.leads();
    synced(stage, &first);
    stage.ready(&app, QUICK);
    let service_writes = || {
        let writes = proxy.object_writes();
        writes.iter().filter(|request| request.path.starts_with("/services/")).count()
    };
    let (mut rollout, mut after, mut held) = (Vec::new(), Vec::new(), Vec::new());
    let row = measure(stage, scenario, "`skep run`", QUICK, |row| {
        for time in 1..=times {
            let before = service(stage);
            let at = Instant::now();
            proxy.forget();
            repository.commit(&App { version: 2 * time, dies_after: Some(3), ..app.clone() });
            begun(stage, &before);
            row.states.push(stage.rolled(&before));
            row.seconds.push(at.elapsed().as_secs_f64());
            rollout.push(service_writes());
            proxy.forget();
            std::thread::sleep(MINUTE);
            after.push(service_writes());
            let status = status(stage);
            held.push(format!("{} / {}", words(&status["sync"]), words(&status["health"])));
            let good = repository.commit(&App { version: 2 * time + 1, ..app.clone() });
            synced(stage, &good);
        }
    });
    leader.end();
    clear(stage);
    let note = format!(
        "writes to the service: {rollout:?} in each bad rollout, {after:?} in the minute after it; the status then: {}",
        held.join(", ")
    );
    Row { note, ..row }
}

fn words(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
