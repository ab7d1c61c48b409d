//! Finding a path in a tree without leaving it: the one place where symbolic links are followed, for a commit's tree and
//! for a directory alike.

use crate::model::FileError;

/// The most links that are followed on one path, as in Linux.
const MAX_LINKS: usize = 40;

/// A directory of a tree, held open.
pub(super) trait Level: Sized {
    /// What a regular file is, before it is read.
    type File;

    /// The entry of that name; the name is never empty, `.` or `..`.
    fn child(&self, name: &str) -> Result<Child<Self>, FileError>;
}

/// What a name in a directory leads to.
pub(super) enum Child<L: Level> {
    Directory(L),
    File(L::File),
    /// A symbolic link and its target, as written.
    Link(String),
    Other,
}

/// What a path leads to, links resolved.
pub(super) enum Found<L: Level> {
    Directory(L),
    File(L::File),
    Other,
}

/// Follows `path` from `root`. A link is resolved inside the tree: one that is absolute, climbs above the root or goes in
/// a circle is [`FileError::Link`]. The levels passed stay open, so `..` goes back to what was passed and not to what a
/// rename put there meanwhile.
pub(super) fn find<L: Level>(root: L, path: &str) -> Result<Found<L>, FileError> {
    let mut passed = vec![root];
    let mut ahead: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                passed.pop();
                if passed.is_empty() {
                    return Err(FileError::Link);
                }
                continue;
            }
            _ => {}
        }
        let Some(level) = passed.last() else { return Err(FileError::Link) };
        // `.` and an empty name after it ask for nothing more.
        let last = ahead.iter().all(|name| matches!(name.as_str(), "" | "."));
        match level.child(&name)? {
            Child::Directory(next) => passed.push(next),
            Child::File(file) if last => return Ok(Found::File(file)),
            Child::Other if last => return Ok(Found::Other),
            Child::File(_) | Child::Other => return Err(FileError::NotFound),
            Child::Link(target) => {
                links += 1;
                if links > MAX_LINKS || target.starts_with('/') {
                    return Err(FileError::Link);
                }
                ahead.extend(target.split('/').rev().map(str::to_owned));
            }
        }
    }
    passed.pop().map(Found::Directory).ok_or(FileError::Link)
}
