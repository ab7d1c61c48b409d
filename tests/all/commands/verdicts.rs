//! What does not become healthy: exit code 4, and why.

use std::time::Duration;

use super::{Scene, events, lab, web};
use crate::wait::wait_until;

#[test]
fn an_image_that_crashes_ends_with_4_and_its_exit_code_is_told() {
    let scene = Scene::new("crash");
    scene.write("stack.yaml", &web("cli-crash:1", 1));
    let failed = scene.run("apply -c stack.yaml STACK -y --timeout 10s").expect(4);
    let web = scene.full("web");
    assert!(
        failed
            .stderr
            .contains(&format!("{} failed: {web} did not come up: task: non-zero exit (3) on n1\n", scene.stack)),
        "{}",
        failed.stderr
    );
    assert!(failed.stderr.contains(&format!("help: docker service logs {web}")), "{}", failed.stderr);
    let quiet = scene.run("apply -c stack.yaml STACKq -y --timeout 10s --quiet").expect(4);
    assert!(
        quiet.stderr.contains(&format!("\n{}q failed: ", scene.stack)) && !quiet.stderr.contains("progressing"),
        "{}",
        quiet.stderr
    );
    lab().remove_stack(&format!("{}q", scene.stack));
    // A crash loop is said once, not at every turn.
    let said = failed.stderr.lines().filter(|line| line.contains("0/1  progressing  task: non-zero exit")).count();
    assert!(said <= 1, "{}", failed.stderr);
}

#[test]
fn an_image_that_is_not_there_ends_with_4() {
    let scene = Scene::new("absent");
    scene.write("stack.yaml", &web("localhost:1/nothing:9", 1));
    let failed = scene.run("apply -c stack.yaml STACK -y --timeout 10s -o json").expect(4);
    let events = events(&failed);
    let last = events.last().expect("events");
    assert_eq!(last["event"], "failed");
    assert!(
        last["cause"].as_str().is_some_and(|cause| cause.contains("No such image: localhost:1/nothing:9")),
        "{last}"
    );
}

#[test]
fn a_rollback_of_the_engine_ends_with_4_once_it_is_done() {
    let scene = Scene::new("rollback");
    scene.write("stack.yaml", &web("cli-app:1", 2));
    scene.run("apply -c stack.yaml STACK -y").expect(0);
    scene.write("stack.yaml", &web("cli-crash:1", 2));
    let failed = scene.run("apply -c stack.yaml STACK -y").expect(4);
    let web = scene.full("web");
    assert!(failed.stderr.contains(&format!("{web} rolled back: task: non-zero exit (3) on n1")), "{}", failed.stderr);
    assert!(failed.stderr.contains(&format!("{web} runs as before")), "{}", failed.stderr);
    let service = lab().service(&web).expect("it is there");
    assert_eq!(service["UpdateStatus"]["State"], "rollback_completed");
    let image = &service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"];
    assert_eq!(image, "cli-app:1");
    wait_until(Duration::from_secs(60), "the old tasks are back", || scene.tasks("web").len() == 2);
}
