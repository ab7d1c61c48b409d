//! What a registry says of an image, asked through the engine: its mirrors, authorities and network count.

use std::time::Duration;

use serde::Deserialize;

use super::Client;
use super::api::{segment, undecodable};
use super::error::{Attempt, Error};
use super::registry::AuthHeader;
use super::transport::{Call, failure};
use crate::swarm::image::ImageReference;

/// How long a registry may take. The engine has no deadline of its own for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a registry says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The digest of what the tag points to, as `sha256:…`.
    pub digest: String,
    /// The platforms it was made for, as (operating system, architecture), in the registry's order.
    pub platforms: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    descriptor: Descriptor,
    #[serde(default)]
    platforms: Option<Vec<Platform>>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Platform {
    os: String,
    architecture: String,
}

impl Client {
    /// Asks the image's registry what its tag points to. Tried once: registries count requests.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] where the registry refuses the credentials or their absence, [`Error::NotFound`] for an image
    /// it does not have, [`Error::Timeout`] after 20 s, and those of a read. None of them says anything about the swarm.
    pub async fn distribution(&self, image: &ImageReference, auth: Option<&AuthHeader>) -> Result<Distribution, Error> {
        let attempt = Attempt::Engine("ask the registry for the image's digest");
        let image = image.clone().with_latest().to_string();
        // The engine's router takes slashes in this name, and Docker's own client sends them plain.
        let name: Vec<String> = image.split('/').map(segment).collect();
        let path = format!("/distribution/{}/json", name.join("/"));
        let call = Call { auth: auth.cloned(), ..Call::get(attempt, path) };
        let body = self.transport().read_slowly(&call, PATIENCE).await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| undecodable(call.attempt.clone(), error))?;
        if answer.descriptor.digest.is_empty() {
            return Err(Error::Decode(failure(call.attempt, "the registry named no digest".to_owned(), None)));
        }
        let platforms = answer.platforms.unwrap_or_default().into_iter();
        Ok(Distribution {
            digest: answer.descriptor.digest,
            platforms: platforms.map(|platform| (platform.os, platform.architecture)).collect(),
        })
    }
}
