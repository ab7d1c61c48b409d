//! The examples are files that `docker stack deploy` takes, and all of them run side by side.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::lab::Lab;
use crate::proxy::Proxy;
use crate::reference;
use crate::runner::Skep;
use crate::wait::wait_until;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
/// What needs a file server that the lab has not.
const ELSEWHERE: [&str; 2] = ["volume-nfs", "volume-glusterfs"];
/// What docker refuses, as it should: it shows what skep takes besides.
const MODERN: &str = "compose-spec";

#[test]
fn docker_takes_every_example() {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => return reference::skip("the examples in docker's hands", why),
    };
    for stack in stacks() {
        if name(&stack) == MODERN {
            assert!(
                !accepts(client, &[&stack.join("compose.yaml")]),
                "it is no longer an example of what docker refuses"
            );
        } else {
            config(client, &[&stack.join("compose.yaml")]);
        }
        let readme = std::fs::read_to_string(stack.join("README.md")).expect("a README");
        assert!(readme.contains("skep plan -c compose.yaml"), "{}", stack.display());
    }
    config(client, &[Path::new(&format!("{EXAMPLES}/skep-stack.yaml"))]);
    let shop = Path::new(EXAMPLES).join("fleet/stacks/shop");
    config(client, &[&shop.join("compose.yaml"), &shop.join("compose.prod.yaml")]);
    config(client, &[&shop.join("compose.yaml"), &shop.join("compose.staging.yaml")]);
    config(client, &[&Path::new(EXAMPLES).join("fleet/stacks/gateway/compose.yaml")]);
}

#[test]
fn all_stacks_of_the_examples_run_beside_each_other() {
    let client = match reference::client() {
        Ok(client) => client,
        Err(why) => return reference::skip("the examples in docker's hands", why),
    };
    // Their ports, and the name of Traefik's network, are the machine's: a swarm of their own.
    let lab = Lab::start(1);
    let mut stacks = stacks();
    stacks.retain(|stack| !ELSEWHERE.contains(&name(stack)) && name(stack) != MODERN);
    // whoami joins the network that traefik makes.
    stacks.sort_by_key(|stack| name(stack) != "traefik");
    for stack in &stacks {
        for image in images(&stack.join("compose.yaml")) {
            lab.image(&image, &[]);
        }
        let file = stack.join("compose.yaml").display().to_string();
        let mut docker = reference::docker(client, &[("DOCKER_HOST".to_owned(), lab.docker_host(1))]);
        docker.args(["stack", "deploy", "--detach=true", "--resolve-image", "never", "-c", &file, name(stack)]);
        let output = docker.output().expect("the docker client runs");
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    }

    // What docker made of a file is what skep wants of it: not a field differs.
    let proxy = Proxy::start(&lab.socket(1));
    let skep = Skep::on(&proxy.docker_host());
    for stack in &stacks {
        let file = stack.join("compose.yaml").display().to_string();
        let planned = skep.run(&["plan", "-c", &file, name(stack), "--detailed-exitcode"]).expect(0);
        assert!(planned.stdout.contains("nothing to do"), "{}: {}", stack.display(), planned.stdout);
    }
    assert!(proxy.writes().is_empty(), "{:?}", proxy.writes());

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

#[test]
fn skep_validates_renders_and_plans_every_example() {
    let lab = Lab::shared();
    let skep = Skep::on(&lab.docker_host(1))
        .env("DOMAIN", "example.test")
        .env("SHOP_TAG", "6.7.0")
        .env("SHOP_MESSAGE", "hello");
    let example = |path: &str| format!("{EXAMPLES}/{path}");
    let mut files: Vec<String> =
        stacks().iter().map(|stack| stack.join("compose.yaml").display().to_string()).collect();
    files.push(example("skep-stack.yaml"));
    files.push(example("fleet/stacks/gateway/compose.yaml"));
    for overlay in ["compose.prod.yaml", "compose.staging.yaml"] {
        files.push(format!(
            "{},{}",
            example("fleet/stacks/shop/compose.yaml"),
            example(&format!("fleet/stacks/shop/{overlay}"))
        ));
    }
    for file in files {
        let checked = skep.run(&["validate", "-c", &file]).expect(0);
        assert!(!checked.stderr.contains("error"), "{file}: {}", checked.stderr);
        let rendered = skep.run(&["render", "-c", &file, "example"]).expect(0).json();
        assert!(rendered["stacks"][0]["services"].as_array().is_some_and(|services| !services.is_empty()), "{file}");
        // What others must have made, as whoami's network of traefik, is missing here, and that is said.
        let planned = skep.run(&["plan", "-c", &file, "example"]);
        let text = std::fs::read_to_string(file.split(',').next().expect("a file")).expect("a file");
        let waits = text.lines().any(|line| line.trim() == "external: true");
        assert_eq!(planned.code(), Some(if waits { 5 } else { 0 }), "{file}: {}{}", planned.stdout, planned.stderr);
    }
    for (path, cluster, stacks) in
        [("fleet/clusters/prod", "prod", 2), ("fleet/clusters/staging", "staging", 2), ("stacks", "", stacks().len())]
    {
        let mut words = vec!["render", "--repo", env!("CARGO_MANIFEST_DIR"), "--path"];
        let path = format!("examples/{path}");
        words.push(&path);
        if !cluster.is_empty() {
            words.extend(["--cluster", cluster]);
        }
        let rendered = skep.run(&words).expect(0).json();
        assert_eq!(rendered["stacks"].as_array().map(Vec::len), Some(stacks), "{path}");
        words[0] = "validate";
        assert_eq!(skep.run(&words).expect(0).stdout, format!("{stacks} stacks: no errors\n"));
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

fn config(client: &Path, files: &[&Path]) {
    let output = read(client, files);
    assert!(output.status.success(), "{files:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn accepts(client: &Path, files: &[&Path]) -> bool {
    read(client, files).status.success()
}

/// What the docker client makes of stack files.
fn read(client: &Path, files: &[&Path]) -> Output {
    let variables = [("SHOP_TAG", "6.7.0"), ("SHOP_MESSAGE", "hello"), ("DOMAIN", "example.test")];
    let mut command = reference::docker(client, &variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    command.args(["stack", "config"]);
    for file in files {
        command.arg("-c").arg(file);
    }
    command.output().expect("the docker client runs")
}
