//! What Swarm cannot change in place: networks and modes.

use super::stack::Edit;
use super::*;
use crate::model::Kind;
use crate::swarm::{Ipam, IpamPool, NetworkAttachment};

/// Two services that talk over the stack's network, and a job.
fn talking() -> Desired {
    let mut desired = stack();
    service(&mut desired, "api", "nginx:1").replicas(2).order("start-first");
    service(&mut desired, "web", "nginx:1").replicas(2).order("start-first");
    desired
}

fn attachable(mut desired: Desired) -> Desired {
    desired.networks.get_mut("shop_default").expect("it").spec.attachable = true;
    desired
}

fn waves(plan: &Plan) -> Vec<String> {
    plan.steps.iter().zip(done(plan)).map(|(step, done)| format!("{}: {done}", step.wave)).collect()
}

fn networks_of(cluster: &Cluster, service: &str) -> Vec<String> {
    let name = |attachment: &NetworkAttachment| {
        cluster.live.networks.iter().find(|it| it.id == attachment.target).expect("it is there").name.clone()
    };
    cluster.service(service).spec.task_template.networks.iter().map(name).collect()
}

fn replica_of(desired: &Desired) -> String {
    let plan = planned(&attachable(desired.clone()), &applied(desired));
    plan.steps.iter().find(|step| step.kind == Kind::Network).expect("a network").name.clone()
}

#[test]
fn services_join_the_new_network_before_any_leaves_the_old() {
    let mut cluster = applied(&talking());
    let wanted = attachable(talking());
    let new = replica_of(&talking());
    let plan = planned(&wanted, &cluster);
    assert_eq!(
        waves(&plan),
        [
            format!("0: create network {new}"),
            "0: update service shop_api".to_owned(),
            "0: update service shop_web".to_owned(),
            "1: update service shop_api".to_owned(),
            "1: update service shop_web".to_owned(),
        ]
    );
    assert!(!plan.is_blocked());
    assert!(codes(&plan).contains(&"plan/network-replaced"));
    assert_eq!(plan.steps.iter().map(|step| step.tasks_restarting).sum::<u64>(), 8, "each task restarts twice");
    cluster.carry_out(&plan);
    for name in ["shop_api", "shop_web"] {
        let mut networks = networks_of(&cluster, name);
        networks.sort();
        assert_eq!(networks, ["shop_default".to_owned(), new.clone()], "{name} is on both");
    }
    let then = cluster.plan(&wanted);
    assert_eq!(done(&then), ["update service shop_api", "update service shop_web"]);
    assert!(!then.has_later_waves(), "both have joined, so both may leave");
    cluster.carry_out(&then);
    assert_eq!(networks_of(&cluster, "shop_web"), [new.as_str()]);
    let left = cluster.plan(&wanted);
    assert_eq!(done(&left), Vec::<String>::new(), "a rollback would lead to the old network");
    assert_eq!(left.sync(), Sync::Synced);
    let mut again = wanted;
    again.services.values_mut().for_each(|service| {
        service.spec.label("a", "b");
    });
    let plan = cluster.apply(&again);
    assert_eq!(done(&plan).last().map(String::as_str), Some("delete network shop_default"));
    assert_eq!(done(&cluster.plan(&again)), Vec::<String>::new());
}

#[test]
fn one_that_has_joined_already_waits_for_the_others() {
    let mut cluster = applied(&talking());
    let wanted = attachable(talking());
    let mut half = cluster.plan(&wanted);
    half.steps.retain(|step| step.wave == 0 && step.name != "shop_web");
    cluster.carry_out(&half);
    let plan = cluster.plan(&wanted);
    assert_eq!(
        waves(&plan),
        ["0: update service shop_web", "1: update service shop_api", "1: update service shop_web"],
        "a crash came between two of the first writes"
    );
}

#[test]
fn where_nobody_talks_one_restart_does() {
    let mut desired = stack();
    service(&mut desired, "web", "nginx:1");
    let mut cluster = applied(&desired);
    let plan = cluster.plan(&attachable(desired.clone()));
    assert_eq!(plan.steps.len(), 2, "{:?}", done(&plan));
    assert!(!plan.has_later_waves());
    cluster.carry_out(&plan);
    assert_eq!(done(&cluster.plan(&attachable(desired))), Vec::<String>::new());
}

