//! New tasks: a node for each, or not.

use super::*;

#[test]
fn constraints() {
    let ground = Ground::new(&[json!({ "/Spec/Labels/disk": "ssd" }), json!({}), json!({})]);
    let pinned = |constraint: &str| {
        web(|web| {
            web.constraint(constraint).replicas(2);
        })
    };
    ground.fits(&pinned("node.labels.disk==ssd"));
    let (code, message) = ground.said(&pinned("node.labels.disk==nvme"));
    assert_eq!(code, "feasibility/constraints");
    assert_eq!(message, "web: 0 of 2 tasks would find a node (est.); n1, n2, n3: node.labels.disk==nvme is not met");
    let hints = ground.judged(&pinned("node.labels.disk==nvme")).remove(0).hints;
    assert!(hints[0].starts_with("`docker node update --label-add disk=nvme NODE`"), "{hints:?}");
}

#[test]
fn nodes_that_take_no_task() {
    let away = [
        json!({ "/Spec/Availability": "drain" }),
        json!({ "/Spec/Availability": "pause" }),
        json!({ "/Status/State": "down" }),
    ];
    let (code, message) = Ground::new(&away).said(&web(|_| {}));
    assert_eq!(code, "feasibility/no-node");
    assert_eq!(message, "web: 0 of 1 task would find a node (est.); n2: paused; n1: drained; n3: down");
    let mut one = away.to_vec();
    one.push(json!({}));
    Ground::new(&one).fits(&web(|_| {}));
    assert!(Ground::of(0).said(&web(|_| {})).1.ends_with("there is none"));
}

#[test]
fn platforms() {
    let on = |architecture: &str| {
        web(|web| {
            let placement = web.spec.task_template.placement.get_or_insert_default();
            placement.platforms = vec![
                serde_json::from_value(json!({ "Architecture": architecture, "OS": "linux" })).expect("a platform"),
            ];
        })
    };
    Ground::of(1).fits(&on("amd64"));
    let (code, message) = Ground::of(1).said(&on("arm64"));
    assert_eq!(code, "feasibility/platform");
    assert_eq!(message, "web: 0 of 1 task would find a node (est.); n1: the image is not made for linux/amd64");
}

#[test]
fn reservations_of_all_tasks_count() {
    let mut ground = Ground::of(2);
    let mut other = stack();
    reserves(service(&mut other, "db", "db:1"), 0.5, 600);
    ground = ground.running(&other, "shop_db", &["n1"]);
    let with = |cpus, mebi, replicas| {
        let mut desired = other.clone();
        reserves(service(&mut desired, "web", "nginx:1").replicas(replicas), cpus, mebi);
        desired
    };
    ground.fits(&with(0.0, 400, 3));
    let (code, message) = ground.said(&with(0.0, 400, 4));
    assert_eq!(code, "feasibility/resources");
    assert_eq!(
        message,
        "web: 3 of 4 tasks would find a node (est.); \
         n1: 24 MiB of memory are left of the 400 MiB a task reserves; \
         n2: 224 MiB of memory are left of the 400 MiB a task reserves"
    );
    let (_, message) = ground.said(&with(1.75, 0, 2));
    assert!(message.contains("n1: 1.5 CPUs are left of the 1.75 a task reserves"), "{message}");
}

#[test]
fn things_that_only_the_user_counts() {
    let gpus = json!({ "GenericResources": [
        { "NamedResourceSpec": { "Kind": "gpu", "Value": "g0" } }, { "NamedResourceSpec": { "Kind": "gpu", "Value": "g1" } },
    ] });
    let ground = Ground::new(&[json!({ "/Description/Resources": gpus })]);
    let wants = |replicas| {
        web(|web| {
            web.replicas(replicas);
            web.spec.task_template.resources = serde_json::from_value(json!({ "Reservations": { "GenericResources": [
                { "DiscreteResourceSpec": { "Kind": "gpu", "Value": 1 } }
            ] } }))
            .expect("resources");
        })
    };
    ground.fits(&wants(2));
    let (code, message) = ground.said(&wants(3));
    assert_eq!(code, "feasibility/resources");
    assert_eq!(message, "web: 2 of 3 tasks would find a node (est.); n1: 0 of the 1 gpu is left");
}

