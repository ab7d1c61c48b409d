//! The end of a stack: what its record says was applied is deleted, then the record.

use std::collections::BTreeMap;
use std::time::Duration;

use super::context::{Context, Error};
use super::inventory;
use super::reason;
use super::records::{self, Stored};
use super::rendering;
use crate::apply::{Apply, Stopped};
use crate::desired::Desired;
use crate::model::{Confidential, StackName};
use crate::plan::{self, Applied, OnDrift, Plan, Policy, Prune};
use crate::runtime::Action;
use crate::swarm::{Images, Live};

/// How soon a deletion that the engine put off is tried again: the tasks of a deleted service take their grace period.
const AGAIN: Duration = Duration::from_secs(2);

/// What deletes everything that was applied of a stack, and nothing else. Where something of it is protected it is blocked
/// and deletes nothing.
pub fn plan(stack: &StackName, applied: &Applied, live: &Live) -> Plan {
    let nothing = Desired {
        stack: stack.clone(),
        services: BTreeMap::new(),
        networks: BTreeMap::new(),
        volumes: BTreeMap::new(),
        configs: BTreeMap::new(),
        secrets: BTreeMap::new(),
        external: Vec::new(),
        confidential: Confidential::new(),
        protected: Default::default(),
        accepted: Default::default(),
    };
    let policy = Policy { prune: Prune::Recorded, drift: OnDrift::Ignore, allow_delete: true, ..Policy::default() };
    plan::plan(plan::Input {
        desired: &nothing,
        live,
        applied: Some(applied),
        good: None,
        images: &Images::default(),
        policy: &policy,
    })
}

/// Deletes what was applied of a stack that its source let go of, and then forgets it.
pub async fn end(context: &Context, stored: Stored) -> Result<Action, Error> {
    let live = context.live().ok_or(Error::NotReady)?;
    let stack = stored.record.stack.clone();
    let applied = rendering::applied(&stored.record, &live)?.unwrap_or_default();
    let plan = plan(&stack, &applied, &live);
    if let Some(reason) = reason::blocked(&plan) {
        let mut record = stored.record.clone();
        record.status.reason = format!("orphaned, {reason}");
        if record != stored.record && context.permit.may_write() {
            let written = records::write(&context.client, &stored, record).await?;
            context.wrote(&written);
        }
        return Ok(Action::await_change());
    }
    if plan.steps.is_empty() {
        return forget(context, &stored).await;
    }
    tracing::info!(%stack, steps = plan.steps.len(), "stack left git and is deleted");
    let apply = Apply {
        client: &context.client,
        credentials: &context.credentials,
        permit: context.permit.as_ref(),
        observe: &|_| {},
    };
    let outcome = apply.run(&plan).await;
    let mut record = stored.record.clone();
    record.inventory = inventory::of(&outcome.applied);
    record.status.reason = "orphaned: being deleted".to_owned();
    if context.permit.may_write() {
        let written = records::write(&context.client, &stored, record).await?;
        context.wrote(&written);
    }
    match outcome.stopped {
        None => Ok(Action::requeue(AGAIN)),
        Some(Stopped::Engine(error)) => Err(Error::Client(error)),
        Some(stopped) => Err(Error::Stopped(stopped.to_string())),
    }
}

/// Forgets a stack of which nothing is left.
pub async fn forget(context: &Context, stored: &Stored) -> Result<Action, Error> {
    if !context.permit.may_write() {
        return Err(Error::NoLease);
    }
    records::forget(&context.client, stored).await?;
    tracing::info!(stack = %stored.record.stack, "stack ended");
    Ok(Action::await_change())
}
