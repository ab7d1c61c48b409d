//! What is not as it was applied, in a table: stack, object, field, found, applied, since.

use super::escape::{code, prose};
use super::object;
use crate::plan::text::line::{fit, moment, tidy};
use crate::plan::text::{change, drift};
use crate::plan::view::{Change, Document, Stack, Step, Task};
use crate::plan::{Action, words};

/// Characters of a value.
const WIDTH: usize = 80;
/// Rows that stand open in a report; the rest is folded.
const OPEN: usize = 30;
const HEAD: &str = "| stack | object | field | found | applied | since |\n|:--|:--|:--|:--|:--|:--|\n";

/// The drift in a plan, folded: apart from what is planned.
pub(super) fn section(document: &Document, most: usize) -> String {
    let rows: Vec<String> = document
        .stacks
        .iter()
        .flat_map(|stack| stack.drift.iter().flat_map(move |step| self::rows(stack, step)))
        .collect();
    let extra = extra(document);
    if rows.is_empty() && extra.is_empty() {
        return String::new();
    }
    let objects: usize = document.stacks.iter().map(|stack| stack.drift.len()).sum();
    let is = match objects {
        0 => "nothing differs from what was applied".to_owned(),
        1 => "1 object is not as it was applied".to_owned(),
        objects => format!("{objects} objects are not as they were applied"),
    };
    let table = if rows.is_empty() { String::new() } else { format!("{HEAD}{}\n", bounded(&rows, most)) };
    format!("<details><summary>Drift: {is}</summary>\n\n{table}{extra}</details>\n\n")
}

/// The whole report.
pub(super) fn report(document: &Document, most: usize) -> String {
    let rows: Vec<String> = document
        .stacks
        .iter()
        .flat_map(|stack| stack.steps.iter().flat_map(move |step| self::rows(stack, step)))
        .collect();
    let extra = format!("{}{}", extra(document), besides(document));
    if rows.is_empty() && extra.is_empty() {
        return "Everything is as it was applied.\n\n".to_owned();
    }
    let mut out = String::new();
    if !rows.is_empty() {
        let (open, folded) = rows.split_at(rows.len().min(OPEN));
        out.push_str(&format!("{HEAD}{}\n", bounded(open, most / 2)));
        if !folded.is_empty() {
            let inside = bounded(folded, most / 2 - 200);
            out.push_str(&format!(
                "<details><summary>{} more</summary>\n\n{HEAD}{inside}\n</details>\n\n",
                folded.len()
            ));
        }
    }
    out.push_str(&extra);
    out
}

/// As many rows as fit, and how many do not.
fn bounded(rows: &[String], most: usize) -> String {
    let (mut out, mut left) = (String::new(), 0);
    for row in rows {
        if out.len() + row.len() > most {
            left += 1;
        } else {
            out.push_str(row);
        }
    }
    if left > 0 {
        out.push_str(&format!("| … | **{left} more** | a comment holds no more: `skep drift` shows them | | | |\n"));
    }
    out
}

fn rows(stack: &Stack, step: &Step) -> Vec<String> {
    let name = object(&stack.stack, step.kind, &fit(&step.name, 160));
    let since = step.updated.as_deref().map(|updated| prose(&moment(updated))).unwrap_or_default();
    let row = |field: &str, found: &str, applied: &str| {
        format!("| {} | {name} | {field} | {found} | {applied} | {since} |\n", code(&fit(&stack.stack, 80)))
    };
    if step.action == Action::Create {
        return vec![row("", "**missing**", "")];
    }
    let shown = step.changes.iter().filter(|it| change::is_shown(it, step));
    let of = |it: &Change| match (&it.detail, it.masked && it.diff.is_none()) {
        (Some(detail), _) => row(&code(&it.label), &code(detail), ""),
        (None, true) => row(&code(&it.label), "changed (hidden)", ""),
        (None, false) => {
            let value = |side: &Option<serde_json::Value>| match side {
                Some(value) => code(&fit(&tidy(&words::value(&it.path, value)), WIDTH)),
                None => "(none)".to_owned(),
            };
            row(&code(&fit(&it.label, WIDTH)), &value(&it.before), &value(&it.after))
        }
    };
    shown.map(of).collect()
}

/// Tasks in trouble, what is ignored, and nodes that take no tasks: a line each, and no more than fit.
fn besides(document: &Document) -> String {
    let tasks = document.stacks.iter().flat_map(|stack| {
        let of = |task: &Task| format!("{}: {}", drift::trouble(&stack.stack, task), drift::details(task).join("; "));
        stack.tasks.iter().map(move |task| format!("{}: task {}", stack.stack, of(task)))
    });
    let ignored = document.stacks.iter().flat_map(|stack| {
        let labels = |step: &Step| step.changes.iter().map(|it| it.label.clone()).collect::<Vec<_>>().join(", ");
        stack.ignored.iter().map(move |step| format!("{} {} ignored: {}", step.kind, step.name, labels(step)))
    });
    let nodes = document.unavailable_nodes.iter().map(drift::unavailable);
    let lines: Vec<String> =
        tasks.chain(ignored).chain(nodes).map(|line| format!("- {}\n", prose(&fit(&line, 300)))).collect();
    let mut out: String = lines.iter().take(20).map(String::as_str).collect();
    if lines.len() > 20 {
        out.push_str(&format!("- and {} more: `skep drift` shows them\n", lines.len() - 20));
    }
    if out.is_empty() { out } else { format!("{out}\n") }
}

fn extra(document: &Document) -> String {
    let objects: Vec<String> = document
        .stacks
        .iter()
        .flat_map(|stack| stack.extra.iter().map(move |it| object(&stack.stack, it.kind, &it.name)))
        .collect();
    match objects.as_slice() {
        [] => String::new(),
        objects => {
            let named = objects.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = objects.len().saturating_sub(20);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("Extra, labelled as a stack's and never applied; nothing deletes it: {named}{more}.\n\n")
        }
    }
}
