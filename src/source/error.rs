//! Everything that can go wrong between a source and its files.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{RedactedUrl, Revision};

/// What an underlying library said, with the credentials of the URL taken out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    /// Takes a text that holds no credentials.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes a text that may quote `url`, and shows that redacted; and without control characters, since a server may have
    /// sent it.
    pub fn scrubbed(text: &str, url: &RedactedUrl) -> Self {
        let mut text = text.replace(url.reveal(), &url.to_string());
        let authority = url.reveal().split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
        // A library may quote only a part of the URL: its user information must not slip through that way.
        if let Some((user, _)) = authority.and_then(|authority| authority.rsplit_once('@')) {
            let password = user.split_once(':').map_or("", |(_, password)| password);
            if !password.is_empty() {
                text = text.replace(password, "***");
            } else if url.reveal().starts_with("http") && !user.is_empty() {
                text = text.replace(user, "***");
            }
        }
        Self(text.replace(char::is_control, " ").trim().to_owned())
    }
}

impl From<std::io::Error> for Cause {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Why a source did not give its files. The message says what happened to which source, [`Error::hint`] what to do, the
/// source chain what the library below said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server refused who we are, or wants to know it.
    #[error("{url} {refusal}")]
    Unauthorized {
        /// The repository.
        url: RedactedUrl,
        /// In which way.
        refusal: Refusal,
    },
    /// The SSH server did not prove to be the one that is known. Nothing was sent to it.
    #[error("the host key of {host} {problem}, so {url} was not read")]
    HostKey {
        /// The repository.
        url: RedactedUrl,
        /// The host, as a known_hosts file writes it.
        host: String,
        /// What is wrong with the key.
        problem: HostKeyProblem,
    },
    /// The TLS certificate does not verify.
    #[error("the certificate of {url} is not trusted")]
    Certificate {
        /// The repository.
        url: RedactedUrl,
        /// What the TLS library said.
        source: Cause,
    },
    /// No connection came about, or it broke.
    #[error("{url} cannot be reached")]
    Unreachable {
        /// The repository.
        url: RedactedUrl,
        /// What the network said.
        source: Cause,
    },
    /// No answer in time.
    #[error("{url} did not answer within {:.1} s", after.as_secs_f32())]
    Timeout {
        /// The repository.
        url: RedactedUrl,
        /// How long was waited.
        after: Duration,
    },
    /// The server has no such repository, or does not admit to it.
    #[error("there is no repository at {url}")]
    NotFound {
        /// The repository.
        url: RedactedUrl,
    },
    /// The path is there and is not a git repository.
    #[error("{} is not a git repository", path.display())]
    NotARepository {
        /// The path.
        path: PathBuf,
    },
    /// The repository around a directory is not this user's, so it is not taken without being named.
    #[error("the repository {} belongs to another user", path.display())]
    Foreign {
        /// Its work tree.
        path: PathBuf,
    },
    /// The directory is not there or cannot be read.
    #[error("the directory {} cannot be read", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: Cause,
    },
    /// The repository has no branch, tag or commit of that name.
    #[error("{url} has no branch, tag or commit `{name}`")]
    UnknownReference {
        /// The repository.
        url: RedactedUrl,
        /// The name as it was asked for.
        name: String,
        /// What it does have: the nearest name first, then the others by name, ten at most.
        candidates: Vec<String>,
    },
    /// The abbreviated commit id fits several commits.
    #[error("`{name}` fits several commits of {url}")]
    Ambiguous {
        /// The repository.
        url: RedactedUrl,
        /// The abbreviation.
        name: String,
    },
    /// The name leads to a tree or a blob.
    #[error("`{name}` of {url} is no commit")]
    NotACommit {
        /// The repository.
        url: RedactedUrl,
        /// The name.
        name: String,
    },
    /// There is no commit in the repository at all.
    #[error("{url} is empty: it has no commit")]
    Empty {
        /// The repository.
        url: RedactedUrl,
    },
    /// The commit is gone, as after a forced push between two looks.
    #[error("{url} no longer has the commit {}", revision.short())]
    Gone {
        /// The repository.
        url: RedactedUrl,
        /// The commit.
        revision: Revision,
    },
    /// A file with a credential cannot be read or used.
    #[error("the {what} file {} cannot be used", path.display())]
    Credential {
        /// Which one: `password`, `ssh key`, `passphrase`, `known_hosts` or `CA`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why; never its content.
        source: Cause,
    },
    /// A URL of a kind that is not supported, as `git://`.
    #[error("{url} is no address of a git repository that skep can read")]
    Unsupported {
        /// The URL.
        url: RedactedUrl,
    },
    /// The clone on the own disk cannot be written or read.
    #[error("the clone of {url} in {} failed", path.display())]
    Clone {
        /// The repository.
        url: RedactedUrl,
        /// The directory of the clone.
        path: PathBuf,
        /// What failed.
        source: Cause,
    },
    /// The conversation with the server failed in another way.
    #[error("{url} cannot be fetched")]
    Transport {
        /// The repository.
        url: RedactedUrl,
        /// What the git library said.
        source: Cause,
    },
    /// A path cannot be watched, neither by the system's events nor by polling.
    #[error("{} cannot be watched", path.display())]
    Watch {
        /// The path.
        path: PathBuf,
        /// What failed.
        source: Cause,
    },
    /// A pattern of `discover` is not a glob.
    #[error("`{pattern}` is not a valid pattern")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: Cause,
    },
    /// A pattern or a directory leads to more than is looked at.
    #[error("`{pattern}` leads through more than {limit} directories")]
    TooMany {
        /// The pattern.
        pattern: String,
        /// The most that is looked at.
        limit: usize,
    },
    /// A directory that was looked through for stacks cannot be listed.
    #[error("`{path}` cannot be listed")]
    Listing {
        /// The path in the source.
        path: String,
        /// Why.
        source: crate::model::FileError,
    },
    /// The process is ending.
    #[error("reading {url} was interrupted")]
    Interrupted {
        /// The repository.
        url: RedactedUrl,
    },
}

