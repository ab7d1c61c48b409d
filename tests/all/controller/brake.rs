//! The brake: a person's word in the records stops the controller.

use super::scene::{Scene, says};

#[test]
fn a_suspended_stack_is_not_written_until_it_is_resumed() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop", "blog"], "");
    repository.stack("shop", &[("web", "one")]);
    repository.stack("blog", &[("web", "one")]);
    let revision = repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.synced("blog", &revision);

    scene.say(&["suspend", "--all", "--reason", "the sale is on", "--for", "2h"]);
    let suspended = scene.wait_status("blog", "suspended", |it| it["health"] == "Suspended");
    assert!(says(&suspended, "the sale is on") && suspended["suspended"]["until"].is_string(), "{suspended:#}");
    scene.proxy.forget();
    repository.stack("shop", &[("web", "two")]);
    repository.stack("blog", &[("site", "two")]);
    let next = repository.commit();
    scene.wait_status("shop", "seen to differ", |it| it["sync"] == "OutOfSync" && it["revision"] == next.as_str());
    scene.resyncs(2);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());

    scene.say(&["resume", "shop"]);
    scene.synced("shop", &next);
    assert_eq!(scene.env("shop_web"), ["TEXT=two"]);
    assert_eq!(scene.services("blog"), ["blog_web"], "the other one is still suspended");
    scene.say(&["resume", "--all"]);
    scene.synced("blog", &next);
    assert_eq!(scene.services("blog"), ["blog_site"]);
}

#[test]
fn a_suspension_ends_by_itself() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    scene.repository.stack("shop", &[("web", "one")]);
    let revision = scene.repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.say(&["suspend", "shop", "--reason", "a moment", "--for", "4s"]);
    scene.repository.stack("shop", &[("web", "two")]);
    let next = scene.repository.commit();
    scene.wait_status("shop", "suspended", |it| it["health"] == "Suspended" && it["revision"] == next.as_str());
    scene.synced("shop", &next);
}
