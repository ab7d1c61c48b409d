//! The page of a plan.

use std::collections::BTreeSet;

use super::card::{self, Head, Sides};
use super::{anchor, capital, drift, escape, links, said, sums};
use crate::model::Kind;
use crate::plan::text::{change, cost, descope};
use crate::plan::view::headline::word;
use crate::plan::view::{Document, Stack, Step};
use crate::plan::{Action, Downtime, FirstContact};

const SIDES: Sides = Sides { before: "Before", after: "After", effect: "Effect", origin: true };
const DRIFT: Sides = Sides { before: "Found", after: "Applied", effect: "Reverting", origin: false };

pub(super) fn body(document: &Document) -> String {
    let all = &document.summary;
    let downtime = match all.downtime {
        Downtime::None => "good",
        Downtime::Possible => "warn",
        Downtime::Certain => "bad",
    };
    let is_written = all.create + all.update + all.replace + all.delete > 0;
    let mut out = if !is_written && document.stacks.iter().any(|stack| stack.blocked) {
        String::new()
    } else {
        sums(&[
            (all.tasks_restarting.to_string(), "tasks restart", "warn"),
            (all.tasks_stopping.to_string(), "tasks stop", "warn"),
            (all.create.to_string(), "created", "good"),
            (all.update.to_string(), "updated", "warn"),
            (
                (all.replace + all.delete).to_string(),
                if all.replace > 0 { "replaced, deleted" } else { "deleted" },
                "bad",
            ),
            (capital(word(all.downtime)), "downtime", downtime),
        ])
    };
    let is_told = |stack: &&Stack| {
        !stack.steps.is_empty() || !stack.diagnostics.is_empty() || stack.blocked || stack.first_contact.is_some()
    };
    let (told, quiet): (Vec<&Stack>, Vec<&Stack>) = document.stacks.iter().partition(is_told);
    out.push_str(&links(&told.iter().map(|stack| stack.stack.as_str()).collect::<Vec<_>>()));
    out.push_str(&overview(document));
    told.iter().for_each(|stack| out.push_str(&self::stack(stack)));
    out.push_str(&drift::quiet(&quiet, "with nothing to write"));
    out.push_str(&apart(document));
    out
}

/// Stack, service, cost, cause: what a person looks at first.
fn overview(document: &Document) -> String {
    let rows: String = document
        .stacks
        .iter()
        .flat_map(|stack| stack.steps.iter().filter(|step| is_dear(step)).map(move |step| line(stack, step)))
        .collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<section aria-labelledby=\"costs\">\n<h2 id=\"costs\">What it costs</h2>\n<div class=\"card overview\"><table>\
         <thead><tr><th scope=\"col\">Service</th><th scope=\"col\">Cost</th><th scope=\"col\">Cause</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n</section>\n"
    )
}

fn is_dear(step: &Step) -> bool {
    step.kind == Kind::Service || matches!(step.action, Action::Delete | Action::Replace)
}

fn line(stack: &Stack, step: &Step) -> String {
    let (word, tone) = badge(step);
    let kind = if step.kind == Kind::Service { String::new() } else { format!("{} ", step.kind) };
    let cost = cost::sentence(step);
    let cost = match step.action {
        Action::Update => cost,
        _ if cost.is_empty() => word.to_owned(),
        _ => format!("{word}: {cost}"),
    };
    let cost = if step.action == Action::Replace { cost::of_step(step) } else { cost };
    let is_later = stack.steps.first().is_some_and(|first| first.wave < step.wave);
    let cost = if is_later { format!("then {cost}") } else { cost };
    let downtime = match step.downtime {
        Downtime::None => String::new(),
        downtime => {
            let tone = if downtime == Downtime::Certain { "bad" } else { "warn" };
            format!(" <span class=\"badge {tone}\">downtime {}</span>", self::word(downtime))
        }
    };
    let mut labels: Vec<_> = step.changes.iter().filter(|it| change::is_shown(it, step)).collect();
    labels.sort_by_key(|it| std::cmp::Reverse(it.effect));
    let cause = match step.action {
        Action::Create => "not there yet".to_owned(),
        Action::Delete => "no longer in git".to_owned(),
        Action::Update | Action::Replace => {
            let labels: Vec<&str> = labels.into_iter().map(|it| it.label.as_str()).collect();
            let named = labels.iter().take(4).copied().collect::<Vec<_>>().join(", ");
            if labels.len() > 4 { format!("{named} and {} more", labels.len() - 4) } else { named }
        }
    };
    format!(
        "<tr><th scope=\"row\"><a href=\"#{}\"><span class=\"arrow\">{} /</span> {kind}{}</a></th>\
         <td data-label=\"Cost\"><span class=\"{tone}\">{}</span>{downtime}</td><td class=\"last\" data-label=\"Cause\">{}</td></tr>\n",
        anchor(&stack.stack),
        escape(&stack.stack),
        escape(descope(&stack.stack, &step.name)),
        escape(&cost),
        escape(&cause)
    )
}

fn badge(step: &Step) -> (&'static str, &'static str) {
    match step.action {
        Action::Create => ("new", "good"),
        Action::Update => ("updated", "warn"),
        Action::Replace => ("replaced", "bad"),
        Action::Delete => ("deleted", "bad"),
    }
}

fn stack(stack: &Stack) -> String {
    let mut told = BTreeSet::new();
    let unchanged = format!("{} unchanged", stack.unchanged);
    let mut out = format!(
        "<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1} <small>{unchanged}</small></h2>\n",
        anchor(&stack.stack),
        escape(&stack.stack),
    );
    if stack.blocked {
        out.push_str("<p class=\"fine\">Blocked: nothing is written until these errors are gone.</p>\n");
    }
    let contact = match stack.first_contact {
        None => "",
        Some(FirstContact::Safe) => {
            "<p class=\"fine\">First contact: it runs already and has no record. Adopting it restarts nothing.</p>\n"
        }
        Some(FirstContact::Unsafe) => {
            "<p class=\"fine\">First contact: it runs already and has no record. Adopting it would do this.</p>\n"
        }
    };
    out.push_str(contact);
    out.push_str(&said::list(&stack.diagnostics));
    let mut wave = stack.steps.first().map_or(0, |step| step.wave);
    for step in &stack.steps {
        if step.wave != wave {
            wave = step.wave;
            out.push_str("<p class=\"fine\">Then, when these are healthy:</p>\n");
        }
        let text = escape(&cost::sentence(step));
        let head = Head { stack: &stack.stack, kind: step.kind, name: &step.name, badge: badge(step), text };
        out.push_str(&match step.action {
            Action::Create | Action::Delete => card::whole(&head, step),
            Action::Update | Action::Replace => card::changed(&head, step, &SIDES, &mut told),
        });
    }
    out.push_str("</section>\n");
    out
}

/// Drift, apart from what is planned and last.
fn apart(document: &Document) -> String {
    let mut told = BTreeSet::new();
    let mut cards = String::new();
    for stack in &document.stacks {
        let objects = stack.drift.iter().map(|step| drift::object(stack, step, &DRIFT, &mut told)).collect::<String>();
        let objects = objects + &drift::extra(stack);
        if !objects.is_empty() && document.stacks.len() > 1 {
            cards.push_str(&format!("<p class=\"fine\">{}</p>\n", escape(&stack.stack)));
        }
        cards.push_str(&objects);
    }
    if cards.is_empty() {
        return cards;
    }
    format!(
        "<section aria-labelledby=\"drift\">\n<h2 id=\"drift\">Drift <small>what is not as it was applied</small></h2>\n\
         {cards}</section>\n"
    )
}
