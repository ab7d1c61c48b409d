//! What is known of images beyond their names.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Healthcheck;

/// What registries said of images, each by its text as a service's spec has it: normalised, with its tag; with a digest only
/// where the file says one. An image that was not asked about is not in it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Images(pub BTreeMap<String, Image>);

/// What is known of one image.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Image {
    /// The digest that the rest is about, as `sha256:…`: of what its tag points to, or the one that runs where nobody asked for
    /// the tag; `None` where no registry said.
    pub digest: Option<String>,
    /// The platforms it was made for, as (operating system, architecture), in the registry's order.
    pub platforms: Vec<(String, String)>,
    /// The image's own healthcheck.
    pub healthcheck: Known<Healthcheck>,
    /// Why nothing more is known. `None` where all was said.
    pub problem: Option<Problem>,
}

/// Why a registry said less of an image than it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Problem {
    /// It has none of that name, tag or digest.
    Missing,
    /// It does not tell these credentials.
    Denied,
    /// It did not answer, or not in time, or not in words that can be read: why, in a few words.
    Unanswered(String),
}

/// Something that an image may have, as far as anybody said.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    /// What is known of an image, by its text without a digest or by the whole of it.
    pub fn get(&self, text: &str) -> Option<&Image> {
        self.0.get(text)
    }

    /// What is known of the image of a spec, which may be pinned to a digest: nothing that is about another digest.
    pub fn of(&self, image: &str) -> Option<&Image> {
        let Some((text, digest)) = image.split_once('@') else { return self.get(image) };
        self.get(image)
            .or_else(|| self.get(text).filter(|known| known.digest.as_ref().is_none_or(|known| known == digest)))
    }

    /// The digest that an image's tag points to.
    pub fn digest(&self, text: &str) -> Option<&str> {
        self.get(text)?.digest.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Missing => f.write_str("it has none of that name"),
            Problem::Denied => f.write_str("it does not give it to skep"),
            Problem::Unanswered(why) => f.write_str(why),
        }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.digest, &self.problem) {
            (Some(digest), _) => f.write_str(digest),
            (None, Some(problem)) => problem.fmt(f),
            (None, None) => f.write_str("unknown"),
        }
    }
}
