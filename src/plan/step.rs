//! A plan: writes in order, what each costs, and what is only shown.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::applied::{Applied, Object};
use super::cost::{self, Cost};
use super::lines::Texts;
use crate::desired::{Desired, Hook};
use crate::diag::{Diagnostic, has_errors};
use crate::model::{Confidential, Kind, Secret, StackName};
use crate::swarm::{ConfigSpec, NetworkSpec, Node, SecretSpec, Service, ServiceSpec, Version};

/// What has to be written for one stack to be as git says, and what there is to know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The stack.
    pub stack: StackName,
    /// The writes, in the order they are to be made: networks, configs, secrets, services, and last what is deleted.
    /// They come in waves ([`Step::wave`]).
    pub steps: Vec<Step>,
    /// How many objects git names that are as it says.
    pub unchanged: usize,
    /// What differs from what was applied, and that alone.
    pub drift: Drift,
    /// What a person should know, errors among them where the plan is blocked.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether this is the first look at a stack that runs already.
    pub first_contact: Option<FirstContact>,
    /// What the record holds before the first step: what is as it should be counts as applied, at first contact what
    /// runs does. Nothing of it is known in direct mode.
    pub settled: Applied,
    /// Texts that came out of encrypted files, now or when they were applied: no output may hold them.
    pub confidential: Confidential,
}

impl Plan {
    /// The services that it writes, deletions included.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter(|step| step.kind == Kind::Service).map(|step| step.name.as_str())
    }

    /// The steps that may be carried out now. The others wait until what these write is healthy, and are then planned
    /// anew: by that time they name other versions.
    pub fn first_wave(&self) -> &[Step] {
        let Some(first) = self.steps.first() else { return &[] };
        let end = self.steps.iter().position(|step| step.wave != first.wave).unwrap_or(self.steps.len());
        self.steps.get(..end).unwrap_or_default()
    }

    /// Whether steps are left when the first wave was carried out.
    pub fn has_later_waves(&self) -> bool {
        self.first_wave().len() < self.steps.len()
    }

    /// The services of which only those tasks restart whose node no longer fits. How many, the plan can say only where it is
    /// told which nodes they are on ([`crate::swarm::Service::task_nodes`]); until then it names all.
    pub fn movers(&self) -> impl Iterator<Item = &str> {
        let steps = self.steps.iter().map(|step| (step.kind, &step.name, &step.changes));
        let drifted = self.drift.changed.iter().map(|drifted| (drifted.kind, &drifted.name, &drifted.changes));
        let moves =
            steps.chain(drifted).filter(|(kind, _, changes)| *kind == Kind::Service && cost::only_moves(changes));
        moves.map(|(_, name, _)| name.as_str())
    }

    /// Takes up what was found out, as far as the stack's files do not accept it, and without what is confidential.
    pub fn remark(&mut self, found: Vec<Diagnostic>, desired: &Desired) {
        let told = found.into_iter().filter(|fault| !desired.accepted.covers(fault));
        for mut fault in told {
            fault.conceal(&self.confidential);
            self.diagnostics.push(fault);
        }
        self.diagnostics
            .sort_by(|a, b| (a.severity, a.span, a.code, &a.message).cmp(&(b.severity, b.span, b.code, &b.message)));
        self.diagnostics.dedup();
    }

    /// Whether nothing of it may be carried out: a stack is never applied by half.
    pub fn is_blocked(&self) -> bool {
        has_errors(&self.diagnostics)
    }

    /// Whether the swarm is as git says, as far as this plan knows.
    pub fn sync(&self) -> Sync {
        if self.steps.is_empty() && self.drift.is_empty() && !self.is_blocked() && self.first_contact.is_none() {
            Sync::Synced
        } else {
            Sync::OutOfSync
        }
    }
}

/// Whether the swarm is as git says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Sync {
    /// It is.
    Synced,
    /// It is not: there are writes to make, or there is drift.
    OutOfSync,
    /// Nobody could look.
    #[default]
    Unknown,
}

