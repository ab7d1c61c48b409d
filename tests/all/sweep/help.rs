//! The flags of a command, as its help lists them.

use std::path::Path;

use crate::reference;

/// The long flags of `docker service update`, with their dashes. No engine is asked: a client that knows one hides the flags
/// that it is too old for.
pub fn flags(client: &Path) -> Vec<String> {
    let output = reference::docker(client, &[("DOCKER_HOST".to_owned(), "unix:///nonexistent".to_owned())])
        .args(["service", "update", "--help"])
        .output()
        .expect("the docker client runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// A flag begins its line, after the short form that some have; what continues a description is indented to its column.
fn parse(help: &str) -> Vec<String> {
    let of_line = |line: &str| {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let long = match text.split_once(", ") {
            Some((short, long)) if short.len() == 2 && short.starts_with('-') => long,
            _ => text,
        };
        let flag = long.split_whitespace().next().unwrap_or_default();
        (indent <= 6 && flag.starts_with("--")).then(|| flag.to_owned())
    };
    help.lines().filter_map(of_line).collect()
}

#[test]
fn flags_are_found_and_descriptions_are_not() {
    let help = "Usage:  docker x\n\nOptions:\n      --args command     Service args\n  -d, --detach           Exit, or\n\
                \x20                        --replicas\n";
    assert_eq!(parse(help), ["--args", "--detach"]);
}
