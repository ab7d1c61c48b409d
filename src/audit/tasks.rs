//! Tasks that fail, and tasks that no node takes.

use std::collections::BTreeMap;

use super::{Found, Scope, Section, of_service};
use crate::diag::{Severity, code};
use crate::plan::{Problem, Troubled, plural, troubled_tasks};
use crate::swarm::Task;

pub(super) fn look(scope: &Scope<'_>, found: &mut Vec<Found>) {
    for service in scope.services() {
        let tasks: Vec<&Task> = scope.tasks_of(service).collect();
        let troubled = troubled_tasks(service, &tasks, &scope.evidence.live.nodes, scope.evidence.now);
        let mut by_problem: BTreeMap<&str, Vec<&Troubled>> = BTreeMap::new();
        for task in &troubled {
            let code = match task.problem {
                Problem::Failing => code::TASK_FAILING,
                Problem::Unplaced => code::TASK_UNPLACED,
                // While an update is on its way that is as it should be.
                Problem::OtherImage if task.update.is_none() => code::ROLLOUT_STUCK,
                Problem::OtherImage => continue,
            };
            by_problem.entry(code).or_default().push(task);
        }
        for (code, tasks) in by_problem {
            let code =
                code::ALL.iter().find(|(known, _)| *known == code).map_or(code::TASK_FAILING, |(known, _)| known);
            found.extend(tasks.first().map(|first| {
                let section = if code == code::ROLLOUT_STUCK { Section::Rollouts } else { Section::Tasks };
                of_service(section, code, Severity::Warning, service, says(first, tasks.len()))
            }));
        }
    }
}

fn says(first: &Troubled, count: usize) -> String {
    let count = plural(count as u64, "task");
    let place = first.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
    let error = first.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    match first.problem {
        Problem::Failing => format!("{count} failing{place}, {}{error}", plural(first.failures as u64, "failure")),
        Problem::Unplaced => format!("{count} waiting for a node{error}"),
        Problem::OtherImage => {
            format!("{count} of another image than its own, and no update under way: half rolled out")
        }
    }
}
