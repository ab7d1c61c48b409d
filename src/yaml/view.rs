//! Reading typed values out of a tree. Whatever is wrong is collected with its place; reading goes on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use super::duration::parse_duration;
use super::{Fields, Node, Resolved, Scalar};
use crate::diag::{Diagnostic, Faults, Span, code, did_you_mean};

/// The longest word that is compared with known ones: comparing costs the product of the lengths, and no known word is
/// half as long.
pub(super) const MAX_COMPARED: usize = 64;

/// Where a value stands in its document, as people write it: `services.web.ports[0]`.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        let first = self.parent.is_none_or(|parent| matches!(parent.step, Step::Root));
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) if first => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// One value, with its path, and where faults go. Every typed reader gives `None` after it has reported what is wrong.
///
/// ```
/// use std::cell::RefCell;
/// use skep::diag::{Faults, Sources};
/// use skep::yaml::{View, read};
///
/// let mut sources = Sources::new();
/// let file = sources.add("skep.yaml", "name: shop\nretries: many\nnaem: x\n");
/// let documents = read(sources.text(file), file).expect("YAML");
/// let faults = RefCell::new(Faults::new());
/// let root = View::root(&documents[0], &faults);
/// let mut fields = root.fields().expect("a mapping");
/// assert_eq!(fields.text("name").as_deref(), Some("shop"));
/// assert_eq!(fields.integer::<u8>("retries"), None);
/// fields.finish();
/// let messages: Vec<_> = faults.into_inner().into_sorted().into_iter().map(|fault| fault.message).collect();
/// assert_eq!(messages, ["`retries` must be a whole number, not text", "unknown key `naem`"]);
/// ```
#[derive(Clone, Copy)]
pub struct View<'a> {
    node: &'a Node,
    key_span: Option<Span>,
    path: Path<'a>,
    faults: &'a RefCell<Faults>,
}

impl<'a> View<'a> {
    /// A whole document.
    pub fn root(node: &'a Node, faults: &'a RefCell<Faults>) -> Self {
        Self { node, key_span: None, path: Path { parent: None, step: Step::Root }, faults }
    }

