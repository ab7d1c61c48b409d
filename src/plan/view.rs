//! Plans and drift as machines read them: versioned, with a schema, and without what only carrying out needs.
//!
//! No secret's content is in it, and values that look like secrets are hidden by a [`Mask`].

pub(in crate::plan) mod headline;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mask::Mask;
use super::step::{self, Action, Downtime, Effect, FirstContact, Origin, Rollout, Sync};
use super::words;
use crate::diag::{Shown, Sources};
use crate::model::Kind;

pub use headline::Drifts;

/// The version of the format. What is added leaves it as it is; what changes or goes raises it.
pub const FORMAT_VERSION: u32 = 1;

/// A plan of several stacks, or the drift of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The version of this format.
    pub format_version: u32,
    /// The commit that is planned; null where it is not one.
    pub revision: Option<String>,
    /// The branch or tag that led to it.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The name of the cluster; null where it has none.
    pub cluster: Option<String>,
    /// How many nodes it has.
    #[serde(default)]
    pub nodes: usize,
    /// The stacks, in the order given.
    pub stacks: Vec<Stack>,
    /// The sums.
    pub summary: Summary,
}

/// One stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// Its name.
    pub stack: String,
    /// Whether the swarm is as git says.
    #[serde(default)]
    pub sync: Sync,
    /// Whether an error keeps all of it from being carried out.
    #[serde(default)]
    pub blocked: bool,
    /// Whether it runs already and has no record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_contact: Option<FirstContact>,
    /// The writes, in order. Of a drift report: what would bring back what was applied.
    pub steps: Vec<Step>,
    /// What differs from what was applied and is not written by a step for that alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Step>,
    /// Objects that carry the stack's label and were never applied. Nothing deletes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Object>,
    /// How many objects are as they should be.
    #[serde(default)]
    pub unchanged: usize,
    /// What a person should know.
    pub diagnostics: Vec<Shown>,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Steps of a later wave wait until what those of the earlier ones wrote is healthy.
    #[serde(default, skip_serializing_if = "is_first")]
    pub wave: u32,
    /// When the object was last written, of drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// What differs, field by field.
    pub changes: Vec<Change>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// A JSON pointer into the Engine API's spec.
    pub path: String,
    /// The field in a few words.
    pub label: String,
    /// What is there; null where the field is absent.
    pub before: Option<Value>,
    /// What should be there; null where the field goes.
    pub after: Option<Value>,
    /// What both values cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How texts of several lines differ, in the unified form from the first `@@` on: a config that is exchanged, a value of
    /// several lines. At most 200 lines, then one that begins with a backslash counts the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Whether something of the values is hidden.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
    /// What the difference costs.
    pub effect: Effect,
    /// Whose it is.
    pub origin: Origin,
}

/// An object by kind and full name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its full name.
    pub name: String,
}

/// The sums over all stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Objects to be made.
    pub create: usize,
    /// Objects to be updated.
    pub update: usize,
    /// Objects to be deleted and made anew.
    pub replace: usize,
    /// Objects to be deleted.
    pub delete: usize,
    /// Objects that are as they should be.
    pub unchanged: usize,
    /// Tasks that are replaced.
    pub tasks_restarting: u64,
    /// Tasks that end and are not replaced.
    pub tasks_stopping: u64,
    /// The worst that any step does to what a service serves.
    #[serde(default)]
    pub downtime: Downtime,
}

/// What stands above the stacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The commit.
    pub revision: Option<String>,
    /// The branch or tag that led to it.
    pub reference: Option<String>,
    /// The name of the cluster.
    pub cluster: Option<String>,
    /// How many nodes it has.
    pub nodes: usize,
}

/// Plans as they are shown, each with the files that its diagnostics point into.
pub fn plans(header: Header, plans: &[(&step::Plan, &Sources)], mask: &Mask) -> Document {
    let stack = |plan: &step::Plan, sources: &Sources| {
        let mask = &mask.with(&plan.confidential);
        Stack {
            steps: plan.steps.iter().map(|step| self::step(step, mask)).collect(),
            drift: drift_steps(plan, mask),
            ..self::stack(plan, sources)
        }
    };
    document(header, plans.iter().map(|(plan, sources)| stack(plan, sources)).collect())
}

