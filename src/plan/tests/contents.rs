//! Configs and secrets by content.

use std::sync::Arc;

use super::stack::Edit;
use super::*;
use crate::model::label;

const WEB: &str = "shop_web";

fn with_config(content: &str) -> Desired {
    let mut desired = stack();
    config(&mut desired, "app", content);
    service(&mut desired, "web", "nginx:1").mounts("app");
    desired
}

fn with_secret(content: &str) -> Desired {
    let mut desired = stack();
    secret(&mut desired, "db", content);
    service(&mut desired, "web", "nginx:1").is_given("db");
    desired
}

/// The name of the config that the service refers to.
fn config_of(cluster: &Cluster) -> String {
    let spec = cluster.service(WEB).spec.clone();
    spec.task_template.container_spec.expect("a container").configs[0].config_name.clone()
}

#[test]
fn the_first_version_has_the_plain_name_and_a_changed_content_another() {
    let mut cluster = applied(&with_config("one"));
    assert_eq!(config_of(&cluster), "shop_app");
    let plan = cluster.apply(&with_config("two\nlines"));
    let later = config_of(&cluster);
    assert!(later.starts_with("shop_app-") && later.len() == "shop_app-".len() + 12, "{later}");
    assert_eq!(done(&plan), [format!("create config {later}"), format!("update service {WEB}")]);
    let name = plan.steps[1].changes.iter().find(|it| it.path.ends_with("/ConfigName")).expect("the reference moves");
    assert_eq!((name.label.as_str(), name.detail.as_deref()), ("config app", Some("2 lines differ")));
    assert_eq!(planned(&with_config("two\nlines"), &cluster).sync(), Sync::Synced);
}

#[test]
fn a_content_that_is_there_already_is_used_under_the_name_it_has() {
    let mut cluster = applied(&with_config("one"));
    cluster.apply(&with_config("two"));
    let plan = cluster.apply(&with_config("one"));
    assert_eq!(done(&plan), [format!("update service {WEB}")]);
    assert_eq!(config_of(&cluster), "shop_app");
}

#[test]
fn among_equal_contents_the_one_in_use_is_kept() {
    let mut cluster = applied(&with_config("one"));
    cluster.apply(&with_config("two"));
    let later = config_of(&cluster);
    let plain = cluster.live.configs.iter_mut().find(|it| it.spec.name == "shop_app").expect("the first version");
    Arc::make_mut(plain).spec.data = base64_of("two");
    assert!(planned(&with_config("two"), &cluster).steps.is_empty());
    assert_eq!(config_of(&cluster), later);
}

