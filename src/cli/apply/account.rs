//! What an apply from a repository writes into the stack's record, for the controller and for the next apply. Direct mode
//! has no record.

use jiff::Timestamp;

use crate::apply::Outcome;
use crate::client::Client;
use crate::health::Health;
use crate::model::{Digest, Revision};
use crate::operator::record::{APPLYING, Applied, Attempt, Failed, Held, Past, Record, Status};
use crate::operator::records::{self, Stored};
use crate::operator::retreat::Over;
use crate::operator::{inventory, rendering};
use crate::plan::{self, Plan, Sync};
use crate::swarm::Live;

use super::super::failure::Failure;
use super::super::plan::Planned;
use super::super::target::{Origin, Target};

/// Whether the record is to be written even if no object is: at the first contact with what runs as git says, when git says
/// something else that no object shows, as what is protected, and when secrets in it are trusted at last.
pub fn is_due(target: &Target, planned: &Planned<'_>) -> bool {
    let applied = planned.stored.as_ref().and_then(|stored| stored.record.applied.as_ref());
    let says_else = applied.is_none_or(|applied| applied.digest != planned.digest);
    matches!(target.origin, Origin::Repository { .. }) && (planned.verifies || says_else)
}

/// The record of one stack while it is applied.
pub struct Account<'a> {
    client: &'a Client,
    target: &'a Target,
    planned: &'a Planned<'a>,
    source: &'a str,
}

impl<'a> Account<'a> {
    /// `None` in direct mode.
    pub fn of(client: &'a Client, target: &'a Target, planned: &'a Planned<'a>) -> Option<Self> {
        match &target.origin {
            Origin::Direct => None,
            Origin::Repository { source, .. } => Some(Self { client, target, planned, source: source.as_str() }),
        }
    }

    /// Adopts what runs as git says, or trusts its secrets: the record is written, and nothing else.
    pub async fn adopt(&self) -> Result<(), Failure> {
        let mut record = self.record();
        let settled = &self.planned.plan.settled;
        let rendering = records::keep(self.client, &self.planned.plan.stack, settled).await?;
        record.inventory = inventory::of(settled);
        record.applied = Some(self.applied(rendering));
        record.status = match self.planned.plan.first_contact {
            Some(_) => Status { sync: Sync::Synced, ..self.status(Health::Unknown, String::new()) },
            None => Status { sync: self.planned.plan.sync(), revision: Some(self.revision()), ..record.status },
        };
        let stored = self.store(self.planned.stored.as_ref(), record).await?;
        Ok(records::sweep(self.client, &self.planned.plan.stack, &stored.record.renderings()).await?)
    }

    /// The attempt, before its first write: what is about to be made belongs to the stack from now on.
    pub async fn begin(&self, live: &Live) -> Result<Stored, Failure> {
        let plan = &self.planned.plan;
        let mut record = self.record();
        let term = record.attempt.as_ref().map_or(0, |attempt| attempt.term);
        let mut attempt = Attempt::new(term, self.revision(), self.digest(), plan, live);
        attempt.note_hooks(plan, live);
        record.begin(attempt);
        record.inventory = inventory::with_steps(&record.inventory, plan);
        record.remember(Past {
            revision: self.revision(),
            at: Timestamp::now(),
            result: APPLYING.to_owned(),
            steps: u32::try_from(plan.steps.len()).unwrap_or(u32::MAX),
        });
        record.status = self.status(Health::Progressing, APPLYING.to_owned());
        self.store(self.planned.stored.as_ref(), record).await
    }

    /// Everything is written, and only the verdict is out.
    pub async fn wrote(&self, stored: Stored, outcome: &Outcome) -> Result<Stored, Failure> {
        let stack = &self.planned.plan.stack;
        let rendering = records::keep(self.client, stack, &outcome.applied).await?;
        let mut record = stored.record.clone();
        record.applied = Some(self.applied(rendering));
        record.inventory = inventory::of(&outcome.applied);
        if let Some(attempt) = &mut record.attempt {
            attempt.written = true;
        }
        let stored = self.store(Some(&stored), record).await?;
        records::sweep(self.client, stack, &stored.record.renderings()).await?;
        Ok(stored)
    }

