//! What reconciling needs, and remembers between two looks. Everything remembered can be lost: it only saves work.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use jiff::Timestamp;

use super::contest::Corrections;
use super::keys::KeySource;
use super::load;
use super::record::{Record, RecordError};
use super::records::{self, Stored};
use super::rendering::{self, RenderingError};
use super::world::{Assignment, World};
use crate::apply::Permit;
use crate::client::{self, Client, Credentials};
use crate::desired::{self, Desired, fingerprint};
use crate::diag::{Diagnostic, Severity, Shown};
use crate::model::{Digest, Revision, StackName};
use crate::plan::{self, Hooks, OnDrift, Plan, Policy, Prune, Share, Step, Write};
use crate::runtime::Classify;
use crate::settings::{Drift, Settings};
use crate::sops::Keys;
use crate::swarm::{Images, Live, Version};

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
    /// Its digest.
    pub digest: Digest,
    /// The revision it comes from.
    pub revision: Revision,
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
    plan: Arc<Plan>,
}

/// What reconciling needs.
pub struct Context {
    /// The swarm.
    pub client: Client,
    /// Credentials of registries.
    pub credentials: Arc<Credentials>,
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
    /// How rollouts fared at the last look.
    pub progress: super::verdict::Progress,
    /// Which drift was corrected.
    pub corrections: Corrections,
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
            progress: super::verdict::Progress::default(),
            corrections: Corrections::default(),
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
    pub fn superseded(&self, step: &Step) {
        if let Write::Update { id, version, .. } = &step.write {
            let mut superseded = self.superseded.lock().unwrap_or_else(PoisonError::into_inner);
            superseded.insert(id.clone(), *version);
        }
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
                    Loaded::Prepared(Prepared {
                        digest: desired::digest(&desired),
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

    /// Plans a stack against the swarm and what its record says was applied. Where nothing has changed since that plan was
    /// empty, it still is: a pass over stacks of which none moved costs little more than the lists.
    ///
    /// # Errors
    /// A rendering that cannot be read.
    pub fn plan(
        &self,
        prepared: &Prepared,
        settings: &Settings,
        stored: Option<&Stored>,
        live: &Arc<Live>,
    ) -> Result<Arc<Plan>, Error> {
        let stack = &prepared.desired.stack;
        let policy = Policy {
            allow_delete: stored.is_some_and(|stored| stored.record.deletions_approved),
            contested: self.corrections.contested(stack, Instant::now()),
            hooks: stored.and_then(|stored| hooks(&stored.record, &prepared.digest, live)).unwrap_or_default(),
            ..policy(settings)
        };
        if let Some(known) = self.settled().get(stack)
            && Weak::ptr_eq(&known.desired, &Arc::downgrade(&prepared.desired))
            && Weak::ptr_eq(&known.live, &Arc::downgrade(live))
            && known.policy == policy
        {
            return Ok(Arc::clone(&known.plan));
        }
        let applied = stored.map(|stored| rendering::applied(&stored.record, live)).transpose()?.flatten();
        let good = match stored {
            // Most often it is what is applied.
            Some(stored) if !stored.record.is_at_its_best() => rendering::good(&stored.record, live)?,
            _ => None,
        };
        let input = plan::Input {
            desired: &prepared.desired,
            live,
            applied: applied.as_ref(),
            good: good.as_ref(),
            images: &Images::default(),
            policy: &policy,
        };
        let plan = Arc::new(plan::plan(input));
        // What its record is to hold is in it already, so that need not be kept twice.
        let recorded = stored.and_then(|stored| stored.record.applied.as_ref());
        if plan.steps.is_empty()
            && plan.first_contact.is_none()
            && recorded.is_some_and(|recorded| recorded.digest == prepared.digest)
        {
            let known = Settled {
                desired: Arc::downgrade(&prepared.desired),
                live: Arc::downgrade(live),
                policy,
                plan: Arc::new(Plan { settled: plan::Applied::default(), ..Plan::clone(&plan) }),
            };
            self.settled().insert(stack.clone(), known);
        } else {
            self.settled().remove(stack);
        }
        Ok(plan)
    }

    fn settled(&self) -> MutexGuard<'_, HashMap<StackName, Settled>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
