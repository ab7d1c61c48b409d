//! How updates roll where a file does not say: what is filled in, on a real swarm.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scene, lab};

/// Two replicas with a healthcheck that finds a bad task in 4 s; nothing is said of updates.
fn checked(image: &str, env: &str) -> String {
    format!(
        "services:\n  web:\n    image: {image}\n    environment: {{ TEXT: {env} }}\n    healthcheck: {{ test: [CMD, healthy], \
         interval: 500ms, timeout: 500ms, retries: 2, start_period: 5s }}\n    deploy: {{ replicas: 2 }}\n"
    )
}

/// The same where nothing tells that it is healthy.
fn unchecked(env: &str) -> String {
    format!(
        "services:\n  web:\n    image: cli-app:1\n    environment: {{ TEXT: {env} }}\n    deploy: {{ replicas: 1 }}\n"
    )
}

fn spec(scene: &Scene) -> Value {
    lab().service(&scene.full("web")).expect("the service")["Spec"].clone()
}

fn version(scene: &Scene) -> Value {
    lab().service(&scene.full("web")).expect("the service")["Version"].clone()
}

/// What is filled in for [`checked`]: five seconds are the shortest monitor.
fn filled_in() -> (Value, Value) {
    let seconds = 5_000_000_000_i64;
    let policy = |parallelism: u64, action: &str| {
        json!({
            "Parallelism": parallelism, "FailureAction": action, "Monitor": seconds, "MaxFailureRatio": 0,
            "Order": "start-first",
        })
    };
    let mut update = policy(1, "rollback");
    update["Delay"] = seconds.into();
    (update, policy(0, "pause"))
}

#[test]
fn what_is_filled_in_is_what_the_engine_holds_and_planning_again_is_empty() {
    let scene = Scene::new("filled");
    scene.write("stack.yaml", &checked("cli-app:1", "one"));
    scene.run("apply -c stack.yaml STACK -y").expect(0);
    let policies = |spec: &Value| (spec["UpdateConfig"].clone(), spec["RollbackConfig"].clone());
    assert_eq!(policies(&spec(&scene)), filled_in());
    scene.proxy.forget();
    scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
    scene.run("plan -c stack.yaml STACK --detailed-exitcode --zero-downtime off").expect(0);
    scene.run("apply -c stack.yaml STACK -y").expect(0);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());

    // A quicker check is no reason to write for the policy's sake, and a write brings what suits it.
    scene.write("stack.yaml", &checked("cli-app:1", "two").replace("retries: 2", "retries: 5"));
    let planned = scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(2);
    assert!(planned.stdout.contains("2 tasks restart one by one, new one first, about 2"), "{}", planned.stdout);
    assert!(planned.stdout.contains("  start-first, 1 at a time, watched 7s  in place  skep"), "{}", planned.stdout);
    assert!(planned.stdout.contains("Downtime: none."), "{}", planned.stdout);
    scene.run("apply -c stack.yaml STACK -y").expect(0);
    assert_eq!(spec(&scene)["UpdateConfig"]["Monitor"], 7_000_000_000_i64);
    scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
}

#[test]
fn what_docker_deployed_is_adopted_without_a_write() {
    let scene = Scene::new("adopted");
    scene.write("stack.yaml", &checked("cli-app:1", "one"));
    let file = scene.skep.directory().join("stack.yaml");
    let file = file.to_str().expect("UTF-8");
    lab().docker(1, &["stack", "deploy", "--resolve-image", "never", "-c", file, &scene.stack]);
    let before = (version(&scene), spec(&scene));
    assert_eq!(before.1["UpdateConfig"], Value::Null);
    scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
    let declared = format!("version: 1\nstacks:\n  - {{ name: {}, files: stack.yaml }}\n", scene.stack);
    scene.write("skep.yaml", &declared);
    scene.run("apply --repo . STACK -y").expect(0);
    scene.run("plan --repo . STACK --detailed-exitcode").expect(0);
    assert_eq!((version(&scene), spec(&scene)), before, "the record was written, and nothing else");
    // Neither is it drift that the record, which has no policy, or docker, which takes it away, knows of none.
    scene.write("stack.yaml", &checked("cli-app:1", "two"));
    scene.run("apply --repo . STACK -y").expect(0);
    assert_eq!(spec(&scene)["UpdateConfig"], filled_in().0);
    lab().docker(1, &["stack", "deploy", "--resolve-image", "never", "-c", file, &scene.stack]);
    assert_eq!(spec(&scene)["UpdateConfig"], Value::Null);
    scene.run("plan --repo . STACK --detailed-exitcode").expect(0);
    scene.run("drift STACK --detailed-exitcode").expect(0);
}

