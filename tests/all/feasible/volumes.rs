//! Volumes of one node.

use super::*;

fn database(marker: &str, constraint: Option<&str>) -> String {
    let placement = constraint.map(|it| format!("    deploy: {{ placement: {{ constraints: [\"{it}\"] }} }}\n"));
    format!(
        "services:\n  db:\n    image: feasible:1\n    environment: {{ MARKER: \"{marker}\" }}\n    stop_grace_period: 0s\n    \
         volumes: [\"data:/data\"]\n{}volumes:\n  data:\n",
        placement.unwrap_or_default()
    )
}

/// The node of the task with this marker, and what is in its volume.
fn found(scene: &Scene, marker: &str) -> (usize, String) {
    let task = wait_for(SOON, &format!("the task {marker} runs"), || {
        let tasks = lab().running(&scene.full("db"));
        tasks.into_iter().find(|task| task["Spec"]["ContainerSpec"]["Env"][0] == format!("MARKER={marker}").as_str())
    });
    let name = |node: usize| lab().docker(1, &["node", "inspect", "--format", "{{.ID}}", &format!("n{node}")]);
    let node = lab().nodes().find(|node| task["NodeID"] == name(*node).as_str()).expect("a node");
    let container = task["Status"]["ContainerStatus"]["ContainerID"].as_str().expect("a container").to_owned();
    if marker == "a" {
        lab().docker(node, &["exec", &container, "sh", "-c", "echo rows > /data/table"]);
    }
    (node, lab().docker(node, &["exec", &container, "ls", "/data"]))
}

#[test]
fn a_task_that_leaves_its_volume_behind_is_told_of() {
    let scene = Scene::new("volume");
    scene.write(&database("a", None));
    let note = scene.told();
    let [(code, message)] = of(&note, "db")[..] else { panic!("{note:#?}") };
    assert_eq!(code, "feasibility/volume-empty");
    assert!(message.contains("should another task start on one of the 2 others"), "{message}");
    scene.write(&database("a", Some("node.hostname==n3")));
    assert_eq!(scene.told(), []);
    scene.apply();
    assert_eq!(found(&scene, "a"), (3, "table".to_owned()));

    scene.write(&database("b", Some("node.hostname==n3")));
    assert_eq!(scene.told(), []);
    scene.apply();
    assert_eq!(found(&scene, "b"), (3, "table".to_owned()));

    scene.write(&database("c", Some("node.hostname!=n3")));
    let told = scene.told();
    let [(code, message)] = of(&told, "db")[..] else { panic!("{told:#?}") };
    assert_eq!(code, "feasibility/volume-empty");
    assert!(message.contains(&format!("volume {} is on node n3", scene.full("data"))), "{message}");
    assert!(message.contains("may start on n1, n2, where that is empty"), "{message}");
    scene.apply();
    let (node, content) = found(&scene, "c");
    assert!(node != 3 && content.is_empty(), "n{node}: {content:?}");
}
