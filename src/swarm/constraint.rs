//! Placement constraints, by the engine's own grammar: `KEY == VALUE` or `KEY != VALUE`.

use std::net::IpAddr;

use super::Node;

/// Whether a node meets all of a service's constraints. One that does not parse, or whose key nobody knows, is met by no
/// node, as in the engine.
pub fn are_met(constraints: &[String], node: &Node) -> bool {
    constraints.iter().all(|constraint| is_met(constraint, node))
}

/// Whether the engine would start a new task on a node: it is there, takes tasks and meets the constraints.
pub fn is_eligible(constraints: &[String], node: &Node) -> bool {
    node.status.state == "ready" && node.spec.availability == "active" && are_met(constraints, node)
}

/// Whether a node meets one constraint.
pub fn is_met(constraint: &str, node: &Node) -> bool {
    let (key, value, equal) = match (constraint.split_once("=="), constraint.split_once("!=")) {
        (Some((key, value)), None) => (key.trim(), value.trim(), true),
        (None, Some((key, value))) => (key.trim(), value.trim(), false),
        _ => return false,
    };
    if key.eq_ignore_ascii_case("node.ip") {
        return is_in(&node.status.addr, value) == equal;
    }
    let Some(found) = attribute(key, node) else { return false };
    found.eq_ignore_ascii_case(value) == equal
}

/// What a node has for a key; a label it does not have is empty. `None` where the key is unknown.
fn attribute<'a>(key: &str, node: &'a Node) -> Option<&'a str> {
    let text = |parent: &str, field: &str| {
        let value = node.description.extra.get(parent).and_then(|value| value.get(field));
        value.and_then(serde_json::Value::as_str).unwrap_or("")
    };
    if let Some(label) = strip(key, "node.labels.") {
        return Some(node.spec.labels.get(label).map_or("", String::as_str));
    }
    if let Some(label) = strip(key, "engine.labels.") {
        let labels = node.description.extra.get("Engine").and_then(|engine| engine.get("Labels"));
        return Some(labels.and_then(|labels| labels.get(label)).and_then(serde_json::Value::as_str).unwrap_or(""));
    }
    match key.to_ascii_lowercase().as_str() {
        "node.id" => Some(&node.id),
        "node.hostname" => Some(&node.description.hostname),
        "node.role" => Some(&node.spec.role),
        "node.platform.os" => Some(text("Platform", "OS")),
        "node.platform.arch" => Some(text("Platform", "Architecture")),
        _ => None,
    }
}

fn strip<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    let head = key.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| key.get(prefix.len()..)).flatten()
}

/// Whether an address is the one given, or lies in the network given in CIDR form.
fn is_in(address: &str, value: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let Some((network, bits)) = value.split_once('/') else { return value.parse() == Ok(address) };
    match (address, network.parse(), bits.parse::<u32>()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(network)), Ok(bits @ 0..=32)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(network)), Ok(bits @ 0..=128)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node() -> Node {
        serde_json::from_value(json!({
            "ID": "n1",
            "Spec": { "Labels": { "zone": "a", "Case": "Sensitive" }, "Role": "worker", "Availability": "active" },
            "Description": {
                "Hostname": "box-1",
                "Platform": { "Architecture": "x86_64", "OS": "linux" },
                "Engine": { "Labels": { "disk": "ssd" } }
            },
            "Status": { "State": "ready", "Addr": "10.1.2.3" }
        }))
        .expect("a node")
    }

    #[test]
    fn constraints_are_met_as_the_engine_says() {
        for (constraint, met) in [
            ("node.role == worker", true),
            ("node.role==WORKER", true),
            ("node.role != worker", false),
            ("node.hostname == box-1", true),
            ("node.id != n1", false),
            ("node.labels.zone == a", true),
            ("node.labels.zone == b", false),
            ("node.labels.case == Sensitive", false),
            ("node.labels.Case == sensitive", true),
            ("node.labels.absent != x", true),
            ("node.labels.absent == x", false),
            ("engine.labels.disk == ssd", true),
            ("node.platform.arch == x86_64", true),
            ("node.platform.os != windows", true),
            ("node.ip == 10.1.2.3", true),
            ("node.ip == 10.1.0.0/16", true),
            ("node.ip != 10.1.0.0/16", false),
            ("node.ip == 0.0.0.0/0", true),
            ("node.ip == 10.2.0.0/16", false),
            ("node.weather != sunny", false),
            ("nonsense", false),
        ] {
            assert_eq!(are_met(&[constraint.to_owned()], &node()), met, "{constraint}");
        }
    }

    #[test]
    fn a_node_that_is_paused_or_away_takes_no_new_task() {
        assert!(is_eligible(&[], &node()));
        let mut paused = node();
        paused.spec.availability = "pause".to_owned();
        assert!(!is_eligible(&[], &paused));
        let mut down = node();
        down.status.state = "down".to_owned();
        assert!(!is_eligible(&[], &down));
    }
}
