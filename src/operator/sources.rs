//! Following sources: each in a task of its own, so that one that hangs holds up no other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::fleet::{self, Repository, Search};
use super::world::{Snapshot, SourceId, World};
use crate::diag::{Faults, Shown, Sources};
use crate::model::{EntryKind, Files, RedactedUrl, Revision, StackName};
use crate::settings;
use crate::source::{self, Credential, Directory, Follow, Reference, Spec, Watch};

/// How long a source that cannot be read is left alone at first; doubled each time, up to its interval or a minute.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// Told which stacks to look at again.
pub type Wake = Arc<dyn Fn(Vec<StackName>) + Send + Sync>;

/// A source to follow.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its URL or path.
    pub url: RedactedUrl,
    /// The reference; HEAD where nothing is said.
    pub reference: Option<String>,
    /// The directory of its `skep.yaml`.
    pub path: String,
    /// How often it is asked.
    pub interval: Duration,
    /// A pattern for stacks, instead of a `skep.yaml`.
    pub discover: Option<String>,
}

impl Source {
    /// Takes it from the controller's configuration.
    pub fn new(source: &settings::Source) -> Self {
        Self {
            url: RedactedUrl::new(source.url.clone()),
            reference: source.reference.clone(),
            path: source.path.clone(),
            interval: source.interval.unwrap_or(settings::DEFAULT_INTERVAL),
            discover: source.discover.clone(),
        }
    }

    /// As records name it.
    pub fn id(&self) -> SourceId {
        SourceId::new(&self.url, &self.path)
    }
}

/// What following a source needs.
#[derive(Clone)]
pub struct Follower {
    /// Where clones are kept.
    pub clones: PathBuf,
    /// Credentials for repositories.
    pub credentials: Vec<Credential>,
    /// The swarm's name.
    pub cluster: Option<String>,
    /// What the sources say.
    pub world: Arc<World>,
    /// Told of changes.
    pub wake: Wake,
}

impl Follower {
    /// Follows a source until it is cancelled.
    pub async fn run(self, source: Source, cancel: CancellationToken) {
        let id = source.id();
        let mut repositories = Repositories::default();
        let mut keeper = Keeper::new(&self, &source.url, source.reference.as_deref(), source.interval);
        loop {
            match keeper.look().await {
                Ok(Some(snapshot)) => {
                    let touched = self.declare(&source, &id, snapshot);
                    repositories.keep_up(&self, &id, source.interval, &cancel);
                    (self.wake)(touched);
                }
                Ok(None) => {}
                Err(problem) => {
                    let touched = self.world.update(&id, |state| state.problem = Some(problem));
                    (self.wake)(touched);
                }
            }
            tokio::select! {
                () = keeper.wait() => {}
                () = cancel.cancelled() => break,
            }
        }
    }

    /// Takes a new revision of a source into the world. A declaration with faults changes nothing but the problem.
    fn declare(&self, source: &Source, id: &SourceId, snapshot: Snapshot) -> Vec<StackName> {
        let mut texts = Sources::new();
        let mut faults = Faults::new();
        let search = match &source.discover {
            Some(glob) => Search::Pattern { path: &source.path, glob },
            None => Search::Declared { path: &source.path },
        };
        let declaration = fleet::declare(snapshot.files.as_ref(), search, &mut texts, &mut faults);
        let failed = faults.any_errors();
        let shown: Vec<Shown> = faults.into_sorted().iter().map(|fault| Shown::new(fault, &texts)).collect();
        for fault in &shown {
            tracing::warn!(source = %id, revision = %snapshot.revision, fault = fault.line(), "fault in skep.yaml");
        }
        let problem = match &declaration {
            None if shown.is_empty() => Some(format!(
                "there is no skep.yaml in {}",
                if source.path.is_empty() { "the root of the repository" } else { &source.path }
            )),
            _ if failed => shown.iter().find(|fault| fault.severity == crate::diag::Severity::Error).map(Shown::line),
            None => Some("skep.yaml cannot be read".to_owned()),
            Some(declaration) => wrong_cluster(declaration.cluster.as_deref(), self.cluster.as_deref()),
        };
        match (&problem, declaration) {
            (None, Some(declaration)) => {
                tracing::info!(
                    source = %id, revision = %snapshot.revision, stacks = declaration.stacks.len(), "revision read"
                );
                self.world.update(id, |state| {
                    state.current = Some((snapshot, Arc::new(declaration)));
                    state.problem = None;
                })
            }
            _ => {
                let problem = problem.map(|problem| format!("{problem} (at {})", snapshot.revision.short()));
                tracing::warn!(source = %id, revision = %snapshot.revision, problem, "revision left aside");
                self.world.update(id, |state| state.problem = problem)
            }
        }
    }
}

