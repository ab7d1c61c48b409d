//! Digests: pinned as `docker stack deploy` pins them, kept while the registry is silent, moved when somebody says so.

use std::net::TcpListener;

use serde_json::Value;

use super::scene::{SOON, Scene, says};
use crate::lab::Lab;
use crate::registry::{Access, Registry};
use crate::wait::wait_until;

/// A scene whose lab has a registry with `team/app:1`, and what that is.
fn scene() -> (Scene, Registry, String) {
    let lab = Lab::start(1);
    let registry = Registry::start(&lab, Access::Login("ada", "engine"));
    for number in 1..=3 {
        lab.image(&format!("made:{number}"), &[r#"CMD ["idle"]"#, &format!("ENV NUMBER={number}")]);
    }
    let first = registry.push(&lab, "made:1", "team/app:1");
    (Scene::on(lab), registry, first)
}

fn run(scene: &Scene, registry: &Registry) -> crate::runner::Process {
    let mut configuration = scene.configuration();
    configuration["dockerConfig"] = registry.client_config().join("config.json").display().to_string().into();
    scene.run_with(&configuration)
}

fn stack(image: &str, text: &str) -> String {
    format!(
        "services:\n  web:\n    image: {image}\n    environment: [ \"TEXT={text}\" ]\n    stop_grace_period: 0s\n    deploy:\n      \
         update_config: {{ monitor: 500ms }}\n"
    )
}

fn template(scene: &Scene, service: &str) -> Value {
    scene.lab.service(service).expect("the service")["Spec"]["TaskTemplate"].clone()
}

fn image(scene: &Scene, service: &str) -> String {
    template(scene, service)["ContainerSpec"]["Image"].as_str().expect("text").to_owned()
}

/// The requests for manifests that the registry has answered so far, those of the engine's pulls left out.
fn asked(registry: &Registry) -> usize {
    let log = registry.log();
    let is_skeps = |line: &&str| {
        let asks = line.contains("\"HEAD /v2/") || line.contains("\"GET /v2/");
        asks && line.contains("/manifests/") && line.contains("skep/") && !line.contains(" 401 ")
    };
    log.lines().filter(is_skeps).count()
}

#[test]
fn a_tag_is_pinned_as_docker_does_and_rolls_when_somebody_says_so() {
    let (scene, registry, first) = scene();
    let repository = &scene.repository;
    let name = registry.image("team/app:1");
    repository.declare(&["shop"], "");
    repository.write("shop.yaml", &stack(&name, "one"));
    let revision = repository.commit();
    let _skep = run(&scene, &registry);
    scene.synced("shop", &revision);
    assert_eq!(image(&scene, "shop_web"), format!("{name}@{first}"));

    // The same file through docker's own command.
    let file = scene.repository.path().join("shop.yaml").display().to_string();
    let deployed = scene
        .lab
        .docker_command(1)
        .env("DOCKER_CONFIG", registry.client_config())
        .args(["stack", "deploy", "--with-registry-auth", "-c", &file, "docks"])
        .output()
        .expect("docker runs");
    assert!(deployed.status.success(), "{}", String::from_utf8_lossy(&deployed.stderr));
    let (ours, dockers) = (template(&scene, "shop_web"), template(&scene, "docks_web"));
    assert_eq!(ours["ContainerSpec"]["Image"], dockers["ContainerSpec"]["Image"]);
    assert_eq!(ours["Placement"], dockers["Placement"], "platforms too");
    scene.lab.remove_stack("docks");

    // A pass over what did not change asks nobody.
    scene.resyncs(1);
    let before = asked(&registry);
    scene.nothing_is_written();
    assert_eq!(asked(&registry), before, "{}", registry.log());

    // The tag moves: nothing happens, and a plan says so.
    let second = registry.push(&scene.lab, "made:2", "team/app:1");
    scene.nothing_is_written();
    let skep = scene.skep();
    registry.login(skep.home());
    let planned =
        skep.run(&["plan", "--repo", &repository.path().display().to_string(), "-o", "json"]).expect(0).json();
    let told = &planned["stacks"][0];
    assert_eq!(told["steps"].as_array().map(Vec::len), Some(0), "{told:#}");
    assert_eq!(told["diagnostics"][0]["code"], "plan/tag-moved", "{told:#}");
    assert_eq!(image(&scene, "shop_web"), format!("{name}@{first}"));

    scene.say(&["sync", "--resolve", "shop"]);
    wait_until(SOON, "the moved tag is rolled", || image(&scene, "shop_web") == format!("{name}@{second}"));
    scene.synced("shop", &revision);
    scene.nothing_is_written();

    // That was said once.
    registry.push(&scene.lab, "made:3", "team/app:1");
    scene.nothing_is_written();
    assert_eq!(image(&scene, "shop_web"), format!("{name}@{second}"));

    // With `always` it needs no word, and a pass costs one question an image.
    repository.declare(&["shop"], "defaults: { resolve: always }\n");
    let always = repository.commit();
    wait_until(SOON, "the tag is followed", || image(&scene, "shop_web") != format!("{name}@{second}"));
    scene.synced("shop", &always);
    scene.resyncs(1);
    let before = asked(&registry);
    scene.resyncs(3);
    let more = asked(&registry) - before;
    assert!((1..=5).contains(&more), "{more} questions in three passes");
    scene.nothing_is_written();

    // The registry ends: what runs keeps its digest, nothing is written, and the status says so.
    let runs = image(&scene, "shop_web");
    drop(registry);
    let status = scene.wait_status("shop", "told of the registry", |it| says(it, "keeps its digest"));
    assert_eq!(status["sync"], "Synced", "{status:#}");
    scene.nothing_is_written();
    assert_eq!(image(&scene, "shop_web"), runs);
}

#[test]
fn a_hanging_registry_holds_up_no_other_stack() {
    let (scene, registry, first) = scene();
    // Whoever connects is never answered.
    let silent = TcpListener::bind("0.0.0.0:0").expect("a port");
    let machine = scene.lab.hub_address().replace(".253", ".254");
    let hanging = format!("{machine}:{}", silent.local_addr().expect("an address").port());
    let repository = &scene.repository;
    let names: Vec<String> = (0..6).map(|n| format!("hang{n}")).collect();
    let mut declared: Vec<&str> = names.iter().map(String::as_str).collect();
    declared.push("shop");
    repository.declare(&declared, "");
    for name in &names {
        repository.write(&format!("{name}.yaml"), &stack(&format!("{hanging}/{name}:1"), "one"));
    }
    repository.write("shop.yaml", &stack(&registry.image("team/app:1"), "one"));
    repository.commit();
    let _skep = run(&scene, &registry);
    wait_until(SOON, "the other stack is made", || scene.services("shop").len() == 1);
    let made: usize = names.iter().map(|name| scene.services(name).len()).sum();
    assert_eq!(made, 0, "those of the silent registry still wait for it");
    assert!(image(&scene, "shop_web").ends_with(&first));
    // In the end they are made without a digest: a registry that is away keeps nobody from deploying.
    wait_until(SOON, "all are made", || names.iter().all(|name| scene.services(name).len() == 1));
    assert_eq!(image(&scene, "hang0_web"), format!("{hanging}/hang0:1"));
}
