//! `skep drift`: what hands did to a stack, seen from the record alone.

use std::time::Duration;

use serde_json::Value;

use super::{Scene, conforms, lab};
use crate::git_server::Served;
use crate::wait::wait_until;
use skep::cli::schema::Name;

/// A value that must show nowhere.
const CANARY: &str = "zaunkoenig";

/// What is deployed: `keys` go into the service `web`.
fn stack(keys: &str) -> String {
    format!(
        "services:\n  web:\n    image: cli-app:1\n    environment: {{ LEVEL: info, DB_PASSWORD: {CANARY}-1 }}\n    \
         deploy: {{ replicas: 2, update_config: {{ order: start-first, monitor: 2s }} }}\n    networks: [default, side]\n\
         {keys}  idle: {{ image: \"cli-app:1\", deploy: {{ replicas: 0 }} }}\n\
         networks: {{ default: {{}}, side: {{}} }}\nconfigs:\n  unused: {{ content: \"one\" }}\n"
    )
}

/// A repository that declares the stack, applied from there.
fn applied(scene: &Scene, keys: &str, settings: &str) -> Served {
    let served = Served::new();
    served.commit("c.yaml", &stack(keys));
    let declaration = format!("version: 1\nstacks:\n  - name: {}\n    files: [c.yaml]\n{settings}", scene.stack);
    served.commit("skep.yaml", &declaration);
    scene.run(&format!("apply --repo {} -y", work(&served))).expect(0);
    served
}

fn work(served: &Served) -> String {
    served.path().join("work").display().to_string()
}

