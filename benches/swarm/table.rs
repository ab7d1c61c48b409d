//! The tables of this benchmark.

use std::fmt::Write as _;

use crate::controller::Report;
use crate::fleet::Size;
use crate::lab::Lab;
pub use crate::markdown::Table;
use crate::markdown::{self, median, range};
use crate::measure::{Cost, Sample, milliseconds};

/// A row of a command: wall time, CPU, requests.
pub fn cost(name: &str, cost: &Cost, requests: Option<(usize, usize)>) -> Vec<String> {
    let (requests, writes) = requests.map_or_else(Default::default, |(requests, writes)| counts(requests, writes));
    let cpu = format!("{} ms", milliseconds(cost.cpu));
    vec![name.into(), median(&cost.wall), range(&cost.wall), cpu, requests, writes]
}

/// The same where CPU time is not known.
pub fn sample(name: &str, wall: &Sample, (requests, writes): (usize, usize)) -> Vec<String> {
    let (requests, writes) = counts(requests, writes);
    vec![name.into(), median(wall), range(wall), String::new(), requests, writes]
}

fn counts(requests: usize, writes: usize) -> (String, String) {
    (requests.to_string(), writes.to_string())
}

/// What was measured of the controller.
pub fn controller(report: &Report, size: Size) -> Table {
    let mut table = Table::new(["`skep run`", "", "min … max"]);
    let mut row = |name: &str, figure: String, more: String| table.row(vec![name.into(), figure, more]);
    let megabytes = |kilobytes: u64| format!("{:.1} MB", kilobytes as f64 / 1024.0);
    let [resident, anonymous, peak] = report.memory;
    row("memory when idle (RSS)", megabytes(resident), String::new());
    row("… of which its own (the rest is the program file)", megabytes(anonymous), String::new());
    row("… the most since the start", megabytes(peak), String::new());
    let pass = &report.pass;
    row("an unchanged pass: requests", format!("{:.1}", pass.requests), String::new());
    row("… writes", format!("{:.1}", pass.writes), String::new());
    row("… CPU, the lease's share included", format!("{} ms", milliseconds(pass.cpu)), String::new());
    row("… waiting for the engine", format!("{} ms", milliseconds(pass.waiting)), String::new());
    row("the lists right after, all at once", median(&pass.lists), range(&pass.lists));
    row("requests a second for the lease", format!("{:.1}", report.lease), String::new());
    let (requests, writes) = report.unconcerned;
    row("a commit that concerns no stack: requests", requests.to_string(), String::new());
    row(&format!("… writes (to skep's own {} records)", size.stacks), writes.to_string(), String::new());
    let mut time = |name: &str, sample: &Sample| row(name, median(sample), range(sample));
    time("commit → first write, that of the record", &report.attempt);
    time("commit → first write to a service", &report.service);
    time("change by hand → reported as drift", &report.report);
    time("SIGTERM to the leader → another has the lease", &report.takeover);
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_skep")).expect("the program").len();
    row("size of the program file", megabytes(size / 1024), String::new());
    table
}

/// The machine in words.
pub fn machine(lab: &Lab) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let version = |format: &str| lab.docker(1, &["version", "--format", format]);
    let (server, client) = (version("{{.Server.Version}}"), version("{{.Client.Version}}"));
    format!("{cores} cores ({}), Docker Engine {server}, docker client {client}", std::env::consts::ARCH)
}

/// Prints the tables, and writes them down if that is asked for.
pub fn publish(machine: &str, size: Size, runs: usize, tables: &[Table]) {
    let mut text = format!(
        "\n{} services of 0 replicas in {} stacks; {machine}; medians of {runs} runs,",
        size.services, size.stacks
    );
    let _ = writeln!(text, " of {} where something is written.\n", runs.div_ceil(3));
    for table in tables {
        text.push_str(&table.text());
        text.push('\n');
    }
    markdown::publish("figures", &text);
}
