//! What is done to the application while the client sends.

use std::time::Duration;

use super::client::Client;
use super::controller;
use super::proxies::{self, LATE, QUICK, SERVICE};
use super::report::{Row, load};
use super::stage::{App, SOON, Stage, Tool};
use super::wait::wait_until;

/// The client goes on for so long after the last thing that was done, so that late effects are seen.
const AFTERWARDS: Duration = Duration::from_secs(6);

/// A scenario: its name for `SKEP_BENCH_SCENARIOS`, what it is in a table, how many times something is done in it.
pub struct Scenario {
    pub name: &'static str,
    pub words: &'static str,
    pub times: u64,
    run: fn(&Stage, &Scenario, u64) -> Vec<Row>,
}

/// All of them, in the order of the table.
pub const ALL: &[Scenario] = &[
    Scenario { name: "control", words: "nothing is done", times: 1, run: control },
    Scenario { name: "updates", words: "3 replicas with a healthcheck", times: 20, run: updates },
    Scenario { name: "unchecked", words: "3 replicas without a healthcheck", times: 1, run: unchecked },
    Scenario { name: "abrupt", words: "exits at once on SIGTERM", times: 3, run: abrupt },
    Scenario { name: "serves-on", words: "serves on for 16 s after SIGTERM", times: 1, run: serves_on },
    Scenario { name: "one-replica", words: "1 replica", times: 5, run: one_replica },
    Scenario { name: "dies", words: "turns healthy and dies 3 s later", times: 2, run: dies },
    Scenario { name: "drain", words: "a node is drained, 3 replicas", times: 1, run: drain },
    Scenario { name: "drain-one", words: "its node is drained, 1 replica", times: 1, run: drain_one },
    Scenario { name: "node-lost", words: "a node is cut off, 3 replicas", times: 1, run: node_lost },
    Scenario { name: "leader-killed", words: "skep's leader is killed in each update", times: 3, run: leader_killed },
];

impl Scenario {
    /// Runs it, with at most so many repetitions.
    pub fn run(&self, stage: &Stage, most: u64) -> Vec<Row> {
        (self.run)(stage, self, self.times.min(most))
    }
}

/// Measures one thing: `act` is done while the client sends to these proxies.
pub fn measure(stage: &Stage, scenario: &Scenario, tool: &str, proxies: &[&str], act: impl FnOnce(&mut Row)) -> Row {
    eprintln!("{}: {tool} …", scenario.name);
    let mut row = Row { scenario: scenario.name.into(), tool: tool.into(), load: [load(), 0.0], ..Row::default() };
    let client: Client = stage.client(proxies);
    std::thread::sleep(Duration::from_secs(2));
    act(&mut row);
    std::thread::sleep(AFTERWARDS);
    row.figures = client.stop();
    row.load[1] = load();
    for figures in &row.figures {
        eprintln!("  {:14}{}  {figures:?}", figures.target, figures.words());
    }
    eprintln!("  {:?} {:?} load {:?}", row.seconds, row.states, row.load);
    row
}

/// Both tools, one after the other, each on an application of its own.
fn both(stage: &Stage, app: &App, mut one: impl FnMut(Tool) -> Row, proxies: &[&str]) -> Vec<Row> {
    let each = [Tool::Docker, Tool::Skep].into_iter().filter(|tool| super::asked_for(*tool)).map(|tool| {
        stage.first(app, tool, proxies);
        let row = one(tool);
        stage.clear();
        row
    });
    each.collect()
}

/// So many updates of an application.
fn rolling(stage: &Stage, scenario: &Scenario, times: u64, app: &App, proxies: &[&str]) -> Vec<Row> {
    let one = |tool: Tool| {
        measure(stage, scenario, tool.words(), proxies, |row| {
            for version in 1..=times {
                let (took, state) = stage.deploy(&App { version, ..app.clone() }, tool);
                row.seconds.push(took.as_secs_f64());
                row.states.push(state);
            }
        })
    };
    both(stage, app, one, proxies)
}

fn control(stage: &Stage, scenario: &Scenario, _: u64) -> Vec<Row> {
    let app = App::default();
    stage.first(&app, Tool::Docker, &everybody());
    let row = measure(stage, scenario, "", &everybody(), |_| std::thread::sleep(Duration::from_secs(20)));
    stage.clear();
    vec![row]
}

fn updates(stage: &Stage, scenario: &Scenario, times: u64) -> Vec<Row> {
    rolling(stage, scenario, times, &App::default(), &everybody())
}

fn unchecked(stage: &Stage, scenario: &Scenario, times: u64) -> Vec<Row> {
    rolling(stage, scenario, times, &App { checked: false, ..App::default() }, QUICK)
}

fn abrupt(stage: &Stage, scenario: &Scenario, times: u64) -> Vec<Row> {
    rolling(stage, scenario, times, &App { abrupt: true, ..App::default() }, QUICK)
}

