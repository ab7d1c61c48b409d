//! What a write costs the tasks that run.

use std::sync::Arc;

use super::rollout::{self, Check, Obstacle};
use super::step::{Change, Downtime, Effect, Origin, Rollout};
use super::words;
use crate::diag::{Diagnostic, Span, code};
use crate::swarm::effects::{self, FieldEffect};
use crate::swarm::{Node, Service, ServiceSpec, constraint};

/// What a write costs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cost {
    pub effect: Effect,
    pub downtime: Downtime,
    pub tasks_restarting: u64,
    pub tasks_stopping: u64,
    pub rollout: Option<Rollout>,
    pub gap: Option<Gap>,
}

/// Why a service may be without a task that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// None is left.
    NoTask,
    /// All of them stop before the new ones run.
    AllAtOnce,
    /// All of them end at once, because none may stay on its node.
    AllMove,
    /// New ones are given requests before they listen.
    Unchecked,
}

impl Gap {
    fn downtime(self) -> Downtime {
        if self == Gap::NoTask { Downtime::Certain } else { Downtime::Possible }
    }
}

/// How a service's tasks come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Replicated(u64),
    Global,
    ReplicatedJob,
    GlobalJob,
}

/// The mode of a spec; no mode is one replica.
pub(super) fn mode(spec: &ServiceSpec) -> Mode {
    match &spec.mode {
        Some(mode) if mode.global.is_some() => Mode::Global,
        Some(mode) if mode.replicated_job.is_some() => Mode::ReplicatedJob,
        Some(mode) if mode.global_job.is_some() => Mode::GlobalJob,
        Some(mode) => Mode::Replicated(mode.replicated.as_ref().and_then(|it| it.replicas).unwrap_or(1)),
        None => Mode::Replicated(1),
    }
}

impl Mode {
    /// Whether two modes differ in kind, which no update can change.
    pub fn is_other_kind(self, other: Mode) -> bool {
        std::mem::discriminant(&self) != std::mem::discriminant(&other)
    }

    /// The word that a stack file has for it.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Replicated(_) => "replicated",
            Mode::Global => "global",
            Mode::ReplicatedJob => "replicated-job",
            Mode::GlobalJob => "global-job",
        }
    }

    /// Whether its tasks end by themselves.
    pub fn is_job(self) -> bool {
        matches!(self, Mode::ReplicatedJob | Mode::GlobalJob)
    }
}

/// How many tasks a service has.
pub(super) fn tasks(service: &Service, nodes: &[Arc<Node>]) -> u64 {
    match (mode(&service.spec), service.service_status) {
        (Mode::Replicated(replicas), _) => replicas,
        (Mode::Global, Some(status)) => status.desired_tasks,
        (Mode::Global, None) => eligible(&service.spec, nodes),
        // What is done neither stops nor restarts.
        (Mode::ReplicatedJob | Mode::GlobalJob, status) => status.map_or(0, |status| status.running_tasks),
    }
}

fn constraints(spec: &ServiceSpec) -> &[String] {
    spec.task_template.placement.as_ref().map_or(&[], |placement| &placement.constraints)
}

/// How many nodes would be given a new task of it.
pub(super) fn eligible(spec: &ServiceSpec, nodes: &[Arc<Node>]) -> u64 {
    nodes.iter().filter(|node| constraint::is_eligible(constraints(spec), node)).count() as u64
}

/// How many nodes that have tasks by the old constraints have none by the new ones.
fn nodes_lost(live: &ServiceSpec, wanted: &ServiceSpec, nodes: &[Arc<Node>]) -> u64 {
    let (old, new) = (constraints(live), constraints(wanted));
    let holds = |node: &Node| node.status.state == "ready" && node.spec.availability != "drain";
    let lost = |node: &&Arc<Node>| holds(node) && constraint::are_met(old, node) && !constraint::are_met(new, node);
    nodes.iter().filter(lost).count() as u64
}

/// How many tasks end because their node no longer fits, and begin elsewhere. Where nobody asked which nodes they are on,
/// every one of them may have to.
fn moving(live: &Service, wanted: &ServiceSpec, nodes: &[Arc<Node>]) -> u64 {
    let Mode::Replicated(replicas) = mode(&live.spec) else { return 0 };
    let Some(task_nodes) = &live.task_nodes else {
        return if nodes_lost(&live.spec, wanted, nodes) > 0 { replicas } else { 0 };
    };
    let fits = |node: &Arc<Node>| constraint::are_met(constraints(wanted), node);
    let stays = |id: &&String| nodes.iter().find(|node| node.id == **id).is_none_or(fits);
    (task_nodes.len() - task_nodes.iter().filter(stays).count()) as u64
}

/// Gives each change its effect.
pub(super) fn assess_changes(changes: &mut [Change], live: &Service, wanted: &ServiceSpec, nodes: &[Arc<Node>]) {
    let is_job = mode(&live.spec).is_job();
    let moves = moving(live, wanted, nodes) > 0;
    for change in changes {
        change.effect = match effects::of(&change.path) {
            _ if is_job => Effect::JobRun,
            FieldEffect::InPlace => Effect::InPlace,
            FieldEffect::Rolling => Effect::Rolling,
            // Tasks whose node no longer fits end and begin elsewhere; the others do not notice.
            FieldEffect::Placement if moves => Effect::Rolling,
            FieldEffect::Placement => Effect::InPlace,
            FieldEffect::Mode => Effect::Replace,
        };
    }
}

/// Whether all tasks are replaced, and not only those whose node no longer fits.
pub(super) fn replaces_tasks(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.effect == Effect::JobRun || effects::of(&change.path) >= FieldEffect::Rolling)
}

