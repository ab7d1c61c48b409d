//! The files of a commit, straight from the object database.

use std::sync::{Mutex, MutexGuard, PoisonError};

use git2::{ErrorCode, ObjectType, Oid};

use crate::model::files::{MAX_FILE, ancestors, locate_inside};
use crate::model::{Entry, EntryKind, FileError, Files, Revision};
use crate::source::walk::{self, Child, Found, Level};

/// The longest target of a symbolic link, in bytes, as in Linux.
const MAX_LINK: usize = 4096;
/// The mode of a symbolic link in a tree.
const LINK: i32 = 0o120_000;

/// The files of one commit. Sizes are known before anything is read; a submodule is [`FileError::NotRegular`].
pub struct Tree {
    // git2's handle may move between threads and not be shared by them.
    repository: Mutex<git2::Repository>,
    root: Oid,
    revision: Revision,
}

impl Tree {
    pub(super) fn new(repository: git2::Repository, root: Oid, revision: Revision) -> Self {
        Self { repository: Mutex::new(repository), root, revision }
    }

    /// The commit.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    fn repository(&self) -> MutexGuard<'_, git2::Repository> {
        self.repository.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find<'r>(&self, repository: &'r git2::Repository, path: &str) -> Result<Found<Node<'r>>, FileError> {
        walk::find(Node::open(repository, self.root)?, path)
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tree").field(&self.revision).finish()
    }
}

impl Files for Tree {
    fn locate(&self, dir: &str, path: &str) -> Result<String, FileError> {
        locate_inside(dir, path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let repository = self.repository();
        match self.find(&repository, path)? {
            Found::File(id) => blob(&repository, id, MAX_FILE),
            Found::Directory(_) => Err(FileError::Directory),
            Found::Other => Err(FileError::NotRegular),
        }
    }

    fn entries(&self, dir: &str) -> Result<Vec<Entry>, FileError> {
        let repository = self.repository();
        let node = match self.find(&repository, dir)? {
            Found::Directory(node) => node,
            Found::File(_) | Found::Other => return Err(FileError::NotFound),
        };
        let mut entries = Vec::with_capacity(node.tree.len());
        for entry in &node.tree {
            let Ok(name) = entry.name() else {
                let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
                entries.push(Entry { name, kind: EntryKind::Other });
                continue;
            };
            let kind = match (entry.kind(), entry.filemode()) {
                (Some(ObjectType::Tree), _) => EntryKind::Directory,
                (Some(ObjectType::Blob), LINK) => match self.find(&repository, &format!("{dir}/{name}")) {
                    Ok(Found::File(_)) => EntryKind::File,
                    Ok(Found::Directory(_)) => EntryKind::Directory,
                    Ok(Found::Other) | Err(_) => EntryKind::Other,
                },
                (Some(ObjectType::Blob), _) => EntryKind::File,
                _ => EntryKind::Other,
            };
            entries.push(Entry { name: name.to_owned(), kind });
        }
        entries.sort();
        Ok(entries)
    }

    fn submodule(&self, path: &str) -> Option<String> {
        let repository = self.repository();
        let root = repository.find_tree(self.root).ok()?;
        let is_commit = |path: &&str| {
            root.get_path(std::path::Path::new(path)).is_ok_and(|entry| entry.kind() == Some(ObjectType::Commit))
        };
        ancestors(path).find(is_commit).map(str::to_owned)
    }
}

/// A tree object on the way.
struct Node<'r> {
    repository: &'r git2::Repository,
    tree: git2::Tree<'r>,
}

impl<'r> Node<'r> {
    fn open(repository: &'r git2::Repository, id: Oid) -> Result<Self, FileError> {
        check_size(repository, id, MAX_FILE)?;
        Ok(Self { repository, tree: repository.find_tree(id).map_err(fault)? })
    }
}

impl Level for Node<'_> {
    type File = Oid;

    fn child(&self, name: &str) -> Result<Child<Self>, FileError> {
        let Some(entry) = self.tree.get_name(name) else { return Err(FileError::NotFound) };
        Ok(match (entry.kind(), entry.filemode()) {
            (Some(ObjectType::Tree), _) => Child::Directory(Node::open(self.repository, entry.id())?),
            (Some(ObjectType::Blob), LINK) => {
                let target = match blob(self.repository, entry.id(), MAX_LINK as u64) {
                    Err(FileError::TooLarge { .. }) => return Err(FileError::Link),
                    target => target?,
                };
                Child::Link(String::from_utf8(target).map_err(|_| FileError::NotFound)?)
            }
            (Some(ObjectType::Blob), _) => Child::File(entry.id()),
            // A submodule is a commit of another repository.
            _ => Child::Other,
        })
    }
}

fn blob(repository: &git2::Repository, id: Oid, limit: u64) -> Result<Vec<u8>, FileError> {
    check_size(repository, id, limit)?;
    Ok(repository.find_blob(id).map_err(fault)?.content().to_vec())
}

