//! Plans as they are read.

use super::stack::Edit;
use super::*;
use crate::diag::{Diagnostic, Sources, Span, Style, code};

fn before() -> Desired {
    let mut desired = stack();
    config(&mut desired, "nginx.conf", "worker_processes 1;\nevents {}\n");
    secret(&mut desired, "password", "CANARY-1");
    service(&mut desired, "web", "nginx:1.26")
        .replicas(3)
        .order("start-first")
        .env("DB_PASSWORD=CANARY-2")
        .env("LEVEL=info")
        .mounts("nginx.conf")
        .is_given("password");
    service(&mut desired, "legacy", "busybox:1").replicas(2);
    service(&mut desired, "db", "postgres:16").replicas(1);
    desired
}

fn after() -> Desired {
    let mut desired = stack();
    config(&mut desired, "nginx.conf", "worker_processes 4;\nevents {}\n");
    secret(&mut desired, "password", "CANARY-3");
    service(&mut desired, "web", "nginx:1.27")
        .replicas(3)
        .order("start-first")
        .env("DB_PASSWORD=CANARY-4")
        .env("LEVEL=debug")
        .label("traefik.http.routers.shop-web-secure.middlewares", "compress@file,security-headers@file,retry@file")
        .mounts("nginx.conf")
        .is_given("password");
    service(&mut desired, "db", "postgres:17").replicas(1);
    service(&mut desired, "worker", "busybox:1").replicas(2);
    desired
}

fn cluster() -> Cluster {
    let mut cluster = applied(&before());
    let digest = |digits: &str| format!("nginx:1.26@sha256:{}", digits.repeat(32));
    cluster.by_hand("shop_web", |spec| {
        Edit::replicas(spec.image(&digest("ab")), 5);
    });
    cluster.by_hand("shop_db", |spec| {
        spec.label("by", "hand");
    });
    cluster
}

fn header() -> view::Header {
    view::Header {
        revision: Some("4f2c91e0a1b2c3d4".into()),
        reference: Some("main".into()),
        cluster: Some("prod".into()),
        nodes: 3,
        ..view::Header::default()
    }
}

fn document(plan: &Plan) -> view::Document {
    view::plans(header(), &[(plan, &Sources::new())], &Mask::default())
}

