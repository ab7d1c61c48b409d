//! The order in which services are written.

use super::*;
use crate::compose::{Condition, Dependency};
use crate::desired::Hook;

fn needs(desired: &mut Desired, key: &str, others: &[&str]) {
    let service = desired.services.get_mut(&format!("shop_{key}")).expect("a service");
    service.depends_on = others
        .iter()
        .map(|other| Dependency { service: (*other).to_owned(), condition: Condition::Started, optional: false })
        .collect();
}

fn job(desired: &mut Desired, key: &str, hook: Option<Hook>) {
    let service = service(desired, key, "app:1");
    service.spec.mode = Some(serde_json::from_value(serde_json::json!({ "ReplicatedJob": {} })).expect("a mode"));
    service.hook = hook;
}

fn image(desired: &mut Desired, image: &str) {
    for service in desired.services.values_mut().filter(|service| service.hook.is_none()) {
        service.spec.task_template.container_spec.as_mut().expect("a container").image = image.to_owned();
    }
}

/// The keys of services, wave by wave.
fn waves(plan: &Plan) -> Vec<Vec<String>> {
    let mut waves: Vec<(u32, Vec<String>)> = Vec::new();
    for step in plan.steps.iter().filter(|step| step.kind == Kind::Service) {
        let key = step.name.trim_start_matches("shop_").to_owned();
        match waves.last_mut() {
            Some((wave, keys)) if *wave == step.wave => keys.push(key),
            _ => waves.push((step.wave, vec![key])),
        }
    }
    waves.into_iter().map(|(_, keys)| keys).collect()
}

#[test]
fn what_a_service_depends_on_comes_first() {
    let mut desired = stack();
    for key in ["api", "db", "mail", "web"] {
        service(&mut desired, key, "app:1");
    }
    needs(&mut desired, "web", &["api", "mail"]);
    needs(&mut desired, "api", &["db"]);
    let mut cluster = Cluster::default();
    assert_eq!(waves(&cluster.apply(&desired)), [vec!["db", "mail"], vec!["api"], vec!["web"]]);
    assert!(cluster.plan(&desired).steps.is_empty());
}

#[test]
fn what_nobody_waits_for_is_written_at_once() {
    let mut desired = stack();
    for key in ["api", "db", "web"] {
        service(&mut desired, key, "app:1");
    }
    needs(&mut desired, "api", &["web"]);
    let hooks = Hooks { unwatched: true, ..Hooks::default() };
    let plan = with_policy(&desired, &Cluster::default(), &Policy { hooks, ..Policy::default() });
    assert_eq!(waves(&plan), [["db", "web", "api"]]);
}

#[test]
fn what_is_not_written_holds_nothing_up() {
    let mut desired = stack();
    for key in ["api", "db", "web"] {
        service(&mut desired, key, "app:1");
    }
    needs(&mut desired, "web", &["api"]);
    needs(&mut desired, "api", &["db"]);
    let mut cluster = Cluster::default();
    cluster.apply(&desired);
    for key in ["shop_db", "shop_web"] {
        let service = desired.services.get_mut(key).expect("a service");
        service.spec.task_template.container_spec.as_mut().expect("a container").image = "app:2".to_owned();
    }
    // By way of what is as it was, the one still needs the other.
    assert_eq!(waves(&cluster.apply(&desired)), [["db"], ["web"]]);
}

#[test]
fn hooks_stand_before_and_after_everything_else() {
    let mut desired = stack();
    for key in ["api", "db", "web"] {
        service(&mut desired, key, "app:1");
    }
    needs(&mut desired, "web", &["api"]);
    job(&mut desired, "migrate", Some(Hook::PreDeploy));
    job(&mut desired, "smoke", Some(Hook::PostDeploy));
    job(&mut desired, "alarm", Some(Hook::OnFailure));
    needs(&mut desired, "migrate", &["db"]);
    let first = planned(&desired, &Cluster::default());
    assert_eq!(waves(&first), [vec!["db"], vec!["migrate"], vec!["api"], vec!["web"], vec!["smoke"]]);
    let hooks: Vec<_> = first.steps.iter().filter_map(|step| step.hook).collect();
    assert_eq!(hooks, [Hook::PreDeploy, Hook::PostDeploy]);
}

#[test]
fn a_hook_runs_once_an_attempt_and_only_for_something() {
    let mut desired = stack();
    service(&mut desired, "web", "app:1");
    job(&mut desired, "migrate", Some(Hook::PreDeploy));
    job(&mut desired, "smoke", Some(Hook::PostDeploy));
    let mut cluster = Cluster::default();
    let mut policy = Policy::default();
    // Carried out as a controller does it: what has run is remembered for the attempt.
    let mut attempt = |cluster: &mut Cluster, desired: &Desired| {
        let mut order = Vec::new();
        policy.hooks = Hooks::default();
        loop {
            let plan = with_policy(desired, cluster, &policy);
            if plan.steps.is_empty() {
                return order;
            }
            cluster.carry_out(&plan);
            policy.hooks.are_due = true;
            let hooks = plan.first_wave().iter().filter(|step| step.hook.is_some());
            policy.hooks.ran.extend(hooks.map(|step| step.name.clone()));
            let services = plan.first_wave().iter().filter(|step| step.kind == Kind::Service);
            order.extend(services.map(|step| step.name.clone()));
        }
    };
    assert_eq!(attempt(&mut cluster, &desired), ["shop_migrate", "shop_web", "shop_smoke"]);
    assert_eq!(attempt(&mut cluster, &desired), [""; 0], "nothing else is written");
    image(&mut desired, "app:2");
    let plan = planned(&desired, &cluster);
    assert_eq!(plan.steps.first().map(|step| (step.effect, step.changes.len())), Some((Effect::JobRun, 0)));
    assert_eq!(attempt(&mut cluster, &desired), ["shop_migrate", "shop_web", "shop_smoke"]);
}

#[test]
fn as_many_roll_at_once_as_may() {
    let mut desired = stack();
    for key in ["a", "b", "c", "d", "e"] {
        service(&mut desired, key, "app:1");
    }
    let policy = Policy { parallel: Some(2), ..Policy::default() };
    let mut cluster = Cluster::default();
    let new = with_policy(&desired, &cluster, &policy);
    assert_eq!(waves(&new), [["a", "b", "c", "d", "e"]], "what is new may need each other");
    cluster.carry_out(&new);
    image(&mut desired, "app:2");
    assert_eq!(waves(&with_policy(&desired, &cluster, &policy)), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
    assert_eq!(waves(&planned(&desired, &cluster)), [["a", "b", "c", "d", "e"]]);
}
