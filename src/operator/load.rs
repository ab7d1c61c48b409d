//! From a declared stack and a tree of files to what is wanted of the swarm.

use std::collections::BTreeMap;

use super::fleet::{Declared, FilePattern};
use crate::compose::{self, Mode, Variables};
use crate::desired::{self, Desired};
use crate::diag::{Diagnostic, Faults, Severity, Sources, code};
use crate::model::{FileError, Files, StackName};
use crate::settings::Strictness;
use crate::sops::Keys;
use crate::yaml;

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
/// in which its `envFiles` lie; they are the same tree unless the stack has a repository of its own. `keys` decrypt.
pub fn repository(files: &dyn Files, declaring: &dyn Files, declared: &Declared, keys: &Keys) -> Loaded {
    let mut faults = Faults::new();
    let variables = variables(declaring, declared, keys, &mut faults);
    let stack_files = if declared.files.is_empty() {
        super::fleet::default_file(files, &declared.directory)
    } else {
        declared.files.clone()
    };
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
        faults.push(Diagnostic::error(code::NO_STACK, format!("stack `{}` has no file", declared.name)));
        return Loaded { desired: None, diagnostics: faults.into_sorted(), sources: Sources::new() };
    }
    let loaded = compose::load(&compose::Input {
        stack: Some(declared.name.as_str()),
        profiles: &declared.settings.profiles,
        bind_root: declared.settings.bind_root.as_deref(),
        loose: declared.settings.variables == Strictness::Loose,
        keys,
        ..compose::Input::new(files, &paths, &variables, Mode::Repository)
    });
    let mut loaded = finish(loaded, &declared.name, faults);
    // What `skep.yaml` ignores is ignored of every service: from here on there is one list.
    for service in loaded.desired.iter_mut().flat_map(|desired| desired.services.values_mut()) {
        service.ignore.splice(0..0, declared.settings.ignore.iter().cloned());
    }
    loaded
}

/// The variables of `skep.yaml` and of `envFiles`, the latter counting more.
fn variables(declaring: &dyn Files, declared: &Declared, keys: &Keys, faults: &mut Faults) -> Variables {
    let undefined = match declared.settings.variables {
        Strictness::Strict => Severity::Error,
        Strictness::Loose => Severity::Warning,
    };
    let mut variables: Variables = declared.variables.clone().into();
    for file in present(declaring, &declared.env_files) {
        if let Some(fault) = compose::foreign(declaring, &file.path) {
            faults.push(fault);
            continue;
        }
        let mut sources = Sources::new();
        let mut found = Faults::new();
        match yaml::text_of(declaring, &file.path, None, &mut sources) {
            Ok(text) => {
                if let Some(fault) = compose::pointer(&file.path, sources.text(text).as_bytes()) {
                    faults.push(fault);
                    continue;
                }
                let pairs = compose::encrypted::variables(&sources, text, keys, &variables, undefined, &mut found);
                variables.extend(&pairs);
            }
            Err(unreadable) => found.extend(unreadable),
        }
        // The stack's own files have texts of their own, so these faults carry their place as text.
        faults.extend(found.into_sorted().into_iter().map(|fault| match fault.span {
            Some(span) => {
                let at = sources.location(span);
                let message = format!("{}:{}:{}: {}", at.path, at.line, at.column, fault.message);
                Diagnostic { message, span: None, related: None, ..fault }
            }
            None => fault,
        }));
    }
    variables
}

/// Loads the files of `-c`, as `docker stack deploy` does: the process environment interpolates.
pub fn direct(
    files: &dyn Files,
    paths: &[String],
    stack: &StackName,
    environment: &BTreeMap<String, String>,
    home: Option<&str>,
    profiles: &[String],
    keys: &Keys,
) -> Loaded {
    let variables = environment.clone().into();
    let loaded = compose::load(&compose::Input {
        home,
        stack: Some(stack.as_str()),
        profiles,
        keys,
        ..compose::Input::new(files, paths, &variables, Mode::Direct)
    });
    finish(loaded, stack, Faults::new())
}

fn finish(loaded: compose::Loaded, stack: &StackName, mut faults: Faults) -> Loaded {
    faults.extend(loaded.diagnostics);
    let confidential = loaded.confidential;
    let desired = loaded.compose.map(|compose| {
        let (desired, diagnostics) = desired::lower(&compose, stack);
        faults.extend(compose.accepted.filter(diagnostics.into_iter().chain(name_differs(&compose, stack)).collect()));
        desired
    });
    let desired = if faults.any_errors() { None } else { desired };
    let mut diagnostics = faults.into_sorted();
    diagnostics.iter_mut().for_each(|diagnostic| diagnostic.conceal(&confidential));
    Loaded { desired, diagnostics, sources: loaded.sources }
}

/// The name that a stack is given counts more than the one its file has, as with `docker compose -p`.
fn name_differs(compose: &compose::Compose, stack: &StackName) -> Option<Diagnostic> {
    let own = compose.name.as_ref().filter(|name| name.value != stack.as_str())?;
    let message = format!("the file calls the stack `{}`, it is deployed as `{stack}`", own.value);
    Some(Diagnostic::warning(code::NAME_DIFFERS, message).at(own.span))
}

fn present<'a>(files: &'a dyn Files, patterns: &'a [FilePattern]) -> impl Iterator<Item = &'a FilePattern> {
    patterns.iter().filter(|file| !(file.optional && matches!(files.read(&file.path), Err(FileError::NotFound))))
}

fn unreadable(path: &str, error: &FileError) -> Diagnostic {
    Diagnostic::error(code::FILE_UNREADABLE, format!("{path} cannot be read: {error}"))
}
