//! What did not change is not touched: counted at the socket.

use std::time::Duration;

use super::repository::service;
use super::scene::{SOON, Scene};

#[test]
fn nothing_is_written_when_nothing_changed() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop", "blog"], "");
    let uses = "    configs: [ site ]\n    secrets: [ key ]\n    networks: [ inside ]\n    ports: [ \"8080:80\" ]\n";
    let objects =
        "configs:\n  site: { file: ./site.conf }\nsecrets:\n  key: { file: ./key.txt }\nnetworks:\n  inside: {}\n";
    repository.write("shop.yaml", &format!("services:\n{}{objects}", service("web", "one", uses)));
    repository.write("site.conf", "listen 80\n");
    repository.write("key.txt", "s3cret\n");
    repository.stack("blog", &[("web", "one"), ("db", "one")]);
    let revision = repository.commit();
    let skep = scene.run();
    scene.synced("shop", &revision);
    scene.synced("blog", &revision);

    scene.nothing_is_written();
    skep.terminate(SOON).expect(0);
    for _ in 0..2 {
        scene.proxy.forget();
        let mut skep = scene.run();
        skep.wait_log(Duration::from_secs(20), "leading");
        scene.resyncs(3);
        assert!(scene.writes().is_empty(), "after a restart: {:#?}", scene.writes());
        skep.terminate(SOON).expect(0);
    }
    // A commit that says nothing of a stack moves its record to the revision, and touches no object.
    let _skep = scene.run();
    scene.proxy.forget();
    repository.write("README.md", "hello\n");
    let unrelated = repository.commit();
    scene.synced("shop", &unrelated);
    scene.synced("blog", &unrelated);
    scene.resyncs(2);
    let objects = scene.proxy.object_writes();
    assert!(objects.is_empty(), "{objects:#?}");
    scene.nothing_is_written();
}
