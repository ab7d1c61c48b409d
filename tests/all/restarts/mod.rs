//! What a plan says a write costs, against the tasks that it really cost: each change of the engine's table, by task id.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::git_server::Served;
use crate::lab::Lab;
use crate::lab::engine::{array, escaped, set};
use crate::reference;
use crate::runner::{Outcome, Skep};
use crate::wait::wait_for;
use rows::{ROWS, Row};

const STACK: &str = "cost";

#[test]
fn what_restarts_and_stops_is_what_was_planned() {
    measure("this machine's engine", Lab::start(2));
}

#[test]
fn what_restarts_and_stops_is_what_was_planned_on_the_next_engine_too() {
    match reference::unpacked() {
        Ok(unpacked) => measure("the next Debian's engine", Lab::start_on(&unpacked.dockerd(), 2)),
        Err(why) => reference::skip("what changes cost tasks on the next Debian's engine", why),
    }
}

fn measure(engine: &str, lab: Lab) {
    let begun = Instant::now();
    let ground = Ground::new(lab);
    ground.commit(false);
    ground.skep(&["apply", "-y", "--detach"]).expect(0);
    ground.settled(false);
    for row in ROWS {
        if let Some((path, value)) = row.by_hand {
            let value: Value = serde_json::from_str(value).expect("JSON");
            let edit = |spec: &mut Value| set(spec, path, value.clone());
            ground.lab.edit_service(41, &format!("{STACK}_{}", row.key), edit);
        }
    }
    let before = ground.settled(false);
    ground.commit(true);
    let plan = ground.skep(&["plan", "-o", "json"]).expect(0).json()["stacks"][0].take();
    assert!(plan["blocked"] != true, "{plan:#}");
    let drifted = plan["drift"].as_array().into_iter().flatten().map(|it| text(&it["name"]));
    let by_hand = ROWS.iter().filter(|row| row.by_hand.is_some()).map(|row| format!("{STACK}_{}", row.key));
    assert_eq!(drifted.collect::<BTreeSet<_>>(), by_hand.collect(), "what a hand did, and nothing else");
    ground.skep(&["apply", "-y", "--detach"]).expect(0);
    let after = ground.settled(true);
    let (mut table, mut differing) = (String::new(), 0);
    for row in ROWS {
        let planned = Cost::planned(row, &plan);
        let real = Cost::real(&before[row.key], &after[row.key]);
        let is_right = planned == real && planned.effect == row.effect;
        differing += usize::from(!is_right);
        let mark = if is_right { ' ' } else { '×' };
        let Cost { effect, restarting, stopping } = &planned;
        let _ = writeln!(
            table,
            "{mark} {:26}  planned {effect:8} {restarting} {stopping}   real {:8} {} {}",
            row.key, real.effect, real.restarting, real.stopping
        );
    }
    let seconds = begun.elapsed().as_secs();
    println!("{engine}: restarting and stopping, in {seconds} s\n{table}");
    assert_eq!(differing, 0, "{engine}: effect, tasks that restart, tasks that stop\n{table}");
    let nothing = ground.skep(&["plan", "-o", "json"]).expect(0).json()["stacks"][0].take();
    assert_eq!((&nothing["sync"], nothing.get("drift")), (&"Synced".into(), None), "{nothing:#}");
    let forced = ground.lab.service(&format!("{STACK}_forced")).expect("a service");
    assert_eq!(forced["Spec"]["TaskTemplate"]["ForceUpdate"], 7, "a counter is never undone");
    reference::say(&format!("USED: {engine}, with {} changes whose tasks were counted, in {seconds} s", ROWS.len()));
}

/// What a change costs.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    effect: String,
    restarting: u64,
    stopping: u64,
}

impl Cost {
    /// As the plan says.
    fn planned(row: &Row, plan: &Value) -> Cost {
        let name = format!("{STACK}_{}", row.key);
        let step = plan["steps"].as_array().into_iter().flatten().find(|step| step["name"] == *name);
        let number = |field: &str| step.map_or(0, |step| step[field].as_u64().expect("a number"));
        let effect = step.map_or("none", |step| step["effect"].as_str().expect("a word")).to_owned();
        Cost { effect, restarting: number("tasksRestarting"), stopping: number("tasksStopping") }
    }

