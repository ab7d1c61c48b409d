//! Lists in the forms that merging wants them in, and lists in which every entry has a key.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::{Port, mount, port};
use super::rules::Key;
use crate::yaml::{Entry, Mapping, Node, Resolved, Scalar, Value};

/// A single text as a list of one.
pub(super) fn listed(node: Node) -> Node {
    match node.value {
        Value::Scalar(_) => Node { span: node.span, tag: None, value: Value::Sequence(vec![node]) },
        _ => node,
    }
}

/// A list of `key=value` as a mapping; a key alone has an empty value.
pub(super) fn paired(node: Node) -> Node {
    as_mapping(node, |text| text.split_once('=').unwrap_or((text, "")))
}

/// A list of `NAME=value` as a mapping; a name alone has none, which is not the same as an empty one.
pub(super) fn variables(node: Node) -> Node {
    let bare: HashSet<String> = node
        .sequence()
        .unwrap_or_default()
        .iter()
        .filter_map(|item| item.scalar().filter(|scalar| !scalar.text.contains('=')))
        .map(|scalar| scalar.text.clone())
        .collect();
    let mut paired = paired(node);
    if let Value::Mapping(mapping) = &mut paired.value {
        for entry in mapping.entries.iter_mut().filter(|entry| bare.contains(&entry.key)) {
            match &mut entry.value.value {
                // `NAME=` after `NAME` says something.
                Value::Scalar(scalar) if scalar.text.is_empty() => *scalar = Scalar::plain(""),
                _ => {}
            }
        }
    }
    paired
}

/// A list of keys as a mapping to nothing.
pub(super) fn keyed(node: Node) -> Node {
    let Value::Sequence(items) = node.value else { return node };
    let entry = |item: Node| {
        let Value::Scalar(scalar) = item.value else { return None };
        let value = Node { span: item.span, tag: None, value: Value::Scalar(Scalar::plain("")) };
        Some(Entry { key: scalar.text, key_span: item.span, value })
    };
    if items.iter().any(|item| item.scalar().is_none()) {
        return Node { value: Value::Sequence(items), ..node_of(node.span) };
    }
    let entries = last_wins(items.into_iter().filter_map(entry));
    Node { value: Value::Mapping(Mapping { entries }), ..node_of(node.span) }
}

/// A list of services as a mapping to what it means.
pub(super) fn conditions(node: Node) -> Node {
    let is_list = node.sequence().is_some();
    let mut keyed = keyed(node);
    if let Value::Mapping(mapping) = &mut keyed.value {
        for entry in mapping.entries.iter_mut().filter(|_| is_list) {
            let started =
                Node { span: entry.key_span, tag: None, value: Value::Scalar(Scalar::quoted("service_started")) };
            let condition = Entry { key: "condition".to_owned(), key_span: entry.key_span, value: started };
            entry.value.value = Value::Mapping(Mapping { entries: vec![condition] });
        }
    }
    keyed
}

fn as_mapping(node: Node, split: impl Fn(&str) -> (&str, &str)) -> Node {
    let Value::Sequence(items) = node.value else { return node };
    // What is no text is reported when it is decoded, so it must stay.
    if items.iter().any(|item| item.scalar().is_none_or(|scalar| scalar.resolve() != Resolved::Text)) {
        return Node { value: Value::Sequence(items), ..node_of(node.span) };
    }
    let entry = |item: &Node| {
        let (key, value) = split(&item.scalar()?.text);
        let secret = item.scalar()?.secret;
        let value = Value::Scalar(Scalar { secret, ..Scalar::quoted(value) });
        Some(Entry { key: key.to_owned(), key_span: item.span, value: Node { span: item.span, tag: None, value } })
    };
    let entries = last_wins(items.iter().filter_map(entry));
    Node { value: Value::Mapping(Mapping { entries }), ..node_of(node.span) }
}

/// A mapping has each key once.
fn last_wins(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut once: Vec<Entry> = Vec::new();
    for entry in entries {
        match places.get(&entry.key).and_then(|at| once.get_mut(*at)) {
            Some(earlier) => *earlier = entry,
            None => {
                places.insert(entry.key.clone(), once.len());
                once.push(entry);
            }
        }
    }
    once
}

fn node_of(span: crate::diag::Span) -> Node {
    Node { span, tag: None, value: Value::Sequence(Vec::new()) }
}

