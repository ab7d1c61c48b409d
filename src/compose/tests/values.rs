//! What the files say, in its normal form.

use super::super::{BindOptions, FileReference, Healthcheck, Mount, Network, Port, Resources, Ulimit, VolumeOptions};
use super::{Stack, web};

fn service(lines: &str) -> super::Service {
    Stack::repository(&[("a.yaml", &web(lines))]).web()
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_command_is_a_list_or_a_line_that_is_split() {
    let service = service("command: sh -c 'sleep 9'\nentrypoint: [a, 'b c']");
    assert_eq!(service.command.map(|at| at.value), Some(texts(&["sh", "-c", "sleep 9"])));
    assert_eq!(service.entrypoint.map(|at| at.value), Some(texts(&["a", "b c"])));
}

#[test]
fn variables_are_a_mapping_or_a_list_and_numbers_become_dockers_text() {
    let mapping = service("environment: {A: 1.10, B: 0444, C: yes, D: null, E: '', F: true, G: 2001-12-14}");
    let expected = [
        ("A", Some("1.1")),
        ("B", Some("292")),
        ("C", Some("yes")),
        ("D", None),
        ("E", Some("")),
        ("F", Some("true")),
        ("G", Some("2001-12-14 00:00:00 +0000 UTC")),
    ];
    let found: Vec<_> = mapping.environment.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    assert_eq!(found, expected);
    let list = service("environment: [A=1=2, B, C=, A=3]");
    let found: Vec<_> = list.environment.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    assert_eq!(found, [("A", Some("3")), ("B", None), ("C", Some(""))]);
}

#[test]
fn labels_and_kernel_parameters_take_both_forms() {
    let service = service("labels: [a=b, c]\nsysctls: {net.core.somaxconn: 1024}\ndeploy: {labels: {d: 1, e: }}");
    assert_eq!(service.labels.iter().collect::<Vec<_>>(), [(&"a".into(), &"b".into()), (&"c".into(), &String::new())]);
    assert_eq!(service.sysctls.get("net.core.somaxconn").map(String::as_str), Some("1024"));
    assert_eq!(service.deploy.labels.get("d").map(String::as_str), Some("1"));
    assert_eq!(service.deploy.labels.get("e").map(String::as_str), Some(""));
}

#[test]
fn ports_of_the_long_form_keep_silence() {
    let service = service(
        "ports:\n- 80\n- '8080:81/udp'\n- target: 82\n- {target: 83, published: '8083', protocol: TCP, mode: host}\n- 80",
    );
    let port = |target, published, protocol: &str, mode: &str| Port {
        target,
        published,
        protocol: protocol.to_owned(),
        mode: mode.to_owned(),
    };
    let found: Vec<Port> = service.ports.into_iter().map(|at| at.value).collect();
    assert_eq!(
        found,
        [
            port(80, 0, "tcp", "ingress"),
            port(81, 8080, "udp", "ingress"),
            port(82, 0, "", ""),
            port(83, 8083, "tcp", "host"),
            port(80, 0, "tcp", "ingress"),
        ]
    );
}

#[test]
fn mounts_of_the_long_form_are_read_whole() {
    let lines = "
volumes:
- {type: volume, source: data, target: /a, read_only: true, volume: {nocopy: true, subpath: x}}
- {type: bind, source: /b, target: /b, bind: {propagation: rshared}, consistency: cached}
- {type: tmpfs, target: /c, tmpfs: {size: 64m}}
- {type: tmpfs, target: /d}
";
    let text = web(lines) + "volumes:\n  data:\n";
    let found: Vec<Mount> =
        Stack::repository(&[("a.yaml", &text)]).web().volumes.into_iter().map(|at| at.value).collect();
    let mount = |kind: &str, source: &str, target: &str| Mount {
        kind: kind.to_owned(),
        source: source.to_owned(),
        target: target.to_owned(),
        ..Mount::default()
    };
    assert_eq!(
        found,
        [
            Mount {
                read_only: true,
                volume: Some(VolumeOptions { nocopy: true, subpath: "x".to_owned() }),
                ..mount("volume", "data", "/a")
            },
            Mount {
                bind: Some(BindOptions { propagation: "rshared".to_owned() }),
                consistency: "cached".to_owned(),
                ..mount("bind", "/b", "/b")
            },
            Mount { tmpfs: Some(67_108_864), ..mount("tmpfs", "", "/c") },
            mount("tmpfs", "", "/d"),
        ]
    );
}

#[test]
fn relative_binds_lie_beside_the_first_file_in_direct_mode() {
    let lines = "volumes: [./x:/x, ../y:/y, ~/z:/z, '~:/h', /abs/../p:/p]";
    let stack = Stack::direct(&[("shop/a.yaml", &web(lines))]);
    let sources: Vec<String> = stack.web().volumes.into_iter().map(|at| at.value.source).collect();
    assert_eq!(sources, ["/srv/shop/x", "/srv/y", "/home/me/z", "/home/me", "/abs/../p"]);
    insta::assert_snapshot!(stack.faults().lines().next().unwrap_or_default(), @"/srv/shop/a.yaml:4:15: warning: `services.web.volumes[0]`: `./x` is `/srv/shop/x` of this machine on every node [compose/relative-bind]");
}

#[test]
fn extra_hosts_take_both_forms() {
    let hosts = |lines: &str| {
        service(lines).extra_hosts.into_iter().map(|(host, ip)| format!("{host} {ip}")).collect::<Vec<_>>()
    };
    assert_eq!(hosts("extra_hosts: ['b:1.1.1.1', 'a=::1', 'c:[::2]']"), ["b 1.1.1.1", "a ::1", "c ::2"]);
    assert_eq!(hosts("extra_hosts: {b: 1.1.1.1, a: host-gateway, c: }"), ["a host-gateway", "b 1.1.1.1"]);
}

#[test]
fn name_servers_that_are_said_and_none_are_not_silence() {
    let said = service("dns: []\ndns_search: example.org");
    assert_eq!(said.dns, Some(Vec::new()));
    assert_eq!(said.dns_search, Some(texts(&["example.org"])));
    assert_eq!(service("user: '0'").dns, None);
}

#[test]
fn a_healthcheck_in_words_is_a_shell_command() {
    let lines = "healthcheck: {test: curl -f localhost, interval: 1m30s, retries: 3, start_interval: 250ms}";
    let expected = Healthcheck {
        test: texts(&["CMD-SHELL", "curl -f localhost"]),
        interval: Some(90_000_000_000),
        start_interval: Some(250_000_000),
        retries: Some(3),
        ..Healthcheck::default()
    };
    assert_eq!(service(lines).healthcheck.map(|at| at.value), Some(expected));
    assert_eq!(service("healthcheck: {}").healthcheck.map(|at| at.value), Some(Healthcheck::default()));
}

#[test]
fn networks_take_both_forms() {
    let text =
        web("networks: {b: , a: {aliases: [z, y], driver_opts: {k: 1}}}") + "networks: {a: , b: {external: true}}";
    let stack = Stack::repository(&[("a.yaml", &text)]).compose();
    let networks = &stack.services["web"].value.networks;
    assert_eq!(networks.keys().collect::<Vec<_>>(), ["b", "a"], "in the file's order");
    assert_eq!(networks["a"].value.aliases, texts(&["z", "y"]));
    assert_eq!(networks["a"].value.driver_opts["k"], "1");
    assert!(stack.networks["b"].value.external);
    assert!(service("networks: [default]").networks.contains_key("default"));
}

#[test]
fn limits_are_exact() {
    let lines = "
deploy:
  mode: global
  endpoint_mode: DNSRR
  resources:
    limits: {cpus: '0.5', memory: 50M, pids: 10}
    reservations:
      cpus: 0.25
      memory: 1048576
      generic_resources: [{discrete_resource_spec: {kind: gpu, value: 2}}]
  update_config: {parallelism: 0, delay: 10s, order: start-first, failure_action: rollback, max_failure_ratio: 0.5}
  restart_policy: {condition: on-failure, max_attempts: 3, window: 2m}
  placement: {constraints: [node.role == manager], preferences: [{spread: node.labels.zone}], max_replicas_per_node: 2}
stop_grace_period: 0s
ulimits: {nofile: 1024, nproc: {soft: 1, hard: -1}}
";
    let service = service(lines);
    let deploy = service.deploy;
    assert_eq!(
        deploy.limits,
        Some(Resources { nano_cpus: 500_000_000, memory_bytes: 52_428_800, pids: 10, generic: Vec::new() })
    );
    assert_eq!(
        deploy.reservations,
        Some(Resources {
            nano_cpus: 250_000_000,
            memory_bytes: 1_048_576,
            pids: 0,
            generic: vec![("gpu".to_owned(), 2)]
        })
    );
    let update = deploy.update_config.expect("said").value;
    assert_eq!((update.parallelism, update.delay, update.max_failure_ratio), (Some(0), Some(10_000_000_000), 0.5));
    assert_eq!(deploy.endpoint_mode.as_deref(), Some("dnsrr"));
    assert_eq!(deploy.restart_policy.and_then(|policy| policy.max_attempts), Some(3));
    assert_eq!((deploy.placement.spread, deploy.placement.max_replicas_per_node), (texts(&["node.labels.zone"]), 2));
    assert_eq!(service.stop_grace_period, Some(0));
    assert_eq!(service.ulimits["nofile"], Ulimit { soft: 1024, hard: 1024 });
    assert_eq!(service.ulimits["nproc"], Ulimit { soft: 1, hard: -1 });
}

#[test]
fn files_of_configs_and_secrets_are_read() {
    let text =
        web("configs: [c, {source: d, target: /etc/d, uid: '5', mode: 0440}]\nsecrets: [{source: s, mode: '0400'}]")
            + "
configs:
  c: {file: ./c.conf, template_driver: golang}
  d: {external: true, name: shared}
secrets:
  s: {file: s.txt, labels: [a=b]}
";
    let files = [("shop/a.yaml", text.as_str()), ("shop/c.conf", "c"), ("shop/s.txt", "s")];
    let stack = Stack::repository(&files).compose();
    let content = |object: &super::super::FileObject| object.content.as_ref().map(|content| content.reveal().clone());
    assert_eq!(content(&stack.configs["c"].value), Some(b"c".to_vec()));
    assert_eq!(content(&stack.secrets["s"].value), Some(b"s".to_vec()));
    assert_eq!(content(&stack.configs["d"].value), None);
    assert_eq!(stack.configs["d"].value.name.as_deref(), Some("shared"));
    let web = &stack.services["web"].value;
    assert_eq!(
        web.configs[1].value,
        FileReference {
            source: "d".to_owned(),
            target: Some("/etc/d".to_owned()),
            uid: Some("5".to_owned()),
            gid: None,
            mode: Some(288)
        }
    );
    assert_eq!(web.secrets[0].value.mode, Some(256), "text is octal");
}

#[test]
fn networks_and_volumes_are_read_whole() {
    let text = web("user: '0'")
        + "
networks:
  a: {driver: overlay, attachable: true, driver_opts: {encrypted: ''}, ipam: {config: [{subnet: 10.1.0.0/24}]}}
  b: {external: {name: old}}
volumes:
  v: {driver: local, driver_opts: {type: nfs, o: 'addr=10.0.0.1,rw'}, labels: {a: b}, x-cluster-spec: {a: b}}
";
    let stack = Stack::repository(&[("a.yaml", &text)]).compose();
    let a = &stack.networks["a"].value;
    assert!(a.attachable && !a.internal);
    assert_eq!(a.driver_opts["encrypted"], "");
    assert_eq!(a.ipam.as_ref().map(|ipam| ipam.pools[0].subnet.as_str()), Some("10.1.0.0/24"));
    let old = Network { external: true, name: Some("old".to_owned()), ..Network::default() };
    assert_eq!(stack.networks["b"].value, old);
    assert_eq!(stack.volumes["v"].value.driver_opts["type"], "nfs");
}

#[test]
fn dependencies_take_both_forms_and_lose_their_circles() {
    let text = "
services:
  a: {image: x, depends_on: [b, c]}
  b: {image: x, depends_on: {c: {condition: service_healthy}}}
  c: {image: x, depends_on: [a, nobody]}
";
    let stack = Stack::repository(&[("a.yaml", text)]);
    let compose = stack.compose();
    let wanted = |name: &str| {
        compose.services[name].value.depends_on.iter().map(|at| at.value.service.as_str()).collect::<Vec<_>>()
    };
    assert_eq!((wanted("a"), wanted("b"), wanted("c")), (vec!["b", "c"], vec!["c"], vec![]));
    insta::assert_snapshot!(stack.faults(), @r"
    a.yaml:5:30: warning: these services wait for each other: a → b → c → a [compose/dependency-cycle]
      help: this link is not waited for
    a.yaml:5:33: warning: `services.c` depends on the service `nobody`, which no file defines [compose/undefined-service]
    ");
}

#[test]
fn x_keys_are_taken_everywhere() {
    let text = "
x-a: &a {user: '1'}
name: shop
services:
  web:
    <<: *a
    image: x
    x-skep: {}
    x-b: 1
    deploy: {x-c: 1}
networks: {n: {x-d: 1, x-skep: }}
";
    let compose = Stack::repository(&[("a.yaml", text)]).compose();
    assert_eq!(compose.services["web"].value.user.as_deref(), Some("1"));
    assert_eq!(compose.name.map(|name| name.value).as_deref(), Some("shop"));
}

#[test]
fn every_service_knows_its_place() {
    let text = web("user: '0'");
    let loaded = Stack::repository(&[("a.yaml", &text)]).load();
    let span = loaded.compose.and_then(|compose| compose.services["web"].span).expect("a place");
    assert_eq!(&text[span.start as usize..span.end as usize], "web");
}
