//! What the sources declare at the moment, and which of them a stack belongs to.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::fleet::{Declaration, Declared, Repository};
use crate::model::{Files, Revision, StackName};
use crate::settings::{Removed, StackSettings};

/// A source, as records name it: its URL without credentials, and the directory of its `skep.yaml` after `//`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(String);

impl SourceId {
    /// The id of a source.
    pub fn new(url: &crate::model::RedactedUrl, path: &str) -> Self {
        let path = path.trim_matches('/');
        if path.is_empty() || path == "." { Self(url.to_string()) } else { Self(format!("{url}//{path}")) }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Files at a revision.
#[derive(Clone)]
pub struct Snapshot {
    /// The revision.
    pub revision: Revision,
    /// Its files.
    pub files: Arc<dyn Files>,
}

/// What one source says.
#[derive(Clone, Default)]
pub struct SourceState {
    /// The last revision whose declaration could be read, with what it declares.
    pub current: Option<(Snapshot, Arc<Declaration>)>,
    /// Repositories of stacks' own, as far as they could be read.
    pub repositories: BTreeMap<Repository, Snapshot>,
    /// What is wrong with the source at present: it cannot be reached, its `skep.yaml` has faults, it is for another
    /// cluster. The last good declaration stays.
    pub problem: Option<String>,
    /// What is wrong with repositories of stacks' own.
    pub repository_problems: BTreeMap<Repository, String>,
}

impl SourceState {
    /// Whether it was looked at: what it says is known, or that it cannot be known at present.
    fn is_read(&self) -> bool {
        self.current.is_some() || self.problem.is_some()
    }
}

/// A stack as its source declares it.
#[derive(Clone)]
pub struct Assignment {
    /// The source.
    pub source: SourceId,
    /// The files that declare it.
    pub declaring: Snapshot,
    /// The stack's own files; `None` as long as a repository of its own could not be read.
    pub files: Option<Snapshot>,
    /// What is declared.
    pub declared: Declared,
    /// What is wrong with its source at present.
    pub problem: Option<String>,
}

/// Whose a stack is.
#[derive(Clone)]
pub enum Claim {
    /// One source declares it.
    One(Box<Assignment>),
    /// Several do: none of them may write it, but the one that its record names.
    Several(Vec<Assignment>),
    /// None does.
    Nobody,
}

/// What becomes of a stack that has a record and no declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Orphan {
    /// Its source could not be read, or not yet: nothing is known.
    Unknown {
        /// What is wrong, where something is.
        problem: Option<String>,
    },
    /// No source of that name is followed any more.
    NoSource,
    /// Its source is read and does not declare it.
    Removed(Removed),
}

/// What all sources say.
#[derive(Default)]
pub struct World {
    sources: RwLock<BTreeMap<SourceId, SourceState>>,
}

impl World {
    /// A world in which these sources are followed and none has said anything yet.
    pub fn new(sources: impl IntoIterator<Item = SourceId>) -> Self {
        let sources = sources.into_iter().map(|id| (id, SourceState::default())).collect();
        Self { sources: RwLock::new(sources) }
    }

    /// Changes what a source says, and gives the stacks it declared before or declares now. The first that is heard of a
    /// source concerns every stack: those that nobody had yet waited for it.
    pub fn update(&self, source: &SourceId, change: impl FnOnce(&mut SourceState)) -> Vec<StackName> {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        let state = sources.entry(source.clone()).or_default();
        let names = |state: &SourceState| -> Vec<StackName> {
            state.current.iter().flat_map(|(_, declaration)| declaration.stacks.keys().cloned()).collect()
        };
        let mut touched = names(state);
        let first = !state.is_read();
        change(state);
        touched.extend(names(state));
        if first && state.is_read() {
            touched.extend(sources.values().flat_map(names));
        }
        touched.sort();
        touched.dedup();
        touched
    }

    /// Which source a stack belongs to.
    pub fn claim(&self, stack: &StackName) -> Claim {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Assignment> =
            sources.iter().filter_map(|(id, state)| assignment(id, state, stack)).collect();
        match (found.len(), found.pop()) {
            (1, Some(one)) => Claim::One(Box::new(one)),
            (_, Some(last)) => {
                found.push(last);
                Claim::Several(found)
            }
            (_, None) => Claim::Nobody,
        }
    }

    /// What becomes of a stack that nobody declares, whose record names `source`.
    pub fn orphan(&self, source: &str) -> Orphan {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        match sources.iter().find(|(id, _)| id.as_str() == source) {
            None => Orphan::NoSource,
            Some((_, SourceState { current: Some((_, declaration)), problem: None, .. })) => {
                Orphan::Removed(StackSettings::default().resolve(&declaration.defaults).removed)
            }
            Some((_, state)) => Orphan::Unknown { problem: state.problem.clone() },
        }
    }

    /// Whether a source is one of those followed.
    pub fn follows(&self, source: &str) -> bool {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        sources.keys().any(|id| id.as_str() == source)
    }

