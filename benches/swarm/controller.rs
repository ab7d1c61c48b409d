//! `skep run` on the fleet: what it holds, what it asks for, and how soon it acts.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::lab::Lab;
use crate::measure::{Sample, cpu_of, side_by_side};
use crate::proxy::{Proxy, Request};
use crate::runner::{Process, Skep};
use crate::wait::{wait_for, wait_until};

const SOON: Duration = Duration::from_secs(60);

/// Without a request for so long, the lease's aside, it has nothing left to do: a healthy stack is looked at again when
/// something changes or after [`RESYNC`].
const QUIET: Duration = Duration::from_millis(1500);

/// How often everything is listed anew here; the default of a minute would make for a long benchmark.
const RESYNC: Duration = Duration::from_secs(4);

/// So many of those are watched.
const PASSES: u32 = 8;

/// Everything that is measured of the controller.
pub struct Report {
    /// Resident memory in KB: all of it, the anonymous part, the most there ever was.
    pub memory: [u64; 3],
    pub pass: Pass,
    pub lease: f64,
    pub unconcerned: (usize, usize),
    pub attempt: Sample,
    pub service: Sample,
    pub report: Sample,
    pub takeover: Sample,
}

/// A pass over stacks of which none changed.
pub struct Pass {
    pub requests: f64,
    pub writes: f64,
    pub cpu: Duration,
    /// While any of its requests waited for the engine.
    pub waiting: Duration,
    /// The lists that a plan needs, all at once, taken between the passes.
    pub lists: Sample,
}

impl Pass {
    /// How long it takes, at most: as if the engine and skep never worked at the same time.
    pub fn busy(&self) -> Duration {
        self.cpu + self.waiting
    }
}

/// A controller behind a proxy of its own.
struct Controller {
    // In this order: it ends before its proxy does.
    process: Process,
    proxy: Proxy,
    _state: TempDir,
}

impl Controller {
    fn start(lab: &Lab, repository: &Path, resync: Duration) -> Controller {
        let proxy = Proxy::start(&lab.socket(1));
        let state = tempfile::tempdir().expect("a directory");
        let file = state.path().join("skep.yaml");
        let config = format!(
            "version: 1\nstateDir: {}\nresync: {}s\nsources:\n  - url: {}\n",
            state.path().join("state").display(),
            resync.as_secs(),
            repository.display()
        );
        std::fs::write(&file, config).expect("a file");
        let heartbeat = state.path().join("heartbeat");
        let skep = Skep::on(&proxy.docker_host());
        let arguments = ["run".as_ref(), "--config".as_ref(), file.as_os_str(), "--heartbeat".as_ref()];
        let process = skep.spawn(&[&arguments[..], &[heartbeat.as_os_str()]].concat());
        Controller { process, proxy, _state: state }
    }

    /// Everything but what concerns the lease.
    fn requests(&self, lease: &str) -> Vec<Request> {
        self.proxy.requests().into_iter().filter(|request| !concerns(request, lease)).collect()
    }

    /// Waits until nothing is left to do.
    fn settle(&self, lease: &str) {
        wait_until(SOON, "the controller is at rest", || {
            let last = self.requests(lease).last().map(|request| request.at);
            last.is_none_or(|last| last.elapsed() > QUIET)
        });
    }

    /// How long after a moment the first request came that answers to a description.
    fn first(&self, since: Instant, what: &str, is_it: impl Fn(&Request) -> bool) -> Duration {
        let first = wait_for(SOON, what, || self.proxy.requests().into_iter().find(|request| is_it(request)));
        first.at.duration_since(since)
    }
}

