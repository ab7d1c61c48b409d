//! `skep drift`: what on the swarm is not as it was applied.
//!
//! A record tells what was applied, so no file is read for a stack that has one. Only a stack that has none is compared
//! with its files, and the report says so.

use std::sync::Arc;

use jiff::Timestamp;

use crate::client::{Api, Client, Filters};
use crate::diag::{Diagnostic, Sources, code};
use crate::model::StackName;
use crate::operator::record::Record;
use crate::operator::records::{self, Stored};
use crate::operator::{rendering, snapshot};
use crate::plan::view::{self, Document, Header};
use crate::plan::{self, Applied, Found, Frame, Layout, Mask, Policy, Prune, Report};
use crate::settings::ZeroDowntime;
use crate::source::git;
use crate::swarm::{Images, Live, Task};

use super::arguments::{DriftArguments, ReportOutput, TargetArguments};
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::plan::{fill, look, subject};
use super::target::{Name, Stack, Target, Undeclared};
use super::{connect, print, validate};

pub async fn run(arguments: &DriftArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::client(environment)?;
    let scope = Scope::find(&client, &arguments.target, environment).await?;
    let (tasks, now) = tasks(&client, &scope).await?;
    let mut reports = Vec::new();
    for one in &scope.stacks {
        let found = Found { stack: one.name(), live: &scope.live, tasks: &tasks, now };
        reports.push((report(found, one)?, one.sources()));
    }
    let pairs: Vec<(&Report, &Sources)> = reports.iter().map(|(report, sources)| (report, *sources)).collect();
    let header = Header { cluster: arguments.target.cluster.clone(), ..Header::of(&scope.live) };
    let hidden = !(arguments.show_values && environment.stdout_is_terminal);
    let document = view::drift(header, &pairs, &if hidden { Mask::default() } else { Mask::none() });
    print(&document, arguments, environment)?;
    let differs = reports.iter().any(|(report, _)| !report.is_empty());
    Ok(if scope.unreadable {
        Exit::Failed
    } else if differs && arguments.detailed_exitcode {
        Exit::Changes
    } else {
        Exit::Done
    })
}

fn print(document: &Document, arguments: &DriftArguments, environment: &Environment) -> Result<(), Failure> {
    let subject = subject(&arguments.target);
    let frame = Frame { subject: &subject, made: None, next: None };
    match arguments.output {
        ReportOutput::Json => print::json(document),
        ReportOutput::Text if document.stacks.is_empty() => {
            print::say("skep manages nothing here: no stack has a record");
            print::say("  help: compare with files: skep drift -c compose.yaml STACK, or skep drift --repo DIR|URL");
            Ok(())
        }
        ReportOutput::Text => {
            let (style, width, form) = (environment.style(), environment.width(), arguments.form.form());
            print::text(&plan::drift_text(document, &Layout { style, width, next: None, form }))
        }
        ReportOutput::Markdown => print::bytes(plan::drift_markdown(document, &frame).as_bytes()),
        ReportOutput::Html => {
            let now = print::moment(Timestamp::now());
            print::bytes(plan::drift_html(document, &Frame { made: Some(&now), ..frame }).as_bytes())
        }
    }
}

/// What drift is looked for in.
struct Scope {
    live: Live,
    stacks: Vec<One>,
    /// Whether a record could not be read.
    unreadable: bool,
}

/// One stack: by its record, by its files, or by both.
enum One {
    Recorded(Box<Record>),
    Declared(Box<Stack>, Option<Box<Record>>),
}

impl One {
    fn name(&self) -> &StackName {
        match self {
            One::Recorded(record) => &record.stack,
            One::Declared(stack, _) => &stack.name,
        }
    }

    fn sources(&self) -> &Sources {
        static NONE: std::sync::LazyLock<Sources> = std::sync::LazyLock::new(Sources::new);
        match self {
            One::Recorded(_) => &NONE,
            One::Declared(stack, _) => &stack.sources,
        }
    }
}

impl Scope {
    async fn find(client: &Client, arguments: &TargetArguments, environment: &Environment) -> Result<Self, Failure> {
        if names_files(arguments) {
            let (target, live) = look(client, arguments, environment, Undeclared::Look).await?;
            let mut scope = Self { live, stacks: Vec::new(), unreadable: false };
            scope.declared(target, environment)?;
            return Ok(scope);
        }
        let mut scope = Self { live: snapshot::take(client).await?, stacks: Vec::new(), unreadable: false };
        let mut records = scope.records();
        let mut unknown = arguments.stacks.clone();
        if !unknown.is_empty() {
            unknown.retain(|name| !records.iter().any(|record| record.stack.as_str() == name));
            records.retain(|record| arguments.stacks.iter().any(|name| record.stack.as_str() == name));
        }
        let known: Vec<StackName> = records.iter().map(|record| record.stack.clone()).collect();
        scope.stacks = records.into_iter().map(|record| One::Recorded(Box::new(record))).collect();
        if !unknown.is_empty() || (known.is_empty() && arguments.stacks.is_empty()) {
            scope.without_record(arguments, unknown, environment).await?;
        }
        Ok(scope)
    }

