//! Plans and drift as people read them, printed from the [`view`](super::view) that machines read.

pub(super) mod change;
mod compact;
pub(super) mod cost;
pub(super) mod drift;
pub(super) mod line;
pub(super) mod unified;

use std::collections::BTreeSet;

pub use drift::drift_text;
use line::pad;
pub(crate) use line::{Paint, plural, wrap};

use super::step::{Action, Downtime, Effect, FirstContact};
use super::view::{Change, Document, Stack, Step, stays};
use crate::diag::{Severity, Style};
use crate::model::Revision;

/// How much a text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Every field on a line.
    #[default]
    Fields,
    /// Every step on a line.
    Compact,
    /// Every field with its whole value before and after, and texts line by line.
    Diff,
}

/// How a text is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout<'a> {
    /// Whether it has colours.
    pub style: Style,
    /// How many columns there are; 80 where nobody knows.
    pub width: usize,
    /// The command that comes next, if there is something to do.
    pub next: Option<&'a str>,
    /// How much it tells.
    pub form: Form,
}

impl Default for Layout<'_> {
    fn default() -> Self {
        Self { style: Style::Plain, width: 80, next: None, form: Form::Fields }
    }
}

/// A plan as text.
pub fn plan_text(document: &Document, layout: &Layout<'_>) -> String {
    let mut page = Page::new(layout);
    for stack in &document.stacks {
        page.heading(document, stack);
        let mut wave = stack.steps.first().map_or(0, |step| step.wave);
        for step in &stack.steps {
            if step.wave != wave {
                wave = step.wave;
                page.line("  then, when these are healthy:");
            }
            page.step(&stack.stack, step);
        }
        page.drift(stack);
        if stack.unchanged > 0 {
            page.line(&format!("  = {} unchanged", stack.unchanged));
        }
        page.diagnostics(stack);
        page.first_contact(stack);
    }
    page.summary(document);
    page.out
}

struct Page<'a> {
    layout: &'a Layout<'a>,
    paint: Paint,
    out: String,
    /// The differences of texts that are shown already: many services may read one config.
    told: BTreeSet<String>,
}

impl<'a> Page<'a> {
    fn new(layout: &'a Layout<'a>) -> Self {
        Self { layout, paint: Paint(layout.style), out: String::new(), told: BTreeSet::new() }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn heading(&mut self, document: &Document, stack: &Stack) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let mut parts = vec![self.paint.bold(&stack.stack)];
        let revision = stack.revision.as_deref().or(document.revision.as_deref());
        let revision = revision.map(|revision| Revision::new(revision).shown());
        match (document.reference.as_deref(), revision.as_deref()) {
            (Some(reference), Some(revision)) => parts.push(format!("{reference}@{revision}")),
            (None, Some(text)) | (Some(text), None) => parts.push(text.to_owned()),
            (None, None) => {}
        }
        let nodes = plural(document.nodes as u64, "node");
        match &document.cluster {
            Some(cluster) => parts.push(format!("cluster {cluster} ({nodes})")),
            None if document.nodes > 0 => parts.push(nodes),
            None => {}
        }
        let text = parts.join("  ");
        self.line(&text);
    }

    fn step(&mut self, stack: &str, step: &Step) {
        let name = descope(stack, &step.name);
        let head = format!("  {} {} {name}", self.paint.action(symbol(step.action), step.action), step.kind);
        let cost = if self.layout.form == Form::Compact { cost::short(step) } else { cost::of_step(step) };
        self.told(&join(&head, &cost), step, Column::Origin);
    }

    /// What is said of a step or of drift, and its fields as the form has them.
    fn told(&mut self, head: &str, step: &Step, column: Column) {
        match self.layout.form {
            Form::Compact => self.one_line(head, step),
            Form::Fields => {
                self.line(head);
                self.changes(step, column);
            }
            Form::Diff => {
                self.line(head);
                self.unified(step, column);
            }
        }
    }

    fn drift(&mut self, stack: &Stack) {
        for drifted in &stack.drift {
            let is_written = stack.steps.iter().any(|step| step.kind == drifted.kind && step.name == drifted.name);
            if !is_written {
                self.drifted(&stack.stack, drifted);
                continue;
            }
            // The step shows what it overwrites, and not what it carries over.
            let mut carried = drifted.clone();
            carried.changes.retain(|change| change.effect == Effect::None);
            if !carried.changes.is_empty() {
                self.drifted(&stack.stack, &carried);
            }
        }
        self.extra(stack);
        self.ignored(stack);
    }

