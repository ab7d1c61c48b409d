//! Which digest an image is pinned to, what registries are asked for, and what their silence changes: nothing.

use std::collections::BTreeMap;

use super::super::service::keep;
use super::stack::Edit;
use super::*;
use crate::diag::Severity;
use crate::model::Digest;
use crate::settings::{Resolve, ZeroDowntime};
use crate::swarm::{Image, Platform, Problem};

const WEB: &str = "shop_web";
const IMAGE: &str = "/TaskTemplate/ContainerSpec/Image";

fn base() -> Desired {
    let mut desired = stack();
    service(&mut desired, "web", "nginx:1.26").replicas(3).env("LEVEL=info");
    desired
}

fn edited(edit: impl FnOnce(&mut crate::desired::Service)) -> Desired {
    let mut desired = base();
    edit(desired.services.get_mut(WEB).expect("web"));
    desired
}

fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

fn pinned(letter: char) -> String {
    format!("nginx:1.26@{}", digest(letter))
}

/// A registry's word on one image.
fn says(text: &str, letter: char) -> Images {
    let platforms = vec![("linux".to_owned(), "amd64".to_owned()), ("unknown".to_owned(), "unknown".to_owned())];
    let image = Image { digest: Some(digest(letter)), platforms, ..Image::default() };
    Images([(text.to_owned(), image)].into())
}

fn silent(text: &str) -> Images {
    let problem = Some(Problem::Unanswered("no answer in time".to_owned()));
    Images([(text.to_owned(), Image { problem, ..Image::default() })].into())
}

fn policy(resolve: Resolve) -> Policy {
    Policy { resolve, ..Policy::default() }
}

fn told(desired: &Desired, cluster: &Cluster, images: &Images, policy: &Policy) -> Plan {
    plan(Input { desired, live: &cluster.live, applied: cluster.applied.as_ref(), good: None, images, policy })
}

fn asked(desired: &Desired, cluster: &Cluster, policy: &Policy, watch: bool) -> BTreeMap<String, Question> {
    let images = Images::default();
    let input =
        Input { desired, live: &cluster.live, applied: cluster.applied.as_ref(), good: None, images: &images, policy };
    images_asked(&input, &plan(input), watch)
}

/// A cluster to which a stack was applied, its image as the registry said then.
fn running(desired: &Desired, images: &Images) -> Cluster {
    let mut cluster = Cluster { applied: Some(Applied::default()), ..Cluster::default() };
    let plan = told(desired, &cluster, images, &Policy::default());
    cluster.carry_out(&plan);
    cluster
}

fn image_of(cluster: &Cluster) -> &str {
    keep::image(&cluster.service(WEB).spec).expect("an image")
}

fn sent(plan: &Plan) -> &crate::swarm::ServiceSpec {
    let step = plan.steps.iter().find(|step| step.name == WEB).expect("a step of the service");
    step.write.service().expect("a spec")
}

fn only(plan: &Plan, code: &str) -> (Severity, String) {
    let [one] = plan.diagnostics.iter().filter(|it| it.code == code).collect::<Vec<_>>()[..] else {
        panic!("{code}: {:#?}", plan.diagnostics)
    };
    (one.severity, one.message.clone())
}

#[test]
fn a_new_image_is_pinned_with_its_platforms() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    assert_eq!(image_of(&cluster), pinned('a'));
    let placement = cluster.service(WEB).spec.task_template.placement.clone().expect("a placement");
    let amd64 = Platform { os: "linux".into(), architecture: "amd64".into(), ..Platform::default() };
    assert_eq!(placement.platforms, [amd64], "what stands for attestations is no platform");
    let again = told(&base(), &cluster, &Images::default(), &Policy::default());
    assert!(again.steps.is_empty() && again.drift.is_empty(), "{:?}", again.steps);
}

