//! Keeping up with one repository at one reference.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::clone::Clone as BareClone;
use super::connection::Connection;
use super::reference::{Pick, Reference};
use super::repository::{Commit, Repository};
use super::tree::Tree;
use crate::model::{RedactedUrl, Revision};
use crate::source::Error;
use crate::source::address::{Address, Remote};
use crate::source::credential::{Credential, Credentials};

/// The most conversations with servers at once. Repositories of this machine do not count: one whose server is silent
/// must not hold them up.
static CONVERSATIONS: Semaphore = Semaphore::const_new(8);

/// What to follow, and how.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The repository: an http(s) or ssh URL, `user@host:path`, `file://…` or a path.
    pub url: RedactedUrl,
    /// The reference.
    pub reference: Reference,
    /// All credentials there are; which one counts is decided by the URL.
    pub credentials: Vec<Credential>,
    /// How long to wait, and for how much.
    pub patience: Patience,
}

impl Spec {
    /// The default reference of `url`, without credentials.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: RedactedUrl::new(url),
            reference: Reference::Head,
            credentials: Vec::new(),
            patience: Patience::default(),
        }
    }
}

/// The limits of one conversation with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long listing the references may take: 60 s unless set.
    pub list: Duration,
    /// How long a fetch may take: 10 min unless set.
    pub fetch: Duration,
    /// The most bytes that one fetch receives: 4 GiB unless set.
    pub max_bytes: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self { list: Duration::from_secs(60), fetch: Duration::from_secs(600), max_bytes: 4 << 30 }
    }
}

/// One repository at one reference. A repository of this machine is read in place; another is cloned, and what was
/// fetched once stays readable whatever happens to its server.
///
/// Work that blocks runs on tokio's blocking threads. A thread that waits for a server cannot be stopped: after a
/// [`Error::Timeout`] it ends by libgit2's own timeouts, so a process that ends should not wait for its blocking threads.
#[derive(Debug, Clone)]
pub struct Follow(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    url: RedactedUrl,
    reference: Reference,
    patience: Patience,
    place: Place,
    /// Held by whoever talks to the server.
    turn: Arc<Semaphore>,
    /// The short name of what was resolved last.
    name: Mutex<Option<String>>,
    /// The tree that was asked for last: a source is asked for the same one until it moves.
    last: Mutex<Option<Arc<Tree>>>,
}

#[derive(Debug)]
enum Place {
    Local(PathBuf),
    Remote { remote: Remote, credentials: Credentials, clone: BareClone },
}

impl Follow {
    /// Prepares to follow `spec`; clones go below `clones`, a directory of skep's own. Nothing is contacted or written.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the URL, or the prefix of a credential, is of no kind that is known.
    pub fn open(clones: &Path, spec: Spec) -> Result<Self, Error> {
        let Spec { url, reference, credentials, patience } = spec;
        let place = match Address::parse(&url)? {
            Address::Local(path) => Place::Local(path),
            Address::Remote(remote) => {
                let (credentials, clone) = (Credentials::new(credentials)?, BareClone::new(clones, &url));
                Place::Remote { remote, credentials, clone }
            }
        };
        let turn = Arc::new(Semaphore::new(1));
        let (name, last) = (Mutex::default(), Mutex::default());
        Ok(Self(Arc::new(Shared { url, reference, patience, place, turn, name, last })))
    }

    /// The repository.
    pub fn url(&self) -> &RedactedUrl {
        &self.0.url
    }

    /// What is followed.
    pub fn reference(&self) -> &Reference {
        &self.0.reference
    }

    /// The short name of what the last [`Follow::resolve`] found: the branch's where `HEAD` is followed; the reference as
    /// it was given before that.
    pub fn name(&self) -> String {
        let name = self.0.name.lock().unwrap_or_else(PoisonError::into_inner);
        name.clone().unwrap_or_else(|| self.0.reference.to_string())
    }

    /// Where the repository is, if it is on this machine: what [`Watch`](crate::source::Watch) can watch. Others are to be
    /// asked by interval.
    pub fn local(&self) -> Option<&Path> {
        match &self.0.place {
            Place::Local(path) => Some(path),
            Place::Remote { .. } => None,
        }
    }

    /// The commit that the reference means now. Of a remote repository this costs one listing of its references; only a
    /// commit id that the clone does not have costs a fetch, and one that it has costs nothing.
    ///
    /// # Errors
    /// Any [`Error`] but those of watching and discovery.
    pub async fn resolve(&self) -> Result<Revision, Error> {
        let Patience { list, fetch, .. } = self.0.patience;
        let limit = if self.0.reference.may_be_commit() { fetch } else { list };
        if let Place::Local(_) = self.0.place {
            return self.here(Shared::resolve).await;
        }
        self.converse(limit, Shared::resolve).await
    }

    /// Brings the commit here, unless it is here. Nothing to do for a local repository.
    ///
    /// # Errors
    /// As [`Follow::resolve`]; [`Error::Gone`] where the server no longer has it. What was fetched before stays usable.
    pub async fn fetch(&self, revision: &Revision) -> Result<(), Error> {
        self.with(revision, |_, _| Ok(())).await
    }

