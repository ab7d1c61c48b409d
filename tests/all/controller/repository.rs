//! A local repository of stacks.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempDir;

use crate::git_server;

/// A repository with a work tree. Its branch is `main`.
pub struct Repository {
    root: TempDir,
}

impl Repository {
    pub fn new() -> Repository {
        let repository = Repository { root: tempfile::tempdir().expect("a directory") };
        std::fs::create_dir(repository.path()).expect("a directory");
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    pub fn path(&self) -> PathBuf {
        self.root.path().join("fleet")
    }

    /// Where it is put to be out of reach.
    pub fn elsewhere(&self) -> PathBuf {
        self.root.path().join("elsewhere")
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "gc.auto=0"];
        let all: Vec<&str> = identity.iter().chain(arguments).copied().collect();
        git_server::run("git", &self.path(), &all)
    }

    pub fn write(&self, path: &str, text: &str) {
        write(&self.path().join(path), text);
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.path().join(path)).expect("a file to remove");
    }

    /// Declares stacks, each of one file `NAME.yaml`, with more lines for the top of skep.yaml.
    pub fn declare(&self, stacks: &[&str], more: &str) {
        self.write("skep.yaml", &declaration(stacks, more));
    }

    /// Writes a stack's file.
    pub fn stack(&self, name: &str, services: &[(&str, &str)]) {
        self.write(&format!("{name}.yaml"), &stack(services));
    }

    /// Commits everything and gives the commit's id.
    pub fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// When the branch was last moved.
    pub fn moved(&self) -> SystemTime {
        let branch = self.path().join(".git/refs/heads/main");
        branch.metadata().and_then(|it| it.modified()).expect("a branch")
    }
}

/// A skep.yaml of stacks that are a file each. Unless `more` says how, updates roll as the files say and no otherwise: a policy that is
/// filled in would make each test wait until half a minute without a healthcheck has passed.
pub fn declaration(stacks: &[&str], more: &str) -> String {
    let mut text = format!("version: 1\n{more}\nstacks:\n");
    for name in stacks {
        text += &format!("  - name: {name}\n    files: [ {name}.yaml ]\n");
        if !more.contains("zeroDowntime") {
            text += "    zeroDowntime: \"off\"\n";
        }
    }
    if stacks.is_empty() {
        text = text.replace("stacks:\n", "stacks: []\n");
    }
    text
}

/// A stack's file, as docker of any age takes it: services that run for ever and end at once when told to, each with a text.
pub fn stack(services: &[(&str, &str)]) -> String {
    let mut text = "version: \"3.8\"\nservices:\n".to_owned();
    for (name, said) in services {
        text += &service(name, said, "");
    }
    text
}

/// One service of it, with more lines, indented by four.
pub fn service(name: &str, said: &str, more: &str) -> String {
    format!(
        "  {name}:\n    image: app:1\n    environment: [ \"TEXT={said}\" ]\n    stop_grace_period: 1s\n    deploy:\n      \
         replicas: 1\n      update_config: {{ monitor: 500ms }}\n{more}"
    )
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    std::fs::write(path, text).expect("a file");
}