/// In which way a server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It wants a credential and none is configured for this URL.
    NoCredential,
    /// It refused the one it was given.
    Credential,
    /// It knows who we are and does not let us read.
    Forbidden,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::NoCredential => "wants a credential, and none is configured for it",
            Refusal::Credential => "refused the credential",
            Refusal::Forbidden => "does not let this credential read it",
        })
    }
}

/// What is wrong with a host key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostKeyProblem {
    /// There is no known_hosts file to check it with.
    NoFile,
    /// The file does not name the host.
    Unknown {
        /// The offered key as `SHA256:…`.
        offered: String,
    },
    /// The file names the host with other keys.
    Mismatch {
        /// The offered key as `SHA256:…`.
        offered: String,
    },
    /// The file says that this key is not to be trusted.
    Revoked {
        /// The offered key as `SHA256:…`.
        offered: String,
    },
}

impl fmt::Display for HostKeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostKeyProblem::NoFile => f.write_str("cannot be checked without a known_hosts file"),
            HostKeyProblem::Unknown { offered } => write!(f, "is unknown ({offered})"),
            HostKeyProblem::Mismatch { offered } => write!(f, "is not the one that is known ({offered})"),
            HostKeyProblem::Revoked { offered } => write!(f, "is revoked ({offered})"),
        }
    }
}

impl Error {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Unauthorized { refusal: Refusal::NoCredential, .. } => {
                "configure a credential whose URL prefix covers this repository".to_owned()
            }
            Error::Unauthorized { refusal: Refusal::Credential, .. } => {
                "check the credential file: the token may have expired, or the key may not be registered there"
                    .to_owned()
            }
            Error::Unauthorized { refusal: Refusal::Forbidden, .. } | Error::NotFound { .. } => {
                "check the address, and that the credential may read this repository".to_owned()
            }
            Error::HostKey { problem: HostKeyProblem::NoFile, .. } => {
                "give the credential for this URL a known_hosts file".to_owned()
            }
            Error::HostKey { host, problem: HostKeyProblem::Unknown { .. }, .. } => {
                format!(
                    "compare the fingerprint with what the operator of {host} publishes, then add it to the known_hosts file"
                )
            }
            Error::HostKey { .. } => {
                "somebody may be between you and the server; replace the known key only if the host was rebuilt"
                    .to_owned()
            }
            Error::Certificate { .. } => "give the credential for this URL the CA file of the server".to_owned(),
            Error::UnknownReference { candidates, .. } => match candidates.first() {
                Some(_) => format!("it has: {}", candidates.join(", ")),
                None => return None,
            },
            Error::Ambiguous { .. } => "give more digits of the commit id".to_owned(),
            Error::Empty { .. } => "push a first commit".to_owned(),
            Error::Unsupported { .. } => "use an http(s) or ssh URL, or a path".to_owned(),
            Error::NotARepository { .. } => "run `git init` there, or name another directory".to_owned(),
            Error::Foreign { .. } => "name it with `--repo` if it is meant".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_url_is_shown_without_its_credentials() {
        let url = RedactedUrl::new("https://ci:s3cret@git.example.org/a.git");
        let cause = Cause::scrubbed("cannot parse 'https://ci:s3cret@git.example.org/a.git' (s3cret)", &url);
        assert_eq!(cause.to_string(), "cannot parse 'https://***@git.example.org/a.git' (***)");
        assert_eq!(Cause::scrubbed("\u{1b}[2Jgone\n", &url).to_string(), "[2Jgone");
        let error = Error::Unreachable { url, source: cause };
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }

    #[test]
    fn a_message_says_what_happened_and_the_hint_what_to_do() {
        let error = Error::UnknownReference {
            url: RedactedUrl::new("/srv/fleet"),
            name: "mian".to_owned(),
            candidates: vec!["main".to_owned(), "next".to_owned()],
        };
        assert_eq!(error.to_string(), "/srv/fleet has no branch, tag or commit `mian`");
        assert_eq!(error.hint().as_deref(), Some("it has: main, next"));
        assert_eq!(error.category().as_str(), "unknown-reference");
        assert!(!error.category().is_transient());
    }
}
