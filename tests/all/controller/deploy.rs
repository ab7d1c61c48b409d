//! The main job: what git says is what runs.

use std::time::{Duration, SystemTime};

use super::scene::{SOON, Scene};
use crate::wait::wait_until;

#[test]
fn a_commit_is_deployed_rolled_out_renamed_and_pruned() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    repository.stack("shop", &[("web", "one"), ("back", "one")]);
    let first = repository.commit();
    let skep = scene.run();
    scene.synced("shop", &first);
    assert_eq!(scene.services("shop"), ["shop_back", "shop_web"]);
    assert_eq!(scene.lab.running("shop_web").len(), 1);
    let back = scene.lab.service("shop_back");

    repository.stack("shop", &[("web", "two"), ("back", "one")]);
    let second = repository.commit();
    let moved = repository.moved();
    let started = || skep.log().lines().any(|line| line.contains("applying") && line.contains(&second));
    wait_until(SOON, "its reconcile began", started);
    let took = SystemTime::now().duration_since(moved).expect("a clock that goes forward");
    println!("from the commit to the record of its attempt: {took:?} (aim: 100 ms)");
    assert!(took < Duration::from_secs(1), "{took:?}");
    scene.synced("shop", &second);
    assert_eq!(scene.env("shop_web"), ["TEXT=two"]);
    assert_eq!(scene.lab.service("shop_back"), back, "what did not change is not touched");

    scene.proxy.forget();
    repository.stack("shop", &[("site", "two"), ("back", "one")]);
    let third = repository.commit();
    scene.synced("shop", &third);
    assert_eq!(scene.services("shop"), ["shop_back", "shop_site"]);
    let order: Vec<String> = scene.proxy.object_writes().into_iter().map(|it| it.method).collect();
    assert_eq!(order, ["POST", "DELETE"], "the new one is made before the old one goes");

    repository.stack("shop", &[("back", "one")]);
    let fourth = repository.commit();
    scene.synced("shop", &fourth);
    assert_eq!(scene.services("shop"), ["shop_back"]);
    wait_until(SOON, "its task is gone", || scene.lab.running("shop_site").is_empty());
    assert_eq!(scene.lab.service("shop_back"), back, "through all of it");
}

#[test]
fn a_directory_without_git_is_followed_too() {
    let scene = Scene::new();
    std::fs::remove_dir_all(scene.repository.path().join(".git")).expect("a repository");
    scene.repository.declare(&["shop"], "");
    scene.repository.stack("shop", &[("web", "one")]);
    let _skep = scene.run();
    scene.wait_status("shop", "synced", |it| it["sync"] == "Synced" && it["health"] == "Healthy");
    scene.repository.stack("shop", &[("web", "two")]);
    wait_until(SOON, "the change arrived", || scene.env("shop_web") == ["TEXT=two"]);
    scene.wait_status("shop", "synced", |it| it["sync"] == "Synced" && it["health"] == "Healthy");
}

#[test]
fn a_stack_is_first_deployed_when_what_it_depends_on_is_healthy() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.write(
        "skep.yaml",
        "version: 1\nstacks:\n  - { name: app, files: app.yaml, dependsOn: base }\n  - { name: base, files: base.yaml }\n",
    );
    repository.stack("app", &[("web", "one")]);
    repository.stack("base", &[("db", "one")]);
    let first = repository.commit();
    let _skep = scene.run();
    scene.synced("app", &first);
    scene.synced("base", &first);
    let made = |name: &str| scene.lab.service(name).expect("deployed")["CreatedAt"].as_str().map(str::to_owned);
    assert!(made("base_db") < made("app_web"), "{:?}, {:?}", made("base_db"), made("app_web"));
}

#[test]
fn what_may_not_run_is_foreseen_in_the_log_and_applied_all_the_same() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    let placed = "    deploy: { placement: { constraints: [node.labels.disk==ssd] } }\n";
    let service = super::repository::service("web", "one", placed);
    scene.repository.write("shop.yaml", &format!("services:\n{service}"));
    scene.repository.commit();
    let mut skep = scene.run();
    skep.wait_log(SOON, "feasibility/constraints");
    wait_until(SOON, "it is applied", || scene.lab.service("shop_web").is_some());
    scene.lab.docker(1, &["node", "update", "--label-add", "disk=ssd", "n1"]);
    scene.wait_status("shop", "synced", |it| it["sync"] == "Synced" && it["health"] == "Healthy");
    let log = skep.log();
    assert_eq!(log.lines().filter(|line| line.contains("feasibility/constraints")).count(), 1, "{log}");
}
