//! Images of a registry that asks for a password, pulled by whichever node runs the task.

use std::collections::BTreeSet;
use std::path::Path;

use super::scene::{Scene, says};
use crate::lab::Lab;
use crate::registry::{Access, Registry};

#[test]
fn every_node_pulls_with_the_credentials_of_the_file_as_it_is_now() {
    let lab = Lab::start(2);
    let registry = Registry::start(&lab, Access::Login("ada", "engine"));
    lab.image("private:1", &[r#"CMD ["idle"]"#, "ENV NUMBER=1"]);
    registry.push(&lab, "private:1", "team/app:1");
    registry.push(&lab, "private:1", "team/app:2");
    let scene = Scene::on(lab);
    let docker_config = scene.repository.path().with_file_name("config.json");
    let login = std::fs::read_to_string(registry.client_config().join("config.json")).expect("a login");
    write(&docker_config, &login.replace("\"auth\":\"", "\"auth\":\"QUFB"));
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    let commit = |tag: u8, text: &str| {
        repository.write("shop.yaml", &stack(&registry.image(&format!("team/app:{tag}")), text));
        repository.commit()
    };
    commit(1, "one");
    let mut configuration = scene.configuration();
    configuration["dockerConfig"] = docker_config.display().to_string().into();
    let _skep = scene.run_with(&configuration);
    let status = scene.wait_status("shop", "without an image", |it| says(it, "No such image"));
    println!("wrong credentials: {}", status["reason"]);

    // The file counts as it is at the next write.
    write(&docker_config, &login);
    let second = commit(1, "two");
    scene.synced("shop", &second);
    assert_eq!(nodes(&scene), 2, "one task on each node");

    // Without an entry no header is sent, and the engine keeps what it has with the service.
    write(&docker_config, "{}");
    let third = commit(2, "three");
    scene.synced("shop", &third);
    assert_eq!(nodes(&scene), 2, "one task on each node");
}

/// On how many nodes the service runs.
fn nodes(scene: &Scene) -> usize {
    let tasks = scene.lab.running("shop_web");
    let nodes: BTreeSet<String> = tasks.iter().map(|task| task["NodeID"].to_string()).collect();
    nodes.len()
}

fn stack(image: &str, text: &str) -> String {
    format!(
        "services:\n  web:\n    image: {image}\n    environment: [ \"TEXT={text}\" ]\n    stop_grace_period: 1s\n    deploy:\n      mode: global\n      \
         update_config: {{ monitor: 500ms, parallelism: 2 }}\n"
    )
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file");
}
