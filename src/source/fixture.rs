//! Repositories for the tests of this room.

use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, RepositoryInitOptions, Signature, Time};
use tempfile::TempDir;

use crate::model::Revision;

/// What to put at a path.
pub(super) enum Item<'a> {
    Text(&'a str),
    Bytes(Vec<u8>),
    Link(&'a str),
    Submodule,
}

/// A repository in a directory of its own, with `main` as its branch.
pub(super) struct Fixture {
    pub dir: TempDir,
    pub git: git2::Repository,
}

impl Fixture {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let git = init(dir.path(), false);
        Self { dir, git }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Commits these changes to what `HEAD` has, in the object database alone.
    pub fn commit(&self, items: &[(&str, Item<'_>)]) -> Revision {
        commit(&self.git, items)
    }

    /// Writes a file into the work tree.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    pub fn branch(&self, name: &str, at: &Revision) {
        let id = oid(at);
        self.git.branch(name, &self.git.find_commit(id).expect("a commit"), true).expect("a branch");
    }

    /// A tag object that is not the commit itself.
    pub fn tag(&self, name: &str, at: &Revision) {
        let commit = self.git.find_object(oid(at), None).expect("a commit");
        self.git.tag(name, &commit, &signature(), "a release", true).expect("a tag");
    }
}

pub(super) fn oid(revision: &Revision) -> Oid {
    Oid::from_str(revision.as_str()).expect("an id")
}

pub(super) fn init(path: &Path, bare: bool) -> git2::Repository {
    super::git::initialise(super::git::Setup::default());
    let mut options = RepositoryInitOptions::new();
    options.bare(bare).initial_head("main").external_template(false);
    git2::Repository::init_opts(path, &options).expect("a repository")
}

fn signature() -> Signature<'static> {
    Signature::new("Ann", "ann@example.org", &Time::new(1_700_000_000, 60)).expect("a signature")
}

fn commit(git: &git2::Repository, items: &[(&str, Item<'_>)]) -> Revision {
    let parent = git.head().ok().map(|head| head.peel_to_commit().expect("a commit"));
    let before = match &parent {
        Some(parent) => parent.tree().expect("a tree"),
        None => git.find_tree(git.treebuilder(None).and_then(|empty| empty.write()).expect("written")).expect("a tree"),
    };
    let mut changes = TreeUpdateBuilder::new();
    let blob = |bytes: &[u8]| git.blob(bytes).expect("a blob");
    for (path, item) in items {
        match item {
            Item::Text(text) => changes.upsert(*path, blob(text.as_bytes()), FileMode::Blob),
            Item::Bytes(bytes) => changes.upsert(*path, blob(bytes), FileMode::Blob),
            Item::Link(target) => changes.upsert(*path, blob(target.as_bytes()), FileMode::Link),
            Item::Submodule => changes.upsert(*path, Oid::from_bytes(&[7; 20]).expect("an id"), FileMode::Commit),
        };
    }
    let tree = git.find_tree(changes.create_updated(git, &before).expect("a tree")).expect("a tree");
    let parents: Vec<_> = parent.iter().collect();
    let id = git.commit(Some("HEAD"), &signature(), &signature(), "change\n\nwhy", &tree, &parents).expect("a commit");
    Revision::new(id.to_string())
}
