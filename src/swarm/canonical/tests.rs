use super::*;
use serde_json::{Value, json};

fn spec(value: Value) -> ServiceSpec {
    serde_json::from_value(value).expect("a spec")
}

fn container(value: Value) -> ServiceSpec {
    spec(json!({ "TaskTemplate": { "ContainerSpec": value } }))
}

#[track_caller]
fn equal(sent: ServiceSpec, read_back: ServiceSpec) {
    let (mut sent, mut read_back) = (sent, read_back);
    canonical_service(&mut sent);
    canonical_service(&mut read_back);
    assert_eq!(sent, read_back);
    let once = sent.clone();
    canonical_service(&mut sent);
    assert_eq!(sent, once, "the form is stable");
}

#[track_caller]
fn different(a: ServiceSpec, b: ServiceSpec) {
    let (mut a, mut b) = (a, b);
    canonical_service(&mut a);
    canonical_service(&mut b);
    assert_ne!(a, b);
}

#[test]
fn a_spec_as_sent_equals_the_same_spec_read_back() {
    equal(
        spec(json!({
            "Name": "st_b", "Labels": { "a": "b" },
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "busybox:1", "Args": ["sleep", "9"],
                    "Mounts": [
                        { "Type": "bind", "Source": "/a", "Target": "/b", "Consistency": "cached", "BindOptions": {} },
                        { "Type": "bind", "Source": "/c", "Target": "/d", "BindOptions": { "NonRecursive": true } },
                        { "Type": "cluster", "Source": "v", "Target": "/e", "ClusterOptions": {} },
                        { "Source": "/f", "Target": "/g" }
                    ],
                    "Privileges": { "CredentialSpec": null, "SELinuxContext": null, "NoNewPrivileges": false }
                },
                "Resources": {}, "Placement": {}, "RestartPolicy": {}, "ForceUpdate": 0
            },
            "Mode": { "Replicated": {} },
            "UpdateConfig": { "Parallelism": 1, "MaxFailureRatio": 0.3, "Order": "" },
            "EndpointSpec": { "Ports": [{ "TargetPort": 80, "Protocol": "TCP", "PublishMode": "odd" }] }
        })),
        spec(json!({
            "Name": "st_b", "Labels": { "a": "b" },
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "busybox:1", "Args": ["sleep", "9"], "Env": null, "Isolation": "default",
                    "Mounts": [
                        { "Type": "bind", "Source": "/a", "Target": "/b" },
                        { "Type": "bind", "Source": "/c", "Target": "/d",
                          "BindOptions": { "Propagation": "rprivate", "NonRecursive": true } },
                        { "Type": "cluster", "Source": "v", "Target": "/e" },
                        { "Type": "bind", "Source": "/f", "Target": "/g" }
                    ],
                    "Privileges": { "CredentialSpec": null, "SELinuxContext": null, "Seccomp": null }
                },
                "Resources": {}, "RestartPolicy": { "Condition": "any", "MaxAttempts": 0 }, "ForceUpdate": 0,
                "Runtime": "container", "Novelty": []
            },
            "Mode": { "Replicated": { "Replicas": 1 } },
            "UpdateConfig": { "Parallelism": 1, "FailureAction": "pause", "MaxFailureRatio": 0.3, "Order": "stop-first" },
            "EndpointSpec": { "Mode": "vip", "Ports": [{ "TargetPort": 80, "Protocol": "tcp", "PublishMode": "ingress" }] }
        })),
    );
}

