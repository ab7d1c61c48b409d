//! Ports of the routing mesh.

use super::*;

fn publishing(ports: &[(&str, u32, &str)]) -> String {
    let services = ports.iter().map(|(name, port, mode)| {
        format!("  {name}:\n    image: feasible:1\n    ports: [{{ target: 80, published: {port}, mode: {mode} }}]\n    stop_grace_period: 0s\n")
    });
    format!("services:\n{}", services.collect::<String>())
}

#[test]
fn a_port_of_another_service_is_refused_before_the_engine_does() {
    let (first, second) = (Scene::new("first"), Scene::new("second"));
    first.write(&publishing(&[("mesh", 18101, "ingress"), ("host", 18102, "host")]));
    first.apply();
    for (port, mode, other) in [(18101, "ingress", "mesh"), (18101, "host", "mesh"), (18102, "ingress", "host")] {
        second.write(&publishing(&[("web", port, mode)]));
        let told = second.plan(5).json()["stacks"][0]["diagnostics"].clone();
        let fault = array(told).into_iter().find(|it| it["code"] == "plan/port-taken").expect("it is told");
        assert_eq!(fault["severity"], "error");
        let message = format!("web: port {port}/tcp is published by service {} already", first.full(other));
        assert_eq!(fault["message"], message.as_str());
        let publish = format!("published={port},target=80,mode={mode}");
        let name = second.full("web");
        let refused = lab().try_docker(1, &["service", "create", "-d", "--name", &name, "-p", &publish, "feasible:1"]);
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && error.contains("is already in use by service"), "{error}");
    }
    // The same port in host mode, on another node; and a port that nobody has.
    second.write(&publishing(&[("web", 18102, "host"), ("more", 18103, "ingress")]));
    assert_eq!(second.told(), []);
    second.apply();
    second.wait_running("web", 1);
    second.wait_running("more", 1);
}

#[test]
fn a_port_moves_from_a_service_that_is_written_first() {
    let scene = Scene::new("moving");
    scene.write(&publishing(&[("a", 18111, "ingress"), ("b", 18112, "ingress")]));
    scene.apply();
    scene.write(&publishing(&[("a", 18113, "ingress"), ("b", 18111, "ingress")]));
    scene.plan(0);
    scene.apply();
    let ports = &lab().service(&scene.full("b")).expect("b")["Spec"]["EndpointSpec"]["Ports"];
    assert_eq!(ports[0]["PublishedPort"], 18111);
    scene.write(&publishing(&[("a", 18111, "ingress"), ("b", 18112, "ingress")]));
    let refused = scene.plan(5);
    assert!(refused.stdout.contains("would write"), "{}", refused.stdout);
}
