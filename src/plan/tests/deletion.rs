//! What is deleted, in which order, and above all what is not.

use std::sync::Arc;

use super::stack::Edit;
use super::*;
use crate::desired::External;
use crate::model::{Kind, label};

fn full() -> Desired {
    let mut desired = stack();
    network(&mut desired, "back");
    config(&mut desired, "app", "one");
    secret(&mut desired, "db", "one");
    service(&mut desired, "web", "nginx:1").replicas(2);
    service(&mut desired, "old", "nginx:1").replicas(2).joins("back").mounts("app").is_given("db");
    desired
}

/// Without the service `old` and everything that it alone uses.
fn less() -> Desired {
    let mut desired = stack();
    service(&mut desired, "web", "nginx:1").replicas(2);
    desired
}

#[test]
fn steps_come_in_the_order_in_which_things_refer_to_each_other() {
    let plan = planned(&full(), &Cluster { applied: Some(Applied::default()), ..Cluster::default() });
    assert_eq!(
        done(&plan),
        [
            "create network shop_back",
            "create network shop_default",
            "create config shop_app",
            "create secret shop_db",
            "create service shop_old",
            "create service shop_web",
        ]
    );
    let cluster = applied(&full());
    let mut desired = less();
    service(&mut desired, "anew", "nginx:1");
    assert_eq!(
        done(&planned(&desired, &cluster)),
        [
            "create service shop_anew",
            "delete service shop_old",
            "delete config shop_app",
            "delete secret shop_db",
            "delete network shop_back",
        ]
    );
}

#[test]
fn deleting_is_certain_downtime_and_counts_its_tasks() {
    let plan = planned(&less(), &applied(&full()));
    let step = plan.steps.iter().find(|step| step.kind == Kind::Service).expect("old goes");
    assert_eq!((step.effect, step.downtime, step.tasks_stopping), (Effect::Delete, Downtime::Certain, 2));
}

#[test]
fn without_a_record_nothing_is_deleted() {
    let cluster = Cluster { applied: None, ..applied(&full()) };
    let plan = planned(&less(), &cluster);
    assert!(plan.steps.iter().all(|step| step.action != Action::Delete));
    assert_eq!(plan.drift.extra.len(), 4);
}

#[test]
fn what_merely_carries_the_label_is_extra() {
    let mut cluster = applied(&less());
    let mut foreign = (*cluster.live.services[0]).clone();
    foreign.id = "by-hand".to_owned();
    foreign.spec.name = "shop_by-hand".to_owned();
    cluster.live.services.push(Arc::new(foreign));
    let plan = planned(&less(), &cluster);
    assert!(plan.steps.is_empty());
    assert_eq!(plan.drift.extra, [Object::new(Kind::Service, "shop_by-hand")]);
    assert_eq!(plan.sync(), Sync::Synced, "it is nobody's drift");
}

#[test]
fn what_went_over_to_another_stack_is_not_deleted() {
    let mut cluster = applied(&full());
    for service in cluster.live.services.iter_mut().filter(|it| it.spec.name == "shop_old") {
        Arc::make_mut(service).spec.labels.insert(label::NAMESPACE.to_owned(), "other".to_owned());
    }
    let plan = planned(&less(), &cluster);
    assert_eq!(done(&plan), Vec::<String>::new(), "what it refers to stays too");
    assert_eq!(codes(&plan), ["plan/kept-in-use"; 3]);
}

#[test]
fn what_is_protected_is_never_deleted() {
    let mut desired = full();
    desired.protected.extend([(Kind::Service, "shop_old".to_owned()), (Kind::Config, "shop_app".to_owned())]);
    let mut cluster = applied(&desired);
    let plan = with_policy(&less(), &cluster, &Policy { allow_delete: true, ..Policy::default() });
    assert!(plan.is_blocked());
    assert_eq!(codes(&plan), ["plan/protected"; 2], "{:?}", plan.diagnostics);
    assert!(plan.settled.protected.len() == 2, "it stays so until git says otherwise of it");
    // A later content of a protected config is no deletion of it.
    config(&mut desired, "app", "two");
    assert!(!planned(&desired, &cluster).is_blocked());
    // Let go in a commit of its own.
    desired.protected.clear();
    cluster.apply(&desired);
    assert!(!planned(&less(), &cluster).is_blocked());
}

#[test]
fn more_than_a_share_of_a_stack_needs_a_word() {
    let mut desired = full();
    service(&mut desired, "more", "nginx:1");
    let cluster = applied(&desired);
    let plan = planned(&less(), &cluster);
    assert_eq!(codes(&plan), ["plan/too-many-deletions"]);
    assert!(plan.is_blocked() && plan.steps.iter().all(|step| step.action != Action::Delete));
    for policy in
        [Policy { allow_delete: true, ..Policy::default() }, Policy { max_delete: Share(80), ..Policy::default() }]
    {
        let plan = with_policy(&less(), &cluster, &policy);
        assert!(!plan.is_blocked(), "{:?}", plan.diagnostics);
        assert_eq!(plan.steps.iter().filter(|step| step.action == Action::Delete).count(), 5);
    }
}

