//! Which rule holds for which key.

/// How the values of two files become one.
pub(super) enum Rule {
    /// The later one, whole, whatever it is.
    Replace,
    /// The later one, if it is there.
    Present,
    /// The later one, unless it is empty.
    Text,
    /// The later one, unless it is false, zero or empty: that cannot be told from silence in Go.
    NonZero,
    /// A mapping with keys of which each has a rule; others are replaced.
    Keys(&'static [(&'static str, Rule)]),
    /// A mapping with keys of the user's own, under one rule.
    Named(&'static Rule),
    /// A service.
    Service,
    /// Both lists, one after the other; a single text is a list of one.
    Append,
    /// [`Rule::Append`] for `extra_hosts`, of which the mapping form becomes a list.
    Hosts,
    /// Both lists, where the later file publishes a number anew.
    Ports,
    /// Key by key; the list form becomes a mapping.
    Pairs,
    /// Key by key, an empty value overriding nothing.
    Environment,
    /// `depends_on`.
    Dependencies,
    /// Networks of a service.
    Networks,
    /// How a service joins one network.
    Attachment,
    /// The log driver.
    Logging,
    /// A healthcheck's test.
    Test,
    /// Mappings key by key, lists one after the other, the later one of anything else.
    Any,
    /// A mapping with keys of which each has a rule; others are merged as [`Rule::Any`].
    Known(&'static [(&'static str, Rule)]),
    /// Key by key; the list form becomes a mapping, in which a name alone is not an empty value.
    Variables,
    /// Both lists; of two entries with the same key the later one stays, in the place of the earlier.
    Once(Key),
    /// A mapping from names to options, or a list of names; under the rule.
    Members(&'static Rule),
    /// `depends_on`: a name in a list says `service_started`.
    Conditions,
}

/// What an entry of a list is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// All of it, of `key=value` the key.
    Text,
    /// The path of a mount.
    Mount,
    /// The path of a config.
    Config,
    /// The path of a secret.
    Secret,
    /// The path of a file of variables.
    EnvFile,
    /// A port as it is published.
    Port,
    /// The subnet of an address pool.
    Subnet,
}

use Rule::{Append, Keys, Known, Members, Named, NonZero, Once, Pairs, Present, Replace, Text};

/// The rule of a key in a table, or another.
pub(super) fn find(known: &'static [(&'static str, Rule)], key: &str, other: &'static Rule) -> &'static Rule {
    known.iter().find(|(name, _)| *name == key).map_or(other, |(_, rule)| rule)
}

/// The keys of a file by Docker's rule. A network, volume, config or secret is replaced whole.
pub(super) const FILE: &[(&str, Rule)] = &[
    ("services", Named(&Rule::Service)),
    ("networks", Named(&Replace)),
    ("volumes", Named(&Replace)),
    ("configs", Named(&Replace)),
    ("secrets", Named(&Replace)),
    ("x-skep", Named(&Replace)),
];

/// The keys of a service by Docker's rule; those that Docker does not know, by the Compose Specification's.
pub(super) const SERVICE: &[(&str, Rule)] = &[
    ("cap_add", Append),
    ("cap_drop", Append),
    ("command", Text),
    ("configs", Append),
    ("container_name", Text),
    ("depends_on", Rule::Dependencies),
    ("deploy", Keys(DEPLOY)),
    ("devices", Append),
    ("dns", Append),
    ("dns_opt", Once(Key::Text)),
    ("dns_search", Append),
    ("entrypoint", Text),
    ("environment", Rule::Environment),
    ("expose", Append),
    ("external_links", Append),
    ("extra_hosts", Rule::Hosts),
    ("group_add", Append),
    ("healthcheck", Keys(HEALTHCHECK)),
    ("hostname", Text),
    ("image", Text),
    ("init", NonZero),
    ("isolation", Text),
    ("label_file", Append),
    ("labels", Pairs),
    ("links", Append),
    ("logging", Rule::Logging),
    ("networks", Rule::Networks),
    ("ports", Rule::Ports),
    ("privileged", NonZero),
    ("profiles", Once(Key::Text)),
    ("read_only", NonZero),
    ("restart", Text),
    ("secrets", Append),
    ("security_opt", Append),
    ("stdin_open", NonZero),
    ("stop_grace_period", NonZero),
    ("stop_signal", Text),
    ("sysctls", Pairs),
    ("tmpfs", Append),
    ("tty", NonZero),
    ("ulimits", Named(&Replace)),
    ("user", Text),
    ("volumes", Append),
    ("working_dir", Text),
    ("x-skep", Named(&Replace)),
];

