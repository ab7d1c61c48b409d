//! Text → tree: the parser's events, put together under bounds.

use std::collections::{HashMap, HashSet};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag};

use super::tree::{Entry, Mapping, Node, Scalar, Style, Value};
use crate::diag::{Diagnostic, FileId, Span, code};

/// How deep lists and mappings may nest. Docker's deepest legitimate path has 8 levels.
pub const MAX_DEPTH: usize = 64;
/// How many values one file may hold. A file of 1,000 services on 40,000 lines has about 100,000.
pub const MAX_NODES: usize = 300_000;
/// How many values aliases and merge keys may copy in one file.
pub const MAX_CLONED_NODES: usize = 100_000;
/// How many bytes of text aliases and merge keys may copy in one file.
pub const MAX_CLONED_BYTES: usize = 16 * 1024 * 1024;
/// How many faults of one file are told; who has more has written something else than YAML.
const MAX_FAULTS: usize = 100;

/// Reads every document of a text. Aliases are resolved and merge keys folded in; what they copy keeps its first place.
/// An empty text has no document.
///
/// # Errors
/// Every duplicate key and key that is not text, the first fault of syntax (nothing after it can be read), or the bound
/// that was passed.
pub fn read(text: &str, file: FileId) -> Result<Vec<Node>, Vec<Diagnostic>> {
    if let Some(at) = text.find('\0') {
        let span = span(file, at, at + 1);
        return Err(vec![Diagnostic::error(code::YAML_SYNTAX, "a NUL byte does not belong into a text file").at(span)]);
    }
    let mut options = granit_parser::options! {};
    options.set_emit_comments(false);
    let mut reader = Reader::new(file);
    for event in Parser::new_from_str_with_options(text, options) {
        let step = event.map_err(|error| reader.syntax(&error, text)).and_then(|(event, at)| {
            let range = at.byte_range().unwrap_or_default();
            reader.event(event, span(file, range.start, range.end))
        });
        if let Err(fault) = step {
            reader.faults.push(*fault);
            break;
        }
        if reader.faults.len() >= MAX_FAULTS {
            break;
        }
    }
    if reader.faults.is_empty() { Ok(reader.documents) } else { Err(reader.faults) }
}

/// A fault after which reading cannot go on.
type Stop = Box<Diagnostic>;

struct Reader {
    file: FileId,
    documents: Vec<Node>,
    open: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    cloned: Cost,
    faults: Vec<Diagnostic>,
}

/// A list or mapping that has begun.
struct Frame {
    span: Span,
    style: StructureStyle,
    anchor: usize,
    tag: Option<Box<str>>,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, merged: Vec<Node>, merge_span: Option<Span>, key: Option<Key> },
}

enum Key {
    Text(String, Span),
    Merge(Span),
    /// Already reported; its value is dropped.
    Bad,
}

/// What a node costs when it is copied.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

struct Anchor {
    node: Node,
    cost: Cost,
}

impl Reader {
    fn new(file: FileId) -> Self {
        Self {
            file,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            cloned: Cost::default(),
            faults: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, at: Span) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let (style, tag) = scalar_style(style, tag.as_deref());
                let scalar = Scalar { text: text.into_owned(), style, interpolated: false, secret: false };
                self.finish(Node { span: at, tag, value: Value::Scalar(scalar) }, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.begin(at, style, anchor, tag.as_deref(), Content::Sequence(Vec::new()))
            }
            Event::MappingStart(style, anchor, tag) => {
                let content = Content::Mapping { entries: Vec::new(), merged: Vec::new(), merge_span: None, key: None };
                self.begin(at, style, anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(id) => self.alias(id, at),
            Event::DocumentEnd => {
                // An anchor does not reach beyond its document.
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        span: Span,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
    ) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        let tag = tag.filter(|tag| tag.is_custom()).map(|tag| tag.original().into());
        self.open.push(Frame { span, style, anchor, tag, content });
        Ok(())
    }

    fn end(&mut self, at: Span) -> Result<(), Stop> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let last = match &frame.content {
            Content::Sequence(items) => items.last().map(|item| item.span.end),
            Content::Mapping { entries, .. } => entries.last().map(|entry| entry.value.span.end),
        };
        // A block ends where its last value does, not where the next line begins.
        let end = match frame.style {
            StructureStyle::Flow => at.end,
            StructureStyle::Block => last.unwrap_or(frame.span.end).max(frame.span.end),
        };
        let value = match frame.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { entries, merged, .. } => Value::Mapping(self.fold(entries, merged)),
        };
        let node = Node { span: Span { end, ..frame.span }, tag: frame.tag, value };
        self.finish(node, frame.anchor)
    }

    /// The explicit keys first, each once; then what merge keys bring, the earlier source winning.
    fn fold(&mut self, mut entries: Vec<Entry>, merged: Vec<Node>) -> Mapping {
        let mut seen: HashMap<&str, Span> = HashMap::with_capacity(entries.len());
        let mut duplicates = Vec::new();
        for entry in &entries {
            if let Some(first) = seen.get(entry.key.as_str()) {
                duplicates.push(duplicate(&entry.key, entry.key_span, *first));
            } else {
                seen.insert(&entry.key, entry.key_span);
            }
        }
        let room = MAX_FAULTS.saturating_sub(self.faults.len());
        self.faults.extend(duplicates.into_iter().take(room));
        if !merged.is_empty() {
            let mut taken: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
            for node in merged {
                let Value::Mapping(mapping) = node.value else { continue };
                entries.extend(mapping.entries.into_iter().filter(|entry| taken.insert(entry.key.clone())));
            }
        }
        Mapping { entries }
    }

