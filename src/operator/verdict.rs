//! How a stack's rollouts fare.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::context::{Context, Error};
use crate::client::{Api, Client, Error as ClientError, Filters};
use crate::desired::Desired;
use crate::health::{self, Observation};
use crate::settings::Settings;
use crate::swarm::{Live, Service, Task};

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
    /// Some did not get there in time, without the engine giving up.
    Degraded {
        /// What fails.
        cause: String,
    },
    /// The engine gave a rollout up, or went back on it.
    Failed {
        /// Its reason.
        cause: String,
    },
}

impl Verdict {
    /// Whether waiting will not change it.
    pub fn is_final(&self) -> bool {
        matches!(self, Verdict::Healthy | Verdict::Failed { .. } | Verdict::Degraded { .. })
    }
}

/// How services fared at earlier looks, by id: by this instance's own clock.
#[derive(Debug, Default)]
pub struct Progress(Mutex<HashMap<String, Seen>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    version: u64,
    ready: u64,
    improved: Instant,
    complete_since: Option<Instant>,
    /// It had converged when this process first saw it, and has not changed since.
    converged: bool,
}

/// A service as it fares, with how far it is.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// Its full name.
    pub name: String,
    /// How it fares.
    pub verdict: health::Verdict,
    /// Its tasks.
    pub tasks: Vec<Task>,
}

impl Progress {
    /// Takes a service for converged at the first look, as its record says: after a restart of skep no rollout is watched
    /// anew.
    fn trust(&self, service: &Service) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(service.id.clone())
            .or_insert_with(|| Seen { converged: true, ..Seen::new(service, Instant::now()) });
    }

    /// Judges services against what is wanted of them. `wanted` says of each whether its spec is the one that was sent.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn assess(
        &self,
        client: &Client,
        services: &[(&Service, bool)],
        live: &Live,
        timeout: Duration,
    ) -> Result<Vec<Assessed>, ClientError> {
        if services.is_empty() {
            return Ok(Vec::new());
        }
        let ids = services.iter().fold(Filters::new(), |filters, (service, _)| filters.service(&service.id));
        let api = Api::<Task>::all(client.clone());
        let current_ids = ids.clone().up_to_date();
        let (all, current) = tokio::try_join!(api.list_with(&ids), api.list_with(&current_ids))?;
        let current: BTreeSet<String> = current.items.into_iter().map(|task| task.id).collect();
        let mut tasks: BTreeMap<String, Vec<Task>> = BTreeMap::new();
        for task in all.items {
            tasks.entry(task.service_id.clone()).or_default().push(task);
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|id, _| live.services.iter().any(|service| service.id == *id));
        let now = Instant::now();
        Ok(services
            .iter()
            .map(|(service, is_wanted)| {
                let tasks = tasks.remove(&service.id).unwrap_or_default();
                let known = seen.entry(service.id.clone()).or_insert_with(|| Seen::new(service, now));
                let verdict = known.judge(service, *is_wanted, &tasks, &current, live, timeout, now);
                Assessed { name: service.spec.name.clone(), verdict, tasks }
            })
            .collect())
    }
}

impl Seen {
    fn new(service: &Service, now: Instant) -> Self {
        Self { version: service.version.index, ready: 0, improved: now, complete_since: None, converged: false }
    }

    #[allow(clippy::too_many_arguments, reason = "what is seen of a service has this many parts, and one caller")]
    fn judge(
        &mut self,
        service: &Service,
        is_wanted: bool,
        tasks: &[Task],
        up_to_date: &BTreeSet<String>,
        live: &Live,
        timeout: Duration,
        now: Instant,
    ) -> health::Verdict {
        if self.version != service.version.index {
            // A write, the engine's own word on the rollout included: something moved.
            self.version = service.version.index;
            self.improved = now;
            self.complete_since = None;
            self.converged = false;
        }
        let mut seen = Observation {
            service,
            is_wanted,
            tasks,
            up_to_date,
            nodes: &live.nodes,
            stable_for: Duration::ZERO,
            stalled_for: now.duration_since(self.improved),
            timeout,
        };
        let ready = health::ready(&seen);
        if ready.count > self.ready {
            self.improved = now;
            seen.stalled_for = Duration::ZERO;
        }
        self.ready = ready.count;
        self.complete_since = if ready.is_complete { Some(self.complete_since.unwrap_or(now)) } else { None };
        self.converged &= ready.is_complete;
        seen.stable_for = match self.complete_since {
            Some(_) if self.converged => Duration::MAX,
            Some(since) => now.duration_since(since),
            None => Duration::ZERO,
        };
        health::assess(&seen)
    }
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
) -> Result<Verdict, Error> {
    let services: Vec<(&Service, bool)> = live
        .services
        .iter()
        .filter(|service| desired.services.contains_key(&service.spec.name))
        .map(|service| (service.as_ref(), true))
        .collect();
    if was_healthy {
        services.iter().for_each(|(service, _)| context.progress.trust(service));
    }
    let assessed = context.progress.assess(&context.client, &services, live, settings.timeout).await?;
    Ok(summary(&assessed))
}

/// One verdict of many: the worst.
pub fn summary(assessed: &[Assessed]) -> Verdict {
    let mut worst = Verdict::Healthy;
    for one in assessed {
        let next = match &one.verdict {
            health::Verdict::Converged => continue,
            health::Verdict::Progressing(progress) => Verdict::Progressing {
                waiting: format!(
                    "{}: {} of {} tasks, waiting for {}",
                    one.name, progress.ready, progress.wanted, progress.waiting_for
                ),
            },
            health::Verdict::Degraded { progress, failing } => Verdict::Degraded {
                cause: match failing {
                    Some(failing) => format!("{}: {failing}", one.name),
                    None => format!("{}: {} of {} tasks, and no progress", one.name, progress.ready, progress.wanted),
                },
            },
            health::Verdict::Stuck { reason } => Verdict::Degraded { cause: format!("{}: {reason}", one.name) },
            health::Verdict::RolledBack { message, .. } => {
                Verdict::Failed { cause: format!("{} rolled back: {message}", one.name) }
            }
            health::Verdict::Paused { message } => {
                Verdict::Failed { cause: format!("{}: rollout paused: {message}", one.name) }
            }
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
        Verdict::Degraded { .. } => 2,
        Verdict::Failed { .. } => 3,
    }
}

/// Why the engine gave up on a service that an attempt wrote; `None` where it did not.
pub fn failure(written: &[String], live: &Live) -> Option<String> {
    written.iter().find_map(|name| {
        let service = live.services.iter().find(|service| service.spec.name == *name)?;
        health::gave_up(service).map(|cause| format!("{name}: {cause}"))
    })
}