/// A few bytes can unpack to gigabytes, so the size is asked for before the object.
fn check_size(repository: &git2::Repository, id: Oid, limit: u64) -> Result<(), FileError> {
    let (size, _) = repository.odb().and_then(|objects| objects.read_header(id)).map_err(fault)?;
    if size as u64 > limit { Err(FileError::TooLarge { limit }) } else { Ok(()) }
}

fn fault(error: git2::Error) -> FileError {
    match error.code() {
        // The tree names it: it is the object that is missing, not the file.
        ErrorCode::NotFound => FileError::Io("the repository is damaged: an object is missing".to_owned()),
        _ => FileError::Io(error.message().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{Fixture, Item};
    use crate::source::git::Repository;

    fn tree(items: &[(&str, Item<'_>)]) -> (Fixture, Tree) {
        let fixture = Fixture::new();
        let revision = fixture.commit(items);
        let git = Repository::open(fixture.path()).expect("opened");
        let tree = git.tree(&revision).expect("a tree");
        // Nothing was ever checked out; only the object database is read.
        let names = std::fs::read_dir(fixture.path()).expect("listed").count();
        assert_eq!(names, 1, "only .git");
        (fixture, tree)
    }

    fn read(tree: &Tree, path: &str) -> Result<String, FileError> {
        tree.read(path).map(|bytes| String::from_utf8(bytes).expect("text"))
    }

    #[test]
    fn links_are_followed_inside_the_tree_and_nowhere_else() {
        let (_fixture, tree) = tree(&[
            ("a/b/file", Item::Text("content")),
            ("a/link", Item::Link("b/../b/./file")),
            ("dir", Item::Link("a/b")),
            ("chain", Item::Link("dir/file")),
            ("up", Item::Link("../etc/passwd")),
            ("a/up", Item::Link("../../etc/passwd")),
            ("absolute", Item::Link("/etc/passwd")),
            ("loop", Item::Link("pool")),
            ("pool", Item::Link("loop")),
            ("dangling", Item::Link("none")),
            ("through", Item::Link("chain/x")),
        ]);
        for path in ["a/b/file", "a/link", "dir/file", "chain"] {
            assert_eq!(read(&tree, path).as_deref(), Ok("content"), "{path}");
        }
        for path in ["up", "a/up", "absolute", "loop"] {
            assert_eq!(read(&tree, path), Err(FileError::Link), "{path}");
        }
        for path in ["dangling", "through", "none", "a/b/file/x"] {
            assert_eq!(read(&tree, path), Err(FileError::NotFound), "{path}");
        }
        assert_eq!(read(&tree, "dir"), Err(FileError::Directory));
        assert_eq!(tree.locate("a", "../../x"), Err(FileError::Outside));
    }

    #[test]
    fn what_is_listed_is_what_a_link_leads_to() {
        let (_fixture, tree) = tree(&[
            ("x/file", Item::Text("")),
            ("x/to-file", Item::Link("file")),
            ("x/to-dir", Item::Link("../y")),
            ("x/out", Item::Link("../../..")),
            ("x/module", Item::Submodule),
            ("y/z", Item::Text("")),
        ]);
        let entries = tree.entries("x").expect("listed");
        let listed: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
        let expected = [
            ("file", EntryKind::File),
            ("module", EntryKind::Other),
            ("out", EntryKind::Other),
            ("to-dir", EntryKind::Directory),
            ("to-file", EntryKind::File),
        ];
        assert_eq!(listed, expected);
        assert_eq!(tree.entries("").map(|entries| entries.len()), Ok(2));
        assert_eq!(tree.entries("none"), Err(FileError::NotFound));
    }

    #[test]
    fn a_submodule_is_not_a_file_and_a_huge_file_is_not_read() {
        let huge = vec![0; usize::try_from(MAX_FILE).expect("small") + 1];
        let exact = vec![0; usize::try_from(MAX_FILE).expect("small")];
        let (_fixture, tree) =
            tree(&[("module", Item::Submodule), ("huge", Item::Bytes(huge)), ("exact", Item::Bytes(exact))]);
        assert_eq!(tree.read("module"), Err(FileError::NotRegular));
        assert_eq!(tree.read("module/x"), Err(FileError::NotFound));
        for (path, submodule) in
            [("module", Some("module")), ("module/x/y", Some("module")), ("exact", None), ("", None)]
        {
            assert_eq!(tree.submodule(path).as_deref(), submodule, "{path}");
        }
        assert_eq!(tree.read("huge"), Err(FileError::TooLarge { limit: MAX_FILE }));
        assert_eq!(tree.read("exact").map(|bytes| bytes.len() as u64), Ok(MAX_FILE));
    }

    #[test]
    fn a_tree_is_shared_between_threads() {
        let (_fixture, tree) = tree(&[("file", Item::Text("content"))]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(read(&tree, "file").as_deref(), Ok("content")));
            }
        });
    }
}