    /// A later wave is about to be written, of which this is what is left.
    pub async fn go_on(&self, stored: Stored, plan: &Plan, live: &Live) -> Result<Stored, Failure> {
        let mut record = stored.record.clone();
        record.inventory = inventory::with_steps(&record.inventory, plan);
        if let Some(attempt) = &mut record.attempt {
            attempt.hooks_are_done(live);
            attempt.extend(plan, live);
            attempt.note_hooks(plan, live);
        }
        self.store(Some(&stored), record).await
    }

    /// What last ran well, as the record says it. `None` where it says nothing of the kind.
    pub fn good(&self, live: &Live) -> Result<Option<plan::Applied>, Failure> {
        let Some(stored) = &self.planned.stored else { return Ok(None) };
        let good = match rendering::good(&stored.record, live).map_err(records::Error::from)? {
            Some(good) => Some(good),
            None => rendering::applied(&stored.record, live).map_err(records::Error::from)?,
        };
        // One whose config is gone names nothing.
        Ok(good.filter(|good| !good.services.is_empty()))
    }

    /// Everything runs.
    pub async fn came_up(&self, stored: &Stored) -> Result<(), Failure> {
        let mut record = stored.record.clone();
        record.came_up(Timestamp::now());
        record.status = Status { sync: Sync::Synced, ..self.status(Health::Healthy, String::new()) };
        let stored = self.store(Some(stored), record).await?;
        Ok(records::sweep(self.client, &self.planned.plan.stack, &stored.record.renderings()).await?)
    }

    /// What failed is held, and what else was written has gone back or is left.
    pub async fn hold(&self, stored: &Stored, failed: Failed, over: Over) -> Result<(), Failure> {
        let mut record = stored.record.clone();
        let previous = record.attempt.as_ref().and_then(|attempt| attempt.previous.clone());
        let cause = format!("{}{}", failed.cause, over.words());
        let before = record.good.clone().or(previous);
        let applied = match (before, &over.applied) {
            (Some(before), Some(applied)) => {
                let rendering = records::keep(self.client, &self.planned.plan.stack, applied).await?;
                Some(Applied { rendering, ..before })
            }
            (before, _) => before,
        };
        record.status = self.status(Health::Degraded, format!("held: {cause}"));
        let (revision, digest, since, result) = (self.revision(), self.digest(), Timestamp::now(), over.result());
        record.hold(Held { revision, digest, since, cause, logs: failed.logs, left: over.left }, result);
        record.applied = applied;
        self.store(Some(stored), record).await?;
        Ok(())
    }

    fn record(&self) -> Record {
        let record = match &self.planned.stored {
            Some(stored) => Record { source: self.source.to_owned(), ..stored.record.clone() },
            None => Record::new(self.planned.plan.stack.clone(), self.source.to_owned()),
        };
        Record { images: self.planned.images.clone(), ..record }
    }

    fn revision(&self) -> Revision {
        match (&self.planned.stack.revision, &self.target.origin) {
            (Some(revision), _) | (None, Origin::Repository { revision, .. }) => revision.clone(),
            (None, Origin::Direct) => Revision::new(""),
        }
    }

    fn digest(&self) -> Digest {
        self.planned.digest.clone()
    }

    fn applied(&self, rendering: String) -> Applied {
        Applied { revision: self.revision(), digest: self.digest(), at: Timestamp::now(), rendering }
    }

    fn status(&self, health: Health, reason: String) -> Status {
        Status { sync: Sync::OutOfSync, health, revision: Some(self.revision()), reason }
    }

    async fn store(&self, stored: Option<&Stored>, record: Record) -> Result<Stored, Failure> {
        Ok(match stored {
            Some(stored) => records::write(self.client, stored, record).await?,
            None => records::create(self.client, &record).await?,
        })
    }
}
