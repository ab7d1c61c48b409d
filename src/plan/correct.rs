//! Which drift is written back, where drift is to be corrected.

use super::Input;
use super::applied::Object;
use super::policy::{Contest, Difference, OnDrift};
use super::step::{Change, Effect};
use crate::diag::{Diagnostic, code};

/// Whether an object whose differences are drift alone is written as it was applied. What is contested is said. What
/// would have to be deleted for it is never corrected: the cure would be worse.
pub(super) fn is_due(input: &Input<'_>, object: &Object, changes: &[Change], faults: &mut Vec<Diagnostic>) -> bool {
    if input.policy.drift != OnDrift::Correct || changes.iter().any(|change| change.effect == Effect::Replace) {
        return false;
    }
    let contest = |path: &str, label: &str| {
        let difference = Difference { kind: object.kind, name: object.name.clone(), path: path.to_owned() };
        input.policy.contested.get(&difference).map(|contest| said(object, label, *contest))
    };
    let contested = match changes {
        [] => contest("", "").into_iter().collect::<Vec<_>>(),
        changes => changes.iter().filter_map(|change| contest(&change.path, &change.label)).collect(),
    };
    let is_due = contested.is_empty();
    faults.extend(contested);
    is_due
}

fn said(object: &Object, label: &str, contest: Contest) -> Diagnostic {
    let what = match label {
        "" => format!("{} {} is deleted", object.kind, object.name),
        label => format!("{label} of {} {} is changed", object.kind, object.name),
    };
    match contest {
        Contest::Others => Diagnostic::warning(
            code::CONTESTED,
            format!("contested: {what} again each time it is corrected, three times in ten minutes"),
        )
        .hint("find out who else writes it; or list the field under `ignore`"),
        Contest::Own => Diagnostic::warning(
            code::CONTESTED,
            format!("{what} right after skep wrote it, by nobody's hand: that is a fault of skep's, and it is not written again"),
        )
        .hint("report it with the output of `skep plan -o json`"),
    }
}
