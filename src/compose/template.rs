//! The grammar of `${VARIABLE}`: that of the Compose Specification, and Docker's older one to compare it with.
//!
//! ```text
//! $$                     a dollar sign
//! $NAME  ${NAME}         the value
//! ${NAME:-text}  ${NAME-text}   the value, or text where it is unset (`:` or empty)
//! ${NAME:?text}  ${NAME?text}   the value, or a fault
//! ${NAME:+text}  ${NAME+text}   text where it is set (`:` and not empty), or nothing
//! ```
//! `text` is a template itself. `docker stack deploy` has no nesting and no `+`, lets the form without braces take an
//! operator, and looks for operators anywhere in the braces: files that rely on that are pointed out.

use std::collections::HashSet;

/// How deep templates nest in each other's defaults.
const MAX_DEPTH: usize = 16;
/// How many variables without a value, and how many dollar signs that begin nothing, are remembered of one text.
const MAX_REMEMBERED: usize = 1000;

/// Why a template has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// A `$` begins no reference.
    Syntax,
    /// Defaults nest too deep.
    Depth,
    /// The result is larger than what is left to fill.
    Size,
}

/// A variable that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// Its name.
    pub name: String,
    /// The text after `?`; `None` where it is merely not defined.
    pub required: Option<String>,
}

/// Where values come from.
pub(super) type Lookup<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// One substitution.
pub(super) struct Expansion<'a, 'l> {
    lookup: &'l Lookup<'a>,
    limit: usize,
    /// The names in `missing`.
    named: HashSet<String>,
    /// Every variable that had no value where one was needed, once.
    pub missing: Vec<Missing>,
    /// The place of every `$` that begins no reference. It was left out.
    pub stray: Vec<usize>,
}

impl<'a, 'l> Expansion<'a, 'l> {
    /// A substitution whose result may have `limit` bytes.
    pub fn new(lookup: &'l Lookup<'a>, limit: usize) -> Self {
        Self { lookup, limit, named: HashSet::new(), missing: Vec::new(), stray: Vec::new() }
    }

    /// The text with every reference replaced. An undefined variable is empty and remembered in `missing`; a `$` that
    /// begins no reference is left out and remembered in `stray`.
    pub fn expand(&mut self, text: &str) -> Result<String, Malformed> {
        let mut out = String::with_capacity(text.len());
        self.append(text, 0, &mut out)?;
        Ok(out)
    }

    /// Whether so much of the text is no reference that the rest was not looked at.
    pub fn has_too_many_strays(&self) -> bool {
        self.stray.len() >= MAX_REMEMBERED
    }

    fn append(&mut self, text: &str, depth: usize, out: &mut String) -> Result<(), Malformed> {
        if depth > MAX_DEPTH {
            return Err(Malformed::Depth);
        }
        let mut rest = text;
        let mut braces = Braces { text, closing: None };
        while let Some((before, after)) = rest.split_once('$') {
            self.push(before, out)?;
            let (written, missing) = (out.len(), self.missing.len());
            match self.dollar(after, &mut braces, depth, out) {
                Ok(after) => rest = after,
                Err(Malformed::Syntax) if depth == 0 => {
                    out.truncate(written);
                    for missing in self.missing.drain(missing..) {
                        self.named.remove(&missing.name);
                    }
                    self.stray.push(text.len() - after.len() - 1);
                    rest = after;
                    if self.has_too_many_strays() {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.push(rest, out)
    }

    /// What a `$` begins; gives what follows that.
    fn dollar<'t>(
        &mut self,
        text: &'t str,
        braces: &mut Braces<'t>,
        depth: usize,
        out: &mut String,
    ) -> Result<&'t str, Malformed> {
        if let Some(after) = text.strip_prefix('$') {
            self.push("$", out)?;
            return Ok(after);
        }
        if let Some(text) = text.strip_prefix('{') {
            let (body, after) = braces.split(text).ok_or(Malformed::Syntax)?;
            self.reference(body, depth, out)?;
            return Ok(after);
        }
        let (name, after) = name(text).ok_or(Malformed::Syntax)?;
        let value = self.value(name);
        self.push(value, out)?;
        Ok(after)
    }

    fn reference(&mut self, body: &str, depth: usize, out: &mut String) -> Result<(), Malformed> {
        let (name, rest) = name(body).ok_or(Malformed::Syntax)?;
        if rest.is_empty() {
            let value = self.value(name);
            return self.push(value, out);
        }
        let (needs_content, rest) = match rest.strip_prefix(':') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let found = (self.lookup)(name).filter(|value| !needs_content || !value.is_empty());
        let mut operator = rest.chars();
        let (operator, argument) = (operator.next(), operator.as_str());
        match (operator, found) {
            (Some('-' | '?'), Some(value)) => self.push(value, out),
            (Some('-'), None) | (Some('+'), Some(_)) => self.append(argument, depth + 1, out),
            (Some('+'), None) => Ok(()),
            (Some('?'), None) => {
                // Not expanded: a message is printed, and what it refers to may be a secret.
                self.miss(name, Some(argument));
                Ok(())
            }
            _ => Err(Malformed::Syntax),
        }
    }

    fn value(&mut self, name: &str) -> &'a str {
        (self.lookup)(name).unwrap_or_else(|| {
            self.miss(name, None);
            ""
        })
    }

    fn miss(&mut self, name: &str, required: Option<&str>) {
        if self.missing.len() < MAX_REMEMBERED && !self.named.contains(name) {
            self.named.insert(name.to_owned());
            self.missing.push(Missing { name: name.to_owned(), required: required.map(str::to_owned) });
        }
    }

    fn push(&self, text: &str, out: &mut String) -> Result<(), Malformed> {
        if out.len() + text.len() > self.limit {
            return Err(Malformed::Size);
        }
        out.push_str(text);
        Ok(())
    }
}

/// What `docker stack deploy` makes of a text; `None` where it refuses it.
pub(super) fn expand_as_docker<'a>(text: &str, lookup: &Lookup<'a>, limit: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let last_brace = text.rfind('}').unwrap_or(0);
    // A later reference that succeeds forgets the failure of an earlier one.
    let mut failed = false;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((body, after)) = docker_reference(after, text.len() - after.len() <= last_brace) {
            match docker_value(body, lookup) {
                Some(value) => {
                    out.push_str(&value);
                    failed = false;
                }
                None => failed = true,
            }
            rest = after;
        } else {
            failed = true;
            rest = after;
        }
        if out.len() > limit {
            return None;
        }
    }
    out.push_str(rest);
    (!failed).then_some(out)
}

