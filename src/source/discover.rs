//! Finding the directories with stacks: by the patterns of `skep.yaml`, or without one by the files' usual names.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};

use super::Error;
use super::error::Cause;
use crate::model::{Entry, EntryKind, FileError, Files};

/// How many levels `**` goes down.
const MAX_DEPTH: usize = 8;
/// The most directories that one pattern lists.
const MAX_DIRECTORIES: usize = 5_000;

/// The names a stack file is recognised by, the most particular to a swarm first: beside a `docker-stack.yml` a
/// `docker-compose.yml` is the one for the developer's machine.
pub const STACK_FILES: [&str; 8] = [
    "docker-stack.yaml",
    "docker-stack.yml",
    "stack.yaml",
    "stack.yml",
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
];

/// A directory with a stack file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The located directory; `""` is a repository's root.
    pub directory: String,
    /// The located file: the first of [`STACK_FILES`] that is there.
    pub file: String,
    /// The others of them that are there, located, and not taken.
    pub passed_over: Vec<String>,
}

/// The directories that a pattern means, located and sorted. It stands in a file in the directory `dir` and may begin with
/// `..`; `*` and `?` stay within a name, `**` goes any number of levels down (eight at most), and at
/// the end means everything below. Hidden directories are
/// passed over where the pattern does not name the dot.
///
/// # Errors
/// [`Error::Pattern`], [`Error::TooMany`], and [`Error::Listing`] where a directory that the pattern names outright is not
/// there or leads out. A pattern that nothing fits is an empty list.
pub fn matching(files: &dyn Files, dir: &str, pattern: &str) -> Result<Vec<String>, Error> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let plain = parts.iter().take_while(|part| !part.contains(['*', '?', '[', '{'])).count();
    let (base, globs) = parts.split_at(plain);
    let base = if pattern.starts_with('/') { format!("/{}", base.join("/")) } else { base.join("/") };
    let base = files.locate(dir, if base.is_empty() { "." } else { &base });
    let base = base.map_err(|source| Error::Listing { path: pattern.to_owned(), source })?;
    let globs = globs.iter().copied().chain((globs.last() == Some(&"**")).then_some("*"));
    let steps = globs.map(|glob| Step::parse(glob, pattern)).collect::<Result<Vec<_>, _>>()?;
    let mut search = Search { files, pattern, listed: 0, found: BTreeSet::new() };
    // Named outright, it must be there.
    search.list(&base)?;
    search.descend(&base, &steps, 0)?;
    Ok(search.found.into_iter().collect())
}

/// The directories with stack files in `dir` and one level below it, by directory. Hidden ones are passed over.
///
/// # Errors
/// [`Error::Listing`] where `dir` cannot be listed.
pub fn stacks(files: &dyn Files, dir: &str) -> Result<Vec<Found>, Error> {
    let list = |path: &str| files.entries(path).map_err(|source| Error::Listing { path: path.to_owned(), source });
    let entries = list(dir)?;
    let mut all: Vec<Found> = found(dir, &entries).into_iter().collect();
    for name in directories(&entries).filter(|name| !name.starts_with('.')) {
        let path = join(dir, name);
        all.extend(found(&path, &list(&path)?));
    }
    all.sort();
    Ok(all)
}

fn found(dir: &str, entries: &[Entry]) -> Option<Found> {
    let there = |name: &&str| entries.iter().any(|entry| entry.name == **name && entry.kind == EntryKind::File);
    let mut paths = STACK_FILES.iter().filter(|name| there(name)).map(|name| join(dir, name));
    let file = paths.next()?;
    Some(Found { directory: dir.to_owned(), file, passed_over: paths.collect() })
}

fn directories(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries.iter().filter(|entry| entry.kind == EntryKind::Directory).map(|entry| entry.name.as_str())
}

fn join(dir: &str, name: &str) -> String {
    match dir {
        "" => name.to_owned(),
        dir => format!("{}/{name}", dir.trim_end_matches('/')),
    }
}

/// One segment of a pattern.
enum Step {
    Name { glob: GlobMatcher, hidden: bool },
    AnyDepth,
    Up,
}

impl Step {
    fn parse(part: &str, pattern: &str) -> Result<Self, Error> {
        match part {
            "**" => return Ok(Step::AnyDepth),
            ".." => return Ok(Step::Up),
            _ => {}
        }
        let glob = GlobBuilder::new(part).literal_separator(true).backslash_escape(true).build();
        match glob {
            Ok(glob) => Ok(Step::Name { glob: glob.compile_matcher(), hidden: part.starts_with('.') }),
            Err(error) => {
                let source = Cause::new(error.kind().to_string());
                Err(Error::Pattern { pattern: pattern.to_owned(), source })
            }
        }
    }
}

struct Search<'a> {
    files: &'a dyn Files,
    pattern: &'a str,
    listed: usize,
    found: BTreeSet<String>,
}

