//! What a plan's feasibility needs beyond lists of the swarm: its tasks, and what registries say of images.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use crate::audit::Tag;
use crate::client::{Api, Client, Credentials, Distribution, Error};
use crate::plan::{Answer, Facts, Questions};
use crate::swarm::Tenant;
use crate::swarm::image::ImageReference;

/// How long one registry may take to tell of one image. A plan is waited for, and the answer is only advice.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long all of them together may take.
const ALTOGETHER: Duration = Duration::from_secs(6);

/// The same where nothing else is waited for.
const WITHOUT_HURRY: Duration = Duration::from_secs(30);

/// How many images are asked about at once.
const AT_ONCE: usize = 6;

/// Asks. Each image is asked about once; whoever does not answer in time is told of as unknown, and nothing here fails.
pub async fn gather(client: &Client, credentials: &Credentials, questions: Questions) -> Facts {
    let (tasks, images) = tokio::join!(tasks(client, questions.tasks), images(client, credentials, questions.images));
    Facts { tasks, images: images.into_iter().collect() }
}

async fn tasks(client: &Client, are_wanted: bool) -> Result<Vec<Tenant>, String> {
    if !are_wanted {
        return Ok(Vec::new());
    }
    // One that cannot be read is one too few in an estimate.
    Api::<Tenant>::all(client.clone()).list().await.map(|listed| listed.items).map_err(|error| error.to_string())
}

async fn images(client: &Client, credentials: &Credentials, images: BTreeSet<String>) -> Vec<(String, Answer)> {
    let late = || Answer::Unknown { why: "no answer in time".to_owned() };
    each(images, ALTOGETHER, late, |image| async move { ask(client, credentials, &image).await }).await
}

/// What registries say that tags point to, of images without a digest. Each is asked about once; whoever does not answer in time
/// is told of as unknown.
pub async fn tags(client: &Client, credentials: &Credentials, images: BTreeSet<String>) -> BTreeMap<String, Tag> {
    let late = || Tag::Unknown("no answer in time".to_owned());
    let asked = each(images, WITHOUT_HURRY, late, |image| async move {
        match distribution(client, credentials, &image).await {
            Ok(found) => Tag::PointsTo(found.digest),
            Err(Answer::Missing) => Tag::Missing,
            Err(Answer::Denied) => Tag::Unknown("it does not tell these credentials".to_owned()),
            Err(Answer::Unknown { why }) => Tag::Unknown(why),
            Err(Answer::Found { .. }) => Tag::Unknown("no digest".to_owned()),
        }
    });
    asked.await.into_iter().collect()
}

/// Asks about each image, some at once, each for as long as one may take and all for as long as they may take together. A
/// registry that lets one question wait is not asked the rest.
async fn each<A, F: Future<Output = A>>(
    images: BTreeSet<String>,
    altogether: Duration,
    late: impl Fn() -> A,
    ask: impl Fn(String) -> F,
) -> Vec<(String, A)> {
    let end = Instant::now() + altogether;
    let silent = Mutex::new(BTreeSet::new());
    let asked = futures_util::stream::iter(images).map(|image| {
        let (silent, late, ask) = (&silent, &late, &ask);
        async move {
            let host = ImageReference::parse(&image).map(|reference| reference.host().to_owned()).unwrap_or_default();
            if silent.lock().unwrap_or_else(PoisonError::into_inner).contains(&host) {
                return (image, late());
            }
            let limit = end.min(Instant::now() + PATIENCE);
            let answer = timeout_at(limit, ask(image.clone())).await.unwrap_or_else(|_| {
                silent.lock().unwrap_or_else(PoisonError::into_inner).insert(host);
                late()
            });
            (image, answer)
        }
    });
    asked.buffer_unordered(AT_ONCE).collect().await
}

async fn ask(client: &Client, credentials: &Credentials, image: &str) -> Answer {
    match distribution(client, credentials, image).await {
        Ok(found) => Answer::Found { platforms: found.platforms },
        Err(answer) => answer,
    }
}

/// What a registry says, or why it does not.
async fn distribution(client: &Client, credentials: &Credentials, image: &str) -> Result<Distribution, Answer> {
    let unknown = |why: String| Answer::Unknown { why };
    let reference = ImageReference::parse(image).map_err(|error| unknown(error.to_string()))?;
    let auth = credentials.header(image).await.map_err(|error| unknown(error.to_string()))?;
    client.distribution(&reference, auth.as_ref()).await.map_err(|error| match error {
        Error::NotFound(_) => Answer::Missing,
        Error::Unauthorized(_) => Answer::Denied,
        Error::Timeout(_) => unknown("no answer in time".to_owned()),
        error => unknown(cause(&error)),
    })
}

/// The end of the engine's chain of words: `connection refused`. What stands before it names addresses and ports that
/// differ every time.
fn cause(error: &Error) -> String {
    let words = &error.failure().message;
    words.rsplit(": ").next().unwrap_or(words).trim().to_owned()
}