/// Why a declaration for one cluster is not for this one.
pub fn wrong_cluster(declared: Option<&str>, own: Option<&str>) -> Option<String> {
    match (declared, own) {
        (None, _) => None,
        (Some(declared), Some(own)) if declared == own => None,
        (Some(declared), Some(own)) => {
            Some(format!("skep.yaml is for cluster `{declared}`, and this swarm is `{own}`: nothing is written"))
        }
        (Some(declared), None) => Some(format!(
            "skep.yaml is for cluster `{declared}`, and nobody told skep this swarm's name (--cluster): nothing is written"
        )),
    }
}

/// Keeps an eye on one repository or directory.
struct Keeper {
    url: RedactedUrl,
    origin: Result<Origin, String>,
    watch: Option<Watch>,
    interval: Duration,
    last: Option<Revision>,
    failures: u32,
    problem: Option<String>,
    reopen: Box<dyn Fn() -> Result<Origin, String> + Send + Sync>,
}

enum Origin {
    Git(Follow),
    Directory(PathBuf),
}

impl Keeper {
    fn new(follower: &Follower, url: &RedactedUrl, reference: Option<&str>, interval: Duration) -> Self {
        let (clones, credentials) = (follower.clones.clone(), follower.credentials.clone());
        let (address, wanted) = (url.clone(), reference.map(str::to_owned));
        let reopen = move || open(&clones, &credentials, &address, wanted.as_deref());
        let origin = reopen();
        let mut keeper = Self {
            url: url.clone(),
            origin,
            watch: None,
            interval,
            last: None,
            failures: 0,
            problem: None,
            reopen: Box::new(reopen),
        };
        keeper.start_watching();
        keeper
    }

    fn start_watching(&mut self) {
        let watch = match &self.origin {
            Ok(Origin::Git(follow)) => follow.local().map(Watch::repository),
            Ok(Origin::Directory(directory)) => Some(Watch::directory(directory)),
            Err(_) => None,
        };
        self.watch = match watch.transpose() {
            Ok(watch) => watch,
            Err(error) => {
                tracing::warn!(source = %self.url, error = describe(&error), "cannot watch, so it is asked by interval");
                None
            }
        };
    }

    /// The files, if they moved since they were last given. A problem is logged when it is new.
    async fn look(&mut self) -> Result<Option<Snapshot>, String> {
        if self.origin.is_err() {
            self.origin = (self.reopen)();
            self.start_watching();
        }
        let result = match &self.origin {
            Ok(Origin::Git(follow)) => read_git(follow, self.last.as_ref()).await.map_err(|error| describe(&error)),
            Ok(Origin::Directory(directory)) => read_directory(directory, self.last.as_ref()).await,
            Err(problem) => Err(problem.clone()),
        };
        match result {
            Ok(found) => {
                self.failures = 0;
                if let Some(snapshot) = &found {
                    self.last = Some(snapshot.revision.clone());
                    self.problem = None;
                }
                Ok(found)
            }
            Err(problem) => {
                self.failures = self.failures.saturating_add(1);
                // What is read next counts as new: it ends the problem that the world is told of now.
                self.last = None;
                if self.problem.as_ref() != Some(&problem) {
                    tracing::warn!(source = %self.url, problem, "source cannot be read; what runs is left alone");
                    self.problem = Some(problem.clone());
                }
                Err(problem)
            }
        }
    }

    /// Until there is reason to look again: a local change, the interval, or the time to try a failed one again.
    async fn wait(&mut self) {
        let pause = match self.failures {
            0 => self.interval,
            failures => {
                let longest = self.interval.max(FIRST_RETRY).min(Duration::from_secs(60));
                FIRST_RETRY.saturating_mul(1 << (failures - 1).min(8)).min(longest)
            }
        };
        match &mut self.watch {
            Some(watch) => tokio::select! {
                () = watch.changed() => {}
                () = tokio::time::sleep(pause) => {}
            },
            None => tokio::time::sleep(pause).await,
        }
    }
}

fn open(
    clones: &Path,
    credentials: &[Credential],
    url: &RedactedUrl,
    reference: Option<&str>,
) -> Result<Origin, String> {
    let spec =
        Spec { reference: parse_reference(reference), credentials: credentials.to_vec(), ..Spec::new(url.reveal()) };
    let follow = Follow::open(clones, spec).map_err(|error| describe(&error))?;
    if let Some(path) = follow.local()
        && reference.is_none()
        && path.is_dir()
        && matches!(source::git::Repository::open(path), Err(source::Error::NotARepository { .. }))
    {
        return Ok(Origin::Directory(path.to_owned()));
    }
    Ok(Origin::Git(follow))
}

