//! Drift that the record alone tells: no file is read.

use std::sync::Arc;

use serde_json::json;

use super::stack::Edit;
use super::*;
use crate::diag::Sources;
use crate::model::{Kind, label};
use crate::swarm::{Labels, Live, Node, Task};

const WEB: &str = "shop_web";

fn base() -> Desired {
    let mut desired = stack();
    config(&mut desired, "nginx.conf", "worker_processes 1;\n");
    secret(&mut desired, "password", "hush");
    service(&mut desired, "web", "nginx:1.26").replicas(3).env("LEVEL=info").mounts("nginx.conf").is_given("password");
    desired
}

fn web(desired: &mut Desired) -> &mut crate::desired::Service {
    desired.services.get_mut(WEB).expect("web")
}

/// What differs, as `service shop_web replicas`.
fn differences(drifted: &[Drifted]) -> Vec<String> {
    let of = |it: &Drifted| {
        let (kind, name) = (it.kind, it.name.clone());
        it.changes.iter().map(move |change| format!("{kind} {name} {}", change.label)).collect::<Vec<_>>()
    };
    drifted.iter().flat_map(of).collect()
}

fn text(report: &Report, live: &Live) -> String {
    let header = view::Header::of(live);
    drift_text(&view::drift(header, &[(report, &Sources::new())], &Mask::default()), &Layout::default())
}

#[test]
fn what_is_as_it_was_applied_is_told_in_one_line() {
    let cluster = applied(&base());
    let report = reported(&cluster);
    assert!(report.is_empty() && report.sync() == Sync::Synced);
    assert_eq!(report.unchanged, 4);
    assert_eq!(text(&report, &cluster.live), "shop  no drift (4 unchanged)\nDrift: 0 changed, 0 missing, 0 extra.\n");
}

#[test]
fn what_is_gone_is_missing_and_what_nobody_applied_is_extra() {
    let mut cluster = applied(&base());
    let stray = |id: &str| (id.to_owned(), format!("shop_{id}"));
    let mut config = (*cluster.live.configs[0]).clone();
    (config.id, config.spec.name) = stray("stray");
    cluster.live.configs = vec![Arc::new(config)];
    cluster.live.networks.clear();
    cluster.live.secrets.clear();
    cluster.live.services.clear();
    let report = reported(&cluster);
    let names: Vec<String> = report.drift.missing.iter().map(|it| format!("{} {}", it.kind, it.name)).collect();
    assert_eq!(names, ["network shop_default", "config shop_nginx.conf", "secret shop_password", "service shop_web"]);
    assert_eq!(report.drift.extra, [Object::new(Kind::Config, "shop_stray")]);
    assert_eq!(report.sync(), Sync::OutOfSync);
    let mut cluster = applied(&base());
    let mut config = (*cluster.live.configs[0]).clone();
    (config.id, config.spec.name) = stray("stray");
    cluster.live.configs.push(Arc::new(config));
    let report = reported(&cluster);
    assert!(
        report.sync() == Sync::Synced && !report.is_empty(),
        "what is extra is reported, and no drift of an object's"
    );
}

#[test]
fn a_config_or_secret_that_others_made_anew_is_another() {
    let mut cluster = applied(&base());
    let config = Arc::make_mut(&mut cluster.live.configs[0]);
    (config.id, config.spec.data) = ("other".to_owned(), "b3RoZXI=".to_owned());
    let secret = Arc::make_mut(&mut cluster.live.secrets[0]);
    secret.id = "other".to_owned();
    secret.spec.labels.remove(label::FINGERPRINT);
    let report = reported(&cluster);
    assert_eq!(
        differences(&report.drift.changed),
        [
            "config shop_nginx.conf content",
            "secret shop_password content",
            "service shop_web config nginx.conf ConfigID",
            "service shop_web secret password SecretID"
        ]
    );
    // The same content under another id is the same content; a secret's is vouched for by its label.
    let mut cluster = applied(&base());
    Arc::make_mut(&mut cluster.live.configs[0]).id = "other".to_owned();
    Arc::make_mut(&mut cluster.live.secrets[0]).id = "other".to_owned();
    assert!(reported(&cluster).drift.changed.iter().all(|drifted| drifted.kind == Kind::Service));
}