#[test]
fn deletions_wait_until_what_replaces_them_is_healthy() {
    let cluster = applied(&full());
    let mut desired = less();
    service(&mut desired, "anew", "nginx:1");
    let plan = planned(&desired, &cluster);
    let waves: Vec<(Action, u32)> = plan.steps.iter().map(|step| (step.action, step.wave)).collect();
    assert_eq!(waves[0], (Action::Create, 0));
    assert!(waves[1..].iter().all(|wave| *wave == (Action::Delete, 1)), "{waves:?}");
    assert_eq!(plan.first_wave().len(), 1);
    assert!(planned(&less(), &cluster).steps.iter().all(|step| step.wave == 0), "there is nothing to wait for");
}

#[test]
fn with_pruning_off_it_is_named_and_stays_and_is_remembered() {
    let mut cluster = applied(&full());
    let policy = Policy { prune: Prune::Off, ..Policy::default() };
    let plan = with_policy(&less(), &cluster, &policy);
    assert!(plan.steps.is_empty());
    assert_eq!(codes(&plan), ["plan/prune-off"]);
    cluster.carry_out(&plan);
    assert_eq!(planned(&less(), &cluster).steps.len(), 4, "as soon as pruning is on");
}

#[test]
fn dockers_prune_deletes_labelled_services_and_nothing_else() {
    let cluster = Cluster { applied: None, ..applied(&full()) };
    let policy = Policy { prune: Prune::Labelled, direct: true, ..Policy::default() };
    assert_eq!(done(&with_policy(&less(), &cluster, &policy)), ["delete service shop_old"]);
}

#[test]
fn what_another_service_still_uses_or_could_roll_back_to_is_kept_and_said() {
    let mut desired = full();
    let mut cluster = applied(&desired);
    service(&mut desired, "old", "nginx:1").replicas(2);
    desired.networks.remove("shop_back");
    desired.configs.remove("shop_app");
    desired.secrets.remove("shop_db");
    let plan = cluster.apply(&desired);
    assert_eq!(done(&plan), ["update service shop_old"]);
    let of_downtime = ["zero-downtime/no-healthcheck"];
    assert_eq!(codes(&plan), of_downtime.into_iter().chain(["plan/kept-in-use"; 3]).collect::<Vec<_>>());
    assert!(planned(&desired, &cluster).steps.is_empty());
    desired.services.get_mut("shop_old").expect("old").env("A=1");
    let plan = cluster.apply(&desired);
    assert_eq!(
        done(&plan),
        ["update service shop_old", "delete config shop_app", "delete secret shop_db", "delete network shop_back"]
    );
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
}

#[test]
fn what_became_external_is_not_deleted() {
    let cluster = applied(&full());
    let mut desired = less();
    for (kind, name) in [(Kind::Network, "shop_back"), (Kind::Config, "shop_app"), (Kind::Secret, "shop_db")] {
        desired.external.push(External { kind, name: name.to_owned(), span: None });
    }
    assert_eq!(done(&planned(&desired, &cluster)), ["delete service shop_old"]);
}

#[test]
fn files_that_define_nothing_delete_nothing() {
    let mut cluster = applied(&full());
    let mut nothing = stack();
    nothing.networks.clear();
    let plan = planned(&nothing, &cluster);
    assert!(plan.is_blocked() && plan.steps.is_empty());
    assert_eq!(codes(&plan), ["plan/empty-desired"]);
    assert!(!planned(&nothing, &Cluster::default()).is_blocked(), "there is nothing to delete");
    let policy = Policy { allow_delete: true, ..Policy::default() };
    let plan = with_policy(&nothing, &cluster, &policy);
    assert_eq!(plan.steps.len(), 6);
    cluster.carry_out(&plan);
    assert_eq!(cluster.applied, Some(Applied::default()));
}

#[test]
fn an_external_that_is_missing_blocks_the_stack() {
    let mut desired = less();
    desired.external.push(External { kind: Kind::Network, name: "proxy".into(), span: None });
    let mut cluster = applied(&less());
    let plan = planned(&desired, &cluster);
    assert!(plan.is_blocked());
    assert_eq!(codes(&plan), ["plan/external-missing"]);
    let mut proxy = (*cluster.live.networks[0]).clone();
    proxy.name = "proxy".to_owned();
    proxy.labels.clear();
    cluster.live.networks.push(Arc::new(proxy.clone()));
    assert!(!planned(&desired, &cluster).is_blocked());
    proxy.scope = "local".to_owned();
    cluster.live.networks.pop();
    cluster.live.networks.push(Arc::new(proxy));
    assert!(planned(&desired, &cluster).diagnostics[0].message.contains("one node's scope"));
}

#[test]
fn a_service_of_that_name_that_is_not_the_stacks_is_left_alone() {
    let mut cluster = Cluster { applied: Some(Applied::default()), ..applied(&less()) };
    for service in &mut cluster.live.services {
        Arc::make_mut(service).spec.labels.remove(label::NAMESPACE);
    }
    let plan = planned(&less(), &cluster);
    assert_eq!(codes(&plan), ["plan/name-taken"]);
    assert!(plan.is_blocked() && plan.steps.is_empty());
    assert!(!plan.settled.holds(Kind::Service, "shop_web"));
}
