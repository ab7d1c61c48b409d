//! Values nobody would think of, read by `docker stack config` and by skep: what it prints says the same as what it read.

use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use skep::desired::render;

use crate::cases::{Case, HOME, Note, errors};
use crate::reference;
use crate::stored::{differences, stored};

/// Values of each kind.
const EACH: usize = 60;

/// The codes of what only a deployment finds.
const LATER: &[&str] = &["compose/undefined-volume", "compose/conflict", "schema/invalid-value: `deploy.resources"];

/// Dates, which clients before 28 took for text.
const DATED: &str = "domainname: a\n    environment: { V: VALUE }";

/// A kind of value: how a service has it, `VALUE` being the value, and what is tried.
type Kind = (&'static str, BoxedStrategy<String>);

fn kinds() -> Vec<Kind> {
    let number = "[-+]?(0[xob]?)?[0-9]{1,4}(_[0-9]{1,3})?(\\.[0-9]{0,4})?([eE][-+]?[0-9]{1,2})?";
    let long = "[-+]?[0-9]{1,25}(\\.[0-9]{1,20})?";
    let date = "[0-9]{4}-[01]?[0-9]-[0-3]?[0-9]([Tt ][0-2]?[0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z| Z|[-+][01][0-9]:[0-5][0-9])?)?";
    let word = "[0-9a-fxobeEZT._+:-]{0,5}[0-9a-fxobeEZT._]";
    let quoted = |pattern: &str| {
        proptest::string::string_regex(pattern).expect("a pattern").prop_map(|text| format!("{text:?}")).boxed()
    };
    let plain = |pattern: &str| proptest::string::string_regex(pattern).expect("a pattern").boxed();
    vec![
        ("environment: { V: VALUE }", plain(number)),
        ("labels: { V: VALUE }", plain(long)),
        (DATED, plain(date)),
        ("sysctls: { V: VALUE }", plain(word)),
        ("environment: [ VALUE ]", quoted("[A-C]{1,2}(=[ a=]{0,4})?")),
        ("command: VALUE", quoted("([ab#\\\\]|'[ a\"\\\\]{0,3}'|\"[ a'#]{0,3}\"| | #|\t){0,8}")),
        ("entrypoint: VALUE", quoted("[a-c '\"\\\\#\t]{0,9}")),
        (
            "ports: [ VALUE ]",
            quoted(
                "((2[0-9]{3}(-20[0-9]{2})?|[0-9]{1,5}):)?([1-9]?[1-9]{2}|[1-9]{1,2}-1[0-9]{2})(/(tcp|udp|sctp|TCP))?",
            ),
        ),
        (
            "volumes: [ VALUE ]",
            quoted(
                "(vol|/a|\\./b|\\.\\./c|~/d|~|\\.|/a/\\./b/\\.\\./c/|c:/x|c):(/t|/t/|t|d:/y)(:(ro|rw|z|nocopy|rshared)(,(ro|rw|slave|Z|nocopy))?)?",
            ),
        ),
        ("volumes: [ VALUE ]", quoted("[vol/.~:c]{1,7}")),
        ("stop_grace_period: VALUE", quoted("([0-9]{1,3}(\\.[0-9]{1,4})?(h|m|s|ms|us|µs|ns)){1,3}")),
        (
            "deploy: { resources: { limits: { memory: VALUE } } }",
            quoted("[1-9][0-9]{6,7}(\\.[0-9]{1,3})? ?(b|k|K|kb|m|M|MB|MiB|g|Gb)?"),
        ),
        (
            "deploy: { resources: { limits: { cpus: VALUE } } }",
            quoted("\\+?([0-9]{1,2}(\\.[0-9]{0,9})?|\\.[0-9]{1,3}|[1-9]/[1248]|[1-9]e-?[0-2])"),
        ),
        ("extra_hosts: [ VALUE ]", quoted("[ab]{1,2}[:=](10\\.9\\.0\\.[1-9]|\\[::[1-9]\\]|::[1-9]|host-gateway)")),
        ("extra_hosts: { V: VALUE }", quoted("10\\.9\\.0\\.[1-9]|\\[::[1-9]\\]|::[1-9]|a=b|a:b")),
        ("cap_add: [ VALUE ]", quoted(" ?(CAP_|cap_)?(all|ALL|chown|KILL|reset)")),
        ("env_file: [ VALUE ]", Just("\"odd.env\"".to_owned()).boxed()),
    ]
}

#[test]
fn odd_values_are_read_as_docker_reads_them() {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => return reference::skip("odd values beside docker stack config", why),
    };
    // The same values in every run: a failure is found again.
    let mut runner = TestRunner::deterministic();
    let mut samples = Vec::new();
    for (form, values) in kinds() {
        if form == DATED && reference::major(client).is_some_and(|major| major < 28) {
            reference::skip("dates in environments", "this docker client takes them for text");
            continue;
        }
        for _ in 0..EACH {
            let value = values.new_tree(&mut runner).expect("a value").current();
            samples.push(form.replace("VALUE", &value));
        }
    }
    samples.sort();
    samples.dedup();
    let mut found = Vec::new();
    let taken: usize = samples.chunks(50).map(|batch| compare(client, batch, &mut found)).sum();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(taken > samples.len() / 2, "docker takes most of them: {taken} of {}", samples.len());
}

