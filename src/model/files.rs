//! How pure code is given files: a commit's tree, a directory or the deployer's machine, behind one trait.

/// The largest file that is read from a source, in bytes. A config holds at most 1,024,000 bytes and a stack file of
/// 40,000 lines about as much; nothing legitimate comes near.
pub const MAX_FILE: u64 = 8 * 1024 * 1024;

/// The longest path in a tree, in bytes. Linux opens none that is longer.
const MAX_PATH: usize = 4096;

/// Why a file could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is none.
    #[error("there is no such file")]
    NotFound,
    /// The path leads out of the tree: `..`, an absolute path, or `~`.
    #[error("the path leads out of the repository")]
    Outside,
    /// A symbolic link on the way leads out of the tree, or in a circle.
    #[error("a symbolic link on this path leads out of the repository")]
    Link,
    /// A directory.
    #[error("it is a directory")]
    Directory,
    /// A FIFO, a device, a socket or a submodule.
    #[error("it is not a regular file")]
    NotRegular,
    /// More than [`MAX_FILE`] bytes.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: u64,
    },
    /// Reading failed.
    #[error("{0}")]
    Io(String),
}

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file, or a link to one inside the tree.
    File,
    /// A directory.
    Directory,
    /// Anything else.
    Other,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, without the directory.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// A tree of files, read-only. Paths are `/`-separated, as [`Files::locate`] returns them.
pub trait Files: Send + Sync {
    /// The path that `path`, written in a file that stands in the directory `dir`, means; normalised. `dir` is `""` for
    /// the root. In a repository the result is relative to its root; on the deployer's machine it is absolute.
    ///
    /// # Errors
    /// [`FileError::Outside`] in a repository where the path is absolute, begins with `~` or climbs out of it.
    fn locate(&self, dir: &str, path: &str) -> Result<String, FileError>;

    /// The content of the file at a located path, [`MAX_FILE`] bytes at most.
    ///
    /// # Errors
    /// Any [`FileError`].
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;

    /// The entries of the directory at a located path, sorted by name.
    ///
    /// # Errors
    /// Any [`FileError`].
    fn entries(&self, dir: &str) -> Result<Vec<Entry>, FileError>;

    /// The submodule that a located path is or lies in: its files are another repository's.
    fn submodule(&self, path: &str) -> Option<String> {
        let _ = path;
        None
    }
}

/// Joins and normalises a path for a tree whose root is `""`: the `locate` of everything that is a repository.
///
/// # Errors
/// [`FileError::Outside`] where the path is absolute, begins with `~`, holds a NUL or climbs out of the tree.
pub fn locate_inside(dir: &str, path: &str) -> Result<String, FileError> {
    if path.starts_with(['/', '~', '\\']) || path.contains('\0') {
        return Err(FileError::Outside);
    }
    if path.len() > MAX_PATH {
        return Err(FileError::NotFound);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(FileError::Outside)?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// The paths that lead to a located path, the outermost first and itself last: `a`, `a/b`, `a/b/c`. A path that is longer
/// than any file's leads nowhere.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let path = if path.len() > MAX_PATH { "" } else { path };
    let inner = path.match_indices('/').filter(|(at, _)| *at > 0).filter_map(|(at, _)| path.get(..at));
    inner.chain(Some(path).filter(|path| !path.is_empty()))
}

/// The directory of a located path: `""` for a file at the root.
pub fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| if dir.is_empty() { "/" } else { dir })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_lead_to_a_path() {
        for (path, expected) in [("a/b/c", vec!["a", "a/b", "a/b/c"]), ("/a/b", vec!["/a", "/a/b"]), ("", vec![])] {
            assert_eq!(ancestors(path).collect::<Vec<_>>(), expected, "{path}");
        }
    }

    #[test]
    fn a_path_may_climb_but_never_leave() {
        assert_eq!(locate_inside("clusters/prod", "../../stacks/a.yaml").as_deref(), Ok("stacks/a.yaml"));
        assert_eq!(locate_inside("", "./a//b").as_deref(), Ok("a/b"));
        assert_eq!(locate_inside("a", "..").as_deref(), Ok(""));
        for bad in ["..", "../x", "a/../../x", "/etc/passwd", "~/x", "a\0b"] {
            assert_eq!(locate_inside("", bad), Err(FileError::Outside), "{bad}");
        }
    }
}
