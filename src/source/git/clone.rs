//! The bare clone of a remote repository on the own disk.
//!
//! An initialised repository gets its final name by a rename, and libgit2 moves references only once their objects are
//! in, so a process killed at any moment leaves a clone that is either whole or behind. What is damaged in spite of that
//! is thrown away and cloned anew: everything in it can be had again.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use git2::RepositoryInitOptions;

use super::connection::Connection;
use super::repository::Repository;
use crate::model::{Digest, RedactedUrl, Revision};
use crate::source::Error;
use crate::source::error::Cause;

/// How libgit2 names a pack that it has not finished.
const UNFINISHED_PACK: &str = "pack_git2_";

/// Where the clone of one URL lies.
#[derive(Debug, Clone)]
pub(super) struct Clone {
    url: RedactedUrl,
    path: PathBuf,
}

impl Clone {
    /// The clone of `url` below `clones`, named after the URL without its credentials.
    pub fn new(clones: &Path, url: &RedactedUrl) -> Self {
        Self { url: url.clone(), path: clones.join(Digest::of(url.to_string()).prefix(32)) }
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Directory`] where it is not there yet, another where it is broken.
    pub fn open(&self) -> Result<Repository, Error> {
        Repository::open_as(&self.path, self.url.clone())
    }

    /// Opens it if it is there and has the commit.
    pub fn open_with(&self, revision: &Revision) -> Option<Repository> {
        let repository = self.open().ok()?;
        repository.has(revision).then_some(repository)
    }

    /// Fetches until `wanted` is content with it, or there is no more to fetch. Of several who want the same one fetches and
    /// the others wait, in this process and in others.
    ///
    /// # Errors
    /// What the conversation ended with, or [`Error::Clone`]. What was there before stays usable.
    pub fn fetch(
        &self,
        connection: &Connection<'_>,
        also: Option<&str>,
        wanted: impl Fn(&Repository) -> bool,
    ) -> Result<Repository, Error> {
        let _lock = self.lock().map_err(|error| self.failed(error.into()))?;
        let Ok(repository) = self.open() else { return self.anew(connection, also) };
        if wanted(&repository) {
            return Ok(repository);
        }
        self.sweep();
        let outcome = connection.fetch(repository.inner(), also);
        let damaged = match &outcome {
            Ok(()) => !wanted(&repository) && !repository.is_sound(),
            Err(error) => matches!(error, Error::Clone { .. }),
        };
        if damaged {
            tracing::warn!(url = %self.url, "the clone is damaged and is made anew");
            return self.anew(connection, also);
        }
        outcome.map(|()| repository)
    }

    /// Clones beside what is there, and puts it in its place when it is whole.
    fn anew(&self, connection: &Connection<'_>, also: Option<&str>) -> Result<Repository, Error> {
        let (new, old) = (self.path.with_extension("new"), self.path.with_extension("old"));
        let cleared = remove(&new).and_then(|()| remove(&old)).and_then(|()| private_directory(&new));
        cleared.map_err(|error| self.failed(error.into()))?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).no_reinit(true).external_template(false);
        let made = git2::Repository::init_opts(&new, &options).and_then(|repository| {
            // The clone outlives a crash of the machine where its disk does.
            repository.config()?.set_bool("core.fsyncObjectFiles", true)?;
            Ok(repository)
        });
        let repository = made.map_err(|error| self.failed(Cause::new(error.message())))?;
        connection.fetch(&repository, also)?;
        drop(repository);
        let placed = match fs::rename(&self.path, &old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => fs::rename(&new, &self.path).and_then(|()| remove(&old)),
        };
        placed.map_err(|error| self.failed(error.into()))?;
        self.open()
    }

    /// Held until the file is closed, by the end of the process at the latest.
    fn lock(&self) -> std::io::Result<File> {
        if let Some(clones) = self.path.parent() {
            private_directory(clones)?;
        }
        let file = File::options().write(true).create(true).truncate(false).open(self.path.with_extension("lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// Removes what a killed fetch left; the lock is held, so nobody is writing it.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.path.join("objects/pack")) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED_PACK)
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::debug!(url = %self.url, %error, "an unfinished pack stays");
            }
        }
    }

    fn failed(&self, source: Cause) -> Error {
        Error::Clone { url: self.url.clone(), path: self.path.clone(), source }
    }
}

/// Makes a directory that only its owner can read: a clone holds what the repository does, secrets included.
fn private_directory(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(path) {
        // A file in its place is in the way just as well.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
