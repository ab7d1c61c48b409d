//! The `env_file:` of a service, as `docker stack deploy` reads it: literally. No quotes, no escapes, no references.

use crate::diag::{Diagnostic, Faults, FileId, Span, code};

/// The longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The variable.
    pub name: &'a str,
    /// Its value; `None` where the name stands alone.
    pub value: Option<&'a str>,
    /// Where it stands.
    pub span: Span,
}

/// The lines that say something, in order. Faulty ones go to `faults`.
pub(super) fn parse<'a>(text: &'a str, file: FileId, faults: &mut Faults) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let whole = line.strip_suffix('\n').unwrap_or(line);
        let whole = whole.strip_suffix('\r').unwrap_or(whole);
        let mark = if start == 0 && whole.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let whole = whole.get(mark..).unwrap_or_default();
        let content = whole.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let begin = start + mark + (whole.len() - content.len());
        let span = Span { file, start: offset(begin), end: offset(begin + content.len()) };
        let (name, value) = match content.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (content, None),
        };
        let fault = if whole.len() > MAX_LINE {
            Some(format!("a line has at most {MAX_LINE} bytes"))
        } else if name.is_empty() {
            Some("there is no name before the `=`".to_owned())
        } else if name.contains([' ', '\t']) {
            Some(format!("the name `{name}` may not contain a space"))
        } else {
            None
        };
        match fault {
            Some(message) => faults.push(Diagnostic::error(code::ENV_FILE, message).at(span)),
            None => lines.push(Line { name, value, span }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Shown, Sources};

    fn read(text: &str) -> (Vec<(String, Option<String>)>, String) {
        let mut sources = Sources::new();
        let file = sources.add("a.env", text);
        let mut faults = Faults::new();
        let lines = parse(text, file, &mut faults);
        for line in &lines {
            let shown = &text[line.span.start as usize..line.span.end as usize];
            assert!(shown.starts_with(line.name), "{shown}");
        }
        let lines = lines.iter().map(|l| (l.name.to_owned(), l.value.map(str::to_owned))).collect();
        (lines, faults.into_sorted().iter().map(|fault| Shown::new(fault, &sources).line() + "\n").collect())
    }

    #[test]
    fn values_are_literal() {
        for (text, value) in [
            ("A=b", Some("b")),
            ("A=\"b\"", Some("\"b\"")),
            ("A=b # c", Some("b # c")),
            ("A=$X", Some("$X")),
            ("A= b ", Some(" b ")),
            ("  A=b\r\n", Some("b")),
            ("\u{feff}A=b", Some("b")),
            ("A=b=c", Some("b=c")),
            ("A=", Some("")),
            ("A", None),
            ("# x\n\n \nA=b", Some("b")),
        ] {
            let (lines, faults) = read(text);
            assert_eq!((lines, faults.as_str()), (vec![("A".to_owned(), value.map(str::to_owned))], ""), "{text:?}");
        }
    }

    #[test]
    fn faulty_lines_are_named() {
        let (lines, faults) = read("=x\nexport A=1\nB=2\n  A B\n");
        assert_eq!(lines, [("B".to_owned(), Some("2".to_owned()))]);
        insta::assert_snapshot!(faults, @r"
        a.env:1:1: error: there is no name before the `=` [file/env]
        a.env:2:1: error: the name `export A` may not contain a space [file/env]
        a.env:4:3: error: the name `A B` may not contain a space [file/env]
        ");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[A-B= #\r\n\u{feff}é]{0,40}") {
            let _ = read(&text);
        }
    }
}