    /// Every record, by stack. One that cannot be read is told of, and keeps no other from being looked at.
    fn records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        for found in self.live.configs.iter().filter_map(|config| Stored::from_config(config)) {
            match found {
                Ok(stored) => records.push(stored.record),
                Err(error) => {
                    self.unreadable = true;
                    print::say(&format!("skep: {error}"));
                }
            }
        }
        records.sort_by(|a, b| a.stack.cmp(&b.stack));
        records
    }

    /// Stacks that no record names, from the repository around the current directory.
    async fn without_record(
        &mut self,
        arguments: &TargetArguments,
        unknown: Vec<String>,
        environment: &Environment,
    ) -> Result<(), Failure> {
        if git::enclosing(&environment.directory)?.is_none() {
            let Some(name) = unknown.first() else { return Ok(()) };
            let all = self.records();
            let near = crate::diag::did_you_mean(name, all.iter().map(|record| record.stack.as_str()));
            return Err(Failure::usage_hint(
                format!("stack {name} has no record, and no files are named to compare it with"),
                match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("skep drift -c compose.yaml {name}, or skep drift --repo DIR|URL {name}"),
                },
            ));
        }
        let arguments = TargetArguments { stacks: unknown, ..arguments.clone() };
        let mut target = Target::load(&arguments, environment, Undeclared::Look, Name::Required).await?;
        fill(&mut target, &self.live);
        self.declared(target, environment)
    }

    fn declared(&mut self, target: Target, environment: &Environment) -> Result<(), Failure> {
        validate::show(&target, environment);
        if target.has_errors() {
            return Err(Failure::Invalid);
        }
        for stack in target.stacks {
            let stored = Stored::among(&self.live.configs, &stack.name).map_err(records::Error::from)?;
            let record = stored.map(|stored| Box::new(stored.record));
            self.stacks.push(One::Declared(Box::new(stack), record));
        }
        Ok(())
    }
}

/// Whether the arguments say where files are.
fn names_files(arguments: &TargetArguments) -> bool {
    !arguments.compose_files.is_empty()
        || arguments.repo.is_some()
        || arguments.reference.is_some()
        || arguments.discover.is_some()
        || !arguments.path.is_empty()
}

/// The tasks of the stacks, and what time it is by the engine's clock.
async fn tasks(client: &Client, scope: &Scope) -> Result<(Vec<Arc<Task>>, Option<Timestamp>), Failure> {
    let api = match scope.stacks.as_slice() {
        [] => return Ok((Vec::new(), None)),
        [one] => Api::<Task>::narrowed(client.clone(), Filters::new().stack(one.name())),
        _ => Api::<Task>::all(client.clone()),
    };
    let (listed, info) = tokio::try_join!(api.list(), client.info())?;
    if let Some(task) = listed.unreadable.first() {
        print::say(&format!("skep: task {} cannot be read and is left out: {}", task.id, task.error));
    }
    Ok((listed.items.into_iter().map(Arc::new).collect(), info.time.parse().ok()))
}

fn report(found: Found<'_>, one: &One) -> Result<Report, Failure> {
    let (record, stack) = match one {
        One::Recorded(record) => (Some(&**record), None),
        One::Declared(stack, record) => (record.as_deref(), Some(&**stack)),
    };
    let desired = stack.and_then(|stack| stack.desired.as_ref());
    if let Some(record) = record
        && let Some(applied) = applied(record, found.live)?
    {
        let applied = match desired {
            Some(desired) => applied.ignoring(desired),
            None => applied,
        };
        let mut report = plan::drift_of(found, &applied);
        report.revision = record.applied.as_ref().map(|applied| applied.revision.to_string());
        report.diagnostics.extend(under_way(record));
        return Ok(report);
    }
    Ok(match desired {
        Some(desired) => {
            // What is filled in where the files are silent is nobody's drift.
            let zero_downtime = ZeroDowntime::Auto;
            let policy = Policy { prune: Prune::Off, zero_downtime, ..Policy::default() };
            let plan = plan::plan(plan::Input {
                desired,
                live: found.live,
                applied: None,
                good: None,
                images: &Images::default(),
                policy: &policy,
            });
            plan::drift_of_files(found, &plan)
        }
        None => Report::unknown(found.stack.clone(), nothing_applied(found.stack)),
    })
}

/// What a record says was applied; `None` where it does not say, or what it names is gone.
fn applied(record: &Record, live: &Live) -> Result<Option<Applied>, Failure> {
    let Some(last) = &record.applied else { return Ok(None) };
    if !live.configs.iter().any(|config| config.spec.name == last.rendering) {
        return Ok(None);
    }
    Ok(rendering::applied(record, live).map_err(records::Error::from)?)
}

fn under_way(record: &Record) -> Option<Diagnostic> {
    let attempt = record.attempt.as_ref().filter(|attempt| !attempt.written)?;
    let message = format!(
        "revision {} is being applied since {}: what of it is written already shows as drift",
        attempt.revision.short(),
        print::moment(attempt.at)
    );
    Some(Diagnostic::warning(code::DRIFT_UNDER_WAY, message))
}

fn nothing_applied(stack: &StackName) -> Diagnostic {
    let message = format!("nothing says what was applied of stack {stack}, so there is nothing to compare with");
    Diagnostic::warning(code::DRIFT_NOTHING_APPLIED, message)
        .hint(format!("compare with its files: skep drift --repo DIR|URL {stack}"))
}
