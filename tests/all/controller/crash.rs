//! `kill -9` at any moment is repaired by the next controller: everything converges, nothing is left over.

use std::time::{Duration, SystemTime};

use super::repository::service;
use super::scene::{SOON, Scene};
use crate::wait::wait_until;

#[test]
fn a_controller_killed_at_random_moments_leaves_nothing_behind() {
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").subsec_nanos();
    println!("seed {seed}");
    let mut random = Random(u64::from(seed) | 1);
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    for round in 0..20 {
        scene.release_lease();
        let skep = scene.run();
        commit(&scene, &format!("round-{round}"), 1);
        // The moment is the point: from the start of the process to the middle of the rollout.
        std::thread::sleep(Duration::from_millis(random.below(1500)));
        skep.kill();
    }
    scene.release_lease();
    let skep = scene.run();
    let last = commit(&scene, "last", 1);
    scene.synced("shop", &last);
    converged(&scene, "last");
    skep.kill();
    scene.release_lease();
    let _skep = scene.run();
    ends_without_a_trace(&scene);
}

#[test]
fn a_controller_killed_between_any_two_writes_leaves_nothing_behind() {
    let scene = Scene::new();
    scene.repository.declare(&["shop"], "");
    let mut skep = scene.run();
    // Two changes, so that each later one also deletes what the one before the last has left.
    for text in ["first", "second", "third"] {
        let revision = commit(&scene, text, 0);
        scene.synced("shop", &revision);
    }
    let mut held = 0;
    // Writes are what is looked at here, and without tasks there is no rollout to wait for.
    let _skep = loop {
        let text = format!("held-{held}");
        match scene.killed_at(held + 1, skep, || commit(&scene, &text, 0)) {
            Ok((next, _)) => skep = next,
            Err(skep) => break skep,
        }
        converged(&scene, &text);
        held += 1;
    };
    println!("{held} writes of one change");
    assert!(held >= 8, "the record, a config, a secret, two services, the rendering, the record, deletions: {held}");
    ends_without_a_trace(&scene);
}

/// A change of everything that a stack has.
fn commit(scene: &Scene, text: &str, replicas: u8) -> String {
    let repository = &scene.repository;
    let uses = "    configs: [ site ]\n    secrets: [ key ]\n    networks: [ inside ]\n";
    let objects =
        "configs: { site: { file: ./site.conf } }\nsecrets: { key: { file: ./key.txt } }\nnetworks: { inside: {} }\n";
    let services = service("web", text, uses) + &service("back", text, uses);
    let services = services.replace("replicas: 1", &format!("replicas: {replicas}"));
    repository.write("shop.yaml", &format!("services:\n{services}{objects}"));
    repository.write("site.conf", &format!("site {text}\n"));
    repository.write("key.txt", &format!("key {text}\n"));
    repository.commit()
}

/// Everything is there once.
#[track_caller]
fn converged(scene: &Scene, text: &str) {
    assert_eq!(scene.services("shop"), ["shop_back", "shop_web"]);
    for service in ["shop_back", "shop_web"] {
        assert_eq!(scene.env(service), [format!("TEXT={text}")]);
    }
    let networks = scene.names("/networks").into_iter().filter(|name| name.starts_with("shop_")).count();
    assert_eq!(networks, 1);
    // What a failure would have led back to goes a moment after it is needed no more.
    wait_until(SOON, "the current and the one before are left", || {
        scene.names("/configs").len() <= 2 && scene.names("/secrets").len() <= 2
    });
    assert_eq!(scene.state("record").len(), 1);
    wait_until(SOON, "one rendering is left", || scene.state("rendering").len() == 1);
}

/// What leaves git with its stack takes everything along that skep ever made for it.
#[track_caller]
fn ends_without_a_trace(scene: &Scene) {
    scene.repository.declare(&[], "defaults: { sync: { removed: delete } }");
    scene.repository.commit();
    wait_until(SOON, "the record is gone", || scene.state("record").is_empty());
    assert!(scene.services("shop").is_empty());
    assert_eq!((scene.names("/configs"), scene.names("/secrets")), (vec![], vec![]));
    scene.network_goes("shop_inside");
    assert_eq!(scene.state("rendering"), Vec::<String>::new());
}

/// Numbers that the seed decides (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
