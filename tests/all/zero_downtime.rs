//! What an update loses, seen by a client that sends all the while: `make bench-downtime` measures it at length, this proves it once.

#[path = "../../benches/downtime/client.rs"]
mod client;
#[path = "../../benches/downtime/figures.rs"]
#[allow(dead_code, reason = "the benchmark uses more of it")]
mod figures;
#[path = "../../benches/downtime/names.rs"]
mod names;

use std::path::PathBuf;
use std::time::Duration;

use client::{Client, Peer, Target};
use figures::Figures;

use crate::commands::{Scene, lab};
use crate::wait::wait_until;

/// One replica, of which an update without a policy leaves none for a while; and a container to ask from, for the engine answers
/// for `tasks.web` only inside the network. It needs a moment until it serves, and ends at once when it is told to.
fn stack(version: u32) -> String {
    format!(
        "services:\n  web:\n    image: cli-app:1\n    environment: {{ VERSION: \"{version}\" }}\n    networks: [inside]\n    \
         healthcheck: {{ test: [CMD, healthy], interval: 500ms, timeout: 1s, retries: 2 }}\n  \
         probe:\n    image: cli-app:1\n    command: [idle]\n    healthcheck: {{ disable: true }}\n    networks: [inside]\n    \
         deploy: {{ update_config: {{ monitor: 500ms }} }}\n\
         networks:\n  inside:\n"
    )
}

/// The network namespace of the container to ask from.
fn namespace(scene: &Scene) -> PathBuf {
    let label = format!("label=com.docker.swarm.service.name={}", scene.full("probe"));
    let id = lab().docker(1, &["ps", "--quiet", "--filter", &label]);
    let process = lab().docker(1, &["inspect", "--format", "{{.State.Pid}}", &id]);
    format!("/proc/{process}/ns/net").into()
}

/// Has skep deploy it. A skep that cannot fill in a policy finds it in the file.
fn apply(scene: &Scene, version: u32, mode: &str) {
    let fills_in = scene.run("apply --help").stdout.contains("- auto:");
    let policy = "    deploy: { update_config: { order: start-first, monitor: 5s, failure_action: rollback } }\n";
    let said = if fills_in || mode == "off" { "" } else { policy };
    scene.write("stack.yaml", &stack(version).replacen("  probe:\n", &format!("{said}  probe:\n"), 1));
    let flag = if fills_in { format!("--zero-downtime {mode}") } else { String::new() };
    scene.run(&format!("apply -c stack.yaml STACK -y {flag}")).expect(0);
}

/// Updates the service while the client sends, and gives what became of that.
fn update(scene: &Scene, versions: &[u32], mode: &str) -> Figures {
    let name = format!("tasks.{}", scene.full("web"));
    let peer = Peer::Name { name, port: 8080 };
    let client = Client::start(namespace(scene), vec![Target { name: "web".into(), peer, rate: 50 }]);
    for version in versions {
        apply(scene, *version, mode);
    }
    let sent = client.stop().remove(0);
    println!("{mode}: {sent:?}");
    assert!(sent.total > 100, "{sent:?}");
    sent
}

#[test]
fn updates_with_the_policy_that_skep_fills_in_lose_no_request_and_without_it_they_do() {
    let scene = Scene::new("zero");
    apply(&scene, 0, "auto");
    wait_until(Duration::from_secs(60), "the tasks run", || {
        !scene.tasks("web").is_empty() && !scene.tasks("probe").is_empty()
    });
    let before = scene.tasks("web");
    let sent = update(&scene, &[1, 2], "auto");
    assert_ne!(scene.tasks("web"), before, "nothing was updated");
    assert_eq!(sent.lost(), 0, "{sent:?}");
    // The same client, the same file: it would have seen it. Some of what nobody answered is answered at the second try, late.
    let sent = update(&scene, &[3], "off");
    assert!(sent.lost() + sent.slow > 0, "{sent:?}");
}
