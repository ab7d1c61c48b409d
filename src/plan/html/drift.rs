//! The page of a drift report.

use std::collections::BTreeSet;

use super::card::{self, Head, Sides};
use super::{anchor, escape, links, said, sums};
use crate::plan::text::line::{moment, plural};
use crate::plan::text::{cost, descope, drift};
use crate::plan::view::{Document, Drifts, Object, Stack, Step, Task};
use crate::plan::{Action, Effect};

const SIDES: Sides = Sides { before: "Found", after: "Applied", effect: "Reverting", origin: false };

pub(super) fn body(document: &Document) -> String {
    let drifts = Drifts::of(document);
    let mut out = sums(&[
        (drifts.changed.to_string(), "changed by somebody", "warn"),
        (drifts.missing.to_string(), "missing", "bad"),
        (drifts.extra.to_string(), "extra, never applied", "calm"),
        (drifts.tasks.to_string(), "tasks in trouble", "bad"),
        (document.summary.unchanged.to_string(), "as applied", "good"),
    ]);
    let has_drift = |stack: &&Stack| {
        !stack.steps.is_empty()
            || !stack.extra.is_empty()
            || !stack.tasks.is_empty()
            || !stack.ignored.is_empty()
            || !stack.diagnostics.is_empty()
    };
    let (drifted, quiet): (Vec<&Stack>, Vec<&Stack>) = document.stacks.iter().partition(has_drift);
    out.push_str(&links(&drifted.iter().map(|stack| stack.stack.as_str()).collect::<Vec<_>>()));
    drifted.iter().for_each(|stack| out.push_str(&self::stack(stack)));
    out.push_str(&self::quiet(&quiet, "as applied"));
    let nodes: Vec<String> = document.unavailable_nodes.iter().map(drift::unavailable).collect();
    if !nodes.is_empty() {
        let list = list(&nodes);
        out.push_str(&format!(
            "<section aria-labelledby=\"nodes\">\n<h2 id=\"nodes\">Nodes that take no tasks</h2>\n{list}</section>\n"
        ));
    }
    out
}

fn stack(stack: &Stack) -> String {
    let mut told = BTreeSet::new();
    let mut out = format!(
        "<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1} <small>{2} as applied</small></h2>\n",
        anchor(&stack.stack),
        escape(&stack.stack),
        plural(stack.unchanged as u64, "object")
    );
    out.extend(stack.steps.iter().map(|step| object(stack, step, &SIDES, &mut told)));
    out.push_str(&extra(stack));
    out.extend(stack.tasks.iter().map(|task| self::task(stack, task)));
    let labels = |step: &Step| step.changes.iter().map(|it| it.label.clone()).collect::<Vec<_>>().join(", ");
    let ignored = stack
        .ignored
        .iter()
        .map(|step| format!("{} {} ignored: {}", step.kind, descope(&stack.stack, &step.name), labels(step)));
    out.push_str(&list(&ignored.collect::<Vec<_>>()));
    out.push_str(&said::list(&stack.diagnostics));
    out.push_str("</section>\n");
    out
}

/// A task that is not what its service asks for.
fn task(stack: &Stack, task: &Task) -> String {
    let details: String = drift::details(task).iter().map(|detail| format!("<p>{}</p>", escape(detail))).collect();
    format!(
        "<article class=\"card\"><header><h3><span class=\"kind\">task</span> {} <span class=\"badge bad\">in trouble</span></h3>\
         {details}</header></article>\n",
        escape(&drift::trouble(&stack.stack, task))
    )
}

/// Lines of text, or nothing.
fn list(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let items: String = lines.iter().map(|line| format!("<li>{}</li>", escape(line))).collect();
    format!("<ul class=\"quiet\">{items}</ul>\n")
}

/// An object that is not as it was applied.
pub(super) fn object(stack: &Stack, step: &Step, sides: &Sides, told: &mut BTreeSet<String>) -> String {
    let missing = step.action == Action::Create;
    let text = match (missing, &step.updated) {
        (true, _) => "It was applied and is gone.".to_owned(),
        (false, updated) => {
            let since = updated.as_deref().map(|updated| {
                format!("Last written <time datetime=\"{}\">{}</time>. ", escape(updated), escape(&moment(updated)))
            });
            format!("{}{}", since.unwrap_or_default(), escape(&back(step)))
        }
    };
    let badge = if missing { ("missing", "bad") } else { ("changed", "warn") };
    let head = Head { stack: &stack.stack, kind: step.kind, name: &step.name, badge, text };
    card::changed(&head, step, sides, told)
}

/// What bringing it back would cost.
fn back(step: &Step) -> String {
    let cost = cost::of_step(step);
    match (step.effect, cost.as_str()) {
        (Effect::None | Effect::InPlace, "in place" | "") => "Reverting it restarts nothing.".to_owned(),
        (_, "") => String::new(),
        (_, cost) => format!("Reverting it: {cost}."),
    }
}

/// What carries the stack's label and was never applied.
pub(super) fn extra(stack: &Stack) -> String {
    let card = |object: &Object| {
        format!(
            "<article class=\"card\"><header><h3><span class=\"kind\">{}</span> {} <span class=\"badge calm\">extra</span></h3>\
             <p>Labelled as the stack's and never applied. Nothing deletes it.</p></header></article>\n",
            object.kind,
            escape(descope(&stack.stack, &object.name))
        )
    };
    stack.extra.iter().map(card).collect()
}

/// Stacks of which there is nothing to tell.
pub(super) fn quiet(stacks: &[&Stack], what: &str) -> String {
    if stacks.is_empty() {
        return String::new();
    }
    let items: String = stacks
        .iter()
        .map(|stack| format!("<li>{} ({})</li>", escape(&stack.stack), plural(stack.unchanged as u64, "object")))
        .collect();
    let head = plural(stacks.len() as u64, "stack");
    format!(
        "<section aria-labelledby=\"quiet\">\n<h2 id=\"quiet\">{head} {what}</h2>\n<ul class=\"quiet\">{items}</ul>\n</section>\n"
    )
}
