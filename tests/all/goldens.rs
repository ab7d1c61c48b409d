//! What an engine held of the fixtures and the examples after `docker stack deploy`, kept, and compared without one.
//!
//! The differential test records them: `SKEP_RECORD=1 cargo test --test all -- the_next_engine`.

use serde_json::Value;
use skep::desired::render;

use crate::cases::{self, Case, Note, errors, warnings};
use crate::differential::without_directory;
use crate::stored::{differences, stored};

/// The API version of the engine that they were recorded on.
const MINOR: u32 = 45;

#[test]
fn fixtures_become_what_the_engine_held() {
    settle(cases::fixtures());
}

#[test]
fn examples_become_what_the_engine_held() {
    settle(cases::examples());
}

#[test]
fn invalid_samples_are_refused_in_these_words() {
    let mut report = Vec::new();
    for case in cases::invalid() {
        let file = case.dir.join("diagnostics.txt");
        let arguments = case.arguments();
        let mut skep = crate::runner::Skep::offline().at(&case.dir);
        for (name, value) in &case.variables {
            skep = skep.env(name, value);
        }
        let words = ["validate"].into_iter().chain(arguments.iter().map(String::as_str)).collect::<Vec<_>>();
        let outcome = skep.run(&words);
        if outcome.code() != Some(1) {
            report.push(format!("{}: skep takes it", case.shown()));
            continue;
        }
        let said = without_directory(&outcome.stderr, &case.dir).replace("$DIR/", "");
        if std::env::var_os("SKEP_RECORD").is_some() {
            std::fs::write(&file, &said).expect("written");
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        if said != kept {
            report.push(format!("{}: said\n{said}and not\n{kept}", case.shown()));
        }
    }
    assert!(report.is_empty(), "{}\nRead what differs, then record it with SKEP_RECORD=1.", report.join("\n"));
}

/// Fails with every difference of every case.
fn settle(cases: Vec<Case>) {
    let mut report = Vec::new();
    for case in &cases {
        report.extend(compare(case).into_iter().map(|found| format!("{}: {found}", case.shown())));
    }
    assert!(
        report.is_empty(),
        "{}\nThese files are lowered otherwise than before. If that is meant, it restarts the tasks of people who have such \
         files: say so in CHANGELOG.md, and record anew with SKEP_RECORD=1 (CONTRIBUTING.md).",
        report.join("\n")
    );
}

fn compare(case: &Case) -> Vec<String> {
    let (desired, diagnostics) = case.lower();
    let Some(desired) = desired else { return vec![errors(&diagnostics)] };
    let mut found = Vec::new();
    let golden = case.golden.as_ref().expect("a golden");
    let Ok(kept) = std::fs::read_to_string(golden) else { return vec![format!("{} is missing", golden.display())] };
    let kept: Value = serde_json::from_str(&kept).unwrap_or_else(|error| panic!("{}: {error}", golden.display()));
    let ours = without_directory(&stored(&render::stack(&desired), MINOR).to_string(), &case.dir);
    differences("", &serde_json::from_str(&ours).expect("JSON"), &kept, &mut found);
    if let Note::Differs(code) = &case.note
        && !warnings(&diagnostics).contains(code.as_str())
    {
        found.push(format!("it should differ from docker, and there is no warning {code}"));
    }
    found
}
