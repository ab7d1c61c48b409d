//! `--repo` and what belongs to it: repositories as they lie there, at a revision, bare, and whose a stack is.

use std::path::{Path, PathBuf};

use super::{Scene, conforms, lab, web};
use crate::git_server::{Served, run};
use skep::cli::schema::Name;

/// A repository with one stack in `apps/`, declared by `skep.yaml`.
fn repository(scene: &Scene) -> Served {
    let served = Served::new();
    served.commit("apps/compose.yaml", &web("cli-app:1", 1));
    served.commit(
        "skep.yaml",
        &format!("version: 1\nstacks:\n  - name: {}\n    files: [apps/compose.yaml]\n", scene.stack),
    );
    served
}

fn work(served: &Served) -> PathBuf {
    served.path().join("work")
}

fn at(scene: &Scene, directory: &Path) -> Scene {
    let proxy = crate::proxy::Proxy::start(&lab().socket(1));
    let skep = crate::runner::Skep::on(&proxy.docker_host()).at(directory);
    Scene { proxy, skep, stack: scene.stack.clone() }
}

fn revision(outcome: &crate::runner::Outcome) -> String {
    outcome.json()["revision"].as_str().expect("a revision").to_owned()
}

#[test]
fn a_repository_is_found_from_within_and_read_as_it_lies_there() {
    let scene = Scene::new("within");
    let served = repository(&scene);
    let head = served.git(&["rev-parse", "HEAD"]);
    let within = at(&scene, &work(&served).join("apps"));
    assert_eq!(revision(&within.run("plan -o json").expect(0)), head);
    within.run("plan --detailed-exitcode").expect(2);
    super::write(&work(&served), "apps/compose.yaml", &web("cli-app:2", 1));
    let dirty = within.run("plan -o json").expect(0);
    assert_eq!(revision(&dirty), format!("{head}-dirty"));
    assert!(dirty.stdout.contains("cli-app:2"), "{}", dirty.stdout);
    let text = within.run("plan").expect(0).stdout;
    assert!(text.starts_with(&format!("{}  {}-dirty", scene.stack, &head[..7])), "{text}");
    // A revision is read from the object database, whatever lies there.
    let committed = within.run("plan --ref main -o json").expect(0);
    assert_eq!(revision(&committed), head);
    assert!(!committed.stdout.contains("cli-app:2"), "{}", committed.stdout);
    assert!(scene.proxy.writes().is_empty());
}

#[test]
fn bare_repositories_branches_tags_paths_and_patterns_are_read() {
    let scene = Scene::new("bare");
    let served = repository(&scene);
    let first = served.git(&["rev-parse", "HEAD"]);
    served.git(&["tag", "v1"]);
    served.git(&["push", "-q", "origin", "v1"]);
    let second = served.commit("apps/compose.yaml", &web("cli-app:2", 1));
    served.commit(
        "clusters/prod/skep.yaml",
        "version: 1\nstacks:\n  - name: fromprod\n    files: [../../apps/compose.yaml]\n",
    );
    let bare = served.bare().display().to_string();
    for (flags, wanted) in [
        ("--ref v1", &first),
        ("--ref main", &served.git(&["rev-parse", "HEAD"])),
        (&*format!("--ref {second}"), &second),
    ] {
        for url in [bare.clone(), format!("file://{bare}")] {
            let planned = scene.run(&format!("plan --repo {url} {flags} -o json")).expect(0);
            assert_eq!(&revision(&planned), wanted, "{url} {flags}");
        }
    }
    let prod = scene.run(&format!("plan --repo {bare} --path clusters/prod -o json")).expect(0).json();
    assert_eq!(prod["stacks"][0]["stack"], "fromprod");
    let found = scene.run(&format!("plan --repo {bare} --discover app* -o json")).expect(0).json();
    assert_eq!(found["stacks"][0]["stack"], "apps");
}

#[test]
fn without_a_declaration_plan_looks_around_and_apply_does_not() {
    let scene = Scene::new("undeclared");
    let served = Served::new();
    served.commit("blog/compose.yaml", &web("cli-app:1", 1));
    let work = work(&served).display().to_string();
    let planned = scene.run(&format!("plan --repo {work}")).expect(0);
    assert!(planned.stdout.starts_with("blog  "), "{}", planned.stdout);
    assert!(planned.stderr.contains("  - name: blog\n    files: [ blog/compose.yaml ]\n"), "{}", planned.stderr);
    let refused = scene.run(&format!("apply --repo {work} -y")).expect(1);
    assert!(refused.stderr.starts_with(&format!("skep: there is no skep.yaml in {work}\n")), "{}", refused.stderr);
    assert!(scene.proxy.writes().is_empty());
}

#[test]
fn a_stack_of_a_repository_is_applied_recorded_and_kept_from_others() {
    let scene = Scene::new("owned");
    let served = repository(&scene);
    let work = work(&served).display().to_string();
    let applied = scene.run(&format!("apply --repo {work} -y")).expect(0);
    assert!(applied.stderr.contains("and healthy"), "{}", applied.stderr);
    scene.proxy.forget();
    scene.run(&format!("apply --repo {work} -y")).expect(0);
    assert!(scene.proxy.writes().is_empty(), "not even the record: {:?}", scene.proxy.writes());

    let status = scene.run("status STACK -o json").expect(0).json();
    conforms(Name::Status, &status);
    let stack = &status["stacks"][0];
    assert_eq!((&stack["sync"], &stack["health"]), (&"Synced".into(), &"Healthy".into()));
    assert_eq!(stack["revision"], served.git(&["rev-parse", "HEAD"]).as_str());
    assert_eq!(status["leader"], serde_json::Value::Null);
    assert_eq!(status["swarm"], serde_json::json!({ "managers": 1, "quorum": true, "tolerates": 0 }));

    // Direct mode keeps away from it, unless told.
    let file = format!("-c {work}/apps/compose.yaml STACK");
    let managed = scene.run(&format!("plan {file}")).expect(5);
    assert!(
        managed.stderr.contains(&format!("stack {} is managed: its record says it comes from {work}", scene.stack)),
        "{}",
        managed.stderr
    );
    scene.run(&format!("apply {file} -y")).expect(5);
    scene.run(&format!("plan {file} --force")).expect(0);
    // So does another source, naming both.
    let bare = served.bare().display().to_string();
    let taken = scene.run(&format!("apply --repo {bare} -y")).expect(5);
    assert!(taken.stderr.contains(&format!("belongs to {work}, and this is {bare}")), "{}", taken.stderr);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
}

