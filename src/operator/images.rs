//! What registries say of images: asked once an image and pass, remembered, and never waited for longer than an answer is
//! worth.
//!
//! Each question runs on its own: whoever asked may stop waiting, and a late answer is there for the next look. A registry that
//! wants to be left alone is, one that is silent is left alone for a while, and neither holds up the questions to another.

mod question;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::client::{Client, Credentials, Facts, Registries};
use crate::plan::Question;
use crate::swarm::image::ImageReference;
use crate::swarm::{Image, Images, Known, Node, Problem, architecture};

/// How long a registry may take to tell of one image before it counts as silent.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long it may take then: the answer is for the next look.
const LATE: Duration = Duration::from_secs(16);
/// How long a silent registry is not asked.
const QUIET: Duration = Duration::from_secs(60);
/// How long one is left alone that wants that and does not say for how long.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a registry that only the engine can reach is asked through it before the direct way is tried again.
const DETOUR: Duration = Duration::from_secs(600);
/// How many questions one registry gets at a time.
const AT_ONCE: usize = 4;
/// Of how many digests it is remembered what their images are like.
const REMEMBERED: usize = 2048;

/// Asks registries, and remembers. Clones share what they know.
#[derive(Clone)]
pub struct Resolver(Arc<Inner>);

struct Inner {
    client: Client,
    credentials: Arc<Credentials>,
    registries: OnceCell<Registries>,
    known: Mutex<Knowledge>,
    /// Rung whenever a question ends.
    told: Notify,
}

/// What is known, and what is under way.
#[derive(Default)]
struct Knowledge {
    pass: u64,
    /// What tags point to, by the image's text.
    tags: HashMap<String, Tag>,
    /// What images are like, by digest.
    facts: HashMap<String, Told>,
    asking: HashSet<String>,
    hosts: HashMap<String, Host>,
}

struct Tag {
    pass: u64,
    answer: Result<String, Problem>,
}

struct Told {
    pass: u64,
    facts: Facts,
    problem: Option<Problem>,
}

/// How one registry fares.
struct Host {
    permits: Arc<Semaphore>,
    /// Until when it is not asked, and why.
    quiet: Option<(Instant, Problem)>,
    /// Until when it is asked through the engine.
    detour: Option<Instant>,
}

impl Default for Host {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), quiet: None, detour: None }
    }
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// What is known by now of each image that was asked about.
    pub images: Images,
    /// Whether some answers are still to come.
    pub pending: bool,
}

impl Resolver {
    /// One that knows nothing yet.
    pub fn new(client: Client, credentials: Arc<Credentials>) -> Self {
        Self(Arc::new(Inner {
            client,
            credentials,
            registries: OnceCell::new(),
            known: Mutex::default(),
            told: Notify::new(),
        }))
    }

    /// Begins a pass: what tags point to is asked anew, once each.
    pub fn begin_pass(&self) {
        let mut known = self.0.known();
        known.pass += 1;
        let oldest = known.pass.saturating_sub(2);
        known.tags.retain(|_, tag| tag.pass >= oldest);
        if known.facts.len() > REMEMBERED {
            known.facts.clear();
        }
    }

    /// Forgets what tags point to: somebody has just pushed, and says so.
    pub fn forget<'a>(&self, texts: impl IntoIterator<Item = &'a String>) {
        let mut known = self.0.known();
        for text in texts {
            known.tags.remove(text);
        }
    }

    /// What is known by now of images as specs have them, pinned or not. Nobody is asked.
    pub fn recall(&self, images: &BTreeSet<String>) -> Images {
        let known = self.0.known();
        let image = |image: &String| match image.split_once('@') {
            Some((_, digest)) => known.facts.get(digest).map(|told| told.image(digest)),
            None => match &known.tags.get(image)?.answer {
                Ok(digest) => known.facts.get(digest).map(|told| told.image(digest)),
                Err(problem) => Some(Image::unanswered(problem.clone())),
            },
        };
        Images(images.iter().filter_map(|text| Some((text.clone(), image(text)?))).collect())
    }

    /// Asks what is not known yet, and waits for `wait` at the most. `nodes` are the platforms (operating system, architecture)
    /// of which an image's healthcheck is taken.
    pub async fn ask(&self, asked: &BTreeMap<String, Question>, nodes: &[(String, String)], wait: Duration) -> Answers {
        let end = Instant::now() + wait;
        loop {
            let told = self.0.told.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            let (images, open) = self.0.look(asked);
            if open.is_empty() {
                return Answers { images, pending: false };
            }
            for text in &open {
                if let Some(question) = asked.get(text) {
                    self.0.begin(text, question, nodes);
                }
            }
            if timeout_at(end, told).await.is_err() {
                let (mut images, open) = self.0.look(asked);
                let pending = !open.is_empty();
                images.0.extend(open.into_iter().map(|text| (text, Image::unanswered(late()))));
                return Answers { images, pending };
            }
        }
    }
}