#[test]
fn every_kind_is_compared() {
    let mut cluster = applied(&base());
    let by = |labels: &mut Labels| drop(labels.insert("by".to_owned(), "hand".to_owned()));
    Arc::make_mut(&mut cluster.live.networks[0]).internal = true;
    by(&mut Arc::make_mut(&mut cluster.live.configs[0]).spec.labels);
    by(&mut Arc::make_mut(&mut cluster.live.secrets[0]).spec.labels);
    by(&mut Arc::make_mut(&mut cluster.live.services[0]).spec.labels);
    assert_eq!(
        differences(&reported(&cluster).drift.changed),
        [
            "network shop_default Internal",
            "config shop_nginx.conf label by",
            "secret shop_password label by",
            "service shop_web label by"
        ]
    );
}

#[test]
fn what_the_files_ignored_when_they_were_applied_is_ignored_without_them() {
    let mut desired = base();
    web(&mut desired).ignore = vec!["/TaskTemplate/ContainerSpec/Env/LEVEL".to_owned(), "/Labels/team".to_owned()];
    service(&mut desired, "silent", "nginx:1");
    service(&mut desired, "cron", "nginx:1").replicas(0).label("swarm.cronjob.enable", "true");
    let mut cluster = applied(&desired);
    cluster.by_hand(WEB, |spec| {
        spec.env("LEVEL=debug").label("team", "blue");
    });
    cluster.by_hand("shop_silent", |spec| {
        Edit::replicas(spec, 9);
    });
    cluster.by_hand("shop_cron", |spec| {
        Edit::replicas(spec, 1).spec().task_template.force_update = 77;
    });
    let report = reported(&cluster);
    assert!(report.is_empty() && report.sync() == Sync::Synced, "{:?}", report.drift.changed);
    assert_eq!(
        differences(&report.drift.ignored),
        [
            "service shop_cron replicas",
            "service shop_cron force update",
            "service shop_silent replicas",
            "service shop_web label team",
            "service shop_web env LEVEL"
        ]
    );
    assert!(report.drift.ignored.iter().flat_map(|it| &it.changes).all(|change| change.effect == Effect::None));
    assert!(text(&report, &cluster.live).starts_with("shop  no drift (6 unchanged, 5 fields ignored)\n"));
    // A plan with the files writes none of it, and what it writes of the same services keeps it.
    let plan = planned(&desired, &cluster);
    assert!(plan.steps.is_empty() && plan.drift.is_empty());
    web(&mut desired).env("NEW=1");
    cluster.apply(&desired);
    let spec = &cluster.service(WEB).spec;
    assert_eq!(spec.labels.get("team").map(String::as_str), Some("blue"));
    let env = &spec.task_template.container_spec.as_ref().expect("a container").env;
    assert_eq!(env, &["LEVEL=debug", "NEW=1"]);
    // Another field of the same services is drift still.
    cluster.by_hand("shop_cron", |spec| {
        spec.env("A=1");
    });
    assert_eq!(differences(&reported(&cluster).drift.changed), ["service shop_cron env A"]);
}

#[test]
fn a_raised_force_update_is_told_and_no_drift() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| spec.task_template.force_update = 4);
    let report = reported(&cluster);
    assert!(report.is_empty() && report.sync() == Sync::Synced);
    assert_eq!((&report.drift, report.unchanged), (&planned(&base(), &cluster).drift, 4));
    let text = text(&report, &cluster.live);
    assert!(text.contains("force update") && text.ends_with("Drift: 0 changed, 0 missing, 0 extra.\n"), "{text}");
}

#[test]
fn what_the_files_ignore_now_counts_where_they_are_at_hand() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.label("team", "blue");
    });
    let mut now = base();
    web(&mut now).ignore.push("/Labels/team".to_owned());
    let applied = cluster.applied.clone().expect("a record").ignoring(&now);
    assert!(drift_of(found(&cluster.live, &[]), &applied).is_empty());
    assert!(!reported(&cluster).is_empty());
}

#[test]
fn without_a_record_the_files_tell() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        Edit::replicas(spec.image("nginx:9"), 5);
    });
    cluster.live.configs.clear();
    let cluster = Cluster { applied: None, ..cluster };
    let plan = planned(&base(), &cluster);
    let report = drift_of_files(found(&cluster.live, &[]), &plan);
    assert_eq!(report.basis, Some(Basis::Files));
    assert_eq!(report.drift.missing, [Object::new(Kind::Config, "shop_nginx.conf")]);
    let shown = differences(&report.drift.changed);
    assert!(shown.contains(&"service shop_web image".to_owned()), "{shown:?}");
    assert!(shown.contains(&"service shop_web replicas".to_owned()), "{shown:?}");
    let text = text(&report, &cluster.live);
    assert!(text.contains("stack shop has no record, so it is compared with its files"), "{text}");
    assert!(!text.contains("zero-downtime"), "{text}");
}

