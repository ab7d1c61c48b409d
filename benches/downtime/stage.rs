//! The swarm on which all is measured: three managers, the proxies on the first of them, and the application as the stack `app`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::client::{Client, Peer, Target};
use super::lab::{self, Lab};
use super::precedence::Precedence;
use super::proxies::{self, NETWORK, SERVICE};
use super::runner::{Outcome, Skep};
use super::wait::wait_until;

/// How long anything on a busy machine may take before the bench gives up.
pub const SOON: Duration = Duration::from_secs(180);

/// Who deploys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `docker stack deploy`.
    Docker,
    /// `skep apply -c`, which fills in what the file does not say.
    Skep,
    /// `docker stack deploy` of a file that says what is usually advised: start-first and rollback.
    Advised,
}

impl Tool {
    /// In a table.
    pub fn words(self) -> &'static str {
        match self {
            Tool::Docker => "`docker stack deploy`",
            Tool::Skep => "`skep apply`",
            Tool::Advised => "`docker stack deploy`, start-first + rollback in the file",
        }
    }
}

/// How the application is, as its stack file says.
#[derive(Clone)]
pub struct App {
    pub replicas: u64,
    /// For how many seconds it serves on after SIGTERM.
    pub serve_on: u64,
    pub abrupt: bool,
    /// After how many seconds it dies.
    pub dies_after: Option<u64>,
    /// Not on the node of the proxies, which is drained otherwise.
    pub elsewhere: bool,
    /// Whether its file has a healthcheck.
    pub checked: bool,
    /// What makes an update.
    pub version: u64,
}

impl Default for App {
    fn default() -> App {
        App { replicas: 3, serve_on: 2, abrupt: false, dies_after: None, elsewhere: false, checked: true, version: 0 }
    }
}

impl App {
    /// The stack file, without a word on updates, or with what is usually advised.
    pub fn file(&self, tool: Tool) -> String {
        let mut environment = format!("VERSION: \"{}\", SERVE_ON: \"{}\"", self.version, self.serve_on);
        if self.abrupt {
            environment += ", ABRUPT: \"1\"";
        }
        if let Some(seconds) = self.dies_after {
            let _ = write!(environment, ", DIE_AFTER: \"{seconds}\"");
        }
        let check = match self.checked {
            true => {
                "    healthcheck:\n      test: [CMD, bench-app, healthy]\n      interval: 1s\n      timeout: 1s\n      retries: 2\n"
            }
            false => "",
        };
        let mut deploy = format!("      replicas: {}\n", self.replicas);
        if self.elsewhere {
            deploy += "      placement: { constraints: [node.hostname != n1] }\n";
        }
        if tool == Tool::Advised {
            deploy += "      update_config: { order: start-first, failure_action: rollback }\n";
        }
        format!(
            "version: \"3.8\"\nservices:\n  web:\n    image: bench-app:1\n    environment: {{ {environment} }}\n    \
             networks: [{NETWORK}]\n    stop_grace_period: 30s\n{check}    deploy:\n{deploy}\
             networks:\n  {NETWORK}: {{ external: true }}\n"
        )
    }
}

/// It, and what is written for it.
pub struct Stage {
    // In this order: the lab goes first.
    pub lab: Lab,
    precedence: Precedence,
    pub directory: TempDir,
    /// Requests a second, to each proxy.
    pub rate: u32,
    fills_in: bool,
}

