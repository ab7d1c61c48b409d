//! The tables. Rows of earlier runs are kept, so that one scenario can be measured anew; each says which load it met.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::figures::{Figures, grouped, percent};
use super::markdown::{self, Table};
use super::proxies::{LATE, QUICK};
use super::scenarios::{self, Scenario};

/// Where rows are kept from one run to the next.
const KEPT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/downtime.json");

/// What one scenario gave with one tool.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    pub scenario: String,
    /// In words; empty where no tool did anything.
    pub tool: String,
    pub figures: Vec<Figures>,
    /// How long each update took.
    pub seconds: Vec<f64>,
    /// What the engine said of each update at its end.
    pub states: Vec<String>,
    /// The load before and after: how many tasks had or wanted a CPU, over the last minute.
    pub load: [f64; 2],
    pub note: String,
}

/// The load of the last minute.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Keeps rows, in place of earlier ones of the same scenario and tool, and gives all there are.
pub fn keep(new: Vec<Row>) -> Vec<Row> {
    let kept = std::fs::read(Path::new(KEPT)).ok().and_then(|bytes| serde_json::from_slice::<Vec<Row>>(&bytes).ok());
    let is_new = |row: &Row| new.iter().any(|other| other.scenario == row.scenario && other.tool == row.tool);
    let mut all: Vec<Row> = kept.unwrap_or_default().into_iter().filter(|row| !is_new(row)).collect();
    all.extend(new);
    let place = |row: &Row| scenarios::ALL.iter().position(|scenario| scenario.name == row.scenario);
    all.retain(|row| place(row).is_some());
    all.sort_by(|a, b| (place(a), &a.tool).cmp(&(place(b), &b.tool)));
    std::fs::write(KEPT, serde_json::to_vec_pretty(&all).expect("JSON")).expect("a file");
    all
}

/// Prints the tables, and writes them down if that is asked for.
pub fn publish(machine: &str, rate: u32, rows: &[Row]) {
    let mut text =
        format!("\n{machine}; {rate} requests a second to each proxy, a third of that to those that poll.\n\n");
    for tables in [main(rows), late(rows), circumstances(rows), aims(rows)] {
        text += &tables.text();
        text.push('\n');
    }
    let noted = rows.iter().filter(|row| !row.note.is_empty());
    for row in noted {
        text += &format!("- {}, {}: {}.\n", words(row), row.tool, row.note);
    }
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    markdown::publish("downtime", &text);
}

fn words(row: &Row) -> &'static str {
    let found: Option<&Scenario> = scenarios::ALL.iter().find(|scenario| scenario.name == row.scenario);
    found.map_or("", |scenario| scenario.words)
}

fn cell(row: &Row, target: &str) -> String {
    row.figures.iter().find(|figures| figures.target == target).map(Figures::words).unwrap_or_default()
}

fn main(rows: &[Row]) -> Table {
    let mut table = Table::new(["lost + slow of all", "", "haproxy", "haproxy-once", "nginx", "nginx-once"]);
    for row in rows.iter().filter(|row| row.figures.iter().any(|figures| QUICK.contains(&figures.target.as_str()))) {
        let mut cells = vec![words(row).to_owned(), row.tool.clone()];
        cells.extend(QUICK.iter().map(|target| cell(row, target)));
        table.row(cells);
    }
    table
}

fn late(rows: &[Row]) -> Table {
    let mut table = Table::new(["reads the list of tasks every 15 s", "", "with retry", "once"]);
    for row in rows.iter().filter(|row| row.figures.iter().any(|figures| LATE.contains(&figures.target.as_str()))) {
        let mut cells = vec![words(row).to_owned(), row.tool.clone()];
        cells.extend(LATE.iter().map(|target| cell(row, target)));
        table.row(cells);
    }
    table
}

/// How long, how it ended, and what the machine did meanwhile.
fn circumstances(rows: &[Row]) -> Table {
    let heading = ["", "", "times", "seconds each", "ended as", "longest out", "client late", "load before, after"];
    let mut table = Table::new(heading);
    for row in rows {
        let mut seconds = row.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        let range = match (seconds.first(), seconds.last()) {
            (Some(least), Some(most)) => format!("{least:.0} … {most:.0}"),
            _ => String::new(),
        };
        let mut states: Vec<(String, usize)> = Vec::new();
        for state in &row.states {
            match states.iter_mut().find(|(known, _)| known == state) {
                Some((_, count)) => *count += 1,
                None => states.push((state.clone(), 1)),
            }
        }
        let states: Vec<String> = states.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
        let out = row.figures.iter().map(|figures| figures.out).fold(0.0, f64::max);
        let late: u64 = row.figures.iter().map(|figures| figures.late).sum();
        let total: u64 = row.figures.iter().map(|figures| figures.total).sum();
        table.row(vec![
            words(row).to_owned(),
            row.tool.clone(),
            row.seconds.len().to_string(),
            range,
            states.join(", "),
            format!("{out:.1} s"),
            percent(late, total),
            format!("{:.1}, {:.1}", row.load[0], row.load[1]),
        ]);
    }
    table
}

/// What the project aims at.
fn aims(rows: &[Row]) -> Table {
    let mut table = Table::new(["aim", "lost", "of", ""]);
    let retrying = ["haproxy", "nginx"];
    for (aim, scenario, proxies, least) in [
        ("skep loses nothing of at least 100,000 in updates with a healthcheck", "updates", QUICK, 100_000),
        ("… while its leader is killed", "leader-killed", QUICK, 100_000),
        ("… of a version that dies, with a retry", "dies", &retrying[..], 0),
    ] {
        let of_skep = rows.iter().filter(|row| row.scenario == scenario && row.tool.starts_with("`skep"));
        let figures = of_skep.flat_map(|row| &row.figures).filter(|it| proxies.contains(&it.target.as_str()));
        let (lost, total) = figures.fold((0, 0), |(lost, total), it| (lost + it.lost(), total + it.total));
        let met = match total {
            0 => "not measured",
            _ if lost == 0 && total >= least => "met",
            _ => "missed",
        };
        table.row(vec![aim.to_owned(), grouped(lost), grouped(total), met.to_owned()]);
    }
    table
}
