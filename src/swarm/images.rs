//! What is known of images beyond their names.

use std::collections::BTreeMap;
use std::fmt;

use super::Healthcheck;

/// What registries said of images, each by its text as a service's spec has it: normalised, with its tag, without a digest.
/// An image that was not asked about is not in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Images(pub BTreeMap<String, Image>);

/// What is known of one image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Image {
    /// The digest of what its tag points to, as `sha256:…`; `None` where no registry said.
    pub digest: Option<String>,
    /// The platforms it was made for, as (operating system, architecture), in the registry's order.
    pub platforms: Vec<(String, String)>,
    /// The image's own healthcheck.
    pub healthcheck: Known<Healthcheck>,
    /// Why nothing more is known, in a few words: `no answer in time`. `None` where all was said.
    pub problem: Option<String>,
}

/// Something that an image may have, as far as anybody said.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Known<T> {
    /// Nobody said.
    #[default]
    Unknown,
    /// It has none.
    None,
    /// It has this.
    Some(T),
}

impl Images {
    /// What is known of an image.
    pub fn get(&self, text: &str) -> Option<&Image> {
        self.0.get(text)
    }

    /// The digest that an image's tag points to.
    pub fn digest(&self, text: &str) -> Option<&str> {
        self.get(text)?.digest.as_deref()
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.digest, &self.problem) {
            (Some(digest), _) => f.write_str(digest),
            (None, Some(problem)) => f.write_str(problem),
            (None, None) => f.write_str("unknown"),
        }
    }
}
