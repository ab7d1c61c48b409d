//! The lab does what the other tests believe of it.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::lab::{Lab, script, unique};
use crate::proxy::{Fault, Proxy};
use crate::registry::{Access, Registry};
use crate::runner::Skep;
use crate::wait::{wait_for, wait_until};

const SOON: Duration = Duration::from_secs(30);
/// A partition heals within 16 to 58 seconds.
const LATER: Duration = Duration::from_secs(120);

#[test]
fn one_node_runs_a_service_that_answers() {
    let lab = Lab::shared();
    let (image, service) = (unique("lab-app") + ":1", unique("lab-app"));
    lab.app(&image, "hello", &[]);

    let port = "mode=host,published=18080,target=8080";
    lab.docker(1, &["service", "create", "--detach", "--name", &service, "--publish", port, &image]);

    wait_until(SOON, "the task is healthy", || lab.running(&service).len() == 1);
    let url = format!("http://{}:18080/", lab.address(1));
    let output = Command::new("busybox").args(["wget", "-q", "-O", "-", &url]).output().expect("busybox runs");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("hello "), "{output:?}");
    lab.docker(1, &["service", "rm", &service]);
}

#[test]
fn an_app_falls_ill_and_exits_when_told_to() {
    let lab = Lab::shared();
    let name = unique("lab-ill");
    let (ill, ends, steady) = (format!("{name}:ill"), format!("{name}:ends"), format!("{name}:steady"));
    lab.app(&ill, "ill", &["APP_HEALTHY_AFTER=3600"]);
    lab.app_unchecked(&steady, "steady");
    lab.image(&ends, &[r#"CMD ["app"]"#, "ENV APP_EXIT_AFTER=0", "ENV APP_EXIT_CODE=7"]);
    let once = ["--restart-condition", "none", "--detach", "--name"];
    for (service, image) in [("ill", &ill), ("ends", &ends), ("steady", &steady)] {
        let service = format!("{name}-{service}");
        lab.docker(1, &[&["service", "create"], &once[..], &[&service, image]].concat());
    }

    let over = |service: &str| {
        let filters = format!(r#"{{"service":["{name}-{service}"]}}"#);
        let tasks = lab.api(1, &format!("/tasks?filters={}", filters.replace('"', "%22")));
        let task = &tasks[0]["Status"];
        matches!(task["State"].as_str(), Some("failed" | "complete")).then(|| task.clone())
    };
    let ended = wait_for(SOON, "the task ended", || over("ends"));
    assert_eq!((&ended["State"], &ended["ContainerStatus"]["ExitCode"]), (&"failed".into(), &7.into()));
    // Swarm stops what is unhealthy; having drained and exited with 0, it counts as complete.
    let ill = wait_for(SOON, "the task was found unhealthy", || over("ill"));
    assert_eq!(ill["State"], "complete");
    wait_until(SOON, "the one without a check runs", || lab.running(&format!("{name}-steady")).len() == 1);
    for service in ["ill", "ends", "steady"] {
        lab.docker(1, &["service", "rm", &format!("{name}-{service}")]);
    }
}

#[test]
fn a_stack_is_listed_and_removed_with_its_network() {
    let lab = Lab::shared();
    let (stack, image) = (unique("lab-stack"), unique("lab-idle") + ":1");
    lab.image(&image, &[r#"CMD ["idle"]"#]);
    let file = lab.dir().join(format!("{stack}.yaml"));
    let text = format!("version: '3.8'\nservices:\n  a: {{ image: '{image}' }}\n  b: {{ image: '{image}' }}\n");
    std::fs::write(&file, text).expect("a file");

    lab.docker(1, &["stack", "deploy", "--resolve-image", "never", "-c", &file.display().to_string(), &stack]);

    let names: Vec<_> = lab.services(&stack).iter().map(|service| service["Spec"]["Name"].clone()).collect();
    assert_eq!(names, [format!("{stack}_a"), format!("{stack}_b")]);
    wait_until(SOON, "both run", || ["a", "b"].iter().all(|name| lab.running(&format!("{stack}_{name}")).len() == 1));
    lab.remove_stack(&stack);
    assert!(lab.services(&stack).is_empty());
    assert!(lab.service(&format!("{stack}_a")).is_none());
}

#[test]
fn three_nodes_survive_a_cut_and_a_killed_engine_and_leave_nothing() {
    let lab = Lab::start(3);
    let ready = |asked: usize| {
        let nodes = lab.request(asked, "GET", "/nodes", None).body;
        let nodes = nodes.as_array().cloned().unwrap_or_default();
        nodes.iter().filter(|node| node["Status"]["State"] == "ready").count()
    };
    assert_eq!(ready(1), 3);
    let output = lab.inside(3, "ip").args(["-4", "-o", "address", "show", "eth0"]).output().expect("ip runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains(&lab.address(3)), "{output:?}");

    // A service on every node: images and the workload come to all of them.
    lab.image("everywhere:1", &[r#"CMD ["idle"]"#]);
    lab.docker(1, &["service", "create", "--detach", "--mode", "global", "--name", "everywhere", "everywhere:1"]);
    wait_until(SOON, "a task runs on each node", || lab.running("everywhere").len() == lab.nodes().count());

    lab.cut(3);
    wait_until(LATER, "the cut node is missed", || ready(1) == 2);
    lab.heal(3);
    wait_until(LATER, "the healed node is back", || ready(1) == 3);

    lab.kill(2);
    assert!(!lab.try_docker(2, &["version"]).status.success());
    lab.restart(2);
    wait_until(LATER, "the restarted node is back", || ready(2) == 3);

    let dir = lab.dir().display().to_string();
    drop(lab);
    assert_no_trace(&dir);
}

#[test]
fn a_lab_whose_owner_was_killed_is_swept_and_a_living_one_is_not() {
    let mut owner = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("sleep runs");
    crate::lab::watch(owner.id());
    let output = script().arg("up").env("LAB_OWNER", owner.id().to_string()).output().expect("scripts/lab runs");
    assert!(output.status.success(), "{output:?}");
    let dir = String::from_utf8_lossy(&output.stdout).trim().to_owned();

    sweep();
    assert!(std::path::Path::new(&dir).exists(), "swept under its owner");
    owner.kill().expect("a child to kill");
    owner.wait().expect("a child");
    sweep();

    assert_no_trace(&dir);
}

#[test]
fn a_guard_ends_the_processes_of_a_killed_owner_but_not_a_namesake() {
    let sleeper = || Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("sleep runs");
    let (mut owner, mut watched, mut stranger) = (sleeper(), sleeper(), sleeper());
    for child in [&owner, &watched, &stranger] {
        crate::lab::watch(child.id());
    }
    let mut guard = script();
    let mut guard =
        guard.args(["guard", &owner.id().to_string()]).stdin(Stdio::piped()).spawn().expect("scripts/lab runs");
    let pipe = guard.stdin.take().expect("a piped stdin");
    std::io::Write::write_all(&mut &pipe, format!("pid {}\n", watched.id()).as_bytes()).expect("the guard reads");

    owner.kill().expect("a child to kill");
    owner.wait().expect("a child");
    drop(pipe);
    // It is this process's child, so it stays a zombie until it is waited for.
    let status = watched.wait().expect("a child");

    assert!(guard.wait().expect("a child").success());
    assert!(!status.success(), "the watched process ended by itself");
    assert!(stranger.try_wait().expect("a child").is_none(), "a process that was not named is gone");
    stranger.kill().expect("a child to kill");
    stranger.wait().expect("a child");
}

#[test]
fn the_built_skep_runs_in_an_image_of_its_own() {
    let lab = Lab::shared();
    let image = unique("lab-skep") + ":1";
    lab.skep_image(&image);
    let said = lab.docker(1, &["run", "--rm", "--entrypoint", "sh", &image, "-c", "skep --version && echo ran"]);
    assert!(said.ends_with("ran"), "{said}");
    let health =
        lab.docker(1, &["image", "inspect", "--format", "{{.Config.Healthcheck.Test}} {{.Config.Cmd}}", &image]);
    assert_eq!(health, "[CMD skep healthcheck] [run]");
}

#[test]
fn a_registry_gives_digests_and_asks_for_the_password() {
    let lab = Lab::shared();
    let local = unique("lab-pushed") + ":1";
    lab.image(&local, &[r#"CMD ["idle"]"#]);
    let open = Registry::start(lab, Access::Anyone);
    let closed = Registry::start(lab, Access::Login("ada", "engine"));
    assert_ne!(open.address(), closed.address());

    let digest = open.push(lab, &local, "team/app:1");
    let pinned = format!("{}@{digest}", open.image("team/app"));
    lab.docker(1, &["pull", "--quiet", &pinned]);
    assert!(open.log().contains("/v2/team/app/manifests/"), "{}", open.log());

    assert_eq!(closed.push(lab, &local, "team/app:1"), digest);
    let image = closed.image("team/app:1");
    assert!(!lab.try_docker(1, &["pull", "--quiet", &image]).status.success(), "pulled without a password");
    let skep = Skep::offline();
    closed.login(skep.home());
    let mut pull = lab.docker_command(1);
    let pulled = pull.env("DOCKER_CONFIG", skep.home().join(".docker")).args(["pull", "--quiet", &image]).output();
    assert!(pulled.expect("the docker client runs").status.success());
}

#[test]
fn the_proxy_counts_requests_and_streams_events() {
    let lab = Lab::shared();
    let proxy = Proxy::start(&lab.socket(1));
    let config = unique("lab-config");
    let mut events = lab.docker_command(1);
    events.env("DOCKER_HOST", proxy.docker_host()).args([
        "events",
        "--filter",
        "type=config",
        "--format",
        "{{.Actor.ID}}",
    ]);
    let mut events = events.stdout(Stdio::piped()).spawn().expect("the docker client runs");
    crate::lab::watch(events.id());
    let asked = || proxy.requests().iter().any(|request| request.path == "/events" && request.status == Some(200));
    wait_until(SOON, "the event stream is open", asked);

    let file = lab.dir().join(&config);
    std::fs::write(&file, "content").expect("a file");
    let create = ["config", "create", &config, &file.display().to_string()];
    let created = through(&proxy, lab, &create);
    assert!(created.status.success(), "{created:?}");
    assert!(!through(&proxy, lab, &create).status.success(), "one name twice");

    let writes = proxy.object_writes();
    let [accepted, refused] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!((accepted.method.as_str(), accepted.path.as_str()), ("POST", "/configs/create"));
    assert_eq!((accepted.status, refused.status), (Some(201), Some(409)));
    assert_eq!(accepted.body["Name"], config);
    let id = String::from_utf8_lossy(&created.stdout).trim().to_owned();
    let stdout = std::io::BufReader::new(events.stdout.take().expect("a piped stdout"));
    let seen = std::io::BufRead::lines(stdout).map_while(Result::ok).any(|line| line == id);
    assert!(seen, "the stream ended without the event");
    events.kill().expect("a child to kill");
    events.wait().expect("a child");

    proxy.forget();
    through(&proxy, lab, &["config", "rm", &config]);
    assert_eq!(proxy.writes().len(), 1);
    through(&proxy, lab, &["config", "ls", "--filter", "name=nothing"]);
    assert!(proxy.requests().iter().any(|request| request.path == "/configs" && request.query.contains("nothing")));
}

#[test]
fn the_proxy_tells_bookkeeping_from_the_users_objects() {
    let lab = Lab::shared();
    let proxy = Proxy::start(&lab.socket(1));
    let name = unique("skep.lab");
    let file = lab.dir().join(&name);
    std::fs::write(&file, "content").expect("a file");

    through(&proxy, lab, &["config", "create", &name, &file.display().to_string()]);
    let id = lab.docker(1, &["config", "inspect", "--format", "{{.ID}}", &name]);
    // The client sends the name; whoever deletes by id is recognised too.
    through(&proxy, lab, &["config", "rm", &id]);

    assert_eq!(proxy.writes().len(), 2);
    assert!(proxy.object_writes().is_empty(), "{:?}", proxy.object_writes());
}

#[test]
fn the_proxy_refuses_loses_and_holds_the_write_it_was_told_to() {
    let lab = Lab::shared();
    let proxy = Proxy::start(&lab.socket(1));
    let names: Vec<String> = (0..4).map(|_| unique("lab-fault")).collect();
    let file = lab.dir().join(&names[0]);
    std::fs::write(&file, "content").expect("a file");
    let path = file.display().to_string();
    let create = |name: &str| through(&proxy, lab, &["config", "create", name, &path]).status.success();
    let exists = |name: &str| lab.try_docker(1, &["config", "inspect", name]).status.success();

    proxy.arm(Fault::Refuse(1));
    assert!(!create(&names[0]) && !exists(&names[0]), "a refused write got through");

    proxy.arm(Fault::Lose(2));
    assert!(create(&names[0]), "the write before the fault");
    assert!(!create(&names[1]) && exists(&names[1]), "a lost answer is of a write that was done");
    proxy.wait_fault(SOON);

    proxy.arm(Fault::Hold(1));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| create(&names[2]));
        proxy.wait_fault(SOON);
        assert!(exists(&names[2]) && !waiting.is_finished());
        proxy.disarm();
        assert!(waiting.join().expect("no panic"), "released, the answer arrives");
    });

    proxy.arm(Fault::Delay(Duration::from_millis(300)));
    let before = std::time::Instant::now();
    assert!(create(&names[3]));
    assert!(before.elapsed() >= Duration::from_millis(300));
    for name in &names[..4] {
        lab.docker(1, &["config", "rm", name]);
    }
}

#[test]
fn a_command_sees_nothing_of_the_tests_environment() {
    let runner = Skep::on("unix:///nowhere").env("GIVEN", "1").instead("env");
    let outcome = runner.run::<&str>(&[]).expect(0);
    let names: Vec<_> = outcome.stdout.lines().filter_map(|line| line.split('=').next()).collect();
    assert_eq!(names, ["DOCKER_HOST", "GIVEN", "HOME", "LANG", "PATH", "RUST_BACKTRACE", "TZ"]);

    let outcome = Skep::offline().instead("sh").run(&["-c", "exit 3"]).expect(3);
    assert!(outcome.stdout.is_empty(), "{outcome:?}");
    let other = Skep::offline().at(runner.home()).instead("sh").run(&["-c", "pwd; echo $HOME"]).expect(0);
    let lines: Vec<_> = other.stdout.lines().collect();
    assert_eq!(lines[0], runner.home().display().to_string(), "runs where it is told to");
    assert_ne!(lines[1], lines[0], "each has a home of its own");
    assert!(runner.directory().starts_with(runner.home()));
    assert_eq!(Skep::offline().within(SOON).instead("echo").run(&["[1]"]).json(), serde_json::json!([1]));
}

#[test]
fn a_process_is_followed_interrupted_and_killed() {
    let shell = "trap 'echo asked >&2; exit 0' TERM; echo ready >&2; echo data; while :; do sleep 0.05; done";
    let start = || {
        let mut process = Skep::offline().instead("sh").spawn(&["-c", shell]);
        process.wait_log(SOON, "ready");
        process
    };
    let mut process = start();
    assert!(process.is_running() && process.resident() > 0);
    wait_until(SOON, "stdout is read too", || process.stdout() == "data\n");
    let outcome = process.terminate(SOON).expect(0);
    assert_eq!(outcome.stderr, "ready\nasked\n");

    let outcome = start().kill();
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (None, "ready\n"));
    let id = start().id();
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists(), "a dropped process lives on");
}

fn through(proxy: &Proxy, lab: &Lab, arguments: &[&str]) -> std::process::Output {
    let mut command = lab.docker_command(1);
    command.env("DOCKER_HOST", proxy.docker_host()).args(arguments).output().expect("the docker client runs")
}

fn sweep() {
    assert!(script().arg("sweep").status().expect("scripts/lab runs").success());
}

/// Whatever names a lab's directory or slot is gone.
fn assert_no_trace(dir: &str) {
    assert!(!std::path::Path::new(dir).exists(), "{dir} is there");
    let slot = dir.rsplit('/').next().expect("a slot");
    let namespaces =
        std::fs::read_dir("/run/netns").map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let left: Vec<_> =
        namespaces.iter().filter(|n| n.file_name().to_string_lossy().starts_with(&format!("skep-{slot}-"))).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!std::path::Path::new(&format!("/sys/class/net/skep{slot}")).exists(), "the link is there");
    let mounts = std::fs::read_to_string("/proc/mounts").expect("mounts");
    assert!(!mounts.contains(&format!("{dir}/")), "a mount is left");
    for process in std::fs::read_dir("/proc").expect("processes").flatten() {
        let command = std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        assert!(!command.contains(&format!("{dir}/")), "a process is left: {command}");
    }
}
