//! What silence leaves alone: the digest of an image whose text is unchanged, numbers that the file does not say, and the
//! labels in which another tool keeps its books.

use crate::model::label;
use crate::swarm::{Labels, Mount, ServiceMode, ServiceSpec};

/// An image whose text is unchanged keeps its digest and its platforms: those that were applied, or those that run where
/// nothing was recorded with a digest. One that is written with its digest keeps its platforms.
pub(super) fn image_and_platforms(spec: &mut ServiceSpec, live: Option<&ServiceSpec>, applied: Option<&ServiceSpec>) {
    let Some(wanted) = image(spec) else { return };
    let is_same = |it: &&ServiceSpec| match wanted.contains('@') {
        true => image(it) == Some(wanted),
        false => image(it).and_then(|image| image.split('@').next()) == Some(wanted),
    };
    let pinned = applied.filter(is_same).filter(|it| image(it).is_some_and(|image| image.contains('@')));
    let Some(source) = pinned.or(live.filter(is_same)).or(applied.filter(is_same)) else { return };
    let platforms_of = live.filter(|live| image(live) == image(source)).unwrap_or(source);
    let platforms = platforms_of.task_template.placement.as_ref().map(|it| it.platforms.clone()).unwrap_or_default();
    if let (Some(container), Some(source)) = (&mut spec.task_template.container_spec, image(source)) {
        source.clone_into(&mut container.image);
    }
    if !platforms.is_empty() {
        spec.task_template.placement.get_or_insert_default().platforms = platforms;
    }
}

/// A digest that was found out after a spec was applied without one is nobody's drift.
pub(in crate::plan) fn pin(applied: &mut ServiceSpec, found: &ServiceSpec) {
    let (Some(past), Some(live)) = (image(applied), image(found)) else { return };
    if past != live && live.split('@').next() == Some(past) {
        let platforms = found.task_template.placement.as_ref().map(|it| it.platforms.clone()).unwrap_or_default();
        applied.task_template.placement.get_or_insert_default().platforms = platforms;
        let live = live.to_owned();
        if let Some(container) = &mut applied.task_template.container_spec {
            container.image = live;
        }
    }
}

/// The image of a spec.
pub(in crate::plan) fn image(spec: &ServiceSpec) -> Option<&str> {
    spec.task_template.container_spec.as_ref().map(|container| container.image.as_str())
}

/// A file cannot say in which order variables stand. Where nobody changed that since they were applied, or nothing is known
/// of that, it stays: putting them in order would restart tasks for nothing.
pub(super) fn order_of_variables(spec: &mut ServiceSpec, live: Option<&ServiceSpec>, applied: Option<&ServiceSpec>) {
    let Some(live) = live.map(variables) else { return };
    let is_changed = applied.is_some_and(|applied| variables(applied) != live);
    let Some(container) = spec.task_template.container_spec.as_mut().filter(|it| !is_changed && it.env != live) else {
        return;
    };
    let sorted = |list: &[String]| {
        let mut list: Vec<String> = list.to_vec();
        list.sort_unstable();
        list
    };
    if sorted(&container.env) == sorted(live) {
        container.env = live.to_vec();
    }
}

fn variables(spec: &ServiceSpec) -> &[String] {
    spec.task_template.container_spec.as_ref().map_or(&[], |container| &container.env)
}

/// Where the file does not say how many, the number stays.
pub(super) fn numbers(mode: &mut Option<ServiceMode>, past: Option<&ServiceMode>) {
    let (Some(mode), Some(past)) = (mode, past) else { return };
    if let (Some(replicated), Some(past)) = (&mut mode.replicated, &past.replicated) {
        replicated.replicas = past.replicas;
    }
    if let (Some(job), Some(past)) = (&mut mode.replicated_job, &past.replicated_job) {
        job.max_concurrent = past.max_concurrent;
        job.total_completions = past.total_completions;
    }
}

/// Another tool's labels stay where they are found. Those of the container and of its volumes are part of the task: taking
/// them away would restart it for nothing.
pub(in crate::plan) fn bookkeeping(spec: &mut ServiceSpec, live: &ServiceSpec) {
    each_labels(spec, live, |labels, live| {
        for (key, value) in live.iter().filter(|(key, _)| label::is_bookkeeping(key)) {
            labels.entry(key.clone()).or_insert_with(|| value.clone());
        }
    });
}

/// Takes away what [`bookkeeping`] keeps, but for what `said` says itself, and says whether there was any. Where tasks are
/// replaced anyway, there is nothing to keep it for.
pub(super) fn drop_bookkeeping(spec: &mut ServiceSpec, said: &ServiceSpec) -> bool {
    let mut any = false;
    each_labels(spec, said, |labels, said| {
        let before = labels.len();
        labels.retain(|key, _| said.contains_key(key) || !label::is_bookkeeping(key));
        any |= labels.len() < before;
    });
    any
}

/// Every set of labels of a spec, beside the same of another: the service's, the container's, those of the volumes.
fn each_labels(spec: &mut ServiceSpec, other: &ServiceSpec, mut change: impl FnMut(&mut Labels, &Labels)) {
    let none = Labels::new();
    change(&mut spec.labels, &other.labels);
    let Some(container) = &mut spec.task_template.container_spec else { return };
    let other = other.task_template.container_spec.as_ref();
    change(&mut container.labels, other.map_or(&none, |other| &other.labels));
    for mount in &mut container.mounts {
        let same = |other: &&Mount| other.kind == mount.kind && other.target == mount.target;
        let other = other.and_then(|other| other.mounts.iter().find(same));
        let other = other.and_then(|other| other.volume_options.as_ref());
        if let Some(options) = &mut mount.volume_options {
            change(&mut options.labels, other.map_or(&none, |other| &other.labels));
        }
    }
}
