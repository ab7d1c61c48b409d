//! Every flag of `docker service update` against the plan: whatever a hand can change is named, as that field and no other.

mod help;
mod rows;
mod shown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::git_server::Served;
use crate::lab::Lab;
use crate::lab::engine::set;
use crate::reference;
use crate::runner::{Outcome, Skep};
use crate::wait::{wait_for, wait_until};
use rows::Row;
use shown::{leftover, mismatch};

const STACK: &str = "sweep";
/// Services that are updated side by side.
const WORKERS: usize = 4;

#[test]
fn every_flag_of_service_update_is_named_by_the_plan() {
    sweep("this machine's engine", || Some(Lab::start(1)));
}

#[test]
fn every_flag_of_service_update_is_named_on_the_next_engine_too() {
    sweep("the next Debian's engine", crate::differential::second_lab);
}

fn sweep(engine: &str, start: impl FnOnce() -> Option<Lab>) {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => return reference::skip(&format!("the flags of docker service update on {engine}"), why),
    };
    let rows = rows::all();
    covers_every_flag(client, &rows);
    let Some(lab) = start() else { return };
    let begun = Instant::now();
    let ground = Ground::new(lab, client);
    let (rows, refused): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.since <= ground.minor);
    if !refused.is_empty() {
        let uses: Vec<String> = refused.iter().map(|row| row.uses.join(" ; ")).collect();
        reference::skip(&format!("{} on {engine}", uses.join(", ")), "they need a newer API than its");
    }
    ground.apply(&rows);
    let before = ground.specs();
    ground.update(&rows);
    let problems = ground.compare(&rows, &before);
    assert!(problems.is_empty(), "{} of {} rows on {engine}:\n{}", problems.len(), rows.len(), problems.join("\n"));
    ground.undo(&before);
    let plan = ground.plan();
    assert_eq!((&plan["sync"], plan.get("drift")), (&"Synced".into(), None), "what was undone differs still: {plan:#}");
    let seconds = begun.elapsed().as_secs_f32();
    reference::say(&format!("USED: {engine}, API 1.{}, with {} flags in {seconds:.0} s", ground.minor, rows.len()));
}

/// A flag that a newer client has is a gap in the proof until it has its row.
fn covers_every_flag(client: &Path, rows: &[Row]) {
    let listed = help::flags(client);
    assert!(listed.len() > 90, "the help is not read: {listed:?}");
    let untried: Vec<&String> = listed.iter().filter(|flag| rows.iter().all(|row| row.flag() != *flag)).collect();
    assert!(untried.is_empty(), "flags.txt has no row for flags of docker service update: {untried:?}");
}

/// A stack that was applied from a repository, on an engine whose node takes no tasks.
struct Ground {
    lab: Lab,
    client: &'static Path,
    minor: u32,
    served: Served,
    skep: Skep,
}

impl Ground {
    fn new(lab: Lab, client: &'static Path) -> Ground {
        let node = lab.docker(1, &["node", "ls", "-q"]);
        lab.docker(1, &["node", "update", "--availability", "drain", &node]);
        let version = lab.api(1, "/version")["ApiVersion"].as_str().expect("a version").to_owned();
        let minor = version.split_once('.').and_then(|(_, minor)| minor.parse().ok()).expect("1.N");
        let skep = Skep::on(&lab.docker_host(1));
        Ground { lab, client, minor, served: Served::new(), skep }
    }

    fn apply(&self, rows: &[Row]) {
        self.served.commit("one.txt", "one\n");
        self.served.commit("compose.yaml", &rows::file(rows));
        let declared =
            "version: 1\ndefaults: { zeroDowntime: \"off\" }\nstacks:\n  - name: sweep\n    files: [compose.yaml]\n";
        self.served.commit("skep.yaml", declared);
        self.run(&["apply", "-y", "--detach"]).expect(0);
        let networks = || self.lab.api(1, "/networks");
        // Until a network is allocated, no service on it is, and the engine itself writes to them.
        wait_until(Duration::from_secs(30), "the engine is done with the services", || {
            let has_address = |service: &Value| service["Endpoint"]["Spec"].is_object();
            networks().as_array().is_some_and(|networks| networks.iter().all(|it| it["Driver"] != ""))
                && self.lab.services(STACK).iter().all(has_address)
        });
        let plan = self.plan();
        assert_eq!((&plan["sync"], plan["steps"].as_array().map(Vec::len)), (&"Synced".into(), Some(0)), "{plan:#}");
    }

    fn run(&self, words: &[&str]) -> Outcome {
        let work = self.served.path().join("work").display().to_string();
        let mut words = words.to_vec();
        words.extend(["--repo", &work]);
        self.skep.run(&words)
    }

    /// The plan of the stack.
    fn plan(&self) -> Value {
        self.run(&["plan", "-o", "json"]).expect(0).json()["stacks"][0].take()
    }

