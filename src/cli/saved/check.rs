//! Whether what would happen now is what was saved, or a part of it.

use super::{Found, Object, Saved, Stack, version};
use crate::cli::print;
use crate::model::Kind;
use crate::plan::Action;
use crate::plan::view::{Change, Step};

/// Stacks of which something was to be written and that are no longer declared.
pub fn undeclared(saved: &Saved, now: &[Stack]) -> Vec<String> {
    let is_gone = |stack: &&Stack| stack.wanted.is_some() && !now.iter().any(|it| it.stack == stack.stack);
    saved.stacks.iter().filter(is_gone).map(|stack| format!("stack {} is no longer declared", stack.stack)).collect()
}

/// What keeps these steps of a stack, made on what it is `now`, from being the saved ones or a part of them. What moved and
/// needs no step is as it should be, and no conflict.
pub fn conflicts(saved: &Saved, now: &Stack, steps: &[Step]) -> Vec<String> {
    if now.wanted.is_none() {
        return Vec::new();
    }
    let Some(then) = saved.stacks.iter().find(|stack| stack.stack == now.stack) else {
        return vec![format!("stack {} is declared now, and is not in the plan", now.stack)];
    };
    let mut conflicts: Vec<String> = now.objects.iter().filter_map(|object| moved(then, object)).collect();
    if then.wanted.is_some() && then.applied != now.applied {
        conflicts.push(record(then, now));
    }
    if then.wanted.is_some() && then.wanted != now.wanted {
        conflicts.push(files(saved, now));
        return conflicts;
    }
    // The steps of what moved differ for that reason, which is told.
    let stays = |step: &&Step| !now.objects.iter().any(|it| it.is(step.kind, &step.name) && moved(then, it).is_some());
    let planned = saved.plan.stacks.iter().find(|stack| stack.stack == now.stack).map_or(&[][..], |it| &it.steps);
    conflicts.extend(steps.iter().filter(stays).filter_map(|step| grown(planned, step)));
    conflicts
}

impl Object {
    fn is(&self, kind: Kind, name: &str) -> bool {
        self.kind == kind && self.name == name
    }
}

/// How an object that would be written is not the one that was planned.
fn moved(then: &Stack, now: &Object) -> Option<String> {
    let saved = then.objects.iter().find(|object| object.is(now.kind, &now.name))?;
    let object = format!("{} {}", now.kind, now.name);
    match (&saved.found, &now.found) {
        (None, Some(now)) => Some(format!("{object} is there now, since {}, and was not", moment(&now.updated))),
        (Some(_), None) => Some(format!("{object} is gone")),
        (Some(saved), Some(now)) if saved.id != now.id => {
            Some(format!("{object} is another one now, made at {}", moment(&now.updated)))
        }
        (Some(Found { version, .. }), Some(now)) if *version != now.version => Some(format!(
            "{object} moved: it had version {version}, now {}, last written {}",
            now.version,
            moment(&now.updated)
        )),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

fn record(then: &Stack, now: &Stack) -> String {
    match (&then.applied, &now.applied) {
        (_, Some(applied)) => {
            format!("stack {} was applied at {}, from {}", now.stack, print::moment(applied.at), applied.revision)
        }
        (_, None) => format!("stack {} has no record of what was applied any more", now.stack),
    }
}

fn files(saved: &Saved, now: &Stack) -> String {
    let mut text = format!("the files of stack {}, or variables in them, say something else now", now.stack);
    if saved.skep != version() {
        text.push_str(&format!("; or skep {} reads them in another way than {}", version(), saved.skep));
    }
    text
}

/// What a step would do that no planned one does. An object may be written in two waves.
fn grown(planned: &[Step], step: &Step) -> Option<String> {
    let of_object = planned.iter().filter(|then| then.kind == step.kind && then.name == step.name);
    let mut grown = of_object.map(|then| beyond(then, step)).peekable();
    if grown.peek().is_none() {
        return Some(format!("{} of {} {} is not in the plan", noun(step.action), step.kind, step.name));
    }
    grown.reduce(Option::and).flatten()
}

/// What a step would do that a planned one does not.
fn beyond(then: &Step, step: &Step) -> Option<String> {
    let what = format!("{} of {} {}", noun(step.action), step.kind, step.name);
    if then.action != step.action {
        return Some(format!("{what} is not in the plan, which has {} of it", noun(then.action)));
    }
    let new: Vec<&str> = step
        .changes
        .iter()
        .filter(|change| !then.changes.iter().any(|planned| is_same(planned, change)))
        .map(|change| change.label.as_str())
        .collect();
    if !new.is_empty() {
        return Some(format!("{what} would change more than the plan says: {}", new.join(", ")));
    }
    if step.effect > then.effect || step.downtime > then.downtime {
        return Some(format!("{what} would cost more than the plan says"));
    }
    None
}

/// Whether two differences are one. Whose they are is told anew, and writes nothing.
fn is_same(planned: &Change, change: &Change) -> bool {
    planned.path == change.path
        && planned.before == change.before
        && planned.after == change.after
        && planned.detail == change.detail
        && planned.masked == change.masked
}

fn noun(action: Action) -> &'static str {
    match action {
        Action::Create => "the creation",
        Action::Update => "the update",
        Action::Replace => "the replacement",
        Action::Delete => "the deletion",
    }
}

/// The engine's time, as people read it.
fn moment(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), print::moment)
}

#[cfg(test)]
mod tests;
