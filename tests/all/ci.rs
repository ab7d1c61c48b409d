//! The examples for continuous integration: their shell runs, their commands are skep's, and of every merge request there is one
//! comment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use serde_json::{Value, json};
use skep::cli::arguments::Arguments;

const CI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ci");
const PLAN: &str = "<!-- skep plan: prod -->\n### skep plan: 3 tasks restart\n\n`\"quotes\"` & | ünïcode\n";

/// A forge as far as comments go: GitHub's paths, or GitLab's.
struct Forge {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    comments: Vec<(u64, String)>,
    requests: Vec<String>,
    is_broken: bool,
}

impl Forge {
    fn start(comments: &[&str]) -> Forge {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let comments = comments.iter().zip(1..).map(|(body, id)| (id, (*body).to_owned())).collect();
        let state = Arc::new(Mutex::new(State { comments, ..State::default() }));
        let shared = Arc::clone(&state);
        // It ends with the test's process; nobody else knows its port.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(&stream.expect("a connection"), &shared);
            }
        });
        Forge { address, state }
    }

    fn bodies(&self) -> Vec<String> {
        self.state.lock().expect("it").comments.iter().map(|(_, body)| body.clone()).collect()
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().expect("it").requests)
    }

    /// Runs the script as a job of this forge would.
    fn comment(&self, kind: &str, text: &str) -> Output {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("plan.md");
        std::fs::write(&file, text).expect("written");
        let mut command = Command::new("sh");
        command.arg(format!("{CI}/comment.sh")).arg(kind).arg(&file).env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("TMPDIR", directory.path());
        command.env("GITHUB_API_URL", &self.address).env("GITHUB_REPOSITORY", "team/shop").env("PULL_REQUEST", "7");
        command.env("CI_API_V4_URL", &self.address).env("CI_PROJECT_ID", "4").env("CI_MERGE_REQUEST_IID", "7");
        command.env("GITHUB_TOKEN", "hush").env("GITLAB_TOKEN", "hush");
        let output = command.output().expect("sh");
        let left = std::fs::read_dir(directory.path()).expect("it").count();
        assert_eq!(left, 1, "the token's file is removed");
        output
    }
}

/// Answers one request a connection.
fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).expect("a line") == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = lines.iter().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        found.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let mut body = vec![0; header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).expect("a body");
    let (status, answer) = answer(&mut state.lock().expect("it"), &lines, header, &body);
    let answer = answer.to_string();
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}", answer.len())
        .expect("sent");
}