/// The drift in plans as it is shown: in each change, `before` is what was found and `after` what was applied.
pub fn drift(header: Header, plans: &[(&step::Plan, &Sources)], mask: &Mask) -> Document {
    let stack = |plan: &step::Plan, sources: &Sources| {
        let mask = &mask.with(&plan.confidential);
        Stack { steps: drift_steps(plan, mask), ..self::stack(plan, sources) }
    };
    document(header, plans.iter().map(|(plan, sources)| stack(plan, sources)).collect())
}

fn document(header: Header, stacks: Vec<Stack>) -> Document {
    let mut summary = Summary::default();
    for stack in &stacks {
        summary.unchanged += stack.unchanged;
        for step in &stack.steps {
            match step.action {
                Action::Create => summary.create += 1,
                Action::Update => summary.update += 1,
                Action::Replace => summary.replace += 1,
                Action::Delete => summary.delete += 1,
            }
            summary.tasks_restarting += step.tasks_restarting;
            summary.tasks_stopping += step.tasks_stopping;
            summary.downtime = summary.downtime.max(step.downtime);
        }
    }
    let Header { revision, reference, cluster, nodes } = header;
    Document { format_version: FORMAT_VERSION, revision, reference, cluster, nodes, stacks, summary }
}

fn stack(plan: &step::Plan, sources: &Sources) -> Stack {
    Stack {
        stack: plan.stack.as_str().to_owned(),
        sync: plan.sync(),
        blocked: plan.is_blocked(),
        first_contact: plan.first_contact,
        steps: Vec::new(),
        drift: Vec::new(),
        extra: plan.drift.extra.iter().map(|it| Object { kind: it.kind, name: it.name.clone() }).collect(),
        unchanged: plan.unchanged,
        diagnostics: plan.diagnostics.iter().map(|diagnostic| Shown::new(diagnostic, sources)).collect(),
    }
}

fn step(step: &step::Step, mask: &Mask) -> Step {
    Step {
        action: step.action,
        kind: step.kind,
        name: step.name.clone(),
        effect: step.effect,
        downtime: step.downtime,
        tasks_restarting: step.tasks_restarting,
        tasks_stopping: step.tasks_stopping,
        rollout: step.rollout.clone(),
        wave: step.wave,
        updated: None,
        changes: step.changes.iter().map(|change| self::change(change, mask)).collect(),
    }
}

fn drift_steps(plan: &step::Plan, mask: &Mask) -> Vec<Step> {
    let missing = plan.drift.missing.iter().map(|object| Step {
        action: Action::Create,
        kind: object.kind,
        name: object.name.clone(),
        effect: Effect::Create,
        downtime: Downtime::None,
        tasks_restarting: 0,
        tasks_stopping: 0,
        rollout: None,
        wave: 0,
        updated: None,
        changes: Vec::new(),
    });
    let changed = plan.drift.changed.iter().map(|drifted| Step {
        action: if drifted.effect == Effect::Replace { Action::Replace } else { Action::Update },
        kind: drifted.kind,
        name: drifted.name.clone(),
        effect: drifted.effect,
        downtime: Downtime::None,
        tasks_restarting: drifted.tasks_restarting,
        tasks_stopping: drifted.tasks_stopping,
        rollout: None,
        wave: 0,
        updated: Some(drifted.updated.clone()).filter(|updated| !updated.is_empty()),
        changes: drifted.changes.iter().map(|change| self::change(change, mask)).collect(),
    });
    missing.chain(changed).collect()
}

/// Most plans have one wave, which then goes without saying.
fn is_first(wave: &u32) -> bool {
    *wave == 0
}

fn change(change: &step::Change, mask: &Mask) -> Change {
    // A secret that becomes none was one, and the other way round.
    let conceals = [&change.before, &change.after].into_iter().flatten().any(|value| mask.conceals(value));
    let shown = |value: &Option<Value>| {
        let show = |value| if conceals { mask.concealed(value) } else { mask.apply(&change.path, value) };
        value.as_ref().map(show)
    };
    let (before, after) = (shown(&change.before), shown(&change.after));
    let diff = change.texts.clone().or_else(|| words::lines(&change.path, before.as_ref()?, after.as_ref()?));
    Change {
        path: change.path.clone(),
        label: mask.sentence(&change.label),
        masked: conceals || before != change.before || after != change.after,
        before,
        after,
        detail: change.detail.as_deref().map(|detail| mask.sentence(detail)),
        diff: diff.map(|texts| texts.unified(mask)),
        effect: change.effect,
        origin: change.origin,
    }
}
