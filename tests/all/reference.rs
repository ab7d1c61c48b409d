//! What skep is compared with: Docker's own client, and a second engine beside this machine's.
//!
//! The client is the `docker` on PATH if it is 25 or newer (older ones refuse most stack files), else the next Debian's, which
//! `scripts/engine` unpacks with its engine. Where it cannot be had, the tests that need it say so and the others run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The oldest client that reads the files people write today.
const OLDEST: u32 = 25;

/// What `scripts/engine` unpacked.
#[derive(Debug)]
pub struct Unpacked {
    dir: PathBuf,
}

impl Unpacked {
    /// Its dockerd, for a lab.
    pub fn dockerd(&self) -> PathBuf {
        self.dir.join("dockerd")
    }

    /// Its client.
    pub fn docker(&self) -> PathBuf {
        self.dir.join("bin/docker")
    }
}

/// The next Debian's engine and client, unpacked once for all runs on this machine.
///
/// # Errors
/// Why they cannot be had.
pub fn unpacked() -> Result<&'static Unpacked, &'static str> {
    static UNPACKED: OnceLock<Result<Unpacked, String>> = OnceLock::new();
    let unpack = || {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/engine");
        let output = Command::new(script).stdin(Stdio::null()).output().expect("scripts/engine runs");
        match output.status.success() {
            true => Ok(Unpacked { dir: String::from_utf8_lossy(&output.stdout).trim().into() }),
            false => Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")),
        }
    };
    UNPACKED.get_or_init(unpack).as_ref().map_err(String::as_str)
}

/// The client to compare with.
///
/// # Errors
/// Why there is none.
pub fn client() -> Result<&'static Path, &'static str> {
    static CLIENT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let choose = || {
        let own = PathBuf::from("docker");
        let client = if major(&own).is_some_and(|major| major >= OLDEST) { own } else { unpacked()?.docker() };
        say(&format!("USED: {}", version(&client).unwrap_or_default()));
        Ok(client)
    };
    CLIENT.get_or_init(choose).as_deref().map_err(String::as_str)
}

/// The client, to be given a command: of the environment it has PATH and what is given, and no configuration of anybody's.
pub fn docker(client: &Path, variables: &[(String, String)]) -> Command {
    let mut command = Command::new(client);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("DOCKER_CONFIG", "/nonexistent");
    command.envs(variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    command
}

/// Says something past the test harness, which swallows what passing tests print; `scripts/test` repeats it at its end.
pub fn say(line: &str) {
    use std::io::Write as _;
    // One write, so that no other test's line comes between.
    let _ = std::io::stderr().write_all(format!("\n{line}\n").as_bytes());
}

/// Says that tests are not run, and why.
pub fn skip(what: &str, why: &str) {
    say(&format!("SKIPPED: {what}: {why}"));
}

/// The client's major version: what it reads changed over time.
pub fn major(client: &Path) -> Option<u32> {
    version(client)?.split_whitespace().nth(2)?.split('.').next()?.parse().ok()
}

/// `Docker version 28.2.2, build …`.
fn version(client: &Path) -> Option<String> {
    let output = Command::new(client).arg("--version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