#[test]
fn a_plan_reads_well_at_80_columns() {
    let document = document(&planned(&after(), &cluster()));
    let text = plan_text(&document, &Layout { next: Some("skep apply shop"), ..Layout::default() });
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_wide_terminal_is_used() {
    let document = document(&planned(&after(), &cluster()));
    insta::assert_snapshot!(plan_text(&document, &Layout { width: 140, ..Layout::default() }));
}

#[test]
fn colours_change_nothing_but_colours() {
    let document = document(&planned(&after(), &cluster()));
    let coloured = plan_text(&document, &Layout { style: Style::Colour, ..Layout::default() });
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((text, tail)) = rest.split_once('\x1b') {
        plain.push_str(text);
        rest = tail.split_once('m').expect("a colour ends").1;
    }
    plain.push_str(rest);
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_ne!(coloured, plain);
    assert_eq!(lines(&plain), lines(&plan_text(&document, &Layout::default())));
}

#[test]
fn the_json_has_the_names_of_the_contract() {
    let document = document(&planned(&after(), &cluster()));
    insta::assert_json_snapshot!(document);
    let schema = serde_json::to_value(schemars::schema_for!(view::Document)).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let value = serde_json::to_value(&document).expect("JSON");
    assert!(
        validator.is_valid(&value),
        "{:?}",
        validator.iter_errors(&value).map(|it| it.to_string()).collect::<Vec<_>>()
    );
    let read: view::Document = serde_json::from_value(value).expect("it reads back");
    assert_eq!(read, document);
}

#[test]
fn drift_reads_well() {
    let mut cluster = cluster();
    cluster.live.services.retain(|service| service.spec.name != "shop_legacy");
    let mut stray = (*cluster.live.networks[0]).clone();
    (stray.id, stray.name) = ("stray".to_owned(), "shop_stray".to_owned());
    cluster.live.networks.push(std::sync::Arc::new(stray));
    let plan = planned(&before(), &cluster);
    let report = view::drift(header(), &[(&reported(&cluster), &Sources::new())], &Mask::default());
    insta::assert_snapshot!("drift_text", drift_text(&report, &Layout::default()));
    insta::assert_snapshot!("plan_text_with_drift_alone", plan_text(&document(&plan), &Layout::default()));
    insta::assert_json_snapshot!("drift_json", report);
}

#[test]
fn nothing_to_do_is_said_in_two_lines() {
    let plan = planned(&before(), &applied(&before()));
    insta::assert_snapshot!(plan_text(
        &document(&plan),
        &Layout { next: Some("skep apply shop"), ..Layout::default() }
    ));
}

#[test]
fn what_is_carried_over_is_told_beside_what_is_written() {
    let mut cluster = applied(&before());
    cluster.by_hand("shop_web", |spec| spec.task_template.force_update = 1);
    let same = plan_text(&document(&planned(&before(), &cluster)), &Layout::default());
    insta::assert_snapshot!(same, @r"
    shop  main@4f2c91e  cluster prod (3 nodes)
      ≠ service web   drift
          force update  found 1, applied 0: carried over  not written
      = 6 unchanged
    Plan: nothing to do, 6 unchanged.
    ");
    let mut desired = before();
    desired.services.get_mut("shop_web").expect("web").label("a", "b");
    insta::assert_snapshot!(plan_text(&document(&planned(&desired, &cluster)), &Layout::default()), @r"
    shop  main@4f2c91e  cluster prod (3 nodes)
      ~ service web   in place
          label a  (none) → b  in place  git
      ≠ service web   drift
          force update  found 1, applied 0: carried over  not written
      = 5 unchanged
    Plan: 1 to update, 5 unchanged.
    Downtime: none.
    ");
}

#[test]
fn a_blocked_plan_says_what_to_do() {
    let mut sources = Sources::new();
    let file = sources.add("shop/compose.yaml", "services:\n  web: {}\nnetworks:\n  default: {attachable: true}\n");
    let mut desired = before();
    let network = desired.networks.get_mut("shop_default").expect("it");
    network.spec.attachable = true;
    network.span = Some(Span { file, start: 31, end: 38 });
    let cluster = applied(&before());
    let replaced = planned(&desired, &cluster);
    let document = view::plans(header(), &[(&replaced, &sources)], &Mask::default());
    insta::assert_snapshot!("a_network_is_replaced", plan_text(&document, &Layout::default()));
    let mut cluster = cluster;
    let mut foreign = cluster.service("shop_web").clone();
    foreign.id = "other".to_owned();
    foreign.spec.name = "other_web".to_owned();
    foreign.spec.labels.clear();
    cluster.live.services.push(std::sync::Arc::new(foreign));
    let plan = planned(&desired, &cluster);
    let document = view::plans(header(), &[(&plan, &sources)], &Mask::default());
    insta::assert_snapshot!(plan_text(&document, &Layout::default()));
}

#[test]
fn first_contact_is_said() {
    let cluster = Cluster { applied: None, ..cluster() };
    let text = plan_text(&document(&planned(&after(), &cluster)), &Layout::default());
    assert!(text.contains("First contact: shop runs already"), "{text}");
}

#[test]
fn no_secret_is_in_anything_that_is_printed() {
    let plan = planned(&after(), &cluster());
    let document = document(&plan);
    let json = serde_json::to_string(&document).expect("JSON");
    let text = plan_text(&document, &Layout { width: 1000, ..Layout::default() });
    let report = view::drift(header(), &[(&reported(&cluster()), &Sources::new())], &Mask::default());
    let drift = serde_json::to_string(&report).expect("JSON");
    for (what, output) in [("json", &json), ("text", &text), ("drift", &drift)] {
        assert!(!output.contains("CANARY"), "{what}: {output}");
    }
    assert!(text.contains("env DB_PASSWORD") && text.contains("changed (hidden)"), "{text}");
    for secret in ["CANARY-1", "CANARY-3"] {
        let bytes = format!("{:?}", secret.as_bytes());
        let debug = format!("{plan:?}");
        assert!(!debug.contains(secret) && !debug.contains(bytes.trim_matches(['[', ']'])), "{debug}");
        let record = serde_json::to_string(&plan.settled).expect("JSON");
        assert!(!record.contains(secret));
    }
    let shown = view::plans(header(), &[(&plan, &Sources::new())], &Mask::none());
    assert!(serde_json::to_string(&shown).expect("JSON").contains("CANARY-4"), "a person may ask for it");
}

#[test]
fn long_messages_are_wrapped_with_their_code_and_place() {
    let mut plan = planned(&before(), &applied(&before()));
    let message = "web: Traefik learns of tasks every 15 s: requests are lost meanwhile";
    plan.diagnostics = vec![Diagnostic::warning(code::KEPT_IN_USE, message)];
    insta::assert_snapshot!(plan_text(&document(&plan), &Layout { width: 60, ..Layout::default() }));
}
