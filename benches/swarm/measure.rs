//! Times and CPU seconds.

use std::process::Command;
use std::time::{Duration, Instant};

/// What several runs gave.
#[derive(Clone, Copy)]
pub struct Sample {
    pub median: Duration,
    pub least: Duration,
    pub most: Duration,
}

impl Sample {
    /// Of at least one run.
    pub fn of(mut runs: Vec<Duration>) -> Sample {
        runs.sort();
        Sample { median: runs[runs.len() / 2], least: runs[0], most: runs[runs.len() - 1] }
    }
}

/// Takes several measurements in turn, once to warm caches and then several times, so that all of them meet the same load.
pub fn side_by_side<const N: usize>(runs: usize, mut measure: [&mut dyn FnMut() -> Duration; N]) -> [Sample; N] {
    let mut all = [const { Vec::new() }; N];
    for run in 0..=runs {
        for (measure, times) in measure.iter_mut().zip(&mut all) {
            let time = measure();
            if run > 0 {
                times.push(time);
            }
        }
    }
    all.map(Sample::of)
}

/// How long a command takes, which must end well.
pub fn time(command: Command) -> Duration {
    let start = Instant::now();
    run(command);
    start.elapsed()
}

/// What running a command several times took.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: Sample,
    /// A mean: the kernel tells a process what all its children took, in hundredths of a second.
    pub cpu: Duration,
}

/// Runs commands, one after the other, once to warm caches and then several times.
pub fn command(runs: usize, mut make: impl FnMut() -> Vec<Command>) -> Cost {
    once(make());
    let before = cpu_of_children();
    let walls = (0..runs).map(|_| {
        let commands = make();
        let start = Instant::now();
        once(commands);
        start.elapsed()
    });
    let wall = Sample::of(walls.collect());
    let cpu = (cpu_of_children() - before) / u32::try_from(runs).expect("few runs");
    Cost { wall, cpu }
}

fn once(commands: Vec<Command>) {
    commands.into_iter().for_each(run);
}

/// Runs a command to its end, which must be a good one.
pub fn run(mut command: Command) {
    let output = command.output().expect("the command runs");
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{command:?}: {}
{said}{error}",
        output.status
    );
}

/// CPU time of this process's children that have ended.
fn cpu_of_children() -> Duration {
    cpu("self", [15, 16])
}

/// CPU time of a process that runs, its ended threads included.
pub fn cpu_of(process: u32) -> Duration {
    cpu(&process.to_string(), [13, 14])
}

/// The sum of fields of `/proc/PID/stat`, counted from 0, which are in units of 10 ms on every Linux (USER_HZ).
fn cpu(process: &str, fields: [usize; 2]) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("/proc");
    // The name in parentheses may hold spaces.
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let field = |index: usize| rest.split_whitespace().nth(index - 2).and_then(|text| text.parse().ok());
    let ticks: u64 = fields.iter().map(|&index| field(index).unwrap_or(0_u64)).sum();
    Duration::from_millis(ticks * 10)
}

/// Milliseconds with as many digits as matter.
pub fn milliseconds(time: Duration) -> String {
    let value = time.as_secs_f64() * 1000.0;
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}