const HEALTHCHECK: &[(&str, Rule)] = &[
    ("disable", NonZero),
    ("interval", NonZero),
    ("retries", Present),
    ("start_interval", NonZero),
    ("start_period", NonZero),
    ("test", Rule::Test),
    ("timeout", NonZero),
];

const DEPLOY: &[(&str, Rule)] = &[
    ("endpoint_mode", Text),
    ("labels", Pairs),
    ("mode", Text),
    ("placement", Keys(PLACEMENT)),
    ("replicas", Present),
    ("resources", Keys(RESOURCES)),
    ("restart_policy", Keys(RESTART)),
    ("rollback_config", Keys(UPDATE)),
    ("update_config", Keys(UPDATE)),
];

const PLACEMENT: &[(&str, Rule)] =
    &[("constraints", Append), ("max_replicas_per_node", NonZero), ("preferences", Append)];

const RESOURCES: &[(&str, Rule)] = &[("limits", Keys(AMOUNTS)), ("reservations", Keys(AMOUNTS))];

const AMOUNTS: &[(&str, Rule)] =
    &[("cpus", Text), ("generic_resources", Append), ("memory", NonZero), ("pids", NonZero)];

const RESTART: &[(&str, Rule)] =
    &[("condition", Text), ("delay", NonZero), ("max_attempts", Present), ("window", NonZero)];

const UPDATE: &[(&str, Rule)] = &[
    ("delay", NonZero),
    ("failure_action", Text),
    ("max_failure_ratio", NonZero),
    ("monitor", NonZero),
    ("order", Text),
    ("parallelism", Present),
];

/// The keys of a file by the Compose Specification's rule.
pub(super) const MODERN_FILE: &[(&str, Rule)] = &[
    ("services", Named(&Known(MODERN_SERVICE))),
    ("networks", Named(&Known(MODERN_NETWORK))),
    ("volumes", Named(&Known(LABELLED))),
    ("configs", Named(&Known(LABELLED))),
    ("secrets", Named(&Known(LABELLED))),
];

/// The keys of a service by the Compose Specification's rule.
pub(super) const MODERN_SERVICE: &[(&str, Rule)] = &[
    ("annotations", Pairs),
    ("cap_add", Once(Key::Text)),
    ("cap_drop", Once(Key::Text)),
    ("command", Replace),
    ("configs", Once(Key::Config)),
    ("depends_on", Rule::Conditions),
    ("deploy", Known(LABELLED)),
    ("dns", Once(Key::Text)),
    ("dns_opt", Once(Key::Text)),
    ("dns_search", Once(Key::Text)),
    ("entrypoint", Replace),
    ("env_file", Once(Key::EnvFile)),
    ("environment", Rule::Variables),
    ("expose", Once(Key::Text)),
    ("extra_hosts", Rule::Hosts),
    ("healthcheck", Known(&[("test", Replace)])),
    ("label_file", Append),
    ("labels", Pairs),
    ("links", Once(Key::Text)),
    ("logging", Rule::Logging),
    ("networks", Members(&Known(&[("aliases", Once(Key::Text))]))),
    ("ports", Once(Key::Port)),
    ("profiles", Once(Key::Text)),
    ("secrets", Once(Key::Secret)),
    ("sysctls", Pairs),
    ("tmpfs", Once(Key::Text)),
    ("ulimits", Named(&Replace)),
    ("volumes", Once(Key::Mount)),
];

const MODERN_NETWORK: &[(&str, Rule)] = &[("ipam", Known(&[("config", Once(Key::Subnet))])), ("labels", Pairs)];

const LABELLED: &[(&str, Rule)] = &[("labels", Pairs)];
