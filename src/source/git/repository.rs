//! A repository on this machine, read where it lies: bare, with a work tree, or a linked work tree.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid, RepositoryOpenFlags};

use super::library;
use super::reference::{Advertised, Pick, Reference};
use super::tree::Tree;
use crate::model::{RedactedUrl, Revision};
use crate::source::Error;
use crate::source::error::Cause;

/// What a commit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub revision: Revision,
    /// The author's name.
    pub author: String,
    /// The author's address.
    pub email: String,
    /// When it was committed.
    pub time: jiff::Timestamp,
    /// The first line of its message.
    pub summary: String,
}

/// An opened repository. The handle is git2's: it may move between threads and not be shared by them, and costs next to
/// nothing to open.
pub struct Repository {
    inner: git2::Repository,
    url: RedactedUrl,
}

impl Repository {
    /// Opens the repository at `path`: its work tree's root or the git directory itself; those around it do not count.
    ///
    /// # Errors
    /// [`Error::Directory`] where nothing is there, [`Error::NotARepository`] where something else is,
    /// [`Error::Clone`] where it is one and is damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_as(path, RedactedUrl::new(path.to_string_lossy()))
    }

    /// As [`Repository::open`], named `url` in errors.
    pub(super) fn open_as(path: &Path, url: RedactedUrl) -> Result<Self, Error> {
        library::setup();
        match git2::Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, &[] as &[&OsStr]) {
            Ok(inner) => Ok(Self { inner, url }),
            Err(error) if error.code() == ErrorCode::NotFound => match std::fs::metadata(path) {
                Ok(_) => Err(Error::NotARepository { path: path.to_owned() }),
                Err(error) => Err(Error::Directory { path: path.to_owned(), source: error.into() }),
            },
            Err(error) => Err(Error::Clone { url, path: path.to_owned(), source: Cause::new(error.message()) }),
        }
    }

    /// Whether it has no files to read as they lie.
    pub fn is_bare(&self) -> bool {
        self.inner.is_bare()
    }

    /// Where its `HEAD` is: of a linked work tree, the work tree's own git directory.
    pub fn git_directory(&self) -> &Path {
        self.inner.path()
    }

    /// Where its branches are: of a linked work tree, the main repository's git directory.
    pub fn common_directory(&self) -> &Path {
        self.inner.commondir()
    }

    /// The commit that a reference means, and the reference's short name for people (`main`, `v1.2`, `4f2c91e`).
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::UnknownReference`], [`Error::Ambiguous`], [`Error::NotACommit`], or [`Error::Clone`]
    /// where the repository is damaged.
    pub fn resolve(&self, reference: &Reference) -> Result<(Revision, String), Error> {
        let has = self.advertised()?;
        match reference.pick(&self.url, &has)? {
            Pick::Reference { id, name } => Ok((self.peel(id, &name)?, name)),
            Pick::Commit(digits) => match self.find_commit(&digits)? {
                Some(revision) => Ok((revision.clone(), revision.short().to_owned())),
                None => Err(reference.unknown(&self.url, &has)),
            },
        }
    }

    /// The commit at `HEAD`, and its files.
    ///
    /// # Errors
    /// As [`Repository::resolve`].
    pub fn head(self) -> Result<(Revision, Tree), Error> {
        let (revision, _) = self.resolve(&Reference::Head)?;
        let tree = self.tree(&revision)?;
        Ok((revision, tree))
    }

    /// The files of a commit.
    ///
    /// # Errors
    /// [`Error::Gone`] where it is not here, [`Error::Clone`] where it is damaged.
    pub fn tree(self, revision: &Revision) -> Result<Tree, Error> {
        let root = self.commit_object(revision)?.tree().map(|tree| tree.id());
        let root = root.map_err(|error| self.damaged(&error))?;
        Ok(Tree::new(self.inner, root, revision.clone()))
    }

    /// What a commit says of itself.
    ///
    /// # Errors
    /// As [`Repository::tree`].
    pub fn commit(&self, revision: &Revision) -> Result<Commit, Error> {
        let commit = self.commit_object(revision)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let author = commit.author();
        let seconds = commit.time().seconds();
        Ok(Commit {
            revision: revision.clone(),
            author: text(author.name_bytes()),
            email: text(author.email_bytes()),
            // A commit may claim any time; one that no calendar has is shown as the epoch.
            time: jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            summary: text(commit.summary_bytes().unwrap_or_default()),
        })
    }

    /// The commit whose id begins with these digits, if it is here.
    pub(super) fn find_commit(&self, digits: &str) -> Result<Option<Revision>, Error> {
        match self.inner.find_object_by_prefix(digits, None) {
            Ok(object) => self.peel(object.id(), digits).map(Some),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) if error.code() == ErrorCode::Ambiguous => {
                Err(Error::Ambiguous { url: self.url.clone(), name: digits.to_owned() })
            }
            Err(error) => Err(self.damaged(&error)),
        }
    }

    /// Whether the commit and its root are here.
    pub(super) fn has(&self, revision: &Revision) -> bool {
        self.commit_object(revision).is_ok_and(|commit| commit.tree().is_ok())
    }

    /// Whether the objects that the references name are here, as they are unless somebody removed files.
    pub(super) fn is_sound(&self) -> bool {
        let objects = self.inner.odb();
        let references = self.advertised();
        objects.is_ok_and(|objects| references.is_ok_and(|all| all.iter().all(|one| objects.exists(one.id))))
    }

    pub(super) fn inner(&self) -> &git2::Repository {
        &self.inner
    }

    fn commit_object(&self, revision: &Revision) -> Result<git2::Commit<'_>, Error> {
        let gone = || Error::Gone { url: self.url.clone(), revision: revision.clone() };
        let id = Oid::from_str(revision.as_str()).map_err(|_| gone())?;
        match self.inner.find_commit(id) {
            Ok(commit) => Ok(commit),
            Err(error) if error.code() == ErrorCode::NotFound => Err(gone()),
            Err(error) => Err(self.damaged(&error)),
        }
    }

    /// The commit behind an object, which may be a tag object.
    fn peel(&self, id: Oid, name: &str) -> Result<Revision, Error> {
        let not_a_commit = || Error::NotACommit { url: self.url.clone(), name: name.to_owned() };
        let object = self.inner.find_object(id, None).map_err(|error| self.damaged(&error))?;
        match object.peel(ObjectType::Commit) {
            Ok(commit) => Ok(Revision::new(commit.id().to_string())),
            Err(error) if matches!(error.code(), ErrorCode::Peel | ErrorCode::InvalidSpec | ErrorCode::Ambiguous) => {
                Err(not_a_commit())
            }
            Err(error) => Err(self.damaged(&error)),
        }
    }

    /// The references as a server would list them, but for the commits of tag objects.
    fn advertised(&self) -> Result<Vec<Advertised>, Error> {
        let mut all = Vec::new();
        let head = self.inner.find_reference("HEAD").and_then(|head| {
            let target = head.symbolic_target().ok().flatten().map(str::to_owned);
            Ok((head.resolve()?.target(), target))
        });
        // A HEAD that leads nowhere is a branch without a commit.
        if let Ok((Some(id), target)) = head {
            all.push(Advertised { name: "HEAD".to_owned(), id, target });
        }
        for reference in self.inner.references().map_err(|error| self.damaged(&error))? {
            let reference = reference.map_err(|error| self.damaged(&error))?;
            // A name that is no text, or a link to nowhere, cannot be asked for.
            let (Ok(name), Ok(Some(id))) = (reference.name(), reference.resolve().map(|end| end.target())) else {
                continue;
            };
            all.push(Advertised { name: name.to_owned(), id, target: None });
        }
        Ok(all)
    }

    fn damaged(&self, error: &git2::Error) -> Error {
        let path = self.inner.path().to_owned();
        Error::Clone { url: self.url.clone(), path, source: Cause::new(error.message()) }
    }
}

/// The work tree of the repository around a directory; `None` where there is none, or it is bare.
///
/// # Errors
/// [`Error::Foreign`] where it belongs to another user: somebody may have put one above a shared directory.
pub fn enclosing(directory: &Path) -> Result<Option<PathBuf>, Error> {
    library::setup();
    let Ok(found) = git2::Repository::discover(directory) else { return Ok(None) };
    let Some(root) = found.workdir() else { return Ok(None) };
    let user = rustix::process::geteuid();
    for path in [root, found.path()] {
        let owner = std::fs::metadata(path)
            .map_err(|error| Error::Directory { path: path.to_owned(), source: error.into() })?
            .uid();
        if !user.is_root() && owner != user.as_raw() {
            return Err(Error::Foreign { path: root.to_owned() });
        }
    }
    // git2 gives it with a slash at the end.
    Ok(Some(root.components().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{Fixture, Item, init, oid};

    fn resolve(fixture: &Fixture, reference: &str) -> Result<(String, String), Error> {
        let repository = Repository::open(fixture.path())?;
        let (revision, name) = repository.resolve(&reference.parse().expect("infallible"))?;
        Ok((revision.as_str().to_owned(), name))
    }

    #[test]
    fn branches_tags_and_commits_are_found_by_name() {
        let fixture = Fixture::new();
        let first = fixture.commit(&[("a", Item::Text("1"))]);
        fixture.tag("v1", &first);
        let second = fixture.commit(&[("a", Item::Text("2"))]);
        fixture.branch("next", &first);
        let is = |revision: &Revision, name: &str| Ok((revision.as_str().to_owned(), name.to_owned()));
        assert_eq!(resolve(&fixture, "HEAD"), is(&second, "main"));
        assert_eq!(resolve(&fixture, "main"), is(&second, "main"));
        assert_eq!(resolve(&fixture, "next"), is(&first, "next"));
        assert_eq!(resolve(&fixture, "v1"), is(&first, "v1"), "the commit behind the tag object");
        assert_eq!(resolve(&fixture, first.as_str()), is(&first, first.short()));
        assert_eq!(resolve(&fixture, &first.as_str()[..9]), is(&first, first.short()));
        let Err(Error::UnknownReference { candidates, .. }) = resolve(&fixture, "nxet") else { panic!("known") };
        assert_eq!(candidates, ["next", "main", "v1"]);
        assert!(matches!(resolve(&fixture, "0123456789"), Err(Error::UnknownReference { .. })));
    }

    #[test]
    fn head_follows_what_is_checked_out() {
        let fixture = Fixture::new();
        assert!(matches!(resolve(&fixture, "HEAD"), Err(Error::Empty { .. })));
        let first = fixture.commit(&[("a", Item::Text("1"))]);
        fixture.branch("next", &first);
        fixture.git.set_head("refs/heads/next").expect("switched");
        let second = fixture.commit(&[("a", Item::Text("2"))]);
        assert_eq!(resolve(&fixture, "HEAD"), Ok((second.as_str().to_owned(), "next".to_owned())));
        fixture.git.set_head_detached(oid(&first)).expect("detached");
        assert_eq!(resolve(&fixture, "HEAD"), Ok((first.as_str().to_owned(), "HEAD".to_owned())));
        fixture
            .git
            .find_branch("next", git2::BranchType::Local)
            .and_then(|mut it| it.rename("last", false))
            .expect("renamed");
        assert_eq!(resolve(&fixture, "last"), Ok((second.as_str().to_owned(), "last".to_owned())));
        assert!(matches!(resolve(&fixture, "next"), Err(Error::UnknownReference { .. })));
    }

    #[test]
    fn a_tag_on_a_tree_is_no_commit() {
        let fixture = Fixture::new();
        let revision = fixture.commit(&[("a", Item::Text("1"))]);
        let tree = fixture.git.find_commit(oid(&revision)).and_then(|commit| commit.tree()).expect("a tree");
        fixture.git.reference("refs/tags/tree", tree.id(), false, "").expect("a tag");
        assert!(matches!(resolve(&fixture, "tree"), Err(Error::NotACommit { .. })));
    }

    #[test]
    fn a_commit_says_who_when_and_what() {
        let fixture = Fixture::new();
        let revision = fixture.commit(&[("a", Item::Text("1"))]);
        let commit = Repository::open(fixture.path()).and_then(|it| it.commit(&revision)).expect("a commit");
        assert_eq!((commit.author.as_str(), commit.email.as_str()), ("Ann", "ann@example.org"));
        assert_eq!(commit.summary, "change");
        assert_eq!(commit.time.to_string(), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn only_the_path_itself_is_opened_and_only_the_surroundings_are_searched_for() {
        let fixture = Fixture::new();
        let inner = fixture.path().join("stacks/a");
        std::fs::create_dir_all(&inner).expect("made");
        assert!(matches!(Repository::open(&inner), Err(Error::NotARepository { .. })));
        assert!(matches!(Repository::open(&inner.join("none")), Err(Error::Directory { .. })));
        let root = fixture.path().canonicalize().expect("a path");
        assert_eq!(enclosing(&inner), Ok(Some(root)));
        let bare = tempfile::tempdir().expect("directory");
        assert_eq!(enclosing(bare.path()), Ok(None));
        init(bare.path(), true);
        assert_eq!(enclosing(bare.path()), Ok(None), "there are no files to read as they lie");
        assert_eq!(Repository::open(bare.path()).map(|it| it.is_bare()), Ok(true));
        assert_eq!(Repository::open(fixture.path()).map(|it| it.is_bare()), Ok(false));
    }
}
