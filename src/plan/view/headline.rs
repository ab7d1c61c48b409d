//! A plan in one sentence: what it costs.

use super::{Document, Summary, stays};
use crate::plan::text::{cost, line::plural};
use crate::plan::{Action, Downtime};

impl Summary {
    /// What carrying it out costs, the dearest first: `3 tasks restart, nothing deleted, downtime: none`.
    pub fn headline(&self) -> String {
        let Self { create, update, replace, delete, tasks_restarting, tasks_stopping, .. } = *self;
        if create + update + replace + delete == 0 {
            return "nothing to do".to_owned();
        }
        let tasks = match cost::tasks(tasks_restarting, "", tasks_stopping) {
            none if none.is_empty() => "no task restarts".to_owned(),
            tasks => tasks,
        };
        let mut parts = vec![tasks];
        if create > 0 && update + replace + delete == 0 {
            parts.insert(0, format!("{} created", plural(create as u64, "object")));
        }
        if replace > 0 {
            parts.push(format!("{} replaced", plural(replace as u64, "object")));
        }
        match delete {
            0 => parts.push("nothing deleted".to_owned()),
            _ => parts.push(format!("{} deleted", plural(delete as u64, "object"))),
        }
        parts.push(format!("downtime: {}", word(self.downtime)));
        parts.join(", ")
    }
}

impl Document {
    /// A plan in one sentence: its cost, or what is in its way.
    pub fn headline(&self) -> String {
        let blocked = self.stacks.iter().filter(|stack| stack.blocked).count();
        // What is carried over is no reason to write, now or ever.
        let has_drift = self.stacks.iter().any(|stack| stack.drift.iter().any(|it| !stays(it)));
        let cost = match self.summary.headline() {
            text if text == "nothing to do" && has_drift => "nothing to write, but there is drift".to_owned(),
            text => text,
        };
        match (blocked, self.stacks.len()) {
            (0, _) => cost,
            (blocked, all) if blocked == all => "blocked, nothing is written".to_owned(),
            (blocked, all) => format!("{blocked} of {all} stacks blocked; else {cost}"),
        }
    }

    /// Whether there is something to carry out and nothing in its way.
    pub fn can_go_on(&self) -> bool {
        let Summary { create, update, replace, delete, .. } = self.summary;
        create + update + replace + delete > 0 && !self.stacks.iter().any(|stack| stack.blocked)
    }

    /// A drift report in one sentence: `2 changed, 1 missing, 1 extra`.
    pub fn drift_headline(&self) -> String {
        let counts = Drifts::of(self);
        let parts = [(counts.changed, "changed"), (counts.missing, "missing"), (counts.extra, "extra")];
        let mut parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        if counts.tasks > 0 {
            parts.push(format!("{} in trouble", plural(counts.tasks as u64, "task")));
        }
        if parts.is_empty() { "no drift".to_owned() } else { parts.join(", ") }
    }
}

/// How much a drift report, or the drift in a plan, holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drifts {
    /// Objects that are not as they were applied.
    pub changed: usize,
    /// Objects that were applied and are gone.
    pub missing: usize,
    /// Objects that carry a stack's label and were never applied.
    pub extra: usize,
    /// Tasks that are not what their service asks for.
    pub tasks: usize,
}

impl Drifts {
    /// Of a drift report.
    pub fn of(report: &Document) -> Self {
        let steps = || report.stacks.iter().flat_map(|stack| &stack.steps).filter(|step| !stays(step));
        let missing = steps().filter(|step| step.action == Action::Create).count();
        let extra = report.stacks.iter().map(|stack| stack.extra.len()).sum();
        let tasks = report.stacks.iter().map(|stack| stack.tasks.len()).sum();
        Self { changed: steps().count() - missing, missing, extra, tasks }
    }
}

/// The word for it.
pub(in crate::plan) fn word(downtime: Downtime) -> &'static str {
    match downtime {
        Downtime::None => "none",
        Downtime::Possible => "possible",
        Downtime::Certain => "certain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_one_sentence() {
        let sums = |create, update, replace, delete, restarting, stopping, downtime| Summary {
            create,
            update,
            replace,
            delete,
            tasks_restarting: restarting,
            tasks_stopping: stopping,
            downtime,
            unchanged: 5,
            ..Summary::default()
        };
        for (summary, expected) in [
            (sums(0, 0, 0, 0, 0, 0, Downtime::None), "nothing to do"),
            (sums(0, 1, 0, 0, 3, 0, Downtime::None), "3 tasks restart, nothing deleted, downtime: none"),
            (sums(0, 1, 0, 0, 0, 0, Downtime::None), "no task restarts, nothing deleted, downtime: none"),
            (
                sums(7, 0, 0, 0, 0, 0, Downtime::None),
                "7 objects created, no task restarts, nothing deleted, downtime: none",
            ),
            (
                sums(1, 1, 1, 2, 3, 4, Downtime::Certain),
                "3 tasks restart, 4 stop, 1 object replaced, 2 objects deleted, downtime: certain",
            ),
            (sums(0, 0, 0, 1, 0, 1, Downtime::Possible), "1 task stops, 1 object deleted, downtime: possible"),
        ] {
            assert_eq!(summary.headline(), expected);
        }
    }
}
