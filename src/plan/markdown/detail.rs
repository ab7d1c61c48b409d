//! The detail of a plan, folded: every field of every step, as far as there is room.

use std::collections::BTreeSet;

use super::escape::{block, code, entities, prose};
use super::object;
use crate::diag::Severity;
use crate::plan::text::unified::{Row, rows};
use crate::plan::text::{change, cost, line::fit, symbol};
use crate::plan::view::{Document, Stack, Step};
use crate::plan::{Action, Origin};

/// Characters of one value or line that are shown.
const WIDTH: usize = 400;
/// Bytes for saying what is left out.
const FOR_NOTE: usize = 300;

/// The detail of every stack in at most `room` bytes.
pub(super) fn stacks(document: &Document, room: usize) -> String {
    let (mut out, mut left) = (String::new(), 0);
    for stack in &document.stacks {
        let mut told = BTreeSet::new();
        let (open, close) = (opening(stack), "</details>\n\n");
        let mut inside = String::new();
        let mut wave = stack.steps.first().map_or(0, |step| step.wave);
        let steps = stack.steps.iter().map(|step| {
            let then = if step.wave == wave { "" } else { "Then, when these are healthy:\n\n" };
            wave = step.wave;
            format!("{then}{}", self::step(stack, step, &mut told))
        });
        let blocks = steps.chain([notes(stack)]);
        for block in blocks.filter(|block| !block.is_empty()) {
            if out.len() + open.len() + inside.len() + block.len() + close.len() + FOR_NOTE > room {
                left += 1;
            } else {
                inside.push_str(&block);
            }
        }
        if !inside.is_empty() {
            out.push_str(&format!("{open}{inside}{close}"));
        }
    }
    if left > 0 {
        let objects = if left == 1 { "1 object is" } else { &format!("{left} objects are") };
        out.push_str(&format!(
            "The details of {objects} left out here, because a comment holds no more: `skep plan --diff` shows them.\n\n"
        ));
    }
    out
}

fn opening(stack: &Stack) -> String {
    let count = |action: Action| stack.steps.iter().filter(|step| step.action == action).count();
    let counts = [
        (count(Action::Create), "to create"),
        (count(Action::Update), "to update"),
        (count(Action::Replace), "to replace"),
        (count(Action::Delete), "to delete"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let counts: Vec<String> = counts.chain([format!("{} unchanged", stack.unchanged)]).collect();
    format!("<details><summary>{}: {}</summary>\n\n", entities(&stack.stack), counts.join(", "))
}

fn step(stack: &Stack, step: &Step, told: &mut BTreeSet<String>) -> String {
    let cost = cost::sentence(step);
    let cost = if cost.is_empty() { cost } else { format!(" · {cost}") };
    let head = format!("`{}` {}{cost}\n\n", symbol(step.action), object(&stack.stack, step.kind, &step.name));
    let mut lines = String::new();
    for row in rows(step, told) {
        let line = match row {
            Row::Field(it, what) => {
                let origin = if it.origin == Origin::Unknown { "" } else { change::origin(it.origin) };
                let effect = change::effect(it, step.action);
                let parts = [it.label.as_str(), &what, &effect, origin];
                format!("  {}", parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("   "))
            }
            Row::Value(sign, None, text) => format!("{sign} {text}"),
            Row::Value(sign, Some(label), text) => format!("{sign} {label}: {text}"),
            Row::Line(line) => line,
        };
        lines.push_str(&fit(&line, WIDTH));
        lines.push('\n');
    }
    if lines.is_empty() { head } else { format!("{head}{}\n", block("diff", &lines)) }
}

/// What is only worth knowing.
fn notes(stack: &Stack) -> String {
    let notes = stack.diagnostics.iter().filter(|shown| shown.severity == Severity::Note);
    let notes: String = notes.map(|shown| format!("- {} · {}\n", prose(&shown.message), code(&shown.code))).collect();
    if notes.is_empty() { notes } else { format!("{notes}\n") }
}
