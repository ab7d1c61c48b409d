//! Published ports.

use serde_json::json;

use super::{at, errors, one, spec};
use crate::compose::{At, Compose, Port, Service};

fn port(published: u32, target: u32, protocol: &str, mode: &str) -> At<Port> {
    at(Port { target, published, protocol: protocol.to_owned(), mode: mode.to_owned() })
}

#[test]
fn ports_are_sorted_and_sent_as_written() {
    let spec = spec(|service| {
        service.deploy.endpoint_mode = Some("VIP".to_owned());
        service.ports = vec![
            port(443, 8443, "tcp", "ingress"),
            port(80, 8080, "", ""),
            port(53, 53, "udp", "host"),
            port(53, 53, "tcp", "host"),
            port(0, 9, "tcp", "ingress"),
        ];
    });
    assert_eq!(
        spec["EndpointSpec"],
        json!({
            "Mode": "vip",
            "Ports": [
                { "Protocol": "tcp", "TargetPort": 9, "PublishMode": "ingress" },
                { "Protocol": "udp", "TargetPort": 53, "PublishedPort": 53, "PublishMode": "host" },
                { "Protocol": "tcp", "TargetPort": 53, "PublishedPort": 53, "PublishMode": "host" },
                { "TargetPort": 8080, "PublishedPort": 80 },
                { "Protocol": "tcp", "TargetPort": 8443, "PublishedPort": 443, "PublishMode": "ingress" }
            ]
        })
    );
}

#[test]
fn ports_the_engine_refuses() {
    let ports = |endpoint: &str, ports: Vec<At<Port>>| {
        errors(&one(|service| {
            service.deploy.endpoint_mode = Some(endpoint.to_owned());
            service.ports = ports;
        }))
    };
    assert_eq!(ports("odd", Vec::new()), ["schema/invalid-value"]);
    assert_eq!(ports("dnsrr", vec![port(80, 80, "tcp", "")]), ["compose/conflict"]);
    assert_eq!(ports("dnsrr", vec![port(80, 80, "tcp", "host")]), [] as [&str; 0]);
    assert_eq!(ports("", vec![port(80, 80, "", ""), port(80, 81, "TCP", "host")]), ["compose/duplicate-port"]);
    assert_eq!(ports("", vec![port(80, 80, "tcp", ""), port(80, 80, "udp", "")]), [] as [&str; 0]);
    assert_eq!(ports("", vec![port(0, 80, "", ""), port(0, 80, "", "")]), [] as [&str; 0]);
}

#[test]
fn two_services_cannot_share_a_port_of_the_routing_mesh() {
    let two = |a: At<Port>, b: At<Port>| {
        let service =
            |port: At<Port>| at(Service { image: Some(at("a:1".to_owned())), ports: vec![port], ..Service::default() });
        let services = [("a".to_owned(), service(a)), ("b".to_owned(), service(b))].into();
        errors(&Compose { services, ..Compose::default() })
    };
    assert_eq!(two(port(80, 80, "tcp", "ingress"), port(80, 81, "", "")), ["compose/duplicate-port"]);
    assert_eq!(two(port(80, 80, "tcp", "host"), port(80, 80, "tcp", "")), ["compose/duplicate-port"]);
    assert_eq!(two(port(80, 80, "tcp", "host"), port(80, 80, "tcp", "host")), [] as [&str; 0], "on two nodes");
    assert_eq!(two(port(80, 80, "tcp", ""), port(81, 80, "tcp", "")), [] as [&str; 0]);
}
