//! What registries say of images, and registries that say nothing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use serde_json::json;

use super::*;
use crate::registry::{Access, Registry};

fn web(image: &str) -> String {
    format!("services:\n  web:\n    image: {image}\n    stop_grace_period: 0s\n")
}

/// One request to a registry: the status, and the body.
fn request(registry: &Registry, method: &str, path: &str, kind: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(registry.address()).expect("the registry listens");
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccept: {kind}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        registry.address(),
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

/// Puts an index beside an image, under another tag, that says the image is made for arm64 and nothing else.
fn push_index(registry: &Registry, repository: &str, digest: &str, tag: &str) {
    const IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
    const INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    let (status, manifest) = request(registry, "GET", &format!("/v2/{repository}/manifests/{digest}"), IMAGE, "");
    assert!(status.contains("200"), "{status}");
    let entry = json!({
        "mediaType": IMAGE, "size": manifest.len(), "digest": digest,
        "platform": { "architecture": "arm64", "os": "linux" },
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] }).to_string();
    let (status, said) = request(registry, "PUT", &format!("/v2/{repository}/manifests/{tag}"), INDEX, &index);
    assert!(status.contains("201"), "{status}: {said}");
}

#[test]
fn an_image_is_there_or_missing_or_for_other_nodes() {
    let registry = Registry::start(lab(), Access::Login("ada", "lovelace"));
    let open = Registry::start(lab(), Access::Anyone);
    let digest = open.push(lab(), "feasible:1", "team/app:1");
    push_index(&open, "team/app", &digest, "arm");
    let scene = Scene::new("images");

    let absent = format!("{}@sha256:{}", open.image("team/app:1"), "0".repeat(64));
    for image in [open.image("team/app:2"), open.image("team/none:1"), absent] {
        scene.write(&web(&image));
        let told = scene.told();
        let [(code, message)] = of(&told, "web")[..] else { panic!("{image}: {told:#?}") };
        assert_eq!(code, "feasibility/image-missing", "{message}");
        assert!(message.contains(&format!("registry {} has no image {image}", open.address())), "{message}");
    }
    scene.apply();
    scene.wait_state("web", "rejected", "No such image");

    scene.write(&web(&open.image("team/app:arm")));
    let told = scene.told();
    let [(code, message)] = of(&told, "web")[..] else { panic!("{told:#?}") };
    // Pinned with its platforms, as docker does it: the scheduler itself looks at them.
    assert_eq!(code, "feasibility/platform", "{message}");
    scene.apply();
    scene.wait_state("web", "pending", "unsupported platform");

    registry.push(lab(), "feasible:1", "team/app:1");
    scene.write(&web(&registry.image("team/app:1")));
    let told = scene.told();
    assert_eq!(of(&told, "web").len(), 1, "{told:#?}");
    assert!(told[0].1.contains("does not give"), "{told:#?}");
    registry.login(scene.skep.home());
    assert_eq!(scene.told(), [], "with credentials it is told");

    let tagged = open.image("team/app:1");
    for image in [tagged.clone(), format!("{tagged}@{digest}")] {
        scene.write(&web(&image));
        assert_eq!(scene.told(), []);
        scene.apply();
        wait_until(SOON, "it runs", || {
            let tasks = lab().running(&scene.full("web"));
            let runs = |task: &Value| task["Spec"]["ContainerSpec"]["Image"] == format!("{tagged}@{digest}");
            tasks.len() == 1 && runs(&tasks[0])
        });
    }
    let asked = |tag: &str| open.log().matches(&format!("GET /v2/team/app/manifests/{tag} ")).count();
    let before = asked("1");
    scene.write(&format!("{}    environment: {{ A: b }}\n", web(&open.image("team/app:1"))));
    scene.write(
        &web(&open.image("team/app:1"))
            .replace("stop_grace_period: 0s", "stop_grace_period: 0s\n    environment: { A: b }"),
    );
    scene.plan(0);
    assert!(asked("1") <= before + 1, "an image is asked about once");
}

#[test]
fn a_registry_that_does_not_answer_delays_a_plan_by_seconds_only() {
    let scene = Scene::new("dead");
    let silent = TcpListener::bind("0.0.0.0:0").expect("a port");
    let machine = lab().hub_address().replace(".253", ".254");
    let hanging = format!("{machine}:{}", silent.local_addr().expect("an address").port());
    let services: String =
        (0..20).map(|n| format!("  s{n}: {{ image: \"{hanging}/app:{n}\", deploy: {{ replicas: 1 }} }}\n")).collect();
    scene.write(&format!("services:\n{services}  refused: {{ image: \"{machine}:1/app:1\" }}\n"));
    let started = Instant::now();
    let planned = scene.plan(0).json();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let told = array(planned["stacks"][0]["diagnostics"].clone());
    let told: Vec<&str> = told
        .iter()
        .filter(|it| it["code"] == "feasibility/not-checked")
        .map(|it| {
            assert_eq!(it["severity"], "note");
            it["message"].as_str().expect("text")
        })
        .collect();
    let [first, second] = told[..] else { panic!("one note a registry: {told:#?}") };
    assert_eq!(first, format!("not checked: whether registry {machine}:1 has {machine}:1/app:1 (connection refused)"));
    assert!(second.starts_with(&format!("not checked: whether registry {hanging} has ")), "{second}");
    assert!(second.ends_with("and 17 more (no answer in time)"), "{second}");

    let started = Instant::now();
    let unasked = scene.skep.run(&["plan", "-c", "stack.yaml", &scene.stack, "--resolve-image", "never"]).expect(0);
    assert!(started.elapsed() < Duration::from_secs(3), "nobody was asked");
    assert!(!unasked.stdout.contains("not-checked"), "{}", unasked.stdout);
}
