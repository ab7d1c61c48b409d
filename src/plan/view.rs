//! Plans and drift as machines read them: versioned, with a schema, and without what only carrying out needs.
//!
//! No secret's content is in it, and values that look like secrets are hidden by a [`Mask`].

pub(in crate::plan) mod headline;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mask::Mask;
use super::report::{Basis, Problem, Report, Troubled};
use super::step::{self, Action, Downtime, Effect, FirstContact, Origin, Rollout, Sync};
use super::words;
use crate::desired::Hook;
use crate::diag::{Diagnostic, Shown, Sources};
use crate::model::{Kind, StackName};
use crate::swarm::Live;

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
    /// Those of them that take no tasks, or are not there. Told with drift.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable_nodes: Vec<Node>,
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
    /// What drift was looked for by: the record, or, where there is none, the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// The commit that was last applied, of drift by the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
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
    /// What differs where no difference counts, because the settings, the file or a label say so. Each effect is `none`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Step>,
    /// Tasks that are not what their service asks for. Told with drift.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
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
    /// When it runs, if it is a hook of the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Hook>,
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

/// A task that is not what its service asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The full name of its service.
    pub service: String,
    /// Its id.
    pub task: String,
    /// Which replica it is; absent of a service with one task a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u64>,
    /// The host name of its node, or its id; absent while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What is the matter.
    pub problem: Problem,
    /// Where it has got to.
    pub state: String,
    /// Where it should be.
    pub desired_state: String,
    /// Since when it is there, RFC 3339 by its node's clock.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub since: String,
    /// What went wrong, in the engine's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many tasks that the engine remembers of its place have failed.
    #[serde(default)]
    pub failures: usize,
    /// The image that it runs, where that is the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The image that its service asks for, where it runs another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// How its service's last update fares, where one is on its way or was stopped: `updating`, `paused` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<String>,
}

/// A node that takes no tasks, or is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its host name.
    pub name: String,
    /// `ready`, `down`, `unknown` or `disconnected`.
    pub state: String,
    /// `active`, `pause` or `drain`.
    pub availability: String,
    /// The engine's reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When the engine last wrote of it, RFC 3339.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub updated: String,
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
    /// Objects that carry a stack's label and were never applied.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra: usize,
    /// Tasks that are not what their service asks for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub troubled_tasks: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
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
    /// Those that take no tasks, or are not there, where that is to be told.
    pub unavailable: Vec<Node>,
}

impl Header {
    /// The header of what was found in a swarm.
    pub fn of(live: &Live) -> Self {
        let unavailable = live.nodes.iter().map(|node| Node {
            id: node.id.clone(),
            name: node.description.hostname.clone(),
            state: node.status.state.clone(),
            availability: node.spec.availability.clone(),
            message: node.status.message.clone(),
            updated: node.updated_at.clone(),
        });
        let mut unavailable: Vec<Node> =
            unavailable.filter(|node| node.state != "ready" || node.availability != "active").collect();
        unavailable.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Self { nodes: live.nodes.len(), unavailable, ..Self::default() }
    }
}

/// Plans as they are shown, each with the files that its diagnostics point into.
pub fn plans(header: Header, plans: &[(&step::Plan, &Sources)], mask: &Mask) -> Document {
    let stack = |plan: &step::Plan, sources: &Sources| {
        let mask = &mask.with(&plan.confidential);
        Stack {
            sync: plan.sync(),
            blocked: plan.is_blocked(),
            first_contact: plan.first_contact,
            steps: plan.steps.iter().map(|step| self::step(step, mask)).collect(),
            drift: drift_steps(&plan.drift, mask),
            unchanged: plan.unchanged,
            diagnostics: shown(&plan.diagnostics, sources),
            ..stack(&plan.stack, &plan.drift, mask)
        }
    };
    document(header, plans.iter().map(|(plan, sources)| stack(plan, sources)).collect())
}

