//! Drift reports as people read them.

use super::line::{fit, moment, plural, tidy, wrap};
use super::{Column, Layout, Page, descope, join};
use crate::diag::Severity;
use crate::plan::report::Problem;
use crate::plan::view::{Document, Node, Stack, Step, Task};
use crate::plan::{Action, Basis};

/// A drift report as text: what differs of each stack, one line for a stack of which nothing does, and the sums.
pub fn drift_text(document: &Document, layout: &Layout<'_>) -> String {
    let mut page = Page::new(layout);
    let mut was_quiet = false;
    for stack in &document.stacks {
        if is_quiet(stack) {
            if !was_quiet && !page.out.is_empty() {
                page.line("");
            }
            page.quiet(stack);
        } else {
            page.heading(document, stack);
            for step in &stack.steps {
                page.drifted(&stack.stack, step);
            }
            page.extra(stack);
            for task in &stack.tasks {
                page.task(&stack.stack, task);
            }
            page.ignored(stack);
            if stack.unchanged > 0 {
                page.line(&format!("  = {} unchanged", stack.unchanged));
            }
            page.diagnostics(stack);
        }
        was_quiet = is_quiet(stack);
    }
    page.nodes(&document.unavailable_nodes);
    page.drift_summary(document);
    page.out
}

/// Whether there is nothing to say of a stack.
fn is_quiet(stack: &Stack) -> bool {
    let is_told = stack.diagnostics.iter().any(|shown| shown.severity != Severity::Note);
    stack.basis.is_some() && stack.steps.is_empty() && stack.extra.is_empty() && stack.tasks.is_empty() && !is_told
}

impl Page<'_> {
    fn quiet(&mut self, stack: &Stack) {
        let mut parts = vec![format!("{} unchanged", stack.unchanged)];
        if !stack.ignored.is_empty() {
            let fields: usize = stack.ignored.iter().map(|step| step.changes.len()).sum();
            parts.push(format!("{} ignored", plural(fields as u64, "field")));
        }
        if stack.basis == Some(Basis::Files) {
            parts.push("no record: compared with its files".to_owned());
        }
        let name = self.paint.bold(&stack.stack);
        self.line(&format!("{name}  no drift ({})", parts.join(", ")));
    }

    pub(super) fn drifted(&mut self, stack: &str, step: &Step) {
        let name = descope(stack, &step.name);
        let what = match (step.action, &step.updated) {
            (Action::Create, _) => "drift: it was applied and is gone".to_owned(),
            (_, Some(updated)) => format!("drift, changed {}", moment(updated)),
            (_, None) => "drift".to_owned(),
        };
        let head = format!("  {} {} {name}", self.paint.warn("≠"), step.kind);
        self.told(&join(&head, &what), step, Column::None);
    }

    pub(super) fn extra(&mut self, stack: &Stack) {
        for object in &stack.extra {
            let head = format!("  ? {} {}", object.kind, descope(&stack.stack, &object.name));
            self.line(&join(&head, "extra: labelled as the stack's, never applied"));
        }
    }

    /// What is left alone is worth one line a service.
    pub(super) fn ignored(&mut self, stack: &Stack) {
        for step in &stack.ignored {
            let labels: Vec<&str> = step.changes.iter().map(|change| change.label.as_str()).collect();
            let head = format!("  · {} {}", step.kind, descope(&stack.stack, &step.name));
            let room = self.layout.width.saturating_sub(head.chars().count() + 3).max(16);
            self.line(&join(&head, &fit(&format!("ignored: {}", labels.join(", ")), room)));
        }
    }

    fn task(&mut self, stack: &str, task: &Task) {
        let mark = self.paint.error("!");
        self.line(&format!("  {mark} task {}", trouble(stack, task)));
        for detail in details(task) {
            for text in wrap(&detail, self.layout.width.saturating_sub(6)) {
                self.line(&format!("      {text}"));
            }
        }
    }

    fn nodes(&mut self, nodes: &[Node]) {
        if !nodes.is_empty() {
            self.line("");
        }
        for node in nodes {
            for (index, line) in wrap(&unavailable(node), self.layout.width.saturating_sub(4)).iter().enumerate() {
                let head = if index == 0 { format!("  {} ", self.paint.warn("!")) } else { "    ".to_owned() };
                self.line(&format!("{head}{line}"));
            }
        }
    }

    fn drift_summary(&mut self, document: &Document) {
        let sums = &document.summary;
        let mut parts = vec![
            format!("{} changed", sums.update + sums.replace),
            format!("{} missing", sums.create),
            format!("{} extra", sums.extra),
        ];
        if sums.troubled_tasks > 0 {
            parts.push(format!("{} in trouble", plural(sums.troubled_tasks as u64, "task")));
        }
        let stacks = document.stacks.iter().filter(|stack| !is_quiet(stack)).count();
        let of = match document.stacks.len() {
            0 | 1 => String::new(),
            all => format!(" In {stacks} of {all} stacks."),
        };
        if document.stacks.len() > 1 {
            self.line("");
        }
        self.line(&format!("Drift: {}.{of}", parts.join(", ")));
    }
}

/// What is the matter with a task, in one line.
pub(in crate::plan) fn trouble(stack: &str, task: &Task) -> String {
    let name = descope(stack, &task.service);
    let slot = task.slot.map(|slot| format!(".{slot}")).unwrap_or_default();
    let place = task.node.as_deref().map(|node| format!(" on {node}")).unwrap_or_default();
    let what = match task.problem {
        Problem::Failing if task.failures > 1 => format!("failing, {} times", task.failures),
        Problem::Failing => "failed".to_owned(),
        Problem::Unplaced => "no node takes it".to_owned(),
        Problem::OtherImage => "runs another image".to_owned(),
    };
    let since = if task.since.is_empty() { String::new() } else { format!(", since {}", moment(&task.since)) };
    format!("{name}{slot}{place}   {what}{since}")
}

/// What there is to know of a task beyond that.
pub(in crate::plan) fn details(task: &Task) -> Vec<String> {
    let update = task.update.as_deref().map(|state| format!("its update is {}", state.replace('_', " ")));
    let images = task.found.as_deref().zip(task.wanted.as_deref());
    let images = images.map(|(found, wanted)| format!("{} → {}", tidy(found), tidy(wanted)));
    let error = task.error.as_deref().filter(|_| task.problem != Problem::OtherImage).map(tidy);
    [images, error, update].into_iter().flatten().collect()
}

/// Why a node takes no tasks, in one line.
pub(in crate::plan) fn unavailable(node: &Node) -> String {
    let availability = if node.availability == "active" { String::new() } else { format!(", {}", node.availability) };
    let name = if node.name.is_empty() { &node.id } else { &node.name };
    let message = if node.message.is_empty() { String::new() } else { format!(" ({})", tidy(&node.message)) };
    let since = if node.updated.is_empty() { String::new() } else { format!(", written {}", moment(&node.updated)) };
    format!("node {name} is {}{availability}{message}{since}", node.state)
}
