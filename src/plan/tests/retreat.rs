//! The way back after a failed attempt.

use std::collections::BTreeSet;

use super::*;

fn image(desired: &mut Desired, key: &str, image: &str) {
    let service = desired.services.get_mut(&format!("shop_{key}")).expect("a service");
    service.spec.task_template.container_spec.as_mut().expect("a container").image = image.to_owned();
}

fn mounted(desired: &mut Desired, key: &str, mount: serde_json::Value) {
    let service = desired.services.get_mut(&format!("shop_{key}")).expect("a service");
    let container = service.spec.task_template.container_spec.as_mut().expect("a container");
    container.mounts = vec![serde_json::from_value(mount).expect("a mount")];
}

/// The way back from what is applied now to what was.
fn back(cluster: &Cluster, good: &Applied, written: &[&str]) -> Retreat {
    let (stack, written) = (stack().stack, written.iter().map(|it| format!("shop_{it}")).collect::<Vec<_>>());
    let attempted = cluster.applied.clone().expect("a record");
    retreat(&Failed {
        stack: &stack,
        live: &cluster.live,
        good,
        attempted: &attempted,
        written: &written,
        hooks: &BTreeSet::new(),
    })
}

#[test]
fn what_was_written_goes_back_the_last_first() {
    let mut desired = stack();
    for key in ["api", "db", "web"] {
        service(&mut desired, key, "app:1");
    }
    config(&mut desired, "page", "one");
    let mut cluster = Cluster::default();
    cluster.apply(&desired);
    let good = cluster.applied.clone().expect("a record");
    image(&mut desired, "api", "app:2");
    image(&mut desired, "web", "app:2");
    cluster.apply(&desired);

    let way = back(&cluster, &good, &["api", "web"]);
    assert_eq!(done(&way.plan), ["update service shop_web", "update service shop_api"]);
    assert_eq!(way.left, []);
    assert!(way.plan.steps.iter().all(|step| step.changes.iter().all(|it| it.path.ends_with("/Image"))));
    cluster.carry_out(&way.plan);
    cluster.applied = Some(way.applied);
    assert!(back(&cluster, &good, &["api", "web"]).plan.steps.is_empty(), "it is back");
    let again = planned(&desired, &cluster);
    assert_eq!(done(&again), ["update service shop_api", "update service shop_web"]);
    assert!(again.steps.iter().flat_map(|step| &step.changes).all(|change| change.origin == Origin::Git));
    for key in ["api", "web"] {
        image(&mut desired, key, "app:1");
    }
    assert!(planned(&desired, &cluster).steps.is_empty(), "reverting in git writes nothing");
}

#[test]
fn what_cannot_go_back_is_left_and_named() {
    let mut desired = stack();
    for key in ["db", "cache", "web"] {
        service(&mut desired, key, "app:1");
    }
    mounted(&mut desired, "db", serde_json::json!({ "Type": "volume", "Source": "shop_data", "Target": "/data" }));
    let read_only = serde_json::json!({ "Type": "bind", "Source": "/etc", "Target": "/etc", "ReadOnly": true });
    mounted(&mut desired, "web", read_only);
    mounted(&mut desired, "cache", serde_json::json!({ "Type": "tmpfs", "Target": "/tmp" }));
    let mut cluster = Cluster::default();
    cluster.apply(&desired);
    let good = cluster.applied.clone().expect("a record");
    for key in ["db", "cache", "web"] {
        image(&mut desired, key, "app:2");
    }
    service(&mut desired, "new", "app:2");
    cluster.apply(&desired);

    let way = back(&cluster, &good, &["cache", "db", "new", "web"]);
    assert_eq!(done(&way.plan), ["update service shop_web", "update service shop_cache"]);
    let left: Vec<_> = way.left.iter().map(|left| left.service.as_str()).collect();
    assert_eq!(left, ["shop_new", "shop_db"]);
    cluster.carry_out(&way.plan);
    cluster.applied = Some(way.applied);
    let again = planned(&desired, &cluster);
    assert_eq!(done(&again), ["update service shop_cache", "update service shop_web"], "what is left is as git says");
    assert!(reported(&cluster).is_empty(), "and nobody's drift: {:?}", reported(&cluster).drift);
}

#[test]
fn what_a_good_rendering_refers_to_is_not_deleted() {
    let mut desired = stack();
    service(&mut desired, "web", "app:1");
    config(&mut desired, "page", "one");
    let refer = |desired: &mut Desired| {
        let container = desired.services.get_mut("shop_web").expect("web").spec.task_template.container_spec.as_mut();
        container.expect("a container").configs = vec![
            serde_json::from_value(serde_json::json!({ "ConfigName": "shop_page", "ConfigID": "" })).expect("a config"),
        ];
    };
    refer(&mut desired);
    let mut cluster = Cluster::default();
    cluster.apply(&desired);
    let good = cluster.applied.clone().expect("a record");
    for content in ["two", "three"] {
        config(&mut desired, "page", content);
        cluster.apply_beside(&desired, &good);
    }
    assert!(cluster.live.configs.iter().any(|config| config.spec.name == "shop_page"), "the good one is kept");
    let plan = cluster.plan(&desired);
    assert!(done(&plan).contains(&"delete config shop_page".to_owned()), "{:?}", done(&plan));
}
