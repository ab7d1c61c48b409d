//! Hooks: jobs that run before, after, or when it failed, once an attempt, whoever is killed meanwhile.

use super::rollout::service;
use super::scene::{SOON, Scene, says};
use crate::wait::wait_until;

/// A job that is a hook.
fn hook(key: &str, kind: &str, command: &str) -> String {
    format!(
        "  {key}:\n    image: app:1\n    command: [ sh, -c, '{command}' ]\n    x-skep: {{ hook: {kind} }}\n    \
         deploy: {{ mode: replicated-job, restart_policy: {{ condition: none }} }}\n"
    )
}

/// How often a job has run; nothing where there is no such service.
fn runs(scene: &Scene, service: &str) -> Option<u64> {
    let service = scene.lab.service(service)?;
    Some(service["JobStatus"]["JobIteration"]["Index"].as_u64().unwrap_or(0) + 1)
}

#[test]
fn hooks_run_once_for_each_revision_that_writes_something() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "defaults: { zeroDowntime: \"off\" }");
    let file = |text: &str, migrate: &str| {
        let hooks = [hook("migrate", "pre-deploy", migrate), hook("smoke", "post-deploy", "exit 0")].concat();
        let web = service("web", text, "test $$TEXT = bad && exit 3; exec idle", "");
        format!("services:\n{hooks}{}{web}", hook("alarm", "on-failure", "exit 0"))
    };
    scene.repository.write("shop.yaml", &file("one", "exit 0"));
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    let counts = |scene: &Scene| ["migrate", "smoke", "alarm"].map(|it| runs(scene, &format!("shop_{it}")));
    assert_eq!(counts(&scene), [Some(1), Some(1), None]);

    scene.proxy.forget();
    scene.repository.write("shop.yaml", &file("two", "exit 0"));
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    assert_eq!(counts(&scene), [Some(2), Some(2), None]);
    let writes = scene.proxy.object_writes();
    let order: Vec<_> = writes.iter().filter_map(|it| it.body["Name"].as_str()).collect();
    assert_eq!(order, ["shop_migrate", "shop_web", "shop_smoke"]);

    // What says nothing of the stack runs nothing.
    scene.repository.write("README.md", "unrelated\n");
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    scene.nothing_is_written();
    assert_eq!(counts(&scene), [Some(2), Some(2), None]);

    // After a migration nothing goes back but what Swarm takes back itself; the alarm rings once.
    scene.repository.write("shop.yaml", &file("bad", "exit 0"));
    scene.repository.commit();
    scene.wait_status("shop", "held", |it| it["held"].is_object());
    assert_eq!(counts(&scene), [Some(3), Some(2), Some(1)]);
    scene.nothing_is_written();

    // A migration that fails stops the stack before anything is written, and its words are told.
    scene.repository.write("shop.yaml", &file("three", "echo no table users; exit 7"));
    let failed = scene.repository.commit();
    let held = scene.wait_status("shop", "held", |it| it["held"]["revision"] == failed.as_str());
    assert!(says(&held, "shop_migrate") && says(&held, "exit (7)"), "{held:#}");
    assert_eq!(held["held"]["logs"][0], "no table users");
    wait_until(SOON, "web is as it was", || scene.env("shop_web") == ["TEXT=two"]);
    assert_eq!(runs(&scene, "shop_smoke"), Some(2));
    assert_eq!(runs(&scene, "shop_alarm"), Some(2));
    scene.nothing_is_written();
}

#[test]
fn a_controller_killed_between_any_two_writes_runs_each_hook_once() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "defaults: { zeroDowntime: \"off\" }");
    // Two waves of five services without tasks, and hooks around them.
    let commit = |text: &str| {
        let one = |key: &str, more: &str| service(key, text, "exec idle", more).replace("replicas: 2", "replicas: 0");
        let second = "    depends_on: [ a, b ]\n";
        let services = [one("a", ""), one("b", ""), one("c", second), one("d", second), one("e", second)].concat();
        let hooks = hook("before", "pre-deploy", "exit 0") + &hook("then", "post-deploy", "exit 0");
        scene.repository.write("shop.yaml", &format!("services:\n{services}{hooks}"));
        scene.repository.commit()
    };
    let mut skep = scene.run();
    let revision = commit("first");
    scene.synced("shop", &revision);
    let mut held = 0;
    let _skep = loop {
        let text = format!("held-{held}");
        let (before, then) = (runs(&scene, "shop_before"), runs(&scene, "shop_then"));
        let write = match scene.killed_at(held + 1, skep, || commit(&text)) {
            Ok((next, write)) => {
                skep = next;
                write
            }
            Err(skep) => break skep,
        };
        for key in ["a", "b", "c", "d", "e"] {
            assert_eq!(scene.env(&format!("shop_{key}")), [format!("TEXT={text}")]);
        }
        let ran = (runs(&scene, "shop_before"), runs(&scene, "shop_then"));
        assert_eq!(ran, (before.map(|it| it + 1), then.map(|it| it + 1)), "killed at write {}: {write}", held + 1);
        held += 1;
    };
    println!("{held} writes of one change");
    assert!(held >= 10, "the record, five services, two hooks, renderings and records between the waves: {held}");
}
