//! Words, widths and colours of one line.

use crate::diag::Style;
use crate::plan::{Action, Effect};

/// `1 task`, `2 tasks`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Text that fills a column.
pub(in crate::plan) fn pad(text: &str, width: usize) -> String {
    format!("{text:width$}")
}

/// A moment of the engine's, to the second.
pub(in crate::plan) fn moment(text: &str) -> String {
    let Some((date, time)) = text.split_once('T') else { return text.to_owned() };
    match time.strip_suffix('Z') {
        Some(time) => format!("{date} {} UTC", time.split('.').next().unwrap_or(time)),
        None => text.to_owned(),
    }
}

/// Text cut to a column.
pub(in crate::plan) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Two texts cut to their columns so that what differs is seen: where it lies too far behind, the beginning that both share
/// goes, up to the word in which they part.
pub(in crate::plan) fn fit_pair(
    before: &str,
    after: &str,
    before_width: usize,
    after_width: usize,
) -> (String, String) {
    let shared = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    // A text that is cut before enough of what differs is seen tells nobody anything.
    let tells = |text: &str, width: usize| text.chars().count() <= width || shared + 2 < width;
    if tells(before, before_width) && tells(after, after_width) {
        return (fit(before, before_width), fit(after, after_width));
    }
    let narrow = before_width.min(after_width);
    let word = before.chars().take(shared).collect::<Vec<_>>();
    let start = word.iter().rposition(|c| matches!(c, '/' | ' ' | ',' | '=')).map_or(0, |at| at + 1);
    let start = if shared - start + 5 < narrow { start } else { shared.saturating_sub(4) };
    let tail = |text: &str, width: usize| {
        let rest: String = text.chars().skip(start).collect();
        format!("…{}", fit(&rest, width.saturating_sub(1)))
    };
    (tail(before, before_width), tail(after, after_width))
}

/// A value on one line, with digests as short as people compare them, and nothing in it that a terminal would obey.
pub(in crate::plan) fn tidy(text: &str) -> String {
    let text = match text.split_once("@sha256:") {
        Some((name, digest)) if digest.len() == 64 => format!("{name}@sha256:{}…", digest.get(..4).unwrap_or(digest)),
        _ => text.to_owned(),
    };
    legible(&text)
}

/// Text in which nothing commands a terminal, or turns the direction in which it is read.
pub(in crate::plan) fn legible(text: &str) -> String {
    let is_commanding = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().flat_map(|c| if is_commanding(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// A line of a file: legible, its tabs as wide as most people see them.
pub(in crate::plan) fn source(line: &str) -> String {
    legible(&line.replace('\t', "    "))
}

/// A long text in lines of `width` characters, at most `most` of them.
pub(in crate::plan) fn fold(text: &str, width: usize, most: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut lines: Vec<String> = characters.chunks(width.max(1)).take(most).map(|line| line.iter().collect()).collect();
    let left = characters.len().saturating_sub(width.max(1) * most);
    if left > 0 {
        lines.push(format!("… {}", plural(left as u64, "more character")));
    }
    if lines.is_empty() { vec![String::new()] } else { lines }
}

/// Lines of at most `width` characters, broken between words. A word longer than that has a line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Colours, or none.
#[derive(Clone, Copy)]
pub(crate) struct Paint(pub Style);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        match self.0 {
            Style::Plain => text.to_owned(),
            Style::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub fn error(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub fn warn(self, text: &str) -> String {
        self.with("1;33", text)
    }

    /// A line of a difference, by its sign.
    pub fn difference(self, sign: char, line: &str) -> String {
        let code = match sign {
            '+' => "32",
            '-' => "31",
            '@' => "36",
            '\\' => "2",
            _ => return line.to_owned(),
        };
        self.with(code, line)
    }

    pub fn action(self, text: &str, action: Action) -> String {
        let code = match action {
            Action::Create => "32",
            Action::Update => "33",
            Action::Replace | Action::Delete => "31",
        };
        self.with(code, text)
    }

    pub fn effect(self, text: &str, effect: Effect) -> String {
        match effect {
            Effect::None | Effect::InPlace | Effect::Create => text.to_owned(),
            Effect::Rolling | Effect::JobRun => self.with("33", text),
            Effect::Replace | Effect::Delete => self.with("31", text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
        assert_eq!(wrap("unbreakable x", 5), ["unbreakable", "x"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn a_value_stays_on_its_line_and_commands_no_terminal() {
        assert_eq!(tidy("a\nb\x1b[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(tidy(&format!("nginx:1@sha256:{}", "ab".repeat(32))), "nginx:1@sha256:abab…");
    }

    #[test]
    fn what_is_folded_says_what_is_left_out() {
        assert_eq!(fold("abcdefg", 3, 9), ["abc", "def", "g"]);
        assert_eq!(fold("abcdefg", 3, 2), ["abc", "def", "… 1 more character"]);
        assert_eq!(fold("", 3, 2), [""]);
    }

    #[test]
    fn moments_are_shown_to_the_second() {
        assert_eq!(moment("2026-11-24T11:22:33.123456789Z"), "2026-11-24 11:22:33 UTC");
        assert_eq!(moment("2026-11-24T11:22:33+01:00"), "2026-11-24T11:22:33+01:00");
        assert_eq!(moment("whenever"), "whenever");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("äöü", 3), "äöü");
    }

    #[test]
    fn what_differs_is_seen_when_two_values_are_cut() {
        let pair = |a: &str, b: &str, width| {
            let (a, b) = fit_pair(a, b, width, width);
            format!("{a} → {b}")
        };
        assert_eq!(pair("a", "b", 3), "a → b");
        assert_eq!(
            pair("stefanprodan/podinfo:6.7.0", "stefanprodan/podinfo:6.7.1", 21),
            "…podinfo:6.7.0 → …podinfo:6.7.1"
        );
        assert_eq!(pair("aaaaaaaaaaaaaaaaaaaaaaaa1", "aaaaaaaaaaaaaaaaaaaaaaaa2", 10), "…aaaa1 → …aaaa2");
        assert_eq!(pair("xyz and so on", "abc and so on", 8), "xyz and… → abc and…");
    }
}
