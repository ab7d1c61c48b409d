//! What reconciling needs, and remembers between two looks. Everything remembered can be lost: it only saves work.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::contest::Corrections;
use super::images::{Resolver, platforms};
use super::keys::KeySource;
use super::load;
use super::put_off::PutOff;
use super::record::{Record, RecordError};
use super::records::{self, Stored};
use super::rendering::{self, RenderingError};
use super::world::{Assignment, World};
use crate::apply::{Apply, Event, Outcome, Permit};
use crate::client::{self, Client, Credentials};
use crate::desired::{self, Desired, fingerprint};
use crate::diag::{Diagnostic, Severity, Shown};
use crate::model::{Digest, Revision, StackName};
use crate::plan::{self, Applied, Hooks, OnDrift, Plan, Policy, Prune, Question, Share, Step, Write};
use crate::runtime::Classify;
use crate::settings::{Drift, Settings};
use crate::sops::Keys;
use crate::swarm::{Images, Live, Version};

/// How long a look at a stack waits for registries itself. What takes longer is looked for at the next one, so that no other
/// stack waits.
const AT_ONCE: Duration = Duration::from_millis(250);

/// A permit with a term: that of the lease.
pub trait Term: Permit {
    /// The lease's term; 0 without one.
    fn term(&self) -> u64;
}

/// Why a stack could not be looked at to the end. What is wrong with its own input is no error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not everything on the swarm could be listed yet, or something could not be read.
    #[error("the swarm could not be listed whole yet")]
    NotReady,
    /// This instance does not hold the lease.
    #[error("the lease is not held, so nothing is written")]
    NoLease,
    /// The engine.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A record that this version cannot work with.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A rendering that cannot be kept or read.
    #[error(transparent)]
    Rendering(#[from] RenderingError),
    /// Applying ended early.
    #[error("{0}")]
    Stopped(String),
    /// A thread died.
    #[error("loading the stack failed: {0}")]
    Thread(String),
}

impl From<records::Error> for Error {
    fn from(error: records::Error) -> Self {
        match error {
            records::Error::Client(error) => Error::Client(error),
            records::Error::Record(error) => Error::Record(error),
            records::Error::Rendering(error) => Error::Rendering(error),
        }
    }
}

impl Classify for Error {
    fn class(&self) -> client::Class {
        match self {
            Error::Client(error) => error.class(),
            Error::Record(_) | Error::Rendering(_) => client::Class::Permanent,
            Error::NotReady | Error::NoLease | Error::Stopped(_) | Error::Thread(_) => client::Class::Transient,
        }
    }
}

/// A stack, loaded and lowered.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What is wanted.
    pub desired: Arc<Desired>,
    /// The digest of what its files say.
    pub said: Digest,
    /// The same with its images resolved, once it is planned: what an attempt and a hold are of.
    pub digest: Digest,
    /// What registries say of images whose word counts, as the record is to remember it: text and digest.
    pub images: BTreeMap<String, String>,
    /// The revision it comes from.
    pub revision: Revision,
}

impl Prepared {
    /// The same, with what registries say now (`pins`), and what they said before where they do not.
    fn resolved(self, pins: &BTreeMap<String, String>, stored: Option<&Stored>) -> Self {
        let none = BTreeMap::new();
        let remembered = stored.map_or(&none, |stored| &stored.record.images);
        let (digest, images) = plan::wanted_digest(&self.said, &self.desired, pins, remembered);
        Self { digest, images, ..self }
    }
}

/// What became of loading a stack.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// It is loaded and lowered.
    Prepared(Prepared),
    /// Its files have faults: the first, in a sentence.
    Invalid(String),
    /// Its repository cannot be read: why, in a sentence.
    Unread(String),
    /// Nobody has looked into its repository yet.
    NotYet,
}

/// A result of loading that is remembered as long as the files and the declaration stay the same.
struct Remembered {
    revision: Revision,
    declaring: Revision,
    declared: super::fleet::Declared,
    keys: Keys,
    result: Loaded,
}

/// A plan of nothing, which holds as long as what it was made from stays the same.
struct Settled {
    desired: Weak<Desired>,
    live: Weak<Live>,
    policy: Policy,
    asked: BTreeMap<String, Question>,
    images: Images,
    plan: Arc<Plan>,
}

