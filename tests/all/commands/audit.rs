//! `skep audit`: what only a running swarm shows, without git, records or a write.

use std::time::Duration;

use serde_json::Value;

use super::{Scene, conforms, lab};
use crate::lab::Lab;
use crate::registry::{Access, Registry};
use crate::wait::wait_until;
use skep::cli::schema::Name;

/// Deploys the scene's stack as people without skep do.
fn deploy(scene: &Scene, text: &str) {
    scene.write("c.yaml", text);
    let mut docker = lab().docker_command(1);
    docker.current_dir(scene.skep.directory()).args(["stack", "deploy", "-c", "c.yaml", &scene.stack]);
    let output = docker.output().expect("the docker client runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Waits until the engine calls a service's update ended.
fn wait_updated(lab: &Lab, service: &str) {
    wait_until(Duration::from_secs(60), &format!("{service} is updated"), || {
        lab.service(service).expect("it is there")["UpdateStatus"]["State"] == "completed"
    });
}

/// The findings of a document as `code name`, without those of updates to come.
fn found(scene: &Scene, document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().expect("a list");
    let told = findings.iter().filter(|found| found["section"] != "updates");
    let name = |found: &Value| found["name"].as_str().expect("a name").replace(&format!("{}_", scene.stack), "");
    let mut told: Vec<String> =
        told.map(|found| format!("{} {}", found["code"].as_str().expect("a code"), name(found))).collect();
    told.sort();
    told
}

fn message<'d>(document: &'d Value, code: &str) -> &'d str {
    let findings = document["findings"].as_array().expect("a list");
    let found = findings.iter().find(|found| found["code"] == code).unwrap_or_else(|| panic!("{code}: {document:#}"));
    found["message"].as_str().expect("a message")
}

