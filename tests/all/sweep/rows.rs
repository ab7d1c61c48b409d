//! What each flag changes: one service a row.

use super::STACK;
use super::shown::Expected;

/// The service that a flag is used on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// It says everything that a stack file can.
    Full,
    /// It says an image.
    Plain,
    /// It runs to its end.
    Job,
}

/// A flag in use, and what the plan has to name.
#[derive(Debug)]
pub struct Row {
    index: usize,
    on: On,
    /// Command lines; the last begins with the flag that the row is about.
    pub uses: Vec<&'static str>,
    /// What is named.
    pub changes: Vec<Expected>,
    /// The API version (1.N) from which engines store it.
    pub since: u32,
}

impl Row {
    /// The flag that the row is about.
    pub fn flag(&self) -> &'static str {
        self.uses.last().and_then(|uses| uses.split([' ', '=']).next()).expect("a flag")
    }

    /// The full name of its service.
    pub fn service(&self) -> String {
        format!("{STACK}_{}", self.key())
    }

    /// The key of its service.
    pub fn key(&self) -> String {
        format!("s{:03}{}", self.index, self.flag().replace('-', ""))
    }
}

/// Every row.
pub fn all() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in include_str!("flags.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("    ") {
            Some(change) => rows.last_mut().expect("a flag comes first").changes.push(expected(change)),
            None => rows.push(row(rows.len(), line)),
        }
    }
    rows
}

fn row(index: usize, line: &'static str) -> Row {
    let (service, uses) = line.split_once("  ").expect("a service and a command");
    let (on, since) = service.split_once(" since 1.").unwrap_or((service, "0"));
    let on = match on {
        "full" => On::Full,
        "plain" => On::Plain,
        "job" => On::Job,
        other => panic!("{other} is no service: {line}"),
    };
    let since = since.parse().expect("the minor number of an API version");
    Row { index, on, uses: uses.split(" ; ").collect(), changes: Vec::new(), since }
}

fn expected(line: &'static str) -> Expected {
    let (path, values) = line.split_once("  ").expect("a path and values");
    let (before, after) = values.split_once(" → ").expect("two values");
    Expected { path, before, after }
}

/// The stack file in which each row has its service. None has a task, and host ports exclude nobody.
pub fn file(rows: &[Row]) -> String {
    let definition = |on| match on {
        On::Full => "*full",
        On::Plain => "{ image: 'example.com/app:1', deploy: { replicas: 0 } }",
        On::Job => "{ image: 'example.com/app:1', deploy: { mode: replicated-job, replicas: 4 } }",
    };
    let services: String = rows.iter().map(|row| format!("  {}: {}\n", row.key(), definition(row.on))).collect();
    format!("{BASE}{services}")
}

const BASE: &str = "
x-full: &full
  image: example.com/app:1
  entrypoint: [ /bin/sh, -c ]
  command: [ sleep, '9' ]
  environment: { A: '1', B: '2', DB_PASSWORD: first-canary }
  labels: { c: '1' }
  cap_add: [ NET_ADMIN ]
  cap_drop: [ MKNOD ]
  configs: [ { source: one, target: /one } ]
  secrets: [ key ]
  dns: [ 10.9.9.9 ]
  dns_search: [ example.org ]
  dns_opt: [ 'ndots:1' ]
  group_add: [ '7' ]
  healthcheck: { test: 'true', interval: 10s, timeout: 2s, retries: 2, start_period: 3s }
  extra_hosts: [ 'db:10.9.9.8' ]
  hostname: full
  init: true
  logging: { driver: json-file, options: { max-size: 1m } }
  volumes: [ 'data:/data' ]
  networks: [ default, back ]
  ports: [ { target: 80, published: 8080, mode: host } ]
  read_only: true
  stop_grace_period: 5s
  stop_signal: SIGINT
  sysctls: { net.core.somaxconn: '1024' }
  tty: true
  ulimits: { nofile: { soft: 10, hard: 20 } }
  user: '1:2'
  working_dir: /w
  deploy:
    replicas: 0
    labels: { l: '1' }
    endpoint_mode: vip
    placement:
      constraints: [ 'node.role==manager' ]
      preferences: [ { spread: node.labels.zone } ]
      max_replicas_per_node: 2
    resources:
      limits: { cpus: '0.5', memory: 64M, pids: 9 }
      reservations:
        cpus: '0.25'
        memory: 32M
        generic_resources: [ { discrete_resource_spec: { kind: gpu, value: 1 } } ]
    restart_policy: { condition: on-failure, delay: 5s, max_attempts: 3, window: 2m }
    update_config: { parallelism: 2, delay: 1s, failure_action: rollback, monitor: 8s, max_failure_ratio: 0.1, order: start-first }
    rollback_config: { parallelism: 2, delay: 1s, failure_action: pause, monitor: 8s, max_failure_ratio: 0.1, order: stop-first }
volumes: { data: }
networks: { default: , back: , other: }
configs: { one: { file: one.txt }, two: { file: one.txt } }
secrets: { key: { file: one.txt }, other: { file: one.txt } }
services:
  aside: { image: 'example.com/app:1', networks: [ other ], deploy: { replicas: 0 } }
";