/// What reconciling needs.
pub struct Context {
    /// The swarm.
    pub client: Client,
    /// Credentials of registries.
    pub credentials: Arc<Credentials>,
    /// What registries say of images.
    pub images: Resolver,
    /// What the sources say.
    pub world: Arc<World>,
    /// Asked before each write.
    pub permit: Arc<dyn Term>,
    keys: KeySource,
    snapshot: Box<dyn Fn() -> Option<Arc<Live>> + Send + Sync>,
    fingerprints: Arc<fingerprint::Cache>,
    loaded: Mutex<HashMap<StackName, Remembered>>,
    own_writes: Mutex<HashMap<String, Version>>,
    superseded: Mutex<HashMap<String, Version>>,
    settled: Mutex<HashMap<StackName, Settled>>,
    /// For which word of a person each stack's tags were asked about anew.
    resolved: Mutex<HashMap<StackName, Timestamp>>,
    /// How rollouts fared at the last look.
    pub progress: super::verdict::Progress,
    /// Which drift was corrected.
    pub corrections: Corrections,
    /// Which deletions the engine put off.
    pub put_off: PutOff,
}

impl Context {
    /// A context whose snapshots `snapshot` gives: `None` until everything could be listed and read, and the same one as long
    /// as nothing changes.
    pub fn new(
        client: Client,
        credentials: Arc<Credentials>,
        world: Arc<World>,
        permit: Arc<dyn Term>,
        keys: KeySource,
        snapshot: impl Fn() -> Option<Arc<Live>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            images: Resolver::new(client.clone(), Arc::clone(&credentials)),
            client,
            credentials,
            world,
            permit,
            keys,
            snapshot: Box::new(snapshot),
            fingerprints: Arc::default(),
            loaded: Mutex::default(),
            own_writes: Mutex::default(),
            superseded: Mutex::default(),
            settled: Mutex::default(),
            resolved: Mutex::default(),
            progress: super::verdict::Progress::default(),
            corrections: Corrections::default(),
            put_off: PutOff::default(),
        }
    }

    /// The swarm as complete lists saw it.
    pub fn live(&self) -> Option<Arc<Live>> {
        (self.snapshot)()
    }

    /// The wall clock: for what people read, never for a decision about who may write.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The lease's term.
    pub fn term(&self) -> u64 {
        self.permit.term()
    }

    /// Remembers the version of a record that this instance wrote: the event that tells of it is no news.
    pub fn wrote(&self, stored: &Stored) {
        let mut own = self.own_writes.lock().unwrap_or_else(PoisonError::into_inner);
        own.insert(stored.id.clone(), stored.version);
    }

    /// Whether a version of a config is one that this instance wrote.
    pub fn is_own_write(&self, id: &str, version: Version) -> bool {
        let own = self.own_writes.lock().unwrap_or_else(PoisonError::into_inner);
        own.get(id).is_some_and(|written| version <= *written)
    }

    /// Remembers that this instance wrote over a version of an object: the answer to an update does not say the next one.
    fn superseded(&self, step: &Step) {
        if let Write::Update { id, version, .. } = &step.write {
            let mut superseded = self.superseded.lock().unwrap_or_else(PoisonError::into_inner);
            superseded.insert(id.clone(), *version);
        }
    }

    /// Carries out the first wave of a plan, inside the lease.
    pub async fn write(&self, plan: &Plan) -> Outcome {
        let observe = |event: Event<'_>| {
            if let Event::Done(step, _) = event {
                self.superseded(step);
            }
        };
        let (client, credentials, permit) = (&self.client, &*self.credentials, self.permit.as_ref());
        Apply { client, credentials, permit, observe: &observe }.run(plan).await
    }

    /// Whether a snapshot does not show yet what this instance wrote. Deciding by it would at best be refused, and at worst
    /// take what the engine said of the rollout before for its word on this one.
    pub fn is_behind(&self, live: &Live) -> bool {
        let mut own = self.own_writes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut superseded = self.superseded.lock().unwrap_or_else(PoisonError::into_inner);
        // What was deleted meanwhile is not waited for.
        own.retain(|id, _| live.configs.iter().any(|config| config.id == *id));
        superseded
            .retain(|id, version| live.services.iter().any(|service| service.id == *id && service.version <= *version));
        !superseded.is_empty()
            || live.configs.iter().any(|config| own.get(&config.id).is_some_and(|version| config.version < *version))
    }

    /// Loads a stack.
    ///
    /// # Errors
    /// [`Error::Thread`].
    pub async fn prepare(&self, assignment: &Assignment, live: &Live) -> Result<Loaded, Error> {
        let Some(files) = &assignment.files else {
            let unread = |problem| Loaded::Unread(format!("source: {problem}"));
            return Ok(assignment.problem.as_ref().map_or(Loaded::NotYet, unread));
        };
        let name = &assignment.declared.name;
        let keys = match self.keys.read() {
            Ok(keys) => keys,
            // What runs is left alone: a key that is being exchanged is away for a moment.
            Err(error) => return Ok(Loaded::Unread(error.to_string())),
        };
        {
            let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = loaded.get(name)
                && known.revision == files.revision
                && known.declaring == assignment.declaring.revision
                && known.declared == assignment.declared
                && known.keys == keys
            {
                return Ok(known.result.clone());
            }
        }
        let (own, declaring) = (files.clone(), assignment.declaring.clone());
        let (declared, cache) = (assignment.declared.clone(), Arc::clone(&self.fingerprints));
        let (swarm, ring) = (live.swarm_id.clone(), keys.clone());
        // Reading, parsing and above all fingerprints are work for a thread that nobody waits on.
        let result = tokio::task::spawn_blocking(move || {
            let loaded = load::repository(own.files.as_ref(), declaring.files.as_ref(), &declared, &ring);
            let shown: Vec<Shown> =
                loaded.diagnostics.iter().map(|fault| Shown::new(fault, &loaded.sources)).collect();
            for fault in &shown {
                tracing::warn!(stack = %declared.name, revision = %own.revision, fault = fault.line(), "fault in stack");
            }
            match loaded.desired {
                Some(mut desired) => {
                    fingerprint::fill(&mut desired, &swarm, &cache);
                    let said = desired::digest(&desired);
                    Loaded::Prepared(Prepared {
                        digest: said.clone(),
                        said,
                        images: BTreeMap::new(),
                        desired: Arc::new(desired),
                        revision: own.revision.clone(),
                    })
                }
                None => Loaded::Invalid(first_fault(&loaded.diagnostics, &shown, &own.revision)),
            }
        })
        .await
        .map_err(|error| Error::Thread(error.to_string()))?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(
            name.clone(),
            Remembered {
                revision: files.revision.clone(),
                declaring: assignment.declaring.revision.clone(),
                declared: assignment.declared.clone(),
                keys,
                result: result.clone(),
            },
        );
        Ok(result)
    }

    /// Plans a stack against the swarm and what its record says was applied, and gives what is wanted with its digest, images
    /// resolved. `None` where registries are still being asked: come back in a moment. Where nothing has changed since that
    /// plan was empty, it still is: a pass over stacks of which none moved costs little more than the lists.
    ///
    /// # Errors
    /// A rendering that cannot be read.
    pub async fn plan(
        &self,
        prepared: Prepared,
        settings: &Settings,
        stored: Option<&Stored>,
        live: &Arc<Live>,
    ) -> Result<Option<(Arc<Plan>, Prepared)>, Error> {
        let stack = prepared.desired.stack.clone();
        // What registries said before: what is under way is told by it.
        let prepared = prepared.resolved(&BTreeMap::new(), stored);
        let record = stored.map(|stored| &stored.record);
        let policy = Policy {
            allow_delete: record.is_some_and(|record| record.deletions_approved),
            resolve_now: record.is_some_and(|record| record.resolve_now),
            contested: self.corrections.contested(&stack, Instant::now()),
            hooks: record.and_then(|record| hooks(record, &prepared.digest, live)).unwrap_or_default(),
            ..policy(settings)
        };
        let settled = self.settled().get(&stack).and_then(|known| {
            let is_same = Weak::ptr_eq(&known.desired, &Arc::downgrade(&prepared.desired))
                && Weak::ptr_eq(&known.live, &Arc::downgrade(live))
                && known.policy == policy;
            is_same.then(|| (known.asked.clone(), known.images.clone(), Arc::clone(&known.plan)))
        });
        if let Some((asked, images, plan)) = settled {
            match self.ask(&stack, &asked, record, live).await {
                None => return Ok(None),
                Some(now) if now == images => return Ok(Some(resolved(plan, prepared, stored))),
                Some(_) => {}
            }
        }
        let applied = stored.map(|stored| rendering::applied(&stored.record, live)).transpose()?.flatten();
        let good = match record {
            // Most often it is what is applied.
            Some(record) if !record.is_at_its_best() => rendering::good(record, live)?,
            _ => None,
        };
        let make = |images: &Images, policy: &Policy| {
            let (desired, applied, good) = (&*prepared.desired, applied.as_ref(), good.as_ref());
            let input = plan::Input { desired, live, applied, good, images, policy };
            let plan = plan::plan(input);
            let asked = plan::images_asked(&input, &plan, false);
            (plan, asked)
        };
        let (first, asked) = make(&Images::default(), &policy);
        let (plan, images) = if asked.is_empty() {
            (first, Images::default())
        } else {
            let Some(images) = self.ask(&stack, &asked, record, live).await else { return Ok(None) };
            let plan = make(&images, &policy).0;
            let now = prepared.clone().resolved(&plan.pins, stored);
            let hooks = record.and_then(|record| hooks(record, &now.digest, live)).unwrap_or_default();
            // A tag that counts has moved: what is under way is an attempt at something else.
            let is_other = hooks != policy.hooks;
            let plan = if is_other { make(&images, &Policy { hooks, ..policy.clone() }).0 } else { plan };
            (plan, images)
        };
        let (plan, prepared) = resolved(Arc::new(plan), prepared, stored);
        // What its record is to hold is in it already, so that need not be kept twice.
        let recorded = record.and_then(|record| record.applied.as_ref());
        if plan.steps.is_empty()
            && plan.first_contact.is_none()
            && recorded.is_some_and(|recorded| recorded.digest == prepared.digest)
        {
            let known = Settled {
                desired: Arc::downgrade(&prepared.desired),
                live: Arc::downgrade(live),
                policy,
                asked,
                images,
                plan: Arc::new(Plan { settled: Applied::default(), ..Plan::clone(&plan) }),
            };
            self.settled().insert(stack, known);
        } else {
            self.settled().remove(&stack);
        }
        Ok(Some((plan, prepared)))
    }

    /// Asks registries; `None` while answers are still to come.
    async fn ask(
        &self,
        stack: &StackName,
        asked: &BTreeMap<String, Question>,
        record: Option<&Record>,
        live: &Live,
    ) -> Option<Images> {
        if asked.is_empty() {
            return Some(Images::default());
        }
        if let Some(word) = record.filter(|record| record.resolve_now).and_then(|record| record.approved) {
            let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever says so has just pushed: what was known before is not what is meant.
            if resolved.insert(stack.clone(), word) != Some(word) {
                self.images.forget(asked.keys());
            }
        }
        let answers = self.images.ask(asked, &platforms(&live.nodes), AT_ONCE).await;
        (!answers.pending).then_some(answers.images)
    }

    fn settled(&self) -> MutexGuard<'_, HashMap<StackName, Settled>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wanted, with what registries say of its images.
