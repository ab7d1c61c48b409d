//! What the engine that is asked knows of an image which it has.

use serde::Deserialize;

use super::Client;
use super::api::{segment, undecodable};
use super::error::{Attempt, Error};
use super::transport::Call;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Inspected {
    config: Option<Config>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    healthcheck: Option<Healthcheck>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Healthcheck {
    test: Option<Vec<String>>,
}

impl Client {
    /// Whether an image brings a healthcheck; `None` where this engine does not have the image, which says nothing about the
    /// others'.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn image_has_healthcheck(&self, image: &str) -> Result<Option<bool>, Error> {
        let attempt = Attempt::Engine("look at an image");
        let name: Vec<String> = image.split('/').map(segment).collect();
        let call = Call::get(attempt, format!("/images/{}/json", name.join("/")));
        let body = match self.transport().read(&call).await {
            Ok(body) => body,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let found: Inspected =
            serde_json::from_slice(&body).map_err(|error| undecodable(call.attempt.clone(), error))?;
        let test = found.config.and_then(|config| config.healthcheck).and_then(|check| check.test).unwrap_or_default();
        Ok(Some(test.first().is_some_and(|word| word != "NONE")))
    }
}