/// Whether what differs restarts only the tasks whose node no longer fits: how many, only their nodes tell.
pub(super) fn only_moves(changes: &[Change]) -> bool {
    let mut rolling = changes.iter().filter(|change| change.effect == Effect::Rolling).peekable();
    rolling.peek().is_some() && rolling.all(|change| effects::of(&change.path) == FieldEffect::Placement)
}

/// What an update costs whose changes have their effects. `check` says how the health of its tasks is known.
pub(super) fn of_update(
    changes: &[Change],
    live: &Service,
    wanted: &ServiceSpec,
    nodes: &[Arc<Node>],
    check: Check,
) -> Cost {
    let effect = changes.iter().map(|change| change.effect).max().unwrap_or(Effect::None);
    let old = tasks(live, nodes);
    let new = match mode(wanted) {
        Mode::Replicated(replicas) => replicas,
        // Nodes that no longer fit lose their task at once.
        Mode::Global => old.saturating_sub(nodes_lost(&live.spec, wanted, nodes)),
        Mode::ReplicatedJob | Mode::GlobalJob => 0,
    };
    let moves = only_moves(changes);
    let tasks_restarting = match effect {
        Effect::Rolling if moves => moving(live, wanted, nodes).min(new),
        Effect::Rolling => old.min(new),
        _ => 0,
    };
    let policy = wanted.update_config.clone().unwrap_or_default();
    let rollout = (tasks_restarting > 0).then(|| Rollout {
        parallelism: if wanted.update_config.is_some() { policy.parallelism } else { 1 },
        order: if policy.order.is_empty() { "stop-first".to_owned() } else { policy.order },
        seconds: rollout::seconds(wanted.update_config.as_ref(), check, tasks_restarting),
    });
    let gap = match &rollout {
        _ if old > 0 && new == 0 && !mode(wanted).is_job() => Some(Gap::NoTask),
        // The policy is not asked: what may not stay ends at once.
        Some(_) if moves && tasks_restarting >= old => Some(Gap::AllMove),
        Some(rollout) if !moves && rollout.order == "stop-first" && stops_all(rollout, tasks_restarting) => {
            Some(Gap::AllAtOnce)
        }
        Some(_) if !check.is_there() => Some(Gap::Unchecked),
        _ => None,
    };
    let downtime = gap.map_or(Downtime::None, Gap::downtime);
    Cost { effect, downtime, tasks_restarting, tasks_stopping: old.saturating_sub(new), rollout, gap }
}

fn stops_all(rollout: &Rollout, tasks: u64) -> bool {
    rollout.parallelism == 0 || rollout.parallelism >= tasks
}

/// What deleting a service costs. A job serves nobody.
pub(super) fn of_deletion(live: &Service, nodes: &[Arc<Node>]) -> Cost {
    let tasks_stopping = tasks(live, nodes);
    let serves = tasks_stopping > 0 && !mode(&live.spec).is_job();
    let downtime = if serves { Downtime::Certain } else { Downtime::None };
    Cost { effect: Effect::Delete, downtime, tasks_stopping, ..Cost::default() }
}

/// Why an update may leave a service without a task that answers. `obstacle` says why its tasks are not replaced new one
/// first, where that is skep's choice.
pub(super) fn explain(cost: &Cost, obstacle: Option<&Obstacle>, key: &str, span: Option<Span>) -> Option<Diagnostic> {
    let because = obstacle.map(|it| format!(", because {}", it.because())).unwrap_or_default();
    let hint = |otherwise: &'static str| obstacle.map_or(otherwise, Obstacle::hint);
    let fault = match cost.gap? {
        Gap::NoTask => Diagnostic::warning(code::NO_REPLICAS, format!("{key}: no task is left, so nobody serves"))
            .hint("keep at least one replica"),
        Gap::AllAtOnce if cost.tasks_restarting == 1 => Diagnostic::warning(
            code::ONE_REPLICA_STOP_FIRST,
            format!("{key}: its only task stops before the new one runs, so nobody serves meanwhile{because}"),
        )
        .hint(hint("`deploy.update_config.order: start-first` and a healthcheck, where two may run side by side")),
        Gap::AllAtOnce => Diagnostic::warning(
            code::ALL_AT_ONCE,
            format!("{key}: all {} tasks stop before the new ones run{because}", cost.tasks_restarting),
        )
        .hint("`deploy.update_config.parallelism` below the number of replicas, or `order: start-first`"),
        Gap::AllMove => Diagnostic::warning(
            code::ALL_MOVE,
            format!("{key}: no task may stay on its node, so all end at once, before the new ones run"),
        )
        .hint("change its placement in two steps, of which each leaves nodes that some of its tasks may stay on"),
        Gap::Unchecked => Diagnostic::warning(
            code::NO_HEALTHCHECK,
            format!("{key}: its new tasks are given requests before they listen, because it has no known healthcheck"),
        )
        .hint("give it a `healthcheck`"),
    };
    Some(fault.at(span))
}

/// Where the counter stands that replaces tasks when it changes.
pub(super) const FORCE_UPDATE: &str = "/TaskTemplate/ForceUpdate";

/// The change that makes the engine replace tasks which it would leave at their old endpoint.
pub(super) fn force(live: &ServiceSpec) -> Change {
    let counter = live.task_template.force_update;
    self::counter(counter, counter.saturating_add(1), Effect::Rolling, Origin::Skep)
}

/// A difference in that counter.
pub(super) fn counter(before: u64, after: u64, effect: Effect, origin: Origin) -> Change {
    Change {
        path: FORCE_UPDATE.to_owned(),
        label: words::label(FORCE_UPDATE),
        before: Some(before.into()),
        after: Some(after.into()),
        detail: None,
        texts: None,
        effect,
        origin,
    }
}
