//! The architecture's table, held: every `crate::room` path in `src/` is an allowed edge, and what may be named in one room
//! only is named there only. The tests of a room may reach further.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Room, and the rooms it may use.
const EDGES: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("diag", &["model"]),
    ("yaml", &["diag", "model"]),
    ("settings", &["yaml", "diag", "model"]),
    ("sops", &["yaml", "diag", "model"]),
    ("compose", &["sops", "yaml", "diag", "model"]),
    ("swarm", &["model"]),
    ("desired", &["compose", "settings", "swarm", "diag", "model"]),
    ("lint", &["desired", "settings", "swarm", "diag", "model"]),
    ("plan", &["lint", "desired", "settings", "swarm", "diag", "model"]),
    ("import", &["plan", "desired", "compose", "swarm", "yaml", "diag", "model"]),
    ("health", &["swarm", "model"]),
    ("audit", &["health", "lint", "plan", "desired", "swarm", "diag", "model"]),
    ("telemetry", &["model"]),
    ("client", &["swarm", "model", "telemetry"]),
    ("source", &["settings", "diag", "model", "telemetry"]),
    ("runtime", &["client", "settings", "swarm", "model", "telemetry"]),
    ("apply", &["plan", "health", "client", "swarm", "model", "telemetry"]),
    (
        "operator",
        &[
            "model",
            "diag",
            "yaml",
            "sops",
            "settings",
            "compose",
            "swarm",
            "desired",
            "lint",
            "plan",
            "health",
            "audit",
            "telemetry",
            "client",
            "source",
            "runtime",
            "apply",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "diag",
            "yaml",
            "sops",
            "settings",
            "compose",
            "swarm",
            "desired",
            "lint",
            "plan",
            "import",
            "health",
            "audit",
            "telemetry",
            "client",
            "source",
            "runtime",
            "apply",
            "operator",
        ],
    ),
];

/// Words that may stand only in these rooms.
const CONFINED: &[(&str, &[&str])] = &[
    ("bollard::", &["client"]),
    ("git2::", &["source"]),
    ("std::env::", &["cli", "main.rs"]),
    ("granit_parser", &["yaml"]),
    ("serde_yaml::", &["yaml"]),
];

/// Words that no pure room may hold: they take values and do no I/O.
const IMPURE: &[&str] =
    &["tokio::", "std::fs", "TcpStream", "UdpSocket", "std::env", "SystemTime::now", "Instant::now", "Timestamp::now"];
const PURE: &[&str] = &[
    "model", "diag", "yaml", "sops", "settings", "compose", "swarm", "desired", "lint", "plan", "import", "health",
    "audit",
];

fn sources() -> Vec<(String, PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("src is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    let is_test = |path: &PathBuf| {
        path.components().any(|part| part.as_os_str() == "tests")
            || path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
    };
    found
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| {
            let inside = path.strip_prefix(&root).expect("inside src");
            let room = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            (room, path, text)
        })
        .collect()
}

/// A line without its comment: prose may name anything.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

#[test]
fn every_room_uses_only_the_rooms_the_table_allows() {
    let edges: BTreeMap<&str, BTreeSet<&str>> =
        EDGES.iter().map(|(room, uses)| (*room, uses.iter().copied().collect())).collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (room, path, text) in sources() {
        if room.ends_with(".rs") {
            continue;
        }
        let Some(allowed) = edges.get(room.as_str()) else {
            wrong.push(format!("{}: the room `{room}` is not in the table", path.display()));
            continue;
        };
        seen.insert(room.clone());
        for (number, line) in text.lines().enumerate() {
            for rest in code(line).split("crate::").skip(1) {
                let used: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if used != room && edges.contains_key(used.as_str()) && !allowed.contains(used.as_str()) {
                    wrong.push(format!("{}:{}: {room} uses {used}", path.display(), number + 1));
                }
            }
            assert!(
                !code(line).contains("use crate::{"),
                "{}:{}: one room a use, so that edges are seen",
                path.display(),
                number + 1
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen.len(), EDGES.len(), "a room of the table has no code, or the search found nothing: {seen:?}");
}

#[test]
fn what_belongs_in_one_room_is_named_in_no_other() {
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            for (word, rooms) in CONFINED {
                if code(line).contains(word) && !rooms.contains(&room.as_str()) {
                    wrong.push(format!("{}:{}: {word}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_do_no_input_or_output() {
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        if !PURE.contains(&room.as_str()) {
            continue;
        }
        for (number, line) in text.lines().enumerate().take_while(|(_, line)| !line.contains("#[cfg(test)]")) {
            for word in IMPURE {
                if code(line).contains(word) {
                    wrong.push(format!("{}:{}: {word}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
