//! skep beside `docker stack deploy` and the engine's own lists, on a real engine: `make bench`, docs/benchmarks.md.
//!
//! Size and runs come from the environment: `SKEP_BENCH_SERVICES` (1000), `SKEP_BENCH_STACKS` (50), `SKEP_BENCH_RUNS` (11).
//! `SKEP_BENCH_WRITE=1` writes the tables into docs/benchmarks.md.

mod controller;
mod fleet;
mod lists;
mod markdown;
mod measure;
mod table;

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

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fleet::{Fleet, Size};
use lab::Lab;
use measure::{Cost, run};
use proxy::{Proxy, Request};

/// What the project aims at: memory in KB, and a plan in which everything differs.
const MEMORY: u64 = 60 * 1024;
const DIFFERENT: Duration = Duration::from_secs(2);

fn main() {
    // `cargo test --benches` runs this as well, and has no use for it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let size = Size::from_environment();
    let runs = fleet::number("SKEP_BENCH_RUNS", 11);
    let few = runs.div_ceil(3);
    let lab = Lab::start(1);
    let fleet = Fleet::new(size);
    let machine = table::machine(&lab);
    eprintln!("{} services in {} stacks; {machine}", size.services, size.stacks);

    eprintln!("docker stack deploy …");
    deploy(&lab, &fleet, "never", lab.docker_host(1).as_str()).into_iter().for_each(run);
    let docker_never = measure::command(few, || deploy(&lab, &fleet, "never", &lab.docker_host(1)));
    let docker_always = measure::command(few, || deploy(&lab, &fleet, "always", &lab.docker_host(1)));
    let count_docker = |resolve: &str| requests(&lab, |host| deploy(&lab, &fleet, resolve, host));
    let (never_requests, always_requests) = (count_docker("never"), count_docker("always"));

    eprintln!("lists …");
    let (in_turn, bytes) = lists::in_turn(&lab.socket(1), runs);

    eprintln!("lists, skep render, skep plan, in turn …");
    // What docker deployed is what git says: with changes, the exit code would be 2.
    let plan_on = |host: &str| vec![skep(host, &["plan", "--detailed-exitcode", "--repo", &path(fleet.path())])];
    let host = lab.docker_host(1);
    let plan_of = |flag: &[&str]| skep(&host, &[&["plan", "--repo", &path(fleet.path())], flag].concat());
    let [at_once, rendered, planned] = measure::side_by_side(
        runs,
        [
            &mut || lists::at_once(&lab.socket(1)),
            &mut || measure::time(skep("", &["render", "--repo", &path(fleet.path())])),
            &mut || measure::time(plan_of(&["--detailed-exitcode"])),
        ],
    );
    let plan = measure::command(runs, || plan_on(&lab.docker_host(1)));
    let plan_requests = requests(&lab, plan_on);
    let needed = plan_requests.iter().filter(|request| lists::is_list(request)).count();
    assert_eq!(needed, lists::PATHS.len(), "a plan lists what is measured: {plan_requests:#?}");
    let render = measure::command(runs, || vec![skep("", &["render", "--repo", &path(fleet.path())])]);

    eprintln!("skep plan in which everything differs …");
    fleet.differ(true);
    let different = measure::command(runs, || vec![plan_of(&[])]);
    fleet.differ(false);

    eprintln!("skep run …");
    let controller = controller::measure(&lab, &fleet, few);

    eprintln!("skep plan with a secret in every stack …");
    fleet.add_secrets();
    deploy(&lab, &fleet, "never", &lab.docker_host(1)).into_iter().for_each(run);
    let secrets = measure::command(few, || plan_on(&lab.docker_host(1)));

    let mut commands = table::Table::new(["", "wall: median", "min … max", "CPU", "requests", "of which writes"]);
    let row = |name: &str, cost: Cost, requests: &[Request]| {
        let writes = requests.iter().filter(|request| request.is_write()).count();
        table::cost(name, &cost, Some((requests.len(), writes)))
    };
    commands.row(row("`skep plan`, nothing to do", plan, &plan_requests));
    commands.row(row("`docker stack deploy --resolve-image never`, unchanged files", docker_never, &never_requests));
    commands.row(row("`docker stack deploy`, unchanged files, no registry answers", docker_always, &always_requests));
    let lists = (lists::PATHS.len(), 0);
    commands.row(table::sample(&format!("the lists a plan needs ({} KB), in turn", bytes / 1024), &in_turn, lists));
    commands.row(table::sample("the same lists, all at once", &at_once, lists));
    commands.row(table::cost("`skep plan` with a secret in every stack", &secrets, None));
    commands.row(table::cost("`skep plan` in which everything differs", &different, None));
    commands.row(table::cost("`skep render`", &render, Some((0, 0))));

    let mut sides = table::Table::new(["in turn, in the same minute", "wall: median", "min … max"]);
    for (name, sample) in
        [("the lists, all at once", &at_once), ("`skep render`", &rendered), ("`skep plan`, nothing to do", &planned)]
    {
        sides.row(vec![name.into(), markdown::median(sample), markdown::range(sample)]);
    }

    let mut aims = table::Table::new(["aim", "allowed", "measured", ""]);
    let within = |met: bool| if met { "met" } else { "missed" }.to_owned();
    let pass = &controller.pass;
    for (aim, allowed, measured) in [
        (
            "`skep plan` at most 1.2 × (`skep render` + the lists)",
            (at_once.median + rendered.median) * 6 / 5,
            planned.median,
        ),
        ("`skep plan` in which everything differs", DIFFERENT, different.wall.median),
        (
            "an unchanged pass of `skep run`, CPU and waiting, at most 1.5 × the lists",
            pass.lists.median * 3 / 2,
            pass.busy(),
        ),
        (
            "`skep plan` at most 1/10 of `docker stack deploy --resolve-image never`",
            docker_never.wall.median / 10,
            planned.median,
        ),
    ] {
        let time = |time| format!("{} ms", measure::milliseconds(time));
        aims.row(vec![aim.into(), time(allowed), time(measured), within(measured <= allowed)]);
    }
    let writes = pass.writes;
    aims.row(vec!["writes of an unchanged pass".into(), "0".into(), format!("{writes:.1}"), within(writes == 0.0)]);
    let [_, _, peak] = controller.memory;
    let megabytes = |kilobytes: u64| format!("{:.1} MB", kilobytes as f64 / 1024.0);
    aims.row(vec![
        "memory of the controller, the most there ever was".into(),
        megabytes(MEMORY),
        megabytes(peak),
        within(peak <= MEMORY),
    ]);

    let tables = [commands, sides, table::controller(&controller, size), aims];
    table::publish(&machine, size, runs, &tables);
}

/// `docker stack deploy` of every stack, one after the other.
fn deploy(lab: &Lab, fleet: &Fleet, resolve: &str, host: &str) -> Vec<Command> {
    let stacks = fleet.stacks().into_iter();
    let one = |(name, file): (String, std::path::PathBuf)| {
        let mut command = lab.docker_command(1);
        command.env("DOCKER_HOST", host).args(["stack", "deploy", "--resolve-image", resolve, "--compose-file"]);
        command.arg(file).arg(name);
        command
    };
    stacks.map(one).collect()
}

fn skep(host: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skep"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("DOCKER_HOST", host);
    command.stdin(Stdio::null());
    command
}

/// What commands ask of the engine.
fn requests(lab: &Lab, make: impl FnOnce(&str) -> Vec<Command>) -> Vec<Request> {
    let proxy = Proxy::start(&lab.socket(1));
    make(&proxy.docker_host()).into_iter().for_each(run);
    proxy.requests()
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
