//! The audit as Markdown, for an issue or a chat.

use super::document::Document;
use super::text::groups;
use crate::diag::Severity;
use crate::plan::{markdown_code as code, markdown_prose as prose};

/// The headline as a title, a list a section.
pub fn audit_markdown(document: &Document) -> String {
    let mut out = format!("## {}\n", prose(&document.headline));
    for (section, groups) in groups(document) {
        out.push_str(&format!("\n### {}\n\n", section.title()));
        for group in groups {
            let sign = if group.first.severity == Severity::Note { "ℹ️" } else { "⚠️" };
            let names = group.named();
            let lead = if names.is_empty() { String::new() } else { format!("**{}**: ", prose(&names)) };
            out.push_str(&format!("- {sign} {lead}{} ({})\n", prose(&group.first.message), code(&group.first.code)));
            for hint in &group.first.hints {
                out.push_str(&format!("  - {}\n", prose(hint)));
            }
        }
    }
    if !document.not_checked.is_empty() {
        out.push_str("\n### Not checked\n\n");
        document.not_checked.iter().for_each(|line| out.push_str(&format!("- {}\n", prose(line))));
    }
    out
}
