//! Watching tasks come up: live on a terminal, line by line otherwise, or as events for machines.
//!
//! Nothing here fails: a reader that went away must not stop what is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::health::{Verdict, WaitingFor};
use crate::operator::record::Failed;
use crate::operator::retreat::Over;
use crate::operator::verdict::Assessed;
use crate::plan::Plan;
use crate::swarm::{Live, Task};

use super::failure::Failure;
use super::print;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A line a service, redrawn.
    Live,
    /// A line whenever something changes.
    Lines,
    /// One JSON object a line on standard output.
    Events,
    /// Not at all.
    Silent,
}

/// Something that happened, for machines.
#[derive(Serialize)]
struct Happened<'a> {
    time: String,
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<&'a str>,
    #[serde(flatten)]
    details: &'a Value,
}

/// Writes an event as one line of JSON.
///
/// # Errors
/// [`Failure::Output`].
pub fn event(event: &str, stack: Option<&str>, details: &Value) -> Result<(), Failure> {
    print::json_line(&Happened { time: Timestamp::now().to_string(), event, stack, details })
}

/// Shows how the services of one apply fare.
pub struct Progress {
    form: Form,
    stack: String,
    bars: MultiProgress,
    lines: BTreeMap<String, ProgressBar>,
    last: BTreeMap<String, String>,
    said: BTreeSet<String>,
}

impl Progress {
    /// Progress of a stack.
    pub fn new(form: Form, stack: &str) -> Self {
        let target = if form == Form::Live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            form,
            stack: stack.to_owned(),
            bars: MultiProgress::with_draw_target(target),
            lines: BTreeMap::new(),
            last: BTreeMap::new(),
            said: BTreeSet::new(),
        }
    }

    /// Something happened: an event for machines, a line for people.
    pub fn event(&self, event: &str, line: &str, details: Value) {
        match self.form {
            Form::Events => drop(self::event(event, Some(&self.stack), &details)),
            Form::Live | Form::Lines => self.talk(line),
            // Whoever wants no progress still wants to know why it failed.
            Form::Silent if event == "failed" => self.talk(line),
            Form::Silent => {}
        }
    }

    /// Talk that machines and quiet people are told too, on standard error.
    pub fn talk(&self, line: &str) {
        // Above the bars, or they would be drawn over it.
        self.bars.suspend(|| print::say(line));
    }

    /// Shows how services fare. What did not change since the last time is not said again.
    pub fn show(&mut self, assessed: &[Assessed], live: &Live) {
        for one in assessed {
            let line = Line::of(one, live);
            if self.form == Form::Live {
                let bars = &self.bars;
                let bar = self.lines.entry(one.name.clone()).or_insert_with(|| {
                    let bar = bars.add(ProgressBar::new_spinner());
                    bar.enable_steady_tick(Duration::from_millis(120));
                    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                        bar.set_style(style);
                    }
                    bar
                });
                bar.set_message(line.text());
                if one.verdict == Verdict::Converged {
                    bar.finish();
                }
            }
            let text = line.text();
            if self.last.insert(one.name.clone(), text.clone()).as_ref() == Some(&text) || self.form == Form::Live {
                continue;
            }
            // Tasks that come up and fall over for minutes are told of once.
            if self.form == Form::Lines && !self.said.insert(text.clone()) {
                continue;
            }
            self.event("progress", &text, line.details());
        }
    }

    /// A later wave begins.
    pub fn wave(&self, plan: &Plan) {
        let services: Vec<&str> = plan.first_wave().iter().map(|step| step.name.as_str()).collect();
        let line = format!("these are healthy; next: {}", services.join(", "));
        self.event("wave", &line, json!({ "next": services, "left": plan.steps.len() - services.len() }));
    }

    /// It did not come up: why, and the last lines of what failed.
    pub fn failed(&self, failed: &Failed, assessed: &[Assessed]) {
        let line = format!("{} failed: {}", self.stack, failed.cause);
        self.event("failed", &line, json!({ "cause": failed.cause, "logs": failed.logs }));
        if self.form != Form::Events {
            failed.logs.iter().for_each(|line| self.talk(&format!("  | {line}")));
        }
        self.unhealthy(assessed);
    }

    /// What was written goes back, and waits for something.
    pub fn going_back(&mut self, waiting: &str) {
        // The same thing is told once, whatever its numbers say meanwhile.
        let text = format!("going back: {waiting}");
        if self.form != Form::Silent && self.said.insert(text.split(':').take(2).collect()) {
            self.event("waiting", &text, json!({ "waiting": waiting }));
        }
    }

    /// What became of the rest.
    pub fn over(&self, over: &Over) {
        let words = over.words();
        let line = words.trim_start_matches([';', ' ']);
        if !line.is_empty() {
            self.event("over", &format!("  {line}"), json!({ "back": over.back, "left": over.left }));
        }
    }

    /// Where to look next, of the services that failed.
    fn unhealthy(&self, assessed: &[Assessed]) {
        let failed = |one: &&Assessed| !matches!(one.verdict, Verdict::Converged | Verdict::Progressing { .. });
        for one in assessed.iter().filter(failed) {
            if let Verdict::RolledBack { finished: true, .. } = one.verdict {
                self.talk(&format!("  {} runs as before", one.name));
            }
            self.talk(&format!("  help: docker service logs {0}; docker service ps --no-trunc {0}", one.name));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        for bar in self.lines.values() {
            bar.abandon();
        }
    }
}