#[test]
fn enforce_refuses_an_update_with_downtime() {
    let scene = Scene::new("enforced");
    scene.write("stack.yaml", &unchecked("one"));
    scene.run("apply -c stack.yaml STACK -y --detach --zero-downtime enforce").expect(0);
    let before = version(&scene);
    scene.write("stack.yaml", &unchecked("two"));
    scene.proxy.forget();
    let planned = scene.run("plan -c stack.yaml STACK --zero-downtime enforce").expect(5);
    assert!(planned.stdout.contains("zero-downtime/enforced"), "{}", planned.stdout);
    assert!(planned.stdout.contains("help: give it a `healthcheck`"), "{}", planned.stdout);
    scene.run("apply -c stack.yaml STACK -y --zero-downtime enforce").expect(5);
    let declared = format!(
        "version: 1\ndefaults: {{ zeroDowntime: enforce }}\nstacks:\n  - {{ name: {}, files: stack.yaml, adopt: apply }}\n",
        scene.stack
    );
    scene.write("skep.yaml", &declared);
    scene.run("plan --repo . STACK").expect(5);
    scene.run("plan --repo . STACK --zero-downtime auto").expect(0);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
    assert_eq!(version(&scene), before);
    // A saved plan holds what was asked for, and is carried out by it.
    scene.run("plan -c stack.yaml STACK --zero-downtime auto --out saved.json").expect(0);
    scene.run("apply --plan saved.json --detach").expect(0);
    assert_eq!(spec(&scene)["UpdateConfig"]["Order"], "stop-first");
    assert_eq!(spec(&scene)["UpdateConfig"]["Monitor"], 30_000_000_000_i64);
}

#[test]
fn a_bad_image_is_rolled_back_while_the_old_tasks_serve_on() {
    let scene = Scene::new("bad");
    scene.write("stack.yaml", &checked("cli-app:1", "one"));
    scene.run("apply -c stack.yaml STACK -y").expect(0);
    let serving = scene.tasks("web");
    assert_eq!(serving.len(), 2);
    scene.write("stack.yaml", &checked("cli-crash:1", "one"));
    let mut applying = scene.spawn("apply -c stack.yaml STACK -y");
    let mut looks = 0;
    while applying.is_running() {
        let now = scene.tasks("web");
        // On a slow machine the bad one may count as healthy before it dies: then it has taken the place of one, and no more.
        assert!(serving.iter().filter(|task| now.contains(task)).count() + 1 >= serving.len(), "{serving:?} {now:?}");
        looks += 1;
    }
    assert!(looks > 1, "it takes longer than that");
    let outcome = applying.outcome(Duration::from_secs(60)).expect(4);
    assert!(outcome.stderr.contains("rolled back"), "{}", outcome.stderr);
    let now = scene.tasks("web");
    assert!(now.len() == 2 && now.iter().any(|task| serving.contains(task)), "{serving:?} {now:?}");
    let service = lab().service(&scene.full("web")).expect("the service");
    assert_eq!(service["UpdateStatus"]["State"], "rollback_completed");
    assert_eq!(spec(&scene)["TaskTemplate"]["ContainerSpec"]["Image"], "cli-app:1");
}
