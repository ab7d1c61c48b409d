//! Policies that are filled in ride along, and are never a reason to write.

use proptest::prelude::*;

use super::stack::Edit;
use super::*;
use crate::diag::Severity;
use crate::settings::ZeroDowntime;
use crate::swarm::UpdateConfig;

const WEB: &str = "shop_web";

fn mode(zero_downtime: ZeroDowntime) -> Policy {
    Policy { zero_downtime, ..Policy::default() }
}

fn auto() -> Policy {
    mode(ZeroDowntime::Auto)
}

fn direct(zero_downtime: ZeroDowntime) -> Policy {
    Policy { direct: true, ..mode(zero_downtime) }
}

/// Three replicas with a healthcheck, and a file that does not say how updates roll.
fn base() -> Desired {
    let mut desired = stack();
    service(&mut desired, "web", "nginx:1").replicas(3).checked();
    desired
}

fn with(edit: impl FnOnce(&mut crate::desired::Service)) -> Desired {
    let mut desired = base();
    edit(desired.services.get_mut(WEB).expect("web"));
    desired
}

/// What `docker stack deploy` made, without a record.
fn dockers(desired: &Desired) -> Cluster {
    Cluster { applied: None, ..applied(desired) }
}

/// A cluster to which a stack was applied with the policies that are filled in.
fn filled(desired: &Desired) -> Cluster {
    let mut cluster = Cluster::default();
    carry(&mut cluster, desired, &auto());
    cluster
}

fn carry(cluster: &mut Cluster, desired: &Desired, policy: &Policy) -> Plan {
    let plan = with_policy(desired, cluster, policy);
    cluster.carry_out(&plan);
    plan
}

fn update(cluster: &Cluster) -> Option<UpdateConfig> {
    cluster.service(WEB).spec.update_config.clone()
}

/// Order, parallelism, and delay and monitor in seconds.
fn numbers(cluster: &Cluster) -> (String, u64, i64, i64) {
    let policy = update(cluster).expect("a policy");
    (policy.order, policy.parallelism, policy.delay / 1_000_000_000, policy.monitor / 1_000_000_000)
}

fn first(order: &str, parallelism: u64, delay: i64, monitor: i64) -> (String, u64, i64, i64) {
    (order.to_owned(), parallelism, delay, monitor)
}

/// The fields of the only step that are of a policy, with whose they are.
fn policies(plan: &Plan) -> Vec<(&str, Origin, Effect)> {
    assert_eq!(plan.steps.len(), 1, "{:?}", done(plan));
    let changes = plan.steps[0].changes.iter();
    let of_policy = changes.filter(|it| it.path.starts_with("/UpdateConfig") || it.path.starts_with("/RollbackConfig"));
    of_policy.map(|it| (it.path.as_str(), it.origin, it.effect)).collect()
}

#[track_caller]
fn nothing_to_do(desired: &Desired, cluster: &Cluster) {
    for zero_downtime in [ZeroDowntime::Auto, ZeroDowntime::Enforce, ZeroDowntime::Off] {
        let plan = with_policy(desired, cluster, &mode(zero_downtime));
        assert_eq!((done(&plan), &plan.drift), (Vec::<String>::new(), &Drift::default()), "{zero_downtime:?}");
        let plan = with_policy(desired, cluster, &direct(zero_downtime));
        assert_eq!(done(&plan), Vec::<String>::new(), "without a record, {zero_downtime:?}");
    }
    if cluster.applied.is_some() {
        assert_eq!(reported(cluster).drift, Drift::default(), "by the record alone");
    }
}

#[test]
fn a_new_service_has_it_from_the_start() {
    let cluster = filled(&base());
    assert_eq!(numbers(&cluster), first("start-first", 1, 14, 14));
    let rollback = cluster.service(WEB).spec.rollback_config.clone().expect("a policy");
    assert_eq!(
        (rollback.order.as_str(), rollback.parallelism, rollback.failure_action.as_str()),
        ("start-first", 0, "pause")
    );
    nothing_to_do(&base(), &cluster);
    let plan = with_policy(&base(), &Cluster::default(), &auto());
    let service = plan.steps.iter().find(|step| step.kind == Kind::Service).expect("a service");
    let origin = |path: &str| service.changes.iter().find(|it| it.path == path).expect("it").origin;
    assert_eq!(
        (origin("/UpdateConfig/Order"), origin("/TaskTemplate/ContainerSpec/Image")),
        (Origin::Skep, Origin::Unknown)
    );
}

