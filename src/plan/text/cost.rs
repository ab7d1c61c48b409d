//! What a step costs, in words.

use serde_json::Value;

use super::line::plural;
use crate::model::Kind;
use crate::plan::view::Step;
use crate::plan::{Action, Effect};

/// The cost of one step.
pub(in crate::plan) fn of_step(step: &Step) -> String {
    if step.kind != Kind::Service {
        let words = match step.action {
            Action::Update => "in place",
            Action::Replace => "deleted and made anew",
            Action::Create | Action::Delete => "",
        };
        return words.to_owned();
    }
    if let Some(hook) = step.hook.filter(|_| step.action != Action::Delete) {
        return format!("runs as {} hook", hook.word());
    }
    match (step.action, step.effect) {
        (Action::Replace, _) => match step.tasks_restarting.max(step.tasks_stopping) {
            0 => "deleted and made anew".to_owned(),
            count => format!("deleted and made anew: {}, then new ones start", tasks(0, "", count)),
        },
        (Action::Create, _) => new_tasks(step),
        (Action::Delete, _) => match step.tasks_stopping {
            0 => "deletes".to_owned(),
            _ => format!("{}   deletes", tasks(0, "", step.tasks_stopping)),
        },
        (_, Effect::JobRun) => "the job runs again".to_owned(),
        _ => match (tasks(step.tasks_restarting, &how(step), step.tasks_stopping), step.effect) {
            (text, Effect::Rolling) if text.is_empty() => "no task runs".to_owned(),
            (text, _) if text.is_empty() => "in place".to_owned(),
            (text, _) => text,
        },
    }
}

/// The same as a part of a sentence.
pub(in crate::plan) fn sentence(step: &Step) -> String {
    match (step.kind, step.action) {
        (Kind::Service, Action::Delete) => tasks(0, "", step.tasks_stopping),
        _ => of_step(step),
    }
}

/// The same in as few words as possible.
pub(super) fn short(step: &Step) -> String {
    let is_update = step.kind == Kind::Service && step.action == Action::Update && step.tasks_restarting > 0;
    if is_update { tasks(step.tasks_restarting, "", step.tasks_stopping) } else { of_step(step) }
}

fn new_tasks(step: &Step) -> String {
    let mode = step.changes.iter().find(|change| change.path.starts_with("/Mode/"));
    match mode.map(|change| (change.path.as_str(), change.after.as_ref().and_then(Value::as_u64))) {
        Some(("/Mode/Replicated/Replicas", Some(1))) => "1 task starts".to_owned(),
        Some(("/Mode/Replicated/Replicas", Some(count))) => format!("{count} tasks start"),
        Some(("/Mode/Global" | "/Mode/GlobalJob", _)) => "one task a node starts".to_owned(),
        Some(_) => "a job runs".to_owned(),
        None => String::new(),
    }
}

/// `3 tasks restart one by one, 2 stop`.
pub(in crate::plan) fn tasks(restarting: u64, how: &str, stopping: u64) -> String {
    let verb = |count: u64, verb: &str| format!("{verb}{}", if count == 1 { "s" } else { "" });
    match (restarting, stopping) {
        (0, 0) => String::new(),
        (0, stopping) => format!("{} {}", plural(stopping, "task"), verb(stopping, "stop")),
        (restarting, stopping) => {
            let restart = format!("{} {}{how}", plural(restarting, "task"), verb(restarting, "restart"));
            if stopping == 0 { restart } else { format!("{restart}, {stopping} {}", verb(stopping, "stop")) }
        }
    }
}

fn how(step: &Step) -> String {
    let Some(rollout) = &step.rollout else { return String::new() };
    let all = step.tasks_restarting;
    let pace = match rollout.parallelism {
        _ if all <= 1 => "",
        1 => " one by one",
        0 => " all at once",
        parallelism if parallelism >= all => " all at once",
        parallelism => return format!(" {parallelism} at a time, {}", order(&rollout.order)),
    };
    format!("{pace}, {}", order(&rollout.order))
}

fn order(order: &str) -> &str {
    match order {
        "start-first" => "new one first",
        "stop-first" => "old one stops first",
        other => other,
    }
}
