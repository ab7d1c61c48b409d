//! What the lease object says.

use serde::{Deserialize, Serialize};

use crate::model::label;
use crate::swarm::{Config, ConfigSpec, Labels, Version};

/// The name of the lease, one a swarm.
pub const NAME: &str = "skep.lease";
/// The format this version of skep writes, in [`label::FORMAT`].
pub const FORMAT: u32 = 1;
/// A config cannot be empty. base64 of `lease\n`.
const DATA: &str = "bGVhc2UK";

/// What the holder writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseState {
    /// Who holds it, for people.
    pub holder: String,
    /// Raised whenever it changes hands. What an earlier holder still sends is known by its lower term.
    pub term: u64,
    /// Another one in every write: it tells one's own write from anybody else's.
    pub nonce: String,
    /// Whether the holder gave it up.
    pub released: bool,
}

/// The lease object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The object's id.
    pub id: String,
    /// The version that the next write must name.
    pub version: Version,
    /// What it says.
    pub content: Content,
}

/// What a lease object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// This.
    State(LeaseState),
    /// Nothing that can be read: somebody damaged it. It is held by nobody, once it no longer changes.
    Damaged,
    /// A newer skep wrote it: an older one keeps its hands off.
    Newer,
}

impl Held {
    /// What a config object says of the lease.
    pub fn of(config: &Config) -> Self {
        let label = |key| config.spec.labels.get(key).map(String::as_str).unwrap_or_default();
        let content = match label(label::FORMAT).parse::<u32>() {
            Ok(format) if format > FORMAT => Content::Newer,
            _ => serde_json::from_str(label(label::STATE)).map_or(Content::Damaged, Content::State),
        };
        Self { id: config.id.clone(), version: config.version, content }
    }
}

/// The config that holds a state. The first one has data, since there must be some; an update sends none, since it cannot
/// change.
pub(super) fn spec(state: &LeaseState, first: bool) -> Result<ConfigSpec, serde_json::Error> {
    let labels: Labels = [
        (label::KIND, label::KIND_LEASE.to_owned()),
        (label::FORMAT, FORMAT.to_string()),
        (label::STATE, serde_json::to_string(state)?),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let data = if first { DATA.to_owned() } else { String::new() };
    Ok(ConfigSpec { name: NAME.to_owned(), labels, data, ..ConfigSpec::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> LeaseState {
        LeaseState { holder: "n1".into(), term: 7, nonce: "abc".into(), released: false }
    }

    #[test]
    fn what_is_written_reads_back() {
        let spec = spec(&state(), true).expect("JSON");
        assert_eq!(spec.labels.get("skep.kind").map(String::as_str), Some("lease"));
        assert_eq!(
            spec.labels.get("skep.state").map(String::as_str),
            Some(r#"{"holder":"n1","term":7,"nonce":"abc","released":false}"#)
        );
        let config = Config { id: "c".into(), version: Version { index: 9 }, spec, ..Config::default() };
        let held = Held { id: "c".into(), version: Version { index: 9 }, content: Content::State(state()) };
        assert_eq!(Held::of(&config), held);
    }

    #[test]
    fn a_newer_format_and_a_damaged_state_are_told_apart() {
        let mut config = Config { spec: spec(&state(), true).expect("JSON"), ..Config::default() };
        config.spec.labels.insert("skep.state".into(), "{}".into());
        assert_eq!(Held::of(&config).content, Content::Damaged);
        config.spec.labels.insert("skep.format".into(), "2".into());
        assert_eq!(Held::of(&config).content, Content::Newer);
    }
}