#[test]
fn a_stack_that_docker_deployed_is_adopted_without_a_write() {
    let cluster = dockers(&base());
    assert_eq!(update(&cluster), None);
    nothing_to_do(&base(), &cluster);
    let plan = with_policy(&base(), &cluster, &auto());
    assert_eq!((plan.first_contact, plan.unchanged), (Some(FirstContact::Safe), 2));
}

#[test]
fn it_comes_with_the_next_write_and_rolls_that_very_update() {
    let mut cluster = applied(&base());
    let next = with(|web| {
        web.env("A=1");
    });
    let plan = carry(&mut cluster, &next, &auto());
    let step = &plan.steps[0];
    let rollout = step.rollout.clone().expect("it rolls");
    assert_eq!((rollout.order.as_str(), rollout.parallelism, rollout.seconds), ("start-first", 1, 71));
    assert_eq!(step.downtime, Downtime::None);
    let riding = policies(&plan);
    assert!(riding.contains(&("/UpdateConfig/Monitor", Origin::Skep, Effect::InPlace)), "{riding:?}");
    assert!(riding.iter().all(|it| (it.1, it.2) == (Origin::Skep, Effect::InPlace)), "{riding:?}");
    let told: Vec<_> =
        step.changes.iter().filter_map(|change| Some((&*change.label, change.detail.as_deref()?))).collect();
    assert_eq!(told, [("update policy", "start-first, 1 at a time, watched 14s")]);
    assert_eq!(numbers(&cluster), first("start-first", 1, 14, 14));
    nothing_to_do(&next, &cluster);
}

#[test]
fn other_numbers_are_no_reason_to_write() {
    let mut cluster = filled(&base());
    // Somebody scales, where the file does not say how many; a newer skep computes otherwise.
    let silent = with(|web| web.said.replicas = false);
    cluster.by_hand(WEB, |spec| {
        Edit::replicas(spec, 9);
    });
    let plan = with_policy(&silent, &cluster, &auto());
    assert!(plan.steps.is_empty() && plan.drift.is_empty(), "{:?} {:?}", done(&plan), plan.drift);
    let older = |policy: &mut Option<UpdateConfig>| policy.as_mut().expect("a policy").monitor = 33_000_000_000;
    let mut cluster = filled(&base());
    let by_older = |spec: &mut crate::swarm::ServiceSpec| {
        older(&mut spec.update_config);
        older(&mut spec.rollback_config);
        spec.update_config.as_mut().expect("a policy").delay = 33_000_000_000;
    };
    cluster.by_hand(WEB, by_older);
    by_older(cluster.applied.as_mut().expect("a record").services.get_mut(WEB).expect("web"));
    nothing_to_do(&base(), &cluster);
    // With the next write they are today's.
    carry(
        &mut cluster,
        &with(|web| {
            web.label("a", "b");
        }),
        &auto(),
    );
    assert_eq!(numbers(&cluster), first("start-first", 1, 14, 14));
}

#[test]
fn published_ports_that_change_are_changed_old_one_first_and_that_stays_so() {
    let mut cluster = filled(&base());
    let next = with(|web| {
        web.port(8080, 80);
    });
    let plan = carry(&mut cluster, &next, &auto());
    assert_eq!(plan.steps[0].rollout.as_ref().expect("it rolls").order, "stop-first");
    assert_eq!(numbers(&cluster).0, "stop-first");
    nothing_to_do(&next, &cluster);
}

#[test]
fn docker_that_takes_it_away_makes_no_difference() {
    let mut cluster = filled(&base());
    cluster.by_hand(WEB, |spec| (spec.update_config, spec.rollback_config) = (None, None));
    nothing_to_do(&base(), &cluster);
    let plan = with_policy(
        &with(|web| {
            web.env("A=1");
        }),
        &cluster,
        &auto(),
    );
    assert!(policies(&plan).iter().all(|it| it.1 == Origin::Skep), "{:?}", policies(&plan));
}

