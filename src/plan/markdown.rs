//! Plans and drift as Markdown: for a comment on a merge request that is edited in place, or for a chat.

mod detail;
mod drift;
mod escape;
mod table;

use super::frame::{self, Frame};
use super::text::line::plural;
use super::view::{Document, Stack};
use super::{FirstContact, text::descope};
use crate::diag::{Severity, Shown};
pub(crate) use escape::{code, prose};

/// Bytes that a comment may have. GitHub takes 65,536 characters; a wrapper's own words need room, too.
const LIMIT: usize = 60_000;
/// Bytes of it for the table of costs, which comes first.
const FOR_TABLE: usize = 36_000;
/// Bytes for errors and warnings.
const FOR_DIAGNOSTICS: usize = 8_000;
/// Bytes for drift in a plan.
const FOR_DRIFT: usize = 8_000;

/// A plan as one comment: its title the cost, then a table, the rest folded, drift apart and last. The first line is an HTML
/// comment by which the next one finds it. Never more than 60,000 bytes.
pub fn plan_markdown(document: &Document, frame: &Frame<'_>) -> String {
    let mut page = head("plan", &document.headline(), document, frame);
    page.push_str(&table::costs(document, FOR_TABLE));
    page.push_str(&diagnostics(document, FOR_DIAGNOSTICS));
    for stack in &document.stacks {
        page.push_str(&first_contact(stack));
    }
    let drift = drift::section(document, FOR_DRIFT);
    let foot = foot(document, frame);
    let room = LIMIT.saturating_sub(page.len() + drift.len() + foot.len());
    page.push_str(&detail::stacks(document, room));
    page.push_str(&drift);
    page.push_str(&foot);
    page
}

/// A drift report as one comment or message: what was found, and what was applied. Never more than 60,000 bytes.
pub fn drift_markdown(document: &Document, frame: &Frame<'_>) -> String {
    let mut page = head("drift", &document.drift_headline(), document, frame);
    page.push_str(&drift::report(document, LIMIT - page.len() - FOR_DIAGNOSTICS - 1_000));
    page.push_str(&diagnostics(document, FOR_DIAGNOSTICS));
    page
}

fn head(what: &str, headline: &str, document: &Document, frame: &Frame<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(cluster) = &document.cluster {
        parts.push(format!("cluster {}", code(cluster)));
    }
    if document.nodes > 0 {
        parts.push(plural(document.nodes as u64, "node"));
    }
    parts.extend(frame::revision(document).map(|revision| code(&revision)));
    parts.extend(frame.made.map(prose));
    let line = if parts.is_empty() { String::new() } else { format!("{}\n\n", parts.join(" · ")) };
    format!("{}\n### skep {what}: {headline}\n\n{line}", frame.marker(what))
}

/// Errors and warnings; what is only worth knowing is in the detail.
fn diagnostics(document: &Document, most: usize) -> String {
    let mut all: Vec<(&Stack, &Shown)> =
        document.stacks.iter().flat_map(|stack| stack.diagnostics.iter().map(move |shown| (stack, shown))).collect();
    all.retain(|(_, shown)| shown.severity != Severity::Note);
    all.sort_by_key(|(_, shown)| shown.severity);
    let (mut out, mut left) = (String::new(), 0);
    for (stack, shown) in all {
        let item = diagnostic(stack, shown, document.stacks.len() > 1);
        if out.len() + item.len() > most {
            left += 1;
        } else {
            out.push_str(&item);
        }
    }
    if left > 0 {
        out.push_str(&format!("- … and {left} more, which `skep plan` shows\n"));
    }
    if out.is_empty() { out } else { format!("{out}\n") }
}

fn diagnostic(stack: &Stack, shown: &Shown, is_named: bool) -> String {
    let of = if is_named { format!("{}: ", code(&stack.stack)) } else { String::new() };
    let place = match (&shown.file, shown.line) {
        (Some(file), Some(line)) => format!(" · {}", code(&format!("{file}:{line}"))),
        (Some(file), None) => format!(" · {}", code(file)),
        _ => String::new(),
    };
    let mut item =
        format!("- **{}** {of}{} · {}{place}\n", shown.severity.as_str(), prose(&shown.message), code(&shown.code));
    for hint in &shown.hints {
        item.push_str(&format!("  - help: {}\n", prose(hint)));
    }
    item
}

fn first_contact(stack: &Stack) -> String {
    let what = match stack.first_contact {
        None => return String::new(),
        Some(FirstContact::Safe) => "adopting it restarts nothing",
        Some(FirstContact::Unsafe) => "adopting it would do the above",
    };
    format!("First contact: {} runs already and has no record; {what}.\n\n", code(&stack.stack))
}

fn foot(document: &Document, frame: &Frame<'_>) -> String {
    let unchanged = format!("{} unchanged", plural(document.summary.unchanged as u64, "object"));
    match frame.next.filter(|_| document.can_go_on()) {
        Some(next) => format!("{unchanged} · next: {}\n", code(next)),
        None => format!("{unchanged}\n"),
    }
}

/// An object: a service by its name, anything else by its kind, too.
fn object(stack: &str, kind: crate::model::Kind, name: &str) -> String {
    let name = code(descope(stack, name));
    if kind == crate::model::Kind::Service { name } else { format!("{kind} {name}") }
}