#[test]
fn a_job_does_not_run_twice_for_it() {
    let mut desired = talking();
    let job = service(&mut desired, "job", "nginx:1");
    job.spec.mode = Some(serde_json::from_value(serde_json::json!({ "ReplicatedJob": {} })).expect("a mode"));
    let plan = applied(&desired).plan(&attachable(desired));
    let runs: Vec<u32> = plan.steps.iter().filter(|step| step.name == "shop_job").map(|step| step.wave).collect();
    assert_eq!(runs, [1]);
}

#[test]
fn back_again_is_back_to_the_old_network() {
    let mut cluster = applied(&talking());
    let first = cluster.plan(&attachable(talking()));
    cluster.carry_out(&first);
    let plan = cluster.plan(&talking());
    let steps = done(&plan);
    assert_eq!(steps, ["update service shop_api", "update service shop_web"], "they leave what they had only joined");
    cluster.carry_out(&plan);
    assert_eq!(networks_of(&cluster, "shop_web"), ["shop_default"]);
}

#[test]
fn a_network_that_cannot_be_replaced_blocks_the_stack() {
    let with_subnet = |subnet: &str, attachable: bool| {
        let mut desired = talking();
        let network = desired.networks.get_mut("shop_default").expect("it");
        let pool = IpamPool { subnet: subnet.to_owned(), ..IpamPool::default() };
        network.spec.ipam = Some(Ipam { config: vec![pool], ..Ipam::default() });
        network.spec.attachable = attachable;
        desired
    };
    // The simulated engine gives every network this subnet.
    let cluster = applied(&with_subnet("10.0.1.0/24", false));
    let plan = planned(&with_subnet("10.0.0.0/16", true), &cluster);
    assert!(plan.is_blocked() && codes(&plan).contains(&"plan/immutable"), "the same addresses twice");
    assert!(!planned(&with_subnet("10.9.0.0/24", false), &cluster).is_blocked());
    let mut cluster = applied(&talking());
    let mut foreign = cluster.service("shop_web").clone();
    foreign.id = "other".to_owned();
    foreign.spec.name = "other_web".to_owned();
    foreign.spec.labels.clear();
    cluster.live.services.push(std::sync::Arc::new(foreign));
    let plan = planned(&attachable(talking()), &cluster);
    assert!(plan.is_blocked());
    assert!(plan.diagnostics.iter().any(|it| it.message.contains("other_web")), "{:?}", plan.diagnostics);
}

#[test]
fn another_mode_is_a_deletion_and_a_creation_with_a_gap() {
    let desired = talking();
    let mut cluster = applied(&desired);
    let mut wanted = desired.clone();
    let global = Some(serde_json::from_value(serde_json::json!({ "Global": {} })).expect("a mode"));
    wanted.services.get_mut("shop_web").expect("web").spec.mode = global;
    let plan = planned(&wanted, &cluster);
    assert_eq!(done(&plan), ["replace service shop_web"]);
    let step = &plan.steps[0];
    assert_eq!((step.effect, step.downtime, step.tasks_stopping), (Effect::Replace, Downtime::Certain, 2));
    assert_eq!(codes(&plan), ["zero-downtime/replaced"]);
    let before = cluster.service("shop_web").id.clone();
    cluster.apply(&wanted);
    assert_ne!(cluster.service("shop_web").id, before);
    assert_eq!(done(&cluster.plan(&wanted)), Vec::<String>::new());
    // A crash came between the two.
    let mut cluster = applied(&desired);
    cluster.live.services.retain(|service| service.spec.name != "shop_web");
    assert_eq!(done(&cluster.plan(&wanted)), ["create service shop_web"]);
    wanted.protected.insert((Kind::Service, "shop_web".to_owned()));
    let plan = planned(&wanted, &applied(&desired));
    assert!(plan.is_blocked());
    assert_eq!(codes(&plan), ["plan/protected"]);
}
