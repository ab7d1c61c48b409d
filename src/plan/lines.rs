//! Two texts compared line by line, as a config's before and after.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use similar::{DiffOp, DiffTag, TextDiff};

use super::mask::Mask;

/// Lines around what differs.
const CONTEXT: usize = 3;
/// Lines of a diff that are shown: beyond that nobody reads on.
const MAX_LINES: usize = 200;
/// Bytes of a diff that are shown. A plan of hundreds of configs stays a document that a page can hold.
const MAX_BYTES: usize = 32 * 1024;
/// Characters of a line that are shown: minified files have lines as long as themselves.
const MAX_WIDTH: usize = 400;
/// Lines that are compared one by one. Finding the smallest difference of two long texts that have nothing in common takes
/// time that grows with the square.
const MAX_COMPARED: usize = 4_000;

/// Both texts of something that is compared by line. What is printed of it passes a [`Mask`].
#[derive(Clone, PartialEq, Eq)]
pub struct Texts {
    before: Arc<str>,
    after: Arc<str>,
}

impl Texts {
    /// Two texts.
    pub fn new(before: impl Into<Arc<str>>, after: impl Into<Arc<str>>) -> Self {
        Self { before: before.into(), after: after.into() }
    }

    /// Of the data of two configs; `None` where one of them is no text.
    pub(super) fn of_data(before: &str, after: &str) -> Option<Self> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let text = |data: &str| String::from_utf8(STANDARD.decode(data).ok()?).ok().filter(|text| !text.contains('\0'));
        Some(Self::new(text(before)?, text(after)?))
    }

    /// How much differs, in a few words.
    pub(super) fn count(&self) -> String {
        let (before, after) = (split(&self.before), split(&self.after));
        let (mut gone, mut new) = (0, 0);
        for op in compare(&before, &after).iter().filter(|op| op.tag() != DiffTag::Equal) {
            gone += op.old_range().len();
            new += op.new_range().len();
        }
        match gone.max(new) {
            1 => "1 line differs".to_owned(),
            lines => format!("{lines} lines differ"),
        }
    }

    /// The difference in the unified form, from the first `@@` on, with three lines of context. What looks like a secret is
    /// hidden. Of a long one the rest is counted in a last line that begins with a backslash.
    pub(super) fn unified(&self, mask: &Mask) -> String {
        let (before, after) = (split(&self.before), split(&self.after));
        let (old, new) = (mask.lines(&self.before), mask.lines(&self.after));
        let mut page = Page::default();
        for hunk in similar::group_diff_ops(compare(&before, &after), CONTEXT) {
            page.push(&header(&hunk));
            for op in &hunk {
                if op.tag() == DiffTag::Equal {
                    page.lines(' ', op.new_range(), &after, &new);
                } else {
                    page.lines('-', op.old_range(), &before, &old);
                    page.lines('+', op.new_range(), &after, &new);
                }
            }
        }
        page.finish()
    }
}

/// A config may hold anything: that it is there is all that is said.
impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({} and {} bytes)", self.before.len(), self.after.len())
    }
}

/// Lines with their ends, so that a missing one at the end of a file is a difference.
fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// What becomes of the lines. Of a long text, what lies between the first and the last difference is one.
fn compare(before: &[&str], after: &[&str]) -> Vec<DiffOp> {
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(old, new)| old == new).count();
    let head = same(&mut before.iter().zip(after));
    let shortest = before.len().min(after.len()) - head;
    let tail = same(&mut before.iter().rev().zip(after.iter().rev()).take(shortest));
    let (old_len, new_len) = (before.len() - head - tail, after.len() - head - tail);
    if old_len.max(new_len) <= MAX_COMPARED {
        return TextDiff::from_slices(before, after).ops().to_vec();
    }
    let equal = |old_index, new_index, len| DiffOp::Equal { old_index, new_index, len };
    vec![
        equal(0, 0, head),
        DiffOp::Replace { old_index: head, old_len, new_index: head, new_len },
        equal(head + old_len, head + new_len, tail),
    ]
}

/// `@@ -1,3 +1,4 @@`, counted as every tool that reads it does.
fn header(hunk: &[DiffOp]) -> String {
    let span = |range: &dyn Fn(&DiffOp) -> Range<usize>| {
        let start = hunk.first().map_or(0, |op| range(op).start);
        let end = hunk.last().map_or(0, |op| range(op).end);
        match end - start {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            length => format!("{},{length}", start + 1),
        }
    };
    format!("@@ -{} +{} @@", span(&|op| op.old_range()), span(&|op| op.new_range()))
}

