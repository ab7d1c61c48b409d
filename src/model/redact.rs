//! URLs as they may be printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A URL or path of a repository or engine whose user information is hidden when it is printed.
///
/// ```
/// use skep::model::RedactedUrl;
/// let url = RedactedUrl::new("https://ci:s3cret@git.example.org/a.git");
/// assert_eq!(url.to_string(), "https://***@git.example.org/a.git");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedactedUrl(String);

impl RedactedUrl {
    /// Takes a URL, an scp-like address (`git@host:path`) or a path.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole URL, credentials included, for the one who connects.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return f.write_str(&self.0) };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        match authority.rsplit_once('@') {
            // A user without a password, as in ssh://git@host, is an address and not a credential.
            Some((user, host)) if user.contains(':') || scheme.starts_with("http") => {
                write!(f, "{scheme}://***@{host}{path}")
            }
            _ => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_and_addresses_are_not() {
        for (given, shown) in [
            ("https://u:p@h/x", "https://***@h/x"),
            ("https://token@h/x", "https://***@h/x"),
            ("ssh://git@h/x", "ssh://git@h/x"),
            ("ssh://git:pw@h:22/x", "ssh://***@h:22/x"),
            ("git@h:x.git", "git@h:x.git"),
            ("/srv/x", "/srv/x"),
            ("https://h/a@b", "https://h/a@b"),
        ] {
            assert_eq!(RedactedUrl::new(given).to_string(), shown);
        }
    }
}