/// Shows a batch to both; a batch that docker refuses is halved until one value is to blame. Gives how many it took.
fn compare(client: &Path, samples: &[String], found: &mut Vec<String>) -> usize {
    let written = tempfile::tempdir().expect("a directory");
    let text = services(samples);
    std::fs::write(written.path().join("odd.env"), "\u{feff}A=1 # x\n B='2' \n#C\nD=\"a\\n\"\nE\nF=\nA=3")
        .expect("written");
    let file = written.path().join("compose.yaml");
    std::fs::write(&file, &text).expect("written");
    let mut docker = reference::docker(client, &[("HOME".to_owned(), HOME.to_owned())]);
    let output = docker.args(["stack", "config", "-c"]).arg(&file).output().expect("the docker client runs");
    if !output.status.success() {
        let (left, right) = samples.split_at(samples.len() / 2);
        let halves = if left.is_empty() { Vec::new() } else { vec![left, right] };
        return halves.into_iter().map(|half| compare(client, half, found)).sum();
    }
    let printed = written.path().join("printed.yaml");
    // It prints dollar signs as they are, and would read them as variables.
    std::fs::write(&printed, String::from_utf8_lossy(&output.stdout).replace('$', "$$")).expect("written");
    match (objects(written.path(), "compose.yaml"), objects(written.path(), "printed.yaml")) {
        (Ok(ours), Ok(theirs)) => {
            let mut differing = Vec::new();
            differences("", &ours, &theirs, &mut differing);
            let sample = |difference: &str| {
                let index = difference.split('/').nth(2).and_then(|index| index.parse::<usize>().ok());
                index.and_then(|index| samples.get(index)).cloned().unwrap_or_default()
            };
            found.extend(differing.iter().map(|difference| format!("`{}`: {difference}", sample(difference))));
        }
        // What `docker stack deploy` refuses, `docker stack config` prints all the same.
        (Err(said), _) if samples.len() == 1 && LATER.iter().any(|code| said.starts_with(code)) => {}
        (Err(said), _) if samples.len() == 1 => {
            found.push(format!("`{}`: docker takes it, skep says {said}", samples[0]))
        }
        (Ok(_), Err(said)) if samples.len() == 1 => {
            found.push(format!("`{}`: as docker prints it, skep says {said}", samples[0]))
        }
        _ => {
            let (left, right) = samples.split_at(samples.len() / 2);
            return compare(client, left, found) + compare(client, right, found);
        }
    }
    samples.len()
}

fn services(samples: &[String]) -> String {
    let mut text = "volumes: { vol: }\nservices:\n".to_owned();
    for (index, sample) in samples.iter().enumerate() {
        text += &format!("  s{index:03}:\n    image: busybox\n    {sample}\n");
    }
    text
}

fn objects(dir: &Path, file: &str) -> Result<Value, String> {
    let case = Case {
        name: "odd".to_owned(),
        dir: dir.to_owned(),
        files: vec![dir.join(file)],
        variables: vec![("HOME".to_owned(), HOME.to_owned())],
        note: Note::Equal,
        since: 0,
        golden: None,
    };
    let (desired, diagnostics) = case.lower();
    desired.map(|desired| stored(&render::stack(&desired), 45)).ok_or_else(|| errors(&diagnostics))
}
