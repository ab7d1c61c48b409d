//! What is printed of plans that stand for all others, kept in `tests/fixtures/plans`. `SKEP_RECORD=1` writes it anew.

use std::path::Path;

use super::stack::Edit;
use super::*;
use crate::diag::{Sources, Span};
use crate::model::Kind;

/// A plan, what it is called, and whether its pages are kept as well.
struct Case {
    name: &'static str,
    plan: Plan,
    sources: Sources,
    /// What `skep drift` says of it, where a golden is kept of that.
    report: Option<Report>,
    with_page: bool,
}

impl Case {
    fn new(name: &'static str, plan: Plan) -> Self {
        Self { name, plan, sources: Sources::new(), report: None, with_page: false }
    }
}

/// A shop that runs: a web server with a config, a database, a worker.
fn running() -> Desired {
    let mut desired = stack();
    config(
        &mut desired,
        "nginx.conf",
        "worker_processes 1;\nevents {}\nhttp {\n\tserver {\n\t\tlisten 80;\n\t\tserver_name shop.example.org;\n\t\t\
         location / {\n\t\t\tproxy_pass http://app:3000;\n\t\t}\n\t}\n}\n",
    );
    secret(&mut desired, "db-password", "CANARY-one");
    service(&mut desired, "web", "nginx:1.26")
        .replicas(3)
        .order("start-first")
        .env("LEVEL=info")
        .label("traefik.enable", "true")
        .mounts("nginx.conf");
    service(&mut desired, "db", "postgres:16").replicas(1).env("PGDATA=/data/16").is_given("db-password");
    service(&mut desired, "worker", "registry.example.org/shop/worker:4.1").replicas(2).order("start-first");
    desired
}

fn create() -> Case {
    Case::new("create", planned(&running(), &applied(&stack())))
}

fn rolling() -> Case {
    let mut wanted = running();
    config(
        &mut wanted,
        "nginx.conf",
        "worker_processes auto;\nevents {}\nhttp {\n\tserver {\n\t\tlisten 80;\n\t\tserver_name shop.example.org;\n\t\t\
         location / {\n\t\t\tproxy_pass http://app:3001;\n\t\t\tproxy_set_header Host $host;\n\t\t}\n\t}\n}\n",
    );
    wanted.services.remove("shop_web");
    service(&mut wanted, "web", "nginx:1.27")
        .replicas(3)
        .order("start-first")
        .env("LEVEL=debug")
        .env("GREETING=<b>hello</b> | `you` @all\nand more")
        .label("traefik.enable", "true")
        .label("traefik.http.routers.web.middlewares", &vec!["compress@file"; 30].join(","))
        .mounts("nginx.conf");
    let mut cluster = applied(&running());
    let digest = "ab12".repeat(16);
    cluster.by_hand("shop_web", |spec| {
        spec.image(&format!("nginx:1.26@sha256:{digest}")).replicas(5);
    });
    Case { with_page: true, ..Case::new("rolling", planned(&wanted, &cluster)) }
}

fn delete() -> Case {
    let mut wanted = running();
    wanted.services.remove("shop_worker");
    wanted.services.remove("shop_db");
    wanted.secrets.clear();
    let cluster = applied(&running());
    let policy = Policy { allow_delete: true, ..Policy::default() };
    Case::new("delete", with_policy(&wanted, &cluster, &policy))
}

fn replace() -> Case {
    let mut wanted = running();
    let mode = serde_json::from_value(serde_json::json!({ "Global": {} })).expect("a mode");
    wanted.services.get_mut("shop_worker").expect("it").spec.mode = Some(mode);
    wanted.networks.get_mut("shop_default").expect("it").spec.attachable = true;
    Case::new("replace", planned(&wanted, &applied(&running())))
}

fn drift() -> Case {
    let mut cluster = applied(&running());
    cluster.by_hand("shop_web", |spec| {
        spec.replicas(1).env("LEVEL=trace").image("nginx:1.25").label("debug.by", "somebody, in a hurry");
    });
    cluster.by_hand("shop_db", |spec| {
        spec.constraint("node.hostname == n2");
    });
    for service in &mut cluster.live.services {
        std::sync::Arc::make_mut(service).updated_at = "2026-11-20T09:14:03.123456789Z".to_owned();
    }
    cluster.live.services.retain(|service| service.spec.name != "shop_worker");
    let mut stray = (*cluster.live.networks[0]).clone();
    (stray.id, stray.name) = ("stray".to_owned(), "shop_debugging".to_owned());
    cluster.live.networks.push(std::sync::Arc::new(stray));
    let plan = planned(&running(), &cluster);
    Case { with_page: true, report: Some(report_of(&plan)), ..Case::new("drift", plan) }
}

