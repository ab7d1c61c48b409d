//! From a declared stack and a tree of files to what is wanted of the swarm.

use std::collections::BTreeMap;

use super::fleet::{Declared, FilePattern};
use crate::compose::{self, Mode};
use crate::desired::{self, Desired};
use crate::diag::{Diagnostic, Faults, Sources, code};
use crate::model::{FileError, Files, StackName};
use crate::settings::Strictness;

/// What loading a stack gives.
#[derive(Debug)]
pub struct Loaded {
    /// What is wanted. `None` when any diagnostic is an error: a stack that does not load is not an empty stack.
    pub desired: Option<Desired>,
    /// Every fault, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts they point into.
    pub sources: Sources,
}

/// Loads a stack of a repository. `files` holds the stack's files, `declaring` the tree of the source that declares it,
/// in which its `envFiles` lie; they are the same tree unless the stack has a repository of its own.
pub fn repository(files: &dyn Files, declaring: &dyn Files, declared: &Declared) -> Loaded {
    let mut faults = Faults::new();
    let mut variables = declared.variables.clone();
    for file in present(declaring, &declared.env_files) {
        match declaring.read(&file.path) {
            Ok(bytes) => match compose::dotenv::parse(&String::from_utf8_lossy(&bytes), &variables) {
                Ok(pairs) => variables.extend(pairs),
                Err(error) => {
                    faults.push(Diagnostic::error(code::INVALID_VALUE, format!("{}: {error}", file.path)));
                }
            },
            Err(error) => faults.push(unreadable(&file.path, &error)),
        }
    }
    let stack_files = if declared.files.is_empty() { super::fleet::default_file(files, &declared.directory) } else { declared.files.clone() };
    let mut paths = Vec::new();
    for file in &stack_files {
        // The files of a repository of its own were not located when the stack was declared.
        match files.locate("", &file.path) {
            Ok(path) if file.optional && matches!(files.read(&path), Err(FileError::NotFound)) => {}
            Ok(path) => paths.push(path),
            Err(error) => faults.push(unreadable(&file.path, &error)),
        }
    }
    if paths.is_empty() {
        faults.push(
            Diagnostic::error(code::NO_STACK, format!("stack `{}` has no file", declared.name)),
        );
        return Loaded { desired: None, diagnostics: faults.into_sorted(), sources: Sources::new() };
    }
    let loaded = compose::load(compose::Input {
        files,
        paths: &paths,
        variables: &variables,
        mode: Mode::Repository,
        loose: declared.settings.variables == Strictness::Loose,
        home: None,
    });
    finish(loaded, &declared.name, faults)
}

/// Loads the files of `-c`, as `docker stack deploy` does: the process environment interpolates.
pub fn direct(
    files: &dyn Files,
    paths: &[String],
    stack: &StackName,
    environment: &BTreeMap<String, String>,
    home: Option<&str>,
) -> Loaded {
    let loaded =
        compose::load(compose::Input { files, paths, variables: environment, mode: Mode::Direct, loose: false, home });
    finish(loaded, stack, Faults::new())
}

fn finish(loaded: compose::Loaded, stack: &StackName, mut faults: Faults) -> Loaded {
    faults.extend(loaded.diagnostics);
    let desired = loaded.compose.map(|compose| {
        let (desired, diagnostics) = desired::lower(&compose, stack);
        faults.extend(diagnostics);
        desired
    });
    let desired = if faults.any_errors() { None } else { desired };
    Loaded { desired, diagnostics: faults.into_sorted(), sources: loaded.sources }
}

fn present<'a>(files: &'a dyn Files, patterns: &'a [FilePattern]) -> impl Iterator<Item = &'a FilePattern> {
    patterns.iter().filter(|file| !(file.optional && matches!(files.read(&file.path), Err(FileError::NotFound))))
}

fn unreadable(path: &str, error: &FileError) -> Diagnostic {
    Diagnostic::error(code::FILE_UNREADABLE, format!("{path} cannot be read: {error}"))
}
