//! A directory as it lies there, for `--repo DIR` without `--ref`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::walk::{self, Child, Found, Level};
use super::{Error, disk, git};
use crate::model::files::{ancestors, locate_inside};
use crate::model::{Digest, Entry, EntryKind, FileError, Files, Revision};

/// What [`Directory::revision`] adds to the commit's id when what was read is not what is committed.
pub const DIRTY: &str = "-dirty";

/// The files below one directory. Nothing outside is read: every step of a path is opened relative to the one before it
/// without following links, so that not even a rename at the same moment leads out. `.git` is not part of it.
///
/// It remembers what was read; so one is opened for each look.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    root: OwnedFd,
    seen: Mutex<Seen>,
}

/// What was read so far.
#[derive(Debug, Default)]
struct Seen {
    /// Every path that was asked for, with the digest of its content if it has one.
    files: BTreeMap<String, Option<Digest>>,
    /// Every directory that was listed, with the names in it.
    listings: BTreeMap<String, BTreeSet<String>>,
}

impl Directory {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// [`Error::Directory`] where there is none, or it may not be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        match rustix::fs::open(&path, disk::OPEN | OFlags::DIRECTORY, Mode::empty()) {
            Ok(root) => Ok(Self { path, root, seen: Mutex::default() }),
            Err(error) => Err(Error::Directory { path, source: std::io::Error::from(error).into() }),
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to call the state that was read so far. At the root of a git repository it is the id of the commit at `HEAD`,
    /// with [`DIRTY`] after it if anything that was read or listed differs from that commit; what nobody read does not
    /// count. Elsewhere it is a digest of what was read.
    ///
    /// # Errors
    /// [`Error::Clone`] where the repository's objects cannot be read.
    pub fn revision(&self) -> Result<Revision, Error> {
        let seen = self.seen();
        match git::Repository::open(&self.path).and_then(|repository| repository.head()) {
            Ok((revision, tree)) if seen.agrees_with(&tree) => Ok(revision),
            Ok((revision, _)) => Ok(Revision::new(format!("{revision}{DIRTY}"))),
            Err(Error::NotARepository { .. } | Error::Empty { .. } | Error::UnknownReference { .. }) => {
                Ok(Revision::new(seen.digest().as_str()))
            }
            Err(error) => Err(error),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, path: &str) -> Result<Found<Step>, FileError> {
        walk::find(Step(open_at(&self.root, ".", OFlags::DIRECTORY)?), path)
    }

    fn list(&self, dir: &str) -> Result<Vec<Entry>, FileError> {
        let step = match self.find(dir)? {
            Found::Directory(step) => step,
            Found::File(_) | Found::Other => return Err(FileError::NotFound),
        };
        let mut entries = Vec::new();
        for entry in Dir::read_from(&step.0).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let Ok(name) = entry.file_name().to_str() else {
                let name = entry.file_name().to_string_lossy().into_owned();
                entries.push(Entry { name, kind: EntryKind::Other });
                continue;
            };
            if matches!(name, "." | ".." | git::DOT_GIT) {
                continue;
            }
            let kind = match kind_at(&step.0, name)? {
                FileType::RegularFile => EntryKind::File,
                FileType::Directory => EntryKind::Directory,
                FileType::Symlink => match self.find(&format!("{dir}/{name}")) {
                    Ok(Found::File(_)) => EntryKind::File,
                    Ok(Found::Directory(_)) => EntryKind::Directory,
                    Ok(Found::Other) | Err(_) => EntryKind::Other,
                },
                _ => EntryKind::Other,
            };
            entries.push(Entry { name: name.to_owned(), kind });
        }
        entries.sort();
        Ok(entries)
    }
}

