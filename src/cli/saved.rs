//! Saved plans: what `skep plan --out` writes and `skep apply --plan` carries out.
//!
//! The file says what was shown and what it was planned on: the commit, a fingerprint of what is wanted, and the version of
//! every object that a step writes. It holds nothing that could be sent, so no secret either. Whoever applies it reads the
//! same files and plans anew; of that plan, only what the saved one holds is carried out, on objects that did not move.

mod check;
mod file;
mod gather;

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Kind, RedactedUrl};
use crate::plan::view::Document;
use crate::swarm::{Images, Live};

use super::arguments::{ApplyArguments, ChangeArguments, Pins, PlanArguments, TargetArguments};
use super::failure::Failure;
use super::plan::Planned;
use super::print;
use super::target::{Origin, Target};

pub use file::{read, write};

/// A saved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Saved {
    /// The version of the skep that made it.
    pub skep: String,
    /// When it was made.
    pub made: Timestamp,
    /// The swarm's id.
    pub swarm: String,
    /// What is planned, as it was typed. Credentials in a URL are hidden.
    pub target: TargetArguments,
    /// How it is planned, as it was typed.
    pub change: ChangeArguments,
    /// The commit that was read. `None` for files and for a directory as it lies there.
    pub commit: Option<String>,
    /// What each stack was planned on.
    pub stacks: Vec<Stack>,
    /// What registries said of images: a tag that moves afterwards is not what was planned.
    #[serde(default)]
    pub images: Images,
    /// What was shown, values that look like secrets always hidden.
    pub plan: Document,
}

/// What one stack was planned on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stack {
    /// Its name.
    pub stack: String,
    /// The commit of a repository of its own.
    pub commit: Option<String>,
    /// What its files want, variables included, as a fingerprint that nobody can guess a password by. `None` where there is
    /// nothing to write.
    pub wanted: Option<String>,
    /// What its record says was applied.
    pub applied: Option<Applied>,
    /// What its steps write.
    pub objects: Vec<Object>,
}

/// What a record says was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Applied {
    /// The revision.
    pub revision: String,
    /// When.
    pub at: Timestamp,
}

/// An object that a step writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its full name.
    pub name: String,
    /// What was there under that name.
    pub found: Option<Found>,
}

/// An object as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Found {
    /// The engine's id.
    pub id: String,
    /// Its version; 0 of a network, which cannot be updated and is known by its id.
    pub version: u64,
    /// When it was last written, by the engine's clock.
    pub updated: String,
}