impl Stage {
    /// Starts the swarm and the proxies.
    pub fn new(rate: u32) -> Stage {
        // It outlives this process, and would keep the group.
        lab::stand();
        let precedence = Precedence::take();
        let lab = Lab::start(3);
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("bench-app");
        std::fs::copy(std::env::current_exe().expect("a program"), &program).expect("a copy");
        let program = program.display().to_string();
        lab.program("bench-app:1", &program, &[r#"CMD ["bench-app", "app"]"#]);
        lab.program("bench-haproxy:1", "/usr/sbin/haproxy", &[r#"CMD ["haproxy", "-db", "-f", "/proxy.conf"]"#]);
        let command = r#"CMD ["nginx", "-p", "/tmp/", "-e", "/dev/null", "-c", "/proxy.conf"]"#;
        lab.program("bench-nginx:1", "/usr/sbin/nginx", &[command]);
        lab.docker(1, &["network", "create", "--driver", "overlay", "--attachable", NETWORK]);
        let file = proxies::write(directory.path()).display().to_string();
        lab.docker(1, &["stack", "deploy", "--detach=true", "--resolve-image", "never", "-c", &file, "proxies"]);
        for kind in &proxies::ALL {
            let name = format!("proxies_{}", kind.name);
            wait_until(SOON, &format!("{name} runs"), || !lab.running(&name).is_empty());
        }
        precedence.give_to(lab.dir());
        let help = Skep::offline().run(&["apply", "--help"]).expect(0).stdout;
        let fills_in = help.split("--zero-downtime").nth(1).is_some_and(|text| text.contains("- auto:"));
        Stage { lab, precedence, directory, rate, fills_in }
    }

    /// Whether all this goes before the machine's other work.
    pub fn has_precedence(&self) -> bool {
        self.precedence.is_taken()
    }

    /// Whether this skep computes a policy for updates.
    pub fn fills_in(&self) -> bool {
        self.fills_in
    }

    fn write(&self, app: &App, tool: Tool) -> PathBuf {
        let file = self.directory.path().join("app.yaml");
        std::fs::write(&file, app.file(tool)).expect("a file");
        file
    }

    /// Deploys the application for the first time, and waits until every one of these proxies answers well.
    pub fn first(&self, app: &App, tool: Tool, proxies: &[&str]) {
        self.deploy(app, tool);
        self.ready(app, proxies);
    }

    /// Waits until the application runs and these proxies answer well.
    pub fn ready(&self, app: &App, proxies: &[&str]) {
        let running = || self.lab.running(SERVICE).len() as u64 == app.replicas;
        wait_until(SOON, "all replicas run", running);
        for kind in proxies::ALL.iter().filter(|kind| proxies.contains(&kind.name)) {
            let answers = || (0..6).all(|_| self.answers(kind.port));
            wait_until(SOON, &format!("{} answers", kind.name), answers);
        }
    }

    fn answers(&self, port: u16) -> bool {
        use std::io::{Read as _, Write as _};
        let address = (self.lab.address(1), port);
        let Ok(mut stream) = std::net::TcpStream::connect((address.0.as_str(), port)) else { return false };
        let mut answer = String::new();
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let asked = write!(stream, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
        asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    /// Has a tool deploy the application's file, and waits until the rollout is over by what the engine says. Gives how long that
    /// took, and the state of the update.
    pub fn deploy(&self, app: &App, tool: Tool) -> (Duration, String) {
        let file = self.write(app, tool);
        let before = self.lab.service(SERVICE);
        let begun = Instant::now();
        match tool {
            Tool::Docker | Tool::Advised => {
                let file = file.display().to_string();
                let deploy = ["stack", "deploy", "--detach=true", "--resolve-image", "never", "-c", &file, "app"];
                self.lab.docker(1, &deploy);
            }
            Tool::Skep => drop(self.apply(&file)),
        }
        // A service that is made has no update.
        let Some(before) = before else { return (begun.elapsed(), String::new()) };
        let state = self.rolled(&before);
        (begun.elapsed(), state)
    }

    /// `skep apply` without the wait for its verdict, as docker's client does it: the engine says when the update is over.
    fn apply(&self, file: &Path) -> Outcome {
        let skep = Skep::on(&self.lab.docker_host(1)).within(SOON);
        let file = file.display().to_string();
        let mut arguments = vec!["apply", "-c", &file, "app", "--yes", "--detach"];
        if self.fills_in {
            arguments.extend(["--zero-downtime", "auto"]);
        }
        let outcome = skep.run(&arguments);
        outcome.expect(0)
    }

    /// Waits until the service has been written since it was as given and its update has an end; gives that.
    pub fn rolled(&self, before: &Value) -> String {
        let mut state = String::new();
        wait_until(SOON, "the update is over", || {
            let service = self.lab.service(SERVICE).unwrap_or_default();
            let status = &service["UpdateStatus"];
            let new = status["StartedAt"] != before["UpdateStatus"]["StartedAt"];
            state = status["State"].as_str().unwrap_or_default().to_owned();
            new && !matches!(state.as_str(), "" | "updating" | "rollback_started")
        });
        state
    }

    /// Begins to send to these proxies.
    pub fn client(&self, proxies: &[&str]) -> Client {
        let address: std::net::IpAddr = self.lab.address(1).parse().expect("an address");
        let asked = proxies::ALL.iter().filter(|kind| proxies.contains(&kind.name));
        let target = |kind: &proxies::Kind| Target {
            name: kind.name.to_owned(),
            peer: Peer::Address((address, kind.port).into()),
            rate: if proxies::LATE.contains(&kind.name) { self.rate.div_ceil(3) } else { self.rate },
        };
        Client::start(self.lab.namespace("hub"), asked.map(target).collect())
    }

    /// Removes the application.
    pub fn clear(&self) {
        self.lab.docker(1, &["stack", "rm", "app"]);
        wait_until(SOON, "the application is gone", || {
            self.lab.nodes().all(|node| {
                let ancestor = ["ps", "--quiet", "--filter", "label=com.docker.swarm.service.name=app_web"];
                self.lab.docker(node, &ancestor).is_empty()
            })
        });
    }
}
