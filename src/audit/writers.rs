//! Who else writes services.

use std::collections::{BTreeMap, BTreeSet};

use super::images::image_of;
use super::{Found, Scope, Section, of_service, stack_of};
use crate::desired::names;
use crate::diag::{Severity, code};
use crate::model::{StackName, label};

/// Tools that write services, by the last part of their image's path, and how. What they do was read in their sources or documents.
const TOOLS: &[(&str, &str, Habit)] = &[
    ("swarm-cd", "swarm-cd", Habit::Timer),
    ("doco-cd", "doco-cd", Habit::Timer),
    ("shepherd", "shepherd", Habit::Timer),
    ("gantry", "gantry", Habit::Timer),
    ("docker-stack-deploy", "docker-stack-deploy", Habit::Timer),
    ("watchtower", "Watchtower", Habit::Timer),
    ("portainer-ce", "Portainer", Habit::Hand),
    ("portainer-ee", "Portainer", Habit::Hand),
    ("swarmpit", "Swarmpit", Habit::Hand),
    ("swirl", "Swirl", Habit::Hand),
    ("dokploy", "Dokploy", Habit::Hand),
    ("caprover", "CapRover", Habit::Hand),
    ("swarm-cronjob", "swarm-cronjob", Habit::Scales),
    ("docker-swarm-autoscaler", "an autoscaler", Habit::Scales),
    ("swarm-autoscaler", "an autoscaler", Habit::Scales),
];

/// How a tool writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// Again and again, by the clock.
    Timer,
    /// When somebody clicks or pushes.
    Hand,
    /// Numbers of replicas, and nothing else.
    Scales,
}

pub(super) fn look(scope: &Scope<'_>, found: &mut Vec<Found>) {
    if !scope.is_whole() {
        return;
    }
    let mut writers: BTreeSet<&str> = BTreeSet::new();
    for service in scope.services() {
        let name = image_of(service).map(|image| image.path().rsplit('/').next().unwrap_or_default().to_owned());
        let Some((_, tool, habit)) = TOOLS.iter().find(|(image, ..)| name.as_deref() == Some(*image)) else { continue };
        let warn = |code, message: String| of_service(Section::Writers, code, Severity::Warning, service, message);
        if *habit != Habit::Scales {
            writers.insert(tool);
        }
        found.push(match habit {
            Habit::Timer => warn(
                code::REDEPLOY_IN_ROLLOUT,
                format!(
                    "{tool} writes services by the clock: a write while one rolls took away its verdict and its rollback in 5 of 5 \
                     updates"
                ),
            )
            .hint("let it wait until no service is `updating`, or leave the writing to one tool"),
            Habit::Hand => {
                let message = format!("{tool} writes services when somebody clicks, or a hook calls");
                Found { severity: Severity::Note, ..warn(code::OTHER_WRITER, message) }
            }
            Habit::Scales => {
                let message = format!("{tool} changes numbers of replicas");
                Found { severity: Severity::Note, ..warn(code::OTHER_WRITER, message) }
            }
        });
    }
    for (tool, stacks) in traces(scope) {
        writers.insert(tool);
        let stacks: Vec<String> = stacks.into_iter().collect();
        found.push(swarm(Severity::Note, format!("{tool} has deployed {}", stacks.join(", "))));
    }
    if !scope.evidence.recorded.is_empty() {
        writers.insert("skep");
        let stacks: BTreeSet<String> = scope.services().filter_map(|service| stack_of(&service.spec.labels)).collect();
        let others: Vec<String> = stacks.into_iter().filter(|stack| !scope.evidence.recorded.contains(stack)).collect();
        if !others.is_empty() {
            found.push(swarm(
                Severity::Note,
                format!("skep has no record of {}: others deploy them", others.join(", ")),
            ));
        }
    }
    if writers.len() > 1 {
        let names: Vec<&str> = writers.into_iter().collect();
        let message = format!("{} write here: two that write one stack undo each other's work", names.join(", "));
        found.push(swarm(Severity::Warning, message));
    }
}

/// The stacks that show by labels, or by the names of their configs and secrets, which tool deployed them.
fn traces(scope: &Scope<'_>) -> BTreeMap<&'static str, BTreeSet<String>> {
    let live = &scope.evidence.live;
    let mut traces: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for service in scope.services() {
        if service.spec.labels.keys().any(|key| label::is_bookkeeping(key)) {
            let stack = stack_of(&service.spec.labels).unwrap_or_else(|| service.spec.name.clone());
            traces.entry("doco-cd").or_default().insert(stack);
        }
    }
    let configs = live.configs.iter().map(|it| (&it.spec.name, &it.spec.labels));
    let secrets = live.secrets.iter().map(|it| (&it.spec.name, &it.spec.labels));
    for (name, labels) in configs.chain(secrets) {
        let Some(stack) = labels.get(label::NAMESPACE).and_then(|stack| StackName::parse(stack).ok()) else { continue };
        // `docker stack deploy` puts an underscore behind the stack; swarm-cd alone a hyphen.
        let key = name.strip_prefix(&format!("{stack}-")).and_then(|rest| Some(rest.rsplit_once('-')?.0));
        if key.is_some_and(|key| {
            names::schemes(&stack, key, Some(""), None)
                .iter()
                .any(|it| it.prefix.starts_with(&format!("{stack}-")) && it.gives(name))
        }) {
            traces.entry("swarm-cd").or_default().insert(stack.to_string());
        }
    }
    traces
}

fn swarm(severity: Severity, message: String) -> Found {
    Found {
        section: Section::Writers,
        code: code::OTHER_WRITER.to_owned(),
        severity,
        kind: None,
        name: String::new(),
        stack: None,
        message,
        hints: Vec::new(),
    }
}
