//! Volumes that stay where they are.

use super::*;
use crate::desired::Volume;

/// A database with a volume of its own, by the options of that.
fn db(options: Value, edit: impl FnOnce(&mut crate::desired::Service)) -> Desired {
    let mut desired = stack();
    let service = service(&mut desired, "db", "postgres:1");
    service.container().mounts = vec![
        serde_json::from_value(json!({
            "Type": "volume", "Source": "shop_data", "Target": "/data", "VolumeOptions": { "DriverConfig": options },
        }))
        .expect("a mount"),
    ];
    edit(service);
    let volume =
        Volume { driver: String::new(), options: BTreeMap::new(), labels: BTreeMap::new(), span: None, prune: false };
    desired.volumes.insert("shop_data".into(), volume);
    desired
}

fn changed(service: &mut crate::desired::Service) {
    service.env("A=b");
}

#[test]
fn a_task_that_may_leave_its_volume_behind() {
    let ground = Ground::of(3).running(&db(json!({}), |_| {}), "shop_db", &["n1"]);
    let (code, message) = ground.said(&db(json!({}), changed));
    assert_eq!(code, "feasibility/volume-empty");
    assert_eq!(
        message,
        "db: what is in volume shop_data is on node n1; the new task may start on n2, n3, where that is empty (est.)"
    );
    let pinned = |constraint: &'static str| {
        db(json!({}), move |db| {
            changed(db);
            db.constraint(constraint);
        })
    };
    ground.fits(&pinned("node.hostname==n1"));
    let (_, message) = ground.said(&pinned("node.hostname==n2"));
    assert!(message.contains("is on node n1; the new task may start on n2, where"), "{message}");
    ground.fits(&db(json!({}), |db| {
        db.label("a", "b");
    }));
    Ground::of(1).running(&db(json!({}), |_| {}), "shop_db", &["n1"]).fits(&db(json!({}), changed));
}

#[test]
fn a_pin_that_takes_the_task_elsewhere_is_told_of_too() {
    let ground = Ground::of(2).running(&db(json!({}), |_| {}), "shop_db", &["n1"]);
    ground.fits(&db(json!({}), |db| {
        db.constraint("node.hostname==n1");
    }));
    let (_, message) = ground.said(&db(json!({}), |db| {
        db.constraint("node.hostname==n2");
    }));
    assert!(message.contains("may start on n2, where that is empty"), "{message}");
}

#[test]
fn volumes_that_are_elsewhere_anyway() {
    for options in [
        json!({ "Name": "local", "Options": { "type": "nfs", "o": "addr=10.0.0.1", "device": ":/data" } }),
        json!({ "Name": "some/plugin" }),
    ] {
        let ground = Ground::of(2).running(&db(options.clone(), |_| {}), "shop_db", &["n1"]);
        ground.fits(&db(options.clone(), changed));
        Ground::of(2).fits(&db(options, |_| {}));
    }
    let explicit = json!({ "Name": "local", "Options": { "size": "1g" } });
    let ground = Ground::of(2).running(&db(explicit.clone(), |_| {}), "shop_db", &["n1"]);
    assert_eq!(ground.judged(&db(explicit, changed)).len(), 1);
}

#[test]
fn a_volume_that_is_new_and_pinned_to_no_node_is_worth_a_note() {
    let found = Ground::of(3).judged(&db(json!({}), |_| {}));
    let [note] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((note.severity, note.code), (Severity::Note, "feasibility/volume-empty"));
    assert_eq!(
        note.message,
        "db: volume shop_data will be on the node where its task starts; should another task start on one of the 2 others, that is empty there"
    );
    Ground::of(1).fits(&db(json!({}), |_| {}));
    Ground::of(3).fits(&db(json!({}), |db| {
        db.constraint("node.hostname==n2");
    }));
    Ground::of(3).fits(&db(json!({}), global));
}
