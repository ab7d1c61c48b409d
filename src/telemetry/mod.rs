//! Logs.
//!
//! A line is a constant lower-case message and fields. Two libraries below log what must not be logged, request bodies
//! with secrets in them (bollard) and URLs with credentials (libgit2's), so their level has a ceiling that no setting lifts.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A level or filter that does not parse.
#[derive(Debug, thiserror::Error)]
#[error("`{level}` is no log level: take error, warn, info, debug or trace")]
pub struct LevelError {
    level: String,
}

/// Starts logging to standard error. `level` is `error`, `warn`, `info`, `debug`, `trace`, or a filter such as
/// `info,skep::source=debug`.
///
/// # Errors
/// [`LevelError`] where the level does not parse.
pub fn start(level: &str, format: Format) -> Result<(), LevelError> {
    let bad = || LevelError { level: level.to_owned() };
    let mut filter = EnvFilter::try_new(level).map_err(|_| bad())?;
    for ceiling in ["bollard=info", "hyper=info", "hyper_util=info", "rustls=info", "git2=info"] {
        filter = filter.add_directive(ceiling.parse().map_err(|_| bad())?);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let writer = std::io::stderr;
    let started = match format {
        Format::Text => {
            let colour = writer().is_terminal();
            registry.with(tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colour)).try_init()
        }
        Format::Json => registry.with(tracing_subscriber::fmt::layer().json().with_writer(writer)).try_init(),
    };
    // A second start in one process (tests) keeps the first one's settings.
    drop(started);
    Ok(())
}
