//! Whose a stack is, and what may be deleted of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::repository::{Repository, stack};
use super::scene::{SOON, Scene, is_synced, says};
use crate::adoption::tools::Tool;
use crate::reference;
use crate::wait::wait_until;

#[test]
fn pruning_takes_only_what_the_record_names() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    repository.stack("shop", &[("web", "one"), ("old", "one")]);
    let revision = repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    let label = "com.docker.stack.namespace=shop";
    scene.lab.docker(1, &["service", "create", "--detach", "--name", "shop_guest", "--label", label, "app:1"]);
    repository.stack("shop", &[("web", "one")]);
    let revision = repository.commit();
    wait_until(SOON, "the old one is pruned", || scene.services("shop") == ["shop_guest", "shop_web"]);
    scene.synced("shop", &revision);
    scene.resyncs(2);
    assert_eq!(scene.services("shop"), ["shop_guest", "shop_web"], "what skep did not make survives");
    let path = repository.path().display().to_string();
    let plan = scene.say(&["plan", "--repo", &path, "-o", "json"]).json();
    let extra = json!([{ "kind": "service", "name": "shop_guest" }]);
    assert_eq!(plan["stacks"][0]["extra"], extra, "{plan:#}");
}

#[test]
fn a_stack_that_left_git_is_kept_until_somebody_deletes_it() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop", "blog"], "");
    repository.stack("shop", &[("web", "one")]);
    repository.write("blog.yaml", &(stack(&[("web", "one")]) + "    networks: [ inside ]\nnetworks: { inside: {} }\n"));
    let revision = repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.synced("blog", &revision);
    repository.declare(&["shop"], "");
    repository.commit();
    scene.proxy.forget();
    scene.wait_status("blog", "orphaned", |it| it["sync"] == "OutOfSync" && says(it, "orphaned"));
    scene.resyncs(2);
    assert!(scene.proxy.object_writes().is_empty());
    scene.say(&["delete", "blog", "--yes"]);
    assert!(scene.services("blog").is_empty());
    scene.network_goes("blog_inside");
    assert!(scene.status("blog").is_null());
    scene.resyncs(2);
    assert!(scene.status("blog").is_null(), "it does not come back");
    assert_eq!((scene.state("record").len(), scene.state("rendering").len()), (1, 1), "only shop's");
}

#[test]
fn a_stack_that_left_git_is_deleted_where_the_source_says_so() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop", "blog"], "defaults: { sync: { removed: delete } }");
    repository.stack("shop", &[("web", "one")]);
    let objects = "    networks: [ inside ]\n    configs: [ site ]\nnetworks: { inside: {} }\nconfigs: { site: { file: ./site.conf } }\n";
    repository.write("blog.yaml", &(stack(&[("web", "one")]) + objects));
    repository.write("site.conf", "one\n");
    let revision = repository.commit();
    let _skep = scene.run();
    scene.synced("shop", &revision);
    scene.synced("blog", &revision);
    repository.declare(&["shop"], "defaults: { sync: { removed: delete } }");
    repository.commit();
    wait_until(SOON, "it is forgotten", || scene.status("blog").is_null());
    assert!(scene.services("blog").is_empty());
    scene.network_goes("blog_inside");
    assert!(scene.names("/configs").is_empty());
    assert_eq!((scene.state("record").len(), scene.state("rendering").len()), (1, 1), "only shop's");
    // It can come back.
    repository.declare(&["shop", "blog"], "");
    let again = repository.commit();
    scene.synced("blog", &again);
}

#[test]
fn a_running_stack_with_the_same_file_is_adopted_without_a_write() {
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    let uses = "    configs: [ site ]\n    secrets: [ key ]\n    networks: [ inside ]\n";
    let objects =
        "configs: { site: { file: ./site.conf } }\nsecrets: { key: { file: ./key.txt } }\nnetworks: { inside: {} }\n";
    repository.write("shop.yaml", &(stack(&[("web", "one")]) + uses + objects));
    repository.write("site.conf", "one\n");
    repository.write("key.txt", "s3cret\n");
    let revision = repository.commit();
    let file = repository.path().join("shop.yaml").display().to_string();
    scene.lab.docker(1, &["stack", "deploy", "--resolve-image", "never", "-c", &file, "shop"]);
    wait_until(SOON, "docker's stack runs", || scene.lab.running("shop_web").len() == 1);
    let before = (scene.lab.service("shop_web"), tasks(&scene));

    let _skep = scene.run();
    scene.synced("shop", &revision);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    assert_eq!((scene.lab.service("shop_web"), tasks(&scene)), before);
    scene.nothing_is_written();

    // It is skep's from now on.
    repository.stack("shop", &[("site", "one")]);
    let revision = repository.commit();
    scene.synced("shop", &revision);
    assert_eq!(scene.services("shop"), ["shop_site"]);
}

