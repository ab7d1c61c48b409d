//! `deploy:` of a service.

use super::keys;
use super::{Deploy, Placement, Resources, RestartPolicy, UpdateConfig, cast, quantity};
use crate::diag::{Diagnostic, code};
use crate::yaml::{Resolved, View};

/// The modes of a service.
const MODES: &[(&str, &str)] = &[
    ("replicated", "replicated"),
    ("global", "global"),
    ("replicated-job", "replicated-job"),
    ("global-job", "global-job"),
    ("", ""),
];

/// Reads `deploy:`.
pub(super) fn decode(view: View<'_>) -> Option<Deploy> {
    if view.is_null() {
        return Some(Deploy::default());
    }
    let mut fields = view.fields()?;
    let mode = cast::placed(&mut fields, "mode", |mode| mode.choice(MODES).map(str::to_owned))
        .filter(|mode| !mode.value.is_empty());
    let endpoint_mode = fields.take("endpoint_mode").and_then(endpoint_mode);
    let mut deploy = Deploy {
        mode,
        replicas: cast::placed(&mut fields, "replicas", cast::integer),
        labels: fields.take("labels").and_then(cast::labels).unwrap_or_default(),
        endpoint_mode,
        update_config: cast::placed(&mut fields, "update_config", update_config),
        rollback_config: cast::placed(&mut fields, "rollback_config", update_config),
        restart_policy: fields.take("restart_policy").and_then(restart_policy),
        placement: fields.take("placement").and_then(placement).unwrap_or_default(),
        ..Deploy::default()
    };
    if let Some(view) = fields.take("resources")
        && let Some(mut fields) = view.fields()
    {
        deploy.limits = fields.take("limits").and_then(limits);
        deploy.reservations = fields.take("reservations").and_then(reservations);
        keys::finish(fields);
    }
    keys::finish(fields);
    check(&deploy, &view);
    Some(deploy)
}

/// What does not go together.
fn check(deploy: &Deploy, view: &View<'_>) {
    let mode = deploy.mode.as_ref().map_or("replicated", |mode| mode.value.as_str());
    let conflict = |span, what: &str| {
        let message = format!("{}: a service of the mode {mode} cannot have {what}", view.name());
        view.fault(Diagnostic::error(code::CONFLICT, message).at(span));
    };
    if let Some(replicas) = deploy.replicas.as_ref().filter(|_| mode.starts_with("global")) {
        conflict(replicas.span, "`replicas`");
    }
    if let Some(update) = deploy.update_config.as_ref().filter(|_| mode.ends_with("job")) {
        conflict(update.span, "an `update_config`");
    }
}

fn endpoint_mode(view: View<'_>) -> Option<String> {
    let word = view.str()?.to_ascii_lowercase();
    match word.as_str() {
        "" => None,
        "vip" | "dnsrr" => Some(word),
        _ => view.choice(&[("vip", "vip"), ("dnsrr", "dnsrr")]).map(str::to_owned),
    }
}

fn update_config(view: View<'_>) -> Option<UpdateConfig> {
    let mut fields = view.fields()?;
    let actions = [("pause", "pause"), ("continue", "continue"), ("rollback", "rollback")];
    let orders = [("stop-first", "stop-first"), ("start-first", "start-first")];
    let config = UpdateConfig {
        parallelism: fields.take("parallelism").and_then(cast::integer),
        delay: fields.take("delay").and_then(|view| duration(&view)),
        failure_action: fields.choice("failure_action", &actions).map(str::to_owned),
        monitor: fields.take("monitor").and_then(|view| duration(&view)),
        max_failure_ratio: fields.take("max_failure_ratio").and_then(ratio).unwrap_or_default(),
        order: fields.choice("order", &orders).map(str::to_owned),
    };
    keys::finish(fields);
    Some(config)
}

fn ratio(view: View<'_>) -> Option<f32> {
    let ratio = cast::number(view)?;
    if !(0.0..=1.0).contains(&ratio) {
        view.invalid(format_args!("{ratio} is not between 0 and 1"));
        return None;
    }
    Some(ratio as f32)
}

/// A duration that is not negative.
pub(super) fn duration(view: &View<'_>) -> Option<i64> {
    let long = view.node().scalar().filter(|scalar| scalar.resolve() == Resolved::Text);
    let duration = match long.and_then(|scalar| quantity::days_and_weeks(&scalar.text)) {
        Some(duration) => duration,
        None => view.duration()?,
    };
    if duration < 0 {
        view.invalid("a duration may not be negative");
        return None;
    }
    Some(duration)
}

fn restart_policy(view: View<'_>) -> Option<RestartPolicy> {
    let mut fields = view.fields()?;
    let conditions = [("any", "any"), ("on-failure", "on-failure"), ("none", "none"), ("", "")];
    let policy = RestartPolicy {
        condition: fields.choice("condition", &conditions).filter(|word| !word.is_empty()).map(str::to_owned),
        delay: fields.take("delay").and_then(|view| duration(&view)),
        max_attempts: fields.take("max_attempts").and_then(cast::integer),
        window: fields.take("window").and_then(|view| duration(&view)),
    };
    keys::finish(fields);
    Some(policy)
}

fn placement(view: View<'_>) -> Option<Placement> {
    let mut fields = view.fields()?;
    let spread = |view: View<'_>| {
        let mut fields = view.fields()?;
        let spread = fields.require("spread").and_then(|spread| spread.text());
        keys::finish(fields);
        spread
    };
    let placement = Placement {
        constraints: fields.texts("constraints").unwrap_or_default(),
        spread: fields.list("preferences", spread).unwrap_or_default(),
        max_replicas_per_node: fields.take("max_replicas_per_node").and_then(cast::integer).unwrap_or(0),
    };
    keys::finish(fields);
    Some(placement)
}

fn limits(view: View<'_>) -> Option<Resources> {
    let mut fields = view.fields()?;
    let limits = Resources {
        nano_cpus: fields.take("cpus").and_then(cast::nano_cpus).unwrap_or(0),
        memory_bytes: fields.take("memory").and_then(cast::bytes).unwrap_or(0),
        pids: fields.take("pids").and_then(cast::integer).unwrap_or(0),
        generic: Vec::new(),
    };
    keys::finish(fields);
    Some(limits)
}

fn reservations(view: View<'_>) -> Option<Resources> {
    let mut fields = view.fields()?;
    let reservations = Resources {
        nano_cpus: fields.take("cpus").and_then(cast::nano_cpus).unwrap_or(0),
        memory_bytes: fields.take("memory").and_then(cast::bytes).unwrap_or(0),
        pids: 0,
        generic: fields.list("generic_resources", generic).unwrap_or_default(),
    };
    keys::refuse(&mut fields, keys::RESERVATIONS);
    keys::finish(fields);
    Some(reservations)
}

fn generic(view: View<'_>) -> Option<(String, i64)> {
    let mut fields = view.fields()?;
    let mut found = None;
    if let Some(view) = fields.require("discrete_resource_spec")
        && let Some(mut fields) = view.fields()
    {
        let kind = fields.require("kind").and_then(|kind| kind.text());
        let value = fields.require("value").and_then(cast::integer);
        found = kind.zip(value);
        keys::finish(fields);
    }
    keys::finish(fields);
    found
}
