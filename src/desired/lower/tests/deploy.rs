//! `deploy:`.

use serde_json::{Value, json};

use super::{at, errors, one, spec, strings};
use crate::compose::{Deploy, Resources, RestartPolicy, UpdateConfig};

#[track_caller]
fn deployed(change: impl FnOnce(&mut Deploy)) -> Value {
    spec(|service| change(&mut service.deploy))
}

fn refused(change: impl FnOnce(&mut Deploy)) -> Vec<&'static str> {
    errors(&one(|service| change(&mut service.deploy)))
}

#[test]
fn modes() {
    let mode = |word: &str, replicas: Option<u64>| {
        deployed(|deploy| {
            deploy.mode = Some(at(word.to_owned()));
            deploy.replicas = replicas.map(at);
        })["Mode"]
            .take()
    };
    assert_eq!(mode("replicated", None), json!({ "Replicated": {} }));
    assert_eq!(mode("replicated", Some(0)), json!({ "Replicated": { "Replicas": 0 } }));
    assert_eq!(mode("global", None), json!({ "Global": {} }));
    assert_eq!(mode("replicated-job", None), json!({ "ReplicatedJob": {} }));
    assert_eq!(
        mode("replicated-job", Some(3)),
        json!({ "ReplicatedJob": { "MaxConcurrent": 3, "TotalCompletions": 3 } })
    );
    assert_eq!(mode("global-job", None), json!({ "GlobalJob": {} }));
}

#[test]
fn modes_that_are_refused() {
    let mode = |word: &str, replicas: Option<u64>| {
        refused(|deploy| {
            deploy.mode = Some(at(word.to_owned()));
            deploy.replicas = replicas.map(at);
        })
    };
    assert_eq!(mode("everywhere", None), ["schema/invalid-value"]);
    assert_eq!(mode("global", Some(2)), ["compose/conflict"]);
    assert_eq!(mode("global-job", Some(2)), ["compose/conflict"]);
    for job in ["replicated-job", "global-job"] {
        let codes = refused(|deploy| {
            deploy.mode = Some(at(job.to_owned()));
            deploy.update_config = Some(at(UpdateConfig::default()));
        });
        assert_eq!(codes, ["compose/conflict"], "{job}");
        let codes = refused(|deploy| {
            deploy.mode = Some(at(job.to_owned()));
            deploy.rollback_config = Some(at(UpdateConfig::default()));
        });
        assert_eq!(codes, [] as [&str; 0], "{job}: a rollback policy is borne");
    }
}

#[test]
fn update_policies() {
    let spec = deployed(|deploy| {
        deploy.update_config = Some(at(UpdateConfig::default()));
        deploy.rollback_config = Some(at(UpdateConfig {
            parallelism: Some(0),
            delay: Some(1),
            failure_action: Some("continue".to_owned()),
            monitor: Some(2),
            max_failure_ratio: 0.5,
            order: Some("start-first".to_owned()),
        }));
    });
    assert_eq!(spec["UpdateConfig"], json!({ "Parallelism": 1, "MaxFailureRatio": 0.0, "Order": "" }));
    assert_eq!(
        spec["RollbackConfig"],
        json!({
            "Parallelism": 0, "Delay": 1, "FailureAction": "continue", "Monitor": 2, "MaxFailureRatio": 0.5,
            "Order": "start-first"
        })
    );
}

#[test]
fn update_policies_that_are_refused() {
    for config in [
        UpdateConfig { order: Some("start".to_owned()), ..UpdateConfig::default() },
        UpdateConfig { failure_action: Some("stop".to_owned()), ..UpdateConfig::default() },
        UpdateConfig { max_failure_ratio: 1.5, ..UpdateConfig::default() },
        UpdateConfig { delay: Some(-1), ..UpdateConfig::default() },
    ] {
        let codes = refused(|deploy| deploy.update_config = Some(at(config.clone())));
        assert_eq!(codes, ["schema/invalid-value"], "{config:?}");
    }
}