#[test]
fn of_arm_no_architecture_is_demanded_and_each_platform_stands_once() {
    let mut images = says("nginx:1.26", 'a');
    let platform = |architecture: &str| ("linux".to_owned(), architecture.to_owned());
    images.0.get_mut("nginx:1.26").expect("it").platforms =
        vec![platform("arm"), platform("amd64"), platform("arm"), platform("amd64")];
    let cluster = running(&base(), &images);
    let platforms = &cluster.service(WEB).spec.task_template.placement.as_ref().expect("a placement").platforms;
    let found: Vec<&str> = platforms.iter().map(|it| it.architecture.as_str()).collect();
    assert_eq!(found.iter().filter(|it| it.is_empty()).count(), 1, "{found:?}");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_changed_text_is_pinned_anew_and_is_gits() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    let desired = edited(|web| {
        web.image("nginx:1.27");
    });
    let plan = told(&desired, &cluster, &says("nginx:1.27", 'b'), &Policy::default());
    let change = plan.steps[0].changes.iter().find(|change| change.path == IMAGE).expect("the image");
    assert_eq!(change.after, Some(format!("nginx:1.27@{}", digest('b')).into()));
    assert_eq!(change.origin, Origin::Git);
    assert!(codes(&plan).iter().all(|code| !code.starts_with("plan/")), "{:?}", plan.diagnostics);
}

#[test]
fn where_nobody_says_it_is_sent_without_a_digest_and_told() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    let desired = edited(|web| {
        web.image("nginx:1.27");
    });
    let plan = told(&desired, &cluster, &silent("nginx:1.27"), &Policy::default());
    assert_eq!(keep::image(sent(&plan)), Some("nginx:1.27"));
    let (severity, message) = only(&plan, "plan/image-not-pinned");
    assert_eq!(severity, Severity::Warning);
    assert!(message.contains("nginx:1.27, of registry docker.io (no answer in time)"), "{message}");
    let never = told(&desired, &cluster, &silent("nginx:1.27"), &policy(Resolve::Never));
    assert!(!codes(&never).contains(&"plan/image-not-pinned"), "nobody wanted to ask");
}

#[test]
fn what_runs_without_a_digest_is_pinned_only_where_its_tasks_are_replaced_anyway() {
    let cluster = running(&base(), &silent("nginx:1.26"));
    assert_eq!(image_of(&cluster), "nginx:1.26");
    let known = says("nginx:1.26", 'a');
    for resolve in [Resolve::Changed, Resolve::Always] {
        let plan = told(&base(), &cluster, &known, &policy(resolve));
        assert!(plan.steps.is_empty() && plan.drift.is_empty(), "{resolve:?}: {:?}", plan.steps);
    }
    let labelled = edited(|web| {
        web.label("a", "b");
    });
    let plan = told(&labelled, &cluster, &known, &Policy::default());
    assert_eq!((keep::image(sent(&plan)), plan.steps[0].effect), (Some("nginx:1.26"), Effect::InPlace));

    let restarted = edited(|web| {
        web.env("LEVEL=debug");
    });
    assert!(asked(&restarted, &cluster, &Policy::default(), false)["nginx:1.26"].tag);
    let plan = told(&restarted, &cluster, &known, &Policy::default());
    assert_eq!(keep::image(sent(&plan)), Some(pinned('a').as_str()));
    let origins: Vec<_> = plan.steps[0].changes.iter().map(|it| (it.path.as_str(), it.origin)).collect();
    assert!(origins.contains(&(IMAGE, Origin::Registry)), "{origins:?}");
    assert!(origins.contains(&("/TaskTemplate/ContainerSpec/Env/0", Origin::Git)), "{origins:?}");
    let mut after = cluster.clone();
    after.carry_out(&plan);
    let again = told(&restarted, &after, &Images::default(), &Policy::default());
    assert!(again.steps.is_empty() && again.drift.is_empty(), "{:?}", again.steps);

    let now = Policy { resolve_now: true, ..Policy::default() };
    let plan = told(&base(), &cluster, &known, &now);
    assert_eq!(keep::image(sent(&plan)), Some(pinned('a').as_str()), "somebody said so");
}

