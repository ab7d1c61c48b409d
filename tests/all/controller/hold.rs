//! What failed is held: it is not tried again in a loop.

use super::scene::{Scene, is_synced, says};

/// A service whose tasks end at once when the text is `bad`.
fn stack(text: &str, action: &str) -> String {
    format!(
        "services:\n  web:\n    image: app:1\n    environment: [ \"TEXT={text}\" ]\n    stop_grace_period: 1s\n    \
         command: [ sh, -c, 'test $$TEXT = bad && exit 3; exec idle' ]\n    deploy:\n      replicas: 1\n      \
         restart_policy: {{ delay: 1s }}\n      update_config: {{ monitor: 3s, failure_action: {action} }}\n"
    )
}

#[test]
fn a_revision_that_swarm_rolls_back_is_held_until_git_or_a_person_says_so() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    repository.write("shop.yaml", &stack("good", "rollback"));
    let good = repository.commit();
    let skep = scene.run();
    scene.synced("shop", &good);

    repository.write("shop.yaml", &stack("bad", "rollback"));
    let bad = repository.commit();
    let held = scene.wait_status("shop", "held", |it| it["held"].is_object());
    println!("held: {held:#}");
    assert_eq!((&held["held"]["revision"], &held["health"]), (&bad.clone().into(), &"Degraded".into()));
    assert!(says(&held, "held:") && says(&held, "shop_web"), "{held:#}");
    scene.wait_status("shop", "back on the good spec", |_| scene.env("shop_web") == ["TEXT=good"]);

    // Nothing is written, over several looks, a restart, and a commit that says nothing of this stack.
    scene.resyncs(1);
    scene.nothing_is_written();
    skep.terminate(super::scene::SOON).expect(0);
    let _skep = scene.run();
    repository.write("README.md", "unrelated\n");
    let unrelated = repository.commit();
    scene.proxy.forget();
    scene.wait_status("shop", "still held", |it| it["held"].is_object() && it["revision"] == unrelated.as_str());
    scene.resyncs(5);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());

    // `sync` does not release it, `retry` does: it is tried once more, and fails again.
    scene.skep().run(&["sync", "shop"]).expect(5);
    let since = scene.status("shop")["held"]["since"].clone();
    scene.say(&["retry", "shop"]);
    scene.wait_status("shop", "held again", |it| it["held"].is_object() && it["held"]["since"] != since);
    let tried = scene.proxy.object_writes().len();
    assert_eq!(tried, 1, "one more attempt");
    scene.wait_status("shop", "back on the good spec", |_| {
        let service = scene.lab.service("shop_web").unwrap_or_default();
        service["UpdateStatus"]["State"] == "rollback_completed"
    });

    // git takes it back: what runs already is what it says.
    scene.proxy.forget();
    repository.write("shop.yaml", &stack("good", "rollback"));
    let reverted = repository.commit();
    let status = scene.synced("shop", &reverted);
    assert!(status["held"].is_null(), "{status:#}");
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());

    // A better commit is applied.
    repository.write("shop.yaml", &stack("better", "rollback"));
    let better = repository.commit();
    scene.synced("shop", &better);
}

#[test]
fn a_revision_that_swarm_pauses_is_held_and_a_good_commit_goes_on() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    repository.write("shop.yaml", &stack("good", "pause"));
    let good = repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &good);
    repository.write("shop.yaml", &stack("bad", "pause"));
    repository.commit();
    let held = scene.wait_status("shop", "held", |it| it["held"].is_object());
    assert!(says(&held, "paused") && held["health"] == "Degraded", "{held:#}");
    scene.resyncs(1);
    scene.proxy.forget();
    scene.resyncs(5);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    repository.write("shop.yaml", &stack("good", "pause"));
    let reverted = repository.commit();
    scene.wait_status("shop", "well again", |it| is_synced(it, &reverted) && it["held"].is_null());
    assert_eq!(scene.env("shop_web"), ["TEXT=good"]);
}

#[test]
fn a_service_that_the_engine_refuses_is_held_with_its_words() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    // What a template may say, only the engine knows.
    let file = |host: &str| {
        let host = format!("    hostname: \"{host}\"\n");
        format!("{}{host}", super::repository::stack(&[("web", "one")]))
    };
    repository.write("shop.yaml", &file("web"));
    let good = repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &good);
    repository.write("shop.yaml", &file("{{.Nope}}"));
    repository.commit();
    let held = scene.wait_status("shop", "held", |it| it["held"].is_object());
    assert!(says(&held, "expanding hostname failed"), "{held:#}");
    scene.resyncs(1);
    scene.nothing_is_written();
    repository.write("shop.yaml", &file("web"));
    let reverted = repository.commit();
    scene.synced("shop", &reverted);
}

#[test]
fn a_port_that_another_service_has_blocks_a_stack_until_it_is_free() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    scene.lab.docker(1, &["service", "create", "--detach", "--name", "other", "--publish", "8082:80", "app:1"]);
    let web = super::repository::service("web", "one", "    ports: [ \"8082:80\" ]\n");
    repository.write("shop.yaml", &format!("services:\n{web}"));
    let only = repository.commit();
    let _skep = scene.run();
    let blocked = scene.wait_status("shop", "blocked", |it| it["sync"] == "OutOfSync");
    let reason = "blocked: web: port 8082/tcp is published by service other already [plan/port-taken]";
    assert_eq!(blocked["reason"], reason, "{blocked:#}");
    assert!(blocked["held"].is_null(), "{blocked:#}");
    scene.lab.docker(1, &["service", "rm", "other"]);
    scene.synced("shop", &only);
}