impl Saved {
    /// What is saved of a plan, and of what registries said for it. `document` hides what looks like a secret, whatever was shown.
    pub fn of(
        arguments: &PlanArguments,
        target: &Target,
        plans: &[Planned<'_>],
        live: &Live,
        (document, images): (Document, Images),
    ) -> Self {
        let repo = arguments.target.repo.as_deref().map(|repo| RedactedUrl::new(repo).to_string());
        let commit = match &target.origin {
            Origin::Repository { revision, reference, .. } if !reference.is_empty() => Some(revision.to_string()),
            Origin::Repository { .. } | Origin::Direct => None,
        };
        Self {
            skep: version().to_owned(),
            made: Timestamp::now(),
            swarm: live.swarm_id.clone(),
            target: TargetArguments { repo, ..arguments.target.clone() },
            change: arguments.change.clone(),
            commit,
            stacks: gather::stacks(target, plans, live),
            images,
            plan: document,
        }
    }

    /// The arguments that plan it anew. What is about the machine and not about the plan is taken from `given`.
    ///
    /// # Errors
    /// Arguments beside `--plan` that would say what is planned.
    pub fn arguments(&self, given: &ApplyArguments) -> Result<ApplyArguments, Failure> {
        let own = TargetArguments { cluster: None, config: None, repo: None, ..given.target.clone() };
        let flags = ChangeArguments { show_values: false, with_registry_auth: false, ..given.change.clone() };
        if own != TargetArguments::default() || flags != ChangeArguments::default() {
            return Err(Failure::usage_hint(
                "a saved plan brings its own files, stacks and flags",
                "give none of them beside --plan, or plan again with them",
            ));
        }
        let of_stacks = self.stacks.iter().filter_map(|it| Some((it.stack.clone(), it.commit.clone()?)));
        let pins = Pins { repository: self.commit.clone(), stacks: of_stacks.collect() };
        Ok(ApplyArguments {
            target: TargetArguments {
                repo: self.repo(given.target.repo.as_deref())?,
                cluster: given.target.cluster.clone().or_else(|| self.target.cluster.clone()),
                config: given.target.config.clone(),
                pins,
                ..self.target.clone()
            },
            change: ChangeArguments { show_values: given.change.show_values, ..self.change.clone() },
            yes: true,
            ..given.clone()
        })
    }

    /// The repository; one whose URL holds credentials must be given again.
    fn repo(&self, given: Option<&str>) -> Result<Option<String>, Failure> {
        let shown = given.map(|url| RedactedUrl::new(url).to_string());
        match (&self.target.repo, given) {
            (Some(saved), Some(given)) if shown.as_ref() == Some(saved) => Ok(Some(given.to_owned())),
            (saved, Some(_)) => Err(Failure::usage(format!(
                "the plan is of {}, and not of the repository that --repo names",
                saved.as_deref().unwrap_or("other files")
            ))),
            (Some(saved), None) if saved.contains("://***@") => Err(Failure::usage_hint(
                format!("the plan is of {saved}, and a saved plan holds no credentials"),
                "give the whole URL again beside it, with --repo",
            )),
            (saved, None) => Ok(saved.clone()),
        }
    }

    /// Refuses what is not the saved plan, or the rest of it, any more.
    ///
    /// # Errors
    /// [`Failure::Stale`], which names what has moved; a plan for another swarm.
    pub fn check(
        &self,
        target: &Target,
        plans: &[Planned<'_>],
        live: &Live,
        document: &Document,
    ) -> Result<(), Failure> {
        if self.swarm != live.swarm_id {
            return Err(Failure::usage_hint(
                format!("the plan is for the swarm {}, and this is {}", self.swarm, live.swarm_id),
                "DOCKER_HOST or DOCKER_CONTEXT names the engine to talk to",
            ));
        }
        let now = gather::stacks(target, plans, live);
        let mut conflicts = check::undeclared(self, &now);
        for now in &now {
            let steps = document.stacks.iter().find(|stack| stack.stack == now.stack).map_or(&[][..], |it| &it.steps);
            conflicts.extend(check::conflicts(self, now, steps));
        }
        self.stale(&conflicts, "nothing was done")
    }

    /// The same of one stack while it is carried out. What this apply has `written` moved by its own hand: it is in no plan
    /// any more, or a later wave writes it again.
    ///
    /// # Errors
    /// [`Failure::Stale`].
    pub fn check_rest(
        &self,
        again: &Planned<'_>,
        live: &Live,
        document: &Document,
        written: &HashSet<(Kind, String)>,
    ) -> Result<(), Failure> {
        let name = again.stack.name.as_str();
        let wanted = self.stacks.iter().find(|stack| stack.stack == name).and_then(|stack| stack.wanted.clone());
        let mut now = gather::stack(again, live, wanted);
        now.objects.retain(|object| !written.contains(&(object.kind, object.name.clone())));
        let steps = document.stacks.iter().find(|stack| stack.stack == name).map_or(&[][..], |it| &it.steps);
        self.stale(&check::conflicts(self, &now, steps), "what is left of it was not done")
    }

    fn stale(&self, conflicts: &[String], what: &str) -> Result<(), Failure> {
        if conflicts.is_empty() {
            return Ok(());
        }
        let mut message = format!("the plan that was saved at {} is stale; {what}", print::moment(self.made));
        for conflict in conflicts {
            message.push_str("\n  ");
            message.push_str(conflict);
        }
        Err(Failure::Stale { message })
    }
}

/// The version of this skep.
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[cfg(test)]
pub(crate) mod tests;