#[test]
fn a_moved_tag_rolls_with_always_or_when_somebody_says_so() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    let moved = says("nginx:1.26", 'b');
    let now = Policy { resolve_now: true, ..Policy::default() };
    for policy in [policy(Resolve::Always), now] {
        let plan = told(&base(), &cluster, &moved, &policy);
        let [step] = &plan.steps[..] else { panic!("{:?}", done(&plan)) };
        assert_eq!((step.effect, step.tasks_restarting), (Effect::Rolling, 3));
        let [change] = &step.changes[..] else { panic!("{:?}", step.changes) };
        assert_eq!((change.path.as_str(), change.origin), (IMAGE, Origin::Registry));
        assert_eq!(change.before, Some(pinned('a').into()));
        assert_eq!(change.after, Some(pinned('b').into()));
        let mut after = cluster.clone();
        after.carry_out(&plan);
        assert!(told(&base(), &after, &moved, &policy).steps.is_empty());
        assert!(reported(&after).is_empty(), "and is nobody's drift");
    }
}

#[test]
fn a_moved_tag_is_a_note_where_it_is_not_followed() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    let plan = told(&base(), &cluster, &says("nginx:1.26", 'b'), &Policy::default());
    assert!(plan.steps.is_empty());
    assert_eq!(plan.sync(), Sync::Synced);
    let (severity, message) = only(&plan, "plan/tag-moved");
    assert_eq!(severity, Severity::Note);
    assert_eq!(
        message,
        "web: the tag of nginx:1.26 has moved: it points to sha256:bbbbbbbbbbbb now, and sha256:aaaaaaaaaaaa runs"
    );
    let same = told(&base(), &cluster, &says("nginx:1.26", 'a'), &Policy::default());
    assert!(same.diagnostics.is_empty(), "{:?}", same.diagnostics);
    // It rides along with nothing: what git changes is what is rolled.
    let restarted = edited(|web| {
        web.env("LEVEL=debug");
    });
    let plan = told(&restarted, &cluster, &says("nginx:1.26", 'b'), &Policy::default());
    assert_eq!(keep::image(sent(&plan)), Some(pinned('a').as_str()));
}

#[test]
fn a_registry_that_is_silent_changes_nothing_that_runs() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    for direct in [false, true] {
        let policy = Policy { direct, ..policy(Resolve::Always) };
        let plan = told(&base(), &cluster, &silent("nginx:1.26"), &policy);
        assert!(plan.steps.is_empty(), "{:?}", plan.steps);
        let (severity, message) = only(&plan, "plan/image-kept");
        assert_eq!(severity, Severity::Note);
        assert!(message.contains("nginx:1.26") && message.contains("keeps its digest"), "{message}");
    }
}

#[test]
fn without_a_record_a_moved_tag_is_the_registrys_too() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    let direct = Policy { direct: true, ..policy(Resolve::Always) };
    let plan = told(&base(), &cluster, &says("nginx:1.26", 'b'), &direct);
    assert_eq!(plan.steps[0].changes[0].origin, Origin::Registry);
}

#[test]
fn a_digest_that_git_says_is_gits_and_its_platforms_come_from_the_registry() {
    let wanted = edited(|web| {
        web.image(&pinned('a'));
    });
    let questions = asked(&wanted, &Cluster::default(), &Policy::default(), false);
    let question = Question { digest: Some(digest('a')), ..Question::default() };
    assert_eq!(questions, [(pinned('a'), question)].into());
    let cluster = running(&wanted, &says(&pinned('a'), 'a'));
    assert_eq!(cluster.service(WEB).spec.task_template.placement.as_ref().map(|it| it.platforms.len()), Some(1));
    assert!(asked(&wanted, &cluster, &policy(Resolve::Always), true).is_empty(), "it cannot move");
    let next = edited(|web| {
        web.image(&pinned('b'));
    });
    let plan = told(&next, &cluster, &says(&pinned('b'), 'b'), &Policy::default());
    let change = plan.steps[0].changes.iter().find(|change| change.path == IMAGE).expect("the image");
    assert_eq!(change.origin, Origin::Git);
}

