//! What a source resolved to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A commit id in full, as 40 (or 64) hexadecimal digits; or, for a directory that is not a repository, the digest of
/// what was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

impl Revision {
    /// Takes the id as it is.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven characters, for people, and a `-dirty` that stands behind the id.
    pub fn short(&self) -> String {
        let (id, rest) = self.0.split_at(self.0.find('-').unwrap_or(self.0.len()));
        format!("{}{rest}", id.get(..7).unwrap_or(id))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_revision_still_says_that_it_is_dirty() {
        let id = "4f2c91e0123456789abcdef0123456789abcdef0";
        assert_eq!(Revision::new(id).short(), "4f2c91e");
        assert_eq!(Revision::new(format!("{id}-dirty")).short(), "4f2c91e-dirty");
        assert_eq!(Revision::new("").short(), "");
    }
}