/// Measures it. The stacks run as the fleet says; nobody else writes to them.
pub fn measure(lab: &Lab, fleet: &Fleet, runs: usize) -> Report {
    let hour = Duration::from_secs(3600);
    let controller = Controller::start(lab, fleet.path(), hour);
    let lease = wait_for(SOON, "there is a lease", || lease_of(lab));
    let record = |request: &Request| request.bookkeeping && request.is_write() && !concerns(request, &lease);
    for (stack, _) in fleet.stacks() {
        wait_until(SOON, "every stack is adopted", || controller.process.log().contains(&format!("stack={stack} ")));
    }
    controller.settle(&lease);

    controller.proxy.forget();
    fleet.prepare_note("nothing of any stack")();
    controller.first(Instant::now(), "a commit is noticed", record);
    controller.settle(&lease);
    let requests = controller.requests(&lease);
    let unconcerned = (requests.len(), requests.iter().filter(|request| request.is_write()).count());

    let (mut attempts, mut services) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let commit = fleet.prepare_change(&format!("change {run}"));
        controller.proxy.forget();
        let start = Instant::now();
        commit();
        services.push(controller.first(start, "a service is written", |request| {
            request.is_write() && request.path.starts_with("/services/")
        }));
        attempts.push(controller.first(start, "the attempt is recorded", record));
        controller.settle(&lease);
    }

    let mut reports = Vec::new();
    for run in 0..runs {
        controller.proxy.forget();
        change_by_hand(lab, &fleet.stacks()[0].0, run);
        reports.push(controller.first(Instant::now(), "drift is recorded", record));
        controller.settle(&lease);
    }
    assert!(controller.process.terminate(SOON).status.success(), "the controller ends well");

    let controller = Controller::start(lab, fleet.path(), RESYNC);
    wait_until(SOON, "it has looked around", || controller.requests(&lease).len() > 20);
    std::thread::sleep(RESYNC);
    controller.proxy.forget();
    let before = cpu_of(controller.process.id());
    std::thread::sleep(RESYNC * PASSES);
    let cpu = (cpu_of(controller.process.id()) - before) / PASSES;
    let all = controller.proxy.requests();
    let [lists] = side_by_side(runs, [&mut || crate::lists::at_once(&lab.socket(1))]);
    let (of_lease, others): (Vec<_>, Vec<_>) = all.iter().partition(|request| concerns(request, &lease));
    let writes = others.iter().filter(|request| request.is_write()).count();
    let waiting = waiting(&others) / PASSES;
    let pass = Pass { requests: per_pass(others.len()), writes: per_pass(writes), cpu, waiting, lists };
    let lease_rate = of_lease.len() as f64 / (RESYNC * PASSES).as_secs_f64();
    let memory = memory(controller.process.id());
    assert!(controller.process.terminate(SOON).status.success(), "the controller ends well");

    Report {
        memory,
        pass,
        lease: lease_rate,
        unconcerned,
        attempt: Sample::of(attempts),
        service: Sample::of(services),
        report: Sample::of(reports),
        takeover: Sample::of((0..runs).map(|_| takeover(lab, fleet, &lease)).collect()),
    }
}

/// From the leader's SIGTERM to the first write of the instance that waited: its lease.
fn takeover(lab: &Lab, fleet: &Fleet, lease: &str) -> Duration {
    let hour = Duration::from_secs(3600);
    let mut first = Controller::start(lab, fleet.path(), hour);
    first.process.wait_log(SOON, "leading");
    first.settle(lease);
    let second = Controller::start(lab, fleet.path(), hour);
    wait_until(SOON, "the second one looks at the lease", || {
        second.proxy.requests().iter().any(|request| concerns(request, lease))
    });
    let start = Instant::now();
    first.process.signal("TERM");
    let taken = second.first(start, "the lease is taken", Request::is_write);
    assert!(first.process.outcome(SOON).status.success(), "the first one ends well");
    assert!(second.process.terminate(SOON).status.success(), "the second one ends well");
    taken
}

/// Gives a service of a stack a label that nobody declared: another one each time, or there would be nothing new to report.
fn change_by_hand(lab: &Lab, stack: &str, run: usize) {
    let services = lab.services(stack);
    let service = &services[run % services.len()];
    let mut spec: Value = service["Spec"].clone();
    spec["Labels"]["bench.by-hand"] = json!(run.to_string());
    let path = format!("/services/{}/update?version={}", text(&service["ID"]), service["Version"]["Index"]);
    let answer = lab.request(1, "POST", &path, Some(&spec));
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// The id of the config that is the lease.
fn lease_of(lab: &Lab) -> Option<String> {
    let configs = lab.api(1, "/configs");
    let lease = configs.as_array()?.iter().find(|config| config["Spec"]["Name"] == skep::runtime::lease::NAME)?;
    Some(text(&lease["ID"]).to_owned())
}

fn concerns(request: &Request, lease: &str) -> bool {
    let name = skep::runtime::lease::NAME;
    request.path.contains(lease) || request.body["Name"] == name || request.query.contains(name)
}

/// How long any of these requests was under way.
fn waiting(requests: &[&Request]) -> Duration {
    let mut spans: Vec<(Instant, Instant)> =
        requests.iter().filter_map(|request| Some((request.at, request.answered?))).collect();
    spans.sort();
    let mut until = None::<Instant>;
    let lengths = spans.into_iter().map(|(from, to)| {
        let from = until.map_or(from, |until| from.max(until));
        until = Some(until.map_or(to, |until| until.max(to)));
        to.saturating_duration_since(from)
    });
    lengths.sum()
}

fn per_pass(count: usize) -> f64 {
    count as f64 / f64::from(PASSES)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn memory(process: u32) -> [u64; 3] {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a living process");
    ["VmRSS:", "RssAnon:", "VmHWM:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a kernel of our time");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    })
}
