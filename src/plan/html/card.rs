//! An object with its fields: a card with a table.

use std::collections::BTreeSet;

use serde_json::Value;

use super::escape;
use crate::model::Kind;
use crate::plan::text::descope;
use crate::plan::text::{change, line::fit, line::source};
use crate::plan::view::{Change, Step};
use crate::plan::{Action, Origin, words};

/// Characters of a value that are shown at once; the rest is folded.
const WIDTH: usize = 160;

/// How both sides of a change are called.
pub(super) struct Sides {
    pub before: &'static str,
    pub after: &'static str,
    pub effect: &'static str,
    /// Whether whose a change is is told.
    pub origin: bool,
}

/// What a card says at its head.
pub(super) struct Head<'a> {
    pub stack: &'a str,
    pub kind: Kind,
    pub name: &'a str,
    /// A word with its tone.
    pub badge: (&'a str, &'a str),
    /// HTML.
    pub text: String,
}

impl Head<'_> {
    fn html(&self) -> String {
        let (word, tone) = self.badge;
        let text = if self.text.is_empty() { String::new() } else { format!("<p>{}</p>", self.text) };
        format!(
            "<header><h3><span class=\"kind\">{}</span> {} <span class=\"badge {tone}\">{}</span></h3>{text}</header>\n",
            self.kind,
            escape(descope(self.stack, self.name)),
            escape(word)
        )
    }
}

/// An object that differs, field by field.
pub(super) fn changed(head: &Head<'_>, step: &Step, sides: &Sides, told: &mut BTreeSet<String>) -> String {
    let mut heads = vec!["Field", sides.before, sides.after, sides.effect];
    if sides.origin {
        heads.push("Cause");
    }
    let mut rows = String::new();
    for change in step.changes.iter().filter(|it| change::is_shown(it, step)) {
        rows.push_str(&row(change, step, sides));
        if let Some(diff) = change.diff.as_deref()
            && told.insert(format!("{:?} {:?}", change.before, change.after))
        {
            rows.push_str(&format!(
                "<tr class=\"lines\"><td colspan=\"{}\"><pre tabindex=\"0\" role=\"region\" aria-label=\"{}, line by line\">\
                 {}</pre></td></tr>\n",
                heads.len(),
                escape(&change.label),
                lines(diff)
            ));
        }
    }
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let table = match rows.is_empty() {
        true => String::new(),
        false => format!("<table class=\"fields\"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"),
    };
    format!("<article class=\"card\">{}{table}</article>\n", head.html())
}

/// An object that comes or goes: its head, and what it will be folded.
pub(super) fn whole(head: &Head<'_>, step: &Step) -> String {
    let rows: String = step
        .changes
        .iter()
        .filter(|it| step.action == Action::Create && !change::is_implied(it, step))
        .map(|it| {
            format!(
                "<tr><th scope=\"row\">{}</th><td data-label=\"Value\">{}</td></tr>\n",
                breakable(&it.label),
                value(it, &it.after, "")
            )
        })
        .collect();
    let fields = match rows.lines().count() {
        0 => String::new(),
        1 => format!("<details><summary>1 field</summary><table><tbody>\n{rows}</tbody></table></details>\n"),
        count => {
            format!("<details><summary>{count} fields</summary><table><tbody>\n{rows}</tbody></table></details>\n")
        }
    };
    format!("<article class=\"card\">{}{fields}</article>\n", head.html())
}

fn row(change: &Change, step: &Step, sides: &Sides) -> String {
    let label = format!("<tr><th scope=\"row\">{}</th>", breakable(&change.label));
    let is_hidden = change.masked && change.before.is_some() && change.after.is_some() && change.diff.is_none();
    let both = match &change.detail {
        Some(detail) => Some(escape(detail)),
        None if is_hidden => Some("changed (hidden)".to_owned()),
        None if change.diff.is_some() => Some("differs in the lines below".to_owned()),
        None => None,
    };
    let values = match both {
        Some(both) => format!("<td colspan=\"2\" data-label=\"Change\">{both}</td>"),
        None => format!(
            "<td class=\"side\" data-label=\"{}\">{}</td><td class=\"side\" data-label=\"{}\">{}</td>",
            sides.before,
            value(change, &change.before, "old"),
            sides.after,
            value(change, &change.after, "new")
        ),
    };
    let cell = |label: &str, text: &str| {
        let blank = if text.is_empty() { " blank" } else { "" };
        format!("<td class=\"last{blank}\" data-label=\"{label}\">{}</td>", escape(text))
    };
    let effect = cell(sides.effect, &change::effect(change, step.action));
    let origin = match change.origin {
        Origin::Unknown => "",
        origin => change::origin(origin),
    };
    let origin = if sides.origin { cell("Cause", origin) } else { String::new() };
    format!("{label}{values}{effect}{origin}</tr>\n")
}

fn value(change: &Change, side: &Option<Value>, tone: &str) -> String {
    let Some(side) = side else { return "<span class=\"absent\">none</span>".to_owned() };
    let text = words::value(&change.path, side);
    let whole = format!("<code class=\"value {tone}\">{}</code>", escape(&text));
    if text.chars().count() <= WIDTH {
        return whole;
    }
    let (begin, all) = (escape(&fit(&text, WIDTH)), text.chars().count());
    format!(
        "<details class=\"long\"><summary><code class=\"value {tone}\">{begin}</code> <span>all {all} characters</span></summary>\
         {whole}</details>"
    )
}

/// A label that breaks behind its dots and slashes, and not within a word.
fn breakable(label: &str) -> String {
    escape(label).replace('.', ".<wbr>").replace('/', "/<wbr>")
}

/// The lines of a difference. What goes and what comes is so by its element, and not by its colour alone.
fn lines(diff: &str) -> String {
    let line = |line: &str| {
        let (element, class) = match line.chars().next() {
            Some('+') => ("ins", ""),
            Some('-') => ("del", ""),
            Some('@' | '\\') => ("span", " class=\"place\""),
            _ => ("span", ""),
        };
        format!("<{element}{class}>{}</{element}>", escape(&source(line)))
    };
    diff.lines().map(line).collect()
}
