//! What is found in a swarm that is written down here, and how it reads.

use serde_json::{Value, json};

use super::*;
use crate::diag::{Style, code};
use crate::swarm::{Config, Node};

fn object<T: for<'de> serde::Deserialize<'de>>(value: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(value).expect("an object"))
}

fn service(name: &str, image: &str, more: Value) -> Value {
    let mut spec = json!({
        "Name": format!("shop_{name}"), "Labels": { "com.docker.stack.namespace": "shop" },
        "TaskTemplate": { "ContainerSpec": { "Image": image } },
        "Mode": { "Replicated": { "Replicas": 1 } },
    });
    for (key, value) in more.as_object().expect("fields") {
        spec[key] = value.clone();
    }
    json!({ "ID": name, "CreatedAt": "2026-01-01T00:00:00Z", "UpdatedAt": "2026-01-01T00:00:00Z", "Spec": spec })
}

fn node(name: &str, availability: &str) -> Arc<Node> {
    object(json!({
        "ID": name, "Spec": { "Availability": availability }, "Description": { "Hostname": name },
        "Status": { "State": "ready" }, "ManagerStatus": { "Reachability": "reachable" },
    }))
}

fn pinned(image: &str, digit: char) -> String {
    format!("{image}@sha256:{}", digit.to_string().repeat(64))
}

fn evidence(services: Vec<Value>) -> Evidence {
    let live = Live {
        services: services.into_iter().map(object).collect(),
        nodes: ["n1", "n2", "n3"].map(|name| node(name, "active")).to_vec(),
        ..Live::default()
    };
    Evidence { live, now: "2026-01-01T01:00:00Z".parse().ok(), ..Evidence::default() }
}

fn codes(evidence: &Evidence) -> Vec<String> {
    audit(evidence).findings.iter().map(|found| format!("{} {}", found.code, found.name)).collect()
}

fn quiet(name: &str) -> Value {
    service(name, &pinned("app:1", 'a'), json!({}))
}

#[test]
fn a_swarm_in_which_all_is_well_is_told_so() {
    let document = audit(&evidence(vec![quiet("worker")]));
    assert_eq!(document.findings, []);
    assert_eq!(document.headline, "1 service on 3 nodes: nothing to complain of");
    let text = audit_text(&document, Style::Plain, 80);
    assert!(text.starts_with("1 service on 3 nodes: nothing to complain of\n"), "{text}");
}

#[test]
fn a_tag_that_moved_is_told_and_one_that_nobody_knows_of_is_not_checked() {
    let tags = |answers: &[(&str, Tag)]| answers.iter().map(|(name, tag)| ((*name).to_owned(), tag.clone())).collect();
    let services = ["a", "b", "c", "d"].map(|name| service(name, &pinned(&format!("{name}:1"), 'a'), json!({})));
    let mut evidence = evidence(services.to_vec());
    let same = Tag::PointsTo(format!("sha256:{}", "a".repeat(64)));
    let other = Tag::PointsTo(format!("sha256:{}", "b".repeat(64)));
    let unknown = Tag::Unknown("connection refused".to_owned());
    evidence.tags = tags(&[("a:1", same), ("b:1", other), ("c:1", Tag::Missing), ("d:1", unknown)]);
    assert_eq!(codes(&evidence), ["feasibility/image-missing shop_c", "image/tag-moved shop_b"]);
    let document = audit(&evidence);
    assert!(document.not_checked.iter().any(|line| line.contains("connection refused")), "{:?}", document.not_checked);
    assert_eq!(document.headline, "4 services on 3 nodes: 1 tag moved");
}

#[test]
fn a_rollback_target_is_lost_where_going_back_changes_nothing() {
    let mut evidence = evidence(vec![quiet("a"), quiet("b"), quiet("c")]);
    let spec = |index: usize| evidence.live.services[index].spec.clone();
    let (mut forced, mut other) = (spec(1), spec(2));
    forced.task_template.force_update = 3;
    other.task_template.container_spec.as_mut().expect("a container").env = vec!["A=1".into()];
    evidence.previous = [("b".to_owned(), forced), ("c".to_owned(), other)].into();
    assert_eq!(codes(&evidence), [format!("{} shop_b", code::TARGET_LOST)]);
}

#[test]
fn updates_that_failed_or_get_on_no_more_are_told() {
    let with = |name: &str, state: &str, began: &str| {
        let mut service = quiet(name);
        service["UpdateStatus"] = json!({ "State": state, "StartedAt": began, "Message": "update paused" });
        service
    };
    let evidence = evidence(vec![
        with("a", "paused", "2026-01-01T00:00:00Z"),
        with("b", "rollback_completed", "2026-01-01T00:00:00Z"),
        with("c", "updating", "2026-01-01T00:30:00Z"),
        with("d", "updating", "2026-01-01T00:59:00Z"),
        with("e", "completed", "2026-01-01T00:00:00Z"),
    ]);
    assert_eq!(codes(&evidence), ["rollout/failed shop_b", "rollout/failed shop_a", "rollout/stuck shop_c"]);
}

