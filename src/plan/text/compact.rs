//! A step on one line: what it costs, and which fields differ.

use std::cmp::Reverse;

use super::line::fit;
use super::{Page, change};
use crate::plan::view::Step;
use crate::plan::{Action, Origin};

/// Less room than this for the fields' names tells nothing.
const LEAST: usize = 16;

impl Page<'_> {
    pub(super) fn one_line(&mut self, head: &str, step: &Step) {
        let names: Vec<String> = match step.action {
            // Everything of what is new differs.
            Action::Create | Action::Delete => Vec::new(),
            Action::Update | Action::Replace => {
                let mut shown: Vec<_> = step.changes.iter().filter(|it| change::is_shown(it, step)).collect();
                // What costs most is what is named.
                shown.sort_by_key(|it| Reverse(it.effect));
                shown
                    .into_iter()
                    .map(|it| format!("{}{}", it.label, if it.origin == Origin::Drift { " (drift)" } else { "" }))
                    .collect()
            }
        };
        let width = visible(head);
        let room = self.layout.width.saturating_sub(width + 3);
        if names.is_empty() || room < LEAST {
            self.line(head);
        } else {
            self.line(&format!("{head}   {}", listed(&names, room)));
        }
    }

    /// A line of which the end is cut where it does not fit. `margin` is how wide the head is.
    pub(super) fn cut(&mut self, head: &str, margin: usize, text: &str) {
        let text = fit(text, self.layout.width.saturating_sub(margin));
        self.line(&format!("{head}{text}"));
    }
}

/// As many names as there is room for, and how many more there are.
fn listed(names: &[String], room: usize) -> String {
    for taken in (1..=names.len()).rev() {
        let left = names.len() - taken;
        let mut text = names.iter().take(taken).map(String::as_str).collect::<Vec<_>>().join(", ");
        if left > 0 {
            text.push_str(&format!(", +{left}"));
        }
        if text.chars().count() <= room {
            return text;
        }
    }
    match names {
        [only] => fit(only, room),
        _ => format!("{} fields", names.len()),
    }
}

/// How many columns a text takes, colours aside.
fn visible(text: &str) -> usize {
    let mut inside = false;
    let is_seen = |c: &char| {
        let seen = !inside && *c != '\x1b';
        inside = if inside { *c != 'm' } else { *c == '\x1b' };
        seen
    };
    text.chars().filter(is_seen).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_are_counted() {
        let names = ["image", "env LEVEL", "replicas"].map(str::to_owned);
        assert_eq!(listed(&names, 40), "image, env LEVEL, replicas");
        assert_eq!(listed(&names, 20), "image, env LEVEL, +1");
        assert_eq!(listed(&names, 12), "image, +2");
        assert_eq!(listed(&names, 5), "3 fields");
        assert_eq!(listed(&names[..1], 4), "ima…");
        assert_eq!(visible("a\x1b[1;31mb\x1b[0mc"), 3);
    }
}