/// A service at one look: tasks up to date of wanted, its state, where its tasks run, what it waits for or what went wrong.
struct Line<'a> {
    one: &'a Assessed,
    nodes: Vec<String>,
    error: Option<String>,
    detail: String,
}

impl<'a> Line<'a> {
    fn of(one: &'a Assessed, live: &Live) -> Self {
        let failing = || last_error(one, live);
        let (error, detail) = match &one.verdict {
            Verdict::Converged => (None, String::new()),
            Verdict::Progressing { failing: Some(failing), .. } => (Some(failing.to_string()), failing.to_string()),
            Verdict::Progressing { waiting_for: WaitingFor::Start(_) | WaitingFor::OldTasks(_), failing: None } => {
                (None, underway(&one.tasks, live))
            }
            Verdict::Progressing { waiting_for, failing: None } => (None, format!("waiting for {waiting_for}")),
            Verdict::Degraded(failure) => (Some(failure.to_string()), failure.to_string()),
            Verdict::RolledBack { message, .. } | Verdict::Paused { message } => {
                (failing(), failing().unwrap_or_else(|| message.clone()))
            }
            Verdict::Stuck { waiting_for } => (None, format!("waiting for {waiting_for}")),
            Verdict::Superseded => (None, "somebody else wrote it meanwhile".to_owned()),
        };
        let nodes = if one.verdict == Verdict::Converged { nodes(&one.tasks, live) } else { Vec::new() };
        Self { one, nodes, error, detail }
    }

    fn text(&self) -> String {
        let Assessed { name, up_to_date, wanted, verdict, .. } = self.one;
        let mut text = format!("{name}  {up_to_date}/{wanted}  {}", word(verdict));
        if !self.nodes.is_empty() {
            text.push_str(&format!("  on {}", self.nodes.join(", ")));
        }
        if !self.detail.is_empty() {
            text.push_str(&format!("  {}", self.detail));
        }
        text
    }

    fn details(&self) -> Value {
        json!({
            "service": self.one.name, "ready": self.one.up_to_date, "wanted": self.one.wanted,
            "state": word(&self.one.verdict), "nodes": self.nodes, "error": self.error, "message": self.text(),
        })
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Converged => "converged",
        Verdict::Progressing { .. } => "progressing",
        Verdict::Degraded(_) => "degraded",
        Verdict::RolledBack { finished: true, .. } => "rolled back",
        Verdict::RolledBack { finished: false, .. } => "rolling back",
        Verdict::Paused { .. } => "paused",
        Verdict::Stuck { .. } => "stuck",
        Verdict::Superseded => "superseded",
    }
}

/// The nodes that tasks run on, each with its number where that is not one.
fn nodes(tasks: &[Arc<Task>], live: &Live) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for task in tasks.iter().filter(|task| task.desired_state == "running" && task.status.state == "running") {
        *counts.entry(node(task, live)).or_default() += 1;
    }
    let counts = counts.into_iter().filter(|(node, _)| !node.is_empty());
    counts.map(|(node, count)| if count > 1 { format!("{node}×{count}") } else { node.to_owned() }).collect()
}

/// What the tasks that do not run yet are at: `2 preparing on n1, 1 pending`.
fn underway(tasks: &[Arc<Task>], live: &Live) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let coming = |task: &&Arc<Task>| matches!(task.desired_state.as_str(), "running" | "ready" | "complete");
    let settled = ["running", "complete", "failed", "rejected", "shutdown", "orphaned"];
    for task in tasks.iter().filter(coming).filter(|task| !settled.contains(&task.status.state.as_str())) {
        *counts.entry((task.status.state.as_str(), node(task, live))).or_default() += 1;
    }
    let parts = counts.into_iter().map(|((state, node), count)| match node {
        "" => format!("{count} {state}"),
        node => format!("{count} {state} on {node}"),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What went wrong with the newest task that failed.
pub fn last_error(one: &Assessed, live: &Live) -> Option<String> {
    let failed = one.tasks.iter().filter(|task| matches!(task.status.state.as_str(), "failed" | "rejected"));
    let task = failed.max_by(|a, b| a.status.timestamp.cmp(&b.status.timestamp))?;
    let error = if task.status.err.is_empty() { &task.status.message } else { &task.status.err };
    Some(match node(task, live) {
        "" => error.clone(),
        node => format!("{error} on {node}"),
    })
}

fn node<'a>(task: &Task, live: &'a Live) -> &'a str {
    let node = live.nodes.iter().find(|node| node.id == task.node_id);
    node.map_or("", |node| node.description.hostname.as_str())
}
