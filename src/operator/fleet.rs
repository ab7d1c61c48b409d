//! What a source declares: from `skep.yaml` (or a `--discover` pattern, or a look around) to a list of stacks, each with
//! its files, variables and settings.

use std::collections::BTreeMap;

use crate::compose;
use crate::diag::{Diagnostic, Faults, Sources, Span, code};
use crate::model::{FileError, Files, RedactedUrl, StackName, files};
use crate::settings::{Fleet, Settings, StackEntry, StackSettings};
use crate::source::discover;
use crate::yaml;

/// Everything one source declares.
#[derive(Debug, Clone, Default)]
pub struct Declaration {
    /// The cluster it is for.
    pub cluster: Option<String>,
    /// Its stacks.
    pub stacks: BTreeMap<StackName, Declared>,
    /// What holds for a stack that is not declared any more.
    pub defaults: StackSettings,
}

/// One stack, as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// Its name.
    pub name: StackName,
    /// The directory its relative names are meant from, located.
    pub directory: String,
    /// Its files: located, or of a repository of its own as written. `?` marks one that may be absent.
    pub files: Vec<FilePattern>,
    /// Files with variables, in the source that declares the stack.
    pub env_files: Vec<FilePattern>,
    /// Variables of `skep.yaml`.
    pub variables: BTreeMap<String, String>,
    /// Stacks that come first.
    pub depends_on: Vec<StackName>,
    /// What holds for it.
    pub settings: Settings,
    /// A repository of its own.
    pub repository: Option<Repository>,
    /// Where it is declared.
    pub span: Option<Span>,
}

/// A file that is there, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePattern {
    /// The path.
    pub path: String,
    /// Whether its absence is no fault.
    pub optional: bool,
}

/// The repository in which a stack lives, where that is not the one that declares it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// Its URL or path.
    pub url: RedactedUrl,
    /// The branch, tag or commit; HEAD where nothing is said.
    pub reference: Option<String>,
}

/// How the stacks of a source are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search<'a> {
    /// `skep.yaml` in this directory, and nothing without it.
    Declared {
        /// The directory, `""` for the root.
        path: &'a str,
    },
    /// Every directory that matches this pattern.
    Pattern {
        /// The directory the pattern is meant from.
        path: &'a str,
        /// The pattern.
        glob: &'a str,
    },
}

/// Reads what a source declares. The faults go to `faults`, the texts they point into to `sources`; where any of them is
/// an error nothing may be applied or pruned on the strength of this declaration.
///
/// `None` where there is no `skep.yaml` at all: an unreadable source declares nothing, and deletes nothing.
pub fn declare(
    files: &dyn Files,
    search: Search<'_>,
    sources: &mut Sources,
    faults: &mut Faults,
) -> Option<Declaration> {
    let (path, fleet) = match search {
        Search::Pattern { path, glob } => {
            let entry = StackEntry { discover: Some(glob.to_owned()), ..StackEntry::default() };
            (path, Fleet { version: 1, stacks: vec![entry], ..Fleet::default() })
        }
        Search::Declared { path } => (path, read(files, path, sources, faults)?),
    };
    let directory = match files.locate("", path) {
        Ok(directory) => directory,
        Err(error) => {
            faults.push(Diagnostic::error(code::FILE_OUTSIDE, format!("the path `{path}` cannot be used: {error}")));
            return None;
        }
    };
    let mut declaration =
        Declaration { cluster: fleet.cluster.clone(), stacks: BTreeMap::new(), defaults: fleet.defaults.clone() };
    for entry in &fleet.stacks {
        for declared in expand(files, &directory, &fleet, entry, faults) {
            if let Some(first) = declaration.stacks.get(&declared.name) {
                let mut diagnostic = Diagnostic::error(
                    code::DUPLICATE_STACK,
                    format!(
                        "two stacks are called `{}`: in {} and in {}",
                        declared.name,
                        place(first),
                        place(&declared)
                    ),
                )
                .at(declared.span);
                if let Some(span) = first.span.filter(|span| Some(*span) != declared.span) {
                    diagnostic = diagnostic.related(span, "first declared here");
                }
                faults.push(diagnostic);
                continue;
            }
            declaration.stacks.insert(declared.name.clone(), declared);
        }
    }
    unknown_dependencies(&declaration, faults);
    circular_dependencies(&declaration, faults);
    Some(declaration)
}

