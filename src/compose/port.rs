//! `ports:`, in its short form `[address:][published:]target[/protocol]` and its long one.

use std::collections::HashMap;

use super::context::MAX_PORTS;
use super::{At, Context, Port, cast, keys};
use crate::diag::{Diagnostic, Span, code};
use crate::yaml::{Resolved, View};

/// What the short form says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Short {
    /// The address, which Swarm cannot keep to.
    pub address: String,
    /// The ports, ranges expanded.
    pub ports: Vec<Port>,
}

/// Why a text is no port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PortError {
    /// Nothing where a port must be.
    #[error("there is no container port")]
    Missing,
    /// Not a number of a port, or a range of them.
    #[error("`{0}` is not a port from 0 to 65535, or a range of ports")]
    Number(String),
    /// Not an IP address.
    #[error("`{0}` is not an IP address")]
    Address(String),
    /// Not a protocol.
    #[error("`{0}` is none of `tcp`, `udp`, `sctp`")]
    Protocol(String),
    /// Ranges of different lengths.
    #[error("the two ranges differ in length")]
    Ranges,
}

/// Reads the short form.
pub(super) fn short(text: &str) -> Result<Short, PortError> {
    let (head, target) = text.rsplit_once(':').map_or((None, text), |(head, target)| (Some(head), target));
    let (address, published) = match head {
        None => ("", ""),
        Some(head) => head.rsplit_once(':').unwrap_or(("", head)),
    };
    let (target, protocol) = target.split_once('/').unwrap_or((target, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if target.is_empty() {
        return Err(PortError::Missing);
    }
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    if !bare.is_empty() && bare.parse::<std::net::IpAddr>().is_err() {
        return Err(PortError::Address(address.to_owned()));
    }
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(PortError::Protocol(protocol));
    }
    let (first, last) = range(target)?;
    let port = |target: u16, published: u16| Port {
        target: target.into(),
        published: published.into(),
        protocol: protocol.clone(),
        mode: "ingress".to_owned(),
    };
    let mut ports: Vec<Port> = if published.is_empty() {
        (first..=last).map(|target| port(target, 0)).collect()
    } else {
        let (from, to) = range(published)?;
        if first == last {
            (from..=to).map(|published| port(first, published)).collect()
        } else if to - from == last - first {
            (first..=last).zip(from..=to).map(|(target, published)| port(target, published)).collect()
        } else {
            return Err(PortError::Ranges);
        }
    };
    // Docker keeps a range under the text of its ports, so `1000` comes before `999`.
    ports.sort_by_cached_key(|port| port.target.to_string());
    Ok(Short { address: address.to_owned(), ports })
}

fn range(text: &str) -> Result<(u16, u16), PortError> {
    let wrong = || PortError::Number(text.to_owned());
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten().ok_or_else(wrong)
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    if first <= last { Ok((first, last)) } else { Err(wrong()) }
}

/// The ports, each once. The engine refuses two that are published under one number.
pub(super) fn list(view: &View<'_>, context: &Context<'_>) -> Vec<At<Port>> {
    let mut ports: Vec<At<Port>> = Vec::new();
    let mut published: HashMap<(u32, String), usize> = HashMap::new();
    let mut add = |port: At<Port>| {
        let protocol = if port.value.protocol.is_empty() { "tcp" } else { port.value.protocol.as_str() };
        let key = (port.value.published, protocol.to_owned());
        let first = if key.0 == 0 { None } else { published.get(&key).and_then(|at| ports.get(*at)) };
        match first {
            None => {
                published.insert(key, ports.len());
                ports.push(port);
            }
            Some(first) if *first == port => {}
            Some(first) => {
                let message = format!("{}: the port {}/{protocol} is published twice", view.name(), key.0);
                let fault = Diagnostic::error(code::DUPLICATE_PORT, message).at(port.span);
                view.fault(match first.span {
                    Some(span) => fault.related(span, "first here"),
                    None => fault,
                });
            }
        }
    };
    let read = |item: View<'_>| {
        if context.has_refused_ports() {
            return None;
        }
        let expanded = decode(item)?;
        if !context.spend_ports(expanded.len()) {
            let message = format!("{}: the stack publishes more than {MAX_PORTS} ports", item.name());
            item.fault(Diagnostic::error(code::YAML_BOUNDS, message).at(item.span()));
            return None;
        }
        expanded.into_iter().for_each(&mut add);
        Some(())
    };
    view.list(read);
    ports
}

/// One entry of `ports:`, its ranges expanded.
fn decode(view: View<'_>) -> Option<Vec<At<Port>>> {
    let at = |port| At::new(port, view.span());
    if view.node().mapping().is_some() {
        return long(&view).map(|port| vec![at(port)]);
    }
    let text = match view.node().scalar().map(|scalar| (scalar.resolve(), &scalar.text)) {
        Some((Resolved::Int(number), _)) => number.to_string(),
        Some((Resolved::Text, text)) => text.clone(),
        _ => {
            view.wrong_type("a port: a number, text or a mapping");
            return None;
        }
    };
    match short(&text) {
        Ok(short) => {
            ignored_address(&view, &short.address, view.span());
            Some(short.ports.into_iter().map(at).collect())
        }
        Err(error) => {
            let fault = view.invalid_diagnostic(format_args!("{error}"));
            view.fault(
                fault.hint("ports are written as in `\"8080:80\"`, `\"53:53/udp\"` or `\"9000-9003:9000-9003\"`"),
            );
            None
        }
    }
}