#[test]
fn restart_policies() {
    let policy = |file: RestartPolicy| {
        deployed(|deploy| deploy.restart_policy = Some(file))["TaskTemplate"]["RestartPolicy"].take()
    };
    assert_eq!(policy(RestartPolicy::default()), json!({}), "said and empty");
    assert_eq!(
        policy(RestartPolicy {
            condition: Some("on-failure".to_owned()),
            delay: Some(1),
            max_attempts: Some(0),
            window: Some(2)
        }),
        json!({ "Condition": "on-failure", "Delay": 1, "MaxAttempts": 0, "Window": 2 })
    );
    let codes = refused(|deploy| {
        deploy.restart_policy = Some(RestartPolicy { condition: Some("always".to_owned()), ..Default::default() });
    });
    assert_eq!(codes, ["schema/invalid-value"]);
}

#[test]
fn restart_is_honoured_where_the_policy_is_silent() {
    let policy = |word: &str| {
        spec(|service| service.restart = Some(at(word.to_owned())))["TaskTemplate"]["RestartPolicy"].take()
    };
    assert_eq!(policy("no"), Value::Null, "silence, and in a swarm silence restarts");
    assert_eq!(policy("always"), json!({ "Condition": "any" }));
    assert_eq!(policy("unless-stopped"), json!({ "Condition": "any" }));
    assert_eq!(policy("on-failure"), json!({ "Condition": "on-failure" }));
    assert_eq!(policy("on-failure:3"), json!({ "Condition": "on-failure", "MaxAttempts": 3 }));
    let both = spec(|service| {
        service.restart = Some(at("always".to_owned()));
        service.deploy.restart_policy = Some(RestartPolicy::default());
    });
    assert_eq!(both["TaskTemplate"]["RestartPolicy"], json!({}));
    for bad in ["sometimes", "on-failure:x", "always:3"] {
        assert_eq!(errors(&one(|service| service.restart = Some(at(bad.to_owned())))), ["schema/invalid-value"]);
    }
}

#[test]
fn resources() {
    let resources = |limits: Option<Resources>, reservations: Option<Resources>| {
        deployed(|deploy| {
            deploy.limits = limits;
            deploy.reservations = reservations;
        })["TaskTemplate"]["Resources"]
            .take()
    };
    assert_eq!(resources(Some(Resources::default()), None), json!({ "Limits": {} }), "said and empty");
    assert_eq!(
        resources(
            Some(Resources { nano_cpus: 500_000_000, memory_bytes: 64 << 20, pids: 9, generic: Vec::new() }),
            Some(Resources { memory_bytes: 4 << 20, generic: vec![("gpu".to_owned(), 2)], ..Resources::default() })
        ),
        json!({
            "Limits": { "NanoCPUs": 500_000_000, "MemoryBytes": 64 << 20, "Pids": 9 },
            "Reservations": {
                "MemoryBytes": 4 << 20,
                "GenericResources": [{ "DiscreteResourceSpec": { "Kind": "gpu", "Value": 2 } }]
            }
        })
    );
    for little in [
        Resources { memory_bytes: (4 << 20) - 1, ..Resources::default() },
        Resources { nano_cpus: 999_999, ..Resources::default() },
    ] {
        assert_eq!(refused(|deploy| deploy.limits = Some(little.clone())), ["schema/invalid-value"]);
        assert_eq!(refused(|deploy| deploy.reservations = Some(little)), ["schema/invalid-value"]);
    }
}

#[test]
fn placement() {
    let spec = deployed(|deploy| {
        deploy.placement.constraints = strings(&["node.role == manager", "node.labels.x!=y"]);
        deploy.placement.spread = strings(&["node.labels.zone"]);
        deploy.placement.max_replicas_per_node = 2;
    });
    assert_eq!(
        spec["TaskTemplate"]["Placement"],
        json!({
            "Constraints": ["node.role == manager", "node.labels.x!=y"],
            "Preferences": [{ "Spread": { "SpreadDescriptor": "node.labels.zone" } }],
            "MaxReplicas": 2
        })
    );
    for bad in ["node.role", "node.role=manager", "== manager", "node.role =="] {
        let codes = refused(|deploy| deploy.placement.constraints = strings(&[bad]));
        assert_eq!(codes, ["schema/invalid-value"], "{bad}");
    }
}
