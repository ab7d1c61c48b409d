//! What is a conflict, and what is none.

use super::*;
use crate::cli::saved::tests::saved;
use crate::plan::{Downtime, Effect};

/// What the saved plan was made on, changed; and its steps, changed.
fn found(change: impl FnOnce(&mut Stack), steps: impl FnOnce(&mut Vec<Step>)) -> Vec<String> {
    let saved = saved();
    let mut now = saved.stacks[0].clone();
    change(&mut now);
    let mut planned = saved.plan.stacks[0].steps.clone();
    steps(&mut planned);
    conflicts(&saved, &now, &planned)
}

fn object(now: &mut Stack) -> &mut Found {
    now.objects[0].found.as_mut().expect("it was found")
}

#[test]
fn the_same_plan_or_less_of_it_is_no_conflict() {
    assert_eq!(found(|_| {}, |_| {}), [""; 0]);
    assert_eq!(found(|_| {}, |steps| drop(steps[0].changes.remove(0))), [""; 0]);
    assert_eq!(found(|_| {}, |steps| steps[0].effect = Effect::InPlace), [""; 0]);
    // It moved, and somebody did what was to be done.
    assert_eq!(found(|now| now.objects.clear(), Vec::clear), [""; 0]);
    // There is nothing to write, so nothing counts.
    assert_eq!(
        found(
            |now| {
                now.wanted = None;
                object(now).version = 900;
            },
            Vec::clear
        ),
        [""; 0]
    );
}

#[test]
fn an_object_that_moved_is_named() {
    let moved = found(
        |now| {
            object(now).version = 840;
            object(now).updated = "2026-11-24T11:30:00.25Z".to_owned();
        },
        |_| {},
    );
    assert_eq!(moved, ["service shop_web moved: it had version 812, now 840, last written 2026-11-24 11:30:00 UTC"]);
    let another = found(|now| object(now).id = "id2".to_owned(), |_| {});
    assert_eq!(another, ["service shop_web is another one now, made at 2026-11-24 10:00:00 UTC"]);
    let gone = found(|now| now.objects[0].found = None, |steps| steps[0].action = Action::Create);
    assert_eq!(gone, ["service shop_web is gone"]);
    let mut absent = saved();
    absent.stacks[0].objects[0].found = None;
    let there = conflicts(&absent, &saved().stacks[0], &saved().plan.stacks[0].steps);
    assert_eq!(there, ["service shop_web is there now, since 2026-11-24 10:00:00 UTC, and was not"]);
}

#[test]
fn a_plan_does_not_grow() {
    let extra = |steps: &mut Vec<Step>| {
        let mut step = steps[0].clone();
        step.name = "shop_db".to_owned();
        step.action = Action::Delete;
        steps.push(step);
    };
    assert_eq!(found(|_| {}, extra), ["the deletion of service shop_db is not in the plan"]);
    assert_eq!(
        found(|_| {}, |steps| steps[0].action = Action::Delete),
        ["the deletion of service shop_web is not in the plan, which has the update of it"]
    );
    assert_eq!(
        found(|_| {}, |steps| steps[0].changes[0].after = Some("a:3".into())),
        ["the update of service shop_web would change more than the plan says: image"]
    );
    assert_eq!(
        found(|_| {}, |steps| steps[0].downtime = Downtime::Certain),
        ["the update of service shop_web would cost more than the plan says"]
    );
    assert_eq!(
        found(|_| {}, |steps| steps[0].effect = Effect::Delete),
        ["the update of service shop_web would cost more than the plan says"]
    );
}

#[test]
fn files_and_records_count() {
    assert_eq!(
        found(|now| now.wanted = Some("f2".to_owned()), |_| {}),
        ["the files of stack shop, or variables in them, say something else now"]
    );
    let mut older = saved();
    older.skep = "0.0.1".to_owned();
    older.stacks[0].wanted = Some("f0".to_owned());
    let told = conflicts(&older, &saved().stacks[0], &[]);
    assert!(told[0].contains("; or skep ") && told[0].ends_with(" reads them in another way than 0.0.1"), "{told:?}");

    let applied = crate::cli::saved::Applied {
        revision: "beef".to_owned(),
        at: "2026-11-24T11:45:00Z".parse().expect("a moment"),
    };
    assert_eq!(
        found(|now| now.applied = Some(applied.clone()), |_| {}),
        ["stack shop was applied at 2026-11-24 11:45:00 UTC, from beef"]
    );
    let mut recorded = saved();
    recorded.stacks[0].applied = Some(applied);
    assert_eq!(
        conflicts(&recorded, &saved().stacks[0], &[]),
        ["stack shop has no record of what was applied any more"]
    );
}

#[test]
fn stacks_come_and_go() {
    assert_eq!(
        found(|now| now.stack = "blog".to_owned(), |_| {}),
        ["stack blog is declared now, and is not in the plan"]
    );
    assert_eq!(undeclared(&saved(), &[]), ["stack shop is no longer declared"]);
    assert_eq!(undeclared(&saved(), &saved().stacks), [""; 0]);
}
