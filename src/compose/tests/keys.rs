//! Keys that Docker refuses and Swarm can do, and what Swarm cannot.

use super::super::{Condition, CredentialSpec, Pool};
use super::{Stack, web, web_faults};

fn service(lines: &str) -> super::super::Service {
    Stack::repository(&[("a.yaml", &web(lines))]).web()
}

#[test]
fn what_docker_refuses_and_swarm_can_do_is_read() {
    let web = service("dns_opt: ndots:2\ngroup_add: [mail, 1000]");
    assert_eq!(web.dns_opt, Some(vec!["ndots:2".to_owned()]));
    assert_eq!(web.group_add, ["mail", "1000"]);
    for (lines, spec) in [
        ("credential_spec: {file: x.json}", Some(CredentialSpec::File("x.json".into()))),
        ("credential_spec: {registry: x}", Some(CredentialSpec::Registry("x".into()))),
        ("credential_spec: {file: ''}", None),
        ("credential_spec: {}", None),
    ] {
        assert_eq!(service(lines).credential_spec.map(|spec| spec.value), spec, "{lines}");
    }
    insta::assert_snapshot!(web_faults("credential_spec: {config: c, file: x}"), @r"
    a.yaml:4:31: error: `services.web` uses the config `c`, which no file defines [compose/undefined-config]
      help: define it under the top-level `configs`
    a.yaml:4:34: error: `services.web.credential_spec`: `config` and `file` exclude each other [compose/conflict]
    ");
}

#[test]
fn amounts_of_a_service_stand_for_those_of_its_deployment() {
    let deploy = service("scale: 3\ncpus: 0.5\npids_limit: 9\nmem_reservation: 8m").deploy;
    assert_eq!(deploy.replicas.map(|at| at.value), Some(3));
    let limits = deploy.limits.expect("said");
    assert_eq!((limits.nano_cpus, limits.pids), (500_000_000, 9));
    assert_eq!(deploy.reservations.expect("said").memory_bytes, 8 << 20);
    let same = "scale: 2\ncpus: '1'\ndeploy: {replicas: 2, resources: {limits: {cpus: '1.0'}}}";
    assert_eq!(web_faults(same), "");
    assert_eq!(service("pids_limit: -1").deploy.limits.expect("said").pids, 0);
    let different = "scale: 2\ncpus: '1'\ndeploy: {replicas: 3, resources: {limits: {cpus: '2'}}}";
    insta::assert_snapshot!(web_faults(different), @r"
    a.yaml:4:12: error: `services.web.scale`: `deploy.replicas` says something else [compose/conflict]
      help: leave one of them out
    a.yaml:5:11: error: `services.web.cpus`: `deploy.resources.limits.cpus` says something else [compose/conflict]
      help: leave one of them out
    ");
    insta::assert_snapshot!(web_faults("scale: 2\ndeploy: {mode: global}"), @"a.yaml:4:5: error: `services.web.scale`: a service that runs once a node cannot have it [compose/conflict]");
}

#[test]
fn a_long_port_may_say_what_only_compose_knows() {
    let lines = "ports: [{target: 80, published: '8080', host_ip: 127.0.0.1, name: http, app_protocol: http}, {target: '81', host_ip: 0.0.0.0}]";
    let published: Vec<(u32, u32)> =
        service(lines).ports.iter().map(|port| (port.value.target, port.value.published)).collect();
    assert_eq!(published, [(80, 8080), (81, 0)]);
    insta::assert_snapshot!(web_faults(lines), @r"
    a.yaml:4:54: warning: `services.web.ports[0]`: the address 127.0.0.1 is ignored, every address of a node answers [compose/unsupported]
      help: leave the address out, and keep others away with the node's firewall
    ");
    insta::assert_snapshot!(web_faults("ports: [{target: 80, published: 8080-8090}]"), @r"
    a.yaml:4:37: error: `services.web.ports[0].published`: Swarm cannot choose a port out of `8080-8090` [schema/invalid-value]
      help: name one port, or leave `published` out and the engine chooses
    ");
}

#[test]
fn labels_of_a_file_stand_below_its_own() {
    let main = web("label_file: [a.labels, sub/b.labels]\nlabels: {own: '1', both: own}");
    let files = [("a.yaml", main.as_str()), ("a.labels", "both=file\nx='a b'\n"), ("sub/b.labels", "x=c\ny=$z\n")];
    let stack = Stack::repository(&files).with("z", "zed");
    let labels: Vec<String> = stack.web().labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(labels, ["both=own", "own=1", "x=c", "y=zed"]);
    assert_eq!(service("label_file: []\nlabels: [a=b]").labels.len(), 1);
    assert!(web_faults("label_file: gone").contains("`gone` cannot be read"));
}

#[test]
fn conditions_are_kept() {
    let text = "
services:
  web: {image: x, depends_on: {db: {condition: service_healthy}, init: {condition: service_completed_successfully, restart: true}, gone: {condition: service_started, required: false}}}
  db: {image: y}
  init: {image: z, deploy: {mode: replicated-job}}
";
    let stack = Stack::repository(&[("a.yaml", text)]);
    let conditions: Vec<(String, Condition)> =
        stack.web().depends_on.into_iter().map(|at| (at.value.service, at.value.condition)).collect();
    assert_eq!(conditions, [("db".to_owned(), Condition::Healthy), ("init".to_owned(), Condition::Completed)]);
    insta::assert_snapshot!(stack.faults(), @r"
    a.yaml:3:116: warning: `services.web.depends_on.init.restart` is ignored: Swarm has nothing like it [compose/unsupported]
      help: a dependent that cannot go on without it ends and is started again
    ");
    let never = text.replace(", deploy: {mode: replicated-job}", "").replace(", restart: true", "");
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", &never)]).faults(), @r"
    a.yaml:3:66: warning: `services.web` waits for the end of `init`, which is no job and never ends [compose/dependency-no-job]
      help: write `mode: replicated-job` under `deploy` of `init`
    ");
}

#[test]
fn networks_say_all_of_their_addresses() {
    let text = "
services: {web: {image: x, networks: [n]}}
networks:
  n:
    enable_ipv4: true
    enable_ipv6: true
    ipam:
      driver: default
      options: {a: 1}
      config: [{subnet: 10.1.0.0/16, ip_range: 10.1.1.0/24, gateway: 10.1.0.9}, {subnet: 'fd00::/64'}, {}]
";
    let network = Stack::repository(&[("a.yaml", text)]).compose().networks.remove("n").expect("there").value;
    assert!(network.enable_ipv6);
    let ipam = network.ipam.expect("said");
    assert_eq!(ipam.options.get("a").map(String::as_str), Some("1"));
    let full = Pool { subnet: "10.1.0.0/16".into(), ip_range: "10.1.1.0/24".into(), gateway: "10.1.0.9".into() };
    assert_eq!(ipam.pools, [full, Pool { subnet: "fd00::/64".into(), ..Pool::default() }]);
    let wrong = "
services: {web: {image: x, networks: [n]}}
networks:
  n:
    enable_ipv4: false
    ipam:
      config: [{subnet: 10.1.0.0/16, aux_addresses: {h: 10.1.0.5}, gateway: x}, {ip_range: 10.0.0.0/8}]
";
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", wrong)]).faults(), @r"
    a.yaml:5:18: error: `networks.n.enable_ipv4`: tasks of a swarm always have IPv4 addresses [compose/unsupported]
      help: leave it out
    a.yaml:7:38: error: Swarm cannot carry out `networks.n.ipam.config[0].aux_addresses` [compose/unsupported]
      help: Swarm keeps no addresses back: choose an `ip_range` that leaves them out
    a.yaml:7:77: error: `networks.n.ipam.config[0].gateway`: `x` is not an IP address [schema/invalid-value]
      help: addresses are written as in `10.20.0.1`
    a.yaml:7:81: error: `networks.n.ipam.config[1]` needs the key `subnet` [schema/missing-key]
    ");
}

#[test]
fn durations_of_compose_may_be_days() {
    let day = 24 * 3_600_000_000_000;
    assert_eq!(service("stop_grace_period: 1d").stop_grace_period, Some(day));
    assert_eq!(
        service("healthcheck: {interval: 1w1h}").healthcheck.expect("said").value.interval,
        Some(7 * day + day / 24)
    );
    assert!(web_faults("stop_grace_period: 1y").contains("is not a duration"));
}

#[test]
fn a_misspelled_key_that_swarm_cannot_carry_out_is_known_too() {
    insta::assert_snapshot!(web_faults("nework_mode: host\nimge: x"), @r"
    a.yaml:4:5: error: unknown key `nework_mode` in `services.web` [schema/unknown-key]
      help: did you mean `network_mode`?
    a.yaml:5:5: error: unknown key `imge` in `services.web` [schema/unknown-key]
      help: did you mean `image`?
    ");
}

#[test]
fn every_key_that_is_known_says_what_to_use_instead() {
    for (key, _) in super::super::keys::SERVICE {
        let value = match *key {
            "devices" | "expose" | "external_links" | "links" | "security_opt" | "tmpfs" | "volumes_from" => "[x]",
            "privileged" => "true",
            _ => "x",
        };
        let told = web_faults(&format!("{key}: {value}"));
        assert!(
            told.starts_with("a.yaml:4:5: ") && told.contains("[compose/unsupported]") && told.contains("help: "),
            "{key}: {told}"
        );
    }
}

#[test]
fn options_of_a_mount_that_are_left_out_say_what_to_do() {
    insta::assert_snapshot!(web_faults("
tmpfs: [/run, '/tmp:mode=1777,size=64m']
volumes:
  - {type: bind, source: /a, target: /a, bind: {create_host_path: true, recursive: disabled, selinux: z, other: 1}}
  - {type: bind, source: /b, target: /b, bind: {create_host_path: false}}
  - {type: volume, target: /c, volume: {labels: {a: b}}}
  - {type: tmpfs, target: /d, tmpfs: {size: 1m, mode: 0700}}
  - {type: image, source: i, target: /e}
"), @r"
    a.yaml:5:5: warning: `services.web.tmpfs` is ignored, as `docker stack deploy` ignores it [compose/unsupported]
      help: write under `volumes`: `{ type: tmpfs, target: /run }`, `{ type: tmpfs, target: /tmp, tmpfs: { size: 67108864 } }`
    a.yaml:7:53: warning: `services.web.volumes[0].bind.create_host_path` is ignored, as `docker stack deploy` ignores it [compose/unsupported]
      help: make the directory on every node: a task whose directory is missing does not start
    a.yaml:7:77: warning: `services.web.volumes[0].bind.recursive` is ignored, as `docker stack deploy` ignores it [compose/unsupported]
      help: leave it out: what is mounted below the directory is mounted too
    a.yaml:7:98: warning: `services.web.volumes[0].bind.selinux` is ignored, as `docker stack deploy` ignores it [compose/unsupported]
      help: label the directory on the nodes, as with `chcon`
    a.yaml:7:110: warning: `services.web.volumes[0].bind.other` is ignored, as `docker stack deploy` ignores it [compose/unsupported]
    a.yaml:9:45: warning: `services.web.volumes[2].volume.labels` is ignored, as `docker stack deploy` ignores it [compose/unsupported]
      help: write `labels` at the volume under the top-level `volumes`
    a.yaml:10:53: warning: `services.web.volumes[3].tmpfs.mode` is ignored, as `docker stack deploy` ignores it [compose/unsupported]
      help: set the mode in the image's entrypoint; everybody may write there
    a.yaml:11:16: error: `services.web.volumes[4].type`: Swarm has no mounts of the type `image` [compose/unsupported]
      help: copy what the service needs into its own image, or into a volume
    ");
}