impl Search<'_> {
    fn descend(&mut self, dir: &str, steps: &[Step], depth: usize) -> Result<(), Error> {
        let Some((step, rest)) = steps.split_first() else {
            self.found.insert(dir.to_owned());
            return Ok(());
        };
        match step {
            Step::Up => {
                let up = self.files.locate(dir, "..");
                let up = up.map_err(|source| Error::Listing { path: self.pattern.to_owned(), source })?;
                self.descend(&up, rest, depth)
            }
            Step::Name { glob, hidden } => {
                for name in directories(&self.list(dir)?) {
                    if glob.is_match(name) && (*hidden || !name.starts_with('.')) {
                        self.descend(&join(dir, name), rest, depth)?;
                    }
                }
                Ok(())
            }
            Step::AnyDepth => {
                self.descend(dir, rest, depth)?;
                if depth < MAX_DEPTH {
                    for name in directories(&self.list(dir)?).filter(|name| !name.starts_with('.')) {
                        self.descend(&join(dir, name), steps, depth + 1)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn list(&mut self, dir: &str) -> Result<Vec<Entry>, Error> {
        self.listed += 1;
        if self.listed > MAX_DIRECTORIES {
            return Err(Error::TooMany { pattern: self.pattern.to_owned(), limit: MAX_DIRECTORIES });
        }
        match self.files.entries(dir) {
            Ok(entries) => Ok(entries),
            // Named by a pattern and gone or unreadable a moment later: it fits nothing.
            Err(FileError::NotFound) if self.listed > 1 => Ok(Vec::new()),
            Err(source) => Err(Error::Listing { path: dir.to_owned(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Directory;
    use crate::source::fixture::{Fixture, Item};
    use crate::source::git::{Repository, Tree};

    /// Over a commit's tree; directories exist by having a file.
    fn tree(files: &[&str]) -> (Fixture, Tree) {
        let fixture = Fixture::new();
        let items: Vec<_> = files.iter().map(|path| (*path, Item::Text("x"))).collect();
        let revision = fixture.commit(&items);
        let tree = Repository::open(fixture.path()).and_then(|it| it.tree(&revision)).expect("a tree");
        (fixture, tree)
    }

    fn found(files: &dyn Files, dir: &str, pattern: &str) -> Vec<String> {
        matching(files, dir, pattern).expect("found")
    }

    #[test]
    fn patterns_find_directories_sorted() {
        let (_fixture, files) = tree(&[
            "stacks/shop/compose.yaml",
            "stacks/blog/compose.yaml",
            "stacks/.hidden/compose.yaml",
            "stacks/README.md",
            "stacks/shop/env/prod/x",
            "clusters/prod/skep.yaml",
        ]);
        for (dir, pattern, expected) in [
            ("", "stacks/*", vec!["stacks/blog", "stacks/shop"]),
            ("", "./stacks/*/", vec!["stacks/blog", "stacks/shop"]),
            ("clusters/prod", "../../stacks/s*", vec!["stacks/shop"]),
            ("", "stacks/.h*", vec!["stacks/.hidden"]),
            ("", "stacks/{blog,none}", vec!["stacks/blog"]),
            ("", "stacks/[!a-m]*", vec!["stacks/shop"]),
            ("", "*/shop", vec!["stacks/shop"]),
            ("", "**/prod", vec!["clusters/prod", "stacks/shop/env/prod"]),
            ("", "stacks/shop/**", vec!["stacks/shop/env", "stacks/shop/env/prod"]),
            ("", "stacks/blog", vec!["stacks/blog"]),
            ("", "stacks/x*", vec![]),
        ] {
            assert_eq!(found(&files, dir, pattern), expected, "{dir} {pattern}");
        }
    }

    #[test]
    fn a_pattern_may_not_leave_and_must_begin_somewhere() {
        let (_fixture, files) = tree(&["stacks/a/compose.yaml"]);
        let error = |pattern: &str| matching(&files, "", pattern).expect_err("refused");
        assert!(matches!(error("../*"), Error::Listing { source: FileError::Outside, .. }));
        assert!(matches!(error("/etc/*"), Error::Listing { source: FileError::Outside, .. }));
        assert!(matches!(error("*/../../*"), Error::Listing { source: FileError::Outside, .. }));
        assert!(matches!(error("stack/*"), Error::Listing { source: FileError::NotFound, .. }));
        assert!(matches!(error("stacks/["), Error::Pattern { .. }));
    }

    #[test]
    fn a_tree_without_end_is_not_walked_to_its_end() {
        let dir = tempfile::tempdir().expect("directory");
        for link in ["a", "b", "c", "d"] {
            std::os::unix::fs::symlink(".", dir.path().join(link)).expect("linked");
        }
        let files = Directory::open(dir.path()).expect("opened");
        assert!(matches!(matching(&files, "", "**/x"), Err(Error::TooMany { .. })));
    }

    #[test]
    fn without_a_declaration_the_usual_names_are_found_one_level_down() {
        let (_fixture, files) = tree(&[
            "docker-compose.yml",
            "vote/docker-compose.yml",
            "vote/docker-stack.yml",
            "web/compose.yaml",
            "web/deep/compose.yaml",
            ".github/compose.yaml",
            "docs/compose.md",
            "odd/compose.yaml/file",
        ]);
        let found = stacks(&files, "").expect("found");
        let one = |directory: &str, file: &str, passed_over: &[&str]| Found {
            directory: directory.to_owned(),
            file: file.to_owned(),
            passed_over: passed_over.iter().map(|path| (*path).to_owned()).collect(),
        };
        let expected = [
            one("", "docker-compose.yml", &[]),
            one("vote", "vote/docker-stack.yml", &["vote/docker-compose.yml"]),
            one("web", "web/compose.yaml", &[]),
        ];
        assert_eq!(found, expected);
        assert!(matches!(stacks(&files, "none"), Err(Error::Listing { .. })));
    }
}
