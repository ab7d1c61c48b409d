//! What a step costs.

use super::stack::Edit;
use super::*;

const WEB: &str = "shop_web";

fn base() -> Desired {
    let mut desired = stack();
    service(&mut desired, "web", "nginx:1").replicas(3).order("start-first").port(80, 80).checked();
    desired
}

/// The only step after an edit to the base.
fn step(cluster: &Cluster, edit: impl FnOnce(&mut crate::desired::Service)) -> (Plan, Step) {
    let mut desired = base();
    edit(desired.services.get_mut(WEB).expect("web"));
    let plan = planned(&desired, cluster);
    assert_eq!(plan.steps.len(), 1, "{:?} {:?}", done(&plan), plan.diagnostics);
    let step = plan.steps[0].clone();
    (plan, step)
}

type Row = (&'static str, fn(&mut crate::desired::Service), Effect, u64, u64, Downtime);

#[test]
fn each_kind_of_change_has_its_effect() {
    let cluster = applied(&base()).with_nodes(&[true, true, false]);
    let rows: &[Row] = &[
        (
            "label",
            |web| {
                web.label("a", "b");
            },
            Effect::InPlace,
            0,
            0,
            Downtime::None,
        ),
        (
            "policy",
            |web| {
                web.order("stop-first");
            },
            Effect::InPlace,
            0,
            0,
            Downtime::None,
        ),
        (
            "grow",
            |web| {
                web.replicas(5);
            },
            Effect::InPlace,
            0,
            0,
            Downtime::None,
        ),
        (
            "shrink",
            |web| {
                web.replicas(1);
            },
            Effect::InPlace,
            0,
            2,
            Downtime::None,
        ),
        (
            "to nothing",
            |web| {
                web.replicas(0);
            },
            Effect::InPlace,
            0,
            3,
            Downtime::Certain,
        ),
        (
            "env",
            |web| {
                web.env("A=1");
            },
            Effect::Rolling,
            3,
            0,
            Downtime::None,
        ),
        (
            "env, grow",
            |web| {
                web.env("A=1").replicas(5);
            },
            Effect::Rolling,
            3,
            0,
            Downtime::None,
        ),
        (
            "env, shrink",
            |web| {
                web.env("A=1").replicas(1);
            },
            Effect::Rolling,
            1,
            2,
            Downtime::None,
        ),
        (
            "ports",
            |web| {
                web.port(81, 80);
            },
            Effect::Rolling,
            3,
            0,
            Downtime::None,
        ),
        (
            "stop-first",
            |web| {
                web.env("A=1").order("stop-first");
            },
            Effect::Rolling,
            3,
            0,
            Downtime::None,
        ),
        (
            "one, stop-first",
            |web| {
                web.env("A=1").order("stop-first").replicas(1);
            },
            Effect::Rolling,
            1,
            2,
            Downtime::Possible,
        ),
        (
            "still fits",
            |web| {
                web.constraint("node.id != x");
            },
            Effect::InPlace,
            0,
            0,
            Downtime::None,
        ),
        (
            "moves",
            |web| {
                web.constraint("node.labels.disk == ssd");
            },
            Effect::Rolling,
            3,
            0,
            // As far as anybody knows, none may stay.
            Downtime::Possible,
        ),
        (
            "new one first, unchecked",
            |web| {
                web.container().healthcheck = None;
            },
            Effect::Rolling,
            3,
            0,
            Downtime::Possible,
        ),
        (
            "one, new one first",
            |web| {
                web.env("A=1").replicas(1);
            },
            Effect::Rolling,
            1,
            2,
            Downtime::None,
        ),
        (
            "all at once, old ones first",
            |web| {
                web.env("A=1").order("stop-first").spec.update_config.as_mut().expect("a policy").parallelism = 3;
            },
            Effect::Rolling,
            3,
            0,
            Downtime::Possible,
        ),
    ];
    for (what, edit, effect, restarting, stopping, downtime) in rows {
        let (_, step) = step(&cluster, edit);
        let found = (step.effect, step.tasks_restarting, step.tasks_stopping, step.downtime);
        assert_eq!(found, (*effect, *restarting, *stopping, *downtime), "{what}");
    }
}

#[test]
fn only_tasks_whose_node_no_longer_fits_move() {
    let cluster = applied(&base()).with_nodes(&[true, true, false]);
    let ssd = |web: &mut crate::desired::Service| {
        web.constraint("node.labels.disk == ssd");
    };
    let (plan, step) = self::step(&cluster, ssd);
    assert_eq!(
        (step.tasks_restarting, plan.movers().collect::<Vec<_>>()),
        (3, vec![WEB]),
        "nobody knows where they are"
    );
    for (nodes, effect, restarting) in [
        (["node-0", "node-1", "node-2"], Effect::Rolling, 1),
        (["node-0", "node-1", "node-1"], Effect::InPlace, 0),
        (["node-2", "node-2", "node-2"], Effect::Rolling, 3),
        // One that is not on a node yet, and one on a node that is gone.
        (["node-2", "", "node-9"], Effect::Rolling, 1),
    ] {
        let (_, step) = self::step(&cluster.clone().located(WEB, nodes), ssd);
        assert_eq!((step.effect, step.tasks_restarting), (effect, restarting), "{nodes:?}");
    }
    let (plan, step) = self::step(&cluster.located(WEB, ["node-0", "node-1", "node-2"]), |web| {
        web.constraint("node.labels.disk == ssd").env("A=1");
    });
    assert_eq!((step.tasks_restarting, plan.movers().count()), (3, 0), "what differs besides restarts all");
}

#[test]
fn downtime_is_explained_by_a_code() {
    let cluster = applied(&base());
    let (plan, _) = step(&cluster, |web| {
        web.env("A=1").order("stop-first").replicas(1);
    });
    // A service that is published and has no policy: what its updates cost is told once, beside what a failure would cost.
    let of_policy = ["zero-downtime/failure-not-rollback", "zero-downtime/monitor-too-short"];
    assert_eq!(codes(&plan), [&of_policy[..], &["zero-downtime/one-replica-stop-first"]].concat());
    let (plan, _) = step(&cluster, |web| {
        web.env("A=1").order("stop-first").spec.update_config.as_mut().expect("a policy").parallelism = 0;
    });
    assert_eq!(
        codes(&plan),
        ["zero-downtime/all-at-once", "zero-downtime/failure-not-rollback", "zero-downtime/monitor-too-short"]
    );
    let (plan, _) = step(&cluster, |web| {
        web.replicas(0);
    });
    assert_eq!(codes(&plan), ["zero-downtime/no-replicas"]);
    for order in ["start-first", "stop-first"] {
        let (plan, _) = step(&cluster, |web| {
            web.order(order).container().healthcheck = None;
        });
        let told = codes(&plan).into_iter().filter(|code| *code == "zero-downtime/no-healthcheck").count();
        assert_eq!(told, 1, "{order}: {:?}", codes(&plan));
    }
    let cluster = cluster.with_nodes(&[true, false, false]).located(WEB, ["node-1", "node-2", "node-2"]);
    let (plan, _) = step(&cluster, |web| {
        web.constraint("node.labels.disk == ssd");
    });
    assert!(codes(&plan).contains(&"zero-downtime/all-move"), "{:?}", codes(&plan));
    let (plan, step) = step(&cluster.located(WEB, ["node-0", "node-1", "node-2"]), |web| {
        web.constraint("node.labels.disk == ssd");
    });
    assert!(!codes(&plan).contains(&"zero-downtime/all-move"), "one stays: {:?}", codes(&plan));
    assert_eq!(step.tasks_restarting, 2);
}

#[test]
fn ports_and_placement_changed_together_raise_force_update() {
    let mut cluster = applied(&base());
    let mut desired = base();
    desired.services.get_mut(WEB).expect("web").port(81, 80).constraint("node.id != x");
    let plan = cluster.apply(&desired);
    let force = plan.steps[0].changes.last().expect("changes");
    assert_eq!((force.path.as_str(), force.origin), ("/TaskTemplate/ForceUpdate", Origin::Skep));
    assert_eq!(plan.steps[0].tasks_restarting, 3);
    assert_eq!(cluster.service(WEB).spec.task_template.force_update, 1);
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
}

#[test]
fn a_service_without_tasks_restarts_none() {
    let mut desired = base();
    desired.services.get_mut(WEB).expect("web").replicas(0);
    let cluster = applied(&desired);
    desired.services.get_mut(WEB).expect("web").env("A=1");
    let step = planned(&desired, &cluster).steps[0].clone();
    assert_eq!((step.effect, step.tasks_restarting, step.downtime), (Effect::Rolling, 0, Downtime::None));
}

fn global(desired: &mut Desired) {
    let mode = desired.services.get_mut(WEB).expect("web").spec.mode.as_mut().expect("a mode");
    mode.replicated = None;
    mode.global = Some(Default::default());
}

#[test]
fn a_global_service_has_a_task_on_each_node_that_fits() {
    let mut desired = base();
    global(&mut desired);
    let cluster = applied(&desired).with_nodes(&[true, true, false]);
    desired.services.get_mut(WEB).expect("web").env("A=1");
    assert_eq!(planned(&desired, &cluster).steps[0].tasks_restarting, 3);
    let mut desired = base();
    global(&mut desired);
    desired.services.get_mut(WEB).expect("web").constraint("node.labels.disk == ssd");
    let step = planned(&desired, &cluster).steps[0].clone();
    assert_eq!((step.effect, step.tasks_restarting, step.tasks_stopping), (Effect::InPlace, 0, 1));
}

#[test]
fn any_write_of_a_job_runs_it_again() {
    let mut desired = base();
    let mode = desired.services.get_mut(WEB).expect("web").spec.mode.as_mut().expect("a mode");
    mode.replicated = None;
    mode.replicated_job = Some(Default::default());
    let cluster = applied(&desired);
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
    desired.services.get_mut(WEB).expect("web").label("a", "b");
    assert_eq!(planned(&desired, &cluster).steps[0].effect, Effect::JobRun);
}

#[test]
fn a_label_alone_leaves_what_is_compared_in_order_in_its_order() {
    let mut desired = base();
    config(&mut desired, "a", "1");
    config(&mut desired, "b", "2");
    desired.services.get_mut(WEB).expect("web").mounts("a").mounts("b");
    let mut cluster = applied(&desired);
    cluster.by_hand(WEB, |spec| spec.container().configs.reverse());
    let before = cluster.service(WEB).spec.task_template.clone();
    desired.services.get_mut(WEB).expect("web").label("x", "y");
    let plan = cluster.apply(&desired);
    assert_eq!(plan.steps[0].effect, Effect::InPlace);
    assert_eq!(cluster.service(WEB).spec.task_template, before, "or its tasks would restart after all");
}

#[test]
fn what_swarm_cannot_do_in_place_blocks_the_stack() {
    let mut desired = base();
    let volume = |size: &str| {
        serde_json::from_value(serde_json::json!({
            "Type": "volume", "Source": "shop_data", "Target": "/data",
            "VolumeOptions": { "DriverConfig": { "Name": "local", "Options": { "size": size } } }
        }))
        .expect("a mount")
    };
    desired.services.get_mut(WEB).expect("web").container().mounts = vec![volume("1")];
    let cluster = applied(&desired);
    type Edits<'a> = &'a [(&'a str, &'a dyn Fn(&mut Desired))];
    let edits: Edits<'_> =
        &[("volume", &|desired| desired.services.get_mut(WEB).expect("web").container().mounts = vec![volume("2")])];
    for (what, edit) in edits {
        let mut desired = desired.clone();
        edit(&mut desired);
        service(&mut desired, "other", "nginx:1");
        let plan = planned(&desired, &cluster);
        assert!(plan.is_blocked(), "{what}");
        assert_eq!(codes(&plan), ["plan/immutable"], "{what}");
        assert_eq!(done(&plan), ["create service shop_other"], "{what}: what could be done is shown");
    }
}

#[test]
fn labels_of_a_network_are_worth_no_interruption() {
    let mut desired = base();
    let cluster = applied(&desired);
    desired.networks.get_mut("shop_default").expect("it").spec.labels.insert("a".into(), "b".into());
    let plan = planned(&desired, &cluster);
    assert!(!plan.is_blocked() && plan.steps.is_empty());
    assert_eq!(codes(&plan), ["plan/immutable"]);
}