fn serves_on(stage: &Stage, scenario: &Scenario, times: u64) -> Vec<Row> {
    rolling(stage, scenario, times, &App { serve_on: 16, ..App::default() }, LATE)
}

fn one_replica(stage: &Stage, scenario: &Scenario, times: u64) -> Vec<Row> {
    rolling(stage, scenario, times, &App { replicas: 1, ..App::default() }, QUICK)
}

/// The bad version by docker's client, with and without what is usually advised, and by `skep run`.
fn dies(stage: &Stage, scenario: &Scenario, times: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for tool in [Tool::Docker, Tool::Advised].into_iter().filter(|tool| super::asked_for(*tool)) {
        let app = App::default();
        stage.first(&app, tool, QUICK);
        rows.push(measure(stage, scenario, tool.words(), QUICK, |row| {
            for time in 1..=times {
                let bad = App { version: 2 * time, dies_after: Some(3), ..App::default() };
                let (took, state) = stage.deploy(&bad, tool);
                row.seconds.push(took.as_secs_f64());
                row.states.push(state);
                // What is left behind, before somebody comes and deploys the last good version again.
                std::thread::sleep(Duration::from_secs(20));
                stage.deploy(&App { version: 2 * time + 1, ..App::default() }, tool);
                stage.ready(&app, &[]);
            }
        }));
        stage.clear();
    }
    if super::asked_for(Tool::Skep) {
        rows.push(controller::dies(stage, scenario, times));
    }
    rows
}

fn drain(stage: &Stage, scenario: &Scenario, _: u64) -> Vec<Row> {
    draining(stage, scenario, &App::default())
}

fn drain_one(stage: &Stage, scenario: &Scenario, _: u64) -> Vec<Row> {
    draining(stage, scenario, &App { replicas: 1, elsewhere: true, ..App::default() })
}

fn draining(stage: &Stage, scenario: &Scenario, app: &App) -> Vec<Row> {
    let one = |tool: Tool| {
        let node = node_of_a_task(stage);
        let row = measure(stage, scenario, tool.words(), QUICK, |row| {
            let begun = std::time::Instant::now();
            stage.lab.docker(1, &["node", "update", "--availability", "drain", &node]);
            moved(stage, app, &node);
            row.seconds.push(begun.elapsed().as_secs_f64());
        });
        stage.lab.docker(1, &["node", "update", "--availability", "active", &node]);
        row
    };
    both(stage, app, one, QUICK)
}

/// The link of the third node, or of the second if there is no task on it, is cut.
fn node_lost(stage: &Stage, scenario: &Scenario, _: u64) -> Vec<Row> {
    let app = App::default();
    let one = |tool: Tool| {
        let name = node_of_a_task(stage);
        let number: usize = name.trim_start_matches('n').parse().expect("a number");
        let row = measure(stage, scenario, tool.words(), QUICK, |row| {
            let begun = std::time::Instant::now();
            stage.lab.cut(number);
            moved(stage, &app, &name);
            row.seconds.push(begun.elapsed().as_secs_f64());
        });
        stage.lab.heal(number);
        wait_until(SOON, "the node is back", || {
            // For a while there may be no leader who answers.
            let nodes = stage.lab.try_docker(1, &["node", "ls", "--format", "{{.Status}}"]).stdout;
            String::from_utf8_lossy(&nodes).lines().filter(|line| *line == "Ready").count() == 3
        });
        row
    };
    both(stage, &app, one, QUICK)
}

fn leader_killed(stage: &Stage, scenario: &Scenario, times: u64) -> Vec<Row> {
    if super::asked_for(Tool::Skep) { vec![controller::leader_killed(stage, scenario, times)] } else { Vec::new() }
}

fn everybody() -> Vec<&'static str> {
    proxies::ALL.iter().map(|kind| kind.name).collect()
}

/// A node that runs a task and no proxy, by its name.
fn node_of_a_task(stage: &Stage) -> String {
    let tasks = ["service", "ps", "--filter", "desired-state=running", "--format", "{{.Node}}", SERVICE];
    let nodes = stage.lab.docker(1, &tasks);
    nodes.lines().filter(|node| *node != "n1").max().expect("a task off the first node").to_owned()
}

/// Waits until all replicas run, and none on this node.
fn moved(stage: &Stage, app: &App, node: &str) {
    let tasks =
        ["service", "ps", "--filter", "desired-state=running", "--format", "{{.Node}} {{.CurrentState}}", SERVICE];
    wait_until(SOON, "the tasks have moved", || {
        let output = stage.lab.try_docker(1, &tasks);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let running = |line: &&str| line.contains(" Running") && !line.starts_with(&format!("{node} "));
        output.status.success() && text.lines().filter(running).count() as u64 == app.replicas
    });
}