/// The first look at a stack that runs already and has no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FirstContact {
    /// Nothing would restart, stop or be deleted: the record may be written, and nothing but the record.
    Safe,
    /// Something would: a person decides.
    Unsafe,
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// The object's kind.
    pub kind: Kind,
    /// Its full name.
    pub name: String,
    /// What it costs.
    pub effect: Effect,
    /// Whether what the service serves may be gone for a while.
    pub downtime: Downtime,
    /// Tasks that are replaced.
    pub tasks_restarting: u64,
    /// Tasks that end and are not replaced.
    pub tasks_stopping: u64,
    /// How an update that restarts tasks rolls.
    pub rollout: Option<Rollout>,
    /// When it runs, if it is a hook of the stack.
    pub hook: Option<Hook>,
    /// Steps of a later wave wait until what those of the earlier ones wrote is healthy. The numbers ascend.
    pub wave: u32,
    /// What differs, field by field, drift that it overwrites included. Empty where something is deleted.
    pub changes: Vec<Change>,
    /// What is sent.
    pub write: Write,
}

impl Step {
    /// A write that no running task notices.
    pub(super) fn free(object: Object, action: Action, effect: Effect, changes: Vec<Change>, write: Write) -> Self {
        let cost = Cost { effect, ..Cost::default() };
        Self::costing(object, action, cost, changes, write)
    }

    /// A write with what it costs.
    pub(super) fn costing(object: Object, action: Action, cost: Cost, changes: Vec<Change>, write: Write) -> Self {
        let Object { kind, name } = object;
        let Cost { effect, downtime, tasks_restarting, tasks_stopping, rollout } = cost;
        Self {
            action,
            kind,
            name,
            effect,
            downtime,
            tasks_restarting,
            tasks_stopping,
            rollout,
            hook: None,
            wave: 0,
            changes,
            write,
        }
    }

    /// The same of a hook.
    pub(super) fn with_hook(self, hook: Option<Hook>) -> Self {
        Self { hook, ..self }
    }

    /// The same in a later wave.
    pub(super) fn in_wave(self, wave: u32) -> Self {
        Self { wave, ..self }
    }
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// A new object.
    Create(Body),
    /// A new spec for an object that is there.
    Update {
        /// The object's id.
        id: String,
        /// The version it had when it was looked at.
        version: Version,
        /// The new spec.
        body: Body,
    },
    /// The end of an object, and a new one of the same name.
    Replace {
        /// The id of the object that ends.
        id: String,
        /// The version it had when it was looked at.
        version: Version,
        /// The spec of the new one.
        body: Body,
    },
    /// The end of an object.
    Delete {
        /// The object's id.
        id: String,
        /// The version it had when it was looked at: whoever deletes reads again and stops where it moved.
        version: Version,
    },
}

impl Write {
    /// What is sent; nothing where something only ends.
    pub fn body(&self) -> Option<&Body> {
        match self {
            Write::Create(body) | Write::Update { body, .. } | Write::Replace { body, .. } => Some(body),
            Write::Delete { .. } => None,
        }
    }

    /// The spec of a service that is sent.
    pub fn service(&self) -> Option<&ServiceSpec> {
        match self.body() {
            Some(Body::Service { spec, .. }) => Some(spec),
            _ => None,
        }
    }
}

/// The spec that is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Of a network.
    Network(NetworkSpec),
    /// Of a config. Updates change its labels and carry no data.
    Config {
        /// The name that git gives it; the object's own may have a suffix.
        plain: String,
        /// The digest of its content.
        content: String,
        /// Whether its content came out of an encrypted file.
        confidential: bool,
        /// The spec.
        spec: ConfigSpec,
    },
    /// Of a secret. Updates change its labels and carry no data.
    Secret {
        /// The name that git gives it; the object's own may have a suffix.
        plain: String,
        /// The fingerprint of its content, where it is known.
        fingerprint: Option<String>,
        /// Whether nobody verified that it is the content of the object that is updated.
        unverified: bool,
        /// The spec, without its data.
        spec: SecretSpec,
        /// The data to send.
        data: Option<Secret<Vec<u8>>>,
    },
    /// Of a service.
    Service {
        /// The spec as it is sent, but for the ids of configs and secrets that earlier steps make (see
        /// [`super::fill_references`]) and networks that they make, which stand there by name.
        spec: Box<ServiceSpec>,
        /// The form of it that [`Applied`] keeps.
        rendering: Box<ServiceSpec>,
    },
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// It gets another spec.
    Update,
    /// It is deleted and made anew.
    Replace,
    /// It is deleted.
    Delete,
}

/// What a write, or one difference, costs the running tasks; the dearest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing: it is shown and not written.
    #[default]
    None,
    /// Written, and no task restarts.
    InPlace,
    /// Something new begins.
    Create,
    /// Tasks are replaced by the update policy.
    Rolling,
    /// The job runs again.
    JobRun,
    /// The object is deleted and made anew.
    Replace,
    /// The object ends.
    Delete,
}