/// A source without `skep.yaml`, looked around in: the root and one level below. What is found can be planned, and is
/// applied only once it is declared.
pub fn look_around(files: &dyn Files, fallback_name: &str, faults: &mut Faults) -> Declaration {
    let mut declaration = Declaration::default();
    let candidates = match discover::stacks(files, "") {
        Ok(candidates) => candidates,
        Err(error) => {
            faults.push(Diagnostic::error(code::FILE_UNREADABLE, error.to_string()));
            return declaration;
        }
    };
    for found in candidates {
        let path = [found.file.clone()];
        let own =
            compose::name(&compose::Input::new(files, &path, &compose::Variables::new(), compose::Mode::Repository));
        let name = if found.directory.is_empty() { fallback_name } else { found.directory.as_str() };
        match StackName::parse(own.as_deref().unwrap_or(name)) {
            Ok(name) => {
                if declaration.stacks.contains_key(&name) {
                    let message = format!("{} is left out: another stack here is called `{name}` too", found.file);
                    faults.push(Diagnostic::warning(code::DUPLICATE_STACK, message));
                    continue;
                }
                declaration.stacks.insert(
                    name.clone(),
                    Declared {
                        name,
                        directory: found.directory.clone(),
                        files: vec![FilePattern { path: found.file, optional: false }],
                        env_files: Vec::new(),
                        variables: BTreeMap::new(),
                        depends_on: Vec::new(),
                        settings: Settings::default(),
                        repository: None,
                        span: None,
                    },
                );
            }
            Err(error) => {
                faults.push(Diagnostic::warning(code::INVALID_NAME, format!("{} is no stack: {error}", found.file)))
            }
        }
    }
    declaration
}

/// The `skep.yaml` that would declare what [`look_around`] found.
pub fn suggestion(declaration: &Declaration) -> String {
    let mut text = String::from("version: 1\nstacks:\n");
    for declared in declaration.stacks.values() {
        let files: Vec<&str> = declared.files.iter().map(|f| f.path.as_str()).collect();
        text.push_str(&format!("  - name: {}\n    files: [ {} ]\n", declared.name, files.join(", ")));
    }
    text
}

fn read(files: &dyn Files, path: &str, sources: &mut Sources, faults: &mut Faults) -> Option<Fleet> {
    let located = match files.locate(path, "skep.yaml") {
        Ok(located) => located,
        Err(error) => {
            faults.push(Diagnostic::error(code::FILE_OUTSIDE, format!("`{path}/skep.yaml` cannot be read: {error}")));
            return None;
        }
    };
    if matches!(files.read(&located), Err(FileError::NotFound)) {
        return None;
    }
    match yaml::open(files, &located, None, sources) {
        Ok((_, documents)) => match documents.as_slice() {
            [document] => crate::settings::read_fleet(document, faults),
            documents => {
                let message = format!("{located} holds {} YAML documents instead of one", documents.len());
                faults.push(Diagnostic::error(code::INVALID_VALUE, message));
                None
            }
        },
        Err(found) => {
            faults.extend(found);
            None
        }
    }
}

