//! The verbs that speak to records: `suspend`, `resume`, `retry`, `sync`, `delete`, `status`. No controller runs.

use super::{Scene, lab, web};
use crate::git_server::Served;

/// A stack that was applied from a repository, and the flags that name it.
fn applied(scene: &Scene) -> (Served, String) {
    let served = Served::new();
    served.commit("c.yaml", &web("cli-app:1", 1));
    served.commit("skep.yaml", &format!("version: 1\nstacks:\n  - name: {}\n    files: [c.yaml]\n", scene.stack));
    let flags = format!("--repo {}", served.path().join("work").display());
    scene.run(&format!("apply {flags} -y")).expect(0);
    (served, flags)
}

fn status(scene: &Scene) -> serde_json::Value {
    scene.run("status STACK -o json").expect(0).json()["stacks"][0].clone()
}

#[test]
fn a_suspended_stack_is_not_written_until_it_is_resumed() {
    let scene = Scene::new("suspended");
    let (served, flags) = applied(&scene);
    let said = scene.skep.run(&["suspend", &scene.stack, "--reason", "night shift", "--for", "2h"]).expect(0);
    assert_eq!(said.stdout, format!("{} suspended\n", scene.stack));
    let now = status(&scene);
    assert_eq!(now["health"], "Suspended");
    assert_eq!(now["suspended"]["reason"], "night shift");
    assert!(now["suspended"]["until"].is_string(), "{now}");
    served.commit("c.yaml", &web("cli-app:2", 1));
    scene.proxy.forget();
    let planned = scene.run(&format!("plan {flags}")).expect(0);
    assert!(planned.stderr.contains("is suspended by") && planned.stderr.contains("night shift"), "{}", planned.stderr);
    let blocked = scene.run(&format!("apply {flags} -y")).expect(5);
    assert!(blocked.stderr.ends_with(&format!("  help: skep resume {}\n", scene.stack)), "{}", blocked.stderr);
    assert!(scene.proxy.writes().is_empty());
    scene.run("resume STACK").expect(0);
    assert_eq!(status(&scene)["suspended"], serde_json::Value::Null);
    scene.run(&format!("apply {flags} -y")).expect(0);
}

#[test]
fn what_failed_is_held_until_somebody_says_retry() {
    let scene = Scene::new("held");
    let (served, flags) = applied(&scene);
    served.commit("c.yaml", &web("cli-crash:1", 1));
    let failed = scene.run(&format!("apply {flags} -y")).expect(4);
    assert!(failed.stderr.contains(&format!("{} is held: ", scene.stack)), "{}", failed.stderr);
    let now = status(&scene);
    assert!(now["held"]["cause"].as_str().is_some_and(|cause| cause.contains("non-zero exit (3)")), "{now}");
    scene.proxy.forget();
    let blocked = scene.run(&format!("apply {flags} -y")).expect(5);
    assert!(blocked.stderr.contains(&format!("skep retry {}", scene.stack)), "{}", blocked.stderr);
    scene.run("sync STACK").expect(5);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
    // An unrelated commit releases nothing.
    served.commit("README", "unrelated\n");
    scene.run(&format!("apply {flags} -y")).expect(5);
    scene.run("retry STACK").expect(0);
    scene.run(&format!("apply {flags} -y")).expect(4);
    // What git says of the stack differs: that is tried without a word.
    served.commit("c.yaml", &web("cli-app:2", 1));
    scene.run(&format!("apply {flags} -y")).expect(0);
    assert_eq!(status(&scene)["held"], serde_json::Value::Null);
}

#[test]
fn delete_ends_a_stack_and_keep_only_forgets_it() {
    let scene = Scene::new("ended");
    let (_served, flags) = applied(&scene);
    scene.proxy.forget();
    let unasked = scene.run("delete STACK").expect(1);
    assert!(unasked.stderr.contains(&format!("  - service {}", scene.full("web"))), "{}", unasked.stderr);
    assert!(scene.proxy.writes().is_empty());
    scene.run("delete STACK --keep").expect(0);
    assert!(lab().service(&scene.full("web")).is_some());
    scene.run("status STACK").expect(1);
    scene.run(&format!("apply {flags} -y")).expect(0);
    let deleted = scene.run("delete STACK --yes").expect(0);
    assert_eq!(deleted.stdout, format!("{} is deleted\n", scene.stack));
    assert!(lab().services(&scene.stack).is_empty());
    scene.wait_networks_gone();
    let configs = lab().docker(1, &["config", "ls", "--format", "{{.Name}}"]);
    assert!(!configs.contains(&format!("skep.{}.", scene.stack)), "neither record nor rendering is left: {configs}");
}

#[test]
fn a_stack_without_a_record_is_named_and_nothing_is_written() {
    let scene = Scene::new("unknown");
    for line in ["suspend STACK --reason x", "resume STACK", "retry STACK", "sync STACK", "status STACK"] {
        let refused = scene.run(line).expect(1);
        assert_eq!(
            refused.stderr,
            format!("skep: stack {} has no record: no controller has seen it yet\n", scene.stack),
            "{line}"
        );
    }
    let refused = scene.run("delete STACK -y").expect(1);
    assert!(refused.stderr.contains(&format!("help: docker stack rm {}", scene.stack)), "{}", refused.stderr);
    assert!(scene.proxy.writes().is_empty());
}
