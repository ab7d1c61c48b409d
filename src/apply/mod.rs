//! Carries out a plan, step by step, and says what it did. It decides nothing: what is not in the plan is not written.
//!
//! # Guarantees
//! - Steps are carried out in the plan's order, one at a time; the first that fails ends it, so a deletion never precedes
//!   what replaces the deleted.
//! - Only the first wave of a plan is carried out. What comes after it waits until that is healthy, which whoever called
//!   finds out; then it is planned anew.
//! - Before each write the [`Permit`] is asked. Without one nothing more is written.
//! - An update names the version that the plan saw, a creation a name that must be free. A deletion carries neither: right
//!   before it the object is read again, and left alone if it moved.
//! - A conflict is not retried here. Whoever planned plans again; what was in truth one's own success then shows as no
//!   difference.

mod step;

use crate::client::{self, Client, Credentials};
use crate::model::{Kind, StackName};
use crate::plan::{Applied, Object, Plan, Step};

/// Whether a write may still start: a lease that holds, or the word of the person at the command line.
pub trait Permit: Send + Sync {
    /// Asked right before each write.
    fn may_write(&self) -> bool;
}

/// Permission without a lease, for direct mode: the person is the permit.
#[derive(Debug, Clone, Copy)]
pub struct Always;

impl Permit for Always {
    fn may_write(&self) -> bool {
        true
    }
}

/// What carrying out a plan did.
#[derive(Debug)]
pub struct Outcome {
    /// What is applied now.
    pub applied: Applied,
    /// How many writes were made.
    pub written: usize,
    /// Objects whose deletion the engine puts off: tasks that are ending still use them. They stay in the inventory, and
    /// the next plan deletes them.
    pub deferred: Vec<Object>,
    /// Why it ended before the plan did.
    pub stopped: Option<Stopped>,
}

/// Why carrying out a plan ended early.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The engine refused a write, or could not be reached.
    #[error(transparent)]
    Engine(#[from] client::Error),
    /// Registry credentials could not be read.
    #[error(transparent)]
    Credentials(#[from] client::CredentialsError),
    /// A config or secret that a service needs was not made.
    #[error(transparent)]
    Reference(#[from] crate::plan::Unfilled),
    /// The lease was lost.
    #[error("the lease was lost, so nothing more is written")]
    NoPermit,
    /// A person stopped it.
    #[error("it was interrupted")]
    Interrupted,
    /// What was to be deleted is not what was planned any more.
    #[error("{kind} {name} changed since it was looked at, so it is not deleted")]
    Moved {
        /// Its kind.
        kind: Kind,
        /// Its full name.
        name: String,
    },
}

/// What happens while a plan is carried out.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A write is about to be made.
    Begin(&'a Step),
    /// It was made.
    Done(&'a Step, &'a [String]),
    /// A deletion was put off.
    Deferred(&'a Step),
}

/// What carrying out a plan needs.
pub struct Apply<'a> {
    /// The swarm.
    pub client: &'a Client,
    /// Credentials of registries, sent with every create and update of a service.
    pub credentials: &'a Credentials,
    /// Asked before each write.
    pub permit: &'a dyn Permit,
    /// Told of each step.
    pub observe: &'a (dyn Fn(Event<'_>) + Send + Sync),
}

impl Apply<'_> {
    /// Carries out the first wave of a plan. What was done is in the outcome whether or not it ended early.
    pub async fn run(&self, plan: &Plan) -> Outcome {
        let mut outcome = Outcome { applied: plan.settled.clone(), written: 0, deferred: Vec::new(), stopped: None };
        for step in plan.first_wave() {
            if !self.permit.may_write() {
                outcome.stopped = Some(Stopped::NoPermit);
                break;
            }
            (self.observe)(Event::Begin(step));
            match self.carry_out(step, &outcome.applied, &plan.stack).await {
                Ok(step::Done::Written(written)) => {
                    outcome.applied.record(step, &written.id);
                    outcome.written += 1;
                    tracing::info!(
                        stack = %plan.stack, kind = %step.kind, object = %step.name, action = ?step.action,
                        effect = ?step.effect, "object written"
                    );
                    (self.observe)(Event::Done(step, &written.warnings));
                }
                Ok(step::Done::Deferred) => {
                    outcome.deferred.push(Object::new(step.kind, &*step.name));
                    (self.observe)(Event::Deferred(step));
                }
                Err(mut stopped) => {
                    if let Stopped::Engine(error) = &mut stopped {
                        error.conceal(&plan.confidential);
                    }
                    outcome.stopped = Some(stopped);
                    break;
                }
            }
        }
        outcome
    }

    async fn carry_out(&self, step: &Step, applied: &Applied, stack: &StackName) -> Result<step::Done, Stopped> {
        step::carry_out(self, step, applied, stack).await
    }
}
