//! Fields with their whole values before and after, and texts line by line.

use std::collections::BTreeSet;

use serde_json::Value;

use super::line::{fold, legible, source};
use super::{Column, Page, change};
use crate::plan::view::{Change, Step};
use crate::plan::{Action, Origin, words};

/// Lines that one value may take.
const MOST: usize = 6;

/// A line of an account of a step, field by field.
pub(in crate::plan) enum Row<'s> {
    /// A field that differs, and what both values cannot say.
    Field(&'s Change, String),
    /// A value that goes or comes; of a new object, of a field.
    Value(char, Option<&'s str>, String),
    /// A line of a text, with its sign.
    Line(String),
}

/// Every field of a step. Texts that were told already are not told again: many services may read one config.
pub(in crate::plan) fn rows<'s>(step: &'s Step, told: &mut BTreeSet<String>) -> Vec<Row<'s>> {
    let mut rows = Vec::new();
    for change in &step.changes {
        if step.action == Action::Create {
            if !change::is_implied(change, step) {
                rows.push(Row::Value('+', Some(&change.label), value(change, &change.after)));
            }
        } else if change::is_shown(change, step) {
            field(change, told, &mut rows);
        }
    }
    rows
}

fn field<'s>(change: &'s Change, told: &mut BTreeSet<String>, rows: &mut Vec<Row<'s>>) {
    let diff = change.diff.as_deref();
    let is_told =
        diff.is_some() && (change.detail.is_none() || told.insert(format!("{:?} {:?}", change.before, change.after)));
    let is_hidden = change.masked && change.before.is_some() && change.after.is_some() && diff.is_none();
    let what = match &change.detail {
        Some(detail) if diff.is_some() && !is_told => format!("{detail}, as shown above"),
        Some(detail) => detail.clone(),
        None if is_hidden => "changed (hidden)".to_owned(),
        None => String::new(),
    };
    rows.push(Row::Field(change, what));
    if let Some(diff) = diff.filter(|_| is_told) {
        rows.extend(diff.lines().map(|line| Row::Line(source(line))));
    } else if change.detail.is_none() && !is_hidden && diff.is_none() {
        for (sign, side) in [('-', &change.before), ('+', &change.after)] {
            if side.is_some() {
                rows.push(Row::Value(sign, None, value(change, side)));
            }
        }
    }
}

/// One side of a change, whole and on one line.
fn value(change: &Change, side: &Option<Value>) -> String {
    side.as_ref().map_or_else(|| "(none)".to_owned(), |value| legible(&words::value(&change.path, value)))
}

impl Page<'_> {
    /// The fields of a step, each with lines that go and lines that come.
    pub(super) fn unified(&mut self, step: &Step, column: Column) {
        let mut told = std::mem::take(&mut self.told);
        for row in rows(step, &mut told) {
            match row {
                Row::Field(change, what) => self.field(change, step, &what, column),
                Row::Value(sign, None, text) => self.folded(sign, &format!("{sign} {text}")),
                Row::Value(sign, Some(label), text) => self.folded(sign, &format!("{sign} {label}: {text}")),
                Row::Line(line) => self.folded(line.chars().next().unwrap_or(' '), &line),
            }
        }
        self.told = told;
    }

    fn field(&mut self, change: &Change, step: &Step, what: &str, column: Column) {
        let is_told = matches!(column, Column::Origin) && change.origin != Origin::Unknown;
        let effect = self.paint.effect(&change::effect(change, step.action), change.effect);
        let origin = if is_told { change::origin(change.origin) } else { "" };
        let parts = [change.label.as_str(), what, &effect, origin];
        let head = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("   ");
        self.line(&format!("      {head}"));
    }

    /// A line in the colour of its sign, folded where it is wider than the page.
    fn folded(&mut self, sign: char, text: &str) {
        let room = self.layout.width.saturating_sub(10);
        let begin: String = text.chars().take(room + 2).collect();
        let rest: String = text.chars().skip(room + 2).collect();
        let rest = if rest.is_empty() { Vec::new() } else { fold(&rest, room, MOST - 1) };
        for line in std::iter::once(begin).chain(rest.into_iter().map(|line| format!("  {line}"))) {
            let painted = self.paint.difference(sign, line.trim_end());
            self.line(&format!("        {painted}"));
        }
    }
}
