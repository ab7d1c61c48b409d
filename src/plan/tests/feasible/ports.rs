//! Ports that somebody else has.

use super::*;

/// A plan of a stack beside another's service, `other_proxy`, that publishes 80.
fn beside(desired: &Desired, theirs_is_host: bool) -> Plan {
    let mut cluster = Cluster::default();
    let mut other = web(|web| {
        web.port(80, 80);
    });
    let theirs = other.services.get_mut("shop_web").expect("web");
    if theirs_is_host {
        host_port(theirs, 80);
    }
    let spec =
        crate::swarm::ServiceSpec { name: "other_proxy".into(), labels: Default::default(), ..theirs.spec.clone() };
    cluster.live.services.push(Arc::new(crate::swarm::Service { id: "o".into(), spec, ..Default::default() }));
    planned(desired, &cluster)
}

#[test]
fn the_mesh_has_a_port_once() {
    let mesh = |port| {
        web(|web| {
            web.port(port, 80);
        })
    };
    let host = |port| web(|web| host_port(web, port));
    for (desired, theirs_is_host, is_refused) in [
        (mesh(80), false, true),
        (mesh(80), true, true),
        (host(80), false, true),
        (host(80), true, false),
        (mesh(81), false, false),
        (mesh(0), false, false),
    ] {
        let plan = beside(&desired, theirs_is_host);
        assert_eq!(plan.is_blocked(), is_refused, "{:?}", plan.diagnostics);
        if is_refused {
            assert_eq!(codes(&plan), ["plan/port-taken"]);
            assert_eq!(plan.diagnostics[0].message, "web: port 80/tcp is published by service other_proxy already");
        }
    }
    let udp = web(|web| {
        web.port(80, 80).spec.endpoint_spec.as_mut().expect("ports").ports[0].protocol = "udp".into();
    });
    assert!(!beside(&udp, false).is_blocked(), "another protocol is another port");
}

#[test]
fn a_port_that_the_engine_chose_is_taken_too() {
    let mut cluster = Cluster::default();
    let service = json!({
        "ID": "o", "Spec": { "Name": "other" },
        "Endpoint": { "Ports": [{ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 30000, "PublishMode": "ingress" }] },
    });
    cluster.live.services.push(Arc::new(serde_json::from_value(service).expect("a service")));
    let plan = planned(
        &web(|web| {
            web.port(30000, 80);
        }),
        &cluster,
    );
    assert_eq!(codes(&plan), ["plan/port-taken"]);
}

/// The services `api` and `web`, with what they publish.
fn two(api: u32, web: u32) -> Desired {
    let mut desired = stack();
    service(&mut desired, "api", "api:1").port(api, 80);
    service(&mut desired, "web", "nginx:1").port(web, 80);
    desired
}

#[test]
fn a_port_is_free_once_an_earlier_step_let_go_of_it() {
    let cluster = applied(&two(80, 81));
    assert!(!planned(&two(82, 80), &cluster).is_blocked(), "api is written first");
    let plan = planned(&two(81, 82), &cluster);
    assert_eq!(codes(&plan)[0], "plan/port-taken");
    assert!(plan.diagnostics[0].hints[0].contains("would write shop_web later"), "{:?}", plan.diagnostics);
    let plan = planned(&two(81, 80), &cluster);
    assert_eq!(codes(&plan)[0], "plan/port-taken", "two that change places");
}

#[test]
fn two_services_of_one_stack_cannot_have_it_either() {
    let plan = planned(&two(80, 80), &Cluster::default());
    assert_eq!(codes(&plan), ["plan/port-taken"]);
    let fault = &plan.diagnostics[0];
    assert!(fault.message.starts_with("web: port 80/tcp"), "{fault:?}");
    assert!(fault.hints[0].starts_with("only one service"), "{fault:?}");
}

#[test]
fn what_is_deleted_goes_last() {
    let cluster = applied(&two(80, 81));
    let mut renamed = stack();
    service(&mut renamed, "web", "nginx:1").port(81, 80);
    service(&mut renamed, "front", "api:1").port(80, 80);
    let plan = planned(&renamed, &cluster);
    assert_eq!(codes(&plan), ["plan/port-taken"]);
    assert!(plan.diagnostics[0].hints[0].contains("docker service rm shop_api"), "{:?}", plan.diagnostics);
}

#[test]
fn a_service_keeps_its_own() {
    let cluster = applied(&two(80, 81));
    let mut desired = two(80, 81);
    desired.services.get_mut("shop_api").expect("api").env("A=b");
    assert!(!planned(&desired, &cluster).is_blocked());
}