#[test]
fn what_only_a_rollback_would_need_is_no_leftover_nor_is_what_skep_remembers() {
    let reference = |id: &str| json!({ "TaskTemplate": { "ContainerSpec": { "Image": pinned("app:1", 'a'), "Configs": [{ "ConfigID": id, "ConfigName": id }] } } });
    let mut evidence = evidence(vec![service("a", "app:1", reference("used"))]);
    let config =
        |id: &str, labels: Value| object::<Config>(json!({ "ID": id, "Spec": { "Name": id, "Labels": labels } }));
    let stack = || json!({ "com.docker.stack.namespace": "shop" });
    evidence.live.configs = vec![
        config("used", stack()),
        config("before", stack()),
        config("left", stack()),
        config("other", json!({})),
        config("skep.shop", json!({ "skep.kind": "record" })),
    ];
    let before = service("a", "app:1", reference("before"))["Spec"].take();
    evidence.previous = [("a".to_owned(), serde_json::from_value(before).expect("a spec"))].into();
    assert_eq!(codes(&evidence), ["leftover/unused left", "leftover/unused other"]);
    evidence.only = vec!["shop".into()];
    assert_eq!(codes(&evidence), ["leftover/unused left"]);
}

#[test]
fn whoever_else_writes_is_named() {
    let tool = |name: &str, image: &str| service(name, &pinned(image, 'a'), json!({}));
    let by_doco = json!({ "Labels": { "com.docker.stack.namespace": "shop", "cd.doco.metadata.manager": "doco-cd" } });
    let mut evidence = evidence(vec![
        tool("cd", "ghcr.io/m-adawi/swarm-cd:1.10"),
        tool("ui", "portainer/portainer-ce:2"),
        tool("cron", "crazymax/swarm-cronjob:1"),
        service("web", &pinned("app:1", 'a'), by_doco),
    ]);
    let named = "com.docker.stack.namespace";
    let config = json!({ "ID": "c", "Spec": { "Name": "blog-site-0123abcd", "Labels": { named: "blog" } } });
    evidence.live.configs = vec![object::<Config>(config)];
    let document = audit(&evidence);
    let written: Vec<&str> = document
        .findings
        .iter()
        .filter(|found| found.section == Section::Writers)
        .map(|found| found.message.split(": ").next().unwrap_or_default())
        .collect();
    assert_eq!(
        written,
        [
            "Portainer, doco-cd, swarm-cd write here",
            "swarm-cd writes services by the clock",
            "Portainer writes services when somebody clicks, or a hook calls",
            "doco-cd has deployed shop",
            "swarm-cd has deployed blog",
            "swarm-cronjob changes numbers of replicas",
        ]
    );
    evidence.live.configs.clear();
    evidence.live.services.truncate(0);
    evidence.recorded = ["shop".to_owned()].into();
    assert_eq!(codes(&evidence), [""; 0], "skep alone is nobody else");
}

#[test]
fn managers_and_nodes_that_take_no_tasks_are_told_and_what_a_drain_would_cost() {
    let mut evidence = evidence(vec![quiet("a"), quiet("b")]);
    evidence.live.nodes = vec![node("n1", "active"), node("n2", "pause")];
    let task = |service: &str, node: &str| {
        object::<Task>(json!({
            "ID": service, "ServiceID": service, "NodeID": node, "Slot": 1, "DesiredState": "running",
            "Status": { "State": "running" }, "Spec": { "ContainerSpec": { "Image": pinned("app:1", 'a') } },
        }))
    };
    evidence.tasks = vec![task("a", "n1"), task("b", "n2")];
    assert_eq!(codes(&evidence), ["node/even-managers ", "zero-downtime/single-replica-drain shop_b", "node/away n2"]);
}

#[test]
fn it_reads_well_at_80_columns_and_as_a_comment() {
    let labels = json!({ "Labels": { "com.docker.stack.namespace": "shop", "traefik.enable": "true" } });
    let mut services: Vec<Value> =
        ["web", "api", "admin"].iter().map(|name| service(name, "app:1", labels.clone())).collect();
    services.push(service("db", "postgres:16", json!({ "EndpointSpec": { "Ports": [{ "TargetPort": 5432, "PublishedPort": 5432 }] },
        "TaskTemplate": { "ContainerSpec": { "Image": "postgres:16", "Mounts": [{ "Type": "volume", "Source": "d", "Target": "/var/lib/postgresql/data" }] } } })));
    let mut evidence = evidence(services);
    let spec = evidence.live.services[1].spec.clone();
    evidence.previous = [("api".to_owned(), spec)].into();
    let document = audit(&evidence);
    let text = audit_text(&document, Style::Plain, 80);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!("text", text);
    insta::assert_snapshot!("markdown", audit_markdown(&document));
    let schema = serde_json::to_value(schemars::schema_for!(Document)).expect("a schema");
    let value = serde_json::to_value(&document).expect("JSON");
    assert!(jsonschema::validator_for(&schema).expect("a schema").is_valid(&value));
}
