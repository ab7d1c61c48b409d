//! Texts of others in Markdown, where GitHub and GitLab shall find nothing to obey: no table that ends early, no HTML, no mention
//! of a person, no reference to an issue, no quick action.

use crate::plan::text::line::legible;

/// What cannot be seen and breaks up what a forge would take for a mention.
const BREAK: char = '\u{200b}';

/// A text as code, also within a table.
pub(crate) fn code(text: &str) -> String {
    let text = legible(text);
    // A pipe ends a cell even in code, and whether a backslash saves it depends on what stands before.
    if text.contains(['|', '`']) {
        return format!("<code>{}</code>", entities(&text));
    }
    match text.trim().is_empty() {
        true => format!("`\"{text}\"`"),
        false => format!("`{text}`"),
    }
}

/// A sentence; what stands in backticks in it is code.
pub(crate) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let shown = parts.iter().enumerate().map(|(index, part)| match index % 2 {
        1 if !part.trim().is_empty() => code(part),
        1 => plain(&format!("`{part}`")),
        _ => plain(part),
    });
    shown.collect()
}

fn plain(text: &str) -> String {
    let mut shown = String::new();
    let mut before = ' ';
    for c in legible(text).chars() {
        if "@#!~%$&".contains(before) && c.is_alphanumeric() {
            shown.push(BREAK);
        }
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '|' => shown.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => shown.extend(['\\', c]),
            c => shown.push(c),
        }
        before = c;
    }
    shown
}

/// A text in HTML in Markdown: whatever means something in either is written by its number.
pub(super) fn entities(text: &str) -> String {
    let mut shown = String::new();
    for c in legible(text).chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '.' | ',' | '/' | '(' | ')' | ';' | '=' | '+') {
            shown.push_str(&format!("&#{};", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Lines in a block of code that they cannot end.
pub(super) fn block(language: &str, lines: &str) -> String {
    let longest = lines.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}{language}\n{}\n{fence}\n", lines.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stays_in_its_cell() {
        for (given, expected) in [
            ("nginx:1.27", "`nginx:1.27`"),
            ("<b>@all</b> *x*", "`<b>@all</b> *x*`"),
            ("a|b", "<code>a&#124;b</code>"),
            ("a\\|b", "<code>a&#92;&#124;b</code>"),
            ("a`b*<i>", "<code>a&#96;b&#42;&#60;i&#62;</code>"),
            ("a\nb", "`a\\nb`"),
            ("", "`\"\"`"),
        ] {
            assert_eq!(code(given), expected);
        }
    }

    #[test]
    fn a_sentence_commands_nothing() {
        for (given, expected) in [
            ("use `a: b` here", "use `a: b` here"),
            ("a ` alone", "a \\` alone"),
            ("ask @all, see #12 and !3", "ask @\u{200b}all, see #\u{200b}12 and !\u{200b}3"),
            ("<img src=x> **b** | c", "&lt;img src=x&gt; \\*\\*b\\*\\* &#124; c"),
            ("[a](b)", "\\[a\\](b)"),
            ("a\n/close", "a\\\\n/close"),
        ] {
            assert_eq!(prose(given), expected);
        }
    }

    #[test]
    fn no_line_ends_a_block_of_code() {
        assert_eq!(block("diff", "- a\n"), "```diff\n- a\n```\n");
        assert_eq!(block("diff", "+ ```\n+ `````"), "``````diff\n+ ```\n+ `````\n``````\n");
    }
}
