//! Files in memory.

use std::collections::BTreeMap;

use crate::model::files::locate_inside;
use crate::model::{Entry, FileError, Files};

/// What separates the files of one input.
const SEPARATOR: &str = "\n%%\n";
/// Their names, in order; the first two are the stack's, the others what those may refer to.
const NAMES: [&str; 5] = ["a.yaml", "b.yaml", "c.yaml", "x.env", ".env"];

/// A tree of files, with its root at `/` as on the deployer's machine, or nameless as in a repository.
pub struct Tree {
    root: &'static str,
    files: BTreeMap<String, String>,
}

impl Tree {
    /// The files of an input.
    pub fn new(root: &'static str, input: &str) -> Self {
        let files = NAMES.iter().zip(input.split(SEPARATOR));
        Self { root, files: files.map(|(name, text)| (format!("{root}{name}"), text.to_owned())).collect() }
    }

    /// The stack's files: one or two.
    pub fn paths(&self) -> Vec<String> {
        let named = NAMES.iter().take(2).map(|name| format!("{}{name}", self.root));
        named.filter(|path| self.files.contains_key(path)).collect()
    }
}

impl Files for Tree {
    fn locate(&self, dir: &str, path: &str) -> Result<String, FileError> {
        if self.root.is_empty() {
            return locate_inside(dir, path);
        }
        let joined = if path.starts_with('/') { path.to_owned() } else { format!("{dir}/{path}") };
        locate_inside("", joined.trim_start_matches('/')).map(|path| format!("/{path}"))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.get(path).map(|text| text.clone().into_bytes()).ok_or(FileError::NotFound)
    }

    fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
        let file = |path: &String| Entry {
            name: path.trim_start_matches('/').to_owned(),
            kind: crate::model::EntryKind::File,
        };
        Ok(self.files.keys().map(file).collect())
    }
}