/// The reference after a `$`, with or without braces, and what follows it. Both forms take an operator, and its argument
/// ends at the next `}`, if `closes`: where none follows it is not looked for.
fn docker_reference(text: &str, closes: bool) -> Option<(&str, &str)> {
    let braced = text.starts_with('{');
    let body = text.strip_prefix('{').unwrap_or(text);
    let (name, rest) = name(body)?;
    let operator = rest.strip_prefix(':').unwrap_or(rest).starts_with(['-', '?']);
    let length =
        if operator { name.len() + closes.then(|| rest.find('}')).flatten().unwrap_or(rest.len()) } else { name.len() };
    let (body, after) = body.split_at_checked(length)?;
    if braced { after.strip_prefix('}').map(|after| (body, after)) } else { Some((body, after)) }
}

/// Operators are tried in a fixed order, each by its first occurrence anywhere.
fn docker_value(body: &str, lookup: &Lookup<'_>) -> Option<String> {
    for (separator, needs_content, required) in
        [(":-", true, false), ("-", false, false), (":?", true, true), ("?", false, true)]
    {
        if let Some((name, argument)) = body.split_once(separator) {
            let value = lookup(name).filter(|value| !needs_content || !value.is_empty());
            return value.or((!required).then_some(argument)).map(str::to_owned);
        }
    }
    Some(lookup(body).unwrap_or("").to_owned())
}

/// A name at the beginning, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    text.split_at_checked(length).filter(|_| starts)
}

/// The braces of a text: which `}` closes which `${`. References nest, other braces do not.
struct Braces<'t> {
    text: &'t str,
    /// The place behind the `{` of every reference with that of its `}`, in order. Found in one pass over the text when the
    /// first is asked for: to look for each by itself takes a pass for each.
    closing: Option<Vec<(u32, u32)>>,
}

impl<'t> Braces<'t> {
    /// What stands before the `}` that closes the reference whose inside `text`, a tail of the whole, begins with, and what
    /// follows it.
    fn split(&mut self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let begin = self.text.len() - text.len();
        let closing = self.closing.get_or_insert_with(|| closing(self.text));
        let found = closing.binary_search_by_key(&begin, |(begin, _)| *begin as usize).ok()?;
        let (_, end) = closing.get(found)?;
        let length = (*end as usize).checked_sub(begin)?;
        Some((text.get(..length)?, text.get(length + 1..)?))
    }
}