    /// As it came out: a task that is gone restarted if another has its place, and stopped otherwise. The runs of a job are no
    /// successors of each other.
    fn real(before: &Seen, after: &Seen) -> Cost {
        let runs_again = before.iteration != after.iteration;
        let gone = before.tasks.iter().filter(|(place, id)| after.tasks.get(*place) != Some(*id));
        let (succeeded, left): (Vec<_>, Vec<_>) =
            gone.partition(|(place, _)| !runs_again && after.tasks.contains_key(*place));
        let effect = match () {
            () if runs_again => "job-run",
            () if !succeeded.is_empty() => "rolling",
            () if before.spec != after.spec => "in-place",
            () => "none",
        };
        Cost { effect: effect.to_owned(), restarting: succeeded.len() as u64, stopping: left.len() as u64 }
    }
}

/// A service at rest.
struct Seen {
    spec: Value,
    /// Which run of a job it is.
    iteration: Option<u64>,
    /// Ids of the tasks that run by their place: a slot, or the node of a global service.
    tasks: BTreeMap<String, String>,
}

/// A swarm of two nodes, and a repository with the stack.
struct Ground {
    lab: Lab,
    served: Served,
    skep: Skep,
}

impl Ground {
    fn new(lab: Lab) -> Ground {
        lab.image("idle:1", &[r#"CMD ["idle"]"#]);
        lab.image("idle:2", &[r#"CMD ["idle"]"#]);
        let skep = Skep::on(&lab.docker_host(1));
        let served = Served::new();
        let declared = format!(
            "version: 1\ndefaults: {{ zeroDowntime: \"off\" }}\nstacks:\n  - {{ name: {STACK}, files: [compose.yaml] }}\n"
        );
        served.commit("skep.yaml", &declared);
        served.commit("still.txt", "still\n");
        Ground { lab, served, skep }
    }

    fn commit(&self, is_after: bool) {
        self.served.commit("moving.txt", if is_after { "after\n" } else { "before\n" });
        self.served.commit("compose.yaml", &rows::file(is_after));
    }

    fn skep(&self, words: &[&str]) -> Outcome {
        let work = self.served.path().join("work").display().to_string();
        let mut words = words.to_vec();
        words.extend(["--repo", &work]);
        self.skep.run(&words)
    }

    /// Each service once nothing moves any more: all tasks that should run do, and are as their service says.
    fn settled(&self, is_after: bool) -> BTreeMap<&'static str, Seen> {
        assert_eq!(self.lab.services(STACK).len(), ROWS.len(), "every row has its service");
        ROWS.iter().map(|row| (row.key, self.seen(row, is_after))).collect()
    }

    fn seen(&self, row: &Row, is_after: bool) -> Seen {
        let name = format!("{STACK}_{}", row.key);
        let what = format!("{} is settled", row.key);
        wait_for(Duration::from_secs(60), &what, || {
            let service = self.lab.service(&name).expect("a service");
            if matches!(service["UpdateStatus"]["State"].as_str(), Some("updating" | "rollback_started")) {
                return None;
            }
            // Go leaves the number of the first run out.
            let run = |of: &Value| of["JobIteration"]["Index"].as_u64().unwrap_or(0);
            let iteration = service["Spec"]["Mode"]["ReplicatedJob"].is_object().then(|| run(&service["JobStatus"]));
            let is_in = |task: &Value, states: &[&str]| states.iter().any(|state| task["Status"]["State"] == *state);
            let has_ended = |task: &Value| is_in(task, &["complete", "shutdown", "failed", "rejected", "orphaned"]);
            let all = self.list(&name, json!({}));
            let (ended, alive): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|task| has_ended(task));
            let current = self.list(&name, json!({ "_up-to-date": ["true"] }));
            let is_current = |task: &Value| current.iter().any(|it| it["ID"] == task["ID"]);
            let is_done = |task: &&&Value| Some(run(task)) == iteration && is_in(task, &["complete"]);
            let done = ended.iter().filter(is_done).count();
            let is_settled = alive.len() + done == row.tasks(is_after, self.lab.nodes().count())
                && alive.iter().all(|task| is_current(task) && is_in(task, &["running"]));
            is_settled.then(|| Seen {
                iteration,
                tasks: alive.iter().map(|task| (place(task), text(&task["ID"]))).collect(),
                spec: service["Spec"].clone(),
            })
        })
    }

    fn list(&self, service: &str, mut filters: Value) -> Vec<Value> {
        filters["service"] = json!([service]);
        array(self.lab.api(1, &format!("/tasks?filters={}", escaped(&filters))))
    }
}

fn place(task: &Value) -> String {
    match task["Slot"].as_u64() {
        Some(slot) => slot.to_string(),
        None => text(&task["NodeID"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
