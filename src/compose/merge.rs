//! Several files become one tree, left to right. The rules are those of `docker stack deploy`; where that one is known to
//! lose something (a healthcheck's test, ports), the Compose Specification's rule holds and a warning says so. What only the
//! Compose Specification knows (`include`, `extends`, several documents) is merged by its rules. Every value keeps the place
//! of the file that contributed it.

mod lists;
mod rules;

use std::collections::HashMap;

use self::rules::Rule;
use super::context::MAX_PORTS;
use crate::diag::{Diagnostic, Faults, code};
use crate::yaml::{Entry, Mapping, Node, Scalar, Style, Value};

/// Merges a file into those before it, as `docker stack deploy` does.
pub(super) fn files(base: Node, over: Node, faults: &mut Faults) -> Node {
    Merger::new(faults).merge(base, over, &Rule::Keys(rules::FILE))
}

/// Merges a document into another by the Compose Specification's rules.
pub(super) fn modern(base: Node, over: Node, faults: &mut Faults) -> Node {
    Merger::new(faults).merge(base, over, &Rule::Known(rules::MODERN_FILE))
}

/// Merges a service into the one it extends, likewise.
pub(super) fn modern_service(base: Node, over: Node, faults: &mut Faults) -> Node {
    Merger::new(faults).merge(base, over, &Rule::Known(rules::MODERN_SERVICE))
}

struct Merger<'a> {
    faults: &'a mut Faults,
    /// How many ports may still be compared with each other.
    ports: usize,
}

impl<'a> Merger<'a> {
    fn new(faults: &'a mut Faults) -> Self {
        // Of twice as many more than half remain, which are then too many.
        Self { faults, ports: 2 * MAX_PORTS }
    }

    fn merge(&mut self, base: Node, over: Node, rule: &Rule) -> Node {
        // Nothing said overrides nothing.
        if over.is_null() && !matches!(rule, Rule::Replace) {
            return base;
        }
        if base.is_null() {
            return over;
        }
        match rule {
            Rule::Replace | Rule::Present => over,
            Rule::Text if is_empty(&over) => base,
            Rule::NonZero if is_zero(&over) => base,
            Rule::Text | Rule::NonZero => over,
            Rule::Keys(known) => self.keys(base, over, |key| rules::find(known, key, &Rule::Replace)),
            Rule::Known(known) => self.keys(base, over, |key| rules::find(known, key, &Rule::Any)),
            Rule::Named(rule) => self.keys(base, over, |_| rule),
            Rule::Service => {
                if let Some(ports) = lists::lost_ports(&base, &over, &mut self.ports) {
                    self.warn(ports, lists::FEWER_PORTS, "");
                }
                let merged = self.keys(base, over, |key| rules::find(rules::SERVICE, key, &Rule::Replace));
                lists::once_per_key(merged)
            }
            Rule::Append => append(lists::listed(base), lists::listed(over)),
            Rule::Hosts => append(lists::hosts(base), lists::hosts(over)),
            Rule::Once(key) => lists::once(append(lists::listed(base), lists::listed(over)), *key),
            Rule::Ports => {
                let (ports, same) = lists::ports(&base, &over, &mut self.ports);
                if !same {
                    self.warn(&over, lists::FEWER_PORTS, "");
                }
                ports.unwrap_or_else(|| append(base, over))
            }
            Rule::Any => match (&base.value, &over.value) {
                (Value::Mapping(_), Value::Mapping(_)) => self.keys(base, over, |_| &Rule::Any),
                (Value::Sequence(_), Value::Sequence(_)) => append(base, over),
                _ => over,
            },
            Rule::Pairs => self.keys(lists::paired(base), lists::paired(over), |_| &Rule::Replace),
            Rule::Variables => self.keys(lists::variables(base), lists::variables(over), |_| &Rule::Replace),
            Rule::Conditions => self.keys(lists::conditions(base), lists::conditions(over), |_| &Rule::Any),
            Rule::Members(rule) => self.keys(lists::keyed(base), lists::keyed(over), |_| rule),
            Rule::Environment => self.keys(base, over, |_| &Rule::Text),
            Rule::Dependencies => {
                if base.mapping().is_some() || over.mapping().is_some() {
                    return self.keys(lists::keyed(base), lists::keyed(over), |_| &Rule::Replace);
                }
                append(base, over)
            }
            Rule::Networks => self.keys(lists::keyed(base), lists::keyed(over), |_| &Rule::Attachment),
            Rule::Attachment => self.attachment(base, over),
            Rule::Logging => self.logging(base, over),
            Rule::Test if is_empty(&over) => base,
            Rule::Test => {
                if !is_empty(&base) {
                    self.warn(
                        &over,
                        "this test replaces the earlier one, where `docker stack deploy` appends it to that",
                        "",
                    );
                }
                over
            }
        }
    }