#[test]
fn what_a_hand_sets_is_drift() {
    for cluster in [applied(&base()), filled(&base())] {
        let mut cluster = cluster;
        cluster.by_hand(WEB, |spec| {
            let policy =
                spec.update_config.get_or_insert_with(|| UpdateConfig { parallelism: 1, ..UpdateConfig::default() });
            policy.failure_action = "continue".to_owned();
        });
        let plan = with_policy(&base(), &cluster, &auto());
        assert!(plan.steps.is_empty());
        let changes = &plan.drift.changed[0].changes;
        let found = changes.iter().find(|it| it.path == "/UpdateConfig/FailureAction").expect("shown");
        assert_eq!((found.origin, found.before.clone()), (Origin::Drift, Some("continue".into())));
        assert_eq!(reported(&cluster).drift, plan.drift, "with or without the files");
        // A write of git's overwrites it, and says so.
        let next = with(|web| {
            web.env("A=1");
        });
        let plan = carry(&mut cluster, &next, &auto());
        let origins = policies(&plan);
        let of_action = origins.iter().find(|it| it.0 == "/UpdateConfig/FailureAction").expect("written");
        assert!(matches!(of_action.1, Origin::Drift | Origin::Both), "{origins:?}");
        assert_eq!(plan.drift.changed.len(), 1);
        assert_eq!(numbers(&cluster), first("start-first", 1, 14, 14));
        nothing_to_do(&next, &cluster);
    }
}

#[test]
fn drift_that_is_corrected_goes_back_to_what_is_filled_in() {
    let mut cluster = filled(&base());
    cluster.by_hand(WEB, |spec| spec.update_config.as_mut().expect("a policy").parallelism = 0);
    let plan = carry(&mut cluster, &base(), &Policy { drift: OnDrift::Correct, ..auto() });
    assert_eq!(policies(&plan), [("/UpdateConfig/Parallelism", Origin::Drift, Effect::InPlace)]);
    assert_eq!(numbers(&cluster), first("start-first", 1, 14, 14));
}

#[test]
fn what_git_says_is_gits_until_git_says_no_more() {
    let said = with(|web| {
        web.order("stop-first");
        let policy = web.spec.update_config.as_mut().expect("a policy");
        policy.failure_action = "continue".to_owned();
        web.said.update.failure_action = true;
    });
    let mut cluster = filled(&base());
    let plan = carry(&mut cluster, &said, &auto());
    let gits = |plan: &Plan| -> Vec<String> {
        let of_git = policies(plan).into_iter().filter(|it| it.1 == Origin::Git);
        of_git.map(|it| it.0.to_owned()).collect()
    };
    assert_eq!(gits(&plan), ["/UpdateConfig/FailureAction", "/UpdateConfig/Order"]);
    assert_eq!(numbers(&cluster), first("stop-first", 1, 14, 14), "the rest is filled in");
    nothing_to_do(&said, &cluster);
    let plan = carry(&mut cluster, &base(), &auto());
    assert_eq!(gits(&plan), ["/UpdateConfig/FailureAction"], "what skep would not have filled in");
    assert_eq!(numbers(&cluster), first("start-first", 1, 14, 14));
    nothing_to_do(&base(), &cluster);
}

#[test]
fn off_fills_in_nothing_and_takes_away_with_the_next_write() {
    let mut cluster = filled(&base());
    nothing_to_do(&base(), &cluster);
    let next = with(|web| {
        web.env("A=1");
    });
    let plan = carry(&mut cluster, &next, &mode(ZeroDowntime::Off));
    assert!(policies(&plan).iter().all(|it| it.1 == Origin::Skep));
    assert_eq!((update(&cluster), cluster.service(WEB).spec.rollback_config.clone()), (None, None));
    nothing_to_do(&next, &cluster);
}

