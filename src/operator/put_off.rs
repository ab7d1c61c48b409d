//! Deletions that the engine puts off because something still uses the object: tried again later and later.
//!
//! A network that a container holds which nobody manages may be held for days, and every try wakes whoever watches it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::{Kind, StackName};
use crate::plan::{Action, Object, Plan};

/// How soon a deletion is tried again at first: the tasks of a deleted service take their grace period.
const FIRST: Duration = Duration::from_secs(2);

/// The longest that it waits. Each time is twice as long as the one before.
const LONGEST: Duration = Duration::from_secs(300);

/// What this instance had to put off.
#[derive(Debug, Default)]
pub struct PutOff(Mutex<HashMap<(StackName, Object), (Instant, u32)>>);

impl PutOff {
    /// Remembers what a plan could not delete, and forgets what else of its stack was put off before.
    pub fn remember(&self, stack: &StackName, objects: &[Object], now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(of, object), _| of != stack || objects.contains(object));
        for object in objects {
            let entry = known.entry((stack.clone(), object.clone())).or_insert((now, 0));
            *entry = (now, entry.1.saturating_add(1));
        }
    }

    /// What is to be waited for before a plan is carried out whose first wave does nothing but delete what was put off lately, and
    /// for how long.
    pub fn wait(&self, plan: &Plan, now: Instant) -> Option<(Object, Duration)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |kind: Kind, name: &str| {
            let (since, times) = known.get(&(plan.stack.clone(), Object::new(kind, name)))?;
            let pause = FIRST.saturating_mul(1 << times.saturating_sub(1).min(10)).min(LONGEST);
            pause.checked_sub(now.saturating_duration_since(*since)).filter(|left| !left.is_zero())
        };
        let mut soonest: Option<(Object, Duration)> = None;
        for step in plan.first_wave() {
            let left = left(step.kind, &step.name).filter(|_| step.action == Action::Delete)?;
            if soonest.as_ref().is_none_or(|(_, soonest)| left < *soonest) {
                soonest = Some((Object::new(step.kind, &*step.name), left));
            }
        }
        soonest
    }
}
