//! `skep plan`: what would change, and what it costs.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::client::Client;
use crate::desired::{self, fingerprint};
use crate::diag::Sources;
use crate::model::{RedactedUrl, label};
use crate::operator::context::policy;
use crate::operator::facts;
use crate::operator::records::{self, Stored};
use crate::operator::rendering;
use crate::operator::snapshot;
use crate::plan::view::{self, Document, Header};
use crate::plan::{self, Estimate, Form, Frame, Hooks, Layout, Mask, Plan, Policy, Prune, Questions};
use crate::settings::{DEFAULT_PARALLEL, Resolve};
use crate::source::git;
use crate::swarm::{Images, Live};

use super::arguments::{ChangeArguments, PlanArguments, ReportOutput, ResolveImage, TargetArguments};
use super::connect;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::parallel;
use super::print;
use super::saved::{self, Saved};
use super::target::{Name, Origin, Stack, Target, Undeclared};

pub async fn run(arguments: &PlanArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::client(environment)?;
    // What nobody declared cannot be applied, so there is nothing to save.
    let undeclared = if arguments.out.is_some() { Undeclared::Refuse } else { Undeclared::Look };
    let (target, mut live) = look(&client, &arguments.target, environment, undeclared).await?;
    super::validate::show(&target, environment);
    if target.has_errors() {
        return Err(Failure::Invalid);
    }
    let mut plans = exact(&client, &target, &mut live, &arguments.change, None).await?;
    judge(&client, environment, &arguments.change, &live, &mut plans).await;
    let shown = |mask| document(&target, &plans, &live, arguments.target.cluster.as_deref(), mask);
    let document = shown(mask(&arguments.change, environment));
    let changes = plans.iter().any(|planned| !planned.plan.steps.is_empty());
    let blocked = plans.iter().any(|planned| planned.plan.is_blocked());
    if let Some(file) = arguments.out.as_deref().filter(|_| !blocked) {
        saved::write(file, &Saved::of(arguments, &target, &plans, &live, shown(Mask::default())))?;
    }
    let next = match &arguments.out {
        Some(file) => changes.then(|| format!("skep apply --plan {}", quoted(&file.to_string_lossy()))),
        None => next(&arguments.target, changes),
    };
    let next = next.filter(|_| !blocked);
    let frame = Frame { subject: &subject(&arguments.target), made: None, next: next.as_deref() };
    match arguments.output {
        ReportOutput::Json => print::json(&document)?,
        ReportOutput::Text => {
            print::text(&text(&document, environment, next.as_deref(), arguments.form.form()))?;
        }
        ReportOutput::Markdown => print::bytes(plan::plan_markdown(&document, &frame).as_bytes())?,
        ReportOutput::Html => {
            let now = print::moment(Timestamp::now());
            print::bytes(plan::plan_html(&document, &Frame { made: Some(&now), ..frame }).as_bytes())?;
        }
    }
    for planned in &plans {
        remark(planned);
        mistyped(&target, planned, &live);
    }
    if let Some(file) = arguments.out.as_deref().filter(|_| blocked) {
        print::say(&format!("what cannot be applied is not saved: {} is not written", file.display()));
    }
    Ok(if blocked {
        Exit::Blocked
    } else if changes && arguments.detailed_exitcode {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// What a person has put in the way of the plan: talk, not data.
fn remark(planned: &Planned<'_>) {
    let stack = &planned.stack.name;
    if let Some(record) = planned.stored.as_ref().map(|stored| &stored.record) {
        if let Some(suspended) = record.suspended.as_ref().filter(|_| record.is_suspended(Timestamp::now())) {
            print::say(&format!("{stack} is suspended by {}: {}", suspended.by, suspended.reason));
            print::say(&format!("  help: skep resume {stack}"));
        }
        let digest = planned.stack.desired.as_ref().map(desired::digest);
        if let Some(held) = record.held.as_ref().filter(|held| Some(&held.digest) == digest.as_ref()) {
            print::say(&format!("{stack} is held since {}: {}", print::moment(held.since), held.cause));
            print::say(&format!("  help: change it in git, or, when the cause is gone: skep retry {stack}"));
        }
    }
}

/// A name that was mistyped deploys everything a second time: says so.
pub fn mistyped(target: &Target, planned: &Planned<'_>, live: &Live) {
    let stack = &planned.stack.name;
    if let Origin::Direct = target.origin {
        let running: BTreeSet<&str> = live
            .services
            .iter()
            .filter_map(|service| Some(service.spec.labels.get(label::NAMESPACE)?.as_str()))
            .collect();
        if !running.contains(stack.as_str())
            && let Some(near) = crate::diag::did_you_mean(stack.as_str(), running)
        {
            print::say(&format!("stack {stack} is new; did you mean `{near}`, which runs?"));
        }
    }
}

/// A stack with its plan and record.
pub struct Planned<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// Its plan.
    pub plan: Plan,
    /// Its record, if it has one.
    pub stored: Option<Stored>,
    /// Whether secrets are taken for verified that the record holds as unverified.
    pub verifies: bool,
}

/// Loads the files and lists the swarm at the same time: neither waits for the other.
pub async fn look(
    client: &Client,
    arguments: &TargetArguments,
    environment: &Environment,
    undeclared: Undeclared,
) -> Result<(Target, Live), Failure> {
    let client = client.clone();
    if arguments.compose_files.is_empty() {
        // The git library reads all of the system's certificates when it starts, whatever it is wanted for.
        tokio::task::spawn_blocking(|| git::initialise(git::Setup::default()));
    }
    // A task of its own: what reads files would keep one that shares its thread from reading answers.
    let live = tokio::spawn(async move { snapshot::take(&client).await });
    // A fault in the files is told even where the swarm cannot be reached.
    let mut target = Target::load(arguments, environment, undeclared, Name::Required).await?;
    if target.has_errors() {
        return Ok((target, Live::default()));
    }
    let live = live.await??;
    fill(&mut target, &live);
    Ok((target, live))
}

/// Computes what the secrets of a target are known by in this swarm.
pub fn fill(target: &mut Target, live: &Live) {
    let cache = fingerprint::Cache::default();
    let desired = || target.stacks.iter().filter_map(|stack| stack.desired.as_ref());
    let contents: Vec<(&str, &[u8])> = desired()
        .flat_map(|desired| &desired.secrets)
        .filter_map(|(name, secret)| Some((name.as_str(), secret.content.as_ref()?.reveal().as_slice())))
        .collect();
    parallel::each(&contents, |(name, content)| drop(cache.fingerprint(&live.swarm_id, name, content)));
    for desired in target.stacks.iter_mut().filter_map(|stack| stack.desired.as_mut()) {
        fingerprint::fill(desired, &live.swarm_id, &cache);
    }
}

/// Plans every stack of a target. While one of them is applied, its hooks are as far as `hooks` says.
///
/// # Errors
/// A stack that a controller manages, with `-c`; a record that cannot be read.
pub fn plans<'a>(
    target: &'a Target,
    live: &Live,
    change: &ChangeArguments,
    hooks: Option<&Hooks>,
) -> Result<Vec<Planned<'a>>, Failure> {
    let mut planned = Vec::new();
    for stack in &target.stacks {
        let Some(desired) = &stack.desired else { continue };
        let stored = Stored::among(&live.configs, &stack.name).map_err(records::Error::from)?;
        let (policy, base) = match (&target.origin, &stored) {
            (Origin::Direct, Some(stored)) if !change.force => return Err(managed(stack, stored)),
            (Origin::Direct, _) => (direct(change), None),
            (Origin::Repository { .. }, Some(stored)) => {
                let base = rendering::applied(&stored.record, live).map_err(records::Error::from)?;
                (repository(stack, change), base)
            }
            (Origin::Repository { .. }, None) => (repository(stack, change), None),
        };
        let good = match stored.as_ref().filter(|_| base.is_some()) {
            Some(stored) => rendering::good(&stored.record, live).map_err(records::Error::from)?,
            None => None,
        };
        let policy = Policy { hooks: hooks.cloned().unwrap_or_default(), ..policy };
        let plan = plan::plan(plan::Input {
            desired,
            live,
            applied: base.as_ref(),
            good: good.as_ref(),
            images: &Images::default(),
            policy: &policy,
        });
        let verifies = base.is_some_and(|base| plan.settled.verifies(&base));
        planned.push(Planned { stack, plan, stored, verifies });
    }
    Ok(planned)
}

