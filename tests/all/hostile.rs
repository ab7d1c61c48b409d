//! Files made to exhaust whoever reads them. Each ends in a diagnostic, within a second and 100 MB, read from the command line
//! and from a repository.
//!
//! The program under test is not optimised and shares the machine with other tests, so it has ten times as long here; what it
//! took is printed. `SKEP_PROGRAM=$PWD/target/release/skep cargo test --test all hostile -- --nocapture` measures the optimised one.

mod texts;

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::runner::Skep;
use texts::{Text, service};

const DEADLINE: Duration = Duration::from_secs(10);
/// Of the binary that tests run, not optimised and with all its symbols: its own pages are a good part of it.
const MEMORY: u64 = 110_000_000;

/// Has a stack of these files rendered in both modes, each of which must end with the code's diagnostic, and gives what was
/// otherwise.
fn wrong(skep: &Skep, name: &str, files: &[(&str, &[u8])], code: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, content) in files {
        std::fs::write(skep.directory().join(path), content).expect("written");
    }
    let stack: Vec<&str> = files.iter().map(|(path, _)| *path).filter(|path| path.ends_with(".yaml")).collect();
    let declared = format!("version: 1\nstacks:\n  - name: shop\n    files: [{}]\n", stack.join(", "));
    std::fs::write(skep.directory().join("skep.yaml"), declared).expect("written");
    let mut direct = vec!["render"];
    stack.iter().for_each(|path| direct.extend(["-c", path]));
    direct.push("shop");
    for arguments in [direct, vec!["render", "--repo", "."]] {
        let (outcome, time, peak) = skep.measure(&arguments, MEMORY);
        eprintln!("{name:30} {:16} {:5} ms {:4} MB", arguments[1], time.as_millis(), peak / 1_000_000);
        let said: String = outcome.stderr.chars().take(600).collect();
        let refused = outcome.code() == Some(1) && outcome.stderr.contains(code);
        if !refused || outcome.stderr.contains("panicked") || peak >= MEMORY {
            wrong
                .push(format!("{name}, {arguments:?}: {}, {peak} bytes, where {code} is due:\n{said}", outcome.status));
        }
    }
    wrong
}

/// The program under test; another one, an optimised one say, where SKEP_PROGRAM names it.
fn skep() -> Skep {
    let skep = Skep::offline().within(DEADLINE).env("A", &"x".repeat(1000));
    match std::env::var("SKEP_PROGRAM") {
        Ok(program) => skep.instead(&program),
        Err(_) => skep,
    }
}

#[test]
fn texts_that_grow_nest_or_repeat_end_in_a_diagnostic() {
    let skep = skep();
    let mut failed = Vec::new();
    for Text { name, files, code } in texts::all() {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(path, content)| (*path, content.as_slice())).collect();
        failed.extend(wrong(&skep, name, &files, code));
        for (path, _) in files {
            std::fs::remove_file(skep.directory().join(path)).expect("removed");
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn what_is_no_regular_file_is_refused_wherever_it_is_named() {
    let skep = skep();
    let here = |name: &str| skep.directory().join(name);
    mknodat(CWD, here("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a FIFO");
    let _socket = UnixListener::bind(here("socket")).expect("a socket");
    std::fs::create_dir(here("directory")).expect("a directory");
    symlink("circle", here("circle")).expect("a link");
    symlink("/dev/zero", here("device")).expect("a link");
    let large = std::fs::File::create(here("large")).expect("a file");
    large.set_len(1 << 40).expect("a file with holes");
    let mut failed = Vec::new();
    for path in [
        "fifo",
        "socket",
        "directory",
        "circle",
        "device",
        "large",
        "/dev/zero",
        "/dev/tty",
        "/proc/kmsg",
        "/proc/self/mem",
    ] {
        let named = |lines: &str| lines.replace("PATH", path).into_bytes();
        for (key, text) in [
            ("env_file", service("env_file: PATH")),
            ("include", format!("include: [PATH]\n{}", service("init: true"))),
            ("extends", service("extends: {file: PATH, service: x}")),
            ("config", format!("{}configs: {{c: {{file: PATH}}}}\n", service("configs: [c]"))),
        ] {
            failed.extend(wrong(&skep, &format!("{key}: {path}"), &[("stack.yaml", &named(&text))], "error"));
        }
        let (outcome, time, peak) = skep.measure(&["render", "-c", path, "shop"], MEMORY);
        eprintln!("-c {path:27} {:5} ms {:4} MB", time.as_millis(), peak / 1_000_000);
        assert_eq!(outcome.code(), Some(1), "{path}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("cannot be read") && peak < MEMORY, "{path}: {}", outcome.stderr);
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_repository_of_many_stacks_and_deep_directories_is_searched_within_bounds() {
    let skep = skep();
    let mut declared = String::from("version: 1\nstacks:\n");
    for number in 0..1_000 {
        let _ = writeln!(declared, "  - name: s{number}\n    files: [absent.yaml]");
    }
    std::fs::write(skep.directory().join("skep.yaml"), declared).expect("written");
    let deep = (0..500).fold(skep.directory().to_owned(), |path, _| path.join("d"));
    std::fs::create_dir_all(&deep).expect("directories");
    let (outcome, time, peak) = skep.measure(&["validate", "--repo", "."], MEMORY);
    eprintln!("1,000 stacks {} ms {} MB", time.as_millis(), peak / 1_000_000);
    assert_eq!(outcome.code(), Some(1), "{}", outcome.stderr.chars().take(2000).collect::<String>());
    assert!(peak < MEMORY, "{peak}");
    std::fs::write(skep.directory().join("skep.yaml"), "version: 1\nstacks:\n  - discover: \"**/*.yaml\"\n")
        .expect("written");
    let (outcome, _, peak) = skep.measure(&["validate", "--repo", "."], MEMORY);
    assert!(outcome.code().is_some() && peak < MEMORY, "{outcome:?}");
}

/// A path that is shown does not command the terminal, and neither does a key.
#[test]
fn nothing_of_a_file_reaches_the_terminal_as_a_command() {
    let skep = skep();
    let text = "services:\n  web:\n    image: a\n    \"\\e]0;owned\\a\\e[31m\\u202e\": 1\n";
    std::fs::write(skep.directory().join("stack.yaml"), text).expect("written");
    let outcome = skep.run(&["validate", "-c", "stack.yaml"]).expect(1);
    assert!(outcome.stderr.contains("unknown key `\\u{1b}]0;owned\\u{7}\\u{1b}[31m\\u{202e}`"), "{}", outcome.stderr);
    let json = skep.run(&["validate", "-c", "stack.yaml", "-o", "json"]).expect(1).json();
    assert!(json["diagnostics"][0]["message"].as_str().is_some_and(|message| !message.contains('\u{1b}')), "{json}");
}