impl Inner {
    fn known(&self) -> MutexGuard<'_, Knowledge> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of what is asked, and the texts of which more is to be asked.
    fn look(&self, asked: &BTreeMap<String, Question>) -> (Images, Vec<String>) {
        let known = self.known();
        let (mut images, mut open) = (Images::default(), Vec::new());
        for (text, question) in asked {
            match known.image(text, question) {
                Some(image) => drop(images.0.insert(text.clone(), image)),
                None => open.push(text.clone()),
            }
        }
        (images, open)
    }

    /// Begins to ask, unless that is under way.
    fn begin(self: &Arc<Self>, text: &str, question: &Question, nodes: &[(String, String)]) {
        if !self.known().asking.insert(text.to_owned()) {
            return;
        }
        let (inner, text, question, nodes) = (Arc::clone(self), text.to_owned(), question.clone(), nodes.to_vec());
        tokio::spawn(async move {
            inner.answer(&text, &question, &nodes).await;
            inner.known().asking.remove(&text);
            inner.told.notify_waiters();
        });
    }
}

impl Knowledge {
    /// What is known of an image; `None` where it is to be asked.
    fn image(&self, text: &str, question: &Question) -> Option<Image> {
        let quiet = self.quiet(&host(text));
        let digest = if question.tag {
            match self.tags.get(text) {
                Some(tag) if tag.pass == self.pass => tag.answer.clone(),
                // What it said at the last pass is better than nothing.
                Some(Tag { answer: Ok(digest), .. }) if quiet.is_some() => Ok(digest.clone()),
                _ => Err(quiet.clone()?),
            }
        } else {
            Ok(question.digest.clone()?)
        };
        let digest = match digest {
            Ok(digest) => digest,
            Err(problem) => return Some(Image::unanswered(problem)),
        };
        if question.settled && question.digest.as_ref() == Some(&digest) {
            return Some(Image { digest: Some(digest), ..Image::default() });
        }
        match self.facts.get(&digest) {
            Some(told) if told.suffices(question) || told.pass == self.pass => Some(told.image(&digest)),
            _ => quiet.map(|problem| Image { digest: Some(digest), ..Image::unanswered(problem) }),
        }
    }

    /// Why a registry is not to be asked now, if it is not.
    fn quiet(&self, host: &str) -> Option<Problem> {
        let (until, problem) = self.hosts.get(host)?.quiet.as_ref()?;
        (Instant::now() < *until).then(|| problem.clone())
    }

    fn host(&mut self, host: &str) -> &mut Host {
        self.hosts.entry(host.to_owned()).or_default()
    }

    fn tell_tag(&mut self, text: &str, answer: Result<String, Problem>) {
        let pass = self.pass;
        self.tags.insert(text.to_owned(), Tag { pass, answer });
    }
}

impl Told {
    fn image(&self, digest: &str) -> Image {
        Image {
            digest: Some(digest.to_owned()),
            platforms: self.facts.platforms.clone(),
            healthcheck: self.facts.healthcheck.clone(),
            problem: self.problem.clone(),
        }
    }

    fn suffices(&self, question: &Question) -> bool {
        self.problem.is_none() && (!question.healthcheck || self.facts.healthcheck != Known::Unknown)
    }
}

impl Image {
    /// An image of which nothing is known, and why.
    fn unanswered(problem: Problem) -> Self {
        Self { problem: Some(problem), ..Self::default() }
    }
}

fn late() -> Problem {
    Problem::Unanswered("no answer in time".to_owned())
}

/// The registry of an image.
fn host(text: &str) -> String {
    ImageReference::parse(text).map(|image| image.host().to_owned()).unwrap_or_default()
}

/// The platforms of a swarm's nodes, each once, in a fixed order.
pub fn platforms<'a>(nodes: impl IntoIterator<Item = &'a Arc<Node>>) -> Vec<(String, String)> {
    let platform = |node: &Arc<Node>| {
        let platform = node.platform();
        (platform.os, architecture(&platform.architecture).to_owned())
    };
    let mut found: Vec<_> = nodes.into_iter().map(platform).collect();
    found.sort();
    found.dedup();
    found
}