/// Drift as it is shown: in each change, `before` is what was found and `after` what was applied.
pub fn drift(header: Header, reports: &[(&Report, &Sources)], mask: &Mask) -> Document {
    let stack = |report: &Report, sources: &Sources| {
        let mask = &mask.with(&report.confidential);
        Stack {
            sync: report.sync(),
            basis: report.basis,
            revision: report.revision.clone(),
            steps: drift_steps(&report.drift, mask),
            tasks: report.tasks.iter().map(|task| self::task(task, mask)).collect(),
            unchanged: report.unchanged,
            diagnostics: shown(&report.diagnostics, sources),
            ..stack(&report.stack, &report.drift, mask)
        }
    };
    document(header, reports.iter().map(|(report, sources)| stack(report, sources)).collect())
}

fn document(header: Header, stacks: Vec<Stack>) -> Document {
    let mut summary = Summary::default();
    for stack in &stacks {
        summary.unchanged += stack.unchanged;
        summary.extra += stack.extra.len();
        summary.troubled_tasks += stack.tasks.len();
        for step in stack.steps.iter().filter(|step| !stays(step)) {
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
    let Header { revision, reference, cluster, nodes, unavailable } = header;
    Document {
        format_version: FORMAT_VERSION,
        revision,
        reference,
        cluster,
        nodes,
        unavailable_nodes: unavailable,
        stacks,
        summary,
    }
}

/// Whether it is a service of which all that differs is carried over.
pub(super) fn stays(step: &Step) -> bool {
    step.kind == Kind::Service && step.effect == Effect::None
}

/// What plans and reports have in common.
fn stack(name: &StackName, drift: &step::Drift, mask: &Mask) -> Stack {
    Stack {
        stack: name.as_str().to_owned(),
        sync: Sync::Unknown,
        blocked: false,
        basis: None,
        revision: None,
        first_contact: None,
        steps: Vec::new(),
        drift: Vec::new(),
        extra: drift.extra.iter().map(|it| Object { kind: it.kind, name: it.name.clone() }).collect(),
        ignored: drift.ignored.iter().map(|it| drifted(it, mask)).collect(),
        tasks: Vec::new(),
        unchanged: 0,
        diagnostics: Vec::new(),
    }
}

fn shown(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Shown> {
    diagnostics.iter().map(|diagnostic| Shown::new(diagnostic, sources)).collect()
}

fn task(task: &Troubled, mask: &Mask) -> Task {
    let (found, wanted) = task.images.clone().unzip();
    let sentence = |text: String| mask.sentence(&text);
    Task {
        service: task.service.clone(),
        task: task.task.clone(),
        slot: task.slot,
        node: task.node.clone(),
        problem: task.problem,
        state: task.state.clone(),
        desired_state: task.desired_state.clone(),
        since: task.since.clone(),
        error: task.error.clone().map(sentence),
        failures: task.failures,
        found: found.map(sentence),
        wanted: wanted.map(sentence),
        update: task.update.clone(),
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
        hook: step.hook,
        wave: step.wave,
        updated: None,
        changes: step.changes.iter().map(|change| self::change(change, mask)).collect(),
    }
}

fn drift_steps(drift: &step::Drift, mask: &Mask) -> Vec<Step> {
    let missing = drift.missing.iter().map(|object| Step {
        action: Action::Create,
        kind: object.kind,
        name: object.name.clone(),
        effect: Effect::Create,
        downtime: Downtime::None,
        tasks_restarting: 0,
        tasks_stopping: 0,
        rollout: None,
        hook: None,
        wave: 0,
        updated: None,
        changes: Vec::new(),
    });
    missing.chain(drift.changed.iter().map(|it| drifted(it, mask))).collect()
}

fn drifted(drifted: &step::Drifted, mask: &Mask) -> Step {
    Step {
        action: if drifted.effect == Effect::Replace { Action::Replace } else { Action::Update },
        kind: drifted.kind,
        name: drifted.name.clone(),
        effect: drifted.effect,
        downtime: Downtime::None,
        tasks_restarting: drifted.tasks_restarting,
        tasks_stopping: drifted.tasks_stopping,
        rollout: None,
        hook: None,
        wave: 0,
        updated: Some(drifted.updated.clone()).filter(|updated| !updated.is_empty()),
        changes: drifted.changes.iter().map(|change| self::change(change, mask)).collect(),
    }
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
