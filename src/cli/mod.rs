//! The command line: one file a verb.
//!
//! Standard output is data, standard error is talk. Every verb returns an [`exit::Exit`] or a [`failure::Failure`]; only
//! [`main`] turns them into words and codes.

pub mod arguments;
pub mod coverage;
pub mod environment;
pub mod exit;
pub mod failure;
pub mod healthcheck;
pub mod reference;
pub mod schema;

mod apply;
mod ask;
mod audit;
mod connect;
mod delete;
mod drift;
mod import;
mod interrupt;
mod keys;
mod parallel;
mod plan;
mod print;
mod progress;
mod records;
mod render;
mod run;
mod saved;
mod status;
mod target;
mod validate;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Verb};
use environment::Environment;
use exit::Exit;
use failure::Failure;
use interrupt::Stop;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let failed = error.use_stderr();
            drop(error.print());
            // clap ends with 2; in this program 2 means "there are changes".
            return if failed { Exit::Failed.into() } else { Exit::Done.into() };
        }
    };
    let level = arguments.log_level.clone().unwrap_or_else(|| match arguments.verb {
        Verb::Run(_) => "info".to_owned(),
        _ => "warn".to_owned(),
    });
    if let Err(error) = crate::telemetry::start(&level, arguments.log_format) {
        eprintln!("skep: {error}");
        return Exit::Failed.into();
    }
    let environment = match Environment::read() {
        Ok(environment) => environment,
        Err(error) => {
            eprintln!("skep: the current directory cannot be read: {error}");
            return Exit::Failed.into();
        }
    };
    if let Verb::Run(_) = arguments.verb {
        one_heap();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("skep: no threads can be started: {error}");
            return Exit::Failed.into();
        }
    };
    let exit = match runtime.block_on(dispatch(arguments.verb, &environment)) {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    };
    // A blocked read of a repository must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(100));
    exit.into()
}

/// Lets all threads share one heap. With one each, as glibc has it, what a pass over the swarm takes for a moment stays with
/// every thread that ever made one: 3 MB at 300 services. A controller waits for the engine, not for its allocator.
fn one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a setting of the allocator, made while there is one thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

async fn dispatch(verb: Verb, environment: &Environment) -> Result<Exit, Failure> {
    match verb {
        Verb::Plan(arguments) => Stop::listen().unless(plan::run(&arguments, environment)).await,
        Verb::Apply(arguments) => apply::run(&arguments, environment).await,
        Verb::Drift(arguments) => Stop::listen().unless(drift::run(&arguments, environment)).await,
        Verb::Audit(arguments) => Stop::listen().unless(audit::run(&arguments, environment)).await,
        Verb::Render(arguments) => Stop::listen().unless(render::run(&arguments, environment)).await,
        Verb::Validate(arguments) => Stop::listen().unless(validate::run(&arguments, environment)).await,
        Verb::Run(arguments) => run::run(&arguments, environment).await,
        Verb::Status(arguments) => Stop::listen().unless(status::run(&arguments, environment)).await,
        Verb::Suspend(arguments) => records::suspend(&arguments, environment).await,
        Verb::Resume(arguments) => records::resume(&arguments, environment).await,
        Verb::Retry(arguments) => records::retry(&arguments, environment).await,
        Verb::Sync(arguments) => records::sync(&arguments, environment).await,
        Verb::Import(arguments) => Stop::listen().unless(import::run(&arguments, environment)).await,
        Verb::Delete(arguments) => delete::run(&arguments, environment).await,
        Verb::Schema(arguments) => print::text(&arguments.name.text()).map(|()| Exit::Done),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "skep", &mut script);
            print::bytes(&script).map(|()| Exit::Done)
        }
        Verb::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page).map_err(Failure::output)?;
            print::bytes(&page).map(|()| Exit::Done)
        }
        Verb::Healthcheck(arguments) => Ok(healthcheck::run(arguments.heartbeat.as_deref())),
    }
}
