//! Each code: what brings it on, what does not, and that a file may accept it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::compose::{Input, Mode};
use crate::diag::Severity;
use crate::model::StackName;
use crate::model::{Entry, FileError, Files};
use crate::swarm::{Config, ConfigSpec, Live, Node};

const CHECK: &str = "healthcheck: { test: [CMD, healthy], interval: 5s, timeout: 3s, retries: 3 }";
const TRAEFIK: &str = "traefik: { image: \"traefik:v3\", command: [--providers.swarm.refreshSeconds=1] }";

/// A stack file with the service `web`, from the lines of it that are not its image, and others beside it.
fn file(web: &str, others: &str) -> String {
    let lines = |text: &str, indent: &str| text.lines().map(|line| format!("{indent}{line}\n")).collect::<String>();
    let image = if web.starts_with("image:") { "" } else { "    image: app:1\n" };
    let volumes = if web.contains("data:") { "volumes: { data: {} }\n" } else { "" };
    format!("services:\n  web:\n{image}{}{}{volumes}", lines(web, "    "), lines(others, "  "))
}

/// One file and no other.
struct One<'a>(&'a str);

impl Files for One<'_> {
    fn locate(&self, _: &str, path: &str) -> Result<String, FileError> {
        Ok(path.to_owned())
    }

    fn read(&self, _: &str) -> Result<Vec<u8>, FileError> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
        Ok(Vec::new())
    }
}

fn lowered(text: &str) -> Desired {
    let files = One(text);
    let paths = ["c.yaml".to_owned()];
    let variables = Default::default();
    let loaded =
        crate::compose::load(&Input { stack: Some("shop"), ..Input::new(&files, &paths, &variables, Mode::Direct) });
    let compose = loaded.compose.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.diagnostics));
    let (desired, faults) = crate::desired::lower(&compose, &StackName::parse("shop").expect("valid"));
    assert!(!crate::diag::has_errors(&faults), "{text}\n{faults:?}");
    desired
}

fn codes(text: &str, filled: Filled) -> Vec<&'static str> {
    let desired = lowered(text);
    let world = World::default().and_files(&desired);
    of_files(&desired, filled, &world).iter().map(|diagnostic| diagnostic.code).collect()
}

/// What one service that runs is told.
fn live(spec: Value, world: &World) -> Vec<Finding> {
    let service = Service { spec: serde_json::from_value(spec).expect("a spec"), ..Service::default() };
    lint(&Subject::live(&service, None), world)
}

/// For a code: a service that brings it on, whether skep fills in, and the change that mends it.
struct Row {
    code: &'static str,
    filled: Filled,
    web: String,
    mended: String,
    others: &'static str,
}

fn row(code: &'static str, filled: Filled, web: &str, mended: &str) -> Row {
    Row { code, filled, web: web.to_owned(), mended: mended.to_owned(), others: "" }
}

fn rows() -> Vec<Row> {
    let port = "ports: [\"80:80\"]";
    let served = |deploy: &str| format!("{port}\n{CHECK}\ndeploy: {{ {deploy} }}");
    let policy = |policy: &str| served(&format!("replicas: 3, update_config: {{ {policy} }}"));
    let routed = |rest: &str| format!("{CHECK}\ndeploy: {{ labels: {{ traefik.enable: \"true\"{rest} }} }}");
    let single = |order: &str| format!("volumes: [data:/data]\ndeploy: {{ update_config: {{ order: {order} }} }}");
    let host = |mode: &str| {
        format!(
            "{CHECK}\nports: [{{ target: 80, published: 80, mode: {mode} }}]\ndeploy: {{ update_config: {{ order: start-first }} }}"
        )
    };
    let database = |order: &str| format!("image: postgres:16\ndeploy: {{ update_config: {{ order: {order} }} }}");
    vec![
        row(code::ONE_REPLICA_STOP_FIRST, Filled::Auto, port, &format!("{port}\n{CHECK}")),
        row(code::ONE_REPLICA_STOP_FIRST, Filled::Auto, &served("update_config: { order: stop-first }"), &served("")),
        row(
            code::ONE_REPLICA_STOP_FIRST,
            Filled::Off,
            &served("update_config: { failure_action: rollback, monitor: 30s }"),
            &served(
                "update_config: { order: start-first, failure_action: rollback, monitor: 30s }, rollback_config: { order: start-first }",
            ),
        ),
        row(code::NO_HEALTHCHECK, Filled::Auto, &format!("{port}\ndeploy: {{ replicas: 3 }}"), &served("replicas: 3")),
        row(
            code::ALL_AT_ONCE,
            Filled::Auto,
            &policy("order: stop-first, parallelism: 0"),
            &policy("order: stop-first, parallelism: 1"),
        ),
        row(code::DELAY_BELOW_MONITOR, Filled::Auto, &policy("delay: 2s"), &policy("delay: 30s")),
        row(
            code::DELAY_BELOW_MONITOR,
            Filled::Off,
            &served(
                "replicas: 3, update_config: { order: start-first, failure_action: rollback, monitor: 26s }, rollback_config: { order: start-first }",
            ),
            &served(
                "replicas: 3, update_config: { order: start-first, failure_action: rollback, monitor: 26s, delay: 26s }, rollback_config: { order: start-first }",
            ),
        ),
        row(code::MONITOR_TOO_SHORT, Filled::Auto, &policy("monitor: 10s"), &policy("monitor: 24s")),
        row(
            code::FAILURE_NOT_ROLLBACK,
            Filled::Auto,
            &policy("failure_action: pause"),
            &policy("failure_action: rollback"),
        ),
        row(code::FAILURE_NOT_ROLLBACK, Filled::Auto, &policy("failure_action: continue"), &policy("")),
        row(
            code::ROLLBACK_STOP_FIRST,
            Filled::Auto,
            &served("update_config: { order: start-first }, rollback_config: { order: stop-first }"),
            &served("update_config: { order: start-first }, rollback_config: { parallelism: 0 }"),
        ),
        row(code::NO_GRACE, Filled::Auto, &format!("{port}\n{CHECK}\nstop_grace_period: 1s"), &served("")),
        row(code::ABRUPT_EXIT, Filled::Auto, &format!("{port}\n{CHECK}\nstop_signal: SIGKILL"), &served("")),
        row(code::RUNS_TWICE, Filled::Auto, &single("start-first"), &single("stop-first")),
        row(code::RUNS_TWICE, Filled::Auto, &database("start-first"), &database("stop-first")),
        row(code::START_FIRST_STUCK, Filled::Auto, &host("host"), &host("ingress")),
        row(code::PROXY_REFRESH, Filled::Auto, &routed(""), &routed(", traefik.swarm.lbswarm: \"true\"")),
        row(
            code::PROXY_REFRESH,
            Filled::Auto,
            &routed(""),
            &format!("{}\nstop_signal: SIGCONT\nstop_grace_period: 18s", routed("")),
        ),
        Row { others: TRAEFIK, ..row(code::PROXY_REFRESH, Filled::Off, "", &routed("")) },
    ]
}

