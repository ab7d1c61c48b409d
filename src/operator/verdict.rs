//! How a stack's rollouts fare.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ahead::Ahead;
use super::context::{Context, Error};
use crate::client::{Api, Client, Error as ClientError, Filters};
use crate::desired::Desired;
use crate::health::{self, Observation};
use crate::model::Confidential;
use crate::settings::Settings;
use crate::swarm::{Live, Service, ServiceSpec, Task};

pub use crate::health::is_rolling;

/// How a stack fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every service has converged.
    Healthy,
    /// Some are on their way.
    Progressing {
        /// What the first of them waits for.
        waiting: String,
    },
    /// Some did not get there in time, without the engine giving up: the first of them.
    Degraded(Trouble),
    /// The engine gave a rollout up, or went back on it.
    Failed(Trouble),
}

/// What became of a service that did not get where it was to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Its full name.
    pub service: String,
    /// What became of it, as the end of a sentence: `rolled back`.
    pub what: &'static str,
    /// Why.
    pub reason: String,
}

/// Of a service that the engine has not given up.
const NOT_UP: &str = "did not come up";
/// Of one that it has taken back.
pub const ROLLED_BACK: &str = "rolled back";
/// Of one that it has left in the middle.
pub const PAUSED: &str = "rollout paused";

impl std::fmt::Display for Trouble {
    /// In few words, for a status: that it did not come up goes without saying.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { service, what, reason } = self;
        if *what == NOT_UP { write!(f, "{service}: {reason}") } else { write!(f, "{service} {what}: {reason}") }
    }
}

impl Verdict {
    /// Whether waiting will not change it.
    pub fn is_final(&self) -> bool {
        matches!(self, Verdict::Healthy | Verdict::Failed(_) | Verdict::Degraded(_))
    }
}

/// How services fared at earlier looks, by id, and the clock of this instance that those are counted by.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    seen: Mutex<HashMap<String, Seen>>,
    /// Tasks that were listed for the pass under way.
    pub ahead: Ahead,
}

impl Default for Progress {
    fn default() -> Self {
        Self { started: Instant::now(), seen: Mutex::default(), ahead: Ahead::default() }
    }
}

/// How one service fared, as of the version of it that was looked at.
#[derive(Debug)]
struct Seen {
    version: u64,
    health: health::Seen,
    /// It had converged when this process first saw it, and has not changed since.
    converged: bool,
}

impl Seen {
    fn of(service: &Service) -> Self {
        Self { version: service.version.index, health: health::Seen::default(), converged: false }
    }
}

/// A service to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The service as it is.
    pub service: &'a Service,
    /// The spec that was sent, where the service does not have it any more.
    pub lost: Option<&'a ServiceSpec>,
}

/// A service as it fares.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// Its full name.
    pub name: String,
    /// How it fares.
    pub verdict: health::Verdict,
    /// Tasks that are up to date and run.
    pub up_to_date: u64,
    /// Tasks that should be.
    pub wanted: u64,
    /// Its tasks.
    pub tasks: Vec<Arc<Task>>,
}

impl Progress {
    /// Takes a service for converged at the first look, as its record says: after a restart of skep no rollout is watched
    /// anew.
    fn trust(&self, service: &Service) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(service.id.clone()).or_insert_with(|| Seen { converged: true, ..Seen::of(service) });
    }

    /// Judges services, from their tasks as they are now. The engine may quote a service's command where a task does not
    /// start: what is confidential is hidden in its words.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn assess(
        &self,
        client: &Client,
        services: &[Wanted<'_>],
        live: &Live,
        timeout: Duration,
        confidential: &Confidential,
    ) -> Result<Vec<Assessed>, ClientError> {
        if services.is_empty() {
            return Ok(Vec::new());
        }
        let (all, current) = match self.ahead.take(services.iter().map(|wanted| wanted.service)) {
            Some(listed) => listed.into_iter().fold(<(Vec<Task>, Vec<Task>)>::default(), |mut tasks, of| {
                tasks.0.extend(of.all);
                tasks.1.extend(of.up_to_date);
                tasks
            }),
            None => list(client, services).await?,
        };
        let (mut tasks, mut current) = (by_service(all, confidential), by_service(current, confidential));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Only where something is gone is there anything to forget: with a thousand services the search is not free.
        if seen.len() > live.services.len() {
            let ids: HashSet<&str> = live.services.iter().map(|service| service.id.as_str()).collect();
            seen.retain(|id, _| ids.contains(id.as_str()));
        }
        let now = self.started.elapsed();
        Ok(services
            .iter()
            .map(|Wanted { service, lost }| {
                let tasks = tasks.remove(&service.id).unwrap_or_default();
                let up_to_date = current.remove(&service.id).unwrap_or_default();
                let known = seen.entry(service.id.clone()).or_insert_with(|| Seen::of(service));
                if known.version != service.version.index {
                    // A write, be it the engine's own word on the rollout: something moved.
                    *known = Seen::of(service);
                }
                let observation = Observation {
                    service,
                    tasks: &tasks,
                    up_to_date: &up_to_date,
                    nodes: &live.nodes,
                    expected: *lost,
                    window: if known.converged { Duration::ZERO } else { health::window(&service.spec) },
                    timeout,
                };
                let assessment = health::assess(&observation, &known.health, now);
                known.health = assessment.seen;
                known.converged &= assessment.verdict == health::Verdict::Converged;
                Assessed {
                    name: service.spec.name.clone(),
                    verdict: assessment.verdict,
                    up_to_date: assessment.up_to_date,
                    wanted: assessment.wanted,
                    tasks,
                }
            })
            .collect())
    }
}