    /// The spec of each service as the engine stores it, by its full name.
    fn specs(&self) -> BTreeMap<String, Value> {
        let path = "/services?filters=%7B%22label%22%3A%5B%22com.docker.stack.namespace%3Dsweep%22%5D%7D";
        let answer = self.lab.request_of(self.minor, 1, "GET", path, None);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let services = crate::lab::engine::array(answer.body).into_iter();
        let named = |mut it: Value| (it["Spec"]["Name"].as_str().expect("a name").to_owned(), it["Spec"].take());
        services.map(named).collect()
    }

    /// Uses each flag on the service of its row.
    fn update(&self, rows: &[Row]) {
        let queue = Mutex::new(rows.iter().collect::<VecDeque<_>>());
        let failures = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    while let Some(row) = { queue.lock().expect("no panic while taking").pop_front() } {
                        let failed = row.uses.iter().find_map(|uses| self.by_hand(uses, &row.service()).err());
                        failures.lock().expect("no panic while adding").extend(failed);
                    }
                });
            }
        });
        let failures = failures.into_inner().expect("no panic while adding");
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    /// `docker service update USES SERVICE`, its words split as the shell does.
    fn by_hand(&self, uses: &str, service: &str) -> Result<(), String> {
        if let Some((path, value)) = uses.strip_prefix("api ").and_then(|rest| rest.split_once(' ')) {
            let value: Value = serde_json::from_str(value).expect("JSON");
            self.lab.edit_service(self.minor, service, |spec| set(spec, path, value.clone()));
            return Ok(());
        }
        let line = format!("exec \"$0\" service update --detach --quiet {uses} {service}");
        wait_for(Duration::from_secs(20), "docker updates before the engine does", || {
            let docker = reference::docker(self.client, &[]);
            let mut shell = Command::new("sh");
            shell.args(["-c", &line]).arg(docker.get_program()).env_clear();
            shell.envs(docker.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let output = shell.env("DOCKER_HOST", self.lab.docker_host(1)).output().expect("the docker client runs");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.success() {
                true => Some(Ok(())),
                false if said.contains("update out of sequence") => None,
                false => Some(Err(format!("docker service update {uses}: {said}"))),
            }
        })
    }

    /// What the plan says against what each row does.
    fn compare(&self, rows: &[Row], before: &BTreeMap<String, Value>) -> Vec<String> {
        let (after, plan) = (self.specs(), self.plan());
        let text = self.run(&["plan"]).expect(0).stdout;
        let mut problems = Vec::new();
        if plan["steps"].as_array().is_none_or(|steps| !steps.is_empty()) {
            problems.push(format!("drift alone writes nothing: {}", plan["steps"]));
        }
        let drift: BTreeMap<&str, &Value> =
            plan["drift"].as_array().into_iter().flatten().filter_map(|it| Some((it["name"].as_str()?, it))).collect();
        let ids = self.ids();
        let names = |text: &str| {
            let id = |text: String, (name, id): (&String, &String)| {
                text.replace(&format!("\"${name}\""), &format!("{id:?}"))
            };
            ids.iter().fold(text.to_owned(), id)
        };
        for row in rows {
            let service = row.service();
            let empty = Vec::new();
            let named = drift.get(&*service).map_or(&empty, |it| it["changes"].as_array().expect("changes"));
            let alias = serde_json::json!([row.key()]).to_string();
            let mut found = mismatch(&row.changes, named, &|text| names(text).replace("$alias", &alias));
            found.extend(named.iter().filter(|it| it["origin"] != "drift").map(|it| format!("not drift: {it}")));
            let unprinted = named.iter().filter_map(|it| it["label"].as_str()).filter(|label| !text.contains(label));
            found.extend(unprinted.map(|label| format!("{label:?} is not in the text")));
            let (before, after) = (&before[&service], &after[&service]);
            found.extend(leftover(before, after, named).map(|left| format!("the plan misses {left}")));
            problems.extend(found.iter().map(|problem| format!("{}: {problem}", row.uses.join(" ; "))));
        }
        let known: BTreeSet<String> = rows.iter().map(Row::service).collect();
        problems.extend(drift.keys().filter(|name| !known.contains(**name)).map(|name| format!("{name} differs too")));
        problems
    }

    /// The ids of the stack's configs and secrets, by name.
    fn ids(&self) -> BTreeMap<String, String> {
        let of = |kind: &str| crate::lab::engine::array(self.lab.api(1, kind));
        let all = of("/configs").into_iter().chain(of("/secrets"));
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        all.map(|it| (text(&it["Spec"]["Name"]), text(&it["ID"]))).collect()
    }

    /// Puts every service back as it was.
    fn undo(&self, before: &BTreeMap<String, Value>) {
        for (name, before) in before {
            self.lab.edit_service(self.minor, name, |spec| *spec = before.clone());
        }
    }
}
