//! Tasks and nodes.

use std::sync::{Mutex, PoisonError};

use super::*;

/// Held by whoever fills the nodes up.
static FULL: Mutex<()> = Mutex::new(());

/// Three quarters of a node's CPUs, so that a node has room for one such task.
fn most_cpus() -> String {
    let nodes = array(lab().api(1, "/nodes"));
    let nano = nodes[0]["Description"]["Resources"]["NanoCPUs"].as_i64().expect("a number");
    format!("{:.2}", nano as f64 * 0.75 / 1e9)
}

/// One service a check. `disk` is the label that two of them want, `replicas` how many tasks the others have on three nodes.
fn stack(disk: &str, replicas: usize, order: &str, marker: &str) -> String {
    let cpus = most_cpus();
    let service = |name: &str, own: &str, deploy: &str| {
        format!(
            "  {name}:\n    image: feasible:1\n    environment: {{ MARKER: \"{marker}\" }}\n    stop_grace_period: 0s\n{own}    \
             deploy:\n      update_config: {{ order: {order}, parallelism: 0, monitor: 1s }}\n{deploy}"
        )
    };
    let bound = |rest: &str| format!("      replicas: {replicas}\n{rest}");
    let placement = format!("      placement: {{ constraints: [node.labels.disk=={disk}] }}\n");
    let port = "    ports: [{ target: 80, published: 18099, mode: host }]\n";
    [
        "services:\n".to_owned(),
        service("pinned", "", &format!("      replicas: 2\n{placement}")),
        service("everywhere", "", &format!("      mode: global\n{placement}")),
        service("cpus", "", &bound(&format!("      resources: {{ reservations: {{ cpus: \"{cpus}\" }} }}\n"))),
        service("port", port, &bound("")),
        service("spread", "", &bound("      placement: { max_replicas_per_node: 1 }\n")),
    ]
    .concat()
}

#[test]
fn what_finds_no_node_is_told_and_stays_pending() {
    let _full = FULL.lock().unwrap_or_else(PoisonError::into_inner);
    let scene = Scene::new("toomuch");
    scene.write(&stack("nvme", 4, "stop-first", "a"));
    let told = scene.told();
    let few = |service: &str| {
        let [(code, message)] = of(&told, service)[..] else { panic!("{service}: {told:#?}") };
        let placed = message.split(' ').next().and_then(|word| word.parse::<usize>().ok());
        (code.to_owned(), message.to_owned(), placed)
    };
    scene.apply();
    for (service, code, why) in [
        ("pinned", "constraints", "scheduling constraints not satisfied on 3 nodes"),
        ("cpus", "resources", "insufficient resources on 3 nodes"),
        ("port", "host-port", "host-mode port already in use on 3 nodes"),
        ("spread", "max-replicas", "max replicas per node limit exceed"),
    ] {
        let (found, message, placed) = few(service);
        assert_eq!(found, format!("feasibility/{code}"), "{message}");
        assert!(message.contains("estimated by the nodes as they are now"), "{message}");
        scene.wait_state(service, "pending", why);
        scene.wait_running(service, placed.expect("a number"));
    }
    let (code, message, _) = few("everywhere");
    assert_eq!(code, "feasibility/constraints");
    assert!(message.starts_with("no node would get a task of it"), "{message}");
    assert!(message.contains("n1, n2, n3: node.labels.disk==nvme is not met"), "{message}");
    assert_eq!(lab().running(&scene.full("everywhere")).len(), 0);
    assert_eq!(told.len(), 5, "{told:#?}");
}

#[test]
fn what_finds_a_node_runs_and_a_start_first_update_needs_room_beside_it() {
    let _full = FULL.lock().unwrap_or_else(PoisonError::into_inner);
    let scene = Scene::new("enough");
    let all = [("pinned", 2), ("everywhere", 1), ("cpus", 3), ("port", 3), ("spread", 3)];
    scene.write(&stack("ssd", 3, "stop-first", "a"));
    assert_eq!(scene.told(), []);
    scene.apply();
    all.iter().for_each(|(service, count)| scene.wait_running(service, *count));

    scene.write(&stack("ssd", 3, "start-first", "b"));
    let told = scene.told();
    scene.apply();
    for (service, why) in [
        ("cpus", "insufficient resources on"),
        ("port", "host-mode port already in use on 3 nodes"),
        ("spread", "max replicas per node limit exceed"),
    ] {
        let [(code, message)] = of(&told, service)[..] else { panic!("{service}: {told:#?}") };
        assert_eq!(code, "feasibility/start-first", "{message}");
        scene.wait_state(service, "pending", why);
        let live = lab().service(&scene.full(service)).expect("the service");
        assert_eq!(live["UpdateStatus"]["State"], "updating", "it waits");
    }
    assert_eq!(told.len(), 3, "{told:#?}");

    scene.write(&stack("ssd", 3, "stop-first", "c"));
    assert_eq!(scene.told(), []);
    scene.apply();
    for (service, count) in all {
        wait_until(SOON, &format!("{service} has its new tasks"), || {
            let tasks = lab().running(&scene.full(service));
            tasks.len() == count && tasks.iter().all(|task| task["Spec"]["ContainerSpec"]["Env"][0] == "MARKER=c")
        });
    }
}

#[test]
fn an_image_keeps_the_platforms_it_was_resolved_to() {
    let scene = Scene::new("platform");
    let make = |architecture: &str| {
        let spec = serde_json::json!({
            "Name": scene.full("web"), "Labels": { "com.docker.stack.namespace": scene.stack },
            "TaskTemplate": {
                "ContainerSpec": { "Image": "feasible:1" },
                "Placement": { "Platforms": [{ "Architecture": architecture, "OS": "linux" }] },
            },
        });
        assert_eq!(lab().request(1, "POST", "/services/create", Some(&spec)).status, 201);
    };
    scene.write("services: { web: { image: feasible:1, environment: { A: b } } }\n");
    make("amd64");
    assert_eq!(scene.told(), []);
    scene.apply();
    wait_until(SOON, "the new task runs", || {
        let tasks = lab().running(&scene.full("web"));
        tasks.len() == 1 && tasks[0]["Spec"]["ContainerSpec"]["Env"][0] == "A=b"
    });
    lab().docker(1, &["service", "rm", &scene.full("web")]);

    make("arm64");
    let told = scene.told();
    let [(code, message)] = of(&told, "web")[..] else { panic!("{told:#?}") };
    assert_eq!(code, "feasibility/platform", "{message}");
    assert!(message.contains("n1, n2, n3: the image is not made for linux/amd64"), "{message}");
    scene.apply();
    scene.wait_state("web", "pending", "unsupported platform on 3 nodes");
}