#[test]
fn ports_in_host_mode() {
    let mut first = stack();
    host_port(service(&mut first, "proxy", "proxy:1"), 80);
    let ground = Ground::of(2).running(&first, "shop_proxy", &["n2"]);
    let with = |port, replicas| {
        let mut desired = first.clone();
        host_port(service(&mut desired, "web", "nginx:1").replicas(replicas), port);
        desired
    };
    ground.fits(&with(80, 1));
    ground.fits(&with(81, 2));
    let (code, message) = ground.said(&with(80, 2));
    assert_eq!(code, "feasibility/host-port");
    assert_eq!(message, "web: 1 of 2 tasks would find a node (est.); n1, n2: port 80/tcp is taken");
}

#[test]
fn replicas_a_node() {
    let most = |replicas| {
        web(|web| {
            web.replicas(replicas).spec.task_template.placement.get_or_insert_default().max_replicas = 2;
        })
    };
    Ground::of(2).fits(&most(4));
    let (code, message) = Ground::of(2).said(&most(5));
    assert_eq!(code, "feasibility/max-replicas");
    assert_eq!(message, "web: 4 of 5 tasks would find a node (est.); n1, n2: max_replicas_per_node (2) is reached");
}

#[test]
fn the_nearest_miss_gives_the_code() {
    let ground =
        Ground::new(&[json!({ "/Spec/Labels/disk": "ssd" }), json!({}), json!({ "/Spec/Availability": "drain" })]);
    let desired = web(|web| {
        web.constraint("node.labels.disk==ssd").replicas(2);
        reserves(web, 1.5, 0);
    });
    let (code, message) = ground.said(&desired);
    assert_eq!(code, "feasibility/resources");
    assert_eq!(
        message,
        "web: 1 of 2 tasks would find a node (est.); n1: 0.5 CPUs are left of the 1.5 a task reserves; \
         n2: node.labels.disk==ssd is not met; n3: drained"
    );
}

#[test]
fn what_an_earlier_service_takes_a_later_one_does_not_have() {
    let with = |mebi| {
        let mut desired = stack();
        reserves(service(&mut desired, "api", "api:1"), 0.0, mebi);
        reserves(service(&mut desired, "web", "nginx:1"), 0.0, mebi);
        desired
    };
    Ground::of(1).fits(&with(500));
    let (_, message) = Ground::of(1).said(&with(600));
    assert!(message.starts_with("web: 0 of 1 task"), "{message}");
}

#[test]
fn a_global_service_goes_where_it_is_meant_to() {
    let ground =
        Ground::new(&[json!({ "/Spec/Labels/disk": "ssd" }), json!({}), json!({ "/Spec/Availability": "drain" })]);
    ground.fits(&web(global));
    let on = |constraint: &str| {
        web(|web| {
            global(web);
            web.constraint(constraint);
        })
    };
    ground.fits(&on("node.labels.disk==ssd"));
    let (code, message) = ground.said(&on("node.labels.disk==nvme"));
    assert_eq!(code, "feasibility/constraints");
    assert_eq!(
        message,
        "web: no node would get a task of it (est.); n1, n2: node.labels.disk==nvme is not met; n3: drained"
    );
    let (code, message) = ground.said(&web(|web| {
        global(web);
        reserves(web, 3.0, 0);
    }));
    assert_eq!(
        code, "feasibility/resources",
        "a node that it is meant for and that is too small has a task that waits"
    );
    assert!(message.starts_with("web: 0 of 2 tasks would find a node"), "{message}");
}

#[test]
fn a_job_gets_on_one_at_a_time() {
    let job = |cpus| {
        web(|web| {
            web.spec.mode =
                serde_json::from_value(json!({ "ReplicatedJob": { "MaxConcurrent": 5, "TotalCompletions": 9 } }))
                    .expect("a mode");
            reserves(web, cpus, 0);
        })
    };
    Ground::of(1).fits(&job(2.0));
    let (_, message) = Ground::of(1).said(&job(2.5));
    assert!(message.starts_with("web: 0 of 5 tasks"), "{message}");
}

#[test]
fn replicas_beyond_counting_are_judged_at_once() {
    Ground::of(3).fits(&web(|web| {
        web.replicas(u64::MAX);
    }));
}
