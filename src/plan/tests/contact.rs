//! The first look at a stack that runs already.

use super::stack::Edit;
use super::*;

fn running() -> (Desired, Cluster) {
    let mut desired = stack();
    config(&mut desired, "app", "one");
    service(&mut desired, "web", "nginx:1").replicas(2).order("start-first").mounts("app");
    let cluster = Cluster { applied: None, ..applied(&desired) };
    (desired, cluster)
}

#[test]
fn a_stack_that_does_not_run_is_no_first_contact() {
    let (desired, _) = running();
    let plan = planned(&desired, &Cluster::default());
    assert_eq!((plan.first_contact, plan.steps.len()), (None, 3));
}

#[test]
fn what_runs_as_git_says_is_adopted_and_then_in_sync() {
    let (desired, mut cluster) = running();
    let plan = planned(&desired, &cluster);
    assert_eq!(plan.first_contact, Some(FirstContact::Safe));
    assert!(plan.steps.is_empty());
    cluster.applied = Some(plan.settled);
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
}

#[test]
fn what_restarts_nothing_is_adopted_and_written_as_gits_change_afterwards() {
    let (mut desired, mut cluster) = running();
    desired.services.get_mut("shop_web").expect("web").label("a", "b");
    desired.configs.get_mut("shop_app").expect("app").spec.labels.insert("c".into(), "d".into());
    let plan = planned(&desired, &cluster);
    assert_eq!(plan.first_contact, Some(FirstContact::Safe));
    assert!(plan.steps.iter().flat_map(|step| &step.changes).all(|change| change.origin == Origin::Unknown));
    cluster.applied = Some(plan.settled);
    let plan = planned(&desired, &cluster);
    assert_eq!(done(&plan), ["update config shop_app", "update service shop_web"]);
    assert!(plan.steps.iter().flat_map(|step| &step.changes).all(|change| change.origin == Origin::Git));
}

#[test]
fn what_would_restart_or_stop_tasks_waits_for_a_person() {
    let edits: &[fn(&mut Desired)] = &[
        |desired| {
            desired.services.get_mut("shop_web").expect("web").env("A=1");
        },
        |desired| {
            desired.services.get_mut("shop_web").expect("web").replicas(1);
        },
        |desired| config(desired, "app", "two"),
    ];
    for edit in edits {
        let (mut desired, cluster) = running();
        edit(&mut desired);
        let plan = planned(&desired, &cluster);
        assert_eq!(plan.first_contact, Some(FirstContact::Unsafe));
        assert!(!plan.steps.is_empty(), "it is shown what would happen");
    }
}

#[test]
fn what_cannot_be_carried_out_is_not_adopted() {
    let (mut desired, cluster) = running();
    desired.networks.get_mut("shop_default").expect("it").spec.attachable = true;
    assert_eq!(planned(&desired, &cluster).first_contact, Some(FirstContact::Unsafe));
}

#[test]
fn adoption_takes_nothing_that_git_does_not_name() {
    let (mut desired, mut cluster) = running();
    let full = planned(&desired, &cluster).settled;
    assert_eq!(full.inventory.len(), 3);
    desired.configs.clear();
    desired.services.get_mut("shop_web").expect("web").container().configs.clear();
    cluster.applied = Some(planned(&desired, &cluster).settled);
    assert!(planned(&desired, &cluster).steps.iter().all(|step| step.action != Action::Delete));
}
