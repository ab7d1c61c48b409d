//! A service that no stack made, imported into a repository: the controller takes it over as it is.

use std::time::Duration;

use super::scene::{SOON, Scene, says};
use crate::wait::wait_until;

#[test]
fn a_service_that_no_stack_made_is_adopted_followed_and_deleted_with_its_stack() {
    let scene = Scene::new();
    let made = ["service", "create", "--detach", "--no-resolve-image", "--name", "web", "--env", "TEXT=one"];
    scene.lab.docker(1, &[&made[..], &["--stop-grace-period", "1s", "--update-monitor", "500ms", "app:1"]].concat());
    wait_until(SOON, "it runs", || scene.lab.running("web").len() == 1);
    let begun = scene.objects("/services");
    let imported = scene.say(&["import", "shop", "--service", "web"]);
    assert_eq!(imported.stderr, "");
    scene.repository.declare(&["shop"], "");
    scene.repository.write("shop.yaml", &imported.stdout);
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.resyncs(2);
    assert_eq!(scene.objects("/services"), begun, "adopting writes no object");

    scene.lab.docker(1, &["service", "update", "--detach", "--no-resolve-image", "--env-add", "DEBUG=1", "web"]);
    let shown = |it: &serde_json::Value| it["sync"] == "OutOfSync" && says(it, "env DEBUG");
    scene.wait_status_for(Duration::from_secs(10), "shop", "seen to drift", shown);

    let changed = imported.stdout.replace("TEXT: one", "TEXT: two");
    assert_ne!(changed, imported.stdout);
    scene.repository.write("shop.yaml", &changed);
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    assert_eq!(scene.env("web"), ["TEXT=two"], "under its own name, as git says");

    scene.repository.stack("shop", &[("other", "one")]);
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    wait_until(SOON, "it is deleted", || scene.lab.service("web").is_none());
}
