//! skep as a global service on three managers, as the example deploys it: any of them can die.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::repository::Repository;
use super::scene::is_synced;
use crate::lab::Lab;
use crate::runner::Skep;
use crate::wait::{wait_for, wait_until};

/// Raft may be without a leader for a while in between; the aim is 35 s.
const TAKEN_OVER: Duration = Duration::from_secs(120);

#[test]
fn another_instance_takes_over_when_the_leader_ends_or_dies() {
    let lab = Lab::start(3);
    lab.image("app:1", &[r#"CMD ["idle"]"#]);
    lab.skep_image("skep-here:1");
    let repository = Repository::new();
    repository.declare(&["shop"], "");
    repository.stack("shop", &[("web", "one")]);
    let revision = repository.commit();
    let directory = tempfile::tempdir().expect("a directory");
    let file = stack_file(directory.path(), &repository.path());
    let swarm = Swarm { lab: &lab };
    swarm.skep().run(&["apply", "-c", &file, "skep", "--yes", "--detach"]).expect(0);
    swarm.synced(&revision);
    let waiting = "three instances run";
    wait_until(Duration::from_secs(60), waiting, || lab.running("skep_skep").len() == 3);

    // An instance that is told to end gives the lease up.
    let first = swarm.leader();
    let begun = Instant::now();
    swarm.container(&first, &["stop"]);
    let second = swarm.other_leader(&first);
    println!("released: taken over after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(25), "at once, not when it has run out");
    repository.stack("shop", &[("web", "two")]);
    let revision = repository.commit();
    swarm.synced(&revision);
    swarm.applied_once(&revision);

    // One that is killed cannot.
    let begun = Instant::now();
    swarm.container(&second, &["kill"]);
    let third = swarm.other_leader(&second);
    println!("killed: taken over after {:?} (aim: 35 s)", begun.elapsed());
    repository.stack("shop", &[("web", "three"), ("back", "three")]);
    let revision = repository.commit();
    swarm.synced(&revision);
    swarm.applied_once(&revision);

    // One whose engine dies runs on, and may not write.
    let node = swarm.node_of(&third);
    let begun = Instant::now();
    lab.kill(node);
    let swarm = Swarm { lab: &lab };
    let fourth = swarm.other_leader(&third);
    println!("engine killed: taken over after {:?} (Raft's own pause included)", begun.elapsed());
    assert_ne!(swarm.node_of(&fourth), node);
    repository.stack("shop", &[("web", "four")]);
    swarm.synced(&repository.commit());
    let services = swarm.api("/services");
    let mut names: Vec<_> = services.as_array().expect("a list").iter().map(|it| it["Spec"]["Name"].clone()).collect();
    names.sort_by_key(Value::to_string);
    assert_eq!(names, ["shop_web", "skep_skep"], "nothing twice, and what left git is gone");
    let configs = swarm.api("/configs");
    let kinds: Vec<_> =
        configs.as_array().expect("a list").iter().map(|it| &it["Spec"]["Labels"]["skep.kind"]).collect();
    for kind in ["record", "rendering", "lease"] {
        assert_eq!(kinds.iter().filter(|it| **it == kind).count(), 1, "{kind}: {kinds:?}");
    }
    lab.restart(node);
}

/// The example's stack file for this test: another image, no token, and the repository in place of a server.
fn stack_file(directory: &Path, repository: &Path) -> String {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let example = std::fs::read_to_string(examples.join("skep-stack.yaml")).expect("the example");
    let (before, rest) = example.split_once("    secrets:\n").expect("a service with secrets");
    let (_, rest) = rest.split_once("\n\n").expect("their end");
    let (rest, _) = rest.split_once("\nsecrets:\n").expect("the secrets themselves");
    let volume = "      - /var/run/docker.sock:/var/run/docker.sock\n";
    let text = format!("{before}\n{rest}")
        .replace("image: skep:0.1.0", "image: skep-here:1")
        .replace(volume, &format!("{volume}      - {}:/fleet:ro\n", repository.display()))
        .replace("interval: 10s", "interval: 1s");
    let file = directory.join("skep-stack.yaml");
    std::fs::write(&file, text).expect("a file");
    std::fs::write(directory.join("skep-config.yaml"), "version: 1\nsources: [ { url: /fleet } ]\nresync: 10s\n")
        .expect("a file");
    file.display().to_string()
}

struct Swarm<'a> {
    lab: &'a Lab,
}

impl Swarm<'_> {
    /// A node whose engine answers for the swarm.
    fn node(&self) -> usize {
        let answers = |node: &usize| self.lab.try_docker(*node, &["node", "ls", "-q"]).status.success();
        wait_for(TAKEN_OVER, "an engine answers for the swarm", || self.lab.nodes().find(answers))
    }

    fn skep(&self) -> Skep {
        Skep::on(&self.lab.docker_host(self.node()))
    }

    fn api(&self, path: &str) -> Value {
        self.lab.api(self.node(), path)
    }

    fn status(&self) -> Option<Value> {
        let outcome = self.skep().run(&["status", "-o", "json"]);
        (outcome.code() == Some(0)).then(|| outcome.json())
    }

    #[track_caller]
    fn synced(&self, revision: &str) {
        wait_until(TAKEN_OVER, &format!("shop is synced at {revision}"), || {
            self.status().is_some_and(|status| {
                let stacks = status["stacks"].as_array().expect("stacks");
                stacks.iter().any(|it| it["stack"] == "shop" && is_synced(it, revision))
            })
        });
    }

    /// Demands that of all instances one applied a revision, once.
    #[track_caller]
    fn applied_once(&self, revision: &str) {
        let output = self.lab.try_docker(self.node(), &["service", "logs", "--raw", "skep_skep"]);
        let log = [output.stdout, output.stderr].concat();
        let log = String::from_utf8_lossy(&log);
        let applied: Vec<&str> =
            log.lines().filter(|line| line.contains(": applying") && line.contains(revision)).collect();
        assert_eq!(applied.len(), 1, "{applied:#?}");
    }

    /// The leader, by the name of its container.
    fn leader(&self) -> String {
        wait_for(TAKEN_OVER, "somebody leads", || Some(self.status()?["leader"].as_str()?.to_owned()))
    }

    fn other_leader(&self, than: &str) -> String {
        wait_for(TAKEN_OVER, &format!("another than {than} leads"), || {
            self.status()?["leader"].as_str().filter(|leader| *leader != than).map(str::to_owned)
        })
    }

    fn node_of(&self, leader: &str) -> usize {
        let id = container_of(leader);
        let has = |node: &usize| self.lab.try_docker(*node, &["container", "inspect", id]).status.success();
        self.lab.nodes().find(has).expect("its container is somewhere")
    }

    /// Runs `docker stop` or `kill` on the leader's container.
    fn container(&self, leader: &str, verb: &[&str]) {
        let mut arguments = verb.to_vec();
        arguments.push(container_of(leader));
        self.lab.docker(self.node_of(leader), &arguments);
    }
}

/// An instance calls itself by its host name, which docker makes the container's id, and its process id.
fn container_of(leader: &str) -> &str {
    leader.split('/').next().unwrap_or(leader)
}
