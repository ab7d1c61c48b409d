//! Files of variables as Docker Compose reads them: `.env`, and the `envFiles` of `skep.yaml`. Quotes, comments, `export`
//! and references to other variables mean something here; in an `env_file:` of a service they do not.

use std::cell::Cell;

use super::Variables;
use super::interpolate::{missing_variable, refused, stray};
use super::template::Expansion;
use crate::diag::{Diagnostic, Faults, FileId, Severity, Span, code};

/// How many bytes the values of one file may have in all.
const MAX_EXPANDED: usize = 8 * 1024 * 1024;
/// For so many quotes that nothing closes the whole rest of a file is searched.
const MAX_UNCLOSED: usize = 20;

/// Reads the variables of a file. `known` are those that count more: they are what references mean first, and the values
/// of names that stand alone. A later line wins over an earlier one.
///
/// ```text
/// # a comment
/// NAME=plain text with ${OTHER}   # a comment after a space
/// export NAME='as it is, over
/// several lines'
/// NAME="with \n escapes and ${OTHER}"
/// INHERITED
/// ```
///
/// Faults go to `faults` and the line is left out; a reference to an undefined variable is as bad as `undefined` says.
pub fn parse(text: &str, file: FileId, known: &Variables, undefined: Severity, faults: &mut Faults) -> Variables {
    read(text, file, known, undefined, faults).found
}

/// A variable and the line that says it.
pub(super) struct Line {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it must not be shown.
    pub secret: bool,
    /// Where it stands, from the name to the end of the value.
    pub span: Span,
}

/// The same, line by line.
pub(super) fn lines(
    text: &str,
    file: FileId,
    known: &Variables,
    undefined: Severity,
    faults: &mut Faults,
) -> Vec<Line> {
    read(text, file, known, undefined, faults).lines
}

fn read<'a>(
    text: &'a str,
    file: FileId,
    known: &'a Variables,
    undefined: Severity,
    faults: &'a mut Faults,
) -> Parser<'a> {
    let found = Variables::new();
    let mut parser = Parser {
        text,
        at: 0,
        file,
        known,
        undefined,
        faults,
        found,
        lines: Vec::new(),
        left: MAX_EXPANDED,
        unclosed: 0,
    };
    if text.starts_with('\u{feff}') {
        parser.at = '\u{feff}'.len_utf8();
    }
    while parser.next_statement() {
        if let Err(fault) = parser.statement() {
            parser.faults.push(*fault);
            parser.skip_line();
        }
    }
    parser
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    file: FileId,
    known: &'a Variables,
    undefined: Severity,
    faults: &'a mut Faults,
    found: Variables,
    lines: Vec<Line>,
    left: usize,
    unclosed: usize,
}

/// A value as written, and whether its references are replaced.
enum Raw {
    Literal(String),
    Template(String),
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn line(&self) -> &str {
        self.rest().split('\n').next().unwrap_or_default()
    }

    fn skip_line(&mut self) {
        self.at += self.line().len();
    }

    fn skip(&mut self, accept: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(accept).len();
    }

    fn next_statement(&mut self) -> bool {
        loop {
            self.skip(char::is_whitespace);
            if !self.rest().starts_with('#') {
                return !self.rest().is_empty();
            }
            self.skip_line();
        }
    }

    fn fault(&self, start: usize, end: usize, message: impl Into<String>) -> Box<Diagnostic> {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span { file: self.file, start: offset(start), end: offset(end) };
        Box::new(Diagnostic::error(code::ENV_FILE, message).at(span))
    }

    fn statement(&mut self) -> Result<(), Box<Diagnostic>> {
        if self.line().strip_prefix("export").is_some_and(|rest| rest.starts_with([' ', '\t'])) {
            self.at += "export".len();
            self.skip(|c| c == ' ' || c == '\t');
        }
        let begin = self.at;
        let line = self.line();
        let end = line.find(['=', ':']);
        let name = line.get(..end.unwrap_or(line.len())).unwrap_or_default().trim_end().to_owned();
        let valid = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(valid) {
            let message = "a line holds `NAME=value`, and a name only letters, digits, `_`, `.` and `-`";
            let empty = line.chars().next().map_or(0, char::len_utf8);
            return Err(self.fault(begin, begin + line.trim_end().len().max(empty), message));
        }
        let Some(end) = end else {
            self.skip_line();
            if let Some(found) = self.known.find(&name) {
                self.add(name, found.value.to_owned(), found.secret, begin);
            }
            return Ok(());
        };
        self.at += end + 1;
        self.skip(|c| c == ' ' || c == '\t');
        let start = self.at;
        let (value, secret) = match self.raw_value()? {
            Raw::Literal(value) => (value, false),
            Raw::Template(template) => self.expand(&template, start)?,
        };
        self.add(name, value, secret, begin);
        Ok(())
    }

