//! Plans that a controller carries out in waves: networks that are replaced, deletions, and what guards them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::repository::{service, stack};
use super::scene::{SOON, Scene, says};
use crate::wait::wait_until;

/// Two services on a network of the stack.
fn talking(text: &str, network: &str) -> String {
    format!("{}networks:\n  default: {{{network}}}\n", stack(&[("api", text), ("web", text)]))
}

/// The names of the networks that a service is attached to.
fn networks(scene: &Scene, name: &str) -> BTreeSet<String> {
    let all = scene.lab.api(1, "/networks");
    let service = scene.lab.service(name).expect("a service");
    let attached = service["Spec"]["TaskTemplate"]["Networks"].as_array().cloned().unwrap_or_default();
    let known = |id: &Value| all.as_array().expect("a list").iter().find(|it| it["Id"] == *id);
    attached.iter().filter_map(|it| Some(known(&it["Target"])?["Name"].as_str()?.to_owned())).collect()
}

#[test]
fn services_share_a_network_all_the_while_it_is_replaced() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    scene.repository.write("shop.yaml", &talking("one", ""));
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.repository.write("shop.yaml", &talking("one", "attachable: true"));
    let revision = scene.repository.commit();
    let mut seen = BTreeSet::new();
    wait_until(SOON * 2, "the move is over", || {
        let (api, web) = (networks(&scene, "shop_api"), networks(&scene, "shop_web"));
        assert!(api.intersection(&web).next().is_some(), "apart: {api:?} {web:?}");
        seen.insert(api.len() + web.len());
        scene.is_synced("shop", &revision) && !api.contains("shop_default")
    });
    assert!(seen.contains(&4), "both were on both: {seen:?}");
    let (api, web) = (networks(&scene, "shop_api"), networks(&scene, "shop_web"));
    assert_eq!(api, web);
    assert!(api.iter().all(|name| name.starts_with("shop_default-")), "{api:?}");
    scene.nothing_is_written();
    // With the next rollout nothing leads back to the old network, and it goes.
    scene.repository.write("shop.yaml", &talking("two", "attachable: true"));
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    scene.network_goes("shop_default");
}

#[test]
fn what_is_deleted_waits_until_what_replaces_it_is_healthy() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "defaults: { timeout: 8s }");
    scene.repository.stack("shop", &[("old", "one"), ("web", "one")]);
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    // What takes its place never comes up.
    let broken = stack(&[("web", "one")])
        + &service("new", "one", "    healthcheck: { test: [\"CMD\", \"/no\"], interval: 1s }\n");
    scene.repository.write("shop.yaml", &broken);
    scene.repository.commit();
    wait_until(SOON, "the new one is made", || scene.services("shop").iter().any(|name| name == "shop_new"));
    scene.wait_status("shop", "seen to fail", |it| it["health"] == "Degraded");
    scene.resyncs(2);
    assert!(scene.services("shop").iter().any(|name| name == "shop_old"), "it still serves");
    scene.repository.stack("shop", &[("new", "two"), ("web", "one")]);
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    assert_eq!(
        scene.services("shop").into_iter().collect::<BTreeSet<_>>(),
        ["shop_new", "shop_web"].map(str::to_owned).into()
    );
}

#[test]
fn another_mode_is_a_new_service() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    scene.repository.stack("shop", &[("web", "one")]);
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    let before = scene.lab.service("shop_web").expect("a service")["ID"].clone();
    let global = stack(&[("web", "one")]).replace("replicas: 1", "mode: global");
    scene.repository.write("shop.yaml", &global);
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    let service = scene.lab.service("shop_web").expect("a service");
    assert_ne!(service["ID"], before);
    assert!(service["Spec"]["Mode"]["Global"].is_object(), "{service:#}");
    scene.nothing_is_written();
}

#[test]
fn deletions_are_guarded_until_somebody_says_so() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    let protected = service("db", "one", "    x-skep: { protect: true }\n");
    let full = stack(&[("a", "one"), ("b", "one"), ("c", "one")]) + &protected;
    scene.repository.write("shop.yaml", &full);
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.proxy.forget();
    // Most of the stack at once.
    scene.repository.write("shop.yaml", &(stack(&[]) + &protected));
    scene.repository.commit();
    scene.wait_status("shop", "blocked", |it| says(it, "plan/too-many-deletions") && it["sync"] == "OutOfSync");
    assert_eq!(scene.services("shop").len(), 4);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    scene.say(&["sync", "--allow-delete", "shop"]);
    wait_until(SOON, "they are gone", || scene.services("shop") == ["shop_db"]);
    scene.wait_status("shop", "synced", |it| it["sync"] == "Synced");
    // What is protected: no word is enough.
    scene.repository.stack("shop", &[("a", "one")]);
    scene.repository.commit();
    scene.wait_status("shop", "blocked", |it| says(it, "plan/protected"));
    scene.say(&["sync", "--allow-delete", "shop"]);
    scene.resyncs(2);
    assert!(scene.services("shop").iter().any(|name| name == "shop_db"));
    // Let go in a commit of its own, it goes.
    scene.repository.write("shop.yaml", &(stack(&[("a", "one")]) + &service("db", "one", "")));
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    scene.repository.stack("shop", &[("a", "one")]);
    let revision = scene.repository.commit();
    scene.synced("shop", &revision);
    assert_eq!(scene.services("shop"), ["shop_a"]);
}
