//! `skep run`: the controller.

use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::operator::run::{Options, run as operate};
use crate::operator::sources::Source;
use crate::runtime::RESYNC;
use crate::settings::{self, Controller};
use crate::source::git;

use super::arguments::RunArguments;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::{connect, healthcheck, keys, records, target};

pub async fn run(arguments: &RunArguments, environment: &Environment) -> Result<Exit, Failure> {
    let configuration = target::configuration(arguments.config.as_deref())?;
    let sources = sources(arguments, &configuration, environment)?;
    let state = state_dir(arguments, &configuration)?;
    git::initialise(git::Setup { home: Some(state.join("home")), ..git::Setup::default() });
    let client = connect::client(environment)?;
    let keys = keys::checked(environment, &configuration)?;
    let docker_config = arguments.docker_config.clone().or_else(|| configuration.docker_config.map(PathBuf::from));
    let options = Options {
        client,
        credentials: connect::credentials(environment, docker_config.as_deref()),
        sources,
        repositories: configuration.credentials.iter().map(target::credential).collect(),
        keys,
        clones: state.join("clones"),
        cluster: arguments.cluster.clone().or(configuration.cluster),
        holder: holder(environment),
        resync: configuration.resync.unwrap_or(RESYNC),
    };
    let cancel = CancellationToken::new();
    tokio::spawn(stop_on_signal(cancel.clone()));
    let heartbeat = arguments.heartbeat.clone().unwrap_or_else(healthcheck::default_path);
    let beating = tokio::spawn(beat(heartbeat.clone()));
    let ended = operate(options, cancel).await;
    beating.abort();
    drop(std::fs::remove_file(heartbeat));
    ended?;
    Ok(Exit::Done)
}

/// The sources of the flags, or those of the file.
fn sources(
    arguments: &RunArguments,
    configuration: &Controller,
    environment: &Environment,
) -> Result<Vec<Source>, Failure> {
    let mut wanted = configuration.sources.clone();
    if let Some(repo) = &arguments.repo {
        let interval = arguments.interval.as_deref().map(records::duration).transpose()?;
        wanted = vec![settings::Source {
            url: repo.clone(),
            reference: arguments.reference.clone(),
            path: arguments.path.clone().unwrap_or_default(),
            interval,
            discover: arguments.discover.clone(),
        }];
    }
    if wanted.is_empty() {
        return Err(Failure::usage_hint(
            "there is nothing to follow",
            "skep run --repo URL|PATH, or sources: in the file that --config names",
        ));
    }
    Ok(wanted
        .iter()
        .map(|source| {
            let mut source = Source::new(source);
            let local = environment.directory.join(source.url.reveal());
            if local.exists() {
                // The same repository has the same name wherever skep is started.
                let local = std::fs::canonicalize(&local).unwrap_or(local);
                source.url = crate::model::RedactedUrl::new(local.to_string_lossy());
            }
            source
        })
        .collect())
}

/// A private directory for clones.
fn state_dir(arguments: &RunArguments, configuration: &Controller) -> Result<PathBuf, Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let chosen = arguments.state_dir.clone().or_else(|| configuration.state_dir.clone().map(PathBuf::from));
    let path = chosen.unwrap_or_else(|| std::env::temp_dir().join("skep"));
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.map_err(|error| Failure::usage(format!("{} cannot be made: {error}", path.display())))?;
    Ok(path)
}

/// What this instance calls itself: its host, and its process, since two may run on one host.
fn holder(environment: &Environment) -> String {
    let host = environment.who();
    let host = host.rsplit('@').next().unwrap_or("localhost");
    format!("{host}/{}", std::process::id())
}

/// SIGTERM and Ctrl-C end the controller after the write it is at. A second one ends it at once.
async fn stop_on_signal(cancel: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be listened to");
        return;
    };
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if cancel.is_cancelled() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        tracing::info!("stopping");
        cancel.cancel();
    }
}

async fn beat(path: PathBuf) {
    let mut failing = false;
    loop {
        match tokio::fs::write(&path, b"alive\n").await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(path = %path.display(), error = %error, "the heartbeat cannot be written");
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_secs(healthcheck::INTERVAL.as_secs())).await;
    }
}