    /// The fields of a step, in columns. A label too long for its column has a line of its own.
    fn changes(&mut self, step: &Step, column: Column) {
        let shown: Vec<&Change> = step.changes.iter().filter(|change| change::is_shown(change, step)).collect();
        let rows: Vec<[String; 3]> = shown
            .iter()
            .map(|change| {
                // Without a record nobody can tell, and saying so in every line tells nothing.
                let is_told = matches!(column, Column::Origin) && change.origin != crate::plan::Origin::Unknown;
                let origin = if is_told { change::origin(change.origin) } else { "" };
                [change.label.clone(), change::effect(change, step.action), origin.to_owned()]
            })
            .collect();
        let widest = |index: usize| {
            rows.iter().filter_map(|row| row.get(index)).map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let label_width = widest(0).min(self.layout.width / 4);
        let (effect_width, origin_width) = (widest(1), widest(2));
        let taken = 6 + label_width + 2 + 2 + effect_width + 2 + origin_width;
        let room = self.layout.width.saturating_sub(taken).max(16);
        let value_width = shown.iter().map(|it| change::values(it, room).chars().count()).max().unwrap_or(0);
        for (change, [label, effect, origin]) in shown.iter().zip(&rows) {
            let mut head = pad(label, label_width);
            if label.chars().count() > label_width {
                self.line(&format!("      {label}"));
                head = pad("", label_width);
            }
            let values = pad(&change::values(change, room), value_width);
            let effect = match effect_width {
                0 => String::new(),
                width => format!("  {}", self.paint.effect(&pad(effect, width), change.effect)),
            };
            self.line(&format!("      {head}  {values}{effect}  {origin}"));
        }
    }

    fn diagnostics(&mut self, stack: &Stack) {
        for shown in &stack.diagnostics {
            let symbol = match shown.severity {
                Severity::Error => self.paint.error("×"),
                Severity::Warning => self.paint.warn("!"),
                Severity::Note => "·".to_owned(),
            };
            let place = match (&shown.file, shown.line) {
                (Some(file), Some(line)) => format!("  {file}:{line}"),
                (Some(file), None) => format!("  {file}"),
                _ => String::new(),
            };
            let tail = format!("{}{place}", shown.code);
            if self.layout.form == Form::Compact && shown.severity != Severity::Error {
                self.cut(&format!("  {symbol} "), 4, &shown.message);
                continue;
            }
            let mut lines = wrap(&shown.message, self.layout.width.saturating_sub(4));
            match lines.last_mut() {
                Some(last) if last.chars().count() + 3 + tail.chars().count() + 4 <= self.layout.width => {
                    last.push_str("   ");
                    last.push_str(&tail);
                }
                _ => lines.push(tail),
            }
            for (index, text) in lines.iter().enumerate() {
                self.line(&if index == 0 { format!("  {symbol} {text}") } else { format!("    {text}") });
            }
            if shown.severity == Severity::Error {
                for hint in &shown.hints {
                    for text in wrap(&format!("help: {hint}"), self.layout.width.saturating_sub(4)) {
                        self.line(&format!("    {text}"));
                    }
                }
            }
        }
    }

    fn first_contact(&mut self, stack: &Stack) {
        let text = match stack.first_contact {
            None => return,
            Some(FirstContact::Safe) => "runs already and has no record; adopting it restarts nothing".to_owned(),
            Some(FirstContact::Unsafe) => "runs already and has no record; adopting it would do the above".to_owned(),
        };
        for line in wrap(&format!("First contact: {} {text}.", stack.stack), self.layout.width.saturating_sub(2)) {
            self.line(&format!("  {line}"));
        }
    }

    fn summary(&mut self, document: &Document) {
        let sums = &document.summary;
        let counts = [
            (sums.create, "to create"),
            (sums.update, "to update"),
            (sums.replace, "to replace"),
            (sums.delete, "to delete"),
        ];
        let mut parts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let has_steps = !parts.is_empty();
        let is_blocked = document.stacks.iter().any(|stack| stack.blocked);
        if !has_steps && !is_blocked {
            let has_drift = document.stacks.iter().any(|stack| stack.drift.iter().any(|it| !stays(it)));
            parts.push(if has_drift { "nothing to write" } else { "nothing to do" }.to_owned());
        }
        parts.push(format!("{} unchanged", sums.unchanged));
        let tasks = cost::tasks(sums.tasks_restarting, "", sums.tasks_stopping);
        let tasks = if tasks.is_empty() { tasks } else { format!(" {tasks}.") };
        for (index, text) in wrap(&format!("Plan: {}.{tasks}", parts.join(", ")), self.layout.width).iter().enumerate()
        {
            self.line(&if index == 0 { text.clone() } else { format!("  {text}") });
        }
        if is_blocked {
            let text = self.paint.error("Blocked: nothing is written until the errors above are gone.");
            self.line(&text);
        } else if has_steps {
            let next = self.layout.next.map(|next| format!("   Next: {next}")).unwrap_or_default();
            self.line(&format!("Downtime: {}.{next}", downtime(document)));
        }
    }
}

/// The sign of what is done.
pub(super) fn symbol(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Replace => "±",
        Action::Delete => "-",
    }
}

/// A name without the stack's prefix.
pub(super) fn descope<'a>(stack: &str, name: &'a str) -> &'a str {
    name.strip_prefix(stack).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name)
}

/// Whether the last column is there.
#[derive(Clone, Copy)]
enum Column {
    None,
    Origin,
}

/// The head of a step and what it costs.
fn join(head: &str, rest: &str) -> String {
    if rest.is_empty() { head.to_owned() } else { format!("{head}   {rest}") }
}

fn downtime(document: &Document) -> String {
    let mut parts = Vec::new();
    for stack in &document.stacks {
        for step in stack.steps.iter().filter(|step| step.downtime != Downtime::None) {
            let word = if step.downtime == Downtime::Certain { "certain" } else { "possible" };
            let part = format!("{} {word}", descope(&stack.stack, &step.name));
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