/// The stacks that one entry declares.
fn expand(files: &dyn Files, directory: &str, fleet: &Fleet, entry: &StackEntry, faults: &mut Faults) -> Vec<Declared> {
    let settings = entry.settings.resolve(&fleet.defaults);
    let depends_on = names(&entry.depends_on, entry.span, faults);
    let env_files = patterns(files, directory, &entry.env_files, entry.span, faults);
    let base = |name: StackName, directory: String, stack_files: Vec<FilePattern>| Declared {
        name,
        directory,
        files: stack_files,
        env_files: env_files.clone(),
        variables: fleet.variables.clone(),
        depends_on: depends_on.clone(),
        settings: settings.clone(),
        repository: None,
        span: entry.span,
    };
    if let Some(glob) = &entry.discover {
        return discovered(files, directory, entry, glob, base, faults);
    }
    let Some(name) = names(entry.name.as_slice(), entry.span, faults).pop() else { return Vec::new() };
    if let Some(url) = &entry.repo {
        let written = entry.files.iter().map(|text| pattern(text)).collect();
        let mut declared = base(name, String::new(), written);
        declared.repository =
            Some(Repository { url: RedactedUrl::new(url.clone()), reference: entry.reference.clone() });
        return vec![declared];
    }
    let found = if entry.files.is_empty() {
        default_file(files, directory)
    } else {
        patterns(files, directory, &entry.files, entry.span, faults)
    };
    if found.is_empty() && !entry.files.is_empty() {
        // What is wrong with each of them is told already.
        return Vec::new();
    }
    if found.is_empty() {
        faults.push(
            Diagnostic::error(
                code::NO_STACK,
                format!("stack `{name}` says no `files`, and none of the usual names is here"),
            )
            .at(entry.span)
            .hint(format!("the usual names are {}", discover::STACK_FILES.join(", "))),
        );
        return Vec::new();
    }
    vec![base(name, directory.to_owned(), found)]
}

/// The stacks that a pattern finds: every directory that matches and holds the first file.
fn discovered(
    files: &dyn Files,
    directory: &str,
    entry: &StackEntry,
    glob: &str,
    base: impl Fn(StackName, String, Vec<FilePattern>) -> Declared,
    faults: &mut Faults,
) -> Vec<Declared> {
    let directories = match discover::matching(files, directory, glob) {
        Ok(directories) => directories,
        Err(error) => {
            faults.push(
                Diagnostic::error(code::FILE_UNREADABLE, format!("`discover: {glob}` cannot be carried out: {error}"))
                    .at(entry.span),
            );
            return Vec::new();
        }
    };
    let mut stacks = Vec::new();
    for found in directories {
        let stack_files = if entry.files.is_empty() {
            default_file(files, &found)
        } else {
            patterns(files, &found, &entry.files, entry.span, faults)
        };
        let required = stack_files.iter().find(|file| !file.optional);
        let is_stack = match required {
            Some(first) => files.read(&first.path).is_ok(),
            None => stack_files.iter().any(|file| files.read(&file.path).is_ok()),
        };
        if !is_stack {
            continue;
        }
        let name = found.rsplit('/').next().unwrap_or(&found).to_owned();
        if let Some(name) = names(&[name], entry.span, faults).pop() {
            stacks.push(base(name, found.clone(), stack_files));
        }
    }
    if stacks.is_empty() {
        faults.push(Diagnostic::warning(code::NO_STACK, format!("`discover: {glob}` finds no stack")).at(entry.span));
    }
    stacks
}

pub(super) fn default_file(files: &dyn Files, directory: &str) -> Vec<FilePattern> {
    discover::STACK_FILES
        .iter()
        .filter_map(|name| files.locate(directory, name).ok())
        .find(|path| !matches!(files.read(path), Err(FileError::NotFound)))
        .map(|path| FilePattern { path, optional: false })
        .into_iter()
        .collect()
}

fn pattern(text: &str) -> FilePattern {
    match text.strip_prefix('?') {
        Some(path) => FilePattern { path: path.to_owned(), optional: true },
        None => FilePattern { path: text.to_owned(), optional: false },
    }
}

fn patterns(
    files: &dyn Files,
    directory: &str,
    written: &[String],
    span: Option<Span>,
    faults: &mut Faults,
) -> Vec<FilePattern> {
    written
        .iter()
        .filter_map(|text| {
            let FilePattern { path, optional } = pattern(text);
            match files.locate(directory, &path) {
                Ok(path) => Some(FilePattern { path, optional }),
                Err(error) => {
                    faults.push(
                        Diagnostic::error(code::FILE_OUTSIDE, format!("`{path}` cannot be used: {error}")).at(span),
                    );
                    None
                }
            }
        })
        .collect()
}

fn names(written: &[String], span: Option<Span>, faults: &mut Faults) -> Vec<StackName> {
    written
        .iter()
        .filter_map(|text| match StackName::parse(text) {
            Ok(name) => Some(name),
            Err(error) => {
                faults.push(
                    Diagnostic::error(code::INVALID_NAME, format!("no stack can have this name: {error}")).at(span),
                );
                None
            }
        })
        .collect()
}