/// Adds to plans that start tasks what would keep those from running, as far as that can be told.
pub async fn judge(
    client: &Client,
    environment: &Environment,
    change: &ChangeArguments,
    live: &Live,
    plans: &mut [Planned<'_>],
) {
    let questions = plans.iter().map(|planned| {
        let mut questions = Questions::of(&planned.plan, live);
        let is_silent = match change.resolve_image {
            Some(when) => when == ResolveImage::Never,
            None => planned.stack.settings.resolve == Resolve::Never,
        };
        if is_silent {
            questions.images.clear();
        }
        questions
    });
    let questions = questions.fold(Questions::default(), Questions::and);
    if questions == Questions::default() {
        return;
    }
    let facts = facts::gather(client, &connect::credentials(environment, None), questions).await;
    let mut estimate = Estimate::new(live, &facts);
    for Planned { stack, plan, .. } in plans {
        if let Some(desired) = &stack.desired {
            let found = estimate.of(plan, desired);
            plan.remark(found, desired);
        }
    }
}

/// The same, told where tasks run, if how many of them restart hangs on it.
pub async fn exact<'a>(
    client: &Client,
    target: &'a Target,
    live: &mut Live,
    change: &ChangeArguments,
    hooks: Option<&Hooks>,
) -> Result<Vec<Planned<'a>>, Failure> {
    let planned = plans(target, live, change, hooks)?;
    let movers = planned.iter().flat_map(|planned| planned.plan.movers());
    if snapshot::locate(client, live, movers).await? { plans(target, live, change, hooks) } else { Ok(planned) }
}

