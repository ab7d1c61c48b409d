//! One question: to the registry itself, and where there is no way to it from here, through the engine.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout};

use super::{DETOUR, Inner, LATE, PATIENCE, PAUSE, QUIET, Told, late};
use crate::client::{Error, Facts, Refusal, Registries};
use crate::plan::Question;
use crate::swarm::Problem;
use crate::swarm::image::{ImageError, ImageReference};

/// One image that is asked about.
struct Asked<'a> {
    text: &'a str,
    image: ImageReference,
    question: &'a Question,
    nodes: &'a [(String, String)],
}

impl Inner {
    /// Asks, and takes down what is answered.
    pub(super) async fn answer(&self, text: &str, question: &Question, nodes: &[(String, String)]) {
        let image = match reference(text, question) {
            Ok(image) => image,
            Err(error) => return self.fail(text, question, &Problem::Unanswered(error.to_string())),
        };
        let asked = Asked { text, image, question, nodes };
        let host = asked.image.host().to_owned();
        let permits = Arc::clone(&self.known().host(&host).permits);
        // Never closed.
        let Ok(permit) = permits.acquire().await else { return };
        // While others were asked, it may have become silent.
        let quiet = self.known().quiet(&host);
        if let Some(problem) = quiet {
            return self.fail(text, question, &problem);
        }
        let asking = self.ask_registry(&asked);
        tokio::pin!(asking);
        let answer = tokio::select! {
            answer = &mut asking => answer,
            () = sleep(PATIENCE) => {
                self.known().host(&host).quiet = Some((Instant::now() + QUIET, late()));
                self.fail(text, question, &late());
                // Whoever waits for this registry learns that it is silent.
                drop(permit);
                self.told.notify_waiters();
                let Ok(answer) = timeout(LATE, asking).await else { return };
                self.known().host(&host).quiet = None;
                answer
            }
        };
        if let Err(refusal) = answer {
            let problem = problem(&refusal);
            if let Refusal::Busy(pause) = refusal {
                let until = Instant::now() + pause.unwrap_or(PAUSE);
                tracing::warn!(registry = host, pause = ?pause.unwrap_or(PAUSE), "the registry wants to be left alone");
                self.known().host(&host).quiet = Some((until, problem.clone()));
            }
            self.fail(text, question, &problem);
        }
    }

    /// Takes down that nobody said what was asked. What was said before that is kept.
    fn fail(&self, text: &str, question: &Question, problem: &Problem) {
        let mut known = self.known();
        let pass = known.pass;
        let fresh = known.tags.get(text).filter(|tag| tag.pass == pass);
        let digest = match (question.tag, fresh) {
            (true, Some(tag)) => tag.answer.clone().ok(),
            (true, None) => None,
            (false, _) => question.digest.clone(),
        };
        match digest {
            None => known.tell_tag(text, Err(problem.clone())),
            Some(digest) => {
                let told =
                    known.facts.entry(digest).or_insert_with(|| Told { pass, facts: Facts::default(), problem: None });
                told.pass = pass;
                told.problem = Some(problem.clone());
            }
        }
    }

    async fn ask_registry(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let host = asked.image.host().to_owned();
        let detour = self.known().host(&host).detour;
        if detour.is_some_and(|until| Instant::now() < until) {
            return self.ask_engine(asked).await;
        }
        let engine = |error: Error| Refusal::Unanswered(cause(&error));
        let made = || async { self.client.insecure_registries().await.map(Registries::new) };
        let registries = self.registries.get_or_try_init(made).await.map_err(engine)?;
        match self.ask_directly(registries, asked).await {
            Err(Refusal::Unreachable(why)) => {
                tracing::debug!(
                    registry = host,
                    why,
                    "no way to the registry from here: it is asked through the engine"
                );
                self.known().host(&host).detour = Some(Instant::now() + DETOUR);
                self.ask_engine(asked).await
            }
            answer => answer,
        }
    }

    async fn ask_directly(&self, registries: &Registries, asked: &Asked<'_>) -> Result<(), Refusal> {
        let Asked { text, image, question, nodes } = asked;
        let login = self.credentials.login(text).await.map_err(|error| Refusal::Unanswered(error.to_string()))?;
        let login = login.as_ref();
        let mut manifest = None;
        let digest = match (question.tag, &question.digest) {
            (false, Some(digest)) => digest.clone(),
            // Of what runs, the head tells whether it is the same.
            (true, Some(_)) => registries.digest(image, login).await?,
            _ => {
                let found = registries.manifest(image, login).await?;
                let digest = found.digest.clone();
                manifest = Some(found);
                digest
            }
        };
        if question.tag {
            self.known().tell_tag(text, Ok(digest.clone()));
        }
        let is_settled = question.settled && question.digest.as_ref() == Some(&digest);
        if is_settled || self.known().facts.get(&digest).is_some_and(|told| told.suffices(question)) {
            return Ok(());
        }
        let manifest = match manifest {
            Some(manifest) => manifest,
            None => {
                let pinned = image.clone().with_digest(&digest).map_err(unreadable)?;
                registries.manifest(&pinned, login).await?
            }
        };
        let facts = registries.facts(image, &manifest, nodes, question.healthcheck, login).await?;
        self.tell_facts(digest, facts);
        Ok(())
    }

    async fn ask_engine(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let Asked { text, image, question, .. } = asked;
        let auth = self.credentials.header(text).await.map_err(|error| Refusal::Unanswered(error.to_string()))?;
        let found = self.client.distribution(image, auth.as_ref()).await.map_err(|error| match &error {
            Error::NotFound(_) => Refusal::Missing,
            Error::Unauthorized(_) => Refusal::Denied,
            Error::Timeout(_) => Refusal::Unanswered("no answer in time".to_owned()),
            // The engine does not say for how long.
            error if error.failure().message.contains("toomanyrequests") => Refusal::Busy(None),
            error => Refusal::Unanswered(cause(error)),
        })?;
        let digest = if question.tag { found.digest } else { question.digest.clone().unwrap_or(found.digest) };
        if question.tag {
            self.known().tell_tag(text, Ok(digest.clone()));
        }
        self.tell_facts(digest, Facts { platforms: found.platforms, ..Facts::default() });
        Ok(())
    }

    fn tell_facts(&self, digest: String, facts: Facts) {
        let mut known = self.known();
        let pass = known.pass;
        known.facts.insert(digest, Told { pass, facts, problem: None });
    }
}

/// The image as it is asked about: by its tag, or by the digest that runs.
fn reference(text: &str, question: &Question) -> Result<ImageReference, ImageError> {
    let image = ImageReference::parse(text)?;
    match &question.digest {
        Some(digest) if !question.tag => image.with_digest(digest),
        _ => Ok(image),
    }
}

fn unreadable(error: ImageError) -> Refusal {
    Refusal::Unanswered(error.to_string())
}

fn problem(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Missing => Problem::Missing,
        Refusal::Denied => Problem::Denied,
        refusal => Problem::Unanswered(refusal.to_string()),
    }
}

/// The end of the engine's chain of words: `connection refused`. What stands before it names addresses and ports that differ
/// every time.
fn cause(error: &Error) -> String {
    let words = &error.failure().message;
    words.rsplit(": ").next().unwrap_or(words).trim().to_owned()
}
