//! The steps of a plan that start tasks, and how.

use crate::model::Kind;
use crate::plan::cost::{self, Mode};
use crate::plan::step::{Action, Effect, Step};
use crate::swarm::effects::{self, FieldEffect};
use crate::swarm::{Live, Service, ServiceSpec};

/// A step that starts tasks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    /// The service, by its full name.
    pub name: &'a str,
    /// The spec that is sent.
    pub spec: &'a ServiceSpec,
    /// The service as it is.
    pub before: Option<&'a Service>,
    /// Which of its tasks are replaced.
    pub replaced: Replaced,
}

/// Which of a service's tasks are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replaced {
    /// None: there are more of them.
    None,
    /// Those on nodes where they may not be any more, at once.
    Misplaced,
    /// All of them, by the update policy.
    All,
    /// All of them, before any new one starts.
    AllAtOnce,
}

impl<'a> Start<'a> {
    /// What a step starts, if anything.
    pub fn of(step: &'a Step, live: &'a Live) -> Option<Self> {
        let (spec, before) = sent(step, live)?;
        let start = |replaced| Some(Start { name: &step.name, spec, before, replaced });
        let mode = cost::mode(spec);
        let Some(service) = before.filter(|_| step.action == Action::Update) else {
            return if mode == Mode::Replicated(0) { None } else { start(Replaced::AllAtOnce) };
        };
        if matches!(mode, Mode::ReplicatedJob | Mode::GlobalJob) {
            return start(Replaced::AllAtOnce);
        }
        let mut rows = step.changes.iter().map(|change| (change.effect, effects::of(&change.path)));
        let is_rolling = rows.clone().any(|it| it.0 == Effect::Rolling && it.1 != FieldEffect::Placement);
        let is_moving = rows.any(|it| it.1 == FieldEffect::Placement);
        match (mode, cost::mode(&service.spec)) {
            (Mode::Replicated(0), _) => None,
            _ if is_rolling => start(Replaced::All),
            _ if is_moving => start(Replaced::Misplaced),
            (Mode::Replicated(new), Mode::Replicated(old)) if new > old => start(Replaced::None),
            _ => None,
        }
    }

    /// The image that it runs.
    pub fn image(&self) -> Option<&'a str> {
        self.spec.task_template.container_spec.as_ref().map(|container| container.image.as_str())
    }

    /// Whether its image is another than the one that runs, or than nothing.
    pub fn has_new_image(&self) -> bool {
        let before = self.before.and_then(|service| service.spec.task_template.container_spec.as_ref());
        self.image() != before.map(|container| container.image.as_str())
    }

    /// Whether a new task starts before the old one stops.
    pub fn is_start_first(&self) -> bool {
        self.spec.update_config.as_ref().is_some_and(|policy| policy.order == "start-first")
    }
}

/// The spec that a step sends for a service, and the service as it is.
pub(super) fn sent<'a>(step: &'a Step, live: &'a Live) -> Option<(&'a ServiceSpec, Option<&'a Service>)> {
    if step.kind != Kind::Service {
        return None;
    }
    let before = live.services.iter().find(|service| service.spec.name == step.name);
    Some((step.write.service()?, before.map(|service| &**service)))
}
