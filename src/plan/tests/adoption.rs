//! Stacks that another tool deployed: what it named and labelled stays until tasks are replaced for a reason of git's.

use std::sync::Arc;

use super::stack::Edit;
use super::*;
use crate::model::{Kind, label};
use crate::swarm::{Mount, VolumeOptions};

const WEB: &str = "shop_web";

fn with(config_text: &str, secret_text: &str) -> Desired {
    let mut desired = stack();
    config(&mut desired, "app", config_text);
    secret(&mut desired, "db", secret_text);
    service(&mut desired, "web", "nginx:1").mounts("app").is_given("db");
    desired
}

/// What a tool has deployed that gives configs and secrets these names: no record, no fingerprint.
fn deployed(desired: &Desired, name: impl Fn(&str) -> String) -> Cluster {
    let mut cluster = Cluster { applied: None, ..applied(desired) };
    for config in &mut cluster.live.configs {
        let config = Arc::make_mut(config);
        config.spec.name = name(config.spec.name.trim_start_matches("shop_"));
    }
    for secret in &mut cluster.live.secrets {
        let secret = Arc::make_mut(secret);
        secret.spec.name = name(secret.spec.name.trim_start_matches("shop_"));
        secret.spec.labels.remove(label::FINGERPRINT);
    }
    for service in &mut cluster.live.services {
        let container = Arc::make_mut(service).spec.task_template.container_spec.as_mut().expect("a container");
        for reference in &mut container.configs {
            reference.config_name = name(reference.config_name.trim_start_matches("shop_"));
        }
        for reference in &mut container.secrets {
            reference.secret_name = name(reference.secret_name.trim_start_matches("shop_"));
        }
    }
    cluster
}

/// Adopts, as the controller and `skep apply` do.
fn adopted(desired: &Desired, mut cluster: Cluster, policy: &Policy) -> (Plan, Cluster) {
    let plan = with_policy(desired, &cluster, policy);
    assert_eq!(done(&plan), Vec::<String>::new(), "{:?}", plan.steps);
    assert_eq!(plan.first_contact, Some(FirstContact::Safe));
    cluster.applied = Some(plan.settled.clone());
    (plan, cluster)
}

fn trusting() -> Policy {
    Policy { trust_secrets: true, ..Policy::default() }
}