    /// Merges two mappings key by key, in the order in which the keys came.
    fn keys<'r>(&mut self, base: Node, over: Node, rule: impl Fn(&str) -> &'r Rule) -> Node {
        let (base_keys, over_keys) = match (base.value, over.value) {
            (Value::Mapping(base_keys), Value::Mapping(over_keys)) => (base_keys, over_keys),
            // One of them has the wrong type: the later one is decoded, and reported if it is that one.
            (_, value) => return Node { span: over.span, tag: over.tag, value },
        };
        let mut over_keys: HashMap<String, (usize, Entry)> =
            over_keys.entries.into_iter().enumerate().map(|(at, entry)| (entry.key.clone(), (at, entry))).collect();
        let mut entries = Vec::with_capacity(base_keys.entries.len() + over_keys.len());
        for entry in base_keys.entries {
            match over_keys.remove(&entry.key) {
                None => entries.push(entry),
                Some((_, other)) => {
                    let value = self.merge(entry.value, other.value, rule(&entry.key));
                    entries.push(Entry { value, ..entry });
                }
            }
        }
        let mut added: Vec<(usize, Entry)> = over_keys.into_values().collect();
        added.sort_by_key(|(at, _)| *at);
        entries.extend(added.into_iter().map(|(_, entry)| entry));
        Node { span: base.span, tag: base.tag, value: Value::Mapping(Mapping { entries }) }
    }

    /// How a service joins a network: the later aliases replace the earlier ones even where there are none, and later
    /// driver options are lost.
    fn attachment(&mut self, base: Node, over: Node) -> Node {
        let lost = over.mapping().and_then(|keys| keys.find("driver_opts")).map(|entry| entry.value.clone());
        if let Some(lost) = lost {
            let what = "these options are lost, as in `docker stack deploy`: an earlier file joins this network";
            self.warn(&lost, what, "put them into the file that joins the network first");
        }
        let said = over.mapping().is_some_and(|keys| keys.find("aliases").is_some());
        let without = |node: Node, gone: &str| match node.value {
            Value::Mapping(mut mapping) => {
                mapping.entries.retain(|entry| entry.key != gone);
                Node { value: Value::Mapping(mapping), ..node }
            }
            _ => node,
        };
        let base = if said { base } else { without(base, "aliases") };
        self.keys(base, without(over, "driver_opts"), |key| if key == "aliases" { &Rule::Present } else { &Rule::Text })
    }

    /// Options of one driver are merged, another driver replaces all.
    fn logging(&mut self, base: Node, over: Node) -> Node {
        let driver = |node: &Node| {
            let driver = node.mapping()?.find("driver")?.value.scalar()?;
            Some(driver.text.clone()).filter(|text| !text.is_empty())
        };
        match (driver(&base), driver(&over)) {
            (Some(one), Some(other)) if one != other => over,
            _ => self.keys(base, over, |key| if key == "options" { &Rule::Pairs } else { &Rule::Text }),
        }
    }

    fn warn(&mut self, at: &Node, message: &str, hint: &str) {
        let fault = Diagnostic::warning(code::MERGE_DIFFERS, message).at(at.span);
        self.faults.push(if hint.is_empty() { fault } else { fault.hint(hint) });
    }
}

fn append(base: Node, over: Node) -> Node {
    match (base.value, over.value) {
        (Value::Sequence(mut items), Value::Sequence(more)) => {
            items.extend(more);
            Node { span: base.span, tag: base.tag, value: Value::Sequence(items) }
        }
        // One of them has the wrong type, and is reported when it is decoded.
        (Value::Sequence(_), other) => Node { span: over.span, tag: over.tag, value: other },
        (value, _) => Node { span: base.span, tag: base.tag, value },
    }
}

/// Text without a letter, a list or a mapping without an entry.
fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => scalar.text.is_empty() || scalar.is_null(),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(mapping) => mapping.entries.is_empty(),
    }
}

/// What Go takes for the zero value of a boolean, a number or a duration.
fn is_zero(node: &Node) -> bool {
    let Some(scalar) = node.scalar() else { return false };
    // Whatever form it was written in: `"0"` and `${ZERO}` are zero as well.
    let plain = Scalar { style: Style::Plain, interpolated: false, ..scalar.clone() };
    let text = plain.go_text().unwrap_or_default();
    text.is_empty()
        || super::cast::truth(&text) == Some(false)
        || text.parse::<f64>() == Ok(0.0)
        || crate::yaml::parse_duration(&text) == Some(0)
        || super::quantity::bytes(&text) == Some(0)
}
