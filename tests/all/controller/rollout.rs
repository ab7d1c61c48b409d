//! What Swarm really does with a bad revision, each against a controller: the old version serves on, the verdict is right, and
//! nothing is written again and again.

use std::cell::Cell;

use serde_json::Value;

use super::scene::{SOON, Scene, is_synced, says};
use crate::wait::wait_until;

/// A service of `app:1` whose command, policy and further keys are given.
pub fn service(key: &str, text: &str, command: &str, more: &str) -> String {
    format!(
        "  {key}:\n    image: app:1\n    environment: [ \"TEXT={text}\" ]\n    stop_grace_period: 1s\n    \
         command: [ sh, -c, '{command}' ]\n    deploy:\n      replicas: 2\n      restart_policy: {{ delay: 1s }}\n      \
         update_config: {{ order: start-first, monitor: 2s, failure_action: rollback }}\n{more}"
    )
}

/// Runs on, unless its text is `bad`: then it ends after so many seconds.
pub fn crashing(key: &str, text: &str, after: u32) -> String {
    service(key, text, &format!("test $$TEXT = bad && sleep {after} && exit 3; exec idle"), "")
}

/// The tasks of a service that run.
fn running(scene: &Scene, service: &str) -> Vec<String> {
    let tasks = scene.lab.running(service);
    let mut ids: Vec<String> = tasks.iter().map(|task| task["ID"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

/// A scene in which the good version of a stack of one service runs.
fn good(text: &str) -> (Scene, crate::runner::Process) {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "defaults: { zeroDowntime: \"off\", timeout: 8s }");
    scene.repository.write("shop.yaml", &format!("services:\n{text}"));
    let revision = scene.repository.commit();
    let skep = scene.run();
    scene.synced("shop", &revision);
    (scene, skep)
}

/// Commits what will not come up, and demands that it ends held, that it was written once, that both old tasks have served on,
/// and that nothing is written afterwards.
fn fails(scene: &Scene, text: &str, because: &str) -> Value {
    let before = running(scene, "shop_web");
    assert_eq!(before.len(), 2);
    scene.proxy.forget();
    scene.repository.write("shop.yaml", &format!("services:\n{text}"));
    scene.repository.commit();
    let least = Cell::new(before.len());
    let held = scene.wait_status("shop", "held", |it| {
        let alive = running(scene, "shop_web");
        least.set(least.get().min(alive.iter().filter(|task| before.contains(task)).count()));
        it["held"].is_object()
    });
    println!("held: {}", held["held"]);
    assert!(says(&held, because), "{held:#}");
    assert_eq!(held["health"], "Degraded");
    wait_until(SOON, "the good version is back", || {
        let service = scene.lab.service("shop_web").expect("a service");
        service["UpdateStatus"]["State"] != "rollback_started" && scene.env("shop_web") == ["TEXT=good"]
    });
    let writes = scene.proxy.object_writes();
    let updates = writes.iter().filter(|it| it.path.starts_with("/services/")).count();
    assert!((1..=2).contains(&updates), "one rollout, and at most one way back: {writes:#?}");
    // What a loop would write, it would write by now.
    scene.resyncs(1);
    scene.proxy.forget();
    scene.resyncs(6);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    assert!(running(scene, "shop_web").len() >= 2, "it serves");
    println!("at least {} old tasks all the while", least.get());
    held
}

#[test]
fn a_version_that_crashes_at_once_is_rolled_back_and_its_last_words_are_told() {
    let say = "echo one: $$TEXT; test $$TEXT = bad && echo no database >&2 && exit 3; exec idle";
    let (scene, _skep) = good(&service("web", "good", say, ""));
    let before = running(&scene, "shop_web");
    let held = fails(&scene, &service("web", "bad", say, ""), "non-zero exit (3)");
    let mut logs: Vec<&str> =
        held["held"]["logs"].as_array().expect("lines").iter().filter_map(Value::as_str).collect();
    // Two outputs written at once reach the engine in either order.
    logs.sort_unstable();
    assert_eq!(logs, ["no database", "one: bad"]);
    assert!(running(&scene, "shop_web").iter().any(|task| before.contains(task)), "an old task served all the while");
    // Twenty commits that say nothing of it release nothing.
    scene.proxy.forget();
    for number in 0..20 {
        scene.repository.write("README.md", &format!("{number}\n"));
        scene.repository.commit();
    }
    let last = {
        scene.repository.write("README.md", "the last\n");
        scene.repository.commit()
    };
    scene.wait_status("shop", "still held", |it| it["held"].is_object() && it["revision"] == last.as_str());
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    // git takes it back: what runs already is wanted.
    let before = running(&scene, "shop_web");
    scene.repository.write("shop.yaml", &format!("services:\n{}", service("web", "good", say, "")));
    let reverted = scene.repository.commit();
    scene.wait_status("shop", "synced", |it| is_synced(it, &reverted) && it["held"].is_null());
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    assert_eq!(running(&scene, "shop_web"), before, "no task was restarted");
}

#[test]
fn a_version_that_crashes_after_a_second_is_rolled_back() {
    let (scene, _skep) = good(&crashing("web", "good", 1));
    fails(&scene, &crashing("web", "bad", 1), "rolled back");
}

#[test]
fn a_version_that_never_turns_healthy_costs_no_old_task() {
    let check = |test: &str| {
        let check = format!("    healthcheck: {{ test: [\"CMD-SHELL\", \"{test}\"], interval: 500ms, retries: 1 }}\n");
        move |text: &str| service("web", text, "exec idle", &check)
    };
    let (scene, _skep) = good(&check("true")("good"));
    let before = running(&scene, "shop_web");
    fails(&scene, &check("false")("bad"), "rolled back");
    assert_eq!(running(&scene, "shop_web"), before, "start-first: both served on");
}

#[test]
fn a_version_that_no_node_takes_goes_back_when_its_time_is_up() {
    let place = |text: &str, constraint: &str| {
        let text = service("web", text, "exec idle", "");
        text.replace(
            "      replicas: 2\n",
            &format!("      replicas: 2\n      placement: {{ constraints: [ {constraint} ] }}\n"),
        )
    };
    let (scene, _skep) = good(&place("good", "node.role == manager"));
    let before = running(&scene, "shop_web");
    fails(&scene, &place("bad", "node.labels.gpu == yes"), "no suitable node");
    assert!(running(&scene, "shop_web").iter().any(|task| before.contains(task)));
}

#[test]
fn an_image_that_is_nowhere_is_rolled_back() {
    let (scene, _skep) = good(&crashing("web", "good", 0));
    let bad = crashing("web", "bad", 0).replace("image: app:1", "image: nowhere:9");
    fails(&scene, &bad, "No such image: nowhere:9");
}

#[test]
fn a_newer_revision_supersedes_and_its_failure_leads_back_to_what_ran_well() {
    // The one in between never comes up, and would be what Swarm goes back to.
    let (scene, _skep) = good(&crashing("web", "good", 0));
    let slow = "    healthcheck: { test: [\"CMD-SHELL\", \"false\"], interval: 1s, start_period: 600s }\n";
    let between = service("web", "between", "exec idle", slow);
    scene.repository.declare(&["shop"], "defaults: { zeroDowntime: \"off\", timeout: 60s }");
    scene.repository.write("shop.yaml", &format!("services:\n{between}"));
    scene.repository.commit();
    wait_until(SOON, "the one in between rolls", || {
        scene.lab.service("shop_web").expect("a service")["UpdateStatus"]["State"] == "updating"
    });
    scene.repository.write("shop.yaml", &format!("services:\n{}", crashing("web", "bad", 0)));
    let bad = scene.repository.commit();
    let held = scene.wait_status_for(SOON * 2, "shop", "held", |it| {
        it["held"]["revision"] == bad.as_str() && scene.env("shop_web") == ["TEXT=good"]
    });
    println!("held: {}", held["held"]);
    scene.resyncs(1);
    scene.nothing_is_written();
    assert_eq!(scene.env("shop_web"), ["TEXT=good"]);
    wait_until(SOON, "it serves", || running(&scene, "shop_web").len() == 2);
}

#[test]
fn what_was_changed_beside_what_fails_goes_back_and_a_database_stays() {
    let three = |text: &str| {
        let volume = "    volumes: [ \"data:/data\" ]\n";
        let waits = "    depends_on: [ api ]\n";
        let web = service("web", text, "test $$TEXT = bad && exit 3; exec idle", waits);
        let (api, db) = (service("api", text, "exec idle", ""), service("db", text, "exec idle", volume));
        let same = service("same", "same", "exec idle", "");
        format!("{api}{db}{same}{web}volumes: {{ data: {{}} }}\n")
    };
    let (scene, _skep) = good(&three("good"));
    let same = running(&scene, "shop_same");
    scene.proxy.forget();
    scene.repository.write("shop.yaml", &format!("services:\n{}", three("bad")));
    scene.repository.commit();
    let held = scene.wait_status("shop", "held", |it| it["held"].is_object());
    println!("held: {}", held["held"]);
    assert_eq!(scene.env("shop_api"), ["TEXT=good"]);
    assert_eq!(scene.env("shop_web"), ["TEXT=good"]);
    assert_eq!(scene.env("shop_db"), ["TEXT=bad"], "it has a volume of its own");
    assert!(says(&held, "shop_api went back with it") && says(&held, "shop_db: it has a writable mount"), "{held:#}");
    assert_eq!(running(&scene, "shop_same"), same, "what did not change is not touched");
    scene.nothing_is_written();
    // In git's own words the same again: nothing of what went back is written.
    scene.proxy.forget();
    scene.repository.write("shop.yaml", &format!("services:\n{}", three("good")));
    let reverted = scene.repository.commit();
    scene.synced("shop", &reverted);
    let written: Vec<_> =
        scene.proxy.object_writes().into_iter().filter(|it| it.path.starts_with("/services")).collect();
    assert_eq!(written.len(), 1, "the database alone: {written:#?}");
}

#[test]
fn where_the_stack_says_hold_nothing_goes_back() {
    let two = |text: &str| {
        let web = service("web", text, "test $$TEXT = bad && exit 3; exec idle", "    depends_on: [ api ]\n");
        format!("{}{web}", service("api", text, "exec idle", ""))
    };
    let (scene, _skep) = good(&two("good"));
    scene.repository.declare(&["shop"], "defaults: { zeroDowntime: \"off\", onFailure: hold }");
    scene.repository.write("shop.yaml", &format!("services:\n{}", two("bad")));
    scene.repository.commit();
    scene.wait_status("shop", "held", |it| it["held"].is_object());
    assert_eq!(scene.env("shop_api"), ["TEXT=bad"]);
    wait_until(SOON, "Swarm has taken back what failed", || scene.env("shop_web") == ["TEXT=good"]);
    scene.nothing_is_written();
}

#[test]
fn services_come_one_after_the_other_as_they_depend_on_each_other() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "defaults: { zeroDowntime: \"off\" }");
    let chain = |text: &str| {
        let waits = |on: &str, condition: &str| format!("    depends_on: {{ {on}: {{ condition: {condition} }} }}\n");
        let job = format!(
            "  init:\n    image: app:1\n    environment: [ \"TEXT={text}\" ]\n    command: [ sleep, \"1\" ]\n    \
             deploy: {{ mode: replicated-job }}\n{}",
            waits("db", "service_started")
        );
        let db = service("db", text, "exec idle", "");
        let web = service("web", text, "exec idle", &waits("init", "service_completed_successfully"));
        format!("services:\n{db}{job}{web}")
    };
    scene.repository.write("shop.yaml", &chain("one"));
    let revision = scene.repository.commit();
    let _skep = scene.run();
    for (text, revision) in [("one", revision), ("two", String::new())] {
        let revision = if revision.is_empty() {
            scene.repository.write("shop.yaml", &chain(text));
            scene.repository.commit()
        } else {
            revision
        };
        scene.synced("shop", &revision);
        let writes = scene.proxy.object_writes();
        let names = writes.iter().filter_map(|it| it.body["Name"].as_str()).filter(|name| name.starts_with("shop_"));
        let names: Vec<_> = names.filter(|name| *name != "shop_default").collect();
        assert_eq!(names, ["shop_db", "shop_init", "shop_web"]);
        scene.proxy.forget();
    }
}
