//! `skep plan --out` and `skep apply --plan`.

use std::time::Duration;

use super::{Scene, lab, web};
use crate::git_server::Served;
use crate::lab::Lab;
use crate::proxy::Fault;
use crate::runner::{Outcome, Skep};

const SOON: Duration = Duration::from_secs(60);

/// A stack file with two services of no tasks, each with a value.
fn two(value: &str) -> String {
    let service = |name| {
        format!(
            "  {name}:\n    image: cli-app:1\n    environment: {{ VALUE: \"{value}\" }}\n    deploy: {{ replicas: 0 }}\n"
        )
    };
    format!("services:\n{}{}", service("one"), service("two"))
}

/// Both services run with a first value, and a plan for a second one is saved.
fn planned(prefix: &str) -> Scene {
    let scene = Scene::new(prefix);
    scene.write("stack.yaml", &two("first"));
    scene.run("apply -c stack.yaml STACK --yes").expect(0);
    scene.write("stack.yaml", &two("second"));
    scene.run("plan -c stack.yaml STACK --out plan").expect(0);
    scene.proxy.forget();
    scene
}

/// A saved plan is refused as stale, for this reason, and nothing is written.
#[track_caller]
fn stale(scene: &Scene, why: &str) -> Outcome {
    scene.proxy.forget();
    let refused = scene.run("apply --plan plan").expect(3);
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
    assert!(refused.stderr.contains(" is stale; nothing was done\n"), "{}", refused.stderr);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
    refused
}

fn value(scene: &Scene, service: &str) -> String {
    let service = lab().service(&scene.full(service)).expect("the service");
    service["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"][0].as_str().expect("a variable").to_owned()
}