fn by_hand(scene: &Scene, arguments: &[&str]) {
    let arguments: Vec<String> = arguments.iter().map(|word| word.replace("STACK", &scene.stack)).collect();
    lab().docker(1, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
}

fn update(scene: &Scene, service: &str, flags: &[&str]) {
    let service = scene.full(service);
    let head = ["service", "update", "--detach", "--quiet", "--no-resolve-image"];
    by_hand(scene, &[&head, flags, &[service.as_str()]].concat());
}

/// The report's only stack.
#[track_caller]
fn report(scene: &Scene, line: &str) -> Value {
    let document = scene.run(&format!("drift {line} -o json")).expect(0).json();
    conforms(Name::Drift, &document);
    assert_eq!(document["stacks"].as_array().map(Vec::len), Some(1), "{document:#}");
    document["stacks"][0].clone()
}

/// What differs in a list of steps: kind, key and field.
fn fields(scene: &Scene, steps: &Value) -> Vec<String> {
    let empty = Vec::new();
    let steps = steps.as_array().unwrap_or(&empty);
    let of = |step: &Value| {
        let name = step["name"].as_str().expect("a name").replace(&format!("{}_", scene.stack), "");
        let changes = step["changes"].as_array().expect("changes");
        let labels: Vec<&str> = changes.iter().map(|change| change["label"].as_str().expect("a label")).collect();
        format!(
            "{} {} {name} {}",
            step["action"].as_str().expect("an action"),
            step["kind"].as_str().expect("a kind"),
            labels.join(", ")
        )
    };
    steps.iter().map(|step| of(step).trim_end().to_owned()).collect()
}

#[test]
fn whatever_a_hand_did_is_reported_without_the_files() {
    let scene = Scene::new("drift");
    let served = applied(&scene, "", "");
    scene.proxy.forget();
    let quiet = scene.run("drift STACK --detailed-exitcode").expect(0);
    let first = quiet.stdout.lines().next().unwrap_or_default();
    assert_eq!(first, format!("{}  no drift (5 unchanged)", scene.stack), "{}", quiet.stdout);
    assert_eq!(report(&scene, "STACK")["basis"], "record");

    update(&scene, "web", &["--env-add", "LEVEL=debug", "--env-add", &format!("DB_PASSWORD={CANARY}-2")]);
    update(&scene, "web", &["--replicas", "3", "--label-add", "team=blue"]);
    by_hand(&scene, &["service", "rm", "STACK_idle"]);
    by_hand(&scene, &["config", "rm", "STACK_unused"]);
    let label = format!("com.docker.stack.namespace={}", scene.stack);
    by_hand(
        &scene,
        &["service", "create", "--detach", "--quiet", "--name", "STACK_stray", "--label", &label, "cli-app:1"],
    );

    let found = report(&scene, "STACK");
    assert_eq!(
        fields(&scene, &found["steps"]),
        [
            "create config unused",
            "create service idle",
            "update service web label team, replicas, env DB_PASSWORD, env LEVEL"
        ]
    );
    let web = &found["steps"][2];
    let change = |label: &str| {
        let changes = web["changes"].as_array().expect("changes");
        changes.iter().find(|change| change["label"] == label).cloned().unwrap_or_else(|| panic!("{web:#}"))
    };
    assert_eq!((&change("replicas")["before"], &change("replicas")["after"]), (&3.into(), &2.into()));
    assert_eq!(
        (&change("env LEVEL")["before"], &change("env LEVEL")["after"]),
        (&"LEVEL=debug".into(), &"LEVEL=info".into())
    );
    assert!(web["changes"].as_array().expect("changes").iter().all(|change| change["origin"] == "drift"));
    let live = lab().service(&scene.full("web")).expect("it runs");
    assert_eq!(web["updated"], live["UpdatedAt"], "since when, by the object's own time");
    assert_eq!(found["extra"][0]["name"], scene.full("stray"));
    assert_eq!((&found["sync"], &found["unchanged"]), (&"OutOfSync".into(), &2.into()));
    scene.run("drift STACK --detailed-exitcode").expect(2);

    // With the files at hand it is the record that counts, too, and a plan says the same and writes nothing.
    assert_eq!(report(&scene, &format!("--repo {}", work(&served)))["steps"], found["steps"]);
    let planned = scene.run(&format!("plan --repo {} -o json", work(&served))).expect(0).json();
    assert_eq!(planned["stacks"][0]["drift"], found["steps"]);
    assert_eq!(planned["stacks"][0]["steps"], Value::Array(Vec::new()));

    for flags in ["STACK", "STACK -o json", "STACK --show-values"] {
        let shown = scene.run(&format!("drift {flags}")).expect(0);
        assert!(!shown.stdout.contains(CANARY) && !shown.stderr.contains(CANARY), "{}", shown.stdout);
    }
    let text = scene.run("drift STACK").expect(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for line in [
        "config unused   drift: it was applied and is gone",
        "service stray   extra: labelled as the stack's, never applied",
        "Drift: 1 changed, 2 missing, 1 extra.",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
    by_hand(&scene, &["service", "rm", "STACK_stray"]);
}

#[test]
fn everything_that_skep_manages_is_looked_at_where_no_stack_is_named() {
    let (one, two) = (Scene::new("drift-a"), Scene::new("drift-b"));
    let _served = (applied(&one, "", ""), applied(&two, "", ""));
    update(&one, "web", &["--label-add", "team=blue"]);
    let document = one.run("drift -o json").expect(0).json();
    conforms(Name::Drift, &document);
    let of = |scene: &Scene| {
        let stacks = document["stacks"].as_array().expect("stacks");
        stacks.iter().find(|stack| stack["stack"] == *scene.stack).cloned().expect("the stack")
    };
    assert_eq!(fields(&one, &of(&one)["steps"]), ["update service web label team"]);
    assert_eq!((&of(&two)["steps"], &of(&two)["sync"]), (&Value::Array(Vec::new()), &"Synced".into()));
    let both = one.run(&format!("drift {} {}", one.stack, two.stack)).expect(0).stdout;
    assert!(both.contains(&format!("\n{}  no drift (5 unchanged)\n", two.stack)), "{both}");
    assert!(both.ends_with("Drift: 1 changed, 0 missing, 0 extra. In 1 of 2 stacks.\n"), "{both}");
}

#[test]
fn a_stack_without_a_record_is_compared_with_its_files() {
    let scene = Scene::new("drift-files");
    scene.write("c.yaml", &stack(""));
    let missing = report(&scene, "-c c.yaml STACK");
    assert_eq!(missing["basis"], "files");
    assert_eq!(missing["diagnostics"][0]["code"], "drift/no-record");
    assert_eq!(missing["steps"].as_array().map(Vec::len), Some(5), "{missing:#}");
    scene.run("apply -c c.yaml STACK -y --detach").expect(0);
    assert_eq!(report(&scene, "-c c.yaml STACK")["sync"], "Synced");
    update(&scene, "web", &["--env-add", "LEVEL=debug"]);
    let found = report(&scene, "-c c.yaml STACK");
    assert_eq!(fields(&scene, &found["steps"]), ["update service web env LEVEL"]);
    let unknown = scene.run("drift STACK").expect(1);
    assert!(unknown.stderr.contains("has no record, and no files are named"), "{}", unknown.stderr);

    // In a repository, its files are at hand.
    let served = Served::new();
    served.commit("c.yaml", &stack(""));
    served.commit("skep.yaml", &format!("version: 1\nstacks:\n  - name: {}\n    files: [c.yaml]\n", scene.stack));
    let within = crate::runner::Skep::on(&scene.proxy.docker_host()).at(&served.path().join("work"));
    let found = within.run(&["drift", &scene.stack, "-o", "json"]).expect(0).json();
    assert_eq!(found["stacks"][0]["basis"], "files");
    assert_eq!(fields(&scene, &found["stacks"][0]["steps"]), ["update service web env LEVEL"]);
}

#[test]
fn what_is_ignored_is_the_same_for_plans_applying_and_drift() {
    let scene = Scene::new("drift-ignore");
    let keys = "    labels: { touched: \"no\" }\n    x-skep: { ignore: /TaskTemplate/ContainerSpec/Env/LEVEL }\n  \
                silent: { image: \"cli-app:1\" }\n  cron:\n    image: cli-app:1\n    \
                deploy: { replicas: 0, labels: { swarm.cronjob.enable: \"true\" } }\n";
    let settings = "    ignore: [ /Labels/team ]\n";
    let served = applied(&scene, keys, settings);
    update(&scene, "web", &["--env-add", "LEVEL=debug", "--label-add", "team=blue"]);
    update(&scene, "silent", &["--replicas", "0"]);
    update(&scene, "cron", &["--replicas", "1", "--force"]);
    scene.proxy.forget();

    let found = report(&scene, "STACK");
    assert_eq!(fields(&scene, &found["steps"]), Vec::<String>::new());
    assert_eq!(
        fields(&scene, &found["ignored"]),
        [
            "update service cron replicas, force update",
            "update service silent replicas",
            "update service web label team, env LEVEL"
        ]
    );
    let effects =
        found["ignored"].as_array().expect("a list").iter().flat_map(|it| it["changes"].as_array().expect("a list"));
    assert!(effects.clone().count() == 5 && effects.clone().all(|change| change["effect"] == "none"));
    assert_eq!(found["sync"], "Synced");
    scene.run("drift STACK --detailed-exitcode").expect(0);
    let repo = format!("--repo {}", work(&served));
    let planned = scene.run(&format!("plan {repo} -o json --detailed-exitcode")).expect(0).json();
    assert_eq!(planned["stacks"][0]["sync"], "Synced");
    let ignored = fields(&scene, &planned["stacks"][0]["ignored"]);
    assert!(ignored.contains(&"update service web label team, env LEVEL".to_owned()), "{ignored:?}");
    scene.run(&format!("apply {repo} -y")).expect(0);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());

    // A change of git writes the service, and leaves alone what is ignored.
    served.commit("c.yaml", &stack(&keys.replace("touched: \"no\"", "touched: \"yes\"")));
    scene.run(&format!("apply {repo} -y")).expect(0);
    let live = lab().service(&scene.full("web")).expect("it runs");
    assert_eq!(live["Spec"]["Labels"]["team"], "blue");
    let container = &live["Spec"]["TaskTemplate"]["ContainerSpec"];
    assert_eq!(container["Labels"]["touched"], "yes");
    assert!(container["Env"].as_array().expect("a list").contains(&"LEVEL=debug".into()), "{container:#}");

    // What is no longer ignored is drift from then on; the record follows although no object is written.
    served.commit("skep.yaml", &format!("version: 1\nstacks:\n  - name: {}\n    files: [c.yaml]\n", scene.stack));
    scene.run(&format!("apply {repo} -y")).expect(0);
    update(&scene, "web", &["--label-add", "team=red"]);
    assert_eq!(fields(&scene, &report(&scene, "STACK")["steps"]), ["update service web label team"]);
}

#[test]
fn tasks_that_fail_and_tasks_with_another_image_are_reported() {
    let scene = Scene::new("drift-tasks");
    let _served = applied(&scene, "", "");
    let label = format!("com.docker.stack.namespace={}", scene.stack);
    let create = ["service", "create", "--detach", "--quiet", "--name", "STACK_bad", "--label", &label];
    by_hand(&scene, &[&create[..], &["--restart-delay", "1s", "cli-crash:1"]].concat());
    update(&scene, "web", &["--image", "cli-app:2", "--update-parallelism", "1", "--update-delay", "10m"]);
    let mut found = Value::Null;
    wait_until(Duration::from_secs(60), "both are reported", || {
        found = report(&scene, "STACK");
        let problems: Vec<&Value> =
            found["tasks"].as_array().into_iter().flatten().map(|task| &task["problem"]).collect();
        problems == ["failing", "other-image"]
    });
    let (bad, old) = (&found["tasks"][0], &found["tasks"][1]);
    assert_eq!(bad["service"], scene.full("bad"));
    assert!(bad["error"].as_str().is_some_and(|error| error.contains("non-zero exit (3)")), "{bad:#}");
    assert!(bad["since"].as_str().is_some_and(|since| since.starts_with("20")), "{bad:#}");
    assert_eq!((&old["service"], &old["slot"].is_u64()), (&scene.full("web").into(), &true));
    assert_eq!((&old["found"], &old["wanted"]), (&"cli-app:1".into(), &"cli-app:2".into()));
    assert_eq!(old["update"], "updating");
    let text = scene.run("drift STACK --detailed-exitcode").expect(2).stdout;
    assert!(text.contains("cli-app:1 → cli-app:2") && text.contains("non-zero exit (3)"), "{text}");
    by_hand(&scene, &["service", "rm", "STACK_bad"]);
}

#[test]
fn a_record_whose_rendering_is_gone_tells_nothing_and_says_so() {
    let scene = Scene::new("drift-gone");
    let served = applied(&scene, "", "");
    let configs = lab().api(1, "/configs");
    let rendering = configs.as_array().expect("a list").iter().find(|config| {
        let labels = &config["Spec"]["Labels"];
        labels["skep.kind"] == "rendering" && labels["skep.stack"] == *scene.stack
    });
    by_hand(&scene, &["config", "rm", rendering.expect("a rendering")["ID"].as_str().expect("an id")]);
    let found = report(&scene, "STACK");
    assert_eq!(
        (&found["sync"], &found["diagnostics"][0]["code"]),
        (&"Unknown".into(), &"drift/nothing-applied".into())
    );
    assert_eq!(report(&scene, &format!("--repo {}", work(&served)))["basis"], "files");
}
