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

    /// The first seven characters.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }

    /// The same for people, who are also told what stands behind the id: `4f2c91e-dirty`.
    pub fn shown(&self) -> String {
        let id = self.0.split('-').next().unwrap_or_default();
        let rest = self.0.get(id.len()..).unwrap_or_default();
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
        let id = "82b34f383a1188f580773b9b5f508baea8d16f2f";
        assert_eq!(Revision::new(id).shown(), "82b34f3");
        assert_eq!(Revision::new(format!("{id}-dirty")).shown(), "82b34f3-dirty");
        assert_eq!(Revision::new("").shown(), "");
    }
}