#[test]
fn a_saved_plan_is_carried_out_without_a_question() {
    let scene = Scene::new("saved");
    scene.write("stack.yaml", &web("cli-app:1", 2));
    let planned = scene.run("plan -c stack.yaml STACK --out plan --detailed-exitcode").expect(2);
    assert!(planned.stdout.ends_with("Next: skep apply --plan plan\n"), "{}", planned.stdout);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
    let applied = scene.run("apply --plan plan").expect(0);
    assert!(applied.stderr.ends_with("is as its files say, and healthy\n"), "{}", applied.stderr);
    assert_eq!(scene.tasks("web").len(), 2);

    // Everything it holds is done.
    scene.proxy.forget();
    let again = scene.run("apply --plan plan").expect(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
    scene.run("plan -c stack.yaml STACK --out plan --detailed-exitcode").expect(0);
    scene.run("apply --plan plan").expect(0);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
}

#[test]
fn a_network_is_replaced_in_both_waves_of_a_saved_plan() {
    let scene = Scene::new("waves");
    let file = |network: &str| format!("{}networks: {{ default: {{ {network} }} }}\n", two("first"));
    scene.write("stack.yaml", &file(""));
    scene.run("apply -c stack.yaml STACK --yes").expect(0);
    scene.write("stack.yaml", &file("attachable: true"));
    let planned = scene.run("plan -c stack.yaml STACK --out plan").expect(0);
    assert!(planned.stdout.contains("then, when these are healthy:"), "{}", planned.stdout);
    let applied = scene.run("apply --plan plan").expect(0);
    assert!(applied.stderr.ends_with("is as its files say, and healthy\n"), "{}", applied.stderr);
    for name in ["one", "two"] {
        let service = lab().service(&scene.full(name)).expect("the service");
        assert_eq!(service["Spec"]["TaskTemplate"]["Networks"].as_array().map(Vec::len), Some(1), "{service:#}");
    }
    scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
}

#[test]
fn an_object_that_moved_is_named_and_nothing_is_written() {
    let scene = planned("moved");
    let (full, version) = (scene.full("two"), |scene: &Scene| {
        lab().service(&scene.full("two")).expect("the service")["Version"]["Index"].as_u64().expect("a version")
    });
    let before = version(&scene);
    lab().docker(1, &["service", "update", "-d", "--label-add", "by=hand", &full]);
    let refused = stale(&scene, &format!("  service {full} moved: it had version {before}, now {}", version(&scene)));
    assert!(!refused.stderr.contains(&scene.full("one")), "{}", refused.stderr);
    assert!(
        refused.stderr.ends_with("  help: plan again, and look at it: skep plan … --out FILE\n"),
        "{}",
        refused.stderr
    );

    lab().docker(1, &["service", "rm", &full]);
    stale(&scene, &format!("  service {full} is gone\n"));
    let label = format!("com.docker.stack.namespace={}", scene.stack);
    let create = ["service", "create", "-d", "--name", &full, "--label", &label, "--replicas", "0", "cli-app:1"];
    lab().docker(1, &create);
    stale(&scene, &format!("  service {full} is another one now, made at "));
    lab().docker(1, &["service", "rm", &full]);
    // Planned again, it is carried out.
    scene.run("plan -c stack.yaml STACK --out plan").expect(0);
    lab().docker(1, &create);
    stale(&scene, &format!("  service {full} is there now, since "));
    lab().docker(1, &["service", "rm", &full]);
    scene.run("apply --plan plan").expect(0);
    assert_eq!(value(&scene, "two"), "VALUE=second");
}

#[test]
fn files_and_variables_that_say_something_else_are_noticed() {
    let scene = planned("edited");
    let why = format!("  the files of stack {}, or variables in them, say something else now\n", scene.stack);
    scene.write("stack.yaml", &two("third"));
    stale(&scene, &why);
    scene.write("stack.yaml", &two("second"));
    scene.run("apply --plan plan").expect(0);

    let with = |value: &str| {
        let skep = Skep::on(&scene.proxy.docker_host()).at(scene.skep.directory()).env("VALUE", value);
        move |line: &str| skep.run(&line.split(' ').collect::<Vec<_>>())
    };
    scene.write("stack.yaml", &two("${VALUE}"));
    with("hunter2")(&format!("plan -c stack.yaml {} --out plan", scene.stack)).expect(0);
    assert!(with("hunter3")("apply --plan plan").expect(3).stderr.contains(&why));
    with("hunter2")("apply --plan plan").expect(0);
    assert_eq!(value(&scene, "one"), "VALUE=hunter2");
}

#[test]
fn a_plan_may_shrink() {
    let scene = planned("shrink");
    // Somebody makes one of the two changes, in the same words.
    lab().docker(1, &["service", "update", "-d", "--env-add", "VALUE=second", &scene.full("one")]);
    let applied = scene.run("apply --plan plan").expect(0);
    assert!(!applied.stdout.contains("service one"), "{}", applied.stdout);
    let writes: Vec<_> = scene.proxy.object_writes().iter().map(|write| write.path.clone()).collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(value(&scene, "two"), "VALUE=second");

    // Somebody deletes what was to be deleted.
    scene.write("stack.yaml", two("second").split("  two:").next().expect("a service"));
    scene.run("plan -c stack.yaml STACK --prune --out plan").expect(0);
    lab().docker(1, &["service", "rm", &scene.full("two")]);
    scene.proxy.forget();
    scene.run("apply --plan plan").expect(0);
    assert!(scene.proxy.object_writes().is_empty(), "{:?}", scene.proxy.object_writes());
}

#[test]
fn the_flags_it_was_made_with_are_its_own() {
    let scene = planned("flags");
    scene.run("apply --plan plan").expect(0);
    scene.write("stack.yaml", two("second").split("  two:").next().expect("a service"));
    scene.run("plan -c stack.yaml STACK --prune --out pruning").expect(0);
    scene.run("plan -c stack.yaml STACK --out keeping").expect(0);
    scene.run("apply --plan keeping").expect(0);
    assert!(lab().service(&scene.full("two")).is_some());
    let refused = scene.run("apply --plan keeping --prune").expect(1);
    assert!(refused.stderr.contains("a saved plan brings its own files, stacks and flags"), "{}", refused.stderr);
    scene.run("apply --plan pruning").expect(0);
    assert!(lab().service(&scene.full("two")).is_none());
}

#[test]
fn what_an_interrupted_apply_left_is_applied_by_the_same_plan() {
    let scene = planned("rest");
    scene.proxy.arm(Fault::Refuse(2));
    scene.run("apply --plan plan").expect(1);
    scene.proxy.disarm();
    assert_eq!((value(&scene, "one"), value(&scene, "two")), ("VALUE=second".to_owned(), "VALUE=first".to_owned()));
    scene.run("apply --plan plan").expect(0);
    assert_eq!(value(&scene, "two"), "VALUE=second");
}

#[test]
fn what_moves_while_it_is_carried_out_ends_it() {
    let scene = planned("between");
    scene.proxy.arm(Fault::Hold(1));
    let applying = scene.spawn("apply --plan plan");
    scene.proxy.wait_fault(SOON);
    lab().docker(1, &["service", "update", "-d", "--label-add", "by=hand", &scene.full("two")]);
    scene.proxy.disarm();
    let ended = applying.outcome(SOON).expect(3);
    assert!(ended.stderr.contains(" is stale; what is left of it was not done\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("  service {} moved: ", scene.full("two"))), "{}", ended.stderr);
    assert_eq!((value(&scene, "one"), value(&scene, "two")), ("VALUE=second".to_owned(), "VALUE=first".to_owned()));
}

#[test]
fn a_plan_for_another_swarm_or_none_at_all_is_refused() {
    let scene = planned("foreign");
    let other = Skep::on(&Lab::shared().docker_host(1)).at(scene.skep.directory());
    let refused = other.run(&["apply", "--plan", "plan"]).expect(1);
    assert!(refused.stderr.starts_with("skep: the plan is for the swarm "), "{}", refused.stderr);

    let text = std::fs::read_to_string(scene.skep.directory().join("plan")).expect("a plan");
    scene.write("cut", &text[..text.len() / 2]);
    scene.write("edited", &text.replace("second", "third"));
    scene.write("shown", &scene.run("plan -c stack.yaml STACK -o json").expect(0).stdout);
    for (file, why) in [
        ("cut", "cut is no saved plan, or not all of one: "),
        ("edited", "edited was edited, or damaged, after it was saved\n"),
        ("shown", "shown is no saved plan\n"),
        ("nowhere", "the saved plan nowhere cannot be read: No such file or directory"),
    ] {
        let refused = scene.run(&format!("apply --plan {file}")).expect(1);
        assert!(refused.stderr.starts_with(&format!("skep: {why}")), "{}", refused.stderr);
    }
    for (out, why) in [("-", "a saved plan goes to a file"), (".", "there is something that is no file")] {
        let refused = scene.run(&format!("plan -c stack.yaml STACK --out {out}")).expect(1);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
}

#[test]
fn what_cannot_be_applied_is_not_saved() {
    let scene = Scene::new("unsaved");
    scene.write(
        "stack.yaml",
        "services:\n  web: { image: \"cli-app:1\", networks: [gone] }\nnetworks:\n  gone: { external: true }\n",
    );
    let blocked = scene.run("plan -c stack.yaml STACK --out plan").expect(5);
    assert!(blocked.stderr.contains("what cannot be applied is not saved: plan is not written"), "{}", blocked.stderr);
    assert!(!scene.skep.directory().join("plan").exists());
}

#[test]
fn no_secret_is_saved() {
    let scene = Scene::new("nosecret");
    scene.write("token.txt", "kanarienvogel-1\n");
    scene.write(
        "stack.yaml",
        "services:\n  web:\n    image: cli-app:1\n    environment: { DB_PASSWORD: kanarienvogel-2 }\n    secrets: [token]\n    \
         deploy: { replicas: 0 }\nsecrets:\n  token: { file: token.txt }\n",
    );
    scene.run("plan -c stack.yaml STACK --show-values --out plan").expect(0);
    let text = std::fs::read_to_string(scene.skep.directory().join("plan")).expect("a plan");
    assert!(!text.contains("kanarienvogel"), "{text}");
    assert!(!text.contains("a2FuYXJpZW52b2dlbC0"), "{text}");
    assert!(text.contains("\"wanted\": \""), "{text}");
    scene.run("apply --plan plan").expect(0);
    assert_eq!(value(&scene, "web"), "DB_PASSWORD=kanarienvogel-2");
    scene.write("token.txt", "kanarienvogel-3\n");
    scene.run("plan -c stack.yaml STACK --out plan").expect(0);
    scene.write("token.txt", "kanarienvogel-4\n");
    stale(&scene, "or variables in them, say something else now");
}

#[test]
fn a_repository_is_read_at_the_commit_that_was_planned() {
    let scene = Scene::new("pinned");
    let (fleet, apart) = (Served::new(), Served::new());
    let own = format!("{}-own", scene.stack);
    apart.commit("compose.yaml", &two("first"));
    fleet.commit("compose.yaml", &two("first"));
    fleet.commit(
        "skep.yaml",
        &format!(
            "version: 1\nstacks:\n  - name: {}\n    files: [compose.yaml]\n  - name: {own}\n    repo: file://{}\n    files: [compose.yaml]\n",
            scene.stack,
            apart.bare().display()
        ),
    );
    let url = format!("file://{}", fleet.bare().display());
    for repo in [format!("--repo {url}"), format!("--repo {} --ref main", fleet.path().join("work").display())] {
        scene.run(&format!("plan {repo} --out plan")).expect(0);
        let (first, second) = (fleet.git(&["rev-parse", "HEAD"]), fleet.commit("compose.yaml", &two("second")));
        apart.commit("compose.yaml", &two("second"));
        let applied = scene.run("apply --plan plan -o json").expect(0);
        assert_eq!(super::events(&applied)[0]["plan"]["revision"], first.as_str());
        assert_eq!(super::events(&applied)[0]["plan"]["ref"], "main");
        assert_eq!(value(&scene, "one"), "VALUE=first");
        let service = lab().service(&format!("{own}_one")).expect("the service");
        assert_eq!(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"][0], "VALUE=first");
        let status = scene.run(&format!("status {} -o json", scene.stack)).expect(0).json();
        assert_eq!(status["stacks"][0]["revision"], first.as_str());

        // Somebody applies a later commit.
        scene.run(&format!("plan {repo} --out plan")).expect(0);
        assert_ne!(fleet.commit("compose.yaml", &two("third")), second);
        scene.run(&format!("apply {repo} --yes")).expect(0);
        stale(&scene, &format!("  stack {} was applied at ", scene.stack));
        for stack in [&scene.stack, &own] {
            scene.skep.run(&["delete", stack, "-y"]).expect(0);
        }
        fleet.commit("compose.yaml", &two("first"));
        apart.commit("compose.yaml", &two("first"));
    }
}

#[test]
fn a_directory_is_read_as_it_lies_there() {
    let scene = Scene::new("lying");
    let served = Served::new();
    served.commit("compose.yaml", &two("first"));
    served.commit("skep.yaml", &format!("version: 1\nstacks:\n  - name: {}\n    files: [compose.yaml]\n", scene.stack));
    let work = served.path().join("work");
    scene.run(&format!("plan --repo {} --out plan", work.display())).expect(0);
    super::write(&work, "compose.yaml", &two("second"));
    stale(&scene, &format!("  the files of stack {}, or variables in them, say something else now\n", scene.stack));
    super::write(&work, "compose.yaml", &two("first"));
    super::write(&work, "skep.yaml", "version: 1\nstacks: []\n");
    stale(&scene, &format!("  stack {} is no longer declared\n", scene.stack));
    served.git(&["checkout", "-q", "--", "."]);
    scene.run("apply --plan plan").expect(0);
    assert_eq!(value(&scene, "one"), "VALUE=first");

    // Nothing to write but the record of what runs already.
    scene.skep.run(&["delete", &scene.stack, "--keep", "-y"]).expect(0);
    scene.run(&format!("plan --repo {} --out plan", work.display())).expect(0);
    scene.proxy.forget();
    scene.run("apply --plan plan").expect(0);
    assert!(scene.proxy.object_writes().is_empty() && !scene.proxy.writes().is_empty(), "its record alone");
}