#[test]
fn only_what_a_plan_hangs_on_is_asked() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    let nothing = BTreeMap::new();
    assert_eq!(asked(&base(), &cluster, &Policy::default(), false), nothing);
    let restarted = edited(|web| {
        web.env("LEVEL=debug");
    });
    assert_eq!(asked(&restarted, &cluster, &Policy::default(), false), nothing);
    let running = Question { tag: true, digest: Some(digest('a')), settled: true, healthcheck: false };
    let one = |question: &Question| BTreeMap::from([("nginx:1.26".to_owned(), question.clone())]);
    assert_eq!(asked(&base(), &cluster, &Policy::default(), true), one(&running), "for whoever looks");
    assert_eq!(asked(&base(), &cluster, &policy(Resolve::Always), false), one(&running));
    assert_eq!(asked(&restarted, &cluster, &policy(Resolve::Never), true), nothing);
    let changed = edited(|web| {
        web.image("nginx:1.27");
    });
    assert_eq!(asked(&changed, &cluster, &policy(Resolve::Never), true), nothing);
    let new = Question { tag: true, settled: true, ..Question::default() };
    assert_eq!(asked(&changed, &cluster, &Policy::default(), false), [("nginx:1.27".to_owned(), new)].into());
}

#[test]
fn the_images_own_healthcheck_is_asked_of_what_is_written_and_has_none() {
    let cluster = running(&base(), &says("nginx:1.26", 'a'));
    let auto = Policy { zero_downtime: ZeroDowntime::Auto, ..Policy::default() };
    assert!(asked(&base(), &cluster, &auto, false).is_empty());
    // Policies ride along with any write.
    let labelled = edited(|web| {
        web.label("a", "b");
    });
    let question = Question { tag: false, digest: Some(digest('a')), settled: false, healthcheck: true };
    assert_eq!(asked(&labelled, &cluster, &auto, false), [("nginx:1.26".to_owned(), question)].into());
    let own = edited(|web| {
        web.label("a", "b").container().healthcheck =
            Some(crate::swarm::Healthcheck { test: vec!["CMD".into(), "true".into()], ..Default::default() });
    });
    assert!(asked(&own, &cluster, &auto, false).is_empty());
    // What is known of the digest that runs moves nothing.
    let plan = told(&labelled, &cluster, &says("nginx:1.26", 'a'), &auto);
    assert_eq!(keep::image(sent(&plan)), Some(pinned('a').as_str()));
    assert_eq!(plan.pins, BTreeMap::new());
}

#[test]
fn what_is_wanted_is_another_thing_when_a_tag_that_counts_has_moved() {
    let said = Digest::of("said");
    let fresh = Cluster { applied: Some(Applied::default()), ..Cluster::default() };
    let none = BTreeMap::new();
    let of = |plan: &Plan, remembered| wanted_digest(&said, &base(), &plan.pins, remembered);
    let bad = told(&base(), &fresh, &says("nginx:1.26", 'a'), &Policy::default());
    let (held, images) = of(&bad, &none);
    assert_eq!(images, [("nginx:1.26".to_owned(), digest('a'))].into());
    assert_ne!(held, said);

    let silent = told(&base(), &fresh, &silent("nginx:1.26"), &Policy::default());
    assert_eq!(of(&silent, &images).0, held, "silence releases nothing");
    let unasked = told(&base(), &running(&base(), &says("nginx:1.26", 'a')), &Images::default(), &Policy::default());
    assert_eq!(of(&unasked, &images).0, held, "nor does that it runs by now");
    let fixed = told(&base(), &fresh, &says("nginx:1.26", 'b'), &Policy::default());
    assert_ne!(of(&fixed, &images).0, held);

    // Where a tag is not followed, that it moved is no other wish.
    let watched =
        told(&base(), &running(&base(), &says("nginx:1.26", 'a')), &says("nginx:1.26", 'b'), &Policy::default());
    assert_eq!(of(&watched, &images).0, held);
    // Without any word of a registry it is the digest that earlier versions recorded.
    assert_eq!(of(&unasked, &none).0, said);
}