#[test]
fn a_stack_of_another_tool_is_adopted_and_its_secret_is_a_change_when_git_says_so() {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => return reference::skip("whether a controller adopts a stack of doco-cd", why),
    };
    let scene = Scene::new();
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    let uses = "    secrets: [ { source: key, target: key } ]\n";
    let text = stack(&[("web", "one")]) + uses + "secrets: { key: { file: ./key.txt } }\n";
    repository.write("shop.yaml", &text);
    repository.write("key.txt", "s3cret\n");
    let revision = repository.commit();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let file = elsewhere.path().join("shop.yaml");
    std::fs::write(&file, Tool::DocoCd.rewrite(&text, "shop", &repository.path())).expect("written");
    let mut docker = reference::docker(client, &[("DOCKER_HOST".to_owned(), scene.lab.docker_host(1))]);
    docker.args(["stack", "deploy", "--detach=true"]).args(Tool::DocoCd.arguments());
    assert!(docker.arg("--compose-file").arg(&file).arg("shop").status().expect("docker runs").success());
    wait_until(SOON, "doco-cd's stack runs", || scene.lab.running("shop_web").len() == 1);
    let before = (scene.lab.service("shop_web"), tasks(&scene));

    let _skep = scene.run();
    scene.synced("shop", &revision);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());
    assert_eq!((scene.lab.service("shop_web"), tasks(&scene)), before);
    let plan = || scene.skep().at(&repository.path()).run(&["plan", "--detailed-exitcode"]).expect(0).stdout;
    assert!(plan().contains("secret/unverifiable"), "{}", plan());

    // To trust it is no reason to write.
    repository.declare(&["shop"], "defaults: { trustSecrets: true }");
    let revision = repository.commit();
    scene.synced("shop", &revision);
    assert!(!plan().contains("secret/"), "{}", plan());
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());

    repository.write("key.txt", "0ther\n");
    let revision = repository.commit();
    scene.synced("shop", &revision);
    let paths: Vec<String> = scene.proxy.object_writes().iter().map(|it| it.path.clone()).collect();
    assert_eq!(paths.first().map(String::as_str), Some("/secrets/create"), "{paths:?}");
    assert!(scene.names("/secrets").iter().any(|name| name.starts_with("shop_key-")), "{:?}", scene.names("/secrets"));
    assert!(tasks(&scene) != before.1 && tasks(&scene).len() == 1);
}

#[test]
fn a_running_stack_that_differs_waits_for_a_word() {
    let scene = Scene::new();
    let repository = &scene.repository;
    let run_by_docker = |name: &str| {
        let file = repository.path().join("docker.yaml").display().to_string();
        scene.lab.docker(1, &["stack", "deploy", "--resolve-image", "never", "-c", &file, name]);
        wait_until(SOON, "docker's stack runs", || scene.lab.running(&format!("{name}_web")).len() == 1);
    };
    repository.stack("docker", &[("web", "one"), ("old", "one")]);
    run_by_docker("shop");
    run_by_docker("blog");
    repository.declare(&["shop", "blog"], "");
    let text = std::fs::read_to_string(repository.path().join("skep.yaml")).expect("skep.yaml");
    repository.write("skep.yaml", &(text + "    adopt: apply\n"));
    repository.stack("shop", &[("web", "two")]);
    repository.stack("blog", &[("web", "two")]);
    let revision = repository.commit();
    let _skep = scene.run();
    scene.wait_status("shop", "waiting", |it| it["sync"] == "OutOfSync" && says(it, "adoption"));
    scene.synced("blog", &revision);
    assert_eq!(scene.env("blog_web"), ["TEXT=two"]);
    scene.resyncs(2);
    assert_eq!(scene.env("shop_web"), ["TEXT=one"], "nobody said so");
    scene.say(&["sync", "shop"]);
    scene.synced("shop", &revision);
    assert_eq!(scene.env("shop_web"), ["TEXT=two"]);
    for name in ["shop", "blog"] {
        let services = [format!("{name}_old"), format!("{name}_web")];
        assert_eq!(scene.services(name), services, "without a record nothing is pruned");
    }
}

#[test]
fn a_stack_that_two_sources_declare_is_refused() {
    let scene = Scene::new();
    let other = Repository::new();
    for repository in [&scene.repository, &other] {
        repository.declare(&["shop"], "");
        repository.stack("shop", &[("web", "one")]);
        repository.commit();
    }
    let mut configuration = scene.configuration();
    configuration["sources"].as_array_mut().expect("a list").push(json!({ "url": other.path() }));
    let _skep = scene.run_with(&configuration);
    let paths = [&scene.repository, &other].map(|repository| repository.path().display().to_string());
    let both = |it: &Value| paths.iter().all(|path| says(it, path));
    scene.wait_status("shop", "refused", |it| says(it, "refused") && both(it));
    scene.resyncs(2);
    assert!(scene.proxy.object_writes().is_empty(), "{:#?}", scene.proxy.object_writes());

    // The one that is left gets it, and the other cannot take it away.
    other.declare(&[], "");
    other.commit();
    let revision = scene.repository.git(&["rev-parse", "HEAD"]);
    scene.synced("shop", &revision);
    let service = scene.lab.service("shop_web");
    other.declare(&["shop"], "");
    other.stack("shop", &[("web", "two")]);
    other.commit();
    scene.wait_status("shop", "contested", |it| says(it, &paths[1]) && says(it, "refused"));
    scene.resyncs(1);
    assert_eq!(scene.lab.service("shop_web"), service);

    // It moves when the first lets go of it.
    scene.repository.declare(&[], "");
    scene.repository.commit();
    let revision = other.git(&["rev-parse", "HEAD"]);
    scene.wait_status_for(Duration::from_secs(60), "shop", "moved", |it| {
        is_synced(it, &revision) && it["source"] == paths[1].as_str()
    });
    assert_eq!(scene.env("shop_web"), ["TEXT=two"]);
}

fn tasks(scene: &Scene) -> Vec<String> {
    scene.lab.running("shop_web").iter().map(|task| task["ID"].as_str().expect("an id").to_owned()).collect()
}
