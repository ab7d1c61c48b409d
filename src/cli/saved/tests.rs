//! What is saved, and what may stand beside it.

use serde_json::json;

use super::*;
use crate::cli::arguments::{Arguments, Verb};
use clap::Parser as _;

/// A plan that updates one service of one stack.
pub fn saved() -> Saved {
    let plan = json!({
        "formatVersion": 1, "revision": "c0ffee", "ref": "main", "cluster": null, "nodes": 1,
        "stacks": [{
            "stack": "shop",
            "steps": [{
                "action": "update", "kind": "service", "name": "shop_web", "effect": "rolling", "downtime": "none",
                "tasksRestarting": 2, "tasksStopping": 0,
                "changes": [
                    { "path": "/TaskTemplate/ContainerSpec/Image", "label": "image", "before": "a:1", "after": "a:2",
                      "effect": "rolling", "origin": "git" },
                    { "path": "/Labels/x", "label": "label x", "before": null, "after": "1", "effect": "in-place",
                      "origin": "git" },
                ],
            }],
            "diagnostics": [],
        }],
        "summary": { "create": 0, "update": 1, "replace": 0, "delete": 0, "unchanged": 0, "tasksRestarting": 2,
                     "tasksStopping": 0 },
    });
    Saved {
        skep: version().to_owned(),
        made: "2026-11-24T11:00:00Z".parse().expect("a moment"),
        swarm: "swarm1".to_owned(),
        target: TargetArguments {
            repo: Some("https://git.example.org/a.git".to_owned()),
            ..TargetArguments::default()
        },
        change: ChangeArguments { allow_delete: true, ..ChangeArguments::default() },
        commit: Some("c0ffee".to_owned()),
        images: Default::default(),
        stacks: vec![Stack {
            stack: "shop".to_owned(),
            commit: Some("beef".to_owned()),
            wanted: Some("f1".to_owned()),
            applied: None,
            objects: vec![Object {
                kind: Kind::Service,
                name: "shop_web".to_owned(),
                found: Some(Found { id: "id1".to_owned(), version: 812, updated: "2026-11-24T10:00:00.5Z".to_owned() }),
            }],
        }],
        plan: serde_json::from_value(plan).expect("a plan"),
    }
}

fn typed(line: &str) -> ApplyArguments {
    match Arguments::try_parse_from(format!("skep apply --plan f {line}").split_whitespace()).expect(line).verb {
        Verb::Apply(arguments) => arguments,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_is_planned_anew_with_its_own_arguments_at_its_own_commits() {
    let given = typed("--timeout 5s --cluster prod --show-values --config c.yaml");
    let arguments = saved().arguments(&given).expect("arguments");
    assert!(arguments.yes && arguments.change.allow_delete && arguments.change.show_values);
    assert_eq!(arguments.timeout.as_deref(), Some("5s"));
    assert_eq!(arguments.target.cluster.as_deref(), Some("prod"));
    assert_eq!(arguments.target.config, given.target.config);
    assert_eq!(arguments.target.repo.as_deref(), Some("https://git.example.org/a.git"));
    let stacks = [("shop".to_owned(), "beef".to_owned())].into();
    assert_eq!(arguments.target.pins, Pins { repository: Some("c0ffee".to_owned()), stacks });
}

#[test]
fn nothing_beside_it_says_what_is_planned() {
    for line in [
        "shop",
        "-c a.yaml",
        "--ref v1",
        "--path a",
        "--discover a/*",
        "--profile a",
        "--prune",
        "--allow-delete",
        "--force",
        "--resolve-image never",
        "--zero-downtime off",
    ] {
        let refused = saved().arguments(&typed(line)).expect_err(line).to_string();
        assert_eq!(refused, "a saved plan brings its own files, stacks and flags", "{line}");
    }
    let other = saved().arguments(&typed("--repo https://git.example.org/b.git")).expect_err("another").to_string();
    assert_eq!(other, "the plan is of https://git.example.org/a.git, and not of the repository that --repo names");
}

#[test]
fn credentials_of_a_repository_are_given_again() {
    let mut saved = saved();
    saved.target.repo = Some("https://***@git.example.org/a.git".to_owned());
    let refused = saved.arguments(&typed("")).expect_err("no credentials").to_string();
    assert_eq!(refused, "the plan is of https://***@git.example.org/a.git, and a saved plan holds no credentials");
    let url = "https://ci:pass@git.example.org/a.git";
    let arguments = saved.arguments(&typed(&format!("--repo {url}"))).expect("arguments");
    assert_eq!(arguments.target.repo.as_deref(), Some(url));
}

#[test]
fn arguments_are_saved_whole() {
    let line = "skep plan --repo r --ref v1 --path p --discover d --cluster c --profile x,y --prune --resolve-image always \
                --zero-downtime off --allow-delete --force a b";
    let Verb::Plan(given) = Arguments::try_parse_from(line.split_whitespace()).expect("arguments").verb else {
        panic!("another verb")
    };
    let target: TargetArguments =
        serde_json::from_value(serde_json::to_value(&given.target).expect("JSON")).expect("arguments");
    let change: ChangeArguments =
        serde_json::from_value(serde_json::to_value(&given.change).expect("JSON")).expect("arguments");
    assert_eq!((target, change), (given.target, given.change));
}
