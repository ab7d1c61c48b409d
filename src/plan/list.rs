//! The lists of a service's spec whose elements have names of their own, so that a plan can say which one differs.

use serde_json::Value;

/// How the elements of a list are told apart.
#[derive(Debug, Clone, Copy)]
enum Key {
    /// By the name in `NAME=value`.
    Variable,
    /// By the element itself.
    Whole,
    /// By a field of each element.
    Field(&'static str),
    /// By the file that a config or secret becomes, or by its own name where it becomes none.
    Target(&'static str),
    /// By the container's port and the protocol.
    Port,
}

/// A list whose elements have names.
#[derive(Debug)]
pub(super) struct List {
    path: &'static str,
    key: Key,
    /// What one element is called.
    pub word: &'static str,
}

/// Lists that are missing here are compared as one value: in `Args`, `Command` and `Test` the order is all that matters.
const LISTS: &[List] = &[
    list("/TaskTemplate/ContainerSpec/Env", Key::Variable, "env"),
    list("/TaskTemplate/ContainerSpec/Mounts", Key::Field("Target"), "mount"),
    list("/TaskTemplate/ContainerSpec/Configs", Key::Target("ConfigName"), "config"),
    list("/TaskTemplate/ContainerSpec/Secrets", Key::Target("SecretName"), "secret"),
    list("/TaskTemplate/ContainerSpec/Hosts", Key::Whole, "host"),
    list("/TaskTemplate/ContainerSpec/Groups", Key::Whole, "group"),
    list("/TaskTemplate/ContainerSpec/CapabilityAdd", Key::Whole, "cap_add"),
    list("/TaskTemplate/ContainerSpec/CapabilityDrop", Key::Whole, "cap_drop"),
    list("/TaskTemplate/ContainerSpec/Ulimits", Key::Field("Name"), "ulimit"),
    list("/TaskTemplate/Networks", Key::Field("Target"), "network"),
    list("/TaskTemplate/Placement/Constraints", Key::Whole, "constraint"),
    list("/EndpointSpec/Ports", Key::Port, "port"),
];

const fn list(path: &'static str, key: Key, word: &'static str) -> List {
    List { path, key, word }
}

/// The list at a path, where its elements have names.
pub(super) fn of(path: &str) -> Option<&'static List> {
    LISTS.iter().find(|list| list.path == path)
}

impl List {
    /// The elements with their names. `None` where one has no name or two have the same.
    pub fn keys<'a>(&self, values: &'a [Value]) -> Option<Vec<(String, &'a Value)>> {
        let mut keyed: Vec<(String, &Value)> = Vec::with_capacity(values.len());
        for value in values {
            let key = self.name(value)?;
            if keyed.iter().any(|(other, _)| *other == key) {
                return None;
            }
            keyed.push((key, value));
        }
        Some(keyed)
    }

    fn name(&self, value: &Value) -> Option<String> {
        let field = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        match self.key {
            Key::Variable => value.as_str().map(|text| text.split('=').next().unwrap_or(text).to_owned()),
            Key::Whole => value.as_str().map(str::to_owned),
            Key::Field(key) => field(value, key),
            Key::Target(name) => value.get("File").and_then(|file| field(file, "Name")).or_else(|| field(value, name)),
            Key::Port => {
                let target = value.get("TargetPort").and_then(Value::as_u64)?;
                Some(format!("{target}/{}", field(value, "Protocol")?))
            }
        }
    }
}
