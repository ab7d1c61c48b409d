//! What updates lose: an open-loop client against proxies and an application on a real swarm of three nodes, through `docker stack
//! deploy` and through skep, with the same files: `make bench-downtime`, docs/benchmarks.md.
//!
//! `SKEP_BENCH_SCENARIOS=updates,dies` runs only those, `SKEP_BENCH_TOOLS=docker,skep` only these tools; earlier rows are kept.
//! `SKEP_BENCH_RATE` (300) is in requests a second to each proxy. `SKEP_BENCH_TIMES=2` repeats everything so often at most.
//! `SKEP_BENCH_WRITE=1` writes the tables into docs/benchmarks.md.
//!
//! The same program is the application and a proxy in the containers, by its first argument.

mod app;
mod client;
mod controller;
mod figures;
#[path = "../swarm/markdown.rs"]
#[allow(dead_code, reason = "the other benchmarks use more of it")]
mod markdown;
#[path = "../swarm/measure.rs"]
#[allow(dead_code, reason = "the other benchmarks use more of it")]
mod measure;
mod names;
mod poller;
mod precedence;
mod proxies;
mod report;
mod scenarios;
mod stage;

/// The lab and the runner of the tests.
#[path = "../../tests/all"]
#[allow(dead_code, reason = "the tests use more of it")]
mod shared {
    pub mod lab;
    pub mod proxy;
    pub mod runner;
    pub mod wait;
}
use shared::{lab, proxy, runner, wait};

use std::process::ExitCode;

use stage::{Stage, Tool};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("app") => app::serve(),
        Some("healthy") => return if app::healthy() { ExitCode::SUCCESS } else { ExitCode::FAILURE },
        Some("poller") => poller::serve(),
        // `cargo test --benches` runs this as well, and has no use for it.
        _ if arguments.iter().any(|argument| argument == "--bench") => bench(),
        _ => {}
    }
    ExitCode::SUCCESS
}

fn bench() {
    let rate = std::env::var("SKEP_BENCH_RATE").map_or(300, |text| text.parse().expect("a number"));
    let most = std::env::var("SKEP_BENCH_TIMES").map_or(u64::MAX, |text| text.parse().expect("a number"));
    let wanted = list("SKEP_BENCH_SCENARIOS");
    let known = |name: &String| scenarios::ALL.iter().any(|scenario| scenario.name == name);
    if let Some(unknown) = wanted.iter().flatten().find(|name| !known(name)) {
        let names: Vec<&str> = scenarios::ALL.iter().map(|scenario| scenario.name).collect();
        panic!("there is no scenario {unknown}; there are {}", names.join(", "));
    }
    let stage = Stage::new(rate);
    let share = if stage.has_precedence() { "16 times the usual share" } else { "the usual share" };
    let policy = if stage.fills_in() { "" } else { ", which fills in no update policy" };
    let machine = format!("{}, {share} of the CPU, skep {}{policy}", machine(&stage), env!("CARGO_PKG_VERSION"));
    eprintln!("{machine}");
    let mut rows = Vec::new();
    for scenario in scenarios::ALL {
        if wanted.as_ref().is_none_or(|names| names.iter().any(|name| name == scenario.name)) {
            // Kept at once: the next one may fail.
            rows = report::keep(scenario.run(&stage, most));
        }
    }
    report::publish(&machine, rate, &rows);
}

/// Whether a tool's rows are to be measured.
pub fn asked_for(tool: Tool) -> bool {
    let name = if tool == Tool::Skep { "skep" } else { "docker" };
    list("SKEP_BENCH_TOOLS").is_none_or(|names| names.iter().any(|one| one == name))
}

fn list(variable: &str) -> Option<Vec<String>> {
    let text = std::env::var(variable).ok()?;
    Some(text.split(',').map(|word| word.trim().to_owned()).collect())
}

/// The machine, and what is compared on it.
fn machine(stage: &Stage) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let version = |format: &str| stage.lab.docker(1, &["version", "--format", format]);
    let (server, client) = (version("{{.Server.Version}}"), version("{{.Client.Version}}"));
    // `HAProxy version 2.6.12-…`, `nginx version: nginx/1.22.1`: the first word that is a number, as far as it is one.
    let of = |program: &str| {
        let output = std::process::Command::new(program).arg("-v").output().expect("a proxy of Debian's");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let words = text.split([' ', '/', '-', '\n']).map(str::to_owned);
        words.into_iter().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).unwrap_or_default()
    };
    format!(
        "3 nodes on {cores} cores ({}), Docker Engine {server}, docker client {client}, haproxy {}, nginx {}",
        std::env::consts::ARCH,
        of("haproxy"),
        of("nginx"),
    )
}