#[test]
fn networks_that_the_engine_has_by_itself_are_no_drift() {
    let mut desired = stack();
    let web = service(&mut desired, "web", "nginx:1");
    web.spec.task_template.networks[0].target = "host".to_owned();
    let mut cluster = Cluster::default();
    let host = json!({ "Id": "k2j3h4", "Name": "host", "Scope": "local", "Driver": "host" });
    cluster.live.networks.push(Arc::new(serde_json::from_value(host).expect("a network")));
    let mut record = Applied::default();
    let mut spec = desired.services[WEB].spec.clone();
    spec.task_template.networks[0].target = "k2j3h4".to_owned();
    crate::swarm::canonical::canonical_service(&mut spec);
    record.services.insert(WEB.to_owned(), desired.services[WEB].spec.clone());
    cluster.live.services.push(Arc::new(crate::swarm::Service { id: "s".into(), spec, ..Default::default() }));
    cluster.applied = Some(record);
    assert!(reported(&cluster).is_empty(), "{:?}", reported(&cluster).drift);
}

fn found<'a>(live: &'a Live, tasks: &'a [Arc<Task>]) -> Found<'a> {
    static STACK: std::sync::LazyLock<StackName> = std::sync::LazyLock::new(|| stack().stack);
    Found { stack: &STACK, live, tasks, now: "2026-01-01T12:00:00Z".parse().ok() }
}

/// A task of a slot, made and stopped at a minute of that hour.
fn task(slot: u64, minute: u32, state: &str, desired_state: &str) -> serde_json::Value {
    json!({
        "ID": format!("task-{slot}-{minute}"), "ServiceID": "service-5", "Slot": slot, "NodeID": "n",
        "CreatedAt": format!("2026-01-01T11:{minute:02}:00Z"), "DesiredState": desired_state,
        "Status": { "State": state, "Timestamp": format!("2026-01-01T11:{minute:02}:09.5Z") },
        "Spec": { "ContainerSpec": { "Image": "nginx:1.26" } }
    })
}

#[track_caller]
fn troubled(tasks: &[serde_json::Value]) -> Vec<(Problem, String, usize)> {
    let mut cluster = applied(&base());
    let service = Arc::make_mut(&mut cluster.live.services[0]);
    (service.id, service.updated_at) = ("service-5".to_owned(), "2026-01-01T11:30:00Z".to_owned());
    let tasks: Vec<Arc<Task>> =
        tasks.iter().map(|task| Arc::new(serde_json::from_value(task.clone()).expect("a task"))).collect();
    let report = drift_of(found(&cluster.live, &tasks), cluster.applied.as_ref().expect("a record"));
    report.tasks.iter().map(|it| (it.problem, it.task.clone(), it.failures)).collect()
}

#[test]
fn a_task_fails_where_nothing_runs_or_nothing_runs_for_long() {
    let failing = |task: &str, failures| vec![(Problem::Failing, task.to_owned(), failures)];
    let running = || task(1, 59, "running", "running");
    // One that failed long ago, and what has run since.
    assert_eq!(troubled(&[task(1, 31, "failed", "shutdown"), running()]), []);
    // The last one failed.
    assert_eq!(
        troubled(&[task(1, 31, "running", "shutdown"), task(1, 40, "failed", "shutdown")]),
        failing("task-1-40", 1)
    );
    assert_eq!(troubled(&[task(1, 40, "rejected", "shutdown")]), failing("task-1-40", 1));
    // The next one is on its way.
    assert_eq!(
        troubled(&[task(1, 40, "failed", "shutdown"), task(1, 41, "starting", "running")]),
        failing("task-1-40", 1)
    );
    // One runs, and three have failed in the last ten minutes.
    let crashing = [57, 53, 55].map(|minute| task(1, minute, "failed", "shutdown"));
    assert_eq!(troubled(&[&crashing[..], &[running()]].concat()), failing("task-1-57", 3));
    assert_eq!(troubled(&[&crashing[..2], &[running()]].concat()), []);
    // What failed before the service was last written may be why it was.
    let before = [20, 21, 22].map(|minute| task(1, minute, "failed", "shutdown"));
    assert_eq!(troubled(&[&before[..], &[running()]].concat()), []);
    // What was scaled away, stopped or is done is no failure.
    assert_eq!(troubled(&[task(1, 40, "failed", "shutdown"), task(1, 41, "shutdown", "shutdown")]), []);
    assert_eq!(troubled(&[task(1, 40, "failed", "shutdown"), task(1, 41, "complete", "shutdown")]), []);
    assert_eq!(troubled(&[task(1, 40, "failed", "remove")]), []);
    // Each place by itself.
    assert_eq!(troubled(&[running(), task(2, 40, "failed", "shutdown")]), failing("task-2-40", 1));
}

