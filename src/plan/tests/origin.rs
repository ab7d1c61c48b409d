//! Whose a difference is, and what becomes of it.

use super::stack::Edit;
use super::*;

const WEB: &str = "shop_web";

fn base() -> Desired {
    let mut desired = stack();
    service(&mut desired, "web", "nginx:1.26").replicas(3).env("LEVEL=info").order("start-first");
    desired
}

/// The paths and origins of the only step.
fn changes(plan: &Plan) -> Vec<(&str, Origin)> {
    assert_eq!(plan.steps.len(), 1, "{:?}", done(plan));
    plan.steps[0].changes.iter().map(|change| (change.path.as_str(), change.origin)).collect()
}

#[test]
fn what_git_changed_is_gits() {
    let cluster = applied(&base());
    let mut desired = base();
    desired.services.get_mut(WEB).expect("web").env("LEVEL=debug");
    let plan = planned(&desired, &cluster);
    assert_eq!(changes(&plan), [("/TaskTemplate/ContainerSpec/Env/0", Origin::Git)]);
    let change = &plan.steps[0].changes[0];
    assert_eq!(change.label, "env LEVEL");
    assert_eq!(change.before, Some("LEVEL=info".into()));
    assert_eq!(change.after, Some("LEVEL=debug".into()));
    assert!(plan.drift.is_empty());
}

#[test]
fn drift_alone_is_shown_and_not_written() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.env("LEVEL=debug").env("NEW=1");
    });
    let plan = planned(&base(), &cluster);
    assert!(plan.steps.is_empty());
    assert_eq!(plan.sync(), Sync::OutOfSync);
    assert_eq!(plan.unchanged, 1, "the network");
    let drift = &plan.drift.changed[0];
    assert_eq!((drift.name.as_str(), drift.effect, drift.tasks_restarting), (WEB, Effect::Rolling, 3));
    let found: Vec<_> =
        drift.changes.iter().map(|it| (it.label.as_str(), it.before.clone(), it.after.clone())).collect();
    assert_eq!(
        found,
        [("env LEVEL", Some("LEVEL=debug".into()), Some("LEVEL=info".into())), ("env NEW", Some("NEW=1".into()), None),]
    );
}

#[test]
fn a_change_of_git_writes_the_service_whole_and_lists_the_drift_it_overwrites() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        Edit::replicas(spec, 5);
    });
    let mut desired = base();
    service(&mut desired, "web", "nginx:1.27").replicas(3).env("LEVEL=info").order("start-first");
    let plan = planned(&desired, &cluster);
    assert_eq!(
        changes(&plan),
        [
            ("/Labels/com.docker.stack.image", Origin::Git),
            ("/Mode/Replicated/Replicas", Origin::Drift),
            ("/TaskTemplate/ContainerSpec/Image", Origin::Git),
        ]
    );
    assert_eq!((plan.steps[0].tasks_restarting, plan.steps[0].tasks_stopping), (3, 2));
    assert_eq!(plan.drift.changed.len(), 1, "a drift report names it too");
    cluster.carry_out(&plan);
    assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced);
}

#[test]
fn a_field_that_both_changed_is_boths() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.env("LEVEL=debug");
    });
    let mut desired = base();
    desired.services.get_mut(WEB).expect("web").env("LEVEL=warn");
    let plan = planned(&desired, &cluster);
    assert_eq!(changes(&plan), [("/TaskTemplate/ContainerSpec/Env/0", Origin::Both)]);
    let drift = &plan.drift.changed[0].changes[0];
    assert_eq!((drift.before.clone(), drift.after.clone()), (Some("LEVEL=debug".into()), Some("LEVEL=info".into())));
}

#[test]
fn what_a_hand_and_git_agree_on_is_no_difference_and_is_applied_from_then_on() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.env("LEVEL=debug");
    });
    let mut desired = base();
    desired.services.get_mut(WEB).expect("web").env("LEVEL=debug");
    let plan = planned(&desired, &cluster);
    assert!(plan.steps.is_empty() && plan.drift.is_empty());
    cluster.carry_out(&plan);
    cluster.by_hand(WEB, |spec| {
        spec.env("LEVEL=info");
    });
    assert_eq!(planned(&desired, &cluster).drift.changed[0].changes[0].origin, Origin::Drift);
}

#[test]
fn drift_that_is_to_be_ignored_is_not_shown() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.env("LEVEL=debug");
    });
    let policy = Policy { drift: OnDrift::Ignore, ..Policy::default() };
    let plan = with_policy(&base(), &cluster, &policy);
    assert!(plan.steps.is_empty() && plan.drift.is_empty());
    assert_eq!(plan.sync(), Sync::Synced);
}

#[test]
fn direct_mode_writes_every_difference() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.env("LEVEL=debug");
    });
    let policy = Policy { direct: true, ..Policy::default() };
    let plan = with_policy(&base(), &cluster, &policy);
    assert_eq!(changes(&plan), [("/TaskTemplate/ContainerSpec/Env/0", Origin::Unknown)]);
    assert_eq!((plan.first_contact, &plan.settled), (None, &Applied::default()));
}