async fn read_git(follow: &Follow, last: Option<&Revision>) -> Result<Option<Snapshot>, source::Error> {
    let revision = follow.resolve().await?;
    if Some(&revision) == last {
        return Ok(None);
    }
    let files: Arc<dyn Files> = follow.tree(&revision).await?;
    Ok(Some(Snapshot { revision, files }))
}

/// The most files of a plain directory that are read to tell whether it changed.
const MAX_FILES: usize = 10_000;

/// A plain directory has no commits: it is read whole, and its revision is the digest of what is in it.
async fn read_directory(path: &Path, last: Option<&Revision>) -> Result<Option<Snapshot>, String> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || -> Result<Snapshot, String> {
        let directory = Directory::open(&path).map_err(|error| describe(&error))?;
        let mut left = MAX_FILES;
        read_below(&directory, "", &mut left)?;
        let revision = directory.revision().map_err(|error| describe(&error))?;
        Ok(Snapshot { revision, files: Arc::new(directory) })
    });
    let snapshot = read.await.map_err(|error| error.to_string())??;
    Ok(if Some(&snapshot.revision) == last { None } else { Some(snapshot) })
}

fn read_below(directory: &Directory, path: &str, left: &mut usize) -> Result<(), String> {
    let entries = directory.entries(path).map_err(|error| format!("{path}: {error}"))?;
    for entry in entries.iter().filter(|entry| !entry.name.starts_with('.')) {
        *left = left.checked_sub(1).ok_or_else(|| {
            format!("{} holds more than {MAX_FILES} files; make it a git repository", directory.path().display())
        })?;
        let below = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
        match entry.kind {
            EntryKind::Directory => read_below(directory, &below, left)?,
            // What cannot be read is no fault until a stack asks for it.
            EntryKind::File => drop(directory.read(&below)),
            EntryKind::Other => {}
        }
    }
    Ok(())
}

/// What `--ref` and `ref:` mean; HEAD where nothing is said.
pub fn parse_reference(text: Option<&str>) -> Reference {
    text.map_or(Reference::Head, |text| match text.parse() {
        Ok(reference) => reference,
    })
}

/// An error and its causes in one line, as a record or a log keeps it.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// The repositories that stacks of one source have of their own, each followed by a task.
#[derive(Default)]
struct Repositories {
    running: BTreeMap<Repository, CancellationToken>,
}

impl Repositories {
    /// Follows those that are declared now and lets go of the others.
    fn keep_up(&mut self, follower: &Follower, id: &SourceId, interval: Duration, cancel: &CancellationToken) {
        let mut wanted = BTreeSet::new();
        follower.world.update(id, |state| {
            if let Some((_, declaration)) = &state.current {
                wanted.extend(declaration.stacks.values().filter_map(|declared| declared.repository.clone()));
            }
            state.repositories.retain(|repository, _| wanted.contains(repository));
            state.repository_problems.retain(|repository, _| wanted.contains(repository));
        });
        self.running.retain(|repository, token| {
            let stays = wanted.contains(repository);
            if !stays {
                token.cancel();
            }
            stays
        });
        for repository in wanted {
            let token = self.running.entry(repository.clone());
            if let std::collections::btree_map::Entry::Vacant(vacant) = token {
                let token = vacant.insert(cancel.child_token()).clone();
                tokio::spawn(follow_repository(follower.clone(), id.clone(), repository, interval, token));
            }
        }
    }
}

async fn follow_repository(
    follower: Follower,
    id: SourceId,
    repository: Repository,
    interval: Duration,
    cancel: CancellationToken,
) {
    let mut keeper = Keeper::new(&follower, &repository.url, repository.reference.as_deref(), interval);
    loop {
        let touched = match keeper.look().await {
            Ok(Some(snapshot)) => {
                tracing::info!(source = %id, repository = %repository.url, revision = %snapshot.revision, "revision read");
                Some(follower.world.update(&id, |state| {
                    state.repositories.insert(repository.clone(), snapshot);
                    state.repository_problems.remove(&repository);
                }))
            }
            Ok(None) => None,
            Err(problem) => Some(follower.world.update(&id, |state| {
                state.repository_problems.insert(repository.clone(), problem);
            })),
        };
        if let Some(touched) = touched {
            (follower.wake)(touched);
        }
        tokio::select! {
            () = keeper.wait() => {}
            () = cancel.cancelled() => return,
        }
    }
}