/// A mapping from hosts to addresses as a sorted list of `host:address`.
pub(super) fn hosts(node: Node) -> Node {
    let Value::Mapping(mapping) = &node.value else { return node };
    let mut lines: Vec<(String, Node)> = Vec::new();
    for entry in &mapping.entries {
        let addresses = match &entry.value.value {
            Value::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        for address in addresses {
            let Some(scalar) = address.scalar() else { return node };
            let Some(text) = scalar.go_text() else { continue };
            let line = format!("{}:{text}", entry.key);
            let value = Value::Scalar(Scalar { secret: scalar.secret, ..Scalar::quoted(line.clone()) });
            lines.push((line, Node { span: address.span, tag: None, value }));
        }
    }
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    Node { value: Value::Sequence(lines.into_iter().map(|(_, line)| line).collect()), ..node_of(node.span) }
}

/// The lists of a merged service in which every entry has a key: the last of a key stays, sorted by it. `docker stack
/// deploy` does so for every service that two files have, even where only one of them has the list.
pub(super) fn once_per_key(mut service: Node) -> Node {
    let Value::Mapping(mapping) = &mut service.value else { return service };
    for entry in &mut mapping.entries {
        let key = match entry.key.as_str() {
            "volumes" => mount_target,
            "configs" | "secrets" => source,
            _ => continue,
        };
        let Value::Sequence(items) = &mut entry.value.value else { continue };
        let mut kept: BTreeMap<String, Node> = BTreeMap::new();
        let mut unknown = Vec::new();
        for item in std::mem::take(items) {
            match key(&item) {
                Some(key) => {
                    kept.insert(key, item);
                }
                None => unknown.push(item),
            }
        }
        items.extend(kept.into_values().chain(unknown));
    }
    service
}

/// Each entry once: of two with the same key the later one, where the earlier one stood. One without a key stays.
pub(super) fn once(mut node: Node, key: Key) -> Node {
    let Value::Sequence(items) = &mut node.value else { return node };
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Node> = Vec::with_capacity(items.len());
    for item in std::mem::take(items) {
        let known = known_by(&item, key).and_then(|name| match places.get(&name) {
            Some(at) => Some(*at),
            None => {
                places.insert(name, kept.len());
                None
            }
        });
        match known.and_then(|at| kept.get_mut(at)) {
            Some(earlier) if key == Key::Subnet => merge_pool(earlier, item),
            Some(earlier) => *earlier = item,
            None => kept.push(item),
        }
    }
    *items = kept;
    node
}

fn known_by(item: &Node, key: Key) -> Option<String> {
    let whole = || item.scalar().map(|scalar| scalar.text.clone());
    let mounted = |directory: &str| {
        let at = |name: String| format!("{directory}/{name}");
        whole().map(at).or_else(|| text(item, "target").or_else(|| text(item, "source").map(at)))
    };
    match key {
        Key::Text => whole().map(|text| text.split_once('=').map_or(text.clone(), |(key, _)| key.to_owned())),
        Key::Mount => mount_target(item),
        Key::Config => mounted(""),
        Key::Secret => mounted("/run/secrets"),
        Key::EnvFile => whole().or_else(|| text(item, "path")),
        Key::Subnet => text(item, "subnet"),
        Key::Port => match item.mapping() {
            None => item.scalar()?.go_text(),
            Some(_) => {
                let part = |key, silent: &str| text(item, key).unwrap_or_else(|| silent.to_owned());
                let (address, published) = (part("host_ip", "0.0.0.0"), part("published", ""));
                Some(format!("{address}:{published}:{}/{}", text(item, "target")?, part("protocol", "tcp")))
            }
        },
    }
}

/// Two pools of one subnet are one, key by key.
fn merge_pool(earlier: &mut Node, later: Node) {
    let (Value::Mapping(keys), Value::Mapping(more)) = (&mut earlier.value, later.value) else { return };
    for entry in more.entries {
        match keys.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => keys.entries.push(entry),
        }
    }
}

fn mount_target(item: &Node) -> Option<String> {
    match &item.value {
        Value::Scalar(scalar) => mount::short(&scalar.text).ok().map(|short| short.mount.target),
        _ => text(item, "target"),
    }
}

fn source(item: &Node) -> Option<String> {
    match &item.value {
        Value::Scalar(scalar) => Some(scalar.text.clone()),
        _ => text(item, "source"),
    }
}

fn text(item: &Node, key: &str) -> Option<String> {
    item.mapping()?.find(key)?.value.scalar()?.go_text()
}

/// What `docker stack deploy` 28 does to the ports of a service that two files have.
pub(super) const FEWER_PORTS: &str =
    "all ports stay, where `docker stack deploy` keeps one a number, whatever its protocol, and one without a number";

