//! Mounts, and the volumes that they name.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::file::{Bind, Mount, Tmpfs, Volume, VolumeMount};
use super::keys::Keys;
use super::{Taken, is_of};
use crate::compose::grammar;
use crate::model::StackName;
use crate::swarm;

/// The volumes that mounts have named so far.
pub(super) struct Volumes<'a> {
    stack: &'a StackName,
    keys: Keys,
    /// Keys by the volume's name and how a mount describes it: two services may describe it differently.
    known: BTreeMap<(String, String), String>,
    definitions: IndexMap<String, Volume>,
}

impl<'a> Volumes<'a> {
    /// None yet.
    pub fn new(stack: &'a StackName) -> Self {
        Self { stack, keys: Keys::default(), known: BTreeMap::new(), definitions: IndexMap::new() }
    }

    /// The definitions, by key.
    pub fn into_definitions(mut self) -> IndexMap<String, Volume> {
        self.definitions.sort_unstable_keys();
        self.definitions
    }

    /// A mount, in its short form where that says the same.
    pub fn mount(&mut self, live: &swarm::Mount, taken: Taken) -> Mount {
        let source = match live.kind.as_str() {
            "volume" | "cluster" if !live.source.is_empty() && !live.source.starts_with("group:") => {
                self.volume(live, taken)
            }
            _ => live.source.clone(),
        };
        let options = live.volume_options.as_ref();
        let volume = options
            .map(|options| VolumeMount { nocopy: options.no_copy, subpath: options.subpath.clone() })
            .filter(|volume| volume.nocopy || !volume.subpath.is_empty());
        let bind = live.bind_options.as_ref().filter(|bind| !bind.propagation.is_empty());
        let bind = bind.map(|bind| Bind { propagation: bind.propagation.clone() });
        let tmpfs = live.tmpfs_options.as_ref().map(|tmpfs| Tmpfs { size: tmpfs.size_bytes });
        if volume.is_none()
            && bind.is_none()
            && tmpfs.is_none()
            && let Some(short) = short(live, &source)
        {
            return Mount::Short(short);
        }
        Mount::Long {
            kind: live.kind.clone(),
            source,
            target: live.target.clone(),
            read_only: live.read_only,
            bind,
            volume,
            tmpfs,
        }
    }

    /// The key of the volume that a mount names. One that the mount does not describe is somebody else's.
    fn volume(&mut self, live: &swarm::Mount, taken: Taken) -> String {
        let options = live.volume_options.clone().unwrap_or_default();
        let driver = options.driver_config.clone().unwrap_or_default();
        let ours = is_of(&options.labels, self.stack);
        let mut definition = Volume {
            name: None,
            external: !ours && options.labels.is_empty() && options.driver_config.is_none(),
            driver: driver.name,
            driver_opts: driver.options,
            labels: taken.labels(&options.labels, self.stack),
        };
        let known = (live.source.clone(), format!("{definition:?}"));
        if let Some(key) = self.known.get(&known) {
            return key.clone();
        }
        let wish = if definition.external { &live.source } else { self.stack.descope(&live.source) };
        let key = self.keys.give(if wish.len() == 1 { &live.source } else { wish });
        let silent = if definition.external { key.clone() } else { self.stack.scope(&key) };
        definition.name = (silent != live.source).then(|| live.source.clone());
        self.definitions.insert(key.clone(), definition);
        self.known.insert(known, key.clone());
        key
    }
}

/// The short form of a mount without options, if it has one.
fn short(live: &swarm::Mount, source: &str) -> Option<String> {
    let text = match (source.is_empty(), live.read_only) {
        (false, false) => format!("{source}:{}", live.target),
        (false, true) => format!("{source}:{}:ro", live.target),
        (true, false) => live.target.clone(),
        (true, true) => return None,
    };
    let read = grammar::mount(&text)?;
    let same = read.kind == live.kind
        && read.source == source
        && read.target == live.target
        && read.read_only == live.read_only
        && read.bind.is_none()
        && read.volume.is_none();
    // What is no absolute path on Linux is completed where the file is read; and a colon reads as a drive of Windows.
    let is_plain = (live.kind != "bind" || source.starts_with('/')) && !live.target.contains(':');
    (same && is_plain).then_some(text)
}