/// Whether what a service serves may be gone for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Downtime {
    /// No.
    #[default]
    None,
    /// Perhaps.
    Possible,
    /// Yes.
    Certain,
}

/// How an update that restarts tasks rolls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// Tasks at a time; 0 is all of them.
    pub parallelism: u64,
    /// `stop-first` or `start-first`.
    pub order: String,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// A JSON pointer into the Engine API's spec. An element of a list is where it stands in the new list, or where it
    /// stood in the old one if it is gone.
    pub path: String,
    /// The field in a few words, for people: `image`, `env LOG_LEVEL`.
    pub label: String,
    /// What is there; `None` where the field is absent.
    pub before: Option<Value>,
    /// What should be there; `None` where the field goes.
    pub after: Option<Value>,
    /// What both values cannot say, as how many lines of a config differ.
    pub detail: Option<String>,
    /// Both texts of a config that is exchanged, where they may be shown line by line.
    pub texts: Option<Texts>,
    /// What the difference costs.
    pub effect: Effect,
    /// Whose it is.
    pub origin: Origin,
}

impl Change {
    /// Says how a config that is exchanged for another differs from it: line by line, where both may be shown.
    pub(super) fn tell(&mut self, texts: Option<Texts>) {
        self.detail = Some(texts.as_ref().map_or_else(|| "content differs".to_owned(), Texts::count));
        self.texts = texts;
    }
}

/// Whose a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Git says something else than it did when it was last applied.
    Git,
    /// Somebody changed the swarm.
    Drift,
    /// Both, and not to the same value.
    Both,
    /// A tag moved at its registry.
    Registry,
    /// skep filled it in, or lowers the same file differently than it did.
    Skep,
    /// There is no record to tell by.
    Unknown,
}

/// What differs from what was applied.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drift {
    /// Objects that are not as they were applied.
    pub changed: Vec<Drifted>,
    /// Objects that were applied, that git still names, and that are gone.
    pub missing: Vec<Object>,
    /// Objects that carry the stack's label and that skep never applied. Nothing deletes them.
    pub extra: Vec<Object>,
    /// What differs where no difference counts: it is shown, and nothing writes it. Each effect of it is `none`.
    pub ignored: Vec<Drifted>,
}

impl Drift {
    /// Whether everything is as it was applied, but for what stays as it is found. What is merely extra is nobody's drift,
    /// nor is what is ignored.
    pub fn is_empty(&self) -> bool {
        self.changed.iter().all(Drifted::stays) && self.missing.is_empty()
    }
}

/// An object that is not as it was applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted {
    /// Its kind.
    pub kind: Kind,
    /// Its full name.
    pub name: String,
    /// When it was last written, RFC 3339 by the engine's clock.
    pub updated: String,
    /// The differences: `before` is what was found, `after` what was applied.
    pub changes: Vec<Change>,
    /// What bringing it back would cost.
    pub effect: Effect,
    /// Tasks that bringing it back would replace.
    pub tasks_restarting: u64,
    /// Tasks that bringing it back would end.
    pub tasks_stopping: u64,
}

impl Drifted {
    /// An object that bringing back costs no task. What that does to it, the dearest of its differences says.
    pub(super) fn free(object: Object, updated: &str, changes: Vec<Change>) -> Self {
        let Object { kind, name } = object;
        let effect = changes.iter().map(|change| change.effect).max().unwrap_or(Effect::None);
        Self { kind, name, updated: updated.to_owned(), changes, effect, tasks_restarting: 0, tasks_stopping: 0 }
    }

    /// A service, and what it costs to make it what is `wanted` of it.
    pub(super) fn service(live: &Service, wanted: &ServiceSpec, changes: Vec<Change>, nodes: &[Arc<Node>]) -> Self {
        let Cost { effect, tasks_restarting, tasks_stopping, .. } = cost::of_update(&changes, live, wanted, nodes);
        let object = Object::new(Kind::Service, &*live.spec.name);
        Self { effect, tasks_restarting, tasks_stopping, ..Self::free(object, &live.updated_at, changes) }
    }

    /// Whether it is a service of which all that differs is carried over: shown, and no reason to write, now or ever.
    pub fn stays(&self) -> bool {
        self.kind == Kind::Service && self.effect == Effect::None
    }
}
