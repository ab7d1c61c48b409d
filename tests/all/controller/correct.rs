//! Drift that is corrected, and drift that is not.

use std::time::Duration;

use serde_json::Value;

use super::scene::{SOON, Scene, is_synced, says};
use crate::wait::wait_until;

/// A stack whose drift is corrected, at the revision that is given back.
fn corrected(scene: &Scene) -> String {
    scene.repository.declare(&["shop"], "defaults: { sync: { drift: correct } }");
    scene.repository.stack("shop", &[("web", "one")]);
    scene.repository.commit()
}

fn label(scene: &Scene, key: &str) -> Value {
    scene.lab.service("shop_web").expect("a service")["Spec"]["Labels"][key].clone()
}

#[test]
fn drift_is_written_back_at_most_three_times_and_then_it_is_contested() {
    let scene = Scene::new();
    let revision = corrected(&scene);
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.nothing_is_written();
    for _ in 0..3 {
        scene.by_hand("shop_web", &["--label-add", "team=blue"]);
        wait_until(SOON, "the label is taken away", || label(&scene, "team").is_null());
        scene.synced("shop", &revision);
    }
    scene.by_hand("shop_web", &["--label-add", "team=blue"]);
    let is_contested = |it: &Value| says(it, "contested") && says(it, "label team") && it["sync"] == "OutOfSync";
    scene.wait_status("shop", "seen to be contested", is_contested);
    scene.proxy.forget();
    scene.resyncs(3);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    assert_eq!(label(&scene, "team"), "blue");
    // Another field of its own is none of theirs, but the service as a whole is left alone; git has the last word.
    scene.repository.stack("shop", &[("web", "two")]);
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    assert_eq!((scene.env("shop_web"), label(&scene, "team")), (vec!["TEXT=two".to_owned()], Value::Null));
    let history = scene.say(&["status", "-o", "json"]).json();
    assert!(history["stacks"][0]["held"].is_null(), "{history:#}");
}

#[test]
fn what_is_gone_is_made_again() {
    let scene = Scene::new();
    let revision = corrected(&scene);
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.lab.docker(1, &["service", "rm", "shop_web"]);
    wait_until(SOON, "the service is back", || scene.services("shop") == ["shop_web"]);
    scene.synced("shop", &revision);
}

#[test]
fn a_rollback_by_hand_holds_like_a_failure() {
    let scene = Scene::new();
    corrected(&scene);
    let _skep = scene.run();
    wait_until(SOON, "the service is there", || scene.services("shop") == ["shop_web"]);
    scene.repository.stack("shop", &[("web", "two")]);
    let second = scene.repository.commit();
    scene.synced("shop", &second);
    scene.proxy.forget();
    scene.lab.docker(1, &["service", "rollback", "--detach", "--quiet", "shop_web"]);
    scene.wait_status("shop", "held", |it| says(it, "rolled back by hand") && it["held"]["revision"] == second);
    scene.resyncs(3);
    assert_eq!(scene.env("shop_web"), ["TEXT=one"], "what a person did for a reason stays");
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    // An unrelated commit releases nothing; a person's word does.
    scene.repository.write("README", "words");
    scene.repository.commit();
    scene.resyncs(2);
    assert_eq!(scene.env("shop_web"), ["TEXT=one"]);
    scene.say(&["retry", "shop"]);
    wait_until(SOON, "it is as git says", || scene.env("shop_web") == ["TEXT=two"]);
    scene.wait_status("shop", "synced", |it| it["sync"] == "Synced" && it["held"].is_null());
}

#[test]
fn a_rollout_that_a_hand_started_is_waited_for() {
    let scene = Scene::new();
    let revision = corrected(&scene);
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.proxy.forget();
    // A rollout of some seconds: the engine watches each new task for that long.
    scene.by_hand("shop_web", &["--env-add", "TEXT=hand", "--update-monitor", "4s"]);
    let state = || scene.lab.service("shop_web").expect("a service")["UpdateStatus"]["State"].clone();
    wait_until(SOON, "the rollout begins", || state() == "updating");
    let writes = || !scene.proxy.object_writes().is_empty();
    let mut rolling = true;
    wait_until(Duration::from_secs(60), "it is corrected", || {
        // What is seen first is older than what is seen last.
        let wrote = writes();
        let still = state() == "updating";
        assert!(!(rolling && wrote && still && scene.env("shop_web") == ["TEXT=hand"]), "it was written over");
        rolling = still;
        wrote
    });
    scene.wait_status("shop", "as git says", |it| is_synced(it, &revision));
    assert_eq!(scene.env("shop_web"), ["TEXT=one"]);
}