    /// Whether every source was looked at.
    pub fn is_read(&self) -> bool {
        self.sources.read().unwrap_or_else(PoisonError::into_inner).values().all(SourceState::is_read)
    }

    /// Every stack that some source declares.
    pub fn stacks(&self) -> Vec<StackName> {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        let declared = sources.values().filter_map(|state| state.current.as_ref());
        let mut stacks: Vec<StackName> =
            declared.flat_map(|(_, declaration)| declaration.stacks.keys().cloned()).collect();
        stacks.sort();
        stacks.dedup();
        stacks
    }
}

fn assignment(id: &SourceId, state: &SourceState, stack: &StackName) -> Option<Assignment> {
    let (declaring, declaration) = state.current.as_ref()?;
    let declared = declaration.stacks.get(stack)?;
    let (files, problem) = match &declared.repository {
        None => (Some(declaring.clone()), state.problem.clone()),
        Some(repository) => (
            state.repositories.get(repository).cloned(),
            state.repository_problems.get(repository).cloned().or_else(|| state.problem.clone()),
        ),
    };
    Some(Assignment { source: id.clone(), declaring: declaring.clone(), files, declared: declared.clone(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, FileError, RedactedUrl};

    struct NoFiles;
    impl Files for NoFiles {
        fn locate(&self, _: &str, _: &str) -> Result<String, FileError> {
            Err(FileError::NotFound)
        }
        fn read(&self, _: &str) -> Result<Vec<u8>, FileError> {
            Err(FileError::NotFound)
        }
        fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
            Ok(Vec::new())
        }
    }

    fn id(url: &str) -> SourceId {
        SourceId::new(&RedactedUrl::new(url), "")
    }

    fn name(text: &str) -> StackName {
        StackName::parse(text).expect("valid")
    }

    fn says(stacks: &[&str], removed: Removed) -> impl FnOnce(&mut SourceState) {
        let stacks = stacks.iter().map(|text| {
            let declared = Declared {
                name: name(text),
                directory: String::new(),
                files: Vec::new(),
                env_files: Vec::new(),
                variables: BTreeMap::new(),
                depends_on: Vec::new(),
                settings: crate::settings::Settings::default(),
                repository: None,
                span: None,
            };
            (name(text), declared)
        });
        let sync = crate::settings::SyncSettings { removed: Some(removed), ..Default::default() };
        let declaration = Declaration {
            cluster: None,
            stacks: stacks.collect(),
            defaults: StackSettings { sync: Some(sync), ..StackSettings::default() },
        };
        move |state| {
            state.current =
                Some((Snapshot { revision: Revision::new("1"), files: Arc::new(NoFiles) }, Arc::new(declaration)));
        }
    }

    #[test]
    fn a_stack_of_two_sources_belongs_to_neither() {
        let world = World::new([id("a"), id("b")]);
        assert!(matches!(world.claim(&name("shop")), Claim::Nobody));
        world.update(&id("a"), says(&["shop"], Removed::Keep));
        assert!(matches!(world.claim(&name("shop")), Claim::One(_)));
        world.update(&id("b"), says(&["shop"], Removed::Keep));
        assert!(matches!(world.claim(&name("shop")), Claim::Several(found) if found.len() == 2));
    }

    #[test]
    fn what_left_its_source_is_told_from_what_cannot_be_read() {
        let world = World::new([id("a")]);
        assert_eq!(world.orphan("a"), Orphan::Unknown { problem: None }, "nothing was read yet");
        assert_eq!(world.orphan("b"), Orphan::NoSource);
        let touched = world.update(&id("a"), says(&["shop"], Removed::Delete));
        assert_eq!(touched, [name("shop")]);
        let touched = world.update(&id("a"), says(&["web"], Removed::Delete));
        assert_eq!(touched, [name("shop"), name("web")], "what is gone is looked at again as well");
        assert_eq!(world.orphan("a"), Orphan::Removed(Removed::Delete));
        world.update(&id("a"), |state| state.problem = Some("unreachable".to_owned()));
        assert!(
            matches!(world.orphan("a"), Orphan::Unknown { problem: Some(_) }),
            "a source in trouble deletes nothing"
        );
    }

    #[test]
    fn the_first_word_of_the_last_source_concerns_every_stack() {
        let world = World::new([id("a"), id("b")]);
        world.update(&id("a"), says(&["shop"], Removed::Keep));
        assert!(!world.is_read(), "b may declare it too");
        let touched = world.update(&id("b"), |state| state.problem = Some("unreachable".to_owned()));
        assert_eq!(touched, [name("shop")]);
        assert!(world.is_read());
        let touched = world.update(&id("b"), says(&["web"], Removed::Keep));
        assert_eq!(touched, [name("web")], "after that only its own");
    }

    #[test]
    fn a_source_is_named_without_credentials() {
        let url = RedactedUrl::new("https://u:p@h/x.git");
        assert_eq!(SourceId::new(&url, "clusters/prod/").as_str(), "https://***@h/x.git//clusters/prod");
    }
}
