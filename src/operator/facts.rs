//! What a plan's feasibility needs beyond lists of the swarm: its tasks, and what registries say of images.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use crate::client::{Api, Client, Credentials, Error};
use crate::plan::{Answer, Facts, Questions};
use crate::swarm::image::ImageReference;
use crate::swarm::{Image, Images, Problem, Tenant};

/// How long one registry may take to tell of one image. A plan is waited for, and the answer is only advice.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long all of them together may take.
const ALTOGETHER: Duration = Duration::from_secs(6);

/// How many images are asked about at once.
const AT_ONCE: usize = 6;

/// Asks. Each image is asked about once; whoever does not answer in time is told of as unknown, and nothing here fails.
/// Of what is `known` nobody is asked again.
pub async fn gather(client: &Client, credentials: &Credentials, questions: Questions, known: &Images) -> Facts {
    let (told, open): (BTreeSet<String>, BTreeSet<String>) =
        questions.images.into_iter().partition(|image| known.get(image).is_some());
    let told = told.into_iter().filter_map(|text| {
        let answer = answer(known.get(&text)?);
        Some((text, answer))
    });
    let told: Vec<(String, Answer)> = told.collect();
    let (tasks, images) = tokio::join!(tasks(client, questions.tasks), images(client, credentials, open));
    Facts { tasks, images: images.into_iter().chain(told).collect() }
}

fn answer(known: &Image) -> Answer {
    match &known.problem {
        None => Answer::Found { platforms: known.platforms.clone() },
        Some(Problem::Missing) => Answer::Missing,
        Some(Problem::Denied) => Answer::Denied,
        Some(Problem::Unanswered(why)) => Answer::Unknown { why: why.clone() },
    }
}

async fn tasks(client: &Client, are_wanted: bool) -> Result<Vec<Tenant>, String> {
    if !are_wanted {
        return Ok(Vec::new());
    }
    // One that cannot be read is one too few in an estimate.
    Api::<Tenant>::all(client.clone()).list().await.map(|listed| listed.items).map_err(|error| error.to_string())
}

async fn images(client: &Client, credentials: &Credentials, images: BTreeSet<String>) -> Vec<(String, Answer)> {
    let end = Instant::now() + ALTOGETHER;
    let late = || Answer::Unknown { why: "no answer in time".to_owned() };
    // A registry that lets one question wait is not asked the rest.
    let silent = Mutex::new(BTreeSet::new());
    let asked = futures_util::stream::iter(images).map(|image| {
        let silent = &silent;
        async move {
            let host = ImageReference::parse(&image).map(|reference| reference.host().to_owned()).unwrap_or_default();
            if silent.lock().unwrap_or_else(PoisonError::into_inner).contains(&host) {
                return (image, late());
            }
            let limit = end.min(Instant::now() + PATIENCE);
            let answer = timeout_at(limit, ask(client, credentials, &image)).await.unwrap_or_else(|_| {
                silent.lock().unwrap_or_else(PoisonError::into_inner).insert(host);
                late()
            });
            (image, answer)
        }
    });
    asked.buffer_unordered(AT_ONCE).collect().await
}

async fn ask(client: &Client, credentials: &Credentials, image: &str) -> Answer {
    let unknown = |why: String| Answer::Unknown { why };
    let reference = match ImageReference::parse(image) {
        Ok(reference) => reference,
        Err(error) => return unknown(error.to_string()),
    };
    let auth = match credentials.header(image).await {
        Ok(auth) => auth,
        Err(error) => return unknown(error.to_string()),
    };
    match client.distribution(&reference, auth.as_ref()).await {
        Ok(found) => Answer::Found { platforms: found.platforms },
        Err(Error::NotFound(_)) => Answer::Missing,
        Err(Error::Unauthorized(_)) => Answer::Denied,
        Err(Error::Timeout(_)) => unknown("no answer in time".to_owned()),
        Err(error) => unknown(cause(&error)),
    }
}

/// The end of the engine's chain of words: `connection refused`. What stands before it names addresses and ports that
/// differ every time.
fn cause(error: &Error) -> String {
    let words = &error.failure().message;
    words.rsplit(": ").next().unwrap_or(words).trim().to_owned()
}
