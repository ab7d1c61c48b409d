//! Runs the built `skep` in an environment of the test's own making.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;

use crate::lab;
use crate::wait::{wait_for, wait_until};

/// How long a command that is not meant to stay may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// How to run `skep`: nothing of the test's environment, a home of its own, a directory of its own. Stdin is empty.
#[derive(Clone)]
pub struct Skep {
    program: PathBuf,
    home: Arc<TempDir>,
    directory: PathBuf,
    environment: BTreeMap<String, String>,
    deadline: Duration,
}

impl Skep {
    /// Without an engine.
    pub fn offline() -> Skep {
        let home = Arc::new(tempfile::tempdir().expect("a home"));
        let directory = home.path().join("work");
        std::fs::create_dir(&directory).expect("a directory");
        let environment =
            [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("RUST_BACKTRACE", "1")];
        let mut environment: BTreeMap<String, String> = environment.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        environment.insert("HOME".to_owned(), home.path().display().to_string());
        Skep { program: env!("CARGO_BIN_EXE_skep").into(), home, directory, environment, deadline: DEADLINE }
    }

    /// With this `DOCKER_HOST`.
    pub fn on(docker_host: &str) -> Skep {
        Skep::offline().env("DOCKER_HOST", docker_host)
    }

    /// With another program in its place, which is how this runner is itself tested.
    #[must_use]
    pub fn instead(mut self, program: &str) -> Skep {
        self.program = program.into();
        self
    }

    /// With a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Skep {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// In this directory instead of an empty one.
    #[must_use]
    pub fn at(mut self, directory: &Path) -> Skep {
        self.directory = directory.to_owned();
        self
    }

    /// With another deadline for [`Skep::run`].
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Skep {
        self.deadline = deadline;
        self
    }

    /// `HOME`; `docker`'s configuration is looked for in `.docker` there.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where it runs.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs it to its end; panics with what it said when it does not end in time.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Outcome {
        self.spawn(arguments).outcome(self.deadline)
    }

    /// Runs it to its end through a shell that lets it have so many bytes of data, in which an allocation beyond them
    /// fails; gives how long that took and the most memory that was seen to be resident.
    ///
    /// The kernel's own figure for a process that ended counts the memory of the one that started it as well.
    #[track_caller]
    pub fn measure<A: AsRef<OsStr>>(&self, arguments: &[A], data: u64) -> (Outcome, Duration, u64) {
        let limit = format!("ulimit -d {}; exec \"$@\"", data / 1024);
        let mut given: Vec<&OsStr> = ["-c", &limit, "sh"].map(OsStr::new).to_vec();
        given.push(self.program.as_os_str());
        given.extend(arguments.iter().map(AsRef::as_ref));
        let started = std::time::Instant::now();
        let mut process = self.clone().instead("/bin/sh").spawn(&given);
        let mut peak = 0;
        while process.is_running() && started.elapsed() < self.deadline {
            peak = peak.max(process.peak().unwrap_or(0));
            std::thread::sleep(Duration::from_millis(1));
        }
        let left = self.deadline.saturating_sub(started.elapsed());
        let outcome = process.outcome(left);
        (outcome, started.elapsed(), peak)
    }

    /// Starts it: `skep run`, or a command to be interrupted.
    #[track_caller]
    pub fn spawn<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Process {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().envs(&self.environment).current_dir(&self.directory);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("skep starts");
        lab::watch(child.id());
        let stdout = Capture::of(child.stdout.take().expect("a piped stdout"));
        let stderr = Capture::of(child.stderr.take().expect("a piped stderr"));
        Process { child, stdout, stderr, _home: Arc::clone(&self.home) }
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Outcome {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// The exit code; none if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Demands an exit code, and shows what was said otherwise.
    #[track_caller]
    pub fn expect(self, code: i32) -> Outcome {
        assert_eq!(self.code(), Some(code), "{}\n── stdout\n{}\n── stderr\n{}", self.status, self.stdout, self.stderr);
        self
    }

    /// The standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("not JSON ({error})\n── stdout\n{}\n── stderr\n{}", self.stdout, self.stderr)
        })
    }
}

/// A `skep` that runs. It is killed when this is dropped.
pub struct Process {
    child: Child,
    stdout: Capture,
    stderr: Capture,
    /// It outlives the [`Skep`] that started this.
    _home: Arc<TempDir>,
}

impl Process {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on stderr so far: its log.
    pub fn log(&self) -> String {
        self.stderr.text()
    }

    /// What it has said on stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Waits until the log contains a text.
    #[track_caller]
    pub fn wait_log(&mut self, within: Duration, text: &str) {
        let what = format!("the log says {text:?}");
        let (child, stderr) = (&mut self.child, &self.stderr);
        let ended = wait_for(within, &what, || {
            let said = stderr.text().contains(text);
            said.then_some(None).or_else(|| child.try_wait().expect("a child").map(Some))
        });
        if let Some(status) = ended {
            assert!(self.finished_log().contains(text), "skep ended ({status}) before {what}\n{}", self.log());
        }
    }

    /// SIGKILL, and waits for the end: what a crash of the machine leaves is what is left.
    pub fn kill(mut self) -> Outcome {
        self.child.kill().expect("a child to kill");
        self.outcome(DEADLINE)
    }

    /// SIGTERM, and waits for the end.
    #[track_caller]
    pub fn terminate(self, within: Duration) -> Outcome {
        self.signal("TERM");
        self.outcome(within)
    }

    /// Sends a signal by its name, such as `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success(), "kill -s {name}: {sent}");
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Its resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a living process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }

    /// The most memory that was resident, in bytes; nothing once it has ended.
    fn peak(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
    }

    /// Waits for the end.
    #[track_caller]
    pub fn outcome(mut self, within: Duration) -> Outcome {
        let deadline = std::time::Instant::now() + within;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            if std::time::Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("skep did not end in {within:?}\n── stdout\n{}\n── stderr\n{}", self.stdout(), self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Outcome { status, stdout: self.stdout.finish(), stderr: self.stderr.finish() }
    }

    fn finished_log(&self) -> String {
        wait_until(Duration::from_secs(5), "the log is read to its end", || self.stderr.is_finished());
        self.log()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("── log of skep {}\n{}", self.child.id(), self.log());
        }
    }
}

/// A pipe being read into memory.
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Capture {
    fn of(mut pipe: impl Read + Send + 'static) -> Capture {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                sink.lock().expect("no panic while appending").extend_from_slice(&buffer[..count]);
            }
        });
        Capture { bytes, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no panic while appending")).into_owned()
    }

    fn is_finished(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// All of it; only after the process ended.
    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        self.text()
    }
}