    /// The files of a commit, fetched if need be.
    ///
    /// # Errors
    /// As [`Follow::fetch`].
    pub async fn tree(&self, revision: &Revision) -> Result<Arc<Tree>, Error> {
        if let Some(tree) = self.0.last().as_ref().filter(|tree| tree.revision() == revision) {
            return Ok(Arc::clone(tree));
        }
        let wanted = revision.clone();
        let tree = self.with(revision, move |_, repository| repository.tree(&wanted).map(Arc::new)).await?;
        *self.0.last() = Some(Arc::clone(&tree));
        Ok(tree)
    }

    /// What a commit says of itself, fetched if need be.
    ///
    /// # Errors
    /// As [`Follow::fetch`].
    pub async fn commit(&self, revision: &Revision) -> Result<Commit, Error> {
        let wanted = revision.clone();
        self.with(revision, move |_, repository| repository.commit(&wanted)).await
    }

    /// Does something with the repository once it has the commit. One that has it does not wait for any server.
    async fn with<T: Send + 'static>(
        &self,
        revision: &Revision,
        work: impl Fn(&Shared, Repository) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let (work, wanted) = (Arc::new(work), revision.clone());
        let here = {
            let work = Arc::clone(&work);
            let wanted = wanted.clone();
            move |shared: &Shared| shared.find(&wanted)?.map(|repository| work(shared, repository)).transpose()
        };
        if let Some(outcome) = self.here(here).await? {
            return Ok(outcome);
        }
        self.converse(self.0.patience.fetch, move |shared| work(shared, shared.fetch(&wanted)?)).await
    }

    /// Runs what talks to nobody.
    async fn here<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.0);
        let outcome = tokio::task::spawn_blocking(move || work(&shared)).await;
        outcome.unwrap_or_else(|_| Err(Error::Interrupted { url: self.0.url.clone() }))
    }

    /// Runs what talks to the server, in its turn. The thread gives its permits back when it is done, which after a
    /// timeout is later than the caller is: a server that never ends holds up one conversation, its own.
    async fn converse<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = async {
            let own = Arc::clone(&self.0.turn).acquire_owned().await;
            let all = CONVERSATIONS.acquire().await;
            self.here(move |shared| {
                let _permits = (own, all);
                work(shared)
            })
            .await
        };
        let timeout = || Error::Timeout { url: self.0.url.clone(), after: limit };
        tokio::time::timeout(limit, turn).await.unwrap_or_else(|_| Err(timeout()))
    }
}

impl Shared {
    fn resolve(&self) -> Result<Revision, Error> {
        let (revision, name) = match &self.place {
            Place::Local(_) => self.in_place()?.resolve(&self.reference)?,
            Place::Remote { remote, credentials, clone } => self.resolve_remote(remote, credentials, clone)?,
        };
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = Some(name);
        Ok(revision)
    }

    fn resolve_remote(
        &self,
        remote: &Remote,
        credentials: &Credentials,
        clone: &BareClone,
    ) -> Result<(Revision, String), Error> {
        let commit = |revision: Revision| (revision.clone(), revision.short().to_owned());
        // What a commit id means does not change: a clone that has it need not ask.
        if let (Reference::Commit(digits), Ok(repository)) = (&self.reference, clone.open())
            && let Some(revision) = repository.find_commit(digits)?
        {
            return Ok(commit(revision));
        }
        let connection = Connection::new(&self.url, remote, credentials, self.patience.fetch, self.patience.max_bytes)?;
        let has = connection.list()?;
        match self.reference.pick(&self.url, &has)? {
            Pick::Reference { id, name } => Ok((Revision::new(id.to_string()), name)),
            Pick::Commit(digits) => {
                let found = |repository: &Repository| matches!(repository.find_commit(&digits), Ok(Some(_)));
                let repository = clone.fetch(&connection, None, found)?;
                let revision = repository.find_commit(&digits)?;
                revision.map(commit).ok_or_else(|| self.reference.unknown(&self.url, &has))
            }
        }
    }

    /// The repository, if it has the commit already.
    fn find(&self, revision: &Revision) -> Result<Option<Repository>, Error> {
        match &self.place {
            Place::Local(_) => self.in_place().map(Some),
            Place::Remote { clone, .. } => Ok(clone.open_with(revision)),
        }
    }

    /// The repository once it has the commit.
    fn fetch(&self, revision: &Revision) -> Result<Repository, Error> {
        let Place::Remote { remote, credentials, clone } = &self.place else { return self.in_place() };
        let connection = Connection::new(&self.url, remote, credentials, self.patience.fetch, self.patience.max_bytes)?;
        let also = self.reference.beside_branches();
        let repository = clone.fetch(&connection, also, |repository| repository.has(revision))?;
        match repository.has(revision) {
            true => Ok(repository),
            false => Err(Error::Gone { url: self.url.clone(), revision: revision.clone() }),
        }
    }

    fn in_place(&self) -> Result<Repository, Error> {
        match &self.place {
            Place::Local(path) => Repository::open_as(path, self.url.clone()),
            Place::Remote { clone, .. } => clone.open(),
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Arc<Tree>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