    fn alias(&mut self, id: usize, at: Span) -> Result<(), Stop> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(Box::new(Diagnostic::error(code::YAML_SYNTAX, "an alias stands inside its own anchor").at(at)));
        };
        if self.open.len() + anchor.cost.depth > MAX_DEPTH {
            return Err(too_deep(at));
        }
        let (node, cost) = (anchor.node.clone(), anchor.cost);
        self.charge(cost, at)?;
        self.finish(node, 0)
    }

    /// Counts what is copied. Anchors nest, so that what they keep is counted too.
    fn charge(&mut self, cost: Cost, at: Span) -> Result<(), Stop> {
        self.cloned.nodes += cost.nodes;
        self.cloned.bytes += cost.bytes;
        if self.cloned.nodes > MAX_CLONED_NODES || self.cloned.bytes > MAX_CLONED_BYTES {
            let message = format!(
                "the aliases up to here copy more than {MAX_CLONED_NODES} values or {} MiB",
                MAX_CLONED_BYTES / 1024 / 1024
            );
            return Err(Box::new(Diagnostic::error(code::YAML_BOUNDS, message).at(at)));
        }
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("the file holds more than {MAX_NODES} values");
            return Err(Box::new(Diagnostic::error(code::YAML_BOUNDS, message).at(node.span)));
        }
        if anchor != 0 {
            let cost = cost(&node);
            self.charge(cost, node.span)?;
            self.anchors.insert(anchor, Anchor { node: node.clone(), cost });
        }
        let faults = &mut self.faults;
        match self.open.last_mut().map(|frame| &mut frame.content) {
            None => self.documents.push(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping { entries, merged, merge_span, key }) => match key.take() {
                None => *key = Some(read_key(node, faults)),
                Some(Key::Text(key, key_span)) => {
                    // An empty value has no text of its own: its key is the place to show.
                    let value = if node.span.start == node.span.end { Node { span: key_span, ..node } } else { node };
                    entries.push(Entry { key, key_span, value });
                }
                Some(Key::Merge(span)) => {
                    if let Some(first) = merge_span.replace(span) {
                        faults.push(duplicate("<<", span, first));
                    }
                    match node.value {
                        Value::Mapping(_) => merged.push(node),
                        Value::Sequence(items) if items.iter().all(|item| item.mapping().is_some()) => {
                            merged.extend(items);
                        }
                        _ => faults.push(
                            Diagnostic::error(code::YAML_SYNTAX, "`<<` takes a mapping or a list of mappings")
                                .at(node.span),
                        ),
                    }
                }
                Some(Key::Bad) => {}
            },
        }
        Ok(())
    }

    fn syntax(&self, error: &ScanError, text: &str) -> Stop {
        let start = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
        let end = start + text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let at = span(self.file, start, end);
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            return too_deep(at);
        }
        let message = format!("not YAML: {}", error.info().replace('\n', " "));
        let mut fault = Diagnostic::error(code::YAML_SYNTAX, message).at(at);
        if text.get(start..end) == Some("\t") {
            fault = fault.hint("indent with spaces: YAML allows no tabs there");
        }
        Box::new(fault)
    }
}

fn read_key(node: Node, faults: &mut Vec<Diagnostic>) -> Key {
    let kind = node.describe();
    match node.value {
        Value::Scalar(scalar) if scalar.style == Style::Plain && scalar.text == "<<" => Key::Merge(node.span),
        Value::Scalar(scalar) if kind == "text" => Key::Text(scalar.text, node.span),
        value => {
            let mut fault =
                Diagnostic::error(code::WRONG_TYPE, format!("a key must be text, not {kind}")).at(node.span);
            if let Value::Scalar(scalar) = value {
                fault = fault.hint(format!("put it in quotes: \"{}\"", scalar.text));
            }
            faults.push(fault);
            Key::Bad
        }
    }
}

/// A scalar's style and own tag. `!!str` makes text and `!!int` unmakes it; so does `!` and, as in Docker, any tag that is
/// not YAML's.
fn scalar_style(style: ScalarStyle, tag: Option<&Tag>) -> (Style, Option<Box<str>>) {
    let written = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
    match tag {
        None => (written, None),
        Some(tag) => match tag.core_suffix() {
            Some("str") => (Style::Quoted, None),
            Some(_) => (Style::Plain, None),
            None if tag.original() == "!" => (Style::Quoted, None),
            None => (Style::Quoted, Some(tag.original().into())),
        },
    }
}

fn cost(node: &Node) -> Cost {
    match &node.value {
        Value::Scalar(scalar) => Cost { nodes: 1, bytes: scalar.text.len(), depth: 0 },
        Value::Sequence(items) => items.iter().map(|item| (0, cost(item))).fold(OPEN, sum),
        Value::Mapping(mapping) => {
            mapping.entries.iter().map(|entry| (entry.key.len(), cost(&entry.value))).fold(OPEN, sum)
        }
    }
}

const OPEN: Cost = Cost { nodes: 1, bytes: 0, depth: 1 };

fn sum(total: Cost, (key, part): (usize, Cost)) -> Cost {
    Cost {
        nodes: total.nodes + part.nodes,
        bytes: total.bytes + key + part.bytes,
        depth: total.depth.max(part.depth + 1),
    }
}

fn duplicate(key: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::error(code::YAML_DUPLICATE_KEY, format!("the key `{key}` stands twice in this mapping"))
        .at(second)
        .related(first, "first here")
}

fn too_deep(at: Span) -> Stop {
    let message = format!("lists and mappings nest deeper than {MAX_DEPTH}");
    Box::new(Diagnostic::error(code::YAML_BOUNDS, message).at(at))
}

fn span(file: FileId, start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file, start: offset(start), end: offset(end.max(start)) }
}

#[cfg(test)]
mod tests;