/// Both lists of ports, and whether Docker has the same. A number that the later file publishes again, for the same
/// protocol, is the later file's; all others stay. No list where one of the two is none, or where they have more ports
/// than are `left`: a stack with so many is refused.
pub(super) fn ports(base: &Node, over: &Node, left: &mut usize) -> (Option<Node>, bool) {
    let (Some(base_items), Some(over_items)) = (base.sequence(), over.sequence()) else { return (None, true) };
    let (Some(earlier), Some(later)) = (all(base_items, left), all(over_items, left)) else { return (None, true) };
    let taken: HashSet<(u32, &str)> = later.iter().filter(|p| p.published != 0).map(published).collect();
    let mut items = Vec::with_capacity(base_items.len() + over_items.len());
    let mut stay: Vec<Port> = Vec::new();
    for item in base_items {
        let all = expanded(item);
        let kept: Vec<Port> = all.iter().filter(|port| !taken.contains(&published(port))).cloned().collect();
        if kept.len() == all.len() {
            items.push(item.clone());
        } else {
            // A range of which one number was taken falls into its parts.
            items.extend(kept.iter().map(|port| long_form(port, item.span)));
        }
        stay.extend(kept);
    }
    let docker = as_docker_merges(earlier.into_iter().chain(later.iter().cloned()));
    let same = docker == sorted(stay.iter().chain(&later));
    items.extend(over_items.iter().cloned());
    (Some(Node { value: Value::Sequence(items), ..node_of(base.span) }), same)
}

/// The ports of a service of which Docker would lose some merely because a later file has the service too.
pub(super) fn lost_ports<'n>(base: &'n Node, over: &Node, left: &mut usize) -> Option<&'n Node> {
    let find = |node: &'n Node| node.mapping()?.find("ports").map(|entry| &entry.value);
    let ports = find(base).filter(|_| over.mapping().is_some_and(|keys| keys.find("ports").is_none()))?;
    let all = all(ports.sequence()?, left)?;
    (as_docker_merges(all.iter().cloned()) != sorted(all.iter())).then_some(ports)
}

fn published(port: &Port) -> (u32, &str) {
    (port.published, if port.protocol.is_empty() { "tcp" } else { &port.protocol })
}

/// The ports of all entries, if there are so many left.
fn all(items: &[Node], left: &mut usize) -> Option<Vec<Port>> {
    let mut ports = Vec::new();
    for item in items {
        let more = expanded(item);
        *left = left.saturating_sub(more.len());
        if *left == 0 {
            return None;
        }
        ports.extend(more);
    }
    Some(ports)
}

/// The ports of one entry; none where it does not parse, which is reported when it is decoded.
fn expanded(item: &Node) -> Vec<Port> {
    match &item.value {
        Value::Scalar(scalar) => {
            scalar.go_text().and_then(|text| port::short(&text).ok()).map(|short| short.ports).unwrap_or_default()
        }
        Value::Mapping(_) => {
            let number = |key| text(item, key).and_then(|text| text.parse().ok());
            let Some(target) = number("target") else { return Vec::new() };
            vec![Port {
                target,
                published: number("published").unwrap_or(0),
                protocol: text(item, "protocol").unwrap_or_default().to_ascii_lowercase(),
                mode: text(item, "mode").unwrap_or_default().to_ascii_lowercase(),
            }]
        }
        Value::Sequence(_) => Vec::new(),
    }
}

fn as_docker_merges(ports: impl Iterator<Item = Port>) -> Vec<Port> {
    let by_number: BTreeMap<u32, Port> = ports.map(|port| (port.published, port)).collect();
    sorted(by_number.values())
}

fn sorted<'p>(ports: impl Iterator<Item = &'p Port>) -> Vec<Port> {
    let mut ports: Vec<Port> = ports.cloned().collect();
    ports.sort_by(|a, b| {
        let key = |p: &Port| (p.published, p.target, p.protocol.clone(), p.mode.clone());
        key(a).cmp(&key(b))
    });
    ports
}

fn long_form(port: &Port, span: crate::diag::Span) -> Node {
    let entry = |key: &str, scalar: Scalar| Entry {
        key: key.to_owned(),
        key_span: span,
        value: Node { span, tag: None, value: Value::Scalar(scalar) },
    };
    let entries = vec![
        entry("target", Scalar::plain(port.target.to_string())),
        entry("published", Scalar::plain(port.published.to_string())),
        entry("protocol", Scalar::quoted(port.protocol.clone())),
        entry("mode", Scalar::quoted(port.mode.clone())),
    ];
    Node { span, tag: None, value: Value::Mapping(Mapping { entries }) }
}
