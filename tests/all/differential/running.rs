//! Where tasks run: neither of the two restarts what the other started.

use std::collections::BTreeSet;
use std::time::Duration;

use super::ground::Ground;
use crate::cases::{Case, HOME, Note};
use crate::lab::Lab;
use crate::reference;
use crate::wait::wait_until;

/// Services with what would restart them, were it sent otherwise: ports that tie, files, mounts, networks, checks.
const FILE: &str = "
services:
  plain: { image: 'idle:1', deploy: { replicas: 2 } }
  full:
    image: idle:1
    command: [ idle ]
    environment: { B: '2', A: '1', NAME: }
    labels: { b: '2', a: '1' }
    ports:
      - { target: 53, published: 20653, protocol: udp, mode: host }
      - { target: 53, published: 20653, protocol: tcp, mode: host }
    healthcheck: { test: [ CMD, 'true' ], interval: 1s }
    volumes: [ 'data:/data', '/anonymous', { type: tmpfs, target: /t } ]
    configs: [ two, { source: one, target: /etc/one, mode: 0440 } ]
    secrets: [ key ]
    networks: { default: , back: { aliases: [ x ] } }
    extra_hosts: [ 'b:10.9.9.9', 'a:10.9.9.8' ]
    dns: []
    logging: {}
    stop_grace_period: 1s
    deploy:
      update_config: { order: start-first }
      restart_policy: { condition: any }
      resources: { limits: {} }
  everywhere: { image: 'idle:1', deploy: { mode: global } }
networks: { back: { attachable: true } }
volumes: { data: { labels: { a: b } } }
configs: { one: { file: ./one.txt }, two: { file: ./one.txt } }
secrets: { key: { file: ./one.txt } }
";

#[test]
fn tasks_run_on_when_one_takes_over_from_the_other() {
    stay("this machine's engine", || Some(Lab::start(1)));
}

#[test]
fn tasks_run_on_on_the_next_engine_too() {
    stay("the next Debian's engine", super::second_lab);
}

fn stay(engine: &str, start: impl FnOnce() -> Option<Lab>) {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => {
            return reference::skip(&format!("whether tasks survive docker and skep taking turns on {engine}"), why);
        }
    };
    let Some(lab) = start() else { return };
    let ground = Ground::running(lab, client);
    ground.lab.image("idle:1", &[r#"CMD ["idle"]"#]);
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("compose.yaml"), FILE).expect("written");
    std::fs::write(dir.path().join("one.txt"), "one").expect("written");
    let case = |name: &str| Case {
        name: name.to_owned(),
        dir: dir.path().to_owned(),
        files: vec![dir.path().join("compose.yaml")],
        variables: vec![("HOME".to_owned(), HOME.to_owned())],
        note: Note::Equal,
        since: 0,
        golden: None,
    };
    let apply = |case: &Case| {
        ground.skep(case, &["apply", "--zero-downtime", "off", "--yes"]).expect(0);
    };
    for docker_first in [true, false] {
        let case = case(if docker_first { "adopted" } else { "handed" });
        if docker_first {
            ground.deploy(&case).expect("docker deploys");
        } else {
            apply(&case);
        }
        wait_until(Duration::from_secs(60), "four tasks run", || running(&ground, &case).len() == 4);
        let begun = running(&ground, &case);
        if docker_first {
            apply(&case);
            ground.deploy_again(&case).expect("docker deploys again");
        } else {
            ground.deploy_again(&case).expect("docker takes over");
            apply(&case);
        }
        assert_eq!(ground.current_tasks(&case.name), begun, "{} on {}", case.name, ground.engine());
        assert_eq!(running(&ground, &case), begun, "{} on {}", case.name, ground.engine());
        ground.clear(&case.name);
    }
}

/// The ids of the tasks that run.
fn running(ground: &Ground, case: &Case) -> BTreeSet<String> {
    let services = ["plain", "full", "everywhere"].map(|key| format!("{}_{key}", case.name));
    let tasks = services.iter().flat_map(|service| ground.lab.running(service));
    tasks.map(|task| task["ID"].as_str().expect("an id").to_owned()).collect()
}