fn blocked() -> Case {
    let mut sources = Sources::new();
    let file = sources.add("shop/compose.yaml", "services:\n  web: {}\nnetworks:\n  default: {attachable: true}\n");
    let mut wanted = running();
    let mount = serde_json::from_value(serde_json::json!({
        "Type": "volume", "Source": "shop_data", "Target": "/data",
        "VolumeOptions": { "DriverConfig": { "Name": "local", "Options": { "type": "nfs" } } }
    }));
    let mut before = running();
    let plain: crate::swarm::Mount =
        serde_json::from_value(serde_json::json!({ "Type": "volume", "Source": "shop_data", "Target": "/data" }))
            .expect("a mount");
    before.services.get_mut("shop_db").expect("it").container().mounts.push(plain);
    let service = wanted.services.get_mut("shop_db").expect("it");
    service.span = Some(Span { file, start: 12, end: 15 });
    service.container().mounts.push(mount.expect("a mount"));
    let plan = planned(&wanted, &applied(&before));
    assert!(plan.is_blocked());
    Case { sources, with_page: true, ..Case::new("blocked", plan) }
}

fn contact() -> Case {
    let mut wanted = running();
    wanted.services.get_mut("shop_web").expect("it").image("nginx:1.27");
    let cluster = Cluster { applied: None, ..applied(&running()) };
    Case::new("first-contact", planned(&wanted, &cluster))
}

/// Secrets in plain sight: variables, URLs, lines of configs.
fn masked() -> Case {
    let with = |secret: &str, replicas: u64| {
        let mut desired = stack();
        config(
            &mut desired,
            "app.ini",
            &format!(
                "[db]\nhost = db\npassword = CANARY-{secret}\nworkers = {replicas}\nurl = redis://:CANARY-{secret}@cache\n"
            ),
        );
        service(&mut desired, "app", "app:1")
            .replicas(2)
            .env(&format!("API_TOKEN=CANARY-{secret}"))
            .env(&format!("DATABASE_URL=postgres://app:CANARY-{secret}@db/{secret}"))
            .mounts("app.ini");
        desired
    };
    Case::new("masked", planned(&with("two", 8), &applied(&with("one", 4))))
}

/// What came out of encrypted files.
fn confidential() -> Case {
    let with = |secret: &str| {
        let mut desired = stack();
        config(&mut desired, "app.ini", &format!("greeting = {secret}\n"));
        desired.configs.get_mut("shop_app.ini").expect("it").confidential = true;
        service(&mut desired, "app", "app:1").replicas(2).env(&format!("GREETING={secret}")).mounts("app.ini");
        desired.confidential.add(secret);
        desired
    };
    Case::new("confidential", planned(&with("CANARY-two"), &applied(&with("CANARY-one"))))
}

/// A stack that `docker stack deploy` made, whose update brings what is filled in: a web server that may start beside the old
/// one, one with a slow healthcheck, a database that may not.
fn filled() -> Case {
    let with = |version: u32| {
        let mut desired = stack();
        service(&mut desired, "web", &format!("shop/web:{version}")).replicas(3).checked();
        let slow = service(&mut desired, "api", &format!("shop/api:{version}")).replicas(2).checked();
        slow.container().healthcheck.as_mut().expect("it").interval = 30_000_000_000;
        let data = serde_json::json!({ "Type": "volume", "Source": "shop_data", "Target": "/var/lib/data" });
        let db = service(&mut desired, "db", &format!("postgres:{version}")).replicas(1).checked();
        db.container().mounts = vec![serde_json::from_value(data).expect("a mount")];
        desired
    };
    let policy = Policy { zero_downtime: crate::settings::ZeroDowntime::Auto, ..Policy::default() };
    Case { with_page: true, ..Case::new("filled-in", with_policy(&with(2), &applied(&with(1)), &policy)) }
}

fn nothing() -> Case {
    Case::new("nothing", planned(&running(), &applied(&running())))
}

fn cases() -> Vec<Case> {
    vec![
        create(),
        rolling(),
        delete(),
        replace(),
        drift(),
        blocked(),
        contact(),
        masked(),
        confidential(),
        filled(),
        nothing(),
    ]
}

/// What a plan knows of drift, with a task and a node besides.
fn report_of(plan: &Plan) -> Report {
    let task = Troubled {
        service: "shop_web".to_owned(),
        task: "k2j3h4".to_owned(),
        slot: Some(2),
        node: Some("n2".to_owned()),
        problem: Problem::Failing,
        state: "failed".to_owned(),
        desired_state: "shutdown".to_owned(),
        since: "2026-11-24T09:40:09.5Z".to_owned(),
        error: Some("task: non-zero exit (3)".to_owned()),
        failures: 4,
        images: None,
        update: None,
    };
    Report {
        stack: plan.stack.clone(),
        basis: Some(Basis::Record),
        revision: None,
        drift: plan.drift.clone(),
        tasks: vec![task],
        unchanged: plan.unchanged,
        diagnostics: plan.diagnostics.clone(),
        confidential: plan.confidential.clone(),
    }
}