/// A tool, and the name it gives to what has a key.
type Naming = (&'static str, fn(&str) -> String);

fn schemes() -> [Naming; 4] {
    [
        ("docker stack deploy, Portainer", |key| format!("shop_{key}")),
        ("swarm-cd", |key| format!("shop-{key}-0123abcd")),
        ("doco-cd", |key| format!("shop_{key}.txt_0123abcd")),
        ("docker-sdp", |key| format!("shop_{key}_0123456789ab")),
    ]
}

#[test]
fn the_names_of_the_known_tools_stay_until_the_content_changes() {
    for (tool, name) in schemes() {
        let (plan, cluster) = adopted(&with("one", "one"), deployed(&with("one", "one"), name), &Policy::default());
        assert_eq!(codes(&plan), ["secret/unverifiable"], "{tool}");
        assert_eq!(plan.settled.configs["shop_app"].name, name("app"), "{tool}");
        assert!(plan.settled.holds(Kind::Secret, &name("db")), "{tool}");
        assert!(plan.drift.is_empty(), "{tool}: {:?}", plan.drift);
        assert_eq!(planned(&with("one", "one"), &cluster).sync(), Sync::Synced, "{tool}");

        let mut changed = cluster.clone();
        let done_of = |plan: &Plan| plan.steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>();
        let plan = changed.apply(&with("two", "one"));
        assert_eq!(done_of(&plan)[1..], [WEB], "{tool}");
        assert!(plan.steps[0].name.starts_with("shop_app-"), "{tool}: {}", plan.steps[0].name);
        let plan = changed.apply(&with("three", "one"));
        assert!(done(&plan).contains(&format!("delete config {}", name("app"))), "{tool}: {:?}", done(&plan));

        let mut changed = cluster.clone();
        let plan = changed.apply(&with("one", "two"));
        assert_eq!(done_of(&plan)[1..], [WEB], "{tool}: nobody saw what it held, but git says something else since");
        assert!(plan.steps[0].name.starts_with("shop_db-"), "{tool}: {}", plan.steps[0].name);
        assert_eq!(codes(&planned(&with("one", "two"), &changed)), Vec::<&str>::new(), "{tool}");
    }
}

#[test]
fn a_trusted_secret_counts_as_verified_from_then_on() {
    for (tool, name) in schemes() {
        let (plan, cluster) = adopted(&with("one", "one"), deployed(&with("one", "one"), name), &trusting());
        assert_eq!(codes(&plan), ["secret/trusted"], "{tool}");
        assert!(!plan.settled.secrets["shop_db"].unverified, "{tool}");
        assert_eq!(codes(&planned(&with("one", "one"), &cluster)), Vec::<&str>::new(), "{tool}");
        assert_eq!(planned(&with("one", "two"), &cluster).steps.len(), 2, "{tool}");
    }
}

#[test]
fn a_secret_can_be_trusted_later() {
    let desired = with("one", "one");
    let (plan, cluster) = adopted(&desired, deployed(&desired, schemes()[0].1), &Policy::default());
    assert_eq!(codes(&planned(&desired, &cluster)), ["secret/unverifiable"]);
    assert!(!plan.settled.verifies(&plan.settled));
    let trusted = with_policy(&desired, &cluster, &trusting());
    assert_eq!((done(&trusted), codes(&trusted)), (Vec::new(), Vec::new()));
    assert!(trusted.settled.verifies(&plan.settled));
}

#[test]
fn trust_does_not_reach_what_is_not_in_use() {
    let mut cluster = applied(&with("one", "one"));
    cluster.apply(&with("one", "two"));
    let first = cluster.live.secrets.iter_mut().find(|it| it.spec.name == "shop_db").expect("the first version");
    Arc::make_mut(first).spec.labels.remove(label::FINGERPRINT);
    let plan = with_policy(&with("one", "three"), &cluster, &trusting());
    assert!(plan.steps[0].name.starts_with("shop_db-"), "{:?}", done(&plan));
    assert_eq!(done(&plan)[1], format!("update service {WEB}"));
}

/// doco-cd names after the file, so two keys may share all of the name but the digits.
#[test]
fn secrets_whose_names_fit_both_are_told_apart_by_where_they_are_used() {
    let mut desired = stack();
    for key in ["api", "db"] {
        secret(&mut desired, key, key);
        let name = format!("shop_{key}");
        let schemes = crate::desired::names::schemes(&desired.stack, key, None, Some("password.txt"));
        desired.secrets.get_mut(&name).expect("just made").schemes = schemes;
    }
    service(&mut desired, "web", "nginx:1").is_given("api").is_given("db");
    let digits = |key: &str| if key == "api" { "ffffffff" } else { "00000000" };
    let (plan, cluster) =
        adopted(&desired, deployed(&desired, |key| format!("shop_password.txt_{}", digits(key))), &Policy::default());
    assert_eq!(plan.settled.secrets["shop_api"].name, "shop_password.txt_ffffffff");
    assert_eq!(plan.settled.secrets["shop_db"].name, "shop_password.txt_00000000");
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
}

#[test]
fn a_secret_of_another_tools_that_nothing_uses_is_not_taken_up() {
    let mut cluster = deployed(&with("one", "one"), schemes()[1].1);
    cluster.live.services.clear();
    let plan = with_policy(&with("one", "one"), &cluster, &trusting());
    assert!(done(&plan).iter().any(|step| step.starts_with("create secret shop_db-")), "{:?}", done(&plan));
    assert!(!done(&plan).iter().any(|step| step.contains("config")), "a config can be read: {:?}", done(&plan));
}

#[test]
fn what_belongs_to_another_stack_is_no_version_whatever_its_name() {
    let mut cluster = deployed(&with("one", "one"), schemes()[1].1);
    Arc::make_mut(&mut cluster.live.configs[0]).spec.labels =
        [(label::NAMESPACE.to_owned(), "shop-app".to_owned())].into();
    let plan = planned(&with("one", "one"), &cluster);
    assert_eq!(done(&plan), ["create config shop_app".to_owned(), format!("update service {WEB}")]);
    assert_eq!(plan.first_contact, Some(FirstContact::Unsafe));
}

/// As doco-cd labels: the service, its container, its volumes, and the configs and secrets.
fn keep_books(cluster: &mut Cluster) {
    let mark = |labels: &mut crate::swarm::Labels| {
        labels.insert("cd.doco.metadata.manager".into(), "doco-cd".into());
        labels.insert("cd.doco.deployment.name".into(), "shop".into());
    };
    for service in &mut cluster.live.services {
        let spec = &mut Arc::make_mut(service).spec;
        mark(&mut spec.labels);
        spec.labels.insert("cd.doco.deployment.timestamp".into(), "2026-08-22T19:02:54Z".into());
        let container = spec.task_template.container_spec.as_mut().expect("a container");
        mark(&mut container.labels);
        container.mounts.iter_mut().filter_map(|it| it.volume_options.as_mut()).for_each(|it| mark(&mut it.labels));
    }
    cluster.live.configs.iter_mut().for_each(|it| mark(&mut Arc::make_mut(it).spec.labels));
    cluster.live.secrets.iter_mut().for_each(|it| mark(&mut Arc::make_mut(it).spec.labels));
}

fn with_volume(image: &str) -> Desired {
    let mut desired = with("one", "one");
    let labels = [(label::NAMESPACE.to_owned(), "shop".to_owned())].into();
    let web = desired.services.get_mut(WEB).expect("web");
    web.container().image = image.to_owned();
    web.spec.labels.insert(label::IMAGE.to_owned(), image.to_owned());
    web.container().mounts.push(Mount {
        kind: "volume".into(),
        source: "shop_data".into(),
        target: "/data".into(),
        volume_options: Some(VolumeOptions { labels, ..VolumeOptions::default() }),
        ..Mount::default()
    });
    desired
}

#[test]
fn another_tools_labels_stay_until_tasks_are_replaced_and_go_then() {
    let mut cluster = deployed(&with_volume("nginx:1"), schemes()[2].1);
    keep_books(&mut cluster);
    let (plan, mut cluster) = adopted(&with_volume("nginx:1"), cluster, &trusting());
    assert!(plan.drift.is_empty(), "{:?}", plan.drift);
    let recorded = serde_json::to_string(&plan.settled.services).expect("JSON");
    assert!(!recorded.contains("cd.doco"), "{recorded}");
    assert_eq!(planned(&with_volume("nginx:1"), &cluster).sync(), Sync::Synced);

    // Git changes a label of the service, which restarts nothing.
    let mut relabelled = with_volume("nginx:1");
    relabelled.services.get_mut(WEB).expect("web").label("tier", "front");
    let plan = cluster.apply(&relabelled);
    assert_eq!(plan.steps.len(), 1);
    assert_eq!((plan.steps[0].effect, plan.steps[0].changes.len()), (Effect::InPlace, 1));
    assert_eq!(planned(&relabelled, &cluster).sync(), Sync::Synced);
    assert!(serde_json::to_string(&cluster.service(WEB).spec).expect("JSON").contains("cd.doco"));

    // Git changes the image.
    let plan = cluster.apply(&with_volume("nginx:2"));
    let removed: Vec<&Change> = plan.steps[0].changes.iter().filter(|change| change.path.contains("cd.doco")).collect();
    assert_eq!(removed.len(), 7, "three of the service, two of the container, two of the volume: {removed:#?}");
    assert!(removed.iter().all(|change| change.origin == Origin::Skep && change.after.is_none()));
    assert!(plan.drift.is_empty(), "{:?}", plan.drift);
    assert!(!serde_json::to_string(&cluster.service(WEB).spec).expect("JSON").contains("cd.doco"));
    assert_eq!(planned(&with_volume("nginx:2"), &cluster).sync(), Sync::Synced);
}

#[test]
fn what_somebody_changes_by_hand_is_drift_beside_another_tools_labels() {
    let mut cluster = deployed(&with_volume("nginx:1"), schemes()[0].1);
    keep_books(&mut cluster);
    let (_, mut cluster) = adopted(&with_volume("nginx:1"), cluster, &trusting());
    cluster.by_hand(WEB, |spec| {
        spec.env("A=1");
    });
    let plan = planned(&with_volume("nginx:1"), &cluster);
    assert!(plan.steps.is_empty(), "{:?}", done(&plan));
    assert_eq!(plan.drift.changed[0].changes.len(), 1, "{:?}", plan.drift);
    // A service that is gone is missing, and its labels are no reason to think otherwise.
    cluster.live.services.clear();
    let plan = planned(&with_volume("nginx:1"), &cluster);
    assert_eq!(plan.drift.missing.len(), 1, "{:?}", done(&plan));
}

#[test]
fn a_label_that_git_says_itself_is_gits() {
    let mut desired = with("one", "one");
    desired.services.get_mut(WEB).expect("web").label("cd.doco.deployment.name", "shop");
    let mut cluster = applied(&desired);
    desired.services.get_mut(WEB).expect("web").label("cd.doco.deployment.name", "other");
    let plan = cluster.apply(&desired);
    assert_eq!(done(&plan), [format!("update service {WEB}")]);
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
}
