//! Watching tasks come up: live on a terminal, line by line otherwise, or as events for machines.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::health::Verdict;
use crate::operator::verdict::Assessed;
use crate::swarm::Live;

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

/// Shows how the services of one apply fare.
pub struct Progress {
    form: Form,
    stack: String,
    bars: MultiProgress,
    lines: BTreeMap<String, ProgressBar>,
    last: BTreeMap<String, String>,
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
        }
    }

    /// Something happened: an event for machines, a line for people.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn event(&self, event: &str, line: &str, mut details: Value) -> Result<(), Failure> {
        match self.form {
            Form::Events => {
                if let Some(details) = details.as_object_mut() {
                    details.insert("time".to_owned(), Timestamp::now().to_string().into());
                    details.insert("event".to_owned(), event.into());
                    details.insert("stack".to_owned(), self.stack.clone().into());
                }
                print::json_line(&details)
            }
            Form::Live => {
                // Above the bars, or they would be drawn over it.
                drop(self.bars.println(line));
                Ok(())
            }
            Form::Lines => {
                print::say(line);
                Ok(())
            }
            Form::Silent => Ok(()),
        }
    }

    /// Shows how services fare. What did not change since the last time is not said again.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub fn show(&mut self, assessed: &[Assessed], live: &Live) -> Result<(), Failure> {
        for one in assessed {
            let line = describe(one, live);
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
                bar.set_message(line.clone());
                if one.verdict == Verdict::Converged {
                    bar.finish();
                }
            }
            if self.last.insert(one.name.clone(), line.clone()).as_ref() == Some(&line) || self.form == Form::Live {
                continue;
            }
            self.event(
                "progress",
                &line,
                json!({
                    "service": one.name, "ready": one.up_to_date, "wanted": one.wanted, "state": word(&one.verdict), "message": line,
                }),
            )?;
        }
        Ok(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        for bar in self.lines.values() {
            bar.abandon();
        }
    }
}

/// One line about a service: tasks up to date of wanted, its state, where its tasks run, what went wrong.
fn describe(one: &Assessed, live: &Live) -> String {
    let mut line = format!("{}  {}/{}  {}", one.name, one.up_to_date, one.wanted, word(&one.verdict));
    let detail = match &one.verdict {
        Verdict::Converged => nodes(one, live),
        Verdict::Progressing { waiting_for, failing: None } => format!("waiting for {waiting_for}"),
        Verdict::Progressing { failing: Some(failing), .. } => failing.to_string(),
        Verdict::Degraded(failure) => failure.to_string(),
        Verdict::RolledBack { message, .. } | Verdict::Paused { message } => message.clone(),
        Verdict::Stuck { waiting_for } => format!("waiting for {waiting_for}"),
        Verdict::Superseded => "somebody else wrote it meanwhile".to_owned(),
    };
    if !detail.is_empty() {
        line.push_str(&format!("  {detail}"));
    }
    line
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
fn nodes(one: &Assessed, live: &Live) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for task in one.tasks.iter().filter(|task| task.desired_state == "running") {
        let node = live.nodes.iter().find(|node| node.id == task.node_id);
        *counts.entry(node.map_or("", |node| node.description.hostname.as_str())).or_default() += 1;
    }
    let nodes: Vec<String> = counts
        .into_iter()
        .filter(|(node, _)| !node.is_empty())
        .map(|(node, count)| if count > 1 { format!("{node}×{count}") } else { node.to_owned() })
        .collect();
    if nodes.is_empty() { String::new() } else { format!("on {}", nodes.join(", ")) }
}