#[test]
fn what_runs_already_is_adopted_by_writing_its_record_alone() {
    let scene = Scene::new("adopted");
    let served = repository(&scene);
    let work = work(&served).display().to_string();
    scene.run(&format!("apply -c {work}/apps/compose.yaml STACK -y")).expect(0);
    let tasks = scene.tasks("web");
    scene.proxy.forget();
    scene.run(&format!("apply --repo {work}")).expect(1);
    assert!(scene.proxy.writes().is_empty(), "unasked, not even the record is written");
    scene.run(&format!("apply --repo {work} -y")).expect(0);
    assert!(scene.proxy.object_writes().is_empty(), "{:?}", scene.proxy.object_writes());
    assert!(!scene.proxy.writes().is_empty(), "its record");
    assert_eq!(scene.tasks("web"), tasks);
}

#[test]
fn what_git_no_longer_names_is_deleted_and_what_skep_never_made_is_not() {
    let scene = Scene::new("renamed");
    let served = repository(&scene);
    let work = work(&served).display().to_string();
    scene.run(&format!("apply --repo {work} -y")).expect(0);
    let label = format!("com.docker.stack.namespace={}", scene.stack);
    lab().docker(1, &["service", "create", "-d", "--name", &scene.full("byhand"), "--label", &label, "cli-app:1"]);
    served.commit("apps/compose.yaml", &web("cli-app:1", 1).replace("  web:", "  shop:"));
    scene.run(&format!("apply --repo {work} -y")).expect(0);
    assert!(lab().service(&scene.full("web")).is_none());
    assert!(lab().service(&scene.full("shop")).is_some());
    assert!(lab().service(&scene.full("byhand")).is_some());
}

#[test]
fn stacks_are_applied_after_those_they_depend_on() {
    let scene = Scene::new("order");
    let served = Served::new();
    served.commit("c.yaml", &web("cli-app:1", 1));
    let (first, second) = (format!("{}-z", scene.stack), format!("{}-a", scene.stack));
    served.commit(
        "skep.yaml",
        &format!("version: 1\nstacks:\n  - name: {second}\n    files: [c.yaml]\n    dependsOn: [{first}]\n  - name: {first}\n    files: [c.yaml]\n"),
    );
    let work = work(&served).display().to_string();
    scene.run(&format!("apply --repo {work} -y")).expect(0);
    let made: Vec<String> = scene
        .proxy
        .object_writes()
        .iter()
        .filter(|write| write.path == "/services/create")
        .map(|write| write.body["Name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(made, [format!("{first}_web"), format!("{second}_web")]);

    // What the first needs fails: the second is left alone.
    served.commit("c.yaml", &web("cli-crash:1", 1));
    scene.proxy.forget();
    let failed = scene.run(&format!("apply --repo {work} -y --timeout 20s")).expect(4);
    assert!(failed.stderr.contains(&format!("{second} is not applied: it depends on {first}")), "{}", failed.stderr);
    for stack in [first, second] {
        scene.skep.run(&["delete", &stack, "-y"]).expect(0);
    }
}

#[test]
fn a_skep_yaml_for_another_cluster_is_refused() {
    let scene = Scene::new("cluster");
    let served = Served::new();
    served.commit("c.yaml", &web("cli-app:1", 1));
    served.commit(
        "skep.yaml",
        &format!("version: 1\ncluster: prod\nstacks:\n  - name: {}\n    files: [c.yaml]\n", scene.stack),
    );
    let work = work(&served).display().to_string();
    let refused = scene.run(&format!("apply --repo {work} --cluster staging -y")).expect(1);
    assert!(
        refused.stderr.contains("skep.yaml is for cluster `prod`, and this swarm is `staging`"),
        "{}",
        refused.stderr
    );
    assert!(scene.proxy.writes().is_empty());
    let planned = scene.run(&format!("plan --repo {work} --cluster prod")).expect(0);
    assert!(planned.stdout.contains("cluster prod (1 node)"), "{}", planned.stdout);
}

#[test]
fn a_stack_that_is_not_declared_is_named_with_what_was_meant() {
    let scene = Scene::new("chosen");
    let served = repository(&scene);
    let refused = scene.run(&format!("plan --repo {} STACKx", work(&served).display())).expect(1);
    assert_eq!(
        refused.stderr,
        format!("skep: no stack `{0}x` is declared\n  help: did you mean `{0}`?\n", scene.stack)
    );
}

#[test]
fn a_repository_without_anything_says_so() {
    let scene = Scene::new("nothing");
    let empty = scene.skep.directory().join("empty");
    std::fs::create_dir(&empty).expect("made");
    run("git", &empty, &["init", "-q", "-b", "main", "."]);
    let refused = scene.run("plan --repo empty").expect(1);
    assert!(
        refused.stderr.contains("there is no skep.yaml in") && refused.stderr.contains("and no stack file either"),
        "{}",
        refused.stderr
    );
}
