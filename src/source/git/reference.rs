//! What of a repository is followed, and finding it among the references the repository has.

use std::fmt;
use std::str::FromStr;

use crate::diag::did_you_mean;
use crate::model::RedactedUrl;
use crate::source::Error;

/// The most names that an error lists.
const MAX_CANDIDATES: usize = 10;
/// The fewest digits of an abbreviated commit id, as git's own default.
const MIN_ABBREVIATION: usize = 7;

/// What of a repository is followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Reference {
    /// The branch at its `HEAD`: the default branch of a server, the one that is checked out in a local repository.
    #[default]
    Head,
    /// A branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit, by its id or its first seven or more digits.
    Commit(String),
    /// A branch of that name, or else a tag, or else a commit; or a reference in full (`refs/pull/7/head`).
    Name(String),
}

impl FromStr for Reference {
    type Err = std::convert::Infallible;

    /// What `--ref` means: [`Reference::Name`], but for `HEAD`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "HEAD" { Reference::Head } else { Reference::Name(text.to_owned()) })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Reference::Head => "HEAD",
            Reference::Branch(name) | Reference::Tag(name) | Reference::Commit(name) | Reference::Name(name) => name,
        })
    }
}

/// One reference that a repository has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Advertised {
    /// Its name in full; a tag object's commit follows as `<name>^{}`.
    pub name: String,
    /// What it points to.
    pub id: git2::Oid,
    /// The reference it stands for: `HEAD` stands for a branch.
    pub target: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pick {
    /// A reference: what it points to, and its short name for people.
    Reference { id: git2::Oid, name: String },
    /// A commit that only the objects themselves can tell: these digits.
    Commit(String),
}

impl Reference {
    /// Whether only the objects themselves may be able to tell what it means.
    pub(super) fn may_be_commit(&self) -> bool {
        matches!(self, Reference::Commit(name) | Reference::Name(name) if is_commit(name))
    }

    /// The reference to ask a server for besides its branches and tags.
    pub(super) fn beside_branches(&self) -> Option<&str> {
        match self {
            // A detached HEAD may be on no branch.
            Reference::Head => Some("HEAD"),
            Reference::Name(name) if name.starts_with("refs/") => Some(name),
            _ => None,
        }
    }

    /// Finds it.
    ///
    /// # Errors
    /// [`Error::Empty`] or [`Error::UnknownReference`].
    pub(super) fn pick(&self, url: &RedactedUrl, has: &[Advertised]) -> Result<Pick, Error> {
        let find = |name: String| {
            let commit = format!("{name}^{{}}");
            has.iter().find(|one| one.name == commit).or_else(|| has.iter().find(|one| one.name == name))
        };
        let branch = |name: &str| find(format!("refs/heads/{name}"));
        let tag = |name: &str| find(format!("refs/tags/{name}"));
        let found = match self {
            Reference::Head => find("HEAD".to_owned()),
            Reference::Branch(name) => branch(name),
            Reference::Tag(name) => tag(name),
            Reference::Commit(id) if is_commit(id) => return Ok(Pick::Commit(id.to_ascii_lowercase())),
            Reference::Commit(_) => None,
            Reference::Name(name) if name.starts_with("refs/") => find(name.clone()),
            Reference::Name(name) => match branch(name).or_else(|| tag(name)) {
                None if is_commit(name) => return Ok(Pick::Commit(name.to_ascii_lowercase())),
                found => found,
            },
        };
        match found {
            Some(one) => {
                let name = one.target.as_deref().unwrap_or(&one.name);
                Ok(Pick::Reference { id: one.id, name: short(name.trim_end_matches("^{}")).to_owned() })
            }
            None if has.is_empty() => Err(Error::Empty { url: url.clone() }),
            None => Err(self.unknown(url, has)),
        }
    }

