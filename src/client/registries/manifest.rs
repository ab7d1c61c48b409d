//! Manifests and configurations of images, of docker's and of the OCI's media types.

use serde::Deserialize;

use super::Refusal;
use crate::swarm::{Healthcheck, Known, architecture};

/// What may be answered to a question for a manifest: what the engine takes itself, or another digest would be found.
pub(super) const ACCEPTED: &str = "application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.image.manifest.v1+json";

/// What a tag or a digest points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its digest, as `sha256:…`.
    pub digest: String,
    pub(super) kind: Kind,
}

/// What sort of manifest it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Images for several platforms.
    Index(Vec<Entry>),
    /// One image, by the digest of its configuration.
    Image { config: String },
    /// Something else.
    Other,
}

/// One image of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub digest: String,
    /// Operating system and architecture.
    pub platform: (String, String),
}

/// What an image's manifests and configuration say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The platforms it was made for, as (operating system, architecture), in the registry's order.
    pub platforms: Vec<(String, String)>,
    /// Its own healthcheck.
    pub healthcheck: Known<Healthcheck>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct WireManifest {
    media_type: String,
    manifests: Option<Vec<WireEntry>>,
    config: Option<WireDescriptor>,
}

#[derive(Deserialize)]
struct WireEntry {
    digest: String,
    platform: Option<WirePlatform>,
}

#[derive(Deserialize)]
struct WireDescriptor {
    digest: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WirePlatform {
    os: String,
    architecture: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireImage {
    os: String,
    architecture: String,
    config: Option<WireSettings>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct WireSettings {
    healthcheck: Option<Healthcheck>,
}

impl Manifest {
    /// Reads a manifest. `kind` is the media type of the answer, which OCI manifests need not repeat.
    pub(super) fn read(digest: String, kind: &str, body: &[u8]) -> Result<Self, Refusal> {
        let unreadable = |_| Refusal::Unanswered("its manifest cannot be read".to_owned());
        let wire: WireManifest = serde_json::from_slice(body).map_err(unreadable)?;
        let media = if wire.media_type.is_empty() { kind } else { &wire.media_type };
        let is_index = media.contains("manifest.list") || media.contains("image.index");
        let kind = match (wire.manifests, wire.config) {
            (Some(entries), _) if is_index => Kind::Index(entries.into_iter().map(Entry::from).collect()),
            (_, Some(config)) if is_digest(&config.digest) => Kind::Image { config: config.digest },
            (Some(entries), None) => Kind::Index(entries.into_iter().map(Entry::from).collect()),
            _ => Kind::Other,
        };
        Ok(Self { digest, kind })
    }
}

impl From<WireEntry> for Entry {
    fn from(wire: WireEntry) -> Self {
        let platform = wire.platform.unwrap_or_default();
        Self { digest: wire.digest, platform: (platform.os, platform.architecture) }
    }
}

impl Facts {
    /// Reads an image's configuration.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let unreadable = |_| Refusal::Unanswered("its configuration cannot be read".to_owned());
        let wire: WireImage = serde_json::from_slice(body).map_err(unreadable)?;
        let own = wire.config.unwrap_or_default().healthcheck;
        let own = own.filter(|it| it.test.first().is_some_and(|word| word != "NONE"));
        Ok(Self { platforms: vec![(wire.os, wire.architecture)], healthcheck: own.map_or(Known::None, Known::Some) })
    }
}

/// It becomes part of a path.
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, digits)| {
        algorithm.bytes().all(|b| b.is_ascii_alphanumeric()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// The image for the first of the nodes that there is one for; else the first that is an image at all.
pub(super) fn suitable<'a>(entries: &'a [Entry], nodes: &[(String, String)]) -> Option<&'a Entry> {
    let fits = |node: &(String, String)| {
        entries
            .iter()
            .find(|entry| entry.platform.0 == node.0 && architecture(&entry.platform.1) == architecture(&node.1))
    };
    nodes.iter().find_map(fits).or_else(|| entries.iter().find(|entry| entry.platform.0 != "unknown"))
}
