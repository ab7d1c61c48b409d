//! The examples are files that `docker stack deploy` takes, and all of them run side by side.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::lab::Lab;
use crate::wait::wait_until;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
/// What needs a file server that the lab has not.
const ELSEWHERE: [&str; 2] = ["volume-nfs", "volume-glusterfs"];

#[test]
fn docker_takes_every_example() {
    if !docker_reads_compose_files() {
        return;
    }
    for stack in stacks() {
        config(&[&stack.join("compose.yaml")]);
        let readme = std::fs::read_to_string(stack.join("README.md")).expect("a README");
        assert!(readme.contains("skep plan -c compose.yaml"), "{}", stack.display());
    }
    config(&[Path::new(&format!("{EXAMPLES}/skep-stack.yaml"))]);
    let shop = Path::new(EXAMPLES).join("fleet/stacks/shop");
    config(&[&shop.join("compose.yaml"), &shop.join("compose.prod.yaml")]);
    config(&[&shop.join("compose.yaml"), &shop.join("compose.staging.yaml")]);
    config(&[&Path::new(EXAMPLES).join("fleet/stacks/gateway/compose.yaml")]);
}

#[test]
fn all_stacks_of_the_examples_run_beside_each_other() {
    if !docker_reads_compose_files() {
        return;
    }
    // Their ports, and the name of Traefik's network, are the machine's: a swarm of their own.
    let lab = Lab::start(1);
    let mut stacks = stacks();
    stacks.retain(|stack| !ELSEWHERE.contains(&name(stack)));
    // whoami joins the network that traefik makes.
    stacks.sort_by_key(|stack| name(stack) != "traefik");
    for stack in &stacks {
        for image in images(&stack.join("compose.yaml")) {
            lab.image(&image, &[]);
        }
        let file = stack.join("compose.yaml").display().to_string();
        lab.docker(1, &["stack", "deploy", "--resolve-image", "never", "-c", &file, name(stack)]);
    }

    for stack in &stacks {
        for service in lab.services(name(stack)) {
            let full = service["Spec"]["Name"].as_str().expect("a name").to_owned();
            let mode = &service["Spec"]["Mode"];
            if mode.get("ReplicatedJob").is_some() {
                wait_until(Duration::from_secs(60), &format!("{full} has run"), || completed(&lab, &full));
                continue;
            }
            let wanted = mode["Replicated"]["Replicas"].as_u64().unwrap_or(1);
            let what = format!("{full} runs {wanted} times");
            wait_until(Duration::from_secs(120), &what, || lab.running(&full).len() as u64 == wanted);
        }
    }
}

fn completed(lab: &Lab, service: &str) -> bool {
    let states = lab.docker(1, &["service", "ps", service, "--format", "{{.CurrentState}}"]);
    states.lines().any(|state| state.starts_with("Complete"))
}

fn stacks() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(format!("{EXAMPLES}/stacks")).expect("examples/stacks");
    let mut stacks: Vec<_> =
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    stacks.sort();
    assert!(stacks.len() >= 10, "{stacks:?}");
    stacks
}

fn name(stack: &Path) -> &str {
    stack.file_name().and_then(|name| name.to_str()).expect("a name")
}

fn images(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a stack file");
    text.lines().filter_map(|line| line.trim().strip_prefix("image: ")).map(str::to_owned).collect()
}

fn config(files: &[&Path]) {
    let mut command = Command::new("docker");
    command.args(["stack", "config"]).stdin(Stdio::null());
    for file in files {
        command.arg("-c").arg(file);
    }
    command.envs([("SHOP_TAG", "6.7.0"), ("SHOP_MESSAGE", "hello"), ("DOMAIN", "example.test")]);
    let output = command.output().expect("the docker client runs");
    assert!(output.status.success(), "{files:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Debian 12's client is older than files without `version:`, and than `docker stack config`'s acceptance of them.
fn docker_reads_compose_files() -> bool {
    let output = Command::new("docker").arg("--version").output().expect("the docker client runs");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    let major = version.split_whitespace().nth(2).and_then(|word| word.split('.').next()?.parse::<u32>().ok());
    let new_enough = major.is_some_and(|major| major >= 25);
    if !new_enough {
        eprintln!(
            "SKIPPED: the examples are not shown to docker, whose client is too old for them: {}",
            version.trim()
        );
    }
    new_enough
}