#[test]
fn a_service_that_is_gone_is_known_again_whatever_was_filled_in() {
    let mut cluster = filled(&base());
    cluster.live.services.clear();
    for edit in [false, true] {
        let desired = with(|web| {
            if edit {
                web.env("A=1");
            }
        });
        let plan = with_policy(&desired, &cluster, &auto());
        assert_eq!((plan.drift.missing.len(), plan.steps.len()), (usize::from(!edit), usize::from(edit)));
    }
}

#[test]
fn jobs_are_left_alone() {
    let job = with(|web| {
        let mode = web.spec.mode.as_mut().expect("a mode");
        mode.replicated = None;
        mode.replicated_job = Some(Default::default());
    });
    let cluster = filled(&job);
    assert_eq!(update(&cluster), None, "the engine would refuse it");
    nothing_to_do(&job, &cluster);
}

#[test]
fn a_warning_says_why_the_new_one_does_not_start_first() {
    let one = |edit: fn(&mut crate::desired::Service)| {
        let mut desired = stack();
        edit(service(&mut desired, "db", "app:16").replicas(1).checked());
        let cluster = dockers(&desired);
        desired.services.get_mut("shop_db").expect("db").env("A=1");
        let plan = with_policy(&desired, &cluster, &auto());
        plan.diagnostics.iter().map(|it| it.message.clone()).collect::<Vec<_>>().join("\n")
    };
    let stops = "db: its only task stops before the new one runs, so nobody serves meanwhile, because";
    assert_eq!(one(|_| ()), "");
    assert_eq!(
        one(|db| db.container().healthcheck = None),
        format!("{stops} nothing says whether its image has a healthcheck")
    );
    assert_eq!(one(|db| db.single = true), format!("{stops} its file says that it runs alone (`single`)"));
    let mounted = one(|db| {
        let mount = serde_json::json!({ "Type": "volume", "Source": "shop_data", "Target": "/data" });
        db.container().mounts = vec![serde_json::from_value(mount).expect("a mount")];
    });
    assert_eq!(mounted, format!("{stops} it writes to /data, where two tasks must not meet unasked"));
}

#[test]
fn enforce_blocks_a_plan_with_downtime_and_says_why() {
    let cluster = applied(&base());
    let enforced = |desired: &Desired, policy: &Policy| {
        let plan = with_policy(desired, &cluster, policy);
        let errors: Vec<_> = plan.diagnostics.iter().filter(|it| it.severity == Severity::Error).cloned().collect();
        assert_eq!(plan.is_blocked(), plan.steps.iter().any(|step| step.downtime != Downtime::None));
        assert!(errors.iter().all(|it| it.code == "zero-downtime/enforced"), "{errors:?}");
        (plan.is_blocked(), errors)
    };
    let enforce = mode(ZeroDowntime::Enforce);
    let checked = with(|web| {
        web.env("A=1");
    });
    assert!(!enforced(&checked, &enforce).0);
    let unchecked = with(|web| web.env("A=1").container().healthcheck = None);
    let (is_blocked, errors) = enforced(&unchecked, &enforce);
    assert!(is_blocked);
    assert_eq!(
        errors[0].message,
        "web: its new tasks are given requests before they listen, because it has no known healthcheck: `zeroDowntime: \
         enforce` allows no downtime"
    );
    assert_eq!(errors[0].hints[0], "give it a `healthcheck`");
    assert!(
        enforced(
            &with(|web| {
                web.replicas(0);
            }),
            &enforce
        )
        .0,
        "scaled to nothing"
    );
    let global = with(|web| {
        let mode = web.spec.mode.as_mut().expect("a mode");
        (mode.replicated, mode.global) = (None, Some(Default::default()));
    });
    assert!(enforced(&global, &enforce).0, "deleted and made anew");
    let mut other = base();
    other.services.clear();
    service(&mut other, "other", "nginx:1");
    let (is_blocked, errors) = enforced(&other, &enforce);
    assert!(is_blocked && errors[0].message.starts_with("service shop_web: git no longer names it"), "{errors:?}");
    let accepted = with_policy(&other, &cluster, &Policy { allow_delete: true, ..enforce });
    assert!(!accepted.is_blocked(), "somebody accepted that it is deleted");
    assert!(!with_policy(&base(), &Cluster::default(), &mode(ZeroDowntime::Enforce)).is_blocked(), "a creation");
}