fn managed(stack: &Stack, stored: &Stored) -> Failure {
    Failure::blocked(
        format!("stack {} is managed: its record says it comes from {}", stack.name, stored.record.source),
        "commit there; or use --force, and the controller will show what you did as drift".to_owned(),
    )
}

fn direct(change: &ChangeArguments) -> Policy {
    Policy {
        prune: if change.prune { Prune::Labelled } else { Prune::Off },
        direct: true,
        parallel: Some(DEFAULT_PARALLEL),
        allow_delete: change.allow_delete,
        trust_secrets: change.trust_secrets,
        ..Policy::default()
    }
}

fn repository(stack: &Stack, change: &ChangeArguments) -> Policy {
    let by_settings = policy(&stack.settings);
    Policy {
        allow_delete: change.allow_delete,
        trust_secrets: change.trust_secrets || by_settings.trust_secrets,
        ..by_settings
    }
}

/// The plans as machines read them.
pub fn document(target: &Target, plans: &[Planned<'_>], live: &Live, cluster: Option<&str>, mask: Mask) -> Document {
    let (revision, reference) = match &target.origin {
        Origin::Direct => (None, None),
        Origin::Repository { revision, reference, .. } => {
            let reference = Some(reference.clone()).filter(|reference| !reference.is_empty());
            (Some(revision.to_string()), reference)
        }
    };
    let cluster = cluster.map(str::to_owned);
    let header = Header { revision, reference, cluster, nodes: live.nodes.len(), ..Header::default() };
    let pairs: Vec<(&Plan, &Sources)> = plans.iter().map(|planned| (&planned.plan, &planned.stack.sources)).collect();
    view::plans(header, &pairs, &mask)
}

/// The plans as people read them.
pub fn text(document: &Document, environment: &Environment, next: Option<&str>, form: Form) -> String {
    let layout = Layout { style: environment.style(), width: environment.width(), next, form };
    plan::plan_text(document, &layout)
}

/// What may be shown of values that look like secrets: all of them on a terminal, where a person asks for it.
pub fn mask(change: &ChangeArguments, environment: &Environment) -> Mask {
    if change.show_values && environment.stdout_is_terminal { Mask::none() } else { Mask::default() }
}

/// What a report is of, the same in every run of one pipeline: by it a comment is found again to be edited.
pub fn subject(target: &TargetArguments) -> String {
    let parts = [target.cluster.as_deref(), target.discover.as_deref()].into_iter().flatten();
    let path = Some(target.path.as_str()).filter(|path| !path.is_empty());
    let parts: Vec<&str> = parts.chain(path).chain(target.stacks.iter().map(String::as_str)).collect();
    if parts.is_empty() { "all".to_owned() } else { parts.join(" ") }
}

/// The command that carries the plan out.
fn next(target: &TargetArguments, changes: bool) -> Option<String> {
    if !changes {
        return None;
    }
    let mut command = "skep apply".to_owned();
    for file in &target.compose_files {
        command.push_str(&format!(" -c {}", quoted(file)));
    }
    // A password in a URL was typed once, and is not printed.
    let repo = target.repo.as_deref().map(|repo| RedactedUrl::new(repo).to_string());
    let flags = [
        ("--repo", repo.as_deref()),
        ("--ref", target.reference.as_deref()),
        ("--discover", target.discover.as_deref()),
    ];
    for (flag, value) in flags {
        if let Some(value) = value {
            command.push_str(&format!(" {flag} {}", quoted(value)));
        }
    }
    if !target.path.is_empty() {
        command.push_str(&format!(" --path {}", quoted(&target.path)));
    }
    for stack in &target.stacks {
        command.push_str(&format!(" {stack}"));
    }
    Some(command)
}

/// A word as a shell takes it back.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@,+~".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (word, shown) in
            [("a.yaml", "a.yaml"), ("my file.yaml", "'my file.yaml'"), ("it's", r"'it'\''s'"), ("apps/*", "'apps/*'")]
        {
            assert_eq!(quoted(word), shown);
        }
    }
}
