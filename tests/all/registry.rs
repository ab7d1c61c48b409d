//! A real registry (Debian's docker-registry) beside a lab, which its nodes may use without TLS.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use base64::Engine as _;

use crate::lab::{self, Lab};
use crate::wait::wait_until;

/// Who may use a registry.
#[derive(Clone, Copy)]
pub enum Access {
    Anyone,
    /// User and password, in htpasswd's bcrypt form on the server.
    Login(&'static str, &'static str),
}

/// A registry that ends when this is dropped, or with its lab.
pub struct Registry {
    child: Child,
    address: String,
    dir: PathBuf,
    access: Access,
}

impl Registry {
    /// Starts one, empty.
    pub fn start(lab: &Lab, access: Access) -> Registry {
        // Ports of the bridge's namespace, where nobody else listens.
        static PORT: AtomicU16 = AtomicU16::new(5000);
        let port = PORT.fetch_add(1, Ordering::Relaxed);
        let address = format!("{}:{port}", lab.hub_address());
        let dir = lab.dir().join(format!("registry-{port}"));
        std::fs::create_dir_all(dir.join("client")).expect("a directory");
        let config = dir.join("config.yml");
        std::fs::write(&config, configuration(&dir, &address, access)).expect("a file");
        write_client_config(&dir.join("client"), &address, access);
        let log = std::fs::File::create(dir.join("log")).expect("a log");
        let mut serve = lab.beside("docker-registry");
        serve.arg("serve").arg(&config).stdout(log.try_clone().expect("a log")).stderr(log);
        let child = serve.spawn().expect("docker-registry runs");
        lab::watch(child.id());
        wait_until(Duration::from_secs(20), "the registry answers", || TcpStream::connect(&address).is_ok());
        Registry { child, address, dir, access }
    }

    /// `HOST:PORT`, as the first part of an image's name.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The name of a repository's tag in this registry.
    pub fn image(&self, name_and_tag: &str) -> String {
        format!("{}/{name_and_tag}", self.address)
    }

    /// Pushes a local image of node 1 under `name_and_tag`, and gives the digest (`sha256:…`) it has here.
    #[track_caller]
    pub fn push(&self, lab: &Lab, local: &str, name_and_tag: &str) -> String {
        let image = self.image(name_and_tag);
        lab.docker(1, &["tag", local, &image]);
        let output = lab.docker_command(1).env("DOCKER_CONFIG", self.client_config()).args(["push", &image]).output();
        let output = output.expect("the docker client runs");
        assert!(output.status.success(), "push of {image}: {}", String::from_utf8_lossy(&output.stderr));
        lab.docker(1, &["image", "rm", &image]);
        let said = String::from_utf8_lossy(&output.stdout);
        let digest = said.split_once("digest: ").and_then(|(_, rest)| rest.split_whitespace().next());
        digest.unwrap_or_else(|| panic!("no digest in {said}")).to_owned()
    }

    /// A directory with a `config.json` that holds the login: a `DOCKER_CONFIG`.
    pub fn client_config(&self) -> PathBuf {
        self.dir.join("client")
    }

    /// Adds the login to a home directory, as `docker login` does.
    pub fn login(&self, home: &Path) {
        let docker = home.join(".docker");
        std::fs::create_dir_all(&docker).expect("a directory");
        write_client_config(&docker, &self.address, self.access);
    }

    /// The registry's log: one line for every request.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).expect("a log")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // The child only waits for the registry, which goes on without it.
        let config = self.dir.join("config.yml").display().to_string();
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let arguments = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let mut arguments = arguments.split(|byte| *byte == 0);
            if arguments.next() == Some(b"docker-registry") && arguments.any(|word| word == config.as_bytes()) {
                let _ = Command::new("kill").arg(process.file_name()).status();
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(dir: &Path, address: &str, access: Access) -> String {
    let mut config = serde_json::json!({
        "version": "0.1",
        "log": { "accesslog": { "disabled": false } },
        "storage": { "filesystem": { "rootdirectory": dir.join("data") }, "delete": { "enabled": true } },
        "http": { "addr": address },
    });
    if let Access::Login(user, password) = access {
        let output = Command::new("htpasswd").args(["-nbB", user, password]).stdin(Stdio::null()).output();
        let output = output.expect("htpasswd runs");
        assert!(output.status.success(), "htpasswd: {}", String::from_utf8_lossy(&output.stderr));
        let path = dir.join("htpasswd");
        std::fs::write(&path, output.stdout).expect("a file");
        config["auth"] = serde_json::json!({ "htpasswd": { "realm": "lab", "path": path } });
    }
    // JSON is YAML.
    config.to_string()
}

fn write_client_config(dir: &Path, address: &str, access: Access) {
    let mut config = serde_json::json!({});
    if let Access::Login(user, password) = access {
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        config["auths"][address] = serde_json::json!({ "auth": auth });
    }
    std::fs::write(dir.join("config.json"), config.to_string()).expect("a file");
}
