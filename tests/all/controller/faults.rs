//! What cannot be loaded is not an empty stack: nothing of it is deleted, and the last good revision runs on.

use std::time::Duration;

use super::repository::declaration;
use super::scene::{Scene, is_synced, says};
use crate::wait::wait_until;

const BROKEN: &str = "services:\n  web: { image: app:1\n";

#[test]
fn what_does_not_load_deletes_nothing_and_is_said() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop", "blog"], "defaults: { sync: { removed: delete } }");
    repository.stack("shop", &[("web", "one")]);
    repository.stack("blog", &[("web", "one")]);
    let good = repository.commit();
    let skep = scene.run();
    scene.synced("shop", &good);
    scene.synced("blog", &good);
    let shop = scene.lab.service("shop_web");
    let unharmed = |what: &str| assert_eq!(scene.lab.service("shop_web"), shop, "{what}");

    // One bad stack does not stop the others.
    repository.write("shop.yaml", BROKEN);
    repository.stack("blog", &[("web", "two")]);
    let revision = repository.commit();
    scene.synced("blog", &revision);
    let status = scene.wait_status("shop", "refused", |it| it["sync"] == "OutOfSync" && says(it, "shop.yaml:"));
    assert_eq!(status["revision"], good.as_str(), "the last good revision runs: {status:#}");
    unharmed("a stack that does not parse");
    let blog = scene.objects("/services");

    // Neither does a stack that never loaded.
    repository.write("new.yaml", BROKEN);
    repository.declare(&["shop", "blog", "new"], "defaults: { sync: { removed: delete } }");
    repository.commit();
    scene.wait_status("new", "shown", |it| says(it, "invalid at") && says(it, "new.yaml:"));

    let faults: [(&str, &dyn Fn(), &str); 3] = [
        ("a skep.yaml that does not parse", &|| repository.write("skep.yaml", "version: 1\nstacks: [\n"), "skep.yaml"),
        ("no skep.yaml", &|| repository.remove("skep.yaml"), "there is no skep.yaml"),
        (
            "an empty repository",
            &|| {
                repository.git(&["rm", "-r", "-q", "."]);
            },
            "there is no skep.yaml",
        ),
    ];
    for (what, fault, said) in faults {
        fault();
        repository.commit();
        let status = scene.wait_status("blog", what, |it| says(it, "source:") && says(it, said));
        println!("{what}: {}", status["reason"]);
        scene.resyncs(1);
        assert_eq!(scene.objects("/services"), blog, "{what}");
    }

    // A controller that starts with that knows nothing of what was declared, and deletes nothing either.
    scene.proxy.forget();
    skep.kill();
    scene.release_lease();
    let skep = scene.run();
    scene.wait_status("blog", "unknown", |it| it["sync"] == "Unknown" && says(it, "there is no skep.yaml"));
    scene.resyncs(2);
    assert_eq!(scene.objects("/services"), blog, "after a restart");
    assert!(scene.proxy.object_writes().is_empty());

    // The repository is gone altogether.
    std::fs::rename(repository.path(), repository.elsewhere()).expect("moved away");
    skep.kill();
    scene.release_lease();
    let mut skep = scene.run();
    skep.wait_log(Duration::from_secs(20), "source cannot be read");
    scene.resyncs(2);
    assert_eq!(scene.objects("/services"), blog, "without a repository");
    std::fs::rename(repository.elsewhere(), repository.path()).expect("moved back");
    repository.write("skep.yaml", &declaration(&["shop", "blog"], ""));
    repository.stack("shop", &[("web", "one")]);
    repository.stack("blog", &[("web", "three")]);
    let mended = repository.commit();
    scene.synced("shop", &mended);
    scene.synced("blog", &mended);
    unharmed("all of it");
    wait_until(Duration::from_secs(10), "what never ran is forgotten", || scene.status("new").is_null());
}

#[test]
fn a_repository_that_goes_away_under_a_running_controller_leaves_all_as_it_is() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    repository.stack("shop", &[("web", "one")]);
    let good = repository.commit();
    let _skep = scene.run_with(&{
        let mut configuration = scene.configuration();
        configuration["sources"][0]["interval"] = "1s".into();
        configuration
    });
    scene.synced("shop", &good);
    scene.proxy.forget();
    std::fs::rename(repository.path(), repository.elsewhere()).expect("moved away");
    let status = scene.wait_status("shop", "in trouble", |it| says(it, "source:"));
    println!("moved away: {}", status["reason"]);
    scene.resyncs(2);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    std::fs::rename(repository.elsewhere(), repository.path()).expect("moved back");
    scene.wait_status("shop", "well again", |it| is_synced(it, &good) && it["reason"] == "");
    repository.stack("shop", &[("web", "two")]);
    let next = repository.commit();
    scene.synced("shop", &next);
}

#[test]
fn a_skep_yaml_for_another_cluster_writes_nothing() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "cluster: prod");
    scene.repository.stack("shop", &[("web", "one")]);
    scene.repository.commit();
    let mut skep = scene.run();
    skep.wait_log(Duration::from_secs(20), "skep.yaml is for cluster `prod`, and this swarm is `test`");
    scene.resyncs(2);
    assert!(scene.writes().is_empty(), "{:#?}", scene.writes());

    // A fleet that runs is not touched by a commit that is meant for another.
    scene.repository.declare(&["shop"], "cluster: test");
    let good = scene.repository.commit();
    scene.synced("shop", &good);
    scene.proxy.forget();
    scene.repository.declare(&[], "cluster: prod\ndefaults: { sync: { removed: delete } }");
    scene.repository.commit();
    scene.wait_status("shop", "locked", |it| says(it, "is for cluster `prod`"));
    scene.resyncs(2);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
}