#[test]
fn what_only_a_running_swarm_shows_is_found_and_nothing_is_written() {
    let scene = Scene::new("audit");
    let registry = Registry::start(lab(), Access::Anyone);
    registry.push(lab(), "cli-app:1", "team/app:1");
    lab().image("cli-deaf:1", &[r#"CMD ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]"#]);
    deploy(
        &scene,
        &format!(
            "version: \"3.8\"\nservices:\n  \
             tagged: {{ image: \"{}\" }}\n  \
             deaf: {{ image: \"cli-deaf:1\", stop_grace_period: 500ms }}\n  \
             twice: {{ image: \"cli-app:1\" }}\n  \
             crash: {{ image: \"cli-crash:1\", deploy: {{ restart_policy: {{ delay: 300ms }} }} }}\n  \
             nowhere: {{ image: \"cli-app:1\", deploy: {{ placement: {{ constraints: [node.labels.none==here] }} }} }}\n",
            registry.image("team/app:1")
        ),
    );
    let label = format!("com.docker.stack.namespace={}", scene.stack);
    lab().docker(1, &["config", "create", "--label", &label, &scene.full("left"), "/etc/hostname"]);
    registry.push(lab(), "cli-app:2", "team/app:1");
    wait_until(Duration::from_secs(60), "all run that can", || {
        ["tagged", "deaf", "twice"].iter().all(|service| lab().running(&scene.full(service)).len() == 1)
    });
    // A quick window, or each update takes the engine's 5 s.
    let update = ["service", "update", "--detach", "--quiet", "--no-resolve-image", "--update-monitor", "100ms"];
    for service in ["deaf", "twice"] {
        lab().docker(1, &[&update[..], &["--env-add", "A=1", &scene.full(service)]].concat());
        wait_updated(lab(), &scene.full(service));
    }
    // What a tool does that sends everything again and again.
    lab().edit_service(41, &scene.full("twice"), |_| {});
    wait_until(Duration::from_secs(60), "the crash is seen", || {
        let filters = ["service", "ps", "-q", "--filter", "desired-state=shutdown", &scene.full("crash")];
        lab().docker(1, &filters).lines().count() > 3
    });

    scene.proxy.forget();
    let outcome = scene.run("audit STACK -o json --detailed-exitcode").expect(2);
    let document = outcome.json();
    conforms(Name::Audit, &document);
    assert_eq!(
        found(&scene, &document),
        [
            "image/no-digest crash",
            "image/no-digest deaf",
            "image/no-digest nowhere",
            "image/no-digest twice",
            "image/tag-moved tagged",
            "leftover/unused left",
            "rollout/target-lost twice",
            "task/failing crash",
            "task/unplaced nowhere",
            "zero-downtime/killed deaf",
        ],
        "{document:#}"
    );
    assert_eq!(message(&document, "zero-downtime/killed"), "1 of 1 old task was killed: requests in flight were lost");
    assert!(message(&document, "task/failing").contains("non-zero exit (3)"), "{document:#}");
    assert!(message(&document, "image/tag-moved").contains("team/app:1 points to"), "{document:#}");
    let summary = &document["summary"];
    assert_eq!((&summary["services"], &summary["failing"], &summary["movedTags"]), (&5.into(), &2.into(), &1.into()));
    let headline = document["headline"].as_str().expect("a line");
    assert_eq!(
        headline,
        "5 services on 1 node: 2 services failing, 1 tag moved, 1 rollback target lost, 1 config or secret unused"
    );

    // As a person without a terminal reads it, and as a chat shows it.
    let text = scene.run("audit STACK").expect(0).stdout;
    assert!(text.starts_with("5 services on 1 node: "), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80) && !text.contains('\x1b'), "{text}");
    let page = scene.run("audit STACK -o markdown").expect(0).stdout;
    assert!(page.starts_with(&format!("## {headline}\n")) && page.contains("### Rollouts\n"), "{page}");
    // The whole swarm holds at least as much.
    let whole = scene.run("audit -o json").expect(0).json();
    conforms(Name::Audit, &whole);
    assert!(found(&scene, &whole).contains(&"rollout/target-lost twice".to_owned()), "{whole:#}");

    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
    assert!(scene.proxy.requests().iter().any(|request| request.path.starts_with("/distribution/")));
    scene.proxy.forget();
    scene.run("audit STACK --offline").expect(0);
    assert!(!scene.proxy.requests().iter().any(|request| request.path.starts_with("/distribution/")));
    lab().docker(1, &["config", "rm", &scene.full("left")]);
}

#[test]
fn updates_that_lose_requests_are_counted_by_service() {
    let scene = Scene::new("audit-updates");
    lab().app_unchecked("cli-unchecked:1", "one");
    let labels = "labels: { traefik.enable: \"true\" }";
    let policy = "update_config: { order: start-first, failure_action: rollback, monitor: 5s, delay: 5s, parallelism: 1 }, \
                  rollback_config: { order: start-first }";
    deploy(
        &scene,
        &format!(
            "version: \"3.8\"\nservices:\n  \
             one: {{ image: \"cli-unchecked:1\", deploy: {{ {labels} }} }}\n  \
             some: {{ image: \"cli-app:1\", deploy: {{ replicas: 2, {labels}, {policy} }} }}\n  \
             data: {{ image: \"cli-unchecked:1\", ports: [\"48080:80\"], volumes: [data:/data] }}\n  \
             worker: {{ image: \"cli-unchecked:1\" }}\nvolumes: {{ data: {{}} }}\n"
        ),
    );
    let document = scene.run("audit STACK -o json").expect(0).json();
    let of = |service: &str| {
        let findings = document["findings"].as_array().expect("a list");
        let own = findings.iter().filter(|it| it["name"] == scene.full(service) && it["section"] == "updates");
        own.map(|it| format!("{} {}", it["severity"].as_str().expect("a word"), it["code"].as_str().expect("a code")))
            .collect::<Vec<_>>()
    };
    let warning = |what: &str| format!("warning zero-downtime/{what}");
    assert_eq!(of("one"), ["failure-not-rollback", "one-replica-stop-first", "proxy-refresh"].map(warning));
    // The image brings a healthcheck, which this engine knows; its numbers are Docker's own unless a spec says otherwise.
    assert_eq!(of("some"), ["monitor-too-short", "proxy-refresh"].map(warning));
    let note = "note zero-downtime/one-replica-stop-first".to_owned();
    assert_eq!(of("data"), [warning("failure-not-rollback"), note]);
    assert_eq!(of("worker"), [""; 0]);
    assert_eq!(document["summary"]["losing"], 2, "{document:#}");

    let text = scene.run("audit STACK").expect(0).stdout;
    assert!(text.starts_with("4 services on 1 node: 2 lose requests at every update"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let mistyped = scene.run("audit no-such-stack").expect(1);
    assert!(mistyped.stderr.contains("no service runs of a stack"), "{}", mistyped.stderr);
}
