//! What came out of encrypted files, in plans and in what a record keeps.

use super::stack::Edit;
use super::*;
use crate::diag::Sources;

const OLD: &str = "hunter2-and-more";
const NEW: &str = "hunter3-and-more";

/// A stack with a secret in a variable and in a label.
fn with(secret: &str) -> Desired {
    let mut desired = stack();
    service(&mut desired, "web", "nginx:1").env(&format!("DB_URL=postgres://u:{secret}@db")).env("LEVEL=debug");
    service(&mut desired, "web2", "nginx:1").label("sealed", secret);
    desired.confidential.add(secret);
    desired
}

/// A cluster as a later process finds it: of what was applied it knows what a record keeps.
fn remembered(desired: &Desired) -> Cluster {
    let mut cluster = applied(desired);
    let past = cluster.applied.take().expect("it was applied");
    let kept = past.kept(&desired.stack).expect("JSON");
    assert!(!kept.to_string().contains("hunter"), "{kept}");
    cluster.applied = Some(serde_json::from_value(kept).expect("it reads back"));
    cluster
}

fn shown(plan: &Plan, mask: &Mask) -> (String, String) {
    let document = view::plans(view::Header::default(), &[(plan, &Sources::new())], mask);
    (plan_text(&document, &Layout::default()), serde_json::to_string(&document).expect("JSON"))
}

#[track_caller]
fn hides(plan: &Plan) -> String {
    let (text, json) = shown(plan, &Mask::default());
    assert!(!text.contains("hunter") && !json.contains("hunter"), "{text}\n{json}");
    text
}

#[test]
fn a_record_without_its_secrets_still_says_that_nothing_changed() {
    let desired = with(OLD);
    let plan = planned(&desired, &remembered(&desired));
    assert_eq!((plan.steps.len(), plan.drift.is_empty()), (0, true));
    assert_eq!(plan.settled.kept(&desired.stack).expect("JSON"), {
        let cluster = remembered(&desired);
        let mut kept = serde_json::to_value(cluster.applied.expect("a record")).expect("JSON");
        kept["inventory"] = serde_json::to_value(&plan.settled.inventory).expect("JSON");
        kept
    });
}

#[test]
fn a_new_secret_hides_the_old_one_and_is_gits() {
    let cluster = remembered(&with(OLD));
    let plan = planned(&with(NEW), &cluster);
    let text = hides(&plan);
    insta::assert_snapshot!(text, @r"
    shop
      ~ service web   1 task restarts, old one stops first, about 8 s
          env DB_URL  changed (hidden)  restarts  git
      ~ service web2   in place
          label sealed  changed (hidden)  in place  git
      = 1 unchanged
      ! web: its only task stops before the new one runs, so nobody serves meanwhile
        zero-downtime/one-replica-stop-first
    Plan: 2 to update, 1 unchanged. 1 task restarts.
    Downtime: web possible.
    ");
    let origins: Vec<_> = plan.steps.iter().flat_map(|step| &step.changes).map(|change| change.origin).collect();
    assert_eq!(origins, [Origin::Git, Origin::Git]);
    let (text, _) = shown(&plan, &Mask::none());
    assert!(text.contains("hunter"), "who asks is shown: {text}");
}

#[test]
fn a_secret_that_git_no_longer_has_is_one_still() {
    let cluster = remembered(&with(OLD));
    let mut bare = stack();
    service(&mut bare, "web", "nginx:1").env("LEVEL=debug");
    service(&mut bare, "web2", "nginx:1");
    let text = hides(&planned(&bare, &cluster));
    assert!(text.contains("DB_URL"), "{text}");
    let mut clear = stack();
    service(&mut clear, "web", "nginx:1").env("DB_URL=none").env("LEVEL=debug");
    service(&mut clear, "web2", "nginx:1").label("sealed", "no");
    hides(&planned(&clear, &cluster));
}

#[test]
fn drift_of_a_secret_is_drift_and_hidden() {
    let desired = with(OLD);
    let mut cluster = remembered(&desired);
    let mut drifted = with(OLD);
    drifted.services.get_mut("shop_web").expect("the service").env("DB_URL=postgres://u:by-hand@db");
    let past = cluster.applied.take();
    cluster.apply(&drifted);
    cluster.applied = past;
    let plan = planned(&desired, &cluster);
    assert_eq!(plan.steps.len(), 0);
    let document = view::drift(view::Header::default(), &[(&reported(&cluster), &Sources::new())], &Mask::default());
    let text = drift_text(&document, &Layout::default());
    assert!(text.contains("DB_URL") && !text.contains("hunter") && !text.contains("by-hand"), "{text}");
}

#[test]
fn a_config_from_an_encrypted_file_shows_that_it_changed_and_no_more() {
    let with = |content: &str, confidential: bool| {
        let mut desired = stack();
        service(&mut desired, "web", "nginx:1").mounts("c");
        config(&mut desired, "c", content);
        desired.configs.get_mut("shop_c").expect("the config").confidential = confidential;
        desired
    };
    for (before, after) in [(true, true), (true, false), (false, true)] {
        let plan = planned(&with("one\n", after), &applied(&with("two\n", before)));
        let text = hides(&plan);
        assert!(text.contains("content differs") && !text.contains("line"), "{text}");
    }
    let plan = planned(&with("one\n", false), &applied(&with("two\n", false)));
    assert!(hides(&plan).contains("1 line differs"));
}