fn answer(
    state: &mut State,
    lines: &[String],
    header: impl Fn(&str) -> Option<String>,
    body: &[u8],
) -> (&'static str, Value) {
    let request = lines.first().expect("a request").trim_end_matches(" HTTP/1.1").to_owned();
    state.requests.push(request.clone());
    if state.is_broken {
        return ("500 Internal Server Error", json!({ "message": "broken" }));
    }
    let (method, target) = request.split_once(' ').expect("a method");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (comments, comment, authorized) = match path.starts_with("/projects/") {
        true => (
            "/projects/4/merge_requests/7/notes",
            "/projects/4/merge_requests/7/notes/",
            header("private-token").as_deref() == Some("hush"),
        ),
        false => (
            "/repos/team/shop/issues/7/comments",
            "/repos/team/shop/issues/comments/",
            header("authorization").as_deref() == Some("Bearer hush"),
        ),
    };
    if !authorized {
        return ("401 Unauthorized", json!({ "message": "who are you?" }));
    }
    let text = || {
        let value: Value = serde_json::from_slice(body).expect("JSON");
        value["body"].as_str().expect("a body").to_owned()
    };
    let id = path.strip_prefix(comment).and_then(|id| id.parse::<u64>().ok());
    match (method, id) {
        ("GET", None) if path == comments => {
            let query: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
            let number = |name: &str| query.get(name).and_then(|it| it.parse::<usize>().ok()).expect("a number");
            let (size, page) = (number("per_page"), number("page"));
            let all = state.comments.iter().skip(size * (page - 1)).take(size);
            ("200 OK", all.map(|(id, body)| json!({ "id": id, "body": body })).collect())
        }
        ("POST", None) if path == comments => {
            let id = state.comments.len() as u64 + 1;
            state.comments.push((id, text()));
            ("201 Created", json!({ "id": id }))
        }
        ("PATCH" | "PUT", Some(id)) => {
            let found = state.comments.iter_mut().find(|(it, _)| *it == id).expect("the comment");
            found.1 = text();
            ("200 OK", json!({ "id": id }))
        }
        _ => ("404 Not Found", json!({ "message": request })),
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_merge_request_has_one_comment_which_is_edited_in_place() {
    for (kind, edit) in
        [("github", "PATCH /repos/team/shop/issues/comments/2"), ("gitlab", "PUT /projects/4/merge_requests/7/notes/2")]
    {
        let forge = Forge::start(&["somebody quotes\n<!-- skep plan: prod -->"]);
        let posted = forge.comment(kind, PLAN);
        assert!(posted.status.success() && said(&posted).contains("comment 2 posted"), "{}", said(&posted));
        assert_eq!(forge.bodies()[1..], [PLAN]);
        forge.requests();
        let later = PLAN.replace('3', "4");
        let edited = forge.comment(kind, &later);
        assert!(edited.status.success() && said(&edited).contains("comment 2 edited"), "{}", said(&edited));
        assert_eq!(forge.bodies()[1..], [later]);
        assert_eq!(forge.requests().last().map(String::as_str), Some(edit));
        let other = forge.comment(kind, &PLAN.replace("prod", "staging"));
        assert!(other.status.success(), "{}", said(&other));
        assert_eq!(forge.bodies().len(), 3, "another cluster's plan is another comment");
        assert!(!said(&posted).contains("hush") && !said(&edited).contains("hush"));
    }
}

#[test]
fn a_comment_is_found_behind_hundreds_of_others() {
    let mut comments = vec!["chatter"; 230];
    comments.push("<!-- skep plan: prod -->\nold");
    let forge = Forge::start(&comments);
    let edited = forge.comment("github", PLAN);
    assert!(said(&edited).contains("comment 231 edited"), "{}", said(&edited));
    assert_eq!(forge.requests().len(), 4);
}

#[test]
fn nothing_is_posted_where_the_comment_cannot_be_found_again_or_the_forge_fails() {
    let forge = Forge::start(&[]);
    let bare = forge.comment("github", "no marker\n");
    assert!(bare.status.code() == Some(1) && forge.requests().is_empty(), "{}", said(&bare));
    forge.state.lock().expect("it").is_broken = true;
    let failed = forge.comment("github", PLAN);
    assert!(!failed.status.success() && said(&failed).contains("500"), "{}", said(&failed));
    assert_eq!(forge.requests().len(), 1, "what could not be read is not taken for empty");
}

/// What the jobs run, of both examples.
fn scripts() -> Vec<String> {
    fn texts(value: &Value, key: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| texts(value, key, found)),
            Value::Array(items) => items.iter().for_each(|item| texts(item, key, found)),
            Value::String(text) if matches!(key, "run" | "script" | "before_script") => found.push(text.clone()),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for file in ["github/workflow.yaml", "gitlab/.gitlab-ci.yml"] {
        let value = crate::commands::schemas::json(&PathBuf::from(CI).join(file));
        assert!(value.get("jobs").or(value.get("plan")).is_some(), "{file}: {value}");
        texts(&value, "", &mut found);
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

/// The skep commands in a text, words without quotes.
fn commands(text: &str) -> Vec<Vec<String>> {
    let of = |line: &str| -> Option<Vec<String>> {
        let (at, _) =
            line.match_indices("skep ").find(|(at, _)| line[..*at].ends_with([' ', '`', '\n']) || *at == 0)?;
        let command = line[at..].split(['>', ';', '|', '`']).next()?;
        Some(command.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect())
    };
    let is_verb = |words: &Vec<String>| matches!(words.get(1).map(String::as_str), Some("plan" | "apply" | "drift"));
    text.lines().filter_map(of).filter(is_verb).collect()
}

#[test]
fn the_commands_of_the_examples_are_skeps() {
    let mut seen = Vec::new();
    for script in scripts() {
        for words in commands(&script) {
            Arguments::try_parse_from(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
            seen.push(words[1..].join(" "));
        }
    }
    for part in ["--detailed-exitcode -o markdown", "--out plan.json", "apply --plan plan.json"] {
        let count = seen.iter().filter(|command| command.contains(part)).count();
        assert_eq!(count, 2, "both examples have {part}: {seen:#?}");
    }
}

#[test]
fn the_shell_of_the_examples_is_shell() {
    let check = |text: &str| {
        let output = Command::new("sh").args(["-n", "-c", text]).output().expect("sh");
        assert!(output.status.success(), "{text}\n{}", said(&output));
    };
    scripts().iter().for_each(|script| check(script));
    for file in ["comment.sh", "ssh.sh"] {
        check(&std::fs::read_to_string(Path::new(CI).join(file)).expect("a script"));
    }
}

#[test]
fn a_job_trusts_the_manager_it_was_told_and_no_other() {
    let home = tempfile::tempdir().expect("a home");
    for _ in 0..2 {
        let mut command = Command::new("sh");
        command.arg(format!("{CI}/ssh.sh")).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home.path());
        command.env("DOCKER_HOST", "ssh://deploy@manager.example.org:2222");
        command.env("SSH_KEY", "a key").env("SSH_KNOWN_HOSTS", "manager.example.org ssh-ed25519 AAAA");
        let output = command.output().expect("sh");
        assert!(output.status.success(), "{}", said(&output));
    }
    let read = |name: &str| std::fs::read_to_string(home.path().join(".ssh").join(name)).expect(name);
    let config = read("config");
    assert_eq!(config.matches("Host manager.example.org\n").count(), 1, "{config}");
    assert!(config.contains("StrictHostKeyChecking yes") && config.contains("UserKnownHostsFile"), "{config}");
    assert_eq!(read("id_skep"), "a key\n");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(home.path().join(".ssh/id_skep")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
