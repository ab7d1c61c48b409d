//! One field that differs, in columns.

use serde_json::Value;

use super::line::{fit, fit_pair, tidy};
use crate::plan::view::{Change, Step};
use crate::plan::{Action, Effect, Origin, words};

/// A new service is shown by its image, an exchanged config or secret by its name, and a new image once; the JSON has
/// all of it.
pub(in crate::plan) fn is_shown(change: &Change, step: &Step) -> bool {
    if step.action == Action::Create {
        // What takes the place of another says in what it differs.
        return change.path.ends_with("/ContainerSpec/Image") || change.effect == Effect::Replace;
    }
    // What skep fills in of how updates roll is told in one line.
    let is_policy = ["/UpdateConfig/", "/RollbackConfig/"].iter().any(|policy| change.path.starts_with(policy));
    if is_policy && change.origin == Origin::Skep && change.detail.is_none() {
        return false;
    }
    let is_image = |it: &Change| it.path.ends_with("/ContainerSpec/Image");
    if change.path == "/Labels/com.docker.stack.image" && step.changes.iter().any(is_image) {
        return false;
    }
    let id_of = |id: &str, name: &str| {
        let parent = change.path.strip_suffix(id);
        parent.is_some_and(|parent| step.changes.iter().any(|it| it.path.strip_suffix(name) == Some(parent)))
    };
    !id_of("/ConfigID", "/ConfigName") && !id_of("/SecretID", "/SecretName")
}

/// Fields that a new service has when its file is silent.
const DEFAULTS: [(&str, &str); 6] = [
    ("/EndpointSpec/Mode", "vip"),
    ("/TaskTemplate/ContainerSpec/Isolation", "default"),
    ("/TaskTemplate/Runtime", "container"),
    ("/UpdateConfig/FailureAction", "pause"),
    ("/UpdateConfig/Order", "stop-first"),
    ("/TaskTemplate/RestartPolicy/Condition", "any"),
];

/// Of a new service, what a whole account of it leaves out: what its name and its image say already, and what is so where
/// the file is silent.
pub(in crate::plan) fn is_implied(change: &Change, step: &Step) -> bool {
    let said = ["/Name", "/Labels/com.docker.stack.image", "/Labels/com.docker.stack.namespace"];
    let container = "/TaskTemplate/ContainerSpec/Labels/com.docker.stack.namespace";
    let is_default = match &change.after {
        Some(Value::String(text)) => DEFAULTS.contains(&(change.path.as_str(), text.as_str())),
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Bool(false)) | None => true,
        Some(Value::Number(number)) => number.as_f64() == Some(0.0) && !change.path.ends_with("/Replicas"),
        Some(_) => false,
    };
    step.action == Action::Create && (is_default || said.contains(&change.path.as_str()) || change.path == container)
}

/// What there is and what there should be, in as many characters as there is room for.
pub(in crate::plan) fn values(change: &Change, room: usize) -> String {
    if let Some(detail) = &change.detail {
        return fit(detail, room);
    }
    if change.masked && change.before.is_some() && change.after.is_some() {
        return "changed (hidden)".to_owned();
    }
    let text = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "(none)".to_owned(), |value| tidy(&words::value(&change.path, value)))
    };
    let (before, after) = (text(&change.before), text(&change.after));
    if change.effect == Effect::Create {
        return fit(&after, room);
    }
    let half = room.saturating_sub(3) / 2;
    let (long, short) = (before.chars().count(), after.chars().count());
    let (before_room, after_room) = match (long > half, short > half) {
        (true, false) => (room.saturating_sub(3 + short), short),
        (false, true) => (long, room.saturating_sub(3 + long)),
        _ => (half, half),
    };
    let (before, after) = fit_pair(&before, &after, before_room, after_room);
    format!("{before} → {after}")
}

/// What a change does to tasks, in a word or two.
pub(in crate::plan) fn effect(change: &Change, action: Action) -> String {
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_u64);
    if change.path == "/Mode/Replicated/Replicas"
        && let (Some(before), Some(after)) = (number(&change.before), number(&change.after))
    {
        return if after < before { format!("stops {}", before - after) } else { format!("starts {}", after - before) };
    }
    match change.effect {
        Effect::None => "not written",
        Effect::InPlace => "in place",
        Effect::Create if action == Action::Create => "",
        Effect::Create => "creates",
        Effect::Rolling => "restarts",
        Effect::JobRun => "runs again",
        Effect::Replace => "replaces",
        Effect::Delete => "deletes",
    }
    .to_owned()
}

/// Whose a change is.
pub(in crate::plan) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Git => "git",
        Origin::Drift => "drift",
        Origin::Both => "git+drift",
        Origin::Registry => "registry",
        Origin::Skep => "skep",
        Origin::Unknown => "unknown",
    }
}