    fn add(&mut self, name: String, value: String, secret: bool, begin: usize) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let end = self.text.get(begin..self.at).map_or(begin, |text| begin + text.trim_end().len());
        let span = Span { file: self.file, start: offset(begin), end: offset(end) };
        self.found.insert(name.as_str(), value.as_str(), secret);
        self.lines.push(Line { name, value, secret, span });
    }

    fn raw_value(&mut self) -> Result<Raw, Box<Diagnostic>> {
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            _ => {
                let line = self.line();
                let comment = if line.starts_with('#') { Some(0) } else { comment(line) };
                let value = line.get(..comment.unwrap_or(line.len())).unwrap_or_default().trim_end().to_owned();
                self.skip_line();
                Ok(Raw::Template(value))
            }
        }
    }

    /// The text up to the closing quote, on this line or a later one.
    fn quoted(&mut self, quote: char) -> Result<Raw, Box<Diagnostic>> {
        let start = self.at;
        let unclosed = format!("the quote {quote} is never closed");
        if self.unclosed >= MAX_UNCLOSED {
            return Err(self.fault(start, start + 1, unclosed));
        }
        let body = self.rest().get(1..).unwrap_or_default();
        let mut value = String::new();
        let mut characters = body.char_indices();
        let closed = loop {
            match characters.next() {
                None => break None,
                Some((at, c)) if c == quote => break Some(at),
                Some((_, '\\')) => match (quote, characters.next().map(|(_, c)| c)) {
                    ('"', Some('n')) => value.push('\n'),
                    ('"', Some('r')) => value.push('\r'),
                    ('"', Some('t')) => value.push('\t'),
                    // What follows is a template, in which a dollar sign is written twice.
                    ('"', Some('$')) => value.push_str("$$"),
                    ('"', Some(c)) => value.push(c),
                    (_, Some(c)) => value.extend(['\\', c]),
                    (_, None) => break None,
                },
                Some((_, c)) => value.push(c),
            }
        };
        let Some(length) = closed else {
            self.unclosed += 1;
            return Err(self.fault(start, start + 1, unclosed));
        };
        self.at += length + 2;
        let line = self.line();
        let after = line.trim();
        if !after.is_empty() && !after.starts_with('#') {
            let start = self.at + line.len() - line.trim_start().len();
            return Err(self.fault(start, start + after.len(), "nothing may follow the closing quote"));
        }
        self.skip_line();
        Ok(if quote == '"' { Raw::Template(value) } else { Raw::Literal(value) })
    }

    /// The value, and whether a variable in it is secret.
    fn expand(&mut self, template: &str, start: usize) -> Result<(String, bool), Box<Diagnostic>> {
        let (known, found) = (self.known, &self.found);
        let secret = Cell::new(false);
        let lookup = |name: &str| {
            let found = known.find(name).or_else(|| found.find(name))?;
            secret.set(secret.get() || found.secret);
            Some(found.value)
        };
        let mut expansion = Expansion::new(&lookup, self.left);
        let expanded = expansion.expand(template);
        let (missing, strays) = (expansion.missing, expansion.stray);
        let secret = secret.get();
        let here = self.fault(start, self.at, "").span;
        let value = expanded.map_err(|malformed| Box::new(refused(malformed).at(here)))?;
        if let Some(at) = strays.first() {
            return Err(Box::new(stray(template, *at).at(here).hint("or put the value in single quotes")));
        }
        for missing in missing {
            let fault = missing_variable(missing, self.undefined).at(here);
            self.faults.push(Diagnostic {
                hints: vec!["write `$$` for a dollar sign, or put the value in single quotes".to_owned()],
                ..fault
            });
        }
        self.left -= value.len();
        Ok((value, secret))
    }
}

