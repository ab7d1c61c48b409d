//! What becomes of every key of a stack file: the table behind `docs/compose.md`. A test holds it against the schema, and
//! against what lowering makes of a file that has every key.

mod attached;
mod deploy;
mod object;
mod service;

use super::keys::{self, Fate};

/// What a key becomes. Paths are JSON pointers, `*` for any index or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// Fields of a service's spec.
    Service(&'static [&'static str]),
    /// Fields of a network's spec, which nobody can change.
    Network(&'static [&'static str]),
    /// Fields of a service's spec that only count where a node makes the volume.
    Volume(&'static [&'static str]),
    /// The data of a config or secret, or what stands for it: another content is another object.
    Content,
    /// The labels of a config or secret.
    Labels,
    /// Nothing of its own: it says how something else is read, named or ordered.
    Reading,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its path below the table's.
    pub key: &'static str,
    /// The version of skep that first took it.
    pub since: &'static str,
    /// What it becomes.
    pub becomes: Becomes,
    /// A word on how.
    pub note: &'static str,
    /// Where `docker stack deploy` does otherwise.
    pub differs: &'static str,
}

impl Row {
    const fn new(key: &'static str, becomes: Becomes) -> Self {
        Self { key, since: "0.1.0", becomes, note: "", differs: "" }
    }

    /// With a word on how.
    const fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// With what `docker stack deploy` does instead.
    const fn differs(self, differs: &'static str) -> Self {
        Self { differs, ..self }
    }

    /// Of a key that `docker stack deploy` refuses.
    const fn refused_there(self) -> Self {
        self.differs("refused")
    }
}

const fn service(key: &'static str, fields: &'static [&'static str]) -> Row {
    Row::new(key, Becomes::Service(fields))
}

const fn reading(key: &'static str, note: &'static str) -> Row {
    Row::new(key, Becomes::Reading).note(note)
}

/// A key that is known and not carried out.
#[derive(Debug, Clone, Copy)]
pub struct Uncarried {
    /// Its path below the table's.
    pub key: &'static str,
    /// Whether it is an error; else it is ignored, with a warning.
    pub is_error: bool,
    /// What to do instead.
    pub instead: &'static str,
}

/// The keys of one mapping.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// What it is a table of.
    pub title: &'static str,
    /// The path of the mapping, `*` for names of the user's own; lists add nothing to a path.
    pub path: &'static str,
    /// The keys that are carried out.
    pub rows: &'static [Row],
    known: &'static [keys::Known],
}

impl Table {
    /// The keys that are known and not carried out.
    pub fn uncarried(&self) -> impl Iterator<Item = Uncarried> {
        self.known.iter().map(|(key, fate)| match fate {
            Fate::Ignored(instead) | Fate::Dropped(instead) => Uncarried { key, is_error: false, instead },
            Fate::Refused(instead) => Uncarried { key, is_error: true, instead },
        })
    }

    /// The whole path of one of its keys.
    pub fn whole(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// Every key, mapping by mapping.
pub const TABLES: &[Table] = &[
    Table { title: "The file", path: "", rows: object::FILE, known: keys::FILE },
    Table { title: "Services", path: "services.*", rows: service::ROWS, known: keys::SERVICE },
    Table {
        title: "`depends_on`",
        path: "services.*.depends_on.*",
        rows: service::DEPENDENCY,
        known: keys::DEPENDENCY,
    },
    Table { title: "`deploy`", path: "services.*.deploy", rows: deploy::ROWS, known: &[] },
    Table {
        title: "`deploy.resources.reservations`",
        path: "services.*.deploy.resources.reservations",
        rows: deploy::RESERVATIONS,
        known: keys::RESERVATIONS,
    },
    Table { title: "Ports", path: "services.*.ports", rows: attached::PORT, known: &[] },
    Table { title: "Mounts", path: "services.*.volumes", rows: attached::MOUNT, known: keys::MOUNT },
    Table { title: "Volumes", path: "volumes.*", rows: object::VOLUME, known: &[] },
    Table {
        title: "Networks of a service",
        path: "services.*.networks.*",
        rows: attached::ATTACHMENT,
        known: keys::ATTACHMENT,
    },
    Table { title: "Networks", path: "networks.*", rows: object::NETWORK, known: &[] },
    Table { title: "`ipam.config`", path: "networks.*.ipam.config", rows: object::POOL, known: keys::SUBNET },
    Table { title: "Configs of a service", path: "services.*.configs", rows: attached::CONFIG, known: &[] },
    Table { title: "Secrets of a service", path: "services.*.secrets", rows: attached::SECRET, known: &[] },
    Table { title: "Configs", path: "configs.*", rows: object::CONFIG, known: &[] },
    Table { title: "Secrets", path: "secrets.*", rows: object::SECRET, known: &[] },
];
