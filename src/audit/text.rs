//! The audit as people read it.

use super::document::{Document, Found, Section};
use crate::diag::{Severity, Style};
use crate::plan::{Paint, wrap};

/// Names that stand in one entry before the rest is counted.
const NAMES: usize = 40;

/// What the same is to be said of.
pub(super) struct Group<'a> {
    pub first: &'a Found,
    pub names: Vec<&'a str>,
}

/// The findings by section; within one, together what says the same.
pub(super) fn groups(document: &Document) -> Vec<(Section, Vec<Group<'_>>)> {
    let mut sections: Vec<(Section, Vec<Group<'_>>)> = Vec::new();
    for found in &document.findings {
        if sections.last().is_none_or(|(section, _)| *section != found.section) {
            sections.push((found.section, Vec::new()));
        }
        let Some((_, groups)) = sections.last_mut() else { continue };
        let is_same = |group: &&mut Group<'_>| {
            (group.first.code.as_str(), &group.first.message) == (found.code.as_str(), &found.message)
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.names.push(&found.name),
            None => groups.push(Group { first: found, names: vec![&found.name] }),
        }
    }
    sections
}

impl Group<'_> {
    /// The names, the empty one of the swarm left out.
    pub fn named(&self) -> String {
        let mut names: Vec<&str> = self.names.iter().copied().filter(|name| !name.is_empty()).collect();
        names.dedup();
        let left = names.len().saturating_sub(NAMES);
        names.truncate(NAMES);
        let more = if left > 0 { format!(" and {left} more") } else { String::new() };
        format!("{}{more}", names.join(", "))
    }
}

/// The headline, the sections, what could not be looked at. `width` is in characters.
pub fn audit_text(document: &Document, style: Style, width: usize) -> String {
    let paint = Paint(style);
    let mut out = format!("{}\n", paint.bold(&wrap(&document.headline, width).join("\n")));
    let mut block = |mark: &str, text: &str, indent: &str| {
        for (index, line) in wrap(text, width.saturating_sub(indent.len())).iter().enumerate() {
            let lead = if index == 0 && !mark.is_empty() { mark } else { indent };
            out.push_str(&format!("{lead}{line}\n"));
        }
    };
    for (section, groups) in groups(document) {
        block("", "", "");
        block("", &paint.bold(section.title()), "");
        for group in groups {
            let mark = match group.first.severity {
                Severity::Note => "  - ".to_owned(),
                Severity::Error | Severity::Warning => format!("  {} ", paint.warn("!")),
            };
            let names = group.named();
            let lead = if names.is_empty() { String::new() } else { format!("{names}: ") };
            block(&mark, &format!("{lead}{}", group.first.message), "    ");
            for hint in &group.first.hints {
                block("    help: ", hint, "          ");
            }
            block("", &group.first.code, "    ");
        }
    }
    if !document.not_checked.is_empty() {
        block("", "", "");
        block("", &paint.bold("Not checked"), "");
        for line in &document.not_checked {
            block("  - ", line, "    ");
        }
    }
    out
}
