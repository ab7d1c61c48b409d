//! A real swarm for a test, by way of `scripts/lab`.

pub mod engine;
mod guard;
mod image;

pub use guard::{stand, watch};

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A swarm of `nodes` engines, gone when this is dropped, when the test panics and when its process is killed. Nodes count from 1;
/// the first three are managers.
///
/// `LAB_KEEP=1` in the environment keeps the lab of a test that failed: `scripts/lab list`, `scripts/lab down LAB`.
pub struct Lab {
    dir: PathBuf,
    nodes: usize,
}

impl Lab {
    /// Starts a swarm of this many nodes: about a second for one, three for three.
    pub fn start(nodes: usize) -> Lab {
        Lab::start_with(nodes, "")
    }

    /// The same, with more flags for each dockerd.
    pub fn start_with(nodes: usize, dockerd_arguments: &str) -> Lab {
        Lab::up(nodes, &[("LAB_DOCKERD_ARGS", dockerd_arguments.as_ref())])
    }

    /// The same on another engine.
    pub fn start_on(dockerd: &Path, nodes: usize) -> Lab {
        Lab::up(nodes, &[("LAB_DOCKERD", dockerd.as_os_str())])
    }

    fn up(nodes: usize, variables: &[(&str, &OsStr)]) -> Lab {
        stand();
        let mut up = script();
        up.args(["up", &nodes.to_string()]).env("LAB_OWNER", std::process::id().to_string());
        up.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let up = up.spawn().expect("scripts/lab runs");
        watch(up.id());
        let output = up.wait_with_output().expect("scripts/lab ends");
        assert!(output.status.success(), "no lab: {}", String::from_utf8_lossy(&output.stderr));
        let dir = String::from_utf8(output.stdout).expect("a path in UTF-8").trim().into();
        Lab { dir, nodes }
    }

    /// The swarm of one node that all tests of this process share. Nothing in it may be broken or left behind.
    pub fn shared() -> &'static Lab {
        static SHARED: OnceLock<Lab> = OnceLock::new();
        SHARED.get_or_init(|| Lab::start(1))
    }

    /// The lab's directory: what is put there goes with it.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The numbers of the nodes.
    pub fn nodes(&self) -> RangeInclusive<usize> {
        1..=self.nodes
    }

    /// The socket of a node's engine.
    pub fn socket(&self, node: usize) -> PathBuf {
        self.dir.join(format!("n{node}/docker.sock"))
    }

    /// `DOCKER_HOST` of a node's engine.
    pub fn docker_host(&self, node: usize) -> String {
        format!("unix://{}", self.socket(node).display())
    }

    /// The IP address of a node, reached from the machine and from every node.
    pub fn address(&self, node: usize) -> String {
        self.call(&["address"], &[&node.to_string()])
    }

    /// The IP address of what [`Lab::beside`] runs, reached from the machine and from every node.
    pub fn hub_address(&self) -> String {
        self.call(&["address"], &["hub"])
    }

    /// Takes down the link of a node: it runs on, alone.
    pub fn cut(&self, node: usize) {
        self.call(&["cut"], &[&node.to_string()]);
    }

    /// Puts the link up again.
    pub fn heal(&self, node: usize) {
        self.call(&["heal"], &[&node.to_string()]);
    }

    /// SIGKILL for the engine of a node; its containers run on.
    pub fn kill(&self, node: usize) {
        self.call(&["kill"], &[&node.to_string()]);
    }

    /// Starts a killed engine again, with its data.
    pub fn restart(&self, node: usize) {
        self.call(&["start"], &[&node.to_string()]);
    }

    /// Runs the docker client on a node's engine and gives its standard output, trimmed.
    #[track_caller]
    pub fn docker(&self, node: usize, arguments: &[&str]) -> String {
        let output = self.try_docker(node, arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {}: {error}", arguments.join(" "));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same, whatever comes of it.
    pub fn try_docker(&self, node: usize, arguments: &[&str]) -> Output {
        self.docker_command(node).args(arguments).output().expect("the docker client runs")
    }

    /// The docker client on a node's engine, with none of the user's configuration.
    pub fn docker_command(&self, node: usize) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_CONFIG", self.dir.join("docker-config")).env_remove("DOCKER_CONTEXT");
        command.env("DOCKER_HOST", self.docker_host(node)).stdin(Stdio::null());
        command
    }

    /// A program in the network namespace of a node.
    pub fn inside(&self, node: usize, program: &str) -> Command {
        let mut command = script();
        command.arg("exec").arg(&self.dir).arg(node.to_string()).arg(program);
        command
    }

    /// A program in the network namespace of the bridge, at [`Lab::hub_address`]: a registry, a git server. It ends with the lab.
    pub fn beside(&self, program: &str) -> Command {
        let mut command = script();
        command.arg("exec").arg(&self.dir).args(["hub", program]);
        command
    }

    /// The file of a network namespace: of the bridge, or of a node.
    #[allow(dead_code, reason = "the benchmark enters it")]
    pub fn namespace(&self, of: &str) -> PathBuf {
        let slot = self.dir.file_name().expect("a lab's directory is its slot").to_string_lossy();
        format!("/run/netns/skep-{slot}-{of}").into()
    }

    #[track_caller]
    fn call(&self, before: &[&str], after: &[&str]) -> String {
        let output = script().args(before).arg(&self.dir).args(after).output().expect("scripts/lab runs");
        assert!(output.status.success(), "lab {before:?} {after:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("LAB_KEEP").is_some() {
            // An owner that is no process lives for ever.
            let _ = std::fs::write(self.dir.join("owner"), "kept\n");
            eprintln!("the lab is kept: {}", self.dir.display());
            return;
        }
        // The guard tries again, should this fail.
        let _ = script().arg("down").arg(&self.dir).status();
    }
}

/// `scripts/lab`, to be given a command.
pub fn script() -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lab"));
    command.stdin(Stdio::null());
    command
}

/// A name nobody else in this process has, for a stack: tests of one binary share a swarm.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
