//! `skep healthcheck`: is the controller on this host alive?
//!
//! `skep run` touches a file after each turn of its main loop, which waits for nothing outside. A process that hangs stops
//! doing so; one that merely cannot reach the engine or git does not, since restarting it would mend nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exit::Exit;

/// How often the file is touched.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// The age at which the controller is taken for dead: five beats missed.
const STALE: Duration = Duration::from_secs(30);

/// The file, where nobody names one.
pub fn default_path() -> PathBuf {
    std::env::temp_dir().join("skep.heartbeat")
}

/// Says whether the heartbeat is fresh.
pub fn run(path: Option<&Path>) -> Exit {
    let default = default_path();
    let path = path.unwrap_or(&default);
    let age = std::fs::metadata(path).and_then(|meta| meta.modified()).map(|time| time.elapsed().unwrap_or_default());
    match age {
        Ok(age) if age < STALE => Exit::Done,
        Ok(age) => {
            eprintln!("the controller has not moved for {} s ({})", age.as_secs(), path.display());
            Exit::Failed
        }
        Err(error) => {
            eprintln!("no controller runs here: {}: {error}", path.display());
            Exit::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_beat_is_alive_and_a_stale_or_absent_one_is_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("beat");
        assert_eq!(run(Some(&path)), Exit::Failed);
        let file = std::fs::File::create(&path).expect("created");
        assert_eq!(run(Some(&path)), Exit::Done);
        file.set_modified(std::time::SystemTime::now() - STALE).expect("set");
        assert_eq!(run(Some(&path)), Exit::Failed);
    }
}
