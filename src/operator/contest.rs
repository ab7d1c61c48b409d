//! Drift that comes back: what was corrected, how often, and what is left alone for it.
//!
//! The same difference is corrected at most three times in ten minutes. Whoever makes it again each time, another tool or a
//! person, is stronger; what is left is to say so. This memory is an instance's own, by its own clock: a new leader counts
//! anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::{Kind, StackName};
use crate::plan::{Action, Contest, Difference, Effect, Object, Origin, Plan, Step};

/// How often the same difference is corrected within [`WINDOW`].
const MOST: usize = 3;

/// How long a correction counts.
const WINDOW: Duration = Duration::from_secs(600);

/// What this instance corrected.
#[derive(Debug, Default)]
pub struct Corrections {
    made: Mutex<HashMap<(StackName, Difference), Vec<Instant>>>,
    faults: Mutex<HashMap<StackName, Vec<Difference>>>,
}

impl Corrections {
    /// What is not to be corrected of a stack for now, and why.
    pub fn contested(&self, stack: &StackName, now: Instant) -> BTreeMap<Difference, Contest> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|_, times| {
            times.retain(|time| now.saturating_duration_since(*time) < WINDOW);
            !times.is_empty()
        });
        let often = made.iter().filter(|((of, _), times)| of == stack && times.len() >= MOST);
        let often = often.map(|((_, difference), _)| (difference.clone(), Contest::Others));
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let own = faults.get(stack).into_iter().flatten().map(|difference| (difference.clone(), Contest::Own));
        often.chain(own).collect()
    }

    /// How long it is until something contested may be corrected again.
    pub fn again_in(&self, stack: &StackName, now: Instant) -> Option<Duration> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let often = made.iter().filter(|((of, _), times)| of == stack && times.len() >= MOST);
        let ends = often.filter_map(|(_, times)| times.first().map(|first| *first + WINDOW));
        ends.min().map(|end| end.saturating_duration_since(now))
    }

    /// Counts what a plan that was carried out corrected.
    pub fn made(&self, plan: &Plan, now: Instant) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        for difference in plan.first_wave().iter().flat_map(|step| differences(plan, step)) {
            made.entry((plan.stack.clone(), difference)).or_default().push(now);
        }
    }

    /// Remembers what came back right after it was written, by nobody's hand: it is not written again.
    pub fn own_fault(&self, stack: &StackName, differences: impl IntoIterator<Item = Difference>) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.entry(stack.clone()).or_default().extend(differences);
    }

    /// Forgets what came back of a stack: git says something else of it now.
    pub fn forget_faults(&self, stack: &StackName) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).remove(stack);
    }
}

/// Whether a step of a plan only brings back what was applied.
pub fn is_correction(plan: &Plan, step: &Step) -> bool {
    let is_drift = |step: &Step| step.changes.iter().all(|change| change.origin == Origin::Drift);
    match step.action {
        Action::Create => plan.drift.missing.contains(&Object::new(step.kind, &*step.name)),
        _ => !step.changes.is_empty() && is_drift(step),
    }
}

/// The differences that a step of a plan corrects.
fn differences(plan: &Plan, step: &Step) -> Vec<Difference> {
    let of = |path: &str| Difference { kind: step.kind, name: step.name.clone(), path: path.to_owned() };
    match step.action {
        _ if !is_correction(plan, step) => Vec::new(),
        Action::Create => vec![of("")],
        _ => step.changes.iter().map(|change| of(&change.path)).collect(),
    }
}

/// What differs of services that a plan wrote, in a plan made right after it.
pub fn returned(wrote: &Plan, after: &Plan) -> Vec<Difference> {
    let is_written = |name: &str| wrote.first_wave().iter().any(|step| step.kind == Kind::Service && step.name == name);
    let drifted =
        after.drift.changed.iter().filter(|drifted| drifted.kind == Kind::Service && is_written(&drifted.name));
    drifted
        .flat_map(|drifted| {
            // What is carried over, as a raised `ForceUpdate`, was never to be written.
            let changes = drifted.changes.iter().filter(|change| change.effect != Effect::None);
            changes.map(|change| Difference {
                kind: Kind::Service,
                name: drifted.name.clone(),
                path: change.path.clone(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(path: &str) -> Difference {
        Difference { kind: Kind::Service, name: "shop_web".to_owned(), path: path.to_owned() }
    }

    fn corrected(corrections: &Corrections, stack: &StackName, path: &str, now: Instant) {
        let mut made = corrections.made.lock().expect("nobody panicked");
        made.entry((stack.clone(), difference(path))).or_default().push(now);
    }

    #[test]
    fn the_same_difference_is_corrected_three_times_in_ten_minutes() {
        let (corrections, start) = (Corrections::default(), Instant::now());
        let stack = StackName::parse("shop").expect("a name");
        for second in 0..3 {
            assert!(corrections.contested(&stack, start + Duration::from_secs(second)).is_empty());
            corrected(&corrections, &stack, "/Labels/a", start + Duration::from_secs(second));
            corrected(&corrections, &stack, &format!("/Labels/{second}"), start);
        }
        let now = start + Duration::from_secs(3);
        let contested = corrections.contested(&stack, now);
        assert_eq!(contested, [(difference("/Labels/a"), Contest::Others)].into());
        assert!(corrections.contested(&StackName::parse("other").expect("a name"), now).is_empty());
        assert_eq!(corrections.again_in(&stack, now), Some(WINDOW - Duration::from_secs(3)));
        let later = start + WINDOW;
        assert!(corrections.contested(&stack, later).is_empty(), "two within ten minutes are left");
    }

    #[test]
    fn its_own_fault_is_not_written_again_until_git_says_something_else() {
        let (corrections, now) = (Corrections::default(), Instant::now());
        let stack = StackName::parse("shop").expect("a name");
        corrections.own_fault(&stack, [difference("/Labels/a")]);
        assert_eq!(corrections.contested(&stack, now), [(difference("/Labels/a"), Contest::Own)].into());
        corrections.forget_faults(&stack);
        assert!(corrections.contested(&stack, now).is_empty());
    }
}
