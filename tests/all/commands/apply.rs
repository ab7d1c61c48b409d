//! `skep apply -c`.

use std::time::Duration;

use super::{Scene, conforms, events, lab, web};
use crate::proxy::Fault;
use skep::cli::schema::Name;

#[test]
fn apply_brings_the_stack_up_and_a_second_one_writes_nothing() {
    let scene = Scene::new("apply");
    scene.write("stack.yaml", &web("cli-app:1", 2));
    let planned = scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(2);
    assert!(planned.stdout.contains("+ service web   2 tasks start"), "{}", planned.stdout);
    assert!(
        planned.stdout.ends_with(&format!("Next: skep apply -c stack.yaml {}\n", scene.stack)),
        "{}",
        planned.stdout
    );
    assert!(scene.proxy.writes().is_empty(), "a plan writes nothing");

    let applied = scene.run("apply -c stack.yaml STACK --yes").expect(0);
    assert!(applied.stderr.contains(&format!("{}  2/2  converged  on n1×2", scene.full("web"))), "{}", applied.stderr);
    assert!(applied.stderr.ends_with("is as its files say, and healthy\n"), "{}", applied.stderr);
    assert_eq!(lab().running(&scene.full("web")).len(), 2);

    scene.proxy.forget();
    scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
    let again = scene.run("apply -c stack.yaml STACK --yes").expect(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    assert_eq!(scene.proxy.writes().len(), 0, "{:?}", scene.proxy.writes());
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_written() {
    let scene = Scene::new("unasked");
    scene.write("stack.yaml", &web("cli-app:1", 1));
    let refused = scene.run("apply -c stack.yaml STACK").expect(1);
    insta::assert_snapshot!(refused.stderr, @r"
    skep: there is no terminal to ask on, so nothing was done
      help: --yes answers beforehand
    ");
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
}

#[test]
fn events_are_one_json_object_a_line() {
    let scene = Scene::new("events");
    scene.write("stack.yaml", &web("cli-app:1", 1));
    let applied = scene.run("apply -c stack.yaml STACK --yes -o json").expect(0);
    assert_eq!(applied.stderr, "");
    let events = events(&applied);
    let kind = |event: &serde_json::Value| event["event"].as_str().expect("a word").to_owned();
    assert_eq!(kind(&events[0]), "plan");
    conforms(Name::Plan, &events[0]["plan"]);
    for event in &events[1..] {
        assert!(event["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{event}");
        assert_eq!(event["stack"], scene.stack.as_str());
    }
    let written = events.iter().filter(|event| kind(event) == "written").count();
    assert_eq!(written, 2, "a network and a service: {events:#?}");
    let last = events.iter().rfind(|event| kind(event) == "progress").expect("progress");
    assert_eq!((&last["ready"], &last["wanted"], &last["nodes"]), (&1.into(), &1.into(), &serde_json::json!(["n1"])));
    assert_eq!(kind(events.last().expect("events")), "healthy");
}

#[test]
fn a_detached_apply_does_not_wait() {
    let scene = Scene::new("detached");
    // It never comes up, so whoever waits does not return.
    scene.write("stack.yaml", &web("localhost:1/nothing:1", 1));
    for flag in ["-d", "--detach", "--detach=true"] {
        let sent = scene.run(&format!("apply -c stack.yaml STACK -y {flag}")).expect(0);
        assert!(!sent.stderr.contains("progressing"), "{}", sent.stderr);
        lab().docker(1, &["service", "rm", &scene.full("web")]);
    }
}

#[test]
fn an_interrupt_ends_the_wait_with_130() {
    let scene = Scene::new("waiting");
    scene.write("stack.yaml", &web("localhost:1/nothing:1", 1));
    let mut waiting = scene.spawn("apply -c stack.yaml STACK -y");
    waiting.wait_log(Duration::from_secs(30), "progressing");
    waiting.signal("INT");
    let ended = waiting.outcome(Duration::from_secs(30)).expect(130);
    assert!(
        ended.stderr.ends_with("interrupted; everything is applied, and the tasks go on coming up\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_interrupt_lets_the_write_end_starts_no_other_and_names_what_is_left() {
    let scene = Scene::new("writing");
    let services: String = (0..5).map(|n| format!("  s{n}:\n    image: cli-app:1\n")).collect();
    scene.write("stack.yaml", &format!("services:\n{services}"));
    scene.proxy.arm(Fault::Hold(1));
    let writing = scene.spawn("apply -c stack.yaml STACK -y");
    scene.proxy.wait_fault(Duration::from_secs(30));
    writing.signal("INT");
    // The signal is in the process before the answer is.
    crate::wait::wait_until(Duration::from_secs(10), "the signal is taken", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", writing.id())).expect("a process");
        status.lines().any(|line| line.strip_prefix("ShdPnd:").is_some_and(|mask| mask.trim() == "0000000000000000"))
    });
    scene.proxy.disarm();
    let ended = writing.outcome(Duration::from_secs(30)).expect(130);
    let left = ended.stderr.lines().last().expect("words").to_owned();
    assert!(left.starts_with("interrupted; not applied: "), "{}", ended.stderr);
    assert!(left.contains(&format!("service {}", scene.full("s4"))), "{left}");
    assert_eq!(
        scene.proxy.object_writes().len() + left.matches("service ").count(),
        6,
        "each is written or named: {left}"
    );
}

#[test]
fn prune_deletes_services_and_silence_keeps_them() {
    let scene = Scene::new("prune");
    scene.write("two.yaml", &format!("{}  old:\n    image: cli-app:1\n", web("cli-app:1", 1)));
    scene.write("one.yaml", &web("cli-app:1", 1));
    // Waiting for its tasks: the engine does not let go of the network of a task that is deleted while it starts.
    scene.run("apply -c two.yaml STACK -y").expect(0);
    let kept = scene.run("plan -c one.yaml STACK --detailed-exitcode").expect(0);
    assert!(kept.stdout.contains("? service old"), "{}", kept.stdout);
    scene.run("apply -c one.yaml STACK -y --prune").expect(0);
    assert!(lab().service(&scene.full("old")).is_none());
    assert!(lab().service(&scene.full("web")).is_some());
}

#[test]
fn what_docker_deployed_is_as_it_should_be_and_the_other_way_round() {
    let scene = Scene::new("habits");
    let text = format!(
        "{}    configs: [page]\n    networks: [inside]\nconfigs:\n  page: {{ file: page.txt }}\nnetworks:\n  inside:\n",
        web("cli-app:1", 2)
    );
    scene.write("stack.yaml", &text);
    scene.write("page.txt", "hello\n");
    let file = scene.skep.directory().join("stack.yaml").display().to_string();
    let deploy = ["stack", "deploy", "--detach=true", "--resolve-image", "never", "-c", &file, &scene.stack];
    lab().docker(1, &deploy);
    crate::wait::wait_until(Duration::from_secs(60), "the tasks run", || scene.tasks("web").len() == 2);

    let planned = scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
    assert!(planned.stdout.contains("nothing to do"), "{}", planned.stdout);
    let tasks = scene.tasks("web");
    scene.write("stack.yaml", &text.replace("replicas: 2", "replicas: 3"));
    scene.run("apply -c stack.yaml STACK -y").expect(0);
    lab().docker(1, &deploy);
    lab().docker(1, &deploy);
    let now = scene.tasks("web");
    assert!(tasks.iter().all(|task| now.contains(task)), "a task was restarted: {tasks:?}, {now:?}");
    assert_eq!(now.len(), 3);
}

#[test]
fn a_service_on_the_engines_own_network_does_not_differ_for_ever() {
    let scene = Scene::new("hostnet");
    scene.write(
        "stack.yaml",
        "services:\n  web:\n    image: cli-app:1\n    environment: { APP_PORT: \"18099\" }\n    networks: [outside]\n    deploy: { update_config: { monitor: 500ms } }\n\
         networks:\n  outside: { external: true, name: host }\n",
    );
    scene.run("apply -c stack.yaml STACK -y --detach").expect(0);
    scene.proxy.forget();
    scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
    scene.run("apply -c stack.yaml STACK -y").expect(0);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
}
