//! Whole stacks: files in, [`Compose`] and diagnostics out.

mod composing;
mod corpus;
mod faults;
mod keys;
mod merging;
mod values;
mod variables;

use std::collections::BTreeMap;

use super::{Compose, Input, Loaded, Mode, Service, load};
use crate::diag::Report;
use crate::model::files::{directory, locate_inside};
use crate::model::{Entry, FileError, Files};

/// A tree of files in memory. In direct mode its root is `/`.
pub(super) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    root: &'static str,
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
        self.files.get(path).cloned().ok_or(FileError::NotFound)
    }

    fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
        Ok(Vec::new())
    }
}

/// A stack to load.
pub(super) struct Stack {
    tree: Tree,
    paths: Vec<String>,
    variables: BTreeMap<String, String>,
    mode: Mode,
    loose: bool,
    home: Option<&'static str>,
    profiles: Vec<String>,
    bind_root: Option<&'static str>,
}

impl Stack {
    /// Files of a repository; those that end in `.yaml` are the stack's, in order.
    pub fn repository(files: &[(&str, &str)]) -> Self {
        Self::new(Mode::Repository, "", files)
    }

    /// Files of the deployer's machine under `/srv`.
    pub fn direct(files: &[(&str, &str)]) -> Self {
        Self::new(Mode::Direct, "/srv/", files)
    }

    fn new(mode: Mode, root: &'static str, files: &[(&str, &str)]) -> Self {
        let located = |path: &str| format!("{root}{path}");
        let paths = files.iter().filter(|(path, _)| path.ends_with(".yaml")).map(|(path, _)| located(path)).collect();
        let files = files.iter().map(|(path, text)| (located(path), text.as_bytes().to_vec())).collect();
        Self {
            tree: Tree { files, root },
            paths,
            variables: BTreeMap::new(),
            mode,
            loose: false,
            home: Some("/home/me"),
            profiles: Vec::new(),
            bind_root: None,
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn profile(mut self, name: &str) -> Self {
        self.profiles.push(name.to_owned());
        self
    }

    pub fn below(mut self, root: &'static str) -> Self {
        self.bind_root = Some(root);
        self
    }

    pub fn loose(mut self) -> Self {
        self.loose = true;
        self
    }

    pub fn load(&self) -> Loaded {
        let variables = self.variables.clone().into();
        load(&Input {
            loose: self.loose,
            home: self.home,
            profiles: &self.profiles,
            bind_root: self.bind_root,
            ..Input::new(&self.tree, &self.paths, &variables, self.mode)
        })
    }

    /// The diagnostics, a line each, hints behind `help:`.
    pub fn faults(&self) -> String {
        let loaded = self.load();
        let shown = Report { diagnostics: &loaded.diagnostics, sources: &loaded.sources }.shown();
        let lines = shown.iter().map(|shown| {
            let hints: String = shown.hints.iter().map(|hint| format!("\n  help: {hint}")).collect();
            format!("{}{hints}\n", shown.line())
        });
        lines.collect()
    }

    /// The stack, which must load without an error.
    pub fn compose(&self) -> Compose {
        self.load().compose.unwrap_or_else(|| panic!("{}", self.faults()))
    }

    /// The service `web`.
    pub fn web(&self) -> Service {
        self.compose().services.remove("web").expect("a service named web").value
    }
}

/// A file with one service `web` with an image, and these lines in it.
pub(super) fn web(lines: &str) -> String {
    let indented: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("services:\n  web:\n    image: x\n{indented}")
}

/// The faults of such a file in a repository.
pub(super) fn web_faults(lines: &str) -> String {
    Stack::repository(&[("a.yaml", &web(lines))]).faults()
}

#[test]
fn the_directory_of_the_first_file_is_that_of_all() {
    let files = [("one/a.yaml", web("env_file: x.env").as_str()), ("two/b.yaml", "services: {}"), ("one/x.env", "A=1")]
        .map(|(path, text)| (path, text.to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let stack = Stack::repository(&files);
    assert_eq!(directory(&stack.paths[0]), "one");
    assert_eq!(stack.web().environment.get("A"), Some(&Some("1".to_owned())));
}