#[test]
fn a_job_without_numbers_runs_once() {
    equal(
        spec(json!({ "Mode": { "ReplicatedJob": {} } })),
        spec(json!({ "Mode": { "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 1 } } })),
    );
    equal(
        spec(json!({ "Mode": { "ReplicatedJob": { "MaxConcurrent": 3 } } })),
        spec(json!({ "Mode": { "ReplicatedJob": { "MaxConcurrent": 3, "TotalCompletions": 3 } } })),
    );
}

#[test]
fn no_mode_is_one_replica_and_no_other_mode_is() {
    equal(spec(json!({})), spec(json!({ "Mode": { "Replicated": { "Replicas": 1 } } })));
    different(spec(json!({})), spec(json!({ "Mode": { "Global": {} } })));
    different(spec(json!({ "Mode": { "GlobalJob": {} } })), spec(json!({ "Mode": { "Global": {} } })));
}

#[test]
fn an_empty_message_is_not_an_absent_one() {
    let task = |value: Value| spec(json!({ "TaskTemplate": value }));
    for (empty, absent) in [
        (task(json!({ "Resources": {} })), task(json!({}))),
        (task(json!({ "Resources": { "Limits": {} } })), task(json!({ "Resources": {} }))),
        (task(json!({ "RestartPolicy": {} })), task(json!({}))),
        (task(json!({ "LogDriver": {} })), task(json!({}))),
        (spec(json!({ "EndpointSpec": {} })), spec(json!({}))),
        (spec(json!({ "UpdateConfig": {} })), spec(json!({}))),
        (container(json!({ "Privileges": {} })), container(json!({}))),
        (container(json!({ "DNSConfig": {} })), container(json!({}))),
        (container(json!({ "Healthcheck": {} })), container(json!({}))),
        (container(json!({ "Init": false })), container(json!({}))),
        (container(json!({ "StopGracePeriod": 0 })), container(json!({}))),
    ] {
        different(empty, absent);
    }
    equal(task(json!({ "Placement": {} })), task(json!({})));
    different(task(json!({ "RestartPolicy": {} })), task(json!({ "RestartPolicy": { "Delay": 5_000_000_000_i64 } })));
}

#[test]
fn order_counts_where_the_engine_passes_it_on() {
    for key in ["Env", "Args", "Command", "Hosts"] {
        different(container(json!({ key: ["a", "b"] })), container(json!({ key: ["b", "a"] })));
    }
    let (a, b) = (json!({ "Type": "volume", "Target": "/a" }), json!({ "Type": "volume", "Target": "/b" }));
    different(container(json!({ "Mounts": [a, b] })), container(json!({ "Mounts": [b, a] })));
}

fn shuffled() -> (ServiceSpec, ServiceSpec) {
    let port = |number: u32| json!({ "TargetPort": number, "PublishedPort": number });
    let read_back = |number: u32| json!({ "TargetPort": number, "PublishedPort": number, "Protocol": "tcp", "PublishMode": "ingress" });
    let secret = |target: &str| json!({ "SecretName": "s", "File": { "Name": target } });
    let config = |name: &str| json!({ "ConfigName": name, "File": { "Name": "f" } });
    let network = |id: &str| json!({ "Target": id });
    let build = |ports: [Value; 2], secrets: [Value; 2], configs: [Value; 2], networks: [Value; 2]| {
        spec(json!({
            "TaskTemplate": { "ContainerSpec": { "Secrets": secrets, "Configs": configs }, "Networks": networks },
            "EndpointSpec": { "Ports": ports }
        }))
    };
    (
        build(
            [port(80), port(443)],
            [secret("a"), secret("b")],
            [config("a"), config("b")],
            [network("m"), network("n")],
        ),
        build(
            [read_back(443), read_back(80)],
            [secret("b"), secret("a")],
            [config("b"), config("a")],
            [network("n"), network("m")],
        ),
    )
}

#[test]
fn order_does_not_count_where_a_file_cannot_express_it() {
    let (sent, live) = shuffled();
    equal(sent, live);
}

#[test]
fn an_order_that_does_not_count_is_kept_for_the_write() {
    let (mut sent, live) = shuffled();
    keep_order(&mut sent, &live);
    let ports = |spec: &ServiceSpec| -> Vec<u32> {
        spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports).map(|port| port.published_port).collect()
    };
    assert_eq!(ports(&sent), ports(&live));
    assert_eq!(sent.task_template, live.task_template);
}

#[test]
fn what_differs_keeps_its_own_order() {
    let (mut sent, mut live) = shuffled();
    live.task_template.networks.pop();
    let before = sent.task_template.networks.clone();
    keep_order(&mut sent, &live);
    assert_eq!(sent.task_template.networks, before);
}

#[test]
fn names_of_networks_become_ids_and_an_unknown_one_stays() {
    let mut sent = spec(json!({ "TaskTemplate": { "Networks": [{ "Target": "a_x" }, { "Target": "gone" }] } }));
    resolve_networks(&mut sent, |name| (name == "a_x").then(|| "id1".to_owned()));
    let targets: Vec<&str> = sent.task_template.networks.iter().map(|network| network.target.as_str()).collect();
    assert_eq!(targets, ["id1", "gone"]);
}

#[test]
fn reading_and_writing_a_spec_keeps_what_nobody_here_knows() {
    let value = json!({
        "Name": "a", "Novelty": 1,
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "a:1", "Novelty": { "a": [1] },
                "Mounts": [{ "Type": "bind", "Target": "/a", "Novelty": true, "BindOptions": { "Novelty": 1 } }],
                "Healthcheck": { "Test": ["NONE"], "Novelty": "x" },
                "Privileges": {
                    "CredentialSpec": null, "SELinuxContext": { "Level": "s0" }, "NoNewPrivileges": true,
                    "Seccomp": { "Mode": "default" }
                },
                "Secrets": [{ "File": { "Name": "f", "UID": "0", "GID": "0", "Mode": 292, "Novelty": 2 },
                              "SecretID": "i", "SecretName": "s", "Novelty": 3 }]
            },
            "Resources": { "Limits": { "NanoCPUs": 1, "Novelty": 1 }, "SwapBytes": 5 },
            "Placement": { "Novelty": [1] }, "ForceUpdate": 2, "Novelty": {}
        },
        "Mode": { "Novelty": {} },
        "EndpointSpec": { "Ports": [{ "TargetPort": 80, "Novelty": 1 }], "Novelty": 1 }
    });
    let spec: ServiceSpec = serde_json::from_value(value.clone()).expect("a spec");
    assert_eq!(serde_json::to_value(&spec).expect("it is JSON"), value);
}

#[test]
fn text_that_the_engine_writes_empty_is_absent() {
    equal(
        container(json!({ "Privileges": { "SELinuxContext": { "Disable": true } } })),
        container(json!({ "Privileges": { "SELinuxContext": { "Disable": true, "Level": "", "Type": "" } } })),
    );
}

#[test]
fn a_ratio_is_written_as_the_engine_writes_it() {
    let sent = spec(json!({ "UpdateConfig": { "MaxFailureRatio": 0.2 } }));
    assert_eq!(serde_json::to_value(&sent).expect("JSON")["UpdateConfig"]["MaxFailureRatio"], json!(0.2));
    assert!(serde_json::to_string(&sent).expect("JSON").contains(":0.2,"));
}
