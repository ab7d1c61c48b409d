//! Stacks made by chance, on a real engine: after each is applied its plan is empty, and planning only reads.

use std::fmt::Write as _;

use crate::lab::Lab;
use crate::proxy::Proxy;
use crate::runner::Skep;

/// How many stacks there are on each engine.
const STACKS: u64 = 12;

/// What a service may say of itself.
const OWN: &[&str] = &[
    "command: [ sleep, '9' ]",
    "entrypoint: [ /bin/sh, -c ]",
    "environment: { B: '2', A: '1', C: }",
    "labels: { a: b }",
    "cap_add: [ net_admin ]",
    "configs: [ one, { source: two, target: /two, mode: 0400 } ]",
    "secrets: [ key, { source: key, target: other } ]",
    "dns: []",
    "dns_search: [ b.example.org, a.example.org ]",
    "healthcheck: { test: 'true', interval: 10s }",
    "healthcheck: { disable: true }",
    "extra_hosts: [ 'b:10.0.0.2', 'a:10.0.0.1' ]",
    "init: false",
    "logging: {}",
    "volumes: [ 'data:/b', '/a', { type: tmpfs, target: /t, tmpfs: { size: 4096 } } ]",
    "networks: [ back, default ]",
    "networks: { back: { aliases: [ z, a ] } }",
    "ports: [ { target: 81, published: 8081, mode: host, protocol: udp }, { target: 80, published: 8080, mode: host } ]",
    "ulimits: { nproc: 5, nofile: { soft: 1, hard: 2 } }",
    "restart: unless-stopped",
    "stop_grace_period: 0s",
    "sysctls: { net.core.somaxconn: 10 }",
    "user: '1'",
];
/// What it may say of its deployment.
const DEPLOY: &[&str] = &[
    "labels: { a: b }",
    "endpoint_mode: dnsrr",
    "update_config: {}",
    "update_config: { order: start-first, max_failure_ratio: 0.3 }",
    "rollback_config: { monitor: 0s }",
    "restart_policy: {}",
    "restart_policy: { condition: none, window: 1m }",
    "resources: {}",
    "resources: { limits: {}, reservations: { cpus: '0.1' } }",
    "resources: { limits: { memory: 64M, pids: 9 } }",
    "placement: { constraints: [ 'node.role == worker', 'node.labels.a != b' ] }",
    "placement: { preferences: [ { spread: node.labels.z } ], max_replicas_per_node: 1 }",
];

/// Numbers that the seed decides (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    /// Some of these, none of whose keys is there yet.
    fn some(&mut self, of: &[&'static str], said: &mut Vec<&'static str>) {
        let key = |it: &str| it.split(':').next().map(str::to_owned);
        for _ in 0..self.below(7) {
            let one = of[self.below(of.len())];
            if said.iter().all(|other| key(other) != key(one)) {
                said.push(one);
            }
        }
    }

    fn stack(&mut self) -> String {
        let mut file = "networks: { default: , back: { attachable: true } }\nvolumes: { data: }\n\
                        configs: { one: { content: one }, two: { content: two } }\nsecrets: { key: { file: key.txt } }\nservices:\n"
            .to_owned();
        for service in 0..=self.below(5) {
            let (mut own, mut deploy) =
                (vec!["image: 'app:1'"], vec![["replicas: 0", "mode: global"][self.below(8) / 7]]);
            self.some(OWN, &mut own);
            self.some(DEPLOY, &mut deploy);
            let _ = writeln!(file, "  s{service}: {{ {}, deploy: {{ {} }} }}", own.join(", "), deploy.join(", "));
        }
        file
    }
}

/// Applies every stack over the one before, and looks twice.
pub fn plan_after_apply(lab: &Lab) {
    let proxy = Proxy::start(&lab.socket(1));
    let skep = Skep::on(&proxy.docker_host());
    let write = |path: &str, text: &str| std::fs::write(skep.directory().join(path), text).expect("written");
    write("key.txt", "key");
    let mut chance = Chance(5);
    for number in 0..STACKS {
        let file = chance.stack();
        write("stack.yaml", &file);
        // Over and over the same names, so that most are updates.
        let stack = format!("chance-{}", number % 3);
        let run = |words: &[&str]| skep.run(&[words, &["-c", "stack.yaml", &stack, "--zero-downtime", "off"]].concat());
        let applied = run(&["apply", "-y", "--detach", "--prune"]);
        assert_eq!(applied.code(), Some(0), "{file}\n{}{}", applied.stdout, applied.stderr);
        proxy.forget();
        let planned = run(&["plan", "--detailed-exitcode"]);
        let is_empty = planned.code() == Some(0) && planned.stdout.contains("nothing to do");
        assert!(is_empty, "{file}\n{}{}", planned.stdout, planned.stderr);
        let asked = proxy.requests();
        assert!(asked.len() > 4 && asked.iter().all(|it| matches!(it.method.as_str(), "GET" | "HEAD")), "{asked:#?}");
    }
}
