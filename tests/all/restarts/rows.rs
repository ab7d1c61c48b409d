//! One change a service, and the effect that the engine's own rule gives it.

/// A service before and after a change.
#[derive(Debug)]
pub struct Row {
    /// What changes; the service's key too.
    pub key: &'static str,
    /// What the plan has to call it: `none` where there is nothing to write.
    pub effect: &'static str,
    /// What the service says before, of itself and under `deploy`.
    before: [&'static str; 2],
    /// What it says after.
    after: [&'static str; 2],
    /// What a hand writes in between: a path, and the value there as JSON.
    pub by_hand: Option<(&'static str, &'static str)>,
}

const fn row(key: &'static str, effect: &'static str, before: [&'static str; 2], after: [&'static str; 2]) -> Row {
    Row { key, effect, before, after, by_hand: None }
}

/// A service that a hand changes before git changes a label.
const fn by_hand(key: &'static str, effect: &'static str, path: &'static str, value: &'static str) -> Row {
    Row { by_hand: Some((path, value)), ..row(key, effect, ["", ""], ["", "labels: { a: b }"]) }
}

const A: &str = "environment: { A: '1' }";
const ONE: &str = "replicas: 1";
const TWO: &str = "replicas: 2";
const FIRST: &str = "placement: { constraints: [ 'node.hostname == n1' ] }";
const PORTS: [&str; 2] = [
    "networks: [ default ], ports: [ { target: 80, published: 20801, mode: host } ]",
    "placement: { constraints: [ 'node.hostname != n2' ] }",
];

/// Every row of the table, one service each.
pub const ROWS: &[Row] = &[
    row("same", "none", [A, ""], [A, ""]),
    row("label", "in-place", ["", ""], ["", "labels: { a: b }"]),
    row(
        "update-policy",
        "in-place",
        ["", "update_config: { parallelism: 1 }"],
        ["", "update_config: { parallelism: 0, delay: 1s }"],
    ),
    row("rollback-policy", "in-place", ["", ""], ["", "rollback_config: { parallelism: 2 }"]),
    row("more", "in-place", ["", ONE], ["", TWO]),
    row("fewer", "in-place", ["", TWO], ["", ONE]),
    row("none-left", "in-place", ["", TWO], ["", "replicas: 0"]),
    row("first-ones", "in-place", ["", "replicas: 0"], ["", TWO]),
    row("container-label", "rolling", ["", ""], ["labels: { a: b }", ""]),
    row("variable", "rolling", ["", TWO], [A, TWO]),
    row(
        "start-first",
        "rolling",
        ["", "update_config: { order: start-first, monitor: 100ms }"],
        [A, "update_config: { order: start-first, monitor: 100ms }"],
    ),
    row(
        "host-order",
        "rolling",
        ["extra_hosts: [ 'a:10.0.0.1', 'b:10.0.0.2' ]", ""],
        ["extra_hosts: [ 'b:10.0.0.2', 'a:10.0.0.1' ]", ""],
    ),
    row("command", "rolling", ["", ""], ["command: [ idle, again ]", ""]),
    row("image", "rolling", ["image: 'idle:1'", ""], ["image: 'idle:2'", ""]),
    row("grace", "rolling", ["", ""], ["stop_grace_period: 2s", ""]),
    row("init", "rolling", ["", ""], ["init: false", ""]),
    row("dns", "rolling", ["", ""], ["dns: []", ""]),
    row("logging", "rolling", ["", ""], ["logging: {}", ""]),
    row("healthcheck", "rolling", ["", ""], ["healthcheck: {}", ""]),
    row("limits", "rolling", ["", ""], ["", "resources: { limits: {} }"]),
    row("reservations", "rolling", ["", ""], ["", "resources: { reservations: { memory: 8M } }"]),
    row("restart-policy", "rolling", ["", ""], ["", "restart_policy: { condition: any }"]),
    row(
        "restart-delay",
        "rolling",
        ["", "restart_policy: { condition: any }"],
        ["", "restart_policy: { condition: any, delay: 5s }"],
    ),
    row(
        "attempts",
        "none",
        ["", "restart_policy: { condition: any }"],
        ["", "restart_policy: { condition: any, max_attempts: 0 }"],
    ),
    row("config-content", "rolling", ["configs: [ moving ]", ""], ["configs: [ moving ]", ""]),
    row("config-target", "rolling", ["configs: [ still ]", ""], ["configs: [ { source: still, target: /other } ]", ""]),
    row("config-mode", "rolling", ["configs: [ still ]", ""], ["configs: [ { source: still, mode: 0400 } ]", ""]),
    row("config-label", "none", ["configs: [ labelled ]", ""], ["configs: [ labelled ]", ""]),
    row("secret-content", "rolling", ["secrets: [ turning ]", ""], ["secrets: [ turning ]", ""]),
    row("alias", "rolling", ["networks: { default: }", ""], ["networks: { default: { aliases: [ other ] } }", ""]),
    row("network", "rolling", ["networks: [ default ]", ""], ["networks: [ default, back ]", ""]),
    row(
        "port",
        "rolling",
        ["networks: [ default ]", ""],
        ["networks: [ default ], ports: [ { target: 80, published: 20800, mode: host } ]", ""],
    ),
    row(
        "endpoint-mode",
        "rolling",
        ["networks: [ default ]", "endpoint_mode: vip"],
        ["networks: [ default ]", "endpoint_mode: dnsrr"],
    ),
    row("port-and-placement", "rolling", ["networks: [ default ]", FIRST], PORTS),
    row(
        "still-fits",
        "in-place",
        ["", TWO],
        ["", "replicas: 2, placement: { constraints: [ 'node.platform.os == linux' ] }"],
    ),
    row(
        "preference",
        "in-place",
        ["", TWO],
        ["", "replicas: 2, placement: { preferences: [ { spread: node.labels.zone } ] }"],
    ),
    row("max-per-node", "in-place", ["", TWO], ["", "replicas: 2, placement: { max_replicas_per_node: 1 }"]),
    row(
        "one-moves",
        "rolling",
        ["", "replicas: 2, placement: { max_replicas_per_node: 1 }"],
        ["", "replicas: 2, placement: { constraints: [ 'node.hostname == n1' ] }"],
    ),
    row("all-move", "rolling", ["", FIRST], ["", "placement: { constraints: [ 'node.hostname == n2' ] }"]),
    row("wider", "in-place", ["", FIRST], ["", ""]),
    row(
        "moves-and-changes",
        "rolling",
        ["", "replicas: 2, placement: { max_replicas_per_node: 1 }"],
        [A, "replicas: 2, placement: { constraints: [ 'node.hostname == n1' ] }"],
    ),
    row("more-and-changes", "rolling", ["", ONE], [A, TWO]),
    row("fewer-and-changes", "rolling", ["", TWO], [A, ONE]),
    row("global", "rolling", ["", "mode: global"], [A, "mode: global"]),
    row(
        "global-shrinks",
        "in-place",
        ["", "mode: global"],
        ["", "mode: global, placement: { constraints: [ 'node.hostname == n1' ] }"],
    ),
    row(
        "global-grows",
        "in-place",
        ["", "mode: global, placement: { constraints: [ 'node.hostname == n1' ] }"],
        ["", "mode: global"],
    ),
    row(
        "global-shrinks-and-changes",
        "rolling",
        ["", "mode: global"],
        [A, "mode: global, placement: { constraints: [ 'node.hostname == n1' ] }"],
    ),
    row(
        "job-done",
        "job-run",
        ["command: [ 'true' ]", "mode: replicated-job"],
        ["command: [ 'true' ]", "mode: replicated-job, labels: { a: b }"],
    ),
    row("job-runs", "job-run", ["", "mode: replicated-job"], ["", "mode: replicated-job, labels: { a: b }"]),
    row(
        "job-same",
        "none",
        ["command: [ 'true' ]", "mode: replicated-job"],
        ["command: [ 'true' ]", "mode: replicated-job"],
    ),
    // What the write for git's sake brings back costs too. A stack file always makes these messages, so only the API takes them
    // away. Two are not tried: without its `EndpointSpec` a service goes on giving tasks the one it had, and to take `Placement`
    // from a service with tasks kills the engine that leads (20.10 and 26.1, in the orchestrator's `nodeMatches`).
    by_hand("resources-absent", "rolling", "/TaskTemplate/Resources", "null"),
    by_hand("privileges-absent", "rolling", "/TaskTemplate/ContainerSpec/Privileges", "null"),
    by_hand("variable-by-hand", "rolling", "/TaskTemplate/ContainerSpec/Env", "[\"A=2\"]"),
    by_hand("label-by-hand", "in-place", "/Labels/b", "\"c\""),
    by_hand("forced", "in-place", "/TaskTemplate/ForceUpdate", "7"),
];

impl Row {
    /// How many tasks it has that run or, of a job, have run.
    pub fn tasks(&self, is_after: bool, nodes: usize) -> usize {
        let [_, deploy] = if is_after { self.after } else { self.before };
        if deploy.contains("mode: global") {
            return if deploy.contains("== n1") { 1 } else { nodes };
        }
        let replicas = deploy.split_once("replicas: ").and_then(|(_, rest)| rest.split([',', ' ']).next());
        replicas.map_or(1, |replicas| replicas.parse().expect("a number"))
    }
}

/// The stack before or after.
pub fn file(is_after: bool) -> String {
    let services: String = ROWS.iter().map(|row| service(row, is_after)).collect();
    let label = if is_after { "{ a: b }" } else { "{ }" };
    format!(
        "networks: {{ default: , back: , outside: {{ external: true, name: host }} }}\n\
         configs: {{ still: {{ file: still.txt }}, moving: {{ file: moving.txt }}, labelled: {{ file: still.txt, labels: {label} }} }}\n\
         secrets: {{ turning: {{ file: moving.txt }} }}\nservices:\n{services}"
    )
}

/// A service: what it says, and for the rest what is quick: the host's network, a short monitor, all tasks at once.
fn service(row: &Row, is_after: bool) -> String {
    let [own, deploy] = if is_after { row.after } else { row.before };
    let fill = |said: &str, defaults: &[&str]| {
        let silent = |it: &&&str| !said.contains(&it[..=it.find(':').expect("a key")]);
        let parts = defaults.iter().filter(silent).copied().chain((!said.is_empty()).then_some(said));
        parts.collect::<Vec<_>>().join(", ")
    };
    let own = fill(own, &["image: 'idle:1'", "command: [ idle ]", "networks: [ outside ]", "stop_grace_period: 1s"]);
    // A job has no update policy.
    let policy: &[&str] =
        if deploy.contains("job") { &[] } else { &["update_config: { parallelism: 0, monitor: 100ms }"] };
    let deploy = fill(deploy, policy);
    format!("  {}: {{ {own}, deploy: {{ {deploy} }} }}\n", row.key)
}
