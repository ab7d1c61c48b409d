//! Golden objects: what is posted for each thing a file can say, the empty messages included.

mod as_is;
mod container;
mod deploy;
mod endpoint;
mod files;
mod mounts;
mod networks;

use serde_json::{Value, json};

use super::lower;
use crate::compose::{At, Compose, Dependency, Port, Service};
use crate::desired::{Desired, render};
use crate::diag::{Diagnostic, Severity, Sources, Span};
use crate::model::StackName;

/// A value as a file says it, without its place.
fn at<T>(value: T) -> At<T> {
    At::silent(value)
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn stack(compose: &Compose) -> (Desired, Vec<Diagnostic>) {
    lower(compose, &StackName::parse("st").expect("a name"))
}

/// A stack of one service `b` that `change` completes.
fn one(change: impl FnOnce(&mut Service)) -> Compose {
    let mut service = Service { image: Some(at("busybox:1".to_owned())), ..Service::default() };
    change(&mut service);
    Compose { services: [("b".to_owned(), at(service))].into(), ..Compose::default() }
}

/// The stack's objects, from files without faults.
#[track_caller]
fn rendered(compose: &Compose) -> Value {
    let (desired, diagnostics) = stack(compose);
    assert_eq!(diagnostics, []);
    render::stack(&desired)
}

/// The only service's spec, from files without faults.
#[track_caller]
fn spec(change: impl FnOnce(&mut Service)) -> Value {
    rendered(&one(change))["services"][0].take()
}

/// The codes of the errors in `compose`.
fn errors(compose: &Compose) -> Vec<&'static str> {
    let (_, diagnostics) = stack(compose);
    diagnostics.iter().filter(|d| d.severity == Severity::Error).map(|d| d.code).collect()
}

#[test]
fn the_smallest_service_has_the_messages_that_docker_sends() {
    let spec = spec(|service| service.command = Some(at(strings(&["sleep", "9"]))));
    assert_eq!(
        spec,
        json!({
            "Name": "st_b",
            "Labels": { "com.docker.stack.image": "busybox:1", "com.docker.stack.namespace": "st" },
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "busybox:1", "Labels": { "com.docker.stack.namespace": "st" }, "Args": ["sleep", "9"],
                    "Privileges": { "CredentialSpec": null, "SELinuxContext": null, "NoNewPrivileges": false }
                },
                "Resources": {}, "Placement": {}, "Networks": [{ "Target": "st_default", "Aliases": ["b"] }],
                "ForceUpdate": 0
            },
            "Mode": { "Replicated": {} },
            "EndpointSpec": {}
        })
    );
}

#[test]
fn a_rendering_lists_every_kind() {
    let mut compose = one(|_| {});
    let first = compose.services["b"].clone();
    compose.services.insert("a".to_owned(), first);
    let rendered = rendered(&compose);
    assert_eq!(rendered["stack"], "st");
    let names: Vec<_> = rendered["services"].as_array().expect("a list").iter().map(|s| &s["Name"]).collect();
    assert_eq!(names, ["st_a", "st_b"]);
    for kind in ["volumes", "configs", "secrets"] {
        assert_eq!(rendered[kind], json!([]), "{kind}");
    }
    assert_eq!(rendered["networks"].as_array().map(Vec::len), Some(1));
}

#[test]
fn dockers_own_labels_cannot_be_overwritten() {
    let label = |key: &str| (key.to_owned(), "mine".to_owned());
    let spec = spec(|service| {
        service.image = Some(at("nginx".to_owned()));
        service.deploy.labels =
            [label("a"), label("com.docker.stack.namespace"), label("com.docker.stack.image")].into();
        service.labels = [label("b"), label("com.docker.stack.namespace")].into();
    });
    assert_eq!(
        spec["Labels"],
        json!({ "a": "mine", "com.docker.stack.image": "nginx", "com.docker.stack.namespace": "st" })
    );
    let container = &spec["TaskTemplate"]["ContainerSpec"];
    assert_eq!(container["Labels"], json!({ "b": "mine", "com.docker.stack.namespace": "st" }));
    assert_eq!(container["Image"], "nginx:latest", "the label keeps the text, the spec has the whole name");
}

#[test]
fn only_what_is_said_of_replicas_and_waiting_is_kept_beside_the_spec() {
    let (silent, _) = stack(&one(|_| {}));
    assert!(!silent.services["st_b"].said.replicas);
    let (said, _) = stack(&one(|service| {
        service.deploy.replicas = Some(at(1));
        service.depends_on = vec![at(Dependency { service: "db".to_owned(), ..Dependency::default() })];
    }));
    assert!(said.services["st_b"].said.replicas);
    assert_eq!(said.services["st_b"].depends_on[0].service, "db");
    assert_eq!(said.services["st_b"].key, "b");
}

#[test]
fn a_name_the_engine_refuses_is_said_beforehand() {
    let named = |key: &str| {
        let mut compose = one(|_| {});
        let service = compose.services.remove("b").expect("the service");
        compose.services.insert(key.to_owned(), service);
        compose
    };
    assert_eq!(errors(&named(&"n".repeat(60))), [] as [&str; 0], "63 characters with the stack's");
    assert_eq!(errors(&named(&"n".repeat(61))), ["compose/invalid-name"]);
    assert_eq!(errors(&named("with.dot")), ["compose/invalid-name"]);
}

#[test]
fn a_fault_names_its_place() {
    let file = Sources::new().add("compose.yaml", "");
    let span = |start| Span { file, start, end: start + 1 };
    let mut compose = one(|service| {
        service.image = None;
        let port = |start| At::new(Port { target: 80, published: 80, ..Port::default() }, span(start));
        service.ports = vec![port(1), port(2)];
    });
    compose.services.get_mut("b").expect("the service").span = Some(span(9));
    let (_, diagnostics) = stack(&compose);
    let places: Vec<_> = diagnostics.iter().map(|d| (d.code, d.span, d.related.as_ref().map(|r| r.0))).collect();
    assert_eq!(
        places,
        [("compose/duplicate-port", Some(span(2)), Some(span(1))), ("compose/no-image", Some(span(9)), None)],
        "sorted by place"
    );
}

#[test]
fn a_service_needs_an_image_with_a_valid_name() {
    assert_eq!(errors(&one(|service| service.image = None)), ["compose/no-image"]);
    assert_eq!(errors(&one(|service| service.image = Some(at("Nginx".to_owned())))), ["schema/invalid-value"]);
}