#[test]
fn a_slow_healthcheck_is_told() {
    let slow = |edit: bool| {
        with(|web| {
            web.container().healthcheck.as_mut().expect("a check").interval = 30_000_000_000;
            if edit {
                web.env("A=1");
            }
        })
    };
    let plan = with_policy(&slow(true), &filled(&slow(false)), &auto());
    assert_eq!(codes(&plan), ["zero-downtime/slow-rollout"]);
    assert!(plan_text(&shown_of(&plan), &Layout::default()).contains("new one first, about 8 min"));
}

fn shown_of(plan: &Plan) -> view::Document {
    view::plans(view::Header::default(), &[(plan, &crate::diag::Sources::new())], &Mask::default())
}

/// What a generated service is like, and what its file says of updates.
type Sketch = (Option<u64>, u8, u8, bool, bool, bool);

fn drawn((replicas, port, env, checked, global, mounts): Sketch, said: u8) -> Desired {
    let mut desired = stack();
    let web = service(&mut desired, "web", "nginx:1").env(&format!("A={env}"));
    if let Some(replicas) = replicas {
        web.replicas(replicas);
    }
    if checked {
        web.checked();
    }
    if port > 0 {
        web.port(8000 + u32::from(port), 80);
    }
    if global {
        let mode = web.spec.mode.as_mut().expect("a mode");
        (mode.replicated, mode.global) = (None, Some(Default::default()));
        web.said.replicas = false;
    }
    if mounts {
        let mount = serde_json::json!({ "Type": "volume", "Source": "shop_data", "Target": "/data" });
        web.container().mounts = vec![serde_json::from_value(mount).expect("a mount")];
    }
    if said & 1 != 0 {
        web.order("stop-first");
    }
    if said & 2 != 0 {
        web.spec
            .update_config
            .get_or_insert_with(|| UpdateConfig { parallelism: 1, ..Default::default() })
            .failure_action = "continue".to_owned();
        web.said.update.failure_action = true;
    }
    desired
}

fn sketch() -> impl Strategy<Value = (Sketch, u8)> {
    let sketch = (proptest::option::of(0..7_u64), 0..3_u8, 0..3_u8, any::<bool>(), any::<bool>(), any::<bool>());
    (sketch, 0..4_u8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planning_after_applying_is_empty_with_what_is_filled_in(
        stacks in proptest::collection::vec((sketch(), 0..3_u8, any::<bool>()), 1..6),
    ) {
        let mut cluster = Cluster::default().with_nodes(&[true, true, false]);
        for ((sketch, said), zero_downtime, without_record) in stacks {
            let desired = drawn(sketch, said);
            let zero_downtime = [ZeroDowntime::Auto, ZeroDowntime::Enforce, ZeroDowntime::Off][usize::from(zero_downtime)];
            let mut policy = Policy { allow_delete: true, ..mode(zero_downtime) };
            if without_record {
                (policy.direct, cluster.applied) = (true, None);
            }
            let plan = with_policy(&desired, &cluster, &policy);
            if plan.is_blocked() {
                prop_assert_eq!(zero_downtime, ZeroDowntime::Enforce);
                prop_assert!(plan.steps.iter().any(|step| step.downtime != Downtime::None));
                continue;
            }
            prop_assert!(zero_downtime != ZeroDowntime::Enforce || plan.steps.iter().all(|it| it.downtime == Downtime::None));
            cluster.carry_out(&plan);
            if without_record {
                cluster.applied = None;
            }
            for again in [ZeroDowntime::Auto, ZeroDowntime::Off] {
                let plan = with_policy(&desired, &cluster, &Policy { zero_downtime: again, ..policy.clone() });
                prop_assert_eq!(done(&plan), Vec::<String>::new(), "{:?} after {:?}", again, zero_downtime);
                prop_assert!(plan.drift.is_empty());
            }
            if cluster.applied.is_some() {
                prop_assert_eq!(reported(&cluster).drift, Drift::default());
            }
        }
    }
}
