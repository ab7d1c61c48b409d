//! Watching tasks come up: live on a terminal, line by line otherwise, or as events for machines.
//!
//! Nothing here fails: a reader that went away must not stop what is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::health::Verdict;
use crate::operator::verdict::Assessed;
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
    wanted: BTreeMap<String, u64>,
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
            wanted: BTreeMap::new(),
        }
    }

    /// Something happened: an event for machines, a line for people.
    pub fn event(&self, event: &str, line: &str, details: Value) {
        match self.form {
            Form::Events => drop(self::event(event, Some(&self.stack), &details)),
            Form::Live | Form::Lines => self.talk(line),
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
            let line = self.line(one, live);
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
            let details = json!({
                "service": line.service, "ready": line.ready, "wanted": line.wanted, "state": line.state,
                "nodes": line.nodes, "error": line.error, "message": text,
            });
            self.event("progress", &text, details);
        }
    }

    /// Where to look next, of the services that failed.
    pub fn unhealthy(&self, assessed: &[Assessed]) {
        let failed = |one: &&Assessed| !matches!(one.verdict, Verdict::Converged | Verdict::Progressing(_));
        for one in assessed.iter().filter(failed) {
            if let Verdict::RolledBack { is_done: true, .. } = one.verdict {
                self.talk(&format!("  {} runs as before", one.name));
            }
            self.talk(&format!("  help: docker service logs {0}; docker service ps --no-trunc {0}", one.name));
        }
    }

    fn line(&mut self, one: &Assessed, live: &Live) -> Line {
        let seen = self.wanted.get(&one.name).copied();
        let (ready, wanted) = match &one.verdict {
            Verdict::Progressing(progress) | Verdict::Degraded { progress, .. } => (progress.ready, progress.wanted),
            Verdict::Converged if seen.is_some() => (seen.unwrap_or_default(), seen.unwrap_or_default()),
            Verdict::RolledBack { .. } => (0, seen.unwrap_or_default()),
            Verdict::Converged | Verdict::Paused { .. } | Verdict::Stuck { .. } => {
                let wanted = one.tasks.iter().filter(|task| task.desired_state == "running");
                let running = wanted.clone().filter(|task| task.status.state == "running").count();
                (running as u64, seen.unwrap_or(wanted.count() as u64))
            }
        };
        self.wanted.insert(one.name.clone(), wanted);
        let error = if one.verdict == Verdict::Converged { None } else { last_error(one, live) };
        let detail = match &one.verdict {
            Verdict::Converged => String::new(),
            Verdict::Progressing(progress) if ready < wanted => match &error {
                Some(error) => error.clone(),
                None if counts_tasks(&progress.waiting_for) => underway(&one.tasks, live),
                None => progress.waiting_for.clone(),
            },
            Verdict::Progressing(progress) => format!("waiting for {}", progress.waiting_for),
            Verdict::Degraded { failing, .. } => match (failing, &error) {
                (Some(failing), _) => failing.to_string(),
                (None, Some(error)) => error.clone(),
                (None, None) => underway(&one.tasks, live),
            },
            Verdict::RolledBack { message, .. } | Verdict::Paused { message } => {
                error.clone().unwrap_or_else(|| message.clone())
            }
            Verdict::Stuck { reason } => reason.clone(),
        };
        let nodes = if one.verdict == Verdict::Converged { nodes(&one.tasks, live) } else { Vec::new() };
        Line { service: one.name.clone(), ready, wanted, state: word(&one.verdict), nodes, error, detail }
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
struct Line {
    service: String,
    ready: u64,
    wanted: u64,
    state: &'static str,
    nodes: Vec<String>,
    error: Option<String>,
    detail: String,
}

impl Line {
    fn text(&self) -> String {
        let mut text = format!("{}  {}/{}  {}", self.service, self.ready, self.wanted, self.state);
        if !self.nodes.is_empty() {
            text.push_str(&format!("  on {}", self.nodes.join(", ")));
        }
        if !self.detail.is_empty() {
            text.push_str(&format!("  {}", self.detail));
        }
        text
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Converged => "converged",
        Verdict::Progressing(_) => "progressing",
        Verdict::Degraded { .. } => "degraded",
        Verdict::RolledBack { is_done: true, .. } => "rolled back",
        Verdict::RolledBack { is_done: false, .. } => "rolling back",
        Verdict::Paused { .. } => "paused",
        Verdict::Stuck { .. } => "stuck",
    }
}

/// Whether what is waited for is but a number of tasks, which the line begins with anyway.
fn counts_tasks(waiting_for: &str) -> bool {
    waiting_for.ends_with(" tasks") && waiting_for.starts_with(|first: char| first.is_ascii_digit())
}

/// The nodes that tasks run on, each with its number where that is not one.
fn nodes(tasks: &[Task], live: &Live) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for task in tasks.iter().filter(|task| task.desired_state == "running" && task.status.state == "running") {
        *counts.entry(node(task, live)).or_default() += 1;
    }
    let counts = counts.into_iter().filter(|(node, _)| !node.is_empty());
    counts.map(|(node, count)| if count > 1 { format!("{node}×{count}") } else { node.to_owned() }).collect()
}

/// What the tasks that do not run yet are at: `2 preparing on n1, 1 pending`.
fn underway(tasks: &[Task], live: &Live) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let coming = |task: &&Task| matches!(task.desired_state.as_str(), "running" | "ready" | "complete");
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

/// What went wrong with the newest task that failed, unless a newer one in its place runs.
pub fn last_error(one: &Assessed, live: &Live) -> Option<String> {
    let failed = one.tasks.iter().filter(|task| matches!(task.status.state.as_str(), "failed" | "rejected"));
    let task = failed.max_by(|a, b| a.status.timestamp.cmp(&b.status.timestamp))?;
    let is_overcome = !matches!(one.verdict, Verdict::RolledBack { .. } | Verdict::Paused { .. })
        && one.tasks.iter().any(|other| {
            other.slot == task.slot && other.status.state == "running" && other.created_at > task.created_at
        });
    if is_overcome {
        return None;
    }
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