impl Files for Directory {
    fn locate(&self, dir: &str, path: &str) -> Result<String, FileError> {
        locate_inside(dir, path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let content = match self.find(path) {
            Ok(Found::File(file)) => disk::content(file),
            Ok(Found::Directory(_)) => Err(FileError::Directory),
            Ok(Found::Other) => Err(FileError::NotRegular),
            Err(error) => Err(error),
        };
        self.seen().files.insert(path.to_owned(), content.as_ref().ok().map(Digest::of));
        content
    }

    fn submodule(&self, path: &str) -> Option<String> {
        let has_repository = |path: &&str| match self.find(path) {
            Ok(Found::Directory(step)) => kind_at(&step.0, git::DOT_GIT).is_ok(),
            _ => false,
        };
        ancestors(path).find(has_repository).map(str::to_owned)
    }

    fn entries(&self, dir: &str) -> Result<Vec<Entry>, FileError> {
        let entries = self.list(dir);
        let names = entries.iter().flatten().map(|entry| entry.name.clone()).collect();
        self.seen().listings.insert(dir.to_owned(), names);
        entries
    }
}

impl Seen {
    /// Whether the commit has what was read, and nothing that a listing lacked. A file that no one committed counts only
    /// once it is read: build products beside the stacks make nothing dirty.
    fn agrees_with(&self, tree: &git::Tree) -> bool {
        let files = self.files.iter().all(|(path, digest)| tree.read(path).ok().map(Digest::of) == *digest);
        files
            && self.listings.iter().all(|(dir, names)| {
                tree.entries(dir).unwrap_or_default().iter().all(|committed| names.contains(&committed.name))
            })
    }

    fn digest(&self) -> Digest {
        let mut text = String::new();
        for (path, digest) in &self.files {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{path:?} {}", digest.as_ref().map_or("-", Digest::as_str));
        }
        Digest::of(text)
    }
}

/// A directory on the way, open.
struct Step(OwnedFd);

impl Level for Step {
    type File = File;

    fn child(&self, name: &str) -> Result<Child<Self>, FileError> {
        if name == git::DOT_GIT {
            return Err(FileError::NotFound);
        }
        Ok(match kind_at(&self.0, name)? {
            FileType::Directory => Child::Directory(Step(open_at(&self.0, name, OFlags::DIRECTORY)?)),
            FileType::RegularFile => Child::File(File::from(open_at(&self.0, name, OFlags::empty())?)),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&self.0, name, Vec::new()).map_err(refused)?;
                // A target that is no text names nothing that a path of ours can name.
                Child::Link(target.into_string().map_err(|_| FileError::NotFound)?)
            }
            _ => Child::Other,
        })
    }
}

