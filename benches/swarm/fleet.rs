//! The repository that is measured: stacks of services as people write them, which docker's client of any age takes too.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// How large it is.
#[derive(Clone, Copy)]
pub struct Size {
    pub stacks: usize,
    pub services: usize,
}

impl Size {
    /// 1,000 services in 50 stacks, or what `SKEP_BENCH_SERVICES` and `SKEP_BENCH_STACKS` say.
    pub fn from_environment() -> Size {
        Size { stacks: number("SKEP_BENCH_STACKS", 50), services: number("SKEP_BENCH_SERVICES", 1000) }
    }

    /// How many services a stack has; the first ones take what is left over.
    fn of_stack(self, stack: usize) -> usize {
        self.services / self.stacks + usize::from(stack < self.services % self.stacks)
    }
}

/// A positive number from the environment.
pub fn number(variable: &str, default: usize) -> usize {
    let text = std::env::var(variable).unwrap_or_default();
    let number = if text.is_empty() { default } else { text.parse().expect(variable) };
    assert!(number > 0, "{variable} must be positive");
    number
}

/// A git repository with a `skep.yaml` and a directory for each stack.
pub struct Fleet {
    dir: TempDir,
    size: Size,
}

impl Fleet {
    /// Writes it and commits it.
    pub fn new(size: Size) -> Fleet {
        let fleet = Fleet { dir: tempfile::tempdir().expect("a directory"), size };
        fleet.git(&["init", "--quiet", "--initial-branch=main"]);
        fleet.write("skep.yaml", "version: 1\nstacks:\n  - discover: \"stacks/*\"\n");
        for stack in 0..size.stacks {
            let name = name(stack);
            fleet.write(&format!("stacks/{name}/compose.yaml"), &compose(size.of_stack(stack), ""));
            fleet.write(&format!("stacks/{name}/settings.conf"), &settings(&name));
        }
        fleet.git(&["add", "--all"]);
        fleet.git(&["commit", "--quiet", "--message", "all stacks"]);
        fleet
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Each stack with its file.
    pub fn stacks(&self) -> Vec<(String, PathBuf)> {
        (0..self.size.stacks).map(|stack| (name(stack), self.file(stack))).collect()
    }

    /// Makes a commit in which a label of every service of the first stack has another value, and moves the branch only when the
    /// closure that is given back is called.
    pub fn prepare_change(&self, value: &str) -> impl FnOnce() + use<> {
        self.prepare("stacks/stack-00/compose.yaml", &compose(self.size.of_stack(0), value))
    }

    /// The same with a commit that concerns no stack.
    pub fn prepare_note(&self, text: &str) -> impl FnOnce() + use<> {
        self.prepare("NOTES", text)
    }

    /// Changes every service, network and config in the files alone, or brings them back to what they were.
    pub fn differ(&self, differ: bool) {
        for (stack, (name, file)) in self.stacks().into_iter().enumerate() {
            let (mut text, mut conf) = (compose(self.size.of_stack(stack), ""), settings(&name));
            if differ {
                for (from, to) in [
                    ("nginx:1.27-alpine", "nginx:1.28-alpine"),
                    ("LOG_LEVEL: info", "LOG_LEVEL: debug"),
                    ("interval: 10s", "interval: 20s"),
                    ("memory: 256M", "memory: 512M"),
                    ("bench.value: \"\"", "bench.value: \"other\""),
                ] {
                    text = text.replace(from, to);
                }
                conf.push_str("setting.last = new\n");
            }
            std::fs::write(&file, text).expect("a stack file");
            self.write(&format!("stacks/{name}/settings.conf"), &conf);
        }
    }

    /// Adds a secret to every stack, in the files alone.
    pub fn add_secrets(&self) {
        for (name, file) in self.stacks() {
            let compose = std::fs::read_to_string(&file).expect("a stack file");
            let secret = "secrets:\n  token:\n    file: ./token.txt\n";
            std::fs::write(&file, compose + secret).expect("a stack file");
            self.write(&format!("stacks/{name}/token.txt"), &format!("not so secret: {name}\n"));
        }
    }

    fn prepare(&self, path: &str, content: &str) -> impl FnOnce() + use<> {
        self.write(path, content);
        self.git(&["add", "--all"]);
        let tree = self.git(&["write-tree"]);
        let commit = self.git(&["commit-tree", &tree, "-p", "HEAD", "-m", "a change"]);
        let mut command = git(self.path(), &["update-ref", "refs/heads/main", &commit]);
        move || assert!(command.status().expect("git runs").success(), "the branch moves")
    }

    fn file(&self, stack: usize) -> PathBuf {
        self.path().join("stacks").join(name(stack)).join("compose.yaml")
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, content).expect("a file");
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = git(self.path(), arguments).output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn git(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=bench", "-c", "user.email=bench@localhost"]).args(arguments);
    command.current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command
}

fn name(stack: usize) -> String {
    format!("stack-{stack:02}")
}

/// A stack file. `value` is that of a label that changing restarts nothing.
fn compose(services: usize, value: &str) -> String {
    let mut text = String::from("version: \"3.8\"\nservices:\n");
    for service in 0..services {
        let _ = write!(
            text,
            r#"  app-{service:02}:
    image: nginx:1.27-alpine
    command: ["nginx", "-g", "daemon off;"]
    environment:
      LOG_LEVEL: info
      LISTEN: 0.0.0.0:8080
      DATABASE_URL: postgres://database:5432/app-{service:02}
      CACHE_URL: redis://cache:6379/0
      TZ: Europe/Berlin
    networks: [default, backend]
    volumes:
      - data:/var/lib/app
    configs:
      - source: settings
        target: /etc/app/settings.conf
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"]
      interval: 10s
      timeout: 3s
      retries: 3
    stop_grace_period: 30s
    logging:
      driver: json-file
      options:
        max-size: 10m
        max-file: "3"
    deploy:
      replicas: 0
      labels:
        bench.value: "{value}"
        traefik.enable: "true"
        traefik.http.routers.app-{service:02}.rule: Host(`app-{service:02}.example.org`)
        traefik.http.services.app-{service:02}.loadbalancer.server.port: "8080"
      update_config:
        order: start-first
        failure_action: rollback
        monitor: 10s
      resources:
        limits:
          memory: 256M
        reservations:
          memory: 64M
"#
        );
    }
    text.push_str("networks:\n  default: {}\n  backend: {}\nvolumes:\n  data: {}\n");
    text.push_str("configs:\n  settings:\n    file: ./settings.conf\n");
    text
}

/// A configuration of a usual size: 4 KB.
fn settings(stack: &str) -> String {
    (0..100).fold(format!("# {stack}\n"), |mut text, line| {
        let _ = writeln!(text, "setting.{line:03} = a value of some length");
        text
    })
}