fn base64_of(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

#[test]
fn a_superseded_version_goes_when_nothing_could_roll_back_to_it() {
    let mut cluster = applied(&with_config("one"));
    cluster.apply(&with_config("two"));
    assert_eq!(cluster.config_names().len(), 2, "the previous spec names the first");
    let third = cluster.apply(&with_config("three"));
    assert_eq!(done(&third).last().map(String::as_str), Some("delete config shop_app"));
    assert_eq!(planned(&with_config("three"), &cluster).sync(), Sync::Synced);
}

#[test]
fn labels_of_a_config_change_in_place_and_carry_no_data() {
    let mut cluster = applied(&with_config("one"));
    let mut desired = with_config("one");
    desired.configs.get_mut("shop_app").expect("app").spec.labels.insert("a".into(), "b".into());
    let plan = cluster.apply(&desired);
    assert_eq!(done(&plan), ["update config shop_app"]);
    assert_eq!(plan.steps[0].effect, Effect::InPlace);
    let Write::Update { body: Body::Config { spec, .. }, .. } = &plan.steps[0].write else { panic!("an update") };
    assert_eq!(spec.data, "");
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
    let config = &mut cluster.live.configs[0];
    Arc::make_mut(config).spec.labels.remove("a");
    let plan = planned(&desired, &cluster);
    assert!(plan.steps.is_empty());
    assert_eq!(plan.drift.changed[0].changes[0].label, "label a");
}

#[test]
fn an_object_of_that_name_that_is_not_the_stacks_is_refused_by_its_owners_name() {
    for (owner, said) in [(Some("other"), "belongs to stack other"), (None, "belongs to no stack")] {
        let labels = owner.map(|stack| (label::NAMESPACE.to_owned(), stack.to_owned())).into_iter().collect();
        let mut cluster = applied(&with_config("one"));
        cluster.applied = Some(Applied::default());
        Arc::make_mut(&mut cluster.live.configs[0]).spec.labels = labels;
        let plan = planned(&with_config("one"), &cluster);
        assert!(plan.is_blocked());
        assert!(plan.diagnostics[0].message.contains(said), "{:?}", plan.diagnostics);
        assert!(!plan.settled.holds(crate::model::Kind::Config, "shop_app"));
    }
}

#[test]
fn a_secret_is_compared_by_its_fingerprint() {
    let mut cluster = applied(&with_secret("one"));
    assert_eq!(planned(&with_secret("one"), &cluster).sync(), Sync::Synced);
    let plan = cluster.apply(&with_secret("two"));
    assert_eq!(plan.steps.len(), 2);
    let later = plan.steps[0].name.clone();
    let fingerprint = with_secret("two").secrets["shop_db"].fingerprint.clone().expect("known");
    assert_eq!(later, format!("shop_db-{}", &fingerprint[..12]));
    assert_eq!(cluster.live.secrets[1].spec.labels[label::FINGERPRINT], fingerprint);
    assert_eq!(planned(&with_secret("two"), &cluster).sync(), Sync::Synced);
}

#[test]
fn either_the_record_or_the_label_tells_what_a_secret_holds() {
    let cluster = applied(&with_secret("one"));
    let mut unlabelled = cluster.clone();
    Arc::make_mut(&mut unlabelled.live.secrets[0]).spec.labels.remove(label::FINGERPRINT);
    assert_eq!(planned(&with_secret("one"), &unlabelled).sync(), Sync::Synced);
    assert_eq!(planned(&with_secret("two"), &unlabelled).steps.len(), 2);
    let unrecorded = Cluster { applied: None, ..cluster };
    assert!(planned(&with_secret("one"), &unrecorded).steps.is_empty());
}

#[test]
fn what_is_recorded_of_a_secret_holds_for_that_object_only() {
    let mut cluster = applied(&with_secret("one"));
    let secret = Arc::make_mut(&mut cluster.live.secrets[0]);
    secret.id = "made-anew".to_owned();
    secret.spec.labels.remove(label::FINGERPRINT);
    assert_eq!(codes(&planned(&with_secret("one"), &cluster)), ["secret/unverifiable"]);
}

#[test]
fn a_secret_that_nobody_can_verify_is_a_warning_and_no_step() {
    let mut cluster = Cluster { applied: None, ..applied(&with_secret("one")) };
    Arc::make_mut(&mut cluster.live.secrets[0]).spec.labels.remove(label::FINGERPRINT);
    let plan = planned(&with_secret("two"), &cluster);
    assert!(plan.steps.is_empty() && !plan.is_blocked());
    assert_eq!(codes(&plan), ["secret/unverifiable"]);
    assert!(plan.settled.secrets["shop_db"].unverified, "what is recorded is what git says, and that nobody saw it");
}

#[test]
fn a_version_of_a_secret_is_known_by_its_name() {
    let mut cluster = applied(&with_secret("one"));
    cluster.apply(&with_secret("two"));
    cluster.applied = None;
    for secret in &mut cluster.live.secrets {
        Arc::make_mut(secret).spec.labels.remove(label::FINGERPRINT);
    }
    let plan = planned(&with_secret("two"), &cluster);
    assert!(plan.steps.is_empty() && plan.diagnostics.is_empty(), "{:?}", plan.diagnostics);
}

#[test]
fn a_config_whose_name_only_begins_alike_is_no_version_of_it() {
    let mut desired = with_config("one");
    config(&mut desired, "app-deadbeefcafe", "two");
    let mut cluster = applied(&desired);
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
    let plan = cluster.apply(&with_config("one"));
    assert_eq!(done(&plan), ["delete config shop_app-deadbeefcafe"]);
}
