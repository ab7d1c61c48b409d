//! `skep validate`: every fault in the files. Needs no swarm.

use serde_json::json;

use crate::diag::{Faults, Report, Shown};
use crate::lint::{self, World};

use super::arguments::{Output, ValidateArguments};
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::print;
use super::target::{Name, Origin, Target, Undeclared};

pub async fn run(arguments: &ValidateArguments, environment: &Environment) -> Result<Exit, Failure> {
    let mut target = Target::load(&arguments.target, environment, Undeclared::Look, Name::Optional).await?;
    remark(&mut target);
    if arguments.output == Output::Json {
        let shown: Vec<Shown> =
            target.faults().flat_map(|(diagnostics, sources)| Report { diagnostics, sources }.shown()).collect();
        print::json(&json!({ "diagnostics": shown }))?;
    } else {
        show(&target, environment);
        if !target.has_errors() {
            let stacks = target.stacks.len();
            print::text(&format!("{stacks} {}: no errors\n", if stacks == 1 { "stack" } else { "stacks" }))?;
        }
    }
    Ok(if target.has_errors() { Exit::Failed } else { Exit::Done })
}

/// Adds to each stack which of its updates would drop requests: beside each other, since a proxy serves them all.
fn remark(target: &mut Target) {
    let desired = target.stacks.iter().filter_map(|stack| stack.desired.as_ref());
    let world = desired.fold(World::default(), World::and_files);
    for stack in &mut target.stacks {
        let Some(desired) = &stack.desired else { continue };
        let mut faults = Faults::new();
        faults.extend(std::mem::take(&mut stack.diagnostics));
        faults.extend(lint::of_files(desired, stack.settings.zero_downtime.into(), &world));
        stack.diagnostics = faults.into_sorted();
    }
}

/// Prints every fault to standard error, and the `skep.yaml` that is missing.
pub fn show(target: &Target, environment: &Environment) {
    for (diagnostics, sources) in target.faults() {
        print::diagnostics(diagnostics, sources, environment.style());
    }
    if let (Some(suggestion), Origin::Repository { .. }) = (&target.suggestion, &target.origin) {
        print::say("there is no skep.yaml; this one would declare what was found:");
        print::say(suggestion);
    }
}