#[test]
fn a_task_that_no_node_takes_and_one_that_runs_another_image_are_told() {
    let mut pending = task(1, 40, "pending", "running");
    pending["Status"]["Err"] = json!("no suitable node (scheduling constraints not satisfied on 1 node)");
    assert_eq!(troubled(&[pending]), [(Problem::Unplaced, "task-1-40".to_owned(), 0)]);
    let mut old = task(1, 40, "running", "running");
    old["Spec"]["ContainerSpec"]["Image"] = json!("nginx:1.25");
    assert_eq!(troubled(std::slice::from_ref(&old)), [(Problem::OtherImage, "task-1-40".to_owned(), 0)]);
    old["DesiredState"] = json!("shutdown");
    assert_eq!(troubled(&[old]), []);
}

#[test]
fn a_report_reads_well_at_80_columns() {
    let mut cluster = applied(&base()).with_nodes(&[true]);
    let mut node = (*cluster.live.nodes[0]).clone();
    node.id = "far".to_owned();
    node.description.hostname = "worker-2".to_owned();
    node.status.state = "down".to_owned();
    node.status.message = "heartbeat failure for node in \"unknown\" state".to_owned();
    node.updated_at = "2026-01-01T11:59:00.5Z".to_owned();
    cluster.live.nodes.push(Arc::new(Node { ..node }));
    cluster.by_hand(WEB, |spec| {
        Edit::replicas(spec.env("LEVEL=debug"), 5);
    });
    let web = Arc::make_mut(&mut cluster.live.services[0]);
    (web.id, web.updated_at) = ("service-5".to_owned(), "2026-01-01T11:30:00.123Z".to_owned());
    web.update_status = Some(crate::swarm::UpdateStatus { state: "paused".to_owned(), ..Default::default() });
    let mut failed = task(2, 40, "failed", "shutdown");
    failed["Status"]["Err"] = json!("task: non-zero exit (3)");
    let mut old = task(1, 40, "running", "running");
    old["Spec"]["ContainerSpec"]["Image"] = json!("nginx:1.25");
    let tasks = [failed, old].map(|task| Arc::new(serde_json::from_value(task).expect("a task")));
    let mut record = cluster.applied.clone().expect("a record");
    record.ignore.insert(WEB.to_owned(), vec!["/TaskTemplate/ContainerSpec/Env/LEVEL".to_owned()]);
    let mut report = drift_of(found(&cluster.live, &tasks), &record);
    report.revision = Some("4f2c91e0a1b2c3d4".to_owned());
    let quiet = Report { stack: StackName::parse("blog").expect("a name"), ..reported(&applied(&base())) };
    let document = view::drift(
        view::Header { cluster: Some("prod".to_owned()), ..view::Header::of(&cluster.live) },
        &[(&report, &Sources::new()), (&quiet, &Sources::new()), (&quiet, &Sources::new())],
        &Mask::default(),
    );
    let text = drift_text(&document, &Layout::default());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text, @r#"
    shop  4f2c91e  cluster prod (2 nodes)
      ≠ service web   drift, changed 2026-01-01 11:30:00 UTC
          replicas  5 → 3  stops 2
      ! task web.1 on n   runs another image, since 2026-01-01 11:40:09 UTC
          nginx:1.25 → nginx:1.26
          its update is paused
      ! task web.2 on n   failed, since 2026-01-01 11:40:09 UTC
          task: non-zero exit (3)
          its update is paused
      · service web   ignored: env LEVEL
      = 3 unchanged

    blog  no drift (4 unchanged)
    blog  no drift (4 unchanged)

      ! node worker-2 is down (heartbeat failure for node in "unknown" state),
        written 2026-01-01 11:59:00 UTC

    Drift: 1 changed, 0 missing, 0 extra, 2 tasks in trouble. In 1 of 3 stacks.
    "#);
}