fn resolved(plan: Arc<Plan>, prepared: Prepared, stored: Option<&Stored>) -> (Arc<Plan>, Prepared) {
    let prepared = prepared.resolved(&plan.pins, stored);
    (plan, prepared)
}

/// How far the hooks are of an attempt at this that is under way.
fn hooks(record: &Record, digest: &Digest, live: &Live) -> Option<Hooks> {
    record.attempt.as_ref().filter(|attempt| attempt.digest == *digest).map(|attempt| attempt.hooks(live))
}

/// What a plan may do by a stack's settings.
pub fn policy(settings: &Settings) -> Policy {
    Policy {
        prune: if settings.prune { Prune::Recorded } else { Prune::Off },
        drift: match settings.drift {
            Drift::Report => OnDrift::Report,
            Drift::Correct => OnDrift::Correct,
            Drift::Ignore => OnDrift::Ignore,
        },
        direct: false,
        allow_delete: false,
        max_delete: Share(settings.max_delete),
        contested: BTreeMap::new(),
        trust_secrets: settings.trust_secrets,
        zero_downtime: settings.zero_downtime,
        resolve: settings.resolve,
        resolve_now: false,
        hooks: Hooks::default(),
        parallel: Some(settings.parallel),
    }
}

fn first_fault(diagnostics: &[Diagnostic], shown: &[Shown], revision: &Revision) -> String {
    let errors = shown.iter().filter(|fault| fault.severity == Severity::Error);
    let count = diagnostics.iter().filter(|fault| fault.severity == Severity::Error).count();
    let first = errors.map(Shown::line).next().unwrap_or_default();
    let more = if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
    format!("invalid at {}: {first}{more}", revision.short())
}
