//! What hands change is shown, and left alone.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::scene::{Scene, is_synced, says};

#[test]
fn a_change_by_hand_is_shown_within_a_second_and_nothing_is_written() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    scene.repository.stack("shop", &[("web", "one")]);
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.proxy.forget();

    let cases: [(&[&str], &[&str], &str); 3] = [
        (&["--label-add", "team=blue"], &["--label-rm", "team"], "label team"),
        (&["--env-add", "DEBUG=1"], &["--env-rm", "DEBUG"], "env DEBUG"),
        (&["--replicas", "2"], &["--replicas", "1"], "replicas"),
    ];
    for (done, undone, field) in cases {
        scene.by_hand("shop_web", done);
        let begun = Instant::now();
        let shown = |it: &Value| it["sync"] == "OutOfSync" && says(it, "drift: shop_web") && says(it, field);
        scene.wait_status_for(Duration::from_secs(10), "shop", "seen to drift", shown);
        println!("{field}: shown after {:?} (aim: 1 s)", begun.elapsed());
        scene.by_hand("shop_web", undone);
        scene.synced("shop", &revision);
    }
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());

    // The next change in git takes the service as git says, drift included.
    scene.by_hand("shop_web", &["--label-add", "team=blue"]);
    scene.wait_status("shop", "seen to drift", |it| says(it, "label team"));
    scene.repository.stack("shop", &[("web", "two")]);
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    let service = scene.lab.service("shop_web").expect("a service");
    assert_eq!(service["Spec"]["Labels"].get("team"), None, "{service:#}");
    assert_eq!(scene.env("shop_web"), ["TEXT=two"]);
}

#[test]
fn a_service_deleted_by_hand_is_shown_and_not_made_again() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    scene.repository.stack("shop", &[("web", "one"), ("db", "one")]);
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.proxy.forget();
    scene.lab.docker(1, &["service", "rm", "shop_db"]);
    scene.wait_status("shop", "seen to drift", |it| it["sync"] == "OutOfSync" && says(it, "shop_db is gone"));
    scene.resyncs(2);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
}

#[test]
fn drift_that_is_ignored_is_not_shown() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "defaults: { sync: { drift: ignore } }");
    scene.repository.stack("shop", &[("web", "one")]);
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.proxy.forget();
    scene.by_hand("shop_web", &["--label-add", "team=blue"]);
    scene.resyncs(3);
    let status = scene.status("shop");
    assert!(is_synced(&status, &revision) && status["reason"] == "", "{status:#}");
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
}
