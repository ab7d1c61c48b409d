//! Registries: whose credentials are sent, and what an unchanged image text keeps.

use std::time::Duration;

use serde_json::Value;

use super::{Scene, lab, web, write};
use crate::lab::Lab;
use crate::proxy::Proxy;
use crate::registry::{Access, Registry};
use crate::runner::Skep;
use crate::wait::wait_until;

#[test]
fn credentials_go_with_every_write_of_a_service_and_a_worker_pulls_with_them() {
    let lab = Lab::start(2);
    let registry = Registry::start(&lab, Access::Login("ann", "hush"));
    lab.app("local:1", "one", &[]);
    registry.push(&lab, "local:1", "app:1");
    registry.push(&lab, "local:1", "app:2");
    // The second node has the right to manage, and shall have no more of it than a worker.
    lab.docker(1, &["node", "demote", "n2"]);
    for node in lab.nodes() {
        lab.docker(node, &["image", "rm", "-f", "local:1"]);
    }
    let proxy = Proxy::start(&lab.socket(1));
    let skep = Skep::on(&proxy.docker_host());
    registry.login(skep.home());
    let file = |tag: &str| {
        web(&registry.image(&format!("app:{tag}")), 1) + "      placement: { constraints: [node.hostname == n2] }\n"
    };
    write(skep.directory(), "stack.yaml", &file("1"));
    let applied = skep.run(&["apply", "-c", "stack.yaml", "private", "-y"]).expect(0);
    assert!(applied.stderr.contains("converged  on n2"), "{}", applied.stderr);
    write(skep.directory(), "stack.yaml", &file("2"));
    skep.run(&["apply", "-c", "stack.yaml", "private", "-y"]).expect(0);

    let writes = proxy.object_writes();
    let of_services: Vec<_> = writes.iter().filter(|write| write.path.starts_with("/services/")).collect();
    assert_eq!(of_services.len(), 2, "a creation and an update: {writes:#?}");
    for write in of_services {
        let sent = write.credentials.as_ref().expect("credentials");
        assert_eq!(
            (&sent["username"], &sent["password"]),
            (&Value::from("ann"), &Value::from("hush")),
            "{}",
            write.path
        );
    }
    for write in writes.iter().filter(|write| !write.path.starts_with("/services/")) {
        assert_eq!(write.credentials, None, "{}", write.path);
    }

    // A registry without an entry gets no header: an empty one would overwrite what the swarm has.
    proxy.forget();
    let stranger = Skep::on(&proxy.docker_host());
    write(stranger.directory(), "stack.yaml", &file("1"));
    stranger.run(&["apply", "-c", "stack.yaml", "private", "-y", "--detach"]).expect(0);
    let writes = proxy.object_writes();
    assert!(!writes.is_empty() && writes.iter().all(|write| write.credentials.is_none()), "{writes:#?}");
}

#[test]
fn an_unchanged_image_text_keeps_the_digest_that_runs() {
    let registry = Registry::start(lab(), Access::Anyone);
    let scene = Scene::new("digest");
    let digest = registry.push(lab(), "cli-app:1", "app:latest");
    let image = registry.image("app:latest");
    scene.write("stack.yaml", &web(&image, 1));
    let file = scene.skep.directory().join("stack.yaml").display().to_string();
    lab().docker(1, &["stack", "deploy", "--detach=true", "--resolve-image", "always", "-c", &file, &scene.stack]);
    wait_until(Duration::from_secs(60), "the task runs", || scene.tasks("web").len() == 1);
    let live = || {
        lab().service(&scene.full("web")).expect("it is there")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
            .clone()
    };
    assert_eq!(live(), format!("{image}@{digest}").as_str(), "docker resolves");

    // The tag moves on, and the text stays.
    let moved = registry.push(lab(), "cli-app:2", "app:latest");
    assert_ne!(moved, digest);
    scene.run("plan -c stack.yaml STACK --detailed-exitcode --resolve-image changed").expect(0);
    scene.write("stack.yaml", &web(&image, 2));
    scene.run("apply -c stack.yaml STACK -y --resolve-image changed").expect(0);
    assert_eq!(live(), format!("{image}@{digest}").as_str(), "a change of something else keeps the digest");
}
