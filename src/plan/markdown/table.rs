//! The table of costs: stack, service, cost, cause.

use super::escape::code;
use super::object;
use crate::model::Kind;
use crate::plan::text::{change, cost, line::fit, line::plural};
use crate::plan::view::headline::word;
use crate::plan::view::{Document, Stack, Step};
use crate::plan::{Action, Downtime, Origin};

/// Fields that are named as a cause; the rest are counted.
const NAMED: usize = 4;

/// Every service that is written, and whatever is deleted. Where they do not fit, the rest is summed up in a last row.
pub(super) fn costs(document: &Document, most: usize) -> String {
    let steps: Vec<(&Stack, &Step)> =
        document.stacks.iter().flat_map(|stack| stack.steps.iter().map(move |step| (stack, step))).collect();
    let is_row = |step: &Step| step.kind == Kind::Service || matches!(step.action, Action::Delete | Action::Replace);
    let (rows, besides): (Vec<_>, Vec<_>) = steps.into_iter().partition(|(_, step)| is_row(step));
    let mut out = String::new();
    if !rows.is_empty() {
        out.push_str("| stack | service | cost | cause |\n|:--|:--|:--|:--|\n");
        let mut left = Vec::new();
        // What costs most is not what is left out.
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let dearest = |index: &usize| rows.get(*index).map(|(_, step)| std::cmp::Reverse((step.downtime, step.effect)));
        order.sort_by_key(dearest);
        let mut kept = vec![None; rows.len()];
        let mut length = out.len();
        for index in order {
            let Some((stack, step)) = rows.get(index) else { continue };
            let row = row(stack, step);
            if length + row.len() > most {
                left.push(*step);
            } else {
                length += row.len();
                if let Some(place) = kept.get_mut(index) {
                    *place = Some(row);
                }
            }
        }
        out.extend(kept.into_iter().flatten());
        if !left.is_empty() {
            out.push_str(&rest(&left));
        }
        out.push('\n');
    }
    let besides = self::besides(&besides.into_iter().map(|(_, step)| step).collect::<Vec<_>>());
    if !besides.is_empty() {
        out.push_str(&format!("Besides: {besides}.\n\n"));
    }
    out
}

fn row(stack: &Stack, step: &Step) -> String {
    let is_later = stack.steps.first().is_some_and(|first| first.wave < step.wave);
    let then = if is_later { "then: " } else { "" };
    let (stack_name, name) = (code(&fit(&stack.stack, 80)), object(&stack.stack, step.kind, &fit(&step.name, 160)));
    format!("| {stack_name} | {name} | {then}{} | {} |\n", price(step), cause(step))
}

fn price(step: &Step) -> String {
    let cost = cost::of_step(step);
    let cost = match step.action {
        Action::Create if cost.is_empty() => "new".to_owned(),
        Action::Create => format!("new: {cost}"),
        Action::Delete => match cost::tasks(0, "", step.tasks_stopping) {
            none if none.is_empty() => "**deleted**".to_owned(),
            tasks => format!("**deleted**: {tasks}"),
        },
        Action::Replace => cost.replacen("deleted and made anew", "**deleted and made anew**", 1),
        Action::Update => cost,
    };
    match step.downtime {
        Downtime::None => cost,
        downtime => format!("{cost}; downtime **{}**", word(downtime)),
    }
}

fn cause(step: &Step) -> String {
    match step.action {
        Action::Create => return "not there yet".to_owned(),
        Action::Delete => return "no longer in git".to_owned(),
        Action::Update | Action::Replace => {}
    }
    let mut origins: Vec<Origin> = step.changes.iter().map(|change| change.origin).collect();
    origins.sort_unstable();
    origins.dedup();
    let mut parts = Vec::new();
    for origin in origins {
        let of_origin = step.changes.iter().filter(|it| it.origin == origin && change::is_shown(it, step));
        let mut shown: Vec<_> = of_origin.collect();
        // What costs most is what is named.
        shown.sort_by_key(|it| std::cmp::Reverse(it.effect));
        let labels: Vec<String> = shown.into_iter().map(|change| code(&fit(&change.label, 60))).collect();
        if labels.is_empty() {
            continue;
        }
        let mut named = labels.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        if labels.len() > NAMED {
            named.push_str(&format!(", +{}", labels.len() - NAMED));
        }
        let whose = match origin {
            Origin::Unknown => "differs",
            origin => change::origin(origin),
        };
        parts.push(format!("{whose}: {named}"));
    }
    parts.join("; ")
}

/// What the rows that are left out cost together.
fn rest(left: &[&Step]) -> String {
    let restarting = left.iter().map(|step| step.tasks_restarting).sum();
    let stopping = left.iter().map(|step| step.tasks_stopping).sum();
    let cost = match cost::tasks(restarting, "", stopping) {
        none if none.is_empty() => "no task restarts".to_owned(),
        tasks => tasks,
    };
    let worst = left.iter().map(|step| step.downtime).max().unwrap_or_default();
    format!(
        "| … | **and {} more** | {cost}; downtime **{}** | a comment holds no more: `skep plan` shows them |\n",
        left.len(),
        word(worst)
    )
}

/// What is made or changed besides services, which restarts nothing by itself.
fn besides(steps: &[&Step]) -> String {
    let kinds = [Kind::Network, Kind::Volume, Kind::Config, Kind::Secret];
    let count = |kind: Kind, action: Action| steps.iter().filter(|it| it.kind == kind && it.action == action).count();
    let mut parts = Vec::new();
    for (action, done) in [(Action::Create, "created"), (Action::Update, "updated in place")] {
        let counts = kinds.map(|kind| (count(kind, action), kind));
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, kind)| plural(count as u64, kind.as_str()))
            .collect();
        if !counts.is_empty() {
            parts.push(format!("{} {done}", counts.join(", ")));
        }
    }
    parts.join("; ")
}