#[test]
fn a_file_silent_about_replicas_leaves_the_number_alone() {
    let mut desired = stack();
    service(&mut desired, "web", "nginx:1");
    let mut cluster = applied(&desired);
    cluster.by_hand(WEB, |spec| {
        Edit::replicas(spec, 7);
    });
    let plan = planned(&desired, &cluster);
    assert!(plan.steps.is_empty() && plan.drift.is_empty());
    service(&mut desired, "web", "nginx:1").env("A=1");
    cluster.apply(&desired);
    assert_eq!(cost::tasks(cluster.service(WEB), &[]), 7);
}

#[test]
fn force_update_is_always_the_live_one_and_told_until_the_next_write() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| spec.task_template.force_update = 4);
    let mut desired = base();
    for _ in 0..2 {
        let plan = planned(&desired, &cluster);
        assert!(plan.steps.is_empty());
        assert_eq!((plan.sync(), plan.unchanged), (Sync::Synced, 2), "it is no reason to write");
        let drifted = &plan.drift.changed[0];
        assert_eq!((drifted.effect, drifted.tasks_restarting), (Effect::None, 0));
        let told: Vec<_> = drifted.changes.iter().map(|it| (it.path.as_str(), it.effect, it.origin)).collect();
        assert_eq!(told, [("/TaskTemplate/ForceUpdate", Effect::None, Origin::Drift)]);
        assert_eq!(
            (drifted.changes[0].before.clone(), drifted.changes[0].after.clone()),
            (Some(4.into()), Some(0.into()))
        );
        cluster.carry_out(&plan);
    }
    desired.services.get_mut(WEB).expect("web").env("A=1");
    let plan = cluster.apply(&desired);
    assert_eq!(changes(&plan), [("/TaskTemplate/ContainerSpec/Env/0", Origin::Git)]);
    assert_eq!(plan.drift.changed[0].changes[0].path, "/TaskTemplate/ForceUpdate");
    assert_eq!(cluster.service(WEB).spec.task_template.force_update, 4, "it is never undone");
    let plan = planned(&desired, &cluster);
    assert!(plan.drift.changed.is_empty(), "what was written is applied: {:?}", plan.drift);
}

#[test]
fn a_raised_force_update_stands_beside_drift_and_hides_where_it_is_ignored() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.env("LEVEL=debug");
        spec.task_template.force_update = 1;
    });
    let plan = planned(&base(), &cluster);
    assert_eq!(plan.sync(), Sync::OutOfSync);
    let labels: Vec<&str> = plan.drift.changed[0].changes.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["env LEVEL", "force update"]);
    let mut ignoring = base();
    ignoring.services.get_mut(WEB).expect("web").ignore.push("/TaskTemplate/ForceUpdate".to_owned());
    let plan = planned(&ignoring, &cluster);
    assert_eq!(plan.drift.changed[0].changes.len(), 1);
    let unrecorded = Cluster { applied: None, ..applied(&base()) };
    assert!(planned(&base(), &unrecorded).drift.changed.is_empty());
}

#[test]
fn an_ignored_field_is_neither_looked_at_nor_changed() {
    let ignore = vec!["/Mode/Replicated/Replicas".to_owned(), "/Labels/by~1hand".to_owned()];
    let base = || {
        let mut desired = base();
        desired.services.get_mut(WEB).expect("web").ignore.clone_from(&ignore);
        desired
    };
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        Edit::replicas(spec, 9).label("by/hand", "x");
    });
    let plan = planned(&base(), &cluster);
    assert!(plan.steps.is_empty() && plan.drift.is_empty(), "{:?}", plan.drift);
    assert_eq!(plan.sync(), Sync::Synced);
    let ignored: Vec<_> = plan.drift.ignored.iter().flat_map(|it| &it.changes).collect();
    let ignored: Vec<_> = ignored.iter().map(|it| (it.path.as_str(), &it.before, &it.after, it.effect)).collect();
    assert_eq!(
        ignored,
        [
            ("/Labels/by~1hand", &Some("x".into()), &None, Effect::None),
            ("/Mode/Replicated/Replicas", &Some(9.into()), &Some(3.into()), Effect::None)
        ]
    );
    let mut desired = base();
    desired.services.get_mut(WEB).expect("web").env("A=1");
    let plan = planned(&desired, &cluster);
    assert_eq!(changes(&plan), [("/TaskTemplate/ContainerSpec/Env/0", Origin::Git)]);
    cluster.carry_out(&plan);
    let live = &cluster.service(WEB).spec;
    assert_eq!(
        (cost::mode(live), live.labels.get("by/hand").map(String::as_str)),
        (cost::Mode::Replicated(9), Some("x"))
    );
}

