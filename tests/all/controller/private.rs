//! Images of a registry that asks for a password, pulled by whichever node runs the task.

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
    let login = registry.client_config().join("config.json");
    std::fs::copy(&login, &docker_config).expect("a copy");
    let repository = &scene.repository;
    repository.declare(&["shop"], "");
    repository.write("shop.yaml", &stack(&registry.image("team/app:1")));
    let first = repository.commit();
    let mut configuration = scene.configuration();
    configuration["dockerConfig"] = docker_config.display().to_string().into();
    let _skep = scene.run_with(&configuration);
    scene.synced("shop", &first);
    let mut nodes: Vec<_> = scene.lab.running("shop_web").iter().map(|task| task["NodeID"].to_string()).collect();
    nodes.sort();
    nodes.dedup();
    assert_eq!(nodes.len(), 2, "one task on each node");

    // Without credentials no header is sent: the engine keeps what it has with the service.
    scene.proxy.forget();
    write(&docker_config, "{}");
    repository.write("shop.yaml", &stack(&registry.image("team/app:2")));
    let second = repository.commit();
    scene.synced("shop", &second);

    // What is wrong in the file now counts at the next write, and what is right again at the one after.
    write(&docker_config, &std::fs::read_to_string(&login).expect("a login").replace("\"auth\":\"", "\"auth\":\"QUFB"));
    repository.write("shop.yaml", &(stack(&registry.image("team/app:2")) + "    environment: [ \"A=1\" ]\n"));
    repository.commit();
    let status = scene.wait_status("shop", "in trouble", |it| it["health"] != "Healthy" && !says(it, "0 of"));
    println!("wrong credentials: {status:#}");
}

fn stack(image: &str) -> String {
    format!(
        "services:\n  web:\n    image: {image}\n    stop_grace_period: 1s\n    deploy:\n      mode: global\n      \
         update_config: {{ monitor: 500ms, parallelism: 2 }}\n"
    )
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file");
}