fn unknown_dependencies(declaration: &Declaration, faults: &mut Faults) {
    for declared in declaration.stacks.values() {
        for name in &declared.depends_on {
            if !declaration.stacks.contains_key(name) {
                let known = declaration.stacks.keys().map(StackName::as_str);
                let mut diagnostic = Diagnostic::error(
                    code::NO_STACK,
                    format!("stack `{}` depends on `{name}`, which is not declared", declared.name),
                )
                .at(declared.span);
                if let Some(near) = crate::diag::did_you_mean(name.as_str(), known) {
                    diagnostic = diagnostic.hint(format!("did you mean `{near}`?"));
                }
                faults.push(diagnostic);
            }
        }
    }
}

/// Stacks that wait for each other would wait for ever.
fn circular_dependencies(declaration: &Declaration, faults: &mut Faults) {
    // What is left when everything that waits for nobody, or for such, is taken away.
    let mut left: BTreeMap<&StackName, &Declared> = declaration.stacks.iter().collect();
    loop {
        let before = left.len();
        let names: Vec<&StackName> = left.keys().copied().collect();
        left.retain(|_, declared| declared.depends_on.iter().any(|name| names.contains(&name)));
        if left.len() == before {
            break;
        }
    }
    if let Some(first) = left.values().next() {
        let names: Vec<&str> = left.keys().map(|name| name.as_str()).collect();
        let message = format!("these stacks depend on each other in a circle: {}", names.join(", "));
        faults.push(Diagnostic::error(code::STACK_CYCLE, message).at(first.span));
    }
}

fn place(declared: &Declared) -> String {
    match (&declared.repository, declared.files.first()) {
        (Some(repository), _) => repository.url.to_string(),
        (None, Some(file)) => file.path.clone(),
        (None, None) => files::directory(&declared.directory).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Shown;
    use crate::model::Entry;

    /// A tree of files that are all there, with a `skep.yaml` of this content.
    struct Tree(&'static str);

    impl Files for Tree {
        fn locate(&self, dir: &str, path: &str) -> Result<String, FileError> {
            files::locate_inside(dir, path)
        }
        fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
            Ok(if path == "skep.yaml" { self.0.into() } else { Vec::new() })
        }
        fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
            Ok(Vec::new())
        }
    }

    fn faults(text: &'static str) -> String {
        let (mut sources, mut faults) = (Sources::new(), Faults::new());
        declare(&Tree(text), Search::Declared { path: "" }, &mut sources, &mut faults);
        let lines: Vec<String> = faults.into_sorted().iter().map(|fault| Shown::new(fault, &sources).line()).collect();
        lines.join("\n")
    }

    #[test]
    fn stacks_that_wait_for_each_other_are_refused() {
        insta::assert_snapshot!(
            faults("version: 1\nstacks:\n  - { name: a, files: f, dependsOn: b }\n  - { name: b, files: f, dependsOn: a }\n  - { name: c, files: f }\n"),
            @"skep.yaml:3:5: error: these stacks depend on each other in a circle: a, b [fleet/dependency-cycle]"
        );
        assert_eq!(
            faults("version: 1\nstacks:\n  - { name: a, files: f, dependsOn: b }\n  - { name: b, files: f }\n"),
            ""
        );
    }

    #[test]
    fn a_name_that_is_taken_or_unknown_is_told_with_its_place() {
        insta::assert_snapshot!(
            faults("version: 1\nstacks:\n  - { name: shop, files: a }\n  - { name: shop, files: b }\n  - { name: web, files: c, dependsOn: shpo }\n"),
            @r"
        skep.yaml:4:5: error: two stacks are called `shop`: in a and in b [fleet/duplicate-stack]
        skep.yaml:5:5: error: stack `web` depends on `shpo`, which is not declared [fleet/no-stack]
        "
        );
    }

    #[test]
    fn a_path_out_of_the_repository_is_refused() {
        insta::assert_snapshot!(
            faults("version: 1\nstacks:\n  - { name: a, files: ../a.yaml }\n"),
            @"skep.yaml:3:5: error: `../a.yaml` cannot be used: the path leads out of the repository [file/outside]"
        );
    }
}
