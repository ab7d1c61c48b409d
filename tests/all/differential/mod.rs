//! skep beside `docker stack deploy` on real engines: of the same file both make the same objects, and either takes over from
//! the other without restarting a task.

mod claims;
mod ground;
mod running;
mod scalars;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;

use crate::cases::{self, Case, Note, errors, warnings};
use crate::lab::Lab;
use crate::reference;
use crate::runner::Outcome;
use crate::stored::{differences, stored};
use claims::Claims;
use ground::Ground;

/// Stacks that are deployed side by side.
const WORKERS: usize = 4;
/// Records what the engine held as the goldens.
const RECORD: &str = "SKEP_RECORD";
/// Compares only cases whose name or path contains this.
const ONLY: &str = "SKEP_ONLY";

#[test]
fn this_engine_holds_the_same_of_either() {
    compare_all("this machine's engine", || Some(Lab::start(1)), false);
}

#[test]
fn the_next_engine_holds_the_same_of_either() {
    compare_all("the next Debian's engine", second_lab, std::env::var_os(RECORD).is_some());
}

/// A swarm on the second engine.
pub fn second_lab() -> Option<Lab> {
    match reference::unpacked() {
        Ok(unpacked) => Some(Lab::start_on(&unpacked.dockerd(), 1)),
        Err(why) => {
            reference::skip("everything on the second engine", why);
            None
        }
    }
}

#[test]
fn what_skep_refuses_docker_refuses() {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => return reference::skip("whether docker refuses the invalid samples too", why),
    };
    let ground = Ground::new(Lab::start(1), client);
    let mut taken = Vec::new();
    for case in known(cases::invalid(), client) {
        if ground.deploy(&case).is_ok() != matches!(case.note, Note::Differs(_)) {
            taken.push(case.shown());
        }
        ground.clear(&case.name);
    }
    assert_eq!(taken, [] as [String; 0], "docker takes what has no note `differs: CODE`, or refuses what has one");
}

/// Those that this client reads as today's do.
fn known(cases: Vec<Case>, client: &Path) -> Vec<Case> {
    let major = reference::major(client).unwrap_or_default();
    let (known, newer): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|case| case.since <= major);
    if !newer.is_empty() {
        let names: Vec<&str> = newer.iter().map(|case| case.name.as_str()).collect();
        reference::skip(&names.join(", "), &format!("docker {major} reads them otherwise than newer ones"));
    }
    known
}