/// The tasks of services: all, and those that are up to date.
async fn list(client: &Client, services: &[Wanted<'_>]) -> Result<(Vec<Task>, Vec<Task>), ClientError> {
    let ids = services.iter().fold(Filters::new(), |filters, wanted| filters.service(&wanted.service.id));
    let current = ids.clone().up_to_date();
    let api = Api::<Task>::all(client.clone());
    let (all, current) = tokio::try_join!(api.list_with(&ids), api.list_with(&current))?;
    Ok((all.items, current.items))
}

fn by_service(tasks: Vec<Task>, confidential: &Confidential) -> HashMap<String, Vec<Arc<Task>>> {
    let mut grouped: HashMap<String, Vec<Arc<Task>>> = HashMap::new();
    for mut task in tasks {
        for words in [&mut task.status.err, &mut task.status.message] {
            if let Cow::Owned(hidden) = confidential.hide_inside(words) {
                *words = hidden;
            }
        }
        grouped.entry(task.service_id.clone()).or_default().push(Arc::new(task));
    }
    grouped
}

/// Judges all services of a stack. Where they were healthy at the last look, by the record, only what changed since is
/// watched.
///
/// # Errors
/// Those of a read.
pub async fn look(
    context: &Context,
    desired: &Desired,
    live: &Live,
    settings: &Settings,
    was_healthy: bool,
) -> Result<Vec<Assessed>, Error> {
    if was_healthy {
        let services = live.services.iter().filter(|service| desired.services.contains_key(&service.spec.name));
        services.for_each(|service| context.progress.trust(service));
    }
    assess(context, desired, live, settings, |_| true).await
}

/// Judges those services of a stack that are asked about.
///
/// # Errors
/// Those of a read.
pub async fn look_at(
    context: &Context,
    desired: &Desired,
    live: &Live,
    settings: &Settings,
    is_asked: impl Fn(&str) -> bool,
) -> Result<Verdict, Error> {
    assess(context, desired, live, settings, is_asked).await.map(|assessed| summary(&assessed))
}

async fn assess(
    context: &Context,
    desired: &Desired,
    live: &Live,
    settings: &Settings,
    is_asked: impl Fn(&str) -> bool,
) -> Result<Vec<Assessed>, Error> {
    let services: Vec<Wanted<'_>> = live
        .services
        .iter()
        .filter(|service| desired.services.contains_key(&service.spec.name) && is_asked(&service.spec.name))
        .map(|service| Wanted { service, lost: None })
        .collect();
    Ok(context.progress.assess(&context.client, &services, live, settings.timeout, &desired.confidential).await?)
}

/// One verdict of many: the worst.
pub fn summary<'a>(assessed: impl IntoIterator<Item = &'a Assessed>) -> Verdict {
    let mut worst = Verdict::Healthy;
    for one in assessed {
        let name = &one.name;
        let trouble = |what, reason| Trouble { service: name.clone(), what, reason };
        let next = match &one.verdict {
            health::Verdict::Converged => continue,
            health::Verdict::Progressing { waiting_for, failing } => {
                let mut waiting =
                    format!("{name}: {} of {} tasks, waiting for {waiting_for}", one.up_to_date, one.wanted);
                if let Some(failing) = failing {
                    waiting.push_str(&format!("; last error: {failing}"));
                }
                Verdict::Progressing { waiting }
            }
            health::Verdict::Degraded(failure) => Verdict::Degraded(trouble(NOT_UP, failure.to_string())),
            health::Verdict::Stuck { waiting_for } => {
                Verdict::Degraded(trouble(NOT_UP, format!("no progress, waiting for {waiting_for}")))
            }
            health::Verdict::Superseded => {
                Verdict::Degraded(trouble(NOT_UP, "somebody else wrote it meanwhile".to_owned()))
            }
            health::Verdict::RolledBack { message, .. } => Verdict::Failed(trouble(ROLLED_BACK, message.clone())),
            health::Verdict::Paused { message } => Verdict::Failed(trouble(PAUSED, message.clone())),
        };
        if rank(&next) > rank(&worst) {
            worst = next;
        }
    }
    worst
}

fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Healthy => 0,
        Verdict::Progressing { .. } => 1,
        Verdict::Degraded(_) => 2,
        Verdict::Failed(_) => 3,
    }
}