/// What is shown so far, and how many lines are not.
#[derive(Default)]
struct Page {
    out: String,
    lines: usize,
    left: usize,
}

impl Page {
    fn push(&mut self, line: &str) {
        if self.lines >= MAX_LINES || self.out.len() + line.len() > MAX_BYTES {
            // One that is too long for the rest hides what comes after it, or its place would be wrong.
            (self.lines, self.left) = (MAX_LINES, self.left + 1);
            return;
        }
        self.out.push_str(line);
        self.out.push('\n');
        self.lines += 1;
    }

    fn lines(&mut self, sign: char, range: Range<usize>, texts: &[&str], shown: &[String]) {
        let all = texts.iter().zip(shown).skip(range.start).take(range.len());
        for (text, shown) in all {
            let mut line = String::from(sign);
            match shown.char_indices().nth(MAX_WIDTH) {
                Some((at, _)) => line.extend([shown.get(..at).unwrap_or_default(), "…"]),
                None => line.push_str(shown),
            }
            self.push(&line);
            if !text.ends_with('\n') {
                self.push("\\ No newline at end of file");
            }
        }
    }

    fn finish(mut self) -> String {
        if self.left > 0 {
            let lines = if self.left == 1 { "line" } else { "lines" };
            self.out.push_str(&format!("\\ {} more {lines}\n", self.left));
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unified(before: &str, after: &str) -> String {
        Texts::new(before, after).unified(&Mask::default())
    }

    #[test]
    fn what_differs_is_shown_with_three_lines_around_it() {
        let before: String = (1..=16).map(|number| format!("{number}\n")).collect();
        let after = before.replace("\n3\n", "\nthree\n") + "17";
        assert_eq!(
            unified(&before, &after),
            "@@ -1,6 +1,6 @@\n 1\n 2\n-3\n+three\n 4\n 5\n 6\n\
             @@ -14,3 +14,4 @@\n 14\n 15\n 16\n+17\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn a_missing_end_of_the_last_line_is_a_difference() {
        assert_eq!(unified("a\n", "a"), "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n");
        assert_eq!(unified("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(Texts::new("a\n", "a").count(), "1 line differs");
    }

    #[test]
    fn an_endless_difference_says_how_much_is_left_out() {
        let long: String = (0..1000).map(|number| format!("line {number}\n")).collect();
        let shown = unified("", &long);
        assert_eq!(shown.lines().count(), MAX_LINES + 1);
        assert!(shown.ends_with("\\ 801 more lines\n"), "{shown}");
        let wide = format!("{}\n", "x".repeat(100_000));
        assert!(unified("", &wide).len() < 500);
        let wide: String = (0..150).map(|number| format!("{number}{}\n", "ä".repeat(399))).collect();
        let shown = unified("", &wide);
        assert!(shown.len() < MAX_BYTES + 100 && shown.contains(" more lines\n"), "{}", shown.len());
    }

    #[test]
    fn two_large_texts_with_nothing_in_common_are_compared_in_time() {
        let text = |word: &str| -> String { (0..60_000).map(|number| format!("{word}{number}\n")).collect() };
        let texts = Texts::new(text("a"), text("b"));
        assert_eq!(texts.count(), "60000 lines differ");
        let texts = Texts::new("a\n".repeat(4_000), "a\nb\n".repeat(2_000));
        assert_eq!(texts.count(), "2000 lines differ");
        let texts = Texts::new("a\n".repeat(250_000), "a\nb\n".repeat(125_000));
        assert!(texts.unified(&Mask::default()).starts_with("@@ -1,250000 +1,250000 @@\n a\n-a\n"));
    }

    #[test]
    fn a_secret_is_hidden_in_both_texts() {
        assert_eq!(
            unified("user = a\npassword = hunter2\n", "user = a\npassword = hunter3\n"),
            "@@ -1,2 +1,2 @@\n user = a\n-password = ***\n+password = ***\n"
        );
        assert!(!format!("{:?}", Texts::new("hunter2", "hunter3")).contains("hunter"));
    }

    #[test]
    fn what_is_no_text_is_not_compared() {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let binary = STANDARD.encode([0xff, 0xfe, 0, 1]);
        assert!(Texts::of_data(&binary, "YQ==").is_none());
        assert!(Texts::of_data("YQ==", "YgA=").is_none(), "a text holds no zero byte");
    }
}
