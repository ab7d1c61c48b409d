//! Services that no stack made and that a file names by their own names.

use super::stack::Edit;
use super::*;
use crate::diag::code;
use crate::model::label;
use crate::swarm::ServiceSpec;

/// Without a stack's label, as nobody's stack made it.
fn bare(spec: &mut ServiceSpec) {
    spec.labels.clear();
    if let Some(container) = &mut spec.task_template.container_spec {
        container.labels.clear();
        container.privileges = None;
    }
    spec.task_template.networks.clear();
    spec.name = "web".to_owned();
}

fn desired() -> Desired {
    let mut desired = stack();
    desired.networks.clear();
    service(&mut desired, "web", "nginx:1").replicas(2);
    let mut web = desired.services.remove("shop_web").expect("just made");
    bare(&mut web.spec);
    web.as_is = true;
    desired.services.insert("web".to_owned(), web);
    desired
}

/// The swarm in which somebody made it.
fn made() -> Cluster {
    let mut cluster = applied(&desired());
    cluster.applied = None;
    cluster
}

#[test]
fn it_is_taken_over_where_it_carries_no_label_and_nothing_is_written() {
    let cluster = made();
    let plan = planned(&desired(), &cluster);
    assert_eq!((done(&plan), codes(&plan)), (vec![], vec![]));
    assert_eq!((plan.unchanged, plan.first_contact), (1, Some(FirstContact::Safe)));
    assert!(plan.settled.holds(Kind::Service, "web"));
}

#[test]
fn it_is_not_taken_from_another_stack_nor_without_being_named() {
    let mut cluster = made();
    let mut unnamed = desired();
    unnamed.services.get_mut("web").expect("web").as_is = false;
    assert_eq!(codes(&planned(&unnamed, &cluster)), [code::NAME_TAKEN]);
    cluster.by_hand("web", |spec| drop(spec.labels.insert(label::NAMESPACE.to_owned(), "other".to_owned())));
    assert_eq!(codes(&planned(&desired(), &cluster)), [code::NAME_TAKEN]);
}

#[test]
fn a_first_look_that_would_restart_it_waits_for_a_person() {
    let cluster = made();
    let mut changed = desired();
    changed.services.get_mut("web").expect("web").image("nginx:2");
    let plan = planned(&changed, &cluster);
    assert_eq!((done(&plan), plan.first_contact), (vec!["update service web".to_owned()], Some(FirstContact::Unsafe)));
}

#[test]
fn it_is_deleted_once_git_names_it_no_more_unless_somebody_gave_it_to_a_stack() {
    let mut cluster = applied(&desired());
    let mut other = stack();
    service(&mut other, "else", "nginx:1");
    cluster.apply(&{
        let mut both = other.clone();
        both.services.extend(desired().services);
        both
    });
    assert_eq!(done(&planned(&other, &cluster)), ["delete service web"]);
    let without = Cluster { applied: None, ..cluster.clone() };
    assert_eq!(done(&planned(&other, &without)), Vec::<String>::new(), "no record, no deletion");
    cluster.by_hand("web", |spec| drop(spec.labels.insert(label::NAMESPACE.to_owned(), "other".to_owned())));
    assert_eq!(done(&planned(&other, &cluster)), Vec::<String>::new());
}

#[test]
fn what_a_file_ignores_of_a_service_stays_as_it_is() {
    let mut cluster = made();
    cluster.by_hand("web", |spec| {
        let container = spec.task_template.container_spec.as_mut().expect("a container");
        container.privileges =
            Some(crate::swarm::Privileges { no_new_privileges: true, ..crate::swarm::Privileges::default() });
    });
    let mut desired = desired();
    assert_eq!(done(&planned(&desired, &cluster)), ["update service web"]);
    let web = desired.services.get_mut("web").expect("web");
    web.ignore = vec!["/TaskTemplate/ContainerSpec/Privileges".to_owned()];
    assert_eq!(done(&planned(&desired, &cluster)), Vec::<String>::new());
    // It is carried along where something else is written.
    desired.services.get_mut("web").expect("web").label("a", "b");
    let mut written = cluster.clone();
    written.apply(&desired);
    let container = written.service("web").spec.task_template.container_spec.as_ref().expect("a container");
    assert!(container.privileges.as_ref().is_some_and(|privileges| privileges.no_new_privileges));
}

#[test]
fn the_order_of_variables_that_no_file_can_say_is_no_difference() {
    let mut cluster = made();
    let mut desired = desired();
    desired.services.get_mut("web").expect("web").env("A=1").env("B=2");
    cluster.by_hand("web", |spec| {
        spec.task_template.container_spec.as_mut().expect("a container").env = vec!["B=2".to_owned(), "A=1".to_owned()];
    });
    assert_eq!(done(&planned(&desired, &cluster)), Vec::<String>::new());
    desired.services.get_mut("web").expect("web").label("a", "b");
    let plan = planned(&desired, &cluster);
    assert_eq!(plan.steps[0].effect, Effect::InPlace, "a label restarts nothing");
    cluster.apply(&desired);
    let container = cluster.service("web").spec.task_template.container_spec.as_ref().expect("a container");
    assert_eq!(container.env, ["B=2", "A=1"]);
}