fn closing(text: &str) -> Vec<(u32, u32)> {
    const OPEN: u32 = u32::MAX;
    let mut places: Vec<(u32, u32)> = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    let mut previous = b' ';
    // No text is longer than a file may be, and offsets in those fit.
    for (at, byte) in (0_u32..).zip(text.bytes()) {
        match byte {
            b'{' if previous == b'$' => {
                open.push(u32::try_from(places.len()).unwrap_or(OPEN));
                places.push((at + 1, OPEN));
            }
            b'}' => {
                let place = open.pop().and_then(|open| places.get_mut(open as usize));
                place.into_iter().for_each(|(_, end)| *end = at);
            }
            _ => {}
        }
        previous = byte;
    }
    places.retain(|(_, end)| *end != OPEN);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<&'static str> {
        match name {
            "FOO" => Some("foo"),
            "EMPTY" => Some(""),
            "B" => Some("bee"),
            _ => None,
        }
    }

    fn modern(text: &str) -> Result<String, String> {
        let mut expansion = Expansion::new(&lookup, 1000);
        let out = expansion.expand(text).map_err(|error| format!("{error:?}"))?;
        match (expansion.stray.as_slice(), expansion.missing.as_slice()) {
            ([], []) => Ok(out),
            ([], missing) => Err(format!("{missing:?}")),
            (stray, _) => Err(format!("stray {stray:?} in {out:?}")),
        }
    }

    #[test]
    fn the_modern_grammar() {
        for (text, expected) in [
            ("plain", "plain"),
            ("$FOO", "foo"),
            ("${FOO}", "foo"),
            ("a${FOO}b$B-c", "afoobbee-c"),
            ("$$FOO $${FOO}", "$FOO ${FOO}"),
            ("${FOO:-d}", "foo"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NOPE:-d}", "d"),
            ("${NOPE-d}", "d"),
            ("${NOPE-}", ""),
            ("${NOPE:-$B}", "bee"),
            ("${NOPE:-${B}}", "bee"),
            ("${NOPE:-${ALSO:-${B}}x}y", "beexy"),
            ("${NOPE:-a:b?c}", "a:b?c"),
            ("${FOO:+x}", "x"),
            ("${FOO+x$B}", "xbee"),
            ("${EMPTY:+x}", ""),
            ("${EMPTY+x}", "x"),
            ("${NOPE:+x}", ""),
            ("${FOO:?must-be-set}", "foo"),
            ("${EMPTY?m}", ""),
            ("$FOO-bar baz", "foo-bar baz"),
            ("${FOO-b:-c}", "foo"),
            ("é$FOOé", "éfooé"),
        ] {
            assert_eq!(modern(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_parse_is_refused() {
        for text in
            ["$", "a $", "$1", "${", "${}", "${ }", "${foo }", "${FOO", "${FOO!x}", "${FOO:}", "${NOPE:-${}}", "$é"]
        {
            assert!(modern(text).is_err_and(|error| error.starts_with("stray")), "{text}");
        }
        assert_eq!(
            modern("ab $? $FOO ${NOPE:-$1} $").unwrap_err(),
            r#"stray [3, 11, 19, 23] in "ab ? foo {NOPE:-1} ""#
        );
        let deep = format!("{}{}", "${N:-".repeat(40), "}".repeat(40));
        assert_eq!(modern(&deep).unwrap_err(), "Depth");
        assert_eq!(modern(&"$FOO".repeat(500)).unwrap_err(), "Size");
    }

    #[test]
    fn every_missing_variable_is_named() {
        let mut expansion = Expansion::new(&lookup, 1000);
        assert_eq!(expansion.expand("$A ${NOPE:?say $B} ${EMPTY:?} ${C}").as_deref(), Ok("   "));
        let missing: Vec<_> = expansion.missing.iter().map(|m| (m.name.as_str(), m.required.as_deref())).collect();
        assert_eq!(missing, [("A", None), ("NOPE", Some("say $B")), ("EMPTY", Some("")), ("C", None)]);
    }

    /// The rows I1 to I5, as `docker stack deploy` 28.2 was seen to do it.
    #[test]
    fn docker_differs_where_it_is_known_to() {
        for (text, docker) in [
            ("$FOO-bar baz", Some("foo")),
            ("${NOPE:-${B}}", Some("${B}")),
            ("${NOPE:?must-be-set}", Some("be-set")),
            ("${FOO:?must-be-set}", Some("be-set")),
            ("${FOO-b:-c}", Some("c")),
            ("${NOPE:?x} ${FOO}", Some(" foo")),
            ("${NOPE:?x}", None),
            ("${FOO:+x}", None),
            ("$FOO ${NOPE:-d} $$", Some("foo d $")),
            ("$1", None),
            ("${FOO", None),
            ("$? $FOO", Some("? foo")),
            ("$FOO $?", None),
        ] {
            assert_eq!(expand_as_docker(text, &lookup, 1000).as_deref(), docker, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[$\\{\\}A-Ba:?+é-]{0,40}") {
            let _ = modern(&text);
            let _ = expand_as_docker(&text, &lookup, 1000);
        }

        #[test]
        fn a_text_without_dollars_is_left_alone(text in "[^$]{0,40}") {
            proptest::prop_assert_eq!(modern(&text), Ok(text.clone()));
            proptest::prop_assert_eq!(expand_as_docker(&text, &lookup, 1000), Some(text));
        }
    }
}