/// Shows every case to both, and fails with all differences.
fn compare_all(engine: &str, start: impl FnOnce() -> Option<Lab>, record: bool) {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => return reference::skip(&format!("docker stack deploy beside skep on {engine}"), why),
    };
    let mut cases = known(cases::fixtures(), client);
    cases.extend(cases::examples());
    match cases::corpus() {
        Some(corpus) => cases.extend(corpus),
        None => reference::skip("other people's stacks beside docker", "SKEP_CORPUS is not set"),
    }
    if let Some(only) = std::env::var_os(ONLY) {
        cases.retain(|case| case.shown().contains(&*only.to_string_lossy()));
    }
    let Some(lab) = start() else { return };
    let ground = Ground::new(lab, client);
    let begun = Instant::now();
    let (claims, count) = (Claims::default(), cases.len());
    let (queue, failures) = (Mutex::new(VecDeque::from(cases)), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = { queue.lock().expect("no panic while taking").pop_front() } {
                    let found = compare(&ground, &claims, &case, record);
                    let found = found.into_iter().map(|difference| format!("{}: {difference}", case.shown()));
                    failures.lock().expect("no panic while adding").extend(found);
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no panic while adding");
    failures.sort();
    let seconds = begun.elapsed().as_secs();
    reference::say(&format!("USED: {} with {count} stacks, {seconds} s", ground.engine()));
    assert!(failures.is_empty(), "{}\n{}", ground.engine(), failures.join("\n"));
}

/// What is wrong with one case.
fn compare(ground: &Ground, claims: &Claims, case: &Case, record: bool) -> Vec<String> {
    let (desired, diagnostics) = case.lower();
    let Some(desired) = desired else { return vec![format!("skep refuses it: {}", errors(&diagnostics))] };
    if let Note::Differs(code) = &case.note
        && !warnings(&diagnostics).contains(code.as_str())
    {
        return vec![format!("it should differ, and skep does not warn of {code}")];
    }
    let _claim = claims.take(&desired, &case.name);
    ground.withdraw(&desired, &case.name);
    ground.provide(&desired.external);
    let mut found = Vec::new();
    let rendered = match ground.skep(case, &["render", "--zero-downtime", "off"]) {
        Outcome { status, stdout, .. } if status.success() => {
            serde_json::from_str::<Value>(&stdout).expect("JSON")["stacks"][0].clone()
        }
        failed => return vec![format!("skep render: {}", failed.stderr)],
    };
    let ours = stored(&rendered, ground.minor());
    match (ground.deploy(case), &case.note) {
        (Err(_), Note::Refused) => {}
        (Ok(()), Note::Refused) => found.push("docker takes it, though its note says `refused`".to_owned()),
        (Err(said), _) => found.push(format!("docker refuses it: {said}")),
        (Ok(()), note) => {
            let theirs = ground.held(&case.name);
            let mut differing = Vec::new();
            differences("", &ours, &stored(&theirs, ground.minor()), &mut differing);
            match note {
                Note::Differs(_) if differing.is_empty() => {
                    found.push("it does not differ, whatever its note says".into())
                }
                Note::Differs(_) => {}
                _ => {
                    found.extend(differing);
                    found.extend(adopt(ground, case));
                    found.extend(imported(ground, case));
                    if record {
                        keep(case, &stored(&theirs, ground.minor()));
                    }
                }
            }
        }
    }
    ground.clear(&case.name);
    found.extend(hand_over(ground, case, &ours, record));
    ground.clear(&case.name);
    found
}

/// After docker, skep has nothing to do.
fn adopt(ground: &Ground, case: &Case) -> Option<String> {
    let planned = ground.skep(case, &["plan", "--zero-downtime", "off", "--detailed-exitcode"]);
    let nothing = planned.code() == Some(0) && planned.stdout.contains("nothing to do");
    (!nothing).then(|| format!("after docker stack deploy, skep plan: {}{}", planned.stdout, planned.stderr))
}

/// What skep writes of what docker deployed is what runs.
fn imported(ground: &Ground, case: &Case) -> Option<String> {
    let beside = tempfile::tempdir().expect("a directory");
    let out = beside.path().display().to_string();
    let written = ground.skep_on(&["import", &case.name, "--out", &out]);
    if written.code() != Some(0) {
        return Some(format!("skep import: {}{}", written.stdout, written.stderr));
    }
    let file = beside.path().join("compose.yaml").display().to_string();
    let planned = ground.skep_on(&["plan", "-c", &file, &case.name, "--detailed-exitcode"]);
    let nothing = planned.code() == Some(0) && planned.stdout.contains("nothing to do");
    (!nothing).then(|| format!("after skep import, skep plan: {}{}", planned.stdout, planned.stderr))
}

/// What skep applies is what it renders; and after skep, docker replaces no task.
fn hand_over(ground: &Ground, case: &Case, rendered: &Value, record: bool) -> Vec<String> {
    let applied = ground.skep(case, &["apply", "--zero-downtime", "off", "--yes", "--detach"]);
    if applied.code() != Some(0) {
        return vec![format!("skep apply: {}{}", applied.stdout, applied.stderr)];
    }
    let mut found = Vec::new();
    let before = stored(&ground.held(&case.name), ground.minor());
    differences("after skep apply: ", rendered, &before, &mut found);
    if case.note != Note::Equal {
        if record {
            keep(case, &before);
        }
        return found;
    }
    let tasks = ground.tasks(&case.name);
    if let Err(said) = ground.deploy_again(case) {
        found.push(format!("docker stack deploy after skep apply: {said}"));
    }
    let after = stored(&ground.held(&case.name), ground.minor());
    differences("docker stack deploy after skep apply: ", &before, &after, &mut found);
    let left = ground.current_tasks(&case.name);
    if !tasks.is_subset(&left) {
        found.push(format!("docker stack deploy after skep apply replaces tasks: {tasks:?} became {left:?}"));
    }
    found
}

/// Writes what the engine held as the golden.
fn keep(case: &Case, held: &Value) {
    let Some(golden) = &case.golden else { return };
    let text = serde_json::to_string_pretty(held).expect("JSON");
    std::fs::create_dir_all(golden.parent().expect("a directory")).expect("made");
    std::fs::write(golden, without_directory(&text, &case.dir) + "\n").expect("written");
}

/// The text of a golden, which lies elsewhere on every machine.
pub fn without_directory(text: &str, dir: &Path) -> String {
    let text = text.replace(&dir.display().to_string(), "$DIR");
    // A path may climb out of it.
    let above = dir.parent().map(|above| format!("{}/", above.display()));
    above.map_or(text.clone(), |above| text.replace(&above, "$DIR/../"))
}