/// Where a comment begins on a line without quotes: at a `#` after a space.
fn comment(line: &str) -> Option<usize> {
    line.match_indices('#')
        .map(|(at, _)| at)
        .find(|at| line.get(..*at).is_some_and(|before| before.ends_with([' ', '\t'])))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::diag::{Shown, Sources};

    fn read(text: &str) -> (Variables, String) {
        let mut sources = Sources::new();
        let file = sources.add(".env", text);
        let known = BTreeMap::from([("KNOWN".to_owned(), "k".to_owned())]).into();
        let mut faults = Faults::new();
        let found = parse(text, file, &known, Severity::Error, &mut faults);
        let faults = faults.into_sorted();
        (found, faults.iter().map(|fault| Shown::new(fault, &sources).line() + "\n").collect())
    }

    #[test]
    fn lines_become_variables() {
        for (text, value) in [
            ("A=b", "b"),
            ("A=", ""),
            ("  A = b  ", "b"),
            ("A: b", "b"),
            ("export A=b", "b"),
            ("A=b # c", "b"),
            ("A=b#c", "b#c"),
            ("A=#c", ""),
            ("A='b # $X'", "b # $X"),
            ("A='b\nc' # d", "b\nc"),
            ("A='it\\'s'", "it\\'s"),
            ("A=\"b\\n\\\"c\\\" \\$X \\\\\"", "b\n\"c\" $X \\"),
            ("A=\"b\nc\"", "b\nc"),
            ("A=\"${KNOWN}-x\"", "k-x"),
            ("B=x\nA=$B${C:-y}", "xy"),
            ("KNOWN=lost\nA=$KNOWN", "k"),
            ("A=1\nA=2", "2"),
            ("A=a b c", "a b c"),
            ("\u{feff}A=b\r\n", "b"),
            ("A=x=y", "x=y"),
            ("A=$$x", "$x"),
        ] {
            let (found, faults) = read(text);
            assert_eq!(faults, "", "{text:?}");
            assert_eq!(found.find("A").map(|found| found.value), Some(value), "{text:?}");
        }
    }

    #[test]
    fn what_follows_a_quote_has_its_place() {
        let (mut faults, mut sources) = (Faults::new(), crate::diag::Sources::new());
        let text = "A=\"b\" \u{63d}c ";
        let file = sources.add(".env", text);
        parse(text, file, &Variables::new(), Severity::Error, &mut faults);
        let span = faults.into_sorted().first().and_then(|fault| fault.span).expect("a place");
        assert_eq!(text.get(span.start as usize..span.end as usize), Some("\u{63d}c"));
    }

    #[test]
    fn a_line_without_anything_has_its_place() {
        for (text, place) in [("export ", "1:8"), ("A=1\nexport \u{3000}", "2:8"), ("export \nA=1", "1:8")] {
            let (_, faults) = read(text);
            assert!(faults.starts_with(&format!(".env:{place}: error: a line holds")), "{text:?}: {faults}");
        }
    }

    #[test]
    fn a_name_alone_is_inherited_or_left_out() {
        let (found, faults) = read("KNOWN\nOTHER\n");
        assert_eq!(faults, "");
        assert_eq!(found, BTreeMap::from([("KNOWN".to_owned(), "k".to_owned())]).into());
    }

    #[test]
    fn every_fault_is_named_and_the_rest_is_read() {
        let (found, faults) = read("A B=c\nC='open\nD=1\n");
        assert_eq!(found.len(), 1, "{found:?}");
        insta::assert_snapshot!(faults, @r"
        .env:1:1: error: a line holds `NAME=value`, and a name only letters, digits, `_`, `.` and `-` [file/env]
        .env:2:3: error: the quote ' is never closed [file/env]
        ");
        let (_, faults) = read("A=pa$word\nB=\"x\" y\nC=$1\n=d\n");
        insta::assert_snapshot!(faults, @r"
        .env:1:3: error: the variable `word` is not defined [compose/undefined-variable]
        .env:2:7: error: nothing may follow the closing quote [file/env]
        .env:3:3: error: `$1` begins no reference to a variable [compose/interpolation]
        .env:4:1: error: a line holds `NAME=value`, and a name only letters, digits, `_`, `.` and `-` [file/env]
        ");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[A-C=:'\"\\\\$\\{\\}# \né]{0,60}") {
            let _ = read(&text);
        }
    }
}