/// Everything that is printed of a case, by the ends of the files' names.
fn printed(case: &Case) -> Vec<(&'static str, String)> {
    let header = || view::Header {
        revision: Some("4f2c91e0a1b2c3d4e5f60718293a4b5c6d7e8f90".into()),
        reference: Some("main".into()),
        cluster: Some("prod".into()),
        nodes: 3,
        unavailable: Vec::new(),
    };
    let pairs = [(&case.plan, &case.sources)];
    let document = view::plans(header(), &pairs, &Mask::default());
    let text = |form| plan_text(&document, &Layout { form, next: Some("skep apply shop"), ..Layout::default() });
    let frame = Frame { subject: "prod clusters/prod", made: None, next: Some("skep apply shop") };
    let dated = Frame { made: Some("2026-11-24 10:00:00 UTC"), ..frame };
    let json = |document| format!("{}\n", serde_json::to_string_pretty(document).expect("JSON"));
    let mut all = vec![
        ("txt", text(Form::Fields)),
        ("compact.txt", text(Form::Compact)),
        ("diff.txt", text(Form::Diff)),
        ("md", plan_markdown(&document, &frame)),
        ("json", json(&document)),
    ];
    if case.with_page {
        all.push(("html", plan_html(&document, &dated)));
    }
    if let Some(report) = &case.report {
        let report = view::drift(header(), &[(report, &case.sources)], &Mask::default());
        let report_frame = Frame { next: None, ..dated };
        all.push(("report.txt", drift_text(&report, &Layout::default())));
        all.push(("report.md", drift_markdown(&report, &Frame { made: None, ..report_frame })));
        all.push(("report.html", drift_html(&report, &report_frame)));
        all.push(("report.json", json(&report)));
    }
    all
}

#[test]
fn what_is_printed_is_what_was_read_and_kept() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plans");
    let schema = serde_json::to_value(schemars::schema_for!(view::Document)).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let mut wrong = Vec::new();
    for case in cases() {
        for (end, printed) in printed(&case) {
            let name = format!("{}.{end}", case.name);
            if std::env::var_os("SKEP_RECORD").is_some() {
                std::fs::create_dir_all(&directory).expect("made");
                std::fs::write(directory.join(&name), &printed).expect("written");
            }
            if std::fs::read_to_string(directory.join(&name)).ok().as_deref() != Some(&printed) {
                wrong.push(format!("{name}\n{printed}"));
            }
            if end.ends_with("json") {
                let value = serde_json::from_str(&printed).expect("JSON");
                let faults: Vec<String> = validator.iter_errors(&value).map(|it| it.to_string()).collect();
                assert!(faults.is_empty(), "{name}: {faults:?}");
            }
            assert!(!printed.contains("CANARY"), "{name} shows a secret:\n{printed}");
            assert!(end.contains("html") || !printed.contains('\x1b'), "{name}");
            if end.ends_with("txt") {
                let wide: Vec<&str> = printed.lines().filter(|line| line.chars().count() > 80).collect();
                assert!(wide.is_empty(), "{name}: {wide:#?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}\nRead what differs, then keep it with SKEP_RECORD=1.", wrong.join("\n"));
}

#[test]
fn a_person_who_asks_sees_every_value() {
    for case in [masked(), confidential()] {
        let document = view::plans(view::Header::default(), &[(&case.plan, &case.sources)], &Mask::none());
        let text = plan_text(&document, &Layout { form: Form::Diff, ..Layout::default() });
        assert!(text.contains("CANARY-two"), "{text}");
    }
}

#[test]
fn a_comment_is_never_too_long_and_says_what_it_leaves_out() {
    let case = rolling();
    let mut many = Vec::new();
    for number in 0..400 {
        let mut plan = case.plan.clone();
        for step in &mut plan.steps {
            step.name = format!("{}-{number}", step.name);
        }
        many.push(plan);
    }
    let mut dearest = case.plan.clone();
    let step = dearest.steps.iter_mut().find(|step| step.kind == Kind::Service).expect("a service");
    (step.action, step.effect, step.downtime) = (Action::Delete, Effect::Delete, Downtime::Certain);
    step.name = "shop_the-dearest".to_owned();
    many.push(dearest);
    let sources = Sources::new();
    let pairs: Vec<(&Plan, &Sources)> = many.iter().map(|plan| (plan, &sources)).collect();
    let document = view::plans(view::Header::default(), &pairs, &Mask::default());
    let comment = plan_markdown(&document, &Frame::default());
    assert!(comment.len() < 60_000, "{}", comment.len());
    assert!(comment.len() > 30_000, "{}", comment.len());
    assert!(comment.contains("`the-dearest` | **deleted**"), "what costs most is not what is left out");
    let rows = comment.lines().filter(|line| line.starts_with("| `shop` | `web-")).count();
    assert!(comment.contains(&format!("| … | **and {} more** | ", 400 - rows)), "{comment}");
    assert!(comment.contains("are left out here, because a comment holds no more"), "{comment}");
    let report = drift().report.expect("it has one");
    let reports: Vec<(&Report, &Sources)> = std::iter::repeat_n((&report, &sources), 400).collect();
    let report = view::drift(view::Header::default(), &reports, &Mask::default());
    let comment = drift_markdown(&report, &Frame::default());
    assert!(comment.len() < 60_000, "{}", comment.len());
}
