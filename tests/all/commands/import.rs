//! `skep import`: what docker deployed and what no stack made, written as files that change nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Scene, lab, write};
use crate::wait::wait_until;

/// A stack with what a file can hold: several forms of everything, and texts that would be templates.
const STACK: &str = "
services:
  web:
    image: cli-app:1
    entrypoint: [sh, -c]
    command: ['exec app $$1 \"$$@\"', 'app']
    environment: { B: '2', A: '$$HOME and $${HOME}', TEXT: \"two\\nlines\\n\", NUMBER: '0644', NAME: }
    labels: { b: 'yes', a: '{{.Node.Hostname}}' }
    ports: ['8801:80', '8802:82/udp', '83']
    volumes: ['data:/data', '/srv:/srv:ro', { type: tmpfs, target: /t, tmpfs: { size: 1048576 } }, /anonymous]
    configs: [page, { source: other, target: /etc/other, mode: 0440, uid: '7' }]
    secrets: [key, { source: far, target: near }]
    networks: { default: , back: { aliases: [x, y] } }
    healthcheck: { test: 'true', interval: 1s, start_period: 1m30s, retries: 2 }
    init: true
    stop_grace_period: 1s
    dns: []
    ulimits: { nofile: 1024, nproc: { soft: 10, hard: 20 } }
    extra_hosts: ['b:10.9.9.9', 'a:10.9.9.8']
    logging: { driver: json-file, options: { max-size: '1m' } }
    deploy:
      replicas: 2
      labels: { traefik.http.routers.web.rule: Host(`a.example`) }
      placement: { constraints: [node.role == manager] }
      resources: { limits: { cpus: '0.50', memory: 64M }, reservations: {} }
      restart_policy: { condition: on-failure, delay: 1s }
      update_config: { parallelism: 2, order: start-first, monitor: 2s, max_failure_ratio: 0.1 }
  once: { image: 'cli-app:1', command: ['true'], deploy: { mode: replicated-job } }
  all:
    image: cli-app:1
    ports: [{ target: 53, published: 8853, protocol: udp, mode: host }]
    deploy: { mode: global }
networks: { back: { attachable: true, driver_opts: { encrypted: '' }, labels: { a: b } } }
volumes: { data: { labels: { a: b } } }
configs: { page: { file: page.txt, name: STACK_page-v7 }, other: { file: other.txt } }
secrets: { key: { file: key.txt }, far: { external: true, name: STACK.far } }
";

impl Scene {
    /// `docker stack deploy`.
    fn deploy(&self, file: &str) {
        let file = self.skep.directory().join(file).display().to_string();
        let words = ["stack", "deploy", "--detach=true", "--resolve-image", "never", "-c", &file, &self.stack];
        lab().docker(1, &words);
    }

    /// `docker service create`, under a name that ends with `name`.
    fn create(&self, name: &str, words: &str) -> String {
        let full = format!("{}-{name}", self.stack);
        let words: Vec<String> = words.split_whitespace().map(|word| word.replace("STACK", &self.stack)).collect();
        let mut all = vec!["service", "create", "--detach=true", "--no-resolve-image", "--name", &full];
        all.extend(words.iter().map(String::as_str));
        lab().docker(1, &all);
        full
    }

    /// Demands that a file changes nothing.
    #[track_caller]
    fn demand_no_change(&self, file: &str) {
        self.proxy.forget();
        let planned = self.run(&format!("plan -c {file} STACK --detailed-exitcode")).expect(0);
        assert!(planned.stdout.contains("nothing to do"), "{}", planned.stdout);
        assert!(!planned.stdout.contains("  ? "), "nothing is left out: {}", planned.stdout);
        self.run(&format!("apply -c {file} STACK --yes --detach")).expect(0);
        assert!(self.proxy.writes().is_empty(), "{:?}", self.proxy.writes());
    }
}

/// The ids of all tasks of services.
fn tasks(services: &[String]) -> BTreeSet<String> {
    let ids = services.iter().map(|service| lab().docker(1, &["service", "ps", "-q", "--no-trunc", service]));
    ids.flat_map(|ids| ids.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn what_docker_deployed_is_written_as_it_is() {
    let scene = Scene::new("import");
    scene.write("stack.yaml", &STACK.replace("STACK", &scene.stack));
    scene.write("page.txt", "one\n\n  two $HOME\n");
    scene.write("other.txt", "other");
    scene.write("key.txt", "canary-of-a-secret");
    let far = format!("{}.far", scene.stack);
    let given = scene.skep.directory().join("key.txt").display().to_string();
    lab().docker(1, &["secret", "create", &far, &given]);
    scene.deploy("stack.yaml");
    let services = ["web", "once", "all"].map(|key| scene.full(key));
    wait_until(Duration::from_secs(60), "the tasks run", || {
        scene.tasks("web").len() == 2 && scene.tasks("all").len() == 1
    });
    let before = tasks(&services);

    let printed = scene.run("import STACK").expect(0);
    assert_eq!(printed.stderr, "", "{}", printed.stdout);
    scene.write("printed.yaml", &printed.stdout);
    scene.demand_no_change("printed.yaml");

    let written = scene.run("import STACK --out files").expect(0);
    assert_eq!(written.stdout, "files/compose.yaml\nfiles/configs/other\nfiles/configs/page-v7\n");
    assert_eq!(written.stderr, "");
    let read = |path: &str| std::fs::read_to_string(scene.skep.directory().join(path)).expect("written");
    assert_eq!(read("files/configs/page-v7"), "one\n\n  two $HOME\n");
    scene.demand_no_change("files/compose.yaml");
    assert_eq!(tasks(&services), before, "no task was replaced");

    for text in [&printed.stdout, &read("files/compose.yaml")] {
        assert!(!text.contains("canary") && !text.contains("com.docker.stack"), "{text}");
        assert!(
            text.contains("image: cli-app:1\n") && text.contains("- \"8801:80\"\n") && text.contains("mode: 0440\n"),
            "{text}"
        );
    }
    let again = scene.run("import STACK --out files").expect(1);
    assert!(again.stderr.contains("files/compose.yaml") && again.stderr.contains("--force"), "{}", again.stderr);
    scene.run("import STACK --out files --force").expect(0);

    // Docker takes the file back, and so do others.
    scene.deploy("files/compose.yaml");
    scene.demand_no_change("stack.yaml");
    lab().docker(1, &["stack", "rm", &scene.stack]);
    wait_until(Duration::from_secs(60), "the secret is free", || {
        lab().try_docker(1, &["secret", "rm", &far]).status.success()
    });
}

#[test]
fn what_no_stack_made_is_written_as_it_is_and_taken_over_without_a_restart() {
    let scene = Scene::new("unmade");
    let file = scene.skep.directory().join("text").display().to_string();
    write(scene.skep.directory(), "text", "canary-of-a-secret");
    let named = |name: &str| format!("{}-{name}", scene.stack);
    lab().docker(1, &["network", "create", "--driver", "overlay", &named("net")]);
    lab().docker(1, &["config", "create", &named("conf"), &file]);
    lab().docker(1, &["secret", "create", &named("pass"), &file]);
    let full = scene.create(
        "full",
        "--network name=STACK-net,alias=db,alias=again --env Z=1 --env A=$HOME --env B= --label a=b --container-label c=d \
         --replicas 1 --constraint node.role==manager --placement-pref spread=node.labels.zone --limit-memory 64M \
         --reserve-cpu 0.1 --mount type=volume,source=STACK-data,target=/data --mount type=tmpfs,target=/t,tmpfs-mode=700 \
         --mount type=bind,source=/srv,target=/srv,readonly --config source=STACK-conf,target=/etc/conf,mode=0400 \
         --secret source=STACK-pass,target=pass --publish 8871:80 --publish mode=host,target=81,published=8872 \
         --restart-condition on-failure --restart-delay 2s --update-order start-first --update-delay 1s \
         --rollback-parallelism 0 --stop-grace-period 1s --stop-signal SIGINT --hostname h{{.Task.Slot}} \
         --health-cmd true --health-interval 1s --dns 10.9.9.9 --dns-option ndots:2 --dns-search a.example \
         --host one:10.9.9.8 --cap-add NET_ADMIN --ulimit nofile=1024:2048 --sysctl net.core.somaxconn=512 \
         --log-driver json-file --log-opt max-size=1m --user 0:0 --group 7 --workdir /srv --read-only --init \
         --replicas-max-per-node 4 cli-app:1",
    );
    let bare = scene.create("bare", "cli-app:1");
    let everywhere = scene.create("everywhere", "--mode global --network host --env APP_PORT=18100 cli-app:1");
    let services = [full.clone(), bare.clone(), everywhere.clone()];
    let running = |service: &String| lab().running(service).len();
    wait_until(Duration::from_secs(60), "the tasks run", || services.iter().map(running).sum::<usize>() == 3);
    let before = tasks(&services);

    let printed = scene.run(&format!("import STACK --service {full},{bare} --service {everywhere}")).expect(0);
    scene.write("stack.yaml", &printed.stdout);
    assert!(!printed.stdout.contains("canary"), "{}", printed.stdout);
    assert!(printed.stderr.contains("TmpfsOptions/Mode"), "what no key says is named: {}", printed.stderr);
    scene.demand_no_change("stack.yaml");

    // From here on the file is what counts, and the name stays.
    let changed = printed.stdout.replace("Z: \"1\"", "Z: \"2\"");
    assert_ne!(changed, printed.stdout);
    scene.write("stack.yaml", &changed);
    let planned = scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(2);
    assert!(planned.stdout.contains("env Z") && planned.stdout.contains("1 task restarts"), "{}", planned.stdout);
    assert_eq!(tasks(&services), before, "no task was replaced");
    for service in &services {
        lab().docker(1, &["service", "rm", service]);
    }
    for (kind, name) in [("config", "conf"), ("secret", "pass"), ("network", "net")] {
        wait_until(Duration::from_secs(60), "it is free", || {
            lab().try_docker(1, &[kind, "rm", &named(name)]).status.success()
        });
    }
}

#[test]
fn what_was_changed_by_hand_is_written_as_it_became() {
    let scene = Scene::new("byhand");
    scene.write("stack.yaml", "services:\n  web: { image: 'cli-app:1', environment: { B: '1' } }\n");
    scene.deploy("stack.yaml");
    let web = scene.full("web");
    for words in [
        "--image cli-app:2 --env-add A=1 --env-add C=3 --replicas 3 --limit-memory 64M --host-add a:10.9.9.9",
        "--mount-add type=tmpfs,target=/t,tmpfs-mode=700 --force --label-add a=b --dns-add 10.9.9.9 --publish-add 8891:80",
    ] {
        let mut all = vec!["service", "update", "--detach=true", "--no-resolve-image"];
        all.extend(words.split(' '));
        all.push(&web);
        // The engine itself writes to a service that was just made, and docker does not look again.
        wait_until(Duration::from_secs(20), "it is updated", || lab().try_docker(1, &all).status.success());
    }
    let printed = scene.run("import STACK").expect(0);
    scene.write("imported.yaml", &printed.stdout);
    assert!(printed.stdout.contains("image: cli-app:2"), "{}", printed.stdout);
    let planned = scene.run("plan -c imported.yaml STACK -o json --zero-downtime off").expect(0).json();
    let steps = planned["stacks"][0]["steps"].as_array().expect("steps");
    // Docker's note of what the file said of the image is not the image; it costs nothing to write, and that is said.
    let paths: Vec<&str> = steps
        .iter()
        .flat_map(|step| step["changes"].as_array().expect("changes"))
        .map(|change| change["path"].as_str().expect("a path"))
        .collect();
    assert_eq!(paths, ["/Labels/com.docker.stack.image"], "{}", printed.stdout);
    assert!(
        printed.stderr.contains("com.docker.stack.image") && printed.stderr.contains("restarts nothing"),
        "{}",
        printed.stderr
    );
}

#[test]
fn all_stacks_are_written_with_what_declares_them() {
    let scene = Scene::new("every");
    scene.write("stack.yaml", "services:\n  web: { image: 'cli-app:1', deploy: { replicas: 0 } }\n");
    scene.deploy("stack.yaml");
    let written = scene.run("import --all --out all").expect(0);
    let file = format!("all/{}/compose.yaml", scene.stack);
    assert!(written.stdout.starts_with("all/skep.yaml\n") && written.stdout.contains(&file), "{}", written.stdout);
    scene.demand_no_change(&file);
    let planned = scene.run("plan --repo all STACK --detailed-exitcode").expect(0);
    assert!(planned.stdout.contains("nothing to do"), "{}{}", planned.stdout, planned.stderr);
}

#[test]
fn what_is_not_there_is_not_written() {
    let scene = Scene::new("absent");
    scene.write("stack.yaml", "services:\n  web: { image: 'cli-app:1', deploy: { replicas: 0 } }\n");
    scene.deploy("stack.yaml");
    let missed = scene.run("import STACKx").expect(1);
    assert!(missed.stderr.contains(&format!("did you mean `{}`?", scene.stack)), "{}", missed.stderr);
    let missed = scene.run("import other --service STACK_wbe").expect(1);
    assert!(missed.stderr.contains(&format!("did you mean `{}`?", scene.full("web"))), "{}", missed.stderr);
    let others = scene.run("import other --service STACK_web").expect(1);
    assert!(others.stderr.contains(&format!("skep import {}", scene.stack)), "{}", others.stderr);
    assert_eq!(scene.run("import --all").expect(1).stdout, "");
}