    /// The error for a name that leads nowhere.
    pub(super) fn unknown(&self, url: &RedactedUrl, has: &[Advertised]) -> Error {
        let name = self.to_string();
        let mut candidates: Vec<&str> = has
            .iter()
            .filter(|one| one.name.starts_with("refs/heads/") || one.name.starts_with("refs/tags/"))
            .filter(|one| !one.name.ends_with("^{}"))
            .map(|one| short(&one.name))
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        if let Some(nearest) = did_you_mean(&name, candidates.iter().copied()) {
            // Stable: the nearest goes first and the others stay in order.
            candidates.sort_by_key(|candidate| *candidate != nearest);
        }
        let candidates = candidates.into_iter().take(MAX_CANDIDATES).map(str::to_owned).collect();
        Error::UnknownReference { url: url.clone(), name, candidates }
    }
}

/// Whether it may be a commit id or its beginning.
fn is_commit(text: &str) -> bool {
    (MIN_ABBREVIATION..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(digit: char) -> git2::Oid {
        git2::Oid::from_str(&digit.to_string().repeat(40)).expect("an id")
    }

    fn advertised() -> Vec<Advertised> {
        let one = |name: &str, digit, target: Option<&str>| Advertised {
            name: name.to_owned(),
            id: oid(digit),
            target: target.map(str::to_owned),
        };
        vec![
            one("HEAD", 'a', Some("refs/heads/main")),
            one("refs/heads/main", 'a', None),
            one("refs/heads/both", 'b', None),
            one("refs/heads/deadbeef", 'c', None),
            one("refs/tags/both", 'd', None),
            one("refs/tags/v1", 'e', None),
            one("refs/tags/v1^{}", 'f', None),
            one("refs/pull/7/head", '1', None),
        ]
    }

    fn pick(reference: Reference) -> Result<Pick, Error> {
        reference.pick(&RedactedUrl::new("/srv/a"), &advertised())
    }

    fn reference(digit: char, name: &str) -> Result<Pick, Error> {
        Ok(Pick::Reference { id: oid(digit), name: name.to_owned() })
    }

    #[test]
    fn a_name_is_a_branch_then_a_tag_then_a_commit() {
        let name = |text: &str| pick(text.parse().expect("infallible"));
        assert_eq!(name("HEAD"), reference('a', "main"));
        assert_eq!(name("both"), reference('b', "both"));
        assert_eq!(name("v1"), reference('f', "v1"), "the commit, not the tag object");
        assert_eq!(name("deadbeef"), reference('c', "deadbeef"));
        assert_eq!(name("DEADBEE"), Ok(Pick::Commit("deadbee".to_owned())));
        assert_eq!(name("refs/pull/7/head"), reference('1', "refs/pull/7/head"));
        assert_eq!(pick(Reference::Tag("both".into())), reference('d', "both"));
        assert_eq!(pick(Reference::Commit("deadbeef".into())), Ok(Pick::Commit("deadbeef".to_owned())));
        assert!(matches!(pick(Reference::Branch("v1".into())), Err(Error::UnknownReference { .. })));
        assert!(matches!(pick(Reference::Commit("main".into())), Err(Error::UnknownReference { .. })));
    }

    #[test]
    fn an_unknown_name_is_answered_with_what_there_is_nearest_first() {
        let Err(Error::UnknownReference { name, candidates, .. }) = pick(Reference::Name("mian".into())) else {
            panic!("not unknown");
        };
        assert_eq!(name, "mian");
        assert_eq!(candidates, ["main", "both", "deadbeef", "v1"]);
    }

    #[test]
    fn a_repository_without_a_commit_is_empty_and_not_a_wrong_name() {
        let url = RedactedUrl::new("/srv/a");
        assert_eq!(Reference::Head.pick(&url, &[]), Err(Error::Empty { url: url.clone() }));
        assert_eq!(Reference::Branch("main".into()).pick(&url, &[]), Err(Error::Empty { url: url.clone() }));
    }
}
