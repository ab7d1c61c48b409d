//! `skep plan -c`: files, words, and what must not be shown.

use super::{Scene, conforms, lab, web};
use skep::cli::schema::Name;

/// A command line of the shell, in which `skep` is the built one.
fn shell(scene: &Scene, line: &str) -> crate::runner::Outcome {
    let line = line.replace("skep ", &format!("{} ", env!("CARGO_BIN_EXE_skep"))).replace("STACK", &scene.stack);
    let environment = ("DOCKER_HOST", scene.proxy.docker_host());
    let shell = crate::runner::Skep::offline().instead("/bin/bash").at(scene.skep.directory());
    shell.env(environment.0, &environment.1).run(&["-o", "pipefail", "-c", &line])
}

#[test]
fn files_come_from_standard_input_in_turn_and_after_commas() {
    let scene = Scene::new("files");
    scene.write("a.yaml", &web("cli-app:1", 1));
    scene.write("b.yaml", "services:\n  web: { deploy: { replicas: 4 } }\n  more: { image: cli-app:1 }\n");
    for line in [
        "skep plan -c a.yaml -c b.yaml STACK",
        "skep plan -c a.yaml,b.yaml STACK",
        "skep plan --compose-file a.yaml --compose-file=b.yaml STACK",
        "skep plan -c - -c b.yaml STACK < a.yaml",
    ] {
        let planned = shell(&scene, line).expect(0);
        assert!(planned.stdout.contains("+ service web   4 tasks start"), "{line}\n{}", planned.stdout);
        assert!(planned.stdout.contains("+ service more   1 task starts"), "{line}\n{}", planned.stdout);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let scene = Scene::new("head");
    let services: String = (0..400).map(|n| format!("  s{n}: {{ image: cli-app:1 }}\n")).collect();
    scene.write("stack.yaml", &format!("services:\n{services}"));
    let headed = shell(&scene, "skep plan -c stack.yaml STACK -o json | head -n 1").expect(0);
    assert_eq!((headed.stdout.as_str(), headed.stderr.as_str()), ("{\n", ""));
    shell(&scene, "skep validate -c absent.yaml 2>&1 | true; skep man | true; skep completions bash | true").expect(0);
}

#[test]
fn the_json_is_as_its_schema_says_and_holds_no_secret() {
    let scene = Scene::new("json");
    scene.write("stack.yaml", &format!("{}    environment: {{ DB_PASSWORD: first-hush }}\n    secrets: [key]\nsecrets:\n  key: {{ file: key.txt }}\n", web("cli-app:1", 1)));
    scene.write("key.txt", "hush-hush");
    let created = scene.run("plan -c stack.yaml STACK -o json").expect(0);
    conforms(Name::Plan, &created.json());
    scene.run("apply -c stack.yaml STACK -y --detach").expect(0);
    scene.write("stack.yaml", &format!("{}    environment: {{ DB_PASSWORD: second-hush }}\n    secrets: [key]\nsecrets:\n  key: {{ file: key.txt }}\n", web("cli-app:2", 3)));
    scene.write("key.txt", "hush-again");
    for flags in ["", "-o json", "--show-values", "--show-values -o json"] {
        let planned = scene.run(&format!("plan -c stack.yaml STACK {flags}")).expect(0);
        assert!(!planned.stdout.contains("hush") && !planned.stderr.contains("hush"), "{flags}\n{}", planned.stdout);
    }
    let document = scene.run("plan -c stack.yaml STACK -o json").expect(0).json();
    conforms(Name::Plan, &document);
    let web = document["stacks"][0]["steps"].as_array().expect("steps").iter().find(|step| step["kind"] == "service");
    let changes = web.expect("a service")["changes"].as_array().expect("changes").clone();
    let image = changes.iter().find(|change| change["path"] == "/TaskTemplate/ContainerSpec/Image").expect("the image");
    assert_eq!((&image["before"], &image["after"]), (&"cli-app:1".into(), &"cli-app:2".into()));
    assert!(changes.iter().any(|change| change["label"] == "env DB_PASSWORD"), "{changes:#?}");
}

#[test]
fn text_keeps_to_80_columns_where_there_is_no_terminal() {
    let scene = Scene::new("columns");
    let long = "x".repeat(150);
    scene.write("stack.yaml", &format!("{}    environment: {{ LONG: {long} }}\n", web("cli-app:1", 1)));
    scene.run("apply -c stack.yaml STACK -y --detach").expect(0);
    scene.write(
        "stack.yaml",
        &format!("{}    environment: {{ LONG: y{long} }}\n    labels: {{ a.label: {long} }}\n", web("cli-app:2", 1)),
    );
    let planned = scene.run("plan -c stack.yaml STACK").expect(0);
    let wide: Vec<&str> = planned.stdout.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    assert!(!planned.stdout.contains('\x1b'), "no colour without a terminal");
}

#[test]
fn a_name_like_that_of_a_running_stack_is_asked_about() {
    let scene = Scene::new("typo");
    scene.write("stack.yaml", &web("cli-app:1", 1));
    scene.run("apply -c stack.yaml STACK -y --detach").expect(0);
    let planned = scene.run("plan -c stack.yaml STACKx").expect(0);
    assert_eq!(planned.stderr, format!("stack {0}x is new; did you mean `{0}`, which runs?\n", scene.stack));
    assert_eq!(lab().services(&format!("{}x", scene.stack)).len(), 0);
}

#[test]
fn a_plan_that_may_not_be_carried_out_is_blocked() {
    let scene = Scene::new("blocked");
    scene.write(
        "stack.yaml",
        &format!(
            "{}    networks: [far]\nnetworks:\n  far: {{ external: true, name: no-such-net }}\n",
            web("cli-app:1", 1)
        ),
    );
    let planned = scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(5);
    assert!(planned.stdout.contains("no-such-net"), "{}", planned.stdout);
    let applied = scene.run("apply -c stack.yaml STACK -y").expect(5);
    assert!(applied.stderr.contains("cannot be applied"), "{}", applied.stderr);
    assert!(scene.proxy.writes().is_empty());
}

#[test]
fn a_plan_is_printed_for_a_merge_request_for_a_browser_and_line_by_line() {
    let scene = Scene::new("forms");
    let stack = |image: &str, text: &str| {
        format!(
            "{}    configs: [app.ini]\nconfigs:\n  app.ini:\n    content: |\n      workers = 4\n      password = {text}-hush\n",
            web(image, 1)
        )
    };
    scene.write("stack.yaml", &stack("cli-app:1", "first"));
    scene.run("apply -c stack.yaml STACK -y --detach").expect(0);
    scene.write("stack.yaml", &stack("cli-app:2", "second").replace("workers = 4", "workers = 8"));
    let markdown = scene.run("plan -c stack.yaml STACK -o markdown --detailed-exitcode").expect(2).stdout;
    let marker = format!(
        "<!-- skep plan: {} -->\n### skep plan: 1 task restarts, nothing deleted, downtime: possible\n",
        scene.stack
    );
    assert!(markdown.starts_with(&marker), "{markdown}");
    let html = scene.run("plan -c stack.yaml STACK -o html").expect(0).stdout;
    assert!(html.starts_with("<!doctype html>") && html.contains("<ins>+workers = 8</ins>"), "{html}");
    let diff = scene.run("plan -c stack.yaml STACK --diff").expect(0).stdout;
    assert!(diff.contains("        -workers = 4\n        -password = ***\n        +workers = 8\n"), "{diff}");
    let compact = scene.run("plan -c stack.yaml STACK --compact").expect(0).stdout;
    assert!(compact.contains("  ~ service web   1 task restarts   config app.ini, image\n"), "{compact}");
    let applied = scene.run("apply -c stack.yaml STACK -y --detach --diff").expect(0).stdout;
    assert!(applied.contains("+workers = 8"), "{applied}");
    for text in [markdown, html, diff, compact, applied] {
        assert!(!text.contains("hush"), "{text}");
    }
}
