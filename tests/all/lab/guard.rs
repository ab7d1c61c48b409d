//! The guard: a process of its own that cleans up when this one has ended, however it ended.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Stdio};
use std::sync::{Mutex, OnceLock};

static GUARD: OnceLock<Mutex<ChildStdin>> = OnceLock::new();

/// Starts the guard, once, after removing what killed runs have left. It reads from a pipe whose other end nobody but this process
/// holds, so the kernel tells it.
pub fn stand() -> &'static Mutex<ChildStdin> {
    GUARD.get_or_init(|| {
        let swept = super::script().arg("sweep").status().expect("scripts/lab runs");
        assert!(swept.success(), "lab sweep: {swept}");
        let mut guard = super::script();
        guard.args(["guard", &std::process::id().to_string()]).stdin(Stdio::piped());
        // Not this process's output, or whoever reads that would wait for the guard; not its group, which Ctrl-C ends.
        guard.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Mutex::new(guard.spawn().expect("scripts/lab runs").stdin.take().expect("a piped stdin"))
    })
}

/// Has a child process ended with this one, even if this one is killed.
pub fn watch(pid: u32) {
    let mut pipe = stand().lock().expect("nobody panics while writing a line");
    writeln!(pipe, "pid {pid}").expect("the guard reads");
}