#[test]
fn each_code_is_told_of_what_brings_it_on_and_of_nothing_else() {
    for Row { code, filled, web, mended, others } in rows() {
        if others.is_empty() {
            assert!(codes(&file(&web, others), filled).contains(&code), "{code}\n{web}");
        }
        let told = codes(&file(&mended, others), filled);
        assert!(!told.contains(&code), "{code} of\n{mended}\n{told:?}");
        let accepts = |web: &str| format!("{web}\nx-skep: {{ accept: [{code}] }}");
        assert!(!codes(&file(&accepts(&web), others), filled).contains(&code), "{code} is accepted");
    }
}

#[test]
fn what_is_well_is_told_nothing() {
    let good = format!("ports: [\"80:80\"]\n{CHECK}\ndeploy: {{ replicas: 3 }}");
    assert_eq!(codes(&file(&good, ""), Filled::Auto), [""; 0]);
    // Nobody asks a worker for anything, a job ends by itself, and what has no tasks loses none.
    for quiet in [
        "",
        "deploy: { replicas: 3 }",
        "deploy: { mode: replicated-job }",
        "ports: [\"80:80\"]\ndeploy: { replicas: 0 }",
    ] {
        assert_eq!(codes(&file(quiet, ""), Filled::Off), [""; 0], "{quiet}");
    }
}

#[test]
fn what_skep_fills_in_is_not_asked_for() {
    let silent = format!("ports: [\"80:80\"]\n{CHECK}\ndeploy: {{ replicas: 3 }}");
    assert_eq!(codes(&file(&silent, ""), Filled::Auto), [""; 0]);
    assert_eq!(
        codes(&file(&silent, ""), Filled::Off),
        [code::DELAY_BELOW_MONITOR],
        "one thing of a policy that nobody wrote"
    );
}

#[test]
fn the_same_is_said_once_of_all_services_and_an_accepted_one_is_left_out() {
    let routed = |name: &str, rest: &str| {
        format!("{name}:\n  image: app:1\n  {CHECK}\n  deploy: {{ labels: {{ traefik.enable: \"true\" }} }}\n{rest}")
    };
    let accepts = "  x-skep: { accept: zero-downtime/proxy-refresh }\n";
    let text = file("", &format!("{}{}{}", routed("a", ""), routed("b", accepts), routed("c", "")));
    let desired = lowered(&text);
    let told = of_files(&desired, Filled::Auto, &World::default().and_files(&desired));
    let [one] = told.as_slice() else { panic!("{told:?}") };
    assert!(one.message.starts_with("a, c: Traefik learns of tasks every 15s"), "{one:?}");
    assert!(one.span.is_some() && one.hints.len() == 2, "{one:?}");
}

