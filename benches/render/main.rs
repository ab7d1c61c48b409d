//! `skep render` of one large file beside `docker stack config` of the same: `make bench`, or without an engine and without
//! root `cargo bench --bench render`.
//!
//! `SKEP_BENCH_SERVICES` (1000) and `SKEP_BENCH_RUNS` (11) come from the environment; `SKEP_BENCH_WRITE=1` writes the figures
//! into docs/benchmarks.md.

#[path = "../swarm/markdown.rs"]
mod markdown;
#[path = "../swarm/measure.rs"]
#[allow(dead_code, reason = "the other benchmark uses more of it")]
mod measure;
mod stack;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use markdown::{Table, median, range};
use measure::milliseconds;

/// What the project aims at, for 1,000 services on 40,000 lines.
const TIME: Duration = Duration::from_millis(500);
const MEMORY: u64 = 100_000_000;

fn main() {
    // `cargo test --benches` runs this as well, and has no use for it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (services, runs) = (number("SKEP_BENCH_SERVICES", 1000), number("SKEP_BENCH_RUNS", 11));
    let directory = tempfile::tempdir().expect("a directory");
    let text = stack::write(directory.path(), services);
    let lines = text.lines().count();
    assert!(lines >= services * stack::LINES, "the file has {lines} lines");
    eprintln!("{services} services, {lines} lines, {} KB", text.len() / 1000);

    let skep = || command(env!("CARGO_BIN_EXE_skep"), directory.path(), &["render", "-c", "stack.yaml", "large"]);
    let docker = || command("docker", directory.path(), &["stack", "config", "-c", "stack.yaml"]);
    let version = Command::new("docker").arg("--version").output().expect("docker runs");
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let mut table = Table::new(["", "wall: median", "min … max", "CPU", "memory, at most"]);
    let mut row = |name: &str, make: &dyn Fn() -> Command| {
        eprintln!("{name} …");
        let cost = measure::command(runs, || vec![make()]);
        let peak = peak(make());
        let cpu = format!("{} ms", milliseconds(cost.cpu));
        table.row(vec![name.into(), median(&cost.wall), range(&cost.wall), cpu, megabytes(peak)]);
        (cost.wall.median, peak)
    };
    let (time, memory) = row("`skep render`", &skep);
    row("`docker stack config`", &docker);

    let mut aims = Table::new(["aim", "allowed", "measured", ""]);
    let mut aim = |name: &str, allowed: String, measured: String, met: bool| {
        aims.row(vec![name.into(), allowed, measured, if met { "met" } else { "missed" }.into()]);
    };
    let time_in_words = |time| format!("{} ms", milliseconds(time));
    aim("time of `skep render`", time_in_words(TIME), time_in_words(time), time < TIME);
    aim("memory of `skep render`", megabytes(MEMORY), megabytes(memory), memory < MEMORY);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let heading = format!(
        "\n{services} services on {lines} lines ({} KB); {cores} cores ({}), {version}; {runs} runs.\n\n",
        text.len() / 1000,
        std::env::consts::ARCH
    );
    markdown::publish("render", &format!("{heading}{}\n{}\n", table.text(), aims.text()));
}

fn command(program: &str, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command.env("HOME", "/nonexistent").envs(stack::VARIABLES.iter().copied()).stdin(Stdio::null());
    command
}

/// The most memory that a command has resident, in bytes, as seen every half a millisecond.
fn peak(mut command: Command) -> u64 {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_micros(500));
    }
    peak
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
