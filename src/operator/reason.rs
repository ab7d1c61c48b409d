//! Why a stack stands as it does, in the words of its status.

use crate::diag::{Severity, code};
use crate::plan::Plan;

/// The first error that forbids a plan.
pub fn blocked(plan: &Plan) -> Option<String> {
    let errors: Vec<_> = plan.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    let first = errors.first()?;
    Some(match errors.len() {
        1 => format!("blocked: {} [{}]", first.message, first.code),
        n => format!("blocked: {} [{}], and {} more", first.message, first.code, n - 1),
    })
}

/// What is contested, in a sentence.
pub fn contested(plan: &Plan) -> Option<String> {
    plan.diagnostics.iter().find(|fault| fault.code == code::CONTESTED).map(|fault| fault.message.clone())
}

/// What there is to know of images: tags that have moved, and registries that should be followed and say nothing.
pub fn images(plan: &Plan) -> Option<String> {
    let told = plan.diagnostics.iter().filter(|fault| matches!(fault.code, code::TAG_MOVED | code::IMAGE_KEPT));
    let told: Vec<&str> = told.map(|fault| fault.message.as_str()).collect();
    let first = told.first()?;
    Some(if told.len() > 1 { format!("{first}, and {} more", told.len() - 1) } else { (*first).to_owned() })
}

/// What drifted, in a few words.
pub fn drift(plan: &Plan) -> Option<String> {
    if plan.drift.is_empty() {
        return None;
    }
    let mut parts: Vec<String> = plan
        .drift
        .changed
        .iter()
        .filter(|drifted| !drifted.stays())
        .map(|drifted| {
            let labels: Vec<&str> = drifted.changes.iter().take(3).map(|change| change.label.as_str()).collect();
            let more = drifted.changes.len().saturating_sub(labels.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{} ({}{more})", drifted.name, labels.join(", "))
        })
        .collect();
    parts.extend(plan.drift.missing.iter().map(|object| format!("{} {} is gone", object.kind, object.name)));
    let more = parts.len().saturating_sub(3);
    parts.truncate(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("drift: {}{more}", parts.join(", ")))
}