/// What stands at that name, itself and not what it links to.
fn kind_at(dir: &OwnedFd, name: &str) -> Result<FileType, FileError> {
    let stat = rustix::fs::statat(dir.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW).map_err(refused)?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

/// Opens an entry that was no link a moment ago; one that became a link since is an error.
fn open_at(dir: &OwnedFd, name: &str, flags: OFlags) -> Result<OwnedFd, FileError> {
    rustix::fs::openat(dir.as_fd(), name, disk::OPEN | OFlags::NOFOLLOW | flags, Mode::empty()).map_err(refused)
}

fn refused(error: rustix::io::Errno) -> FileError {
    disk::fault(error.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::model::files::MAX_FILE;
    use crate::source::fixture::{Fixture, Item};

    fn read(directory: &Directory, path: &str) -> Result<String, FileError> {
        directory.read(path).map(|bytes| String::from_utf8(bytes).expect("text"))
    }

    #[test]
    fn nothing_outside_is_read() {
        let outer = tempfile::tempdir().expect("directory");
        let root = outer.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).expect("made");
        std::fs::write(outer.path().join("secret"), "secret").expect("written");
        std::fs::write(root.join("a/b/file"), "content").expect("written");
        std::fs::create_dir(root.join(".git")).expect("made");
        std::fs::write(root.join(".git/config"), "a token").expect("written");
        let absolute = root.join("a/b/file");
        for (link, target) in [
            ("up", "../secret"),
            ("a/up", "../../secret"),
            ("out", ".."),
            ("loop", "loop"),
            ("absolute", absolute.to_str().expect("text")),
            ("git", ".git/config"),
        ] {
            symlink(target, root.join(link)).expect("linked");
        }
        symlink("b/../b/file", root.join("a/link")).expect("linked");
        symlink("a/b", root.join("dir")).expect("linked");
        let directory = Directory::open(&root).expect("opened");
        for path in ["a/b/file", "a/link", "dir/file"] {
            assert_eq!(read(&directory, path).as_deref(), Ok("content"), "{path}");
        }
        for path in ["up", "a/up", "out/secret", "loop", "absolute"] {
            assert_eq!(read(&directory, path), Err(FileError::Link), "{path}");
        }
        for path in [".git/config", "git", "none", "a/b/file/x"] {
            assert_eq!(read(&directory, path), Err(FileError::NotFound), "{path}");
        }
        let entries = directory.entries("").expect("listed");
        let listed: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
        let other = EntryKind::Other;
        let expected = [
            ("a", EntryKind::Directory),
            ("absolute", other),
            ("dir", EntryKind::Directory),
            ("git", other),
            ("loop", other),
            ("out", other),
            ("up", other),
        ];
        assert_eq!(listed, expected);
    }

    #[test]
    fn what_is_no_regular_file_is_refused_and_never_waited_for() {
        let dir = tempfile::tempdir().expect("directory");
        let fifo = rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join("fifo"),
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        );
        fifo.expect("a FIFO");
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).expect("a socket");
        File::create(dir.path().join("large")).and_then(|file| file.set_len(MAX_FILE + 1)).expect("grown");
        let directory = Directory::open(dir.path()).expect("opened");
        assert_eq!(directory.read("fifo"), Err(FileError::NotRegular));
        assert_eq!(directory.read("socket"), Err(FileError::NotRegular));
        assert_eq!(directory.read(""), Err(FileError::Directory));
        assert_eq!(directory.read("large"), Err(FileError::TooLarge { limit: MAX_FILE }));
        assert!(matches!(Directory::open(dir.path().join("none")), Err(Error::Directory { .. })));
    }

    #[test]
    fn a_directory_that_becomes_a_link_at_that_moment_leads_nowhere() {
        let outer = tempfile::tempdir().expect("directory");
        let (inside, outside) = (outer.path().join("root/dir"), outer.path().join("outside"));
        std::fs::create_dir_all(&inside).expect("made");
        std::fs::create_dir(&outside).expect("made");
        std::fs::write(inside.join("file"), "inside").expect("written");
        std::fs::write(outside.join("file"), "outside").expect("written");
        let (link, aside) = (outer.path().join("root/link"), outer.path().join("aside"));
        symlink("../outside", &link).expect("linked");
        let directory = Directory::open(outer.path().join("root")).expect("opened");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    // dir and link change places, again and again.
                    for (from, to) in [(&inside, &aside), (&link, &inside), (&inside, &link), (&aside, &inside)] {
                        std::fs::rename(from, to).expect("renamed");
                    }
                }
            });
            let (mut read_inside, mut refused) = (0, 0);
            while (read_inside == 0 || refused == 0) || read_inside + refused < 2_000 {
                match read(&directory, "dir/file").as_deref() {
                    Ok(text) => {
                        assert_eq!(text, "inside");
                        read_inside += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn the_revision_is_the_commit_while_what_was_read_is_what_was_committed() {
        let fixture = Fixture::new();
        let committed = fixture.commit(&[("stacks/a/compose.yaml", Item::Text("a")), ("README", Item::Text("old"))]);
        fixture.write("stacks/a/compose.yaml", "a");
        fixture.write("README", "new");
        fixture.write("stacks/a/build.log", "nobody reads it");
        let clean = Directory::open(fixture.path()).expect("opened");
        clean.entries("stacks").expect("listed");
        clean.entries("stacks/a").expect("listed");
        clean.read("stacks/a/compose.yaml").expect("read");
        assert_eq!(clean.read("stacks/a/compose.prod.yaml"), Err(FileError::NotFound));
        assert_eq!(clean.revision(), Ok(committed.clone()), "README differs, and nobody read it");

        let dirty = Ok(Revision::new(format!("{committed}-dirty")));
        clean.read("README").expect("read");
        assert_eq!(clean.revision(), dirty, "now somebody did");

        let uncommitted = Directory::open(fixture.path()).expect("opened");
        uncommitted.read("stacks/a/build.log").expect("read");
        assert_eq!(uncommitted.revision(), dirty);

        std::fs::remove_dir_all(fixture.path().join("stacks/a")).expect("removed");
        let removed = Directory::open(fixture.path()).expect("opened");
        removed.entries("stacks").expect("listed");
        assert_eq!(removed.revision(), dirty, "a stack that is gone is a difference too");
    }

    #[test]
    fn elsewhere_the_revision_is_a_digest_of_what_was_read() {
        let dir = tempfile::tempdir().expect("directory");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        let revision = || {
            let directory = Directory::open(dir.path()).expect("opened");
            let _ = directory.read("a");
            directory.revision().expect("a revision")
        };
        write("a", "1");
        let first = revision();
        write("b", "not read");
        assert_eq!(revision(), first);
        write("a", "2");
        let second = revision();
        assert_ne!(second, first);
        std::fs::remove_file(dir.path().join("a")).expect("removed");
        assert_ne!(revision(), second);
        let unborn = Fixture::new();
        assert_eq!(Directory::open(unborn.path()).expect("opened").revision().map(|it| it.as_str().len()), Ok(64));
    }
}