    /// The value of a key of this mapping.
    pub(super) fn under_key<'b>(&'b self, key: &'b str, key_span: Span, node: &'b Node) -> View<'b> {
        let path = Path { parent: Some(&self.path), step: Step::Key(key) };
        View { node, key_span: Some(key_span), path, faults: self.faults }
    }

    /// The value of a key of this mapping, if it is one and has it.
    pub fn find<'b>(&'b self, key: &str) -> Option<View<'b>> {
        let entry = self.node.mapping()?.find(key)?;
        Some(self.under_key(&entry.key, entry.key_span, &entry.value))
    }

    /// The value itself.
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.node.span
    }

    /// Where its key stands; the value's own place where it has none.
    pub fn key_span(&self) -> Span {
        self.key_span.unwrap_or(self.node.span)
    }

    /// Its path.
    pub fn path(&self) -> &Path<'a> {
        &self.path
    }

    /// Its path in backticks, or "the file" for the whole of it.
    pub fn name(&self) -> String {
        match self.path.step {
            Step::Root => "the file".to_owned(),
            _ => format!("`{}`", self.path),
        }
    }

    /// Whether it is `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        self.node.is_null()
    }

    /// Reports a fault.
    pub fn fault(&self, diagnostic: Diagnostic) {
        self.faults.borrow_mut().push(diagnostic);
    }

    /// Whether no more errors are kept, so that looking for a near word is of no use.
    pub(super) fn is_full(&self) -> bool {
        self.faults.borrow().is_full()
    }

    /// Reports that the value is not what it must be: `` `path` must be {wanted}, not a list``.
    pub fn wrong_type(&self, wanted: &str) {
        self.fault(self.wrong_type_diagnostic(wanted));
    }

    /// The diagnostic of [`View::wrong_type`], to add a hint to.
    #[must_use]
    pub fn wrong_type_diagnostic(&self, wanted: &str) -> Diagnostic {
        let message = format!("{} must be {wanted}, not {}", self.name(), self.node.describe());
        Diagnostic::error(code::WRONG_TYPE, message).at(self.span())
    }

    /// Reports that the value has the right type and is wrong all the same: `` `path`: {what}``.
    pub fn invalid(&self, what: impl fmt::Display) {
        self.fault(self.invalid_diagnostic(what));
    }

    /// The diagnostic of [`View::invalid`], to add a hint to.
    #[must_use]
    pub fn invalid_diagnostic(&self, what: impl fmt::Display) -> Diagnostic {
        Diagnostic::error(code::INVALID_VALUE, format!("{}: {what}", self.name())).at(self.span())
    }

    fn scalar(&self, wanted: &str) -> Option<&'a Scalar> {
        if self.node.scalar().is_none() {
            self.wrong_type(wanted);
        }
        self.node.scalar()
    }

    /// Text.
    pub fn text(&self) -> Option<String> {
        self.str().map(str::to_owned)
    }

    /// Text, borrowed.
    pub fn str(&self) -> Option<&'a str> {
        let scalar = self.scalar("text")?;
        match scalar.resolve() {
            Resolved::Text => Some(&scalar.text),
            Resolved::Null => {
                self.wrong_type("text");
                None
            }
            _ => {
                self.fault(self.wrong_type_diagnostic("text").hint(format!("put it in quotes: \"{}\"", scalar.text)));
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match self.scalar("true or false")?.resolve() {
            Resolved::Bool(value) => Some(value),
            _ => {
                self.wrong_type("true or false");
                None
            }
        }
    }

    /// A whole number in the range of `T`. A number with a fraction of zero is one.
    pub fn integer<T: TryFrom<i128>>(&self) -> Option<T> {
        match self.scalar("a whole number")?.resolve() {
            Resolved::Int(value) => self.in_range(value),
            Resolved::Float(value) if value.fract() == 0.0 && value.abs() < 1e30 => self.in_range(value as i128),
            _ => {
                self.wrong_type("a whole number");
                None
            }
        }
    }

    /// A number that was read, in the range of `T`.
    pub fn in_range<T: TryFrom<i128>>(&self, value: i128) -> Option<T> {
        let converted = T::try_from(value).ok();
        if converted.is_none() {
            self.invalid(format_args!("{value} is out of range"));
        }
        converted
    }

    /// A number.
    pub fn number(&self) -> Option<f64> {
        match self.scalar("a number")?.resolve() {
            Resolved::Int(value) => Some(value as f64),
            Resolved::Float(value) => Some(value),
            _ => {
                self.wrong_type("a number");
                None
            }
        }
    }

    /// A duration in nanoseconds, in Go's form: `1m30s`.
    pub fn duration(&self) -> Option<i64> {
        let text = self.node.scalar().filter(|scalar| scalar.resolve() == Resolved::Text).map(|scalar| &scalar.text);
        let parsed = text.and_then(|text| parse_duration(text));
        if parsed.is_none() {
            let fault = match text {
                Some(text) => self.invalid_diagnostic(format_args!("`{text}` is not a duration")),
                None => self.wrong_type_diagnostic("a duration"),
            };
            self.fault(fault.hint("durations are written as in `1h30m`, `10s` or `250ms`"));
        }
        parsed
    }

    /// One of some words. An empty one is accepted where it is among them, and never named.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.str()?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words = choices.iter().filter(|(word, _)| !word.is_empty());
            let words: Vec<_> = words.map(|(word, _)| format!("`{word}`")).collect();
            let mut fault = self.invalid_diagnostic(format_args!("`{text}` is none of {}", words.join(", ")));
            if !self.is_full()
                && text.len() <= MAX_COMPARED
                && let Some(word) = did_you_mean(text, choices.iter().map(|(word, _)| *word))
            {
                fault = fault.hint(format!("did you mean `{word}`?"));
            }
            self.fault(fault);
        }
        found
    }

    /// A list, each item read by `read`; those it refuses are left out.
    pub fn list<T>(&self, mut read: impl FnMut(View<'_>) -> Option<T>) -> Option<Vec<T>> {
        let Some(items) = self.node.sequence() else {
            self.wrong_type("a list");
            return None;
        };
        let view = |(index, node)| {
            let path = Path { parent: Some(&self.path), step: Step::Index(index) };
            View { node, key_span: None, path, faults: self.faults }
        };
        Some(items.iter().enumerate().map(view).filter_map(&mut read).collect())
    }

    /// A mapping with keys of the user's own, each value read by `read`; those it refuses are left out.
    pub fn entries<T, C: FromIterator<(String, T)>>(
        &self,
        mut read: impl FnMut(&str, View<'_>) -> Option<T>,
    ) -> Option<C> {
        let Some(mapping) = self.node.mapping() else {
            self.wrong_type("a mapping");
            return None;
        };
        let read = |entry: &super::Entry| {
            let value = read(&entry.key, self.under_key(&entry.key, entry.key_span, &entry.value))?;
            Some((entry.key.clone(), value))
        };
        Some(mapping.entries.iter().filter_map(read).collect())
    }

    /// A list of texts.
    pub fn texts(&self) -> Option<Vec<String>> {
        self.list(|item| item.text())
    }

    /// A mapping of texts.
    pub fn text_map(&self) -> Option<BTreeMap<String, String>> {
        self.entries(|_, value| value.text())
    }

    /// A mapping with known keys.
    pub fn fields(&self) -> Option<Fields<'_>> {
        if let Some(mapping) = self.node.mapping() {
            return Some(Fields::new(self, mapping));
        }
        self.wrong_type("a mapping");
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Shown, Sources};
    use crate::yaml::read;

    fn faults_of(text: &str, decode: impl FnOnce(View<'_>)) -> String {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", text);
        let documents = read(text, file).expect("YAML");
        let faults = RefCell::new(Faults::new());
        decode(View::root(&documents[0], &faults));
        let lines = faults.into_inner().into_sorted();
        lines.iter().map(|d| format!("{} {:?}\n", Shown::new(d, &sources).line(), d.hints)).collect()
    }

    #[test]
    fn every_fault_is_named_with_its_path() {
        let text = "
services:
  web:
    ports: [80, {target: x}, '81']
    mode: slow
    wait: 1d
    small: 300
    text: 5
    flag: yes
    prots: []
";
        let shown = faults_of(text, |root| {
            let mut fields = root.fields().expect("a mapping");
            let services = fields.take("services").expect("there");
            let _: Option<Vec<_>> = services.entries(|_, web| {
                let mut fields = web.fields()?;
                assert_eq!(fields.list("ports", |port| port.integer::<u16>()), Some(vec![80]));
                fields.choice("mode", &[("fast", 1), ("slew", 2)]);
                fields.duration("wait");
                fields.integer::<u8>("small");
                fields.text("text");
                fields.boolean("flag");
                fields.require("image");
                fields.finish();
                Some(())
            });
            fields.finish();
        });
        insta::assert_snapshot!(shown, @r#"
        a.yaml:3:3: error: `services.web` needs the key `image` [schema/missing-key] []
        a.yaml:4:17: error: `services.web.ports[1]` must be a whole number, not a mapping [schema/wrong-type] []
        a.yaml:4:30: error: `services.web.ports[2]` must be a whole number, not text [schema/wrong-type] []
        a.yaml:5:11: error: `services.web.mode`: `slow` is none of `fast`, `slew` [schema/invalid-value] ["did you mean `slew`?"]
        a.yaml:6:11: error: `services.web.wait`: `1d` is not a duration [schema/invalid-value] ["durations are written as in `1h30m`, `10s` or `250ms`"]
        a.yaml:7:12: error: `services.web.small`: 300 is out of range [schema/invalid-value] []
        a.yaml:8:11: error: `services.web.text` must be text, not a number [schema/wrong-type] ["put it in quotes: \"5\""]
        a.yaml:9:11: error: `services.web.flag` must be true or false, not text [schema/wrong-type] []
        a.yaml:10:5: error: unknown key `prots` in `services.web` [schema/unknown-key] ["did you mean `ports`?"]
        "#);
    }

    #[test]
    fn null_is_a_wrong_type_unless_silence_is_meant() {
        let shown = faults_of("a:\nb:\nc: 1\n", |root| {
            let mut fields = root.fields().expect("a mapping");
            assert!(fields.said("a").is_none());
            assert_eq!(fields.text("b"), None);
            assert_eq!(fields.number("c"), Some(1.0));
            fields.finish();
        });
        insta::assert_snapshot!(shown, @"a.yaml:2:1: error: `b` must be text, not nothing [schema/wrong-type] []");
        let shown = faults_of("- a\n", |root| assert!(root.fields().is_none()));
        insta::assert_snapshot!(shown, @"a.yaml:1:1: error: the file must be a mapping, not a list [schema/wrong-type] []");
    }

    #[test]
    fn many_unknown_keys_are_counted() {
        let text: String = (0..60).map(|n| format!("k{n}: 1\n")).collect();
        let shown = faults_of(&text, |root| root.fields().expect("a mapping").finish());
        assert_eq!(shown.lines().count(), 51);
        assert!(shown.contains("10 more unknown keys"), "{shown}");
    }
}