#[test]
fn an_unchanged_image_text_keeps_the_live_digest_and_platforms() {
    let digest = format!("nginx:1.26@sha256:{}", "ab".repeat(32));
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.image(&digest);
        let platform = crate::swarm::Platform { os: "linux".into(), ..Default::default() };
        spec.task_template.placement.get_or_insert_default().platforms.push(platform);
    });
    for applied in [cluster.applied.clone(), None] {
        let pinned = Cluster { applied, ..cluster.clone() };
        let mut desired = base();
        let plan = planned(&desired, &pinned);
        assert!(plan.steps.is_empty() && plan.drift.is_empty(), "{:?}", plan.steps);
        desired.services.get_mut(WEB).expect("web").env("A=1");
        let plan = planned(&desired, &pinned);
        assert_eq!(plan.steps[0].changes.len(), 1, "{:?}", plan.steps[0].changes);
        let Write::Update { body: Body::Service { spec, .. }, .. } = &plan.steps[0].write else { panic!("an update") };
        assert_eq!(super::super::service::keep::image(spec), Some(digest.as_str()));
    }
}

#[test]
fn a_changed_image_is_drift_even_where_its_label_still_matches() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| {
        spec.image("nginx:1.99");
    });
    let plan = planned(&base(), &cluster);
    assert!(plan.steps.is_empty());
    assert_eq!(plan.drift.changed[0].changes[0].path, "/TaskTemplate/ContainerSpec/Image");
    let unrecorded = Cluster { applied: None, ..cluster };
    assert_eq!(planned(&base(), &unrecorded).steps[0].changes[0].origin, Origin::Unknown);
}

#[test]
fn what_a_hand_deleted_is_missing_and_not_made_anew_for_that_alone() {
    let mut cluster = applied(&base());
    cluster.live.services.clear();
    let plan = planned(&base(), &cluster);
    assert!(plan.steps.is_empty());
    assert_eq!(plan.drift.missing, [Object::new(crate::model::Kind::Service, WEB)]);
    cluster.carry_out(&plan);
    assert_eq!(planned(&base(), &cluster).drift.missing.len(), 1, "it is not forgotten");
    let mut desired = base();
    desired.services.get_mut(WEB).expect("web").env("A=1");
    assert_eq!(done(&planned(&desired, &cluster)), ["create service shop_web"]);
}

#[test]
fn what_a_written_service_needs_is_made_anew() {
    let mut desired = base();
    config(&mut desired, "app", "one");
    let mut cluster = applied(&desired);
    cluster.live.services.clear();
    cluster.live.networks.clear();
    cluster.live.configs.clear();
    assert_eq!(planned(&desired, &cluster).drift.missing.len(), 3);
    desired.services.get_mut(WEB).expect("web").env("A=1");
    let plan = planned(&desired, &cluster);
    assert_eq!(done(&plan), ["create network shop_default", "create service shop_web"]);
    assert_eq!(plan.drift.missing, [Object::new(crate::model::Kind::Config, "shop_app")]);
}

#[test]
fn the_order_of_environment_variables_is_a_difference() {
    let mut desired = base();
    desired.services.get_mut(WEB).expect("web").env("A=1");
    let mut cluster = applied(&desired);
    cluster.by_hand(WEB, |spec| spec.container().env.reverse());
    let drift = &planned(&desired, &cluster).drift.changed[0];
    assert_eq!(drift.changes[0].path, "/TaskTemplate/ContainerSpec/Env");
    assert_eq!(drift.effect, Effect::Rolling);
}

#[test]
fn a_message_that_is_present_and_empty_is_a_difference() {
    let mut cluster = applied(&base());
    cluster.by_hand(WEB, |spec| spec.task_template.resources = None);
    let change = &planned(&base(), &cluster).drift.changed[0].changes[0];
    assert_eq!((change.path.as_str(), &change.before), ("/TaskTemplate/Resources", &None));
    assert_eq!(change.after, Some(serde_json::json!({})));
}

#[test]
fn predefined_networks_are_read_back_as_ids_that_no_list_explains() {
    let mut desired = stack();
    let web = service(&mut desired, "web", "nginx:1");
    web.spec.task_template.networks[0].target = "host".to_owned();
    desired.external.push(crate::desired::External {
        kind: crate::model::Kind::Network,
        name: "host".into(),
        span: None,
    });
    let mut cluster = Cluster::default();
    let plan = planned(&desired, &cluster);
    assert!(!plan.is_blocked());
    let Write::Create(Body::Service { spec, .. }) = &plan.steps[1].write else { panic!("a service") };
    let mut spec = (**spec).clone();
    spec.task_template.networks[0].target = "k2j3h4".to_owned();
    crate::swarm::canonical::canonical_service(&mut spec);
    let live = crate::swarm::Service { id: "s".into(), spec, ..Default::default() };
    cluster.live.services.push(std::sync::Arc::new(live));
    let policy = Policy { direct: true, ..Policy::default() };
    assert_eq!(done(&with_policy(&desired, &cluster, &policy)), ["create network shop_default"]);
}