#[test]
fn what_nobody_can_mend_is_no_fault_of_a_file_and_counts_where_it_runs() {
    let text = file("ports: [\"5432:5432\"]\nvolumes: [data:/var/lib/data]", "");
    assert_eq!(codes(&text, Filled::Auto), [""; 0]);
    let desired = lowered(&text);
    let spec = serde_json::to_value(&desired.services["shop_web"].spec).expect("JSON");
    let found = live(spec, &World::default());
    let one = found.iter().find(|finding| finding.code == code::ONE_REPLICA_STOP_FIRST).expect("told");
    assert_eq!(one.severity, Severity::Note);
}

/// A swarm with a config, a service whose name means its tasks and one whose name does not, and a proxy that reads the config.
fn proxied(image: &str, text: &str) -> Vec<&'static str> {
    use base64::Engine as _;
    let service = |name: &str, mode: &str| {
        let spec = json!({
            "Name": format!("shop_{name}"), "Labels": { "com.docker.stack.namespace": "shop" },
            "TaskTemplate": { "ContainerSpec": { "Image": "app:1" }, "Networks": [{ "Target": "n", "Aliases": [name] }] },
            "EndpointSpec": { "Mode": mode },
        });
        Arc::new(Service { spec: serde_json::from_value(spec).expect("a spec"), ..Service::default() })
    };
    let proxy = json!({
        "Name": "shop_proxy", "Labels": { "com.docker.stack.namespace": "shop" },
        "TaskTemplate": { "ContainerSpec": { "Image": image, "Configs": [{ "ConfigName": "c" }] } },
    });
    let spec = ConfigSpec {
        name: "c".into(),
        data: base64::engine::general_purpose::STANDARD.encode(text),
        ..ConfigSpec::default()
    };
    let proxy_service = Service { spec: serde_json::from_value(proxy.clone()).expect("a spec"), ..Service::default() };
    let live_swarm = Live {
        services: vec![service("api", "dnsrr"), service("web", "vip"), Arc::new(proxy_service)],
        configs: vec![Arc::new(Config { spec, ..Config::default() })],
        ..Live::default()
    };
    live(proxy, &World::of_live(&live_swarm)).iter().map(|finding| finding.code).collect()
}

#[test]
fn a_name_that_is_looked_up_once_matters_where_it_means_tasks() {
    for (text, is_told) in [
        ("location / { proxy_pass http://api:80; }", true),
        ("location / { proxy_pass http://shop_api:80; }", true),
        ("location / { proxy_pass http://tasks.web:80; }", true),
        ("location / { proxy_pass http://web:80; }", false),
        ("location / { proxy_pass http://example.org; }", false),
        ("resolver 127.0.0.11 valid=1s; location / { set $a http://api:80; proxy_pass $a; }", false),
    ] {
        assert_eq!(proxied("nginx:1", text).contains(&code::DNS_ONCE), is_told, "{text}");
        assert_eq!(proxied("busybox:1", text), [""; 0], "no proxy");
    }
}

#[test]
fn whoever_sends_no_failed_request_elsewhere_is_told_so() {
    let servers = "backend b\n server-template s 3 tasks.web:80 resolvers d check\n";
    assert_eq!(proxied("haproxy:2.6", servers), [code::NO_RETRY]);
    assert_eq!(proxied("haproxy:2.6", &format!("defaults\n option redispatch 1\n{servers}")), [""; 0]);
}

#[test]
fn full_nodes_have_no_room_for_one_more() {
    let spec = |replicas: u64| {
        json!({
            "Name": "web", "Mode": { "Replicated": { "Replicas": replicas } },
            "TaskTemplate": { "ContainerSpec": { "Image": "app:1" }, "Placement": { "MaxReplicas": 1 } },
            "UpdateConfig": { "Order": "start-first", "Parallelism": 1, "FailureAction": "rollback", "Delay": 5_000_000_000_u64 },
            "RollbackConfig": { "Order": "start-first" },
        })
    };
    let mut node = Node::default();
    node.status.state = "ready".into();
    node.spec.availability = "active".into();
    let live_swarm = Live { nodes: vec![Arc::new(node.clone()), Arc::new(node)], ..Live::default() };
    let world = World::of_live(&live_swarm);
    let told = |replicas| live(spec(replicas), &world).iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert_eq!(told(2), [code::START_FIRST_STUCK]);
    assert_eq!(told(1), [""; 0]);
}

#[test]
fn the_numbers_of_a_computed_policy() {
    let check = |interval: i64, timeout: i64| Check {
        interval: std::time::Duration::from_secs(interval as u64),
        timeout: std::time::Duration::from_secs(timeout as u64),
        retries: 3,
    };
    let numbers = |check, replicas| {
        let computed = Computed::of(check, replicas);
        (computed.parallelism, computed.monitor.as_secs(), computed.delay.as_secs())
    };
    assert_eq!(numbers(Some(check(2, 2)), 3), (1, 14, 14));
    assert_eq!(numbers(Some(check(10, 3)), 9), (3, 41, 41));
    assert_eq!(numbers(Some(Check::docker()), 3), (1, 182, 182));
    assert_eq!(numbers(Some(check(60, 60)), 1), (1, 300, 0));
    assert_eq!(numbers(None, 2), (1, 30, 30));
}