/// Swarm publishes on every address of a node, which is nothing to tell where that was meant.
fn ignored_address(view: &View<'_>, address: &str, at: Span) {
    if matches!(address, "" | "0.0.0.0" | "::" | "[::]") {
        return;
    }
    let message = format!("{}: the address {address} is ignored, every address of a node answers", view.name());
    let fault = Diagnostic::warning(code::COMPOSE_UNSUPPORTED, message).at(at);
    view.fault(fault.hint("leave the address out, and keep others away with the node's firewall"));
}

/// The node's port. Compose may choose one out of a range, Swarm cannot.
fn published(port: View<'_>) -> Option<u32> {
    if let Some(range) = port.node().scalar().filter(|scalar| scalar.text.contains('-')) {
        let fault = port.invalid_diagnostic(format_args!("Swarm cannot choose a port out of `{}`", range.text));
        port.fault(fault.hint("name one port, or leave `published` out and the engine chooses"));
        return None;
    }
    cast::integer::<u16>(port).map(u32::from)
}

fn long(view: &View<'_>) -> Option<Port> {
    let mut fields = view.fields()?;
    let number = |port: View<'_>| cast::integer::<u16>(port).map(u32::from);
    let target = fields.require("target").and_then(number);
    let published = fields.take("published").and_then(published).unwrap_or(0);
    let protocol = fields.take("protocol").map(|word| word_or_default(word, &["tcp", "udp", "sctp"], "tcp"));
    let mode = fields.take("mode").map(|word| word_or_default(word, &["ingress", "host"], "ingress"));
    // For people and proxies to read; the engine has no use for them.
    let _ = (fields.text("name"), fields.text("app_protocol"));
    if let Some(address) = fields.take("host_ip").and_then(|address| address.text().zip(Some(address.span()))) {
        ignored_address(view, &address.0, address.1);
    }
    keys::finish(fields);
    Some(Port { target: target?, published, protocol: protocol.unwrap_or_default(), mode: mode.unwrap_or_default() })
}

/// A word the engine knows. Docker sends it any other and the engine takes its default for it in silence.
fn word_or_default(view: View<'_>, words: &[&str], default: &str) -> String {
    let Some(text) = view.str() else { return String::new() };
    let lower = text.to_ascii_lowercase();
    if lower.is_empty() || words.contains(&lower.as_str()) {
        return lower;
    }
    let message = format!("{}: the engine knows no `{text}` and takes `{default}` for it", view.name());
    let mut fault = Diagnostic::warning(code::INVALID_VALUE, message).at(view.span());
    if let Some(word) = crate::diag::did_you_mean(&lower, words.iter().copied()) {
        fault = fault.hint(format!("did you mean `{word}`?"));
    }
    view.fault(fault);
    default.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match short(text) {
            Ok(short) => {
                let ports: Vec<_> =
                    short.ports.iter().map(|p| format!("{}:{}/{}", p.published, p.target, p.protocol)).collect();
                format!("{}{}", if short.address.is_empty() { "" } else { "! " }, ports.join(" "))
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_short_form_expands() {
        for (text, ports) in [
            ("3000", "0:3000/tcp"),
            ("3001-3003", "0:3001/tcp 0:3002/tcp 0:3003/tcp"),
            ("8080:80", "8080:80/tcp"),
            ("0:80", "0:80/tcp"),
            ("53:53/udp", "53:53/udp"),
            ("53:53/UDP", "53:53/udp"),
            ("9090-9091:8080-8081", "9090:8080/tcp 9091:8081/tcp"),
            ("8000-8002:80", "8000:80/tcp 8001:80/tcp 8002:80/tcp"),
            ("127.0.0.1:90:90", "! 90:90/tcp"),
            ("[::1]:90:90", "! 90:90/tcp"),
            ("127.0.0.1::90", "! 0:90/tcp"),
            (":90", "0:90/tcp"),
            ("", "there is no container port"),
            ("80:", "there is no container port"),
            ("80:/tcp", "there is no container port"),
            ("9090-9091:8080-8082", "the two ranges differ in length"),
            ("70000", "`70000` is not a port from 0 to 65535, or a range of ports"),
            ("81-80", "`81-80` is not a port from 0 to 65535, or a range of ports"),
            ("+80", "`+80` is not a port from 0 to 65535, or a range of ports"),
            ("http", "`http` is not a port from 0 to 65535, or a range of ports"),
            ("80/icmp", "`icmp` is none of `tcp`, `udp`, `sctp`"),
            ("a.b:80:80", "`a.b` is not an IP address"),
            ("0-65535", ""),
        ] {
            if text == "0-65535" {
                assert_eq!(short(text).map(|short| short.ports.len()), Ok(65536));
            } else {
                assert_eq!(show(text), ports, "{text}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[0-9:./tcpud\\[\\]-]{0,30}") {
            let _ = short(&text);
        }

        #[test]
        fn a_pair_means_itself(published in 0_u16.., target in 0_u16..) {
            let port = short(&format!("{published}:{target}")).expect("a port").ports;
            proptest::prop_assert_eq!((port[0].published, port[0].target), (published.into(), target.into()));
        }
    }
}
