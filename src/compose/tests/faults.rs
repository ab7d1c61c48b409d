//! What is wrong, and where: every message as people read it.

use super::{Stack, web, web_faults};

#[test]
fn files_that_cannot_be_read_are_named() {
    let missing =
        Stack { paths: vec!["b.yaml".to_owned(), "a.yaml".to_owned()], ..Stack::repository(&[("a.yaml", "- x")]) };
    insta::assert_snapshot!(missing.faults(), @r"
    error: `b.yaml` cannot be read: there is no such file [file/unreadable]
    a.yaml:1:1: error: a stack file must be a mapping, not a list [schema/wrong-type]
    ");
    assert!(missing.load().compose.is_none());
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", "# nothing\n")]).faults(), @r"
    a.yaml:1:1: error: the stack file is empty [schema/wrong-type]
    ");
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", "services: [x\n")]).faults(), @r"
    a.yaml:1:11: error: not YAML: unclosed bracket '[' [yaml/syntax]
    ");
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", &(web("") + "---\na: b\n"))]).faults(), @r"
    a.yaml:5:1: error: unknown key `a` [schema/unknown-key]
    a.yaml:5:1: warning: this document is merged into the one before, where `docker stack deploy` leaves it out [compose/merge-differs]
    ");
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", "networks: {}\n")]).faults(), @r"
    a.yaml:1:1: error: the stack has no `services` [schema/missing-key]
    ");
    insta::assert_snapshot!(Stack::repository(&[]).faults(), @r"
    error: there is no stack file to read [file/unreadable]
    ");
}

#[test]
fn versions_of_another_format_are_refused() {
    for good in ["'3'", "'3.8'", "3.8", "''", "'3.13'"] {
        let text = format!("version: {good}\n{}", web(""));
        assert_eq!(Stack::repository(&[("a.yaml", &text)]).faults(), "", "{good}");
    }
    for bad in ["'2.4'", "2", "'4'", "'3.x'", "'3.'"] {
        let text = format!("version: {bad}\n{}", web(""));
        let told = Stack::repository(&[("a.yaml", &text)]).faults();
        assert!(
            told.starts_with("a.yaml:1:10: error: `version`: ") && told.contains("[compose/unsupported]"),
            "{told}"
        );
    }
}

#[test]
fn unknown_keys_are_named_with_the_nearest() {
    let text = "
servces: {}
services:
  web:
    imgae: nginx
    image: nginx
    prots: [80]
    deploy: {replica: 3, update_config: {paralelism: 1}}
    healthcheck: {tests: x}
networks: {n: {drver: x}}
";
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", text)]).faults(), @r"
    a.yaml:2:1: error: unknown key `servces` [schema/unknown-key]
      help: did you mean `services`?
    a.yaml:5:5: error: unknown key `imgae` in `services.web` [schema/unknown-key]
      help: did you mean `image`?
    a.yaml:7:5: error: unknown key `prots` in `services.web` [schema/unknown-key]
      help: did you mean `ports`?
    a.yaml:8:14: error: unknown key `replica` in `services.web.deploy` [schema/unknown-key]
      help: did you mean `replicas`?
    a.yaml:8:42: error: unknown key `paralelism` in `services.web.deploy.update_config` [schema/unknown-key]
      help: did you mean `parallelism`?
    a.yaml:9:19: error: unknown key `tests` in `services.web.healthcheck` [schema/unknown-key]
      help: did you mean `test`?
    a.yaml:10:16: error: unknown key `drver` in `networks.n` [schema/unknown-key]
      help: did you mean `driver`?
    ");
}

#[test]
fn wrong_types_are_named_with_their_paths() {
    let lines = "
ports: 80
volumes: {a: b}
user: 1000
tty: maybe
command: {a: b}
environment: [1]
labels: x
networks: 5
deploy: {replicas: many, resources: {limits: {cpus: lots, memory: 5q}}}
stop_grace_period: 10
ulimits: {nofile: {soft: 1}}
configs: [{target: x}]
depends_on: 5
x-skep: [a]
";
    insta::assert_snapshot!(web_faults(lines.trim()), @r#"
    a.yaml:4:12: error: `services.web.ports` must be a list, not a number [schema/wrong-type]
    a.yaml:5:14: error: `services.web.volumes` must be a list, not a mapping [schema/wrong-type]
    a.yaml:6:11: error: `services.web.user` must be text, not a number [schema/wrong-type]
      help: put it in quotes: "1000"
    a.yaml:7:10: error: `services.web.tty` must be true or false, not text [schema/wrong-type]
    a.yaml:8:14: error: `services.web.command` must be a list, not a mapping [schema/wrong-type]
    a.yaml:9:19: error: `services.web.environment[0]` must be text, not a number [schema/wrong-type]
      help: put it in quotes: "1"
    a.yaml:10:13: error: `services.web.labels` must be a mapping or a list of `key=value`, not text [schema/wrong-type]
    a.yaml:11:15: error: `services.web.networks` must be a list or a mapping of networks, not a number [schema/wrong-type]
    a.yaml:12:24: error: `services.web.deploy.replicas` must be a whole number, not text [schema/wrong-type]
    a.yaml:12:57: error: `services.web.deploy.resources.limits.cpus`: `lots` is not a number of processors [schema/invalid-value]
      help: they are written as in `"0.5"`, with nine digits after the point at most
    a.yaml:12:71: error: `services.web.deploy.resources.limits.memory`: `5q` is not an amount of memory [schema/invalid-value]
      help: amounts are written as in `512M` or `1.5g`, in steps of 1024
    a.yaml:13:24: error: `services.web.stop_grace_period` must be a duration, not a number [schema/wrong-type]
      help: durations are written as in `1h30m`, `10s` or `250ms`
    a.yaml:14:15: error: `services.web.ulimits.nofile` needs the key `hard` [schema/missing-key]
    a.yaml:15:15: error: `services.web.configs[0]` needs the key `source` [schema/missing-key]
    a.yaml:16:17: error: `services.web.depends_on` must be a list, not a number [schema/wrong-type]
    a.yaml:17:13: error: `services.web.x-skep` must be a mapping, not a list [schema/wrong-type]
    "#);
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", "services:\n  a:\n  b: {image: 5}\nvolumes:\n")]).faults(), @r#"
    a.yaml:2:3: error: `services.a` must be a mapping, not nothing [schema/wrong-type]
    a.yaml:3:14: error: `services.b.image` must be text, not a number [schema/wrong-type]
      help: put it in quotes: "5"
    a.yaml:4:1: error: `volumes` must be a mapping, not nothing [schema/wrong-type]
    "#);
}

#[test]
fn invalid_values_are_named() {
    let lines = "
ports: ['x:80', {target: 80, mode: hots}, '127.0.0.1:81:81', '9000:9000', '9000:9001']
volumes: ['a::b', 'v:/data', '/a:/a:z', /b:/a]
extra_hosts: [nowhere]
healthcheck: {test: [curl, x], interval: -1s}
restart: sometimes
deploy: {mode: replicatd, update_config: {order: first, max_failure_ratio: 2}, restart_policy: {condition: always}}
command: \"a 'b\"
";
    insta::assert_snapshot!(web_faults(lines.trim()), @r#"
    a.yaml:4:13: error: `services.web.ports[0]`: `x` is not a port from 0 to 65535, or a range of ports [schema/invalid-value]
      help: ports are written as in `"8080:80"`, `"53:53/udp"` or `"9000-9003:9000-9003"`
    a.yaml:4:40: warning: `services.web.ports[1].mode`: the engine knows no `hots` and takes `ingress` for it [schema/invalid-value]
      help: did you mean `host`?
    a.yaml:4:47: warning: `services.web.ports[2]`: the address 127.0.0.1 is ignored, every address of a node answers [compose/unsupported]
      help: leave the address out, and keep others away with the node's firewall
    a.yaml:4:79: error: `services.web.ports`: the port 9000/tcp is published twice [compose/duplicate-port]
    a.yaml:5:15: error: `services.web.volumes[0]`: `a:` is relative to the repository, which no node has [compose/relative-bind]
      help: mount an absolute path, a volume, or give the file as a config
    a.yaml:5:23: warning: `services.web.volumes[1]`: Docker takes `v:/data` for a path with a Windows drive: an anonymous volume is mounted there [compose/unsupported]
      help: give the volume a name of more than one letter
    a.yaml:5:34: warning: `services.web.volumes[2]`: the option `z` is ignored [compose/unsupported]
      help: leave it out
    a.yaml:5:45: error: `services.web.volumes`: two of them have the target `/a` [compose/duplicate-target]
    a.yaml:6:19: warning: `services.web.extra_hosts[0]`: `nowhere` names no address, so it is left out [schema/invalid-value]
      help: hosts are written as in `db:10.0.0.5`
    a.yaml:7:25: warning: `services.web.healthcheck.test`: the engine runs no check whose first word is not `CMD` or `CMD-SHELL` [schema/invalid-value]
      help: put `CMD` before it
    a.yaml:7:46: error: `services.web.healthcheck.interval`: a duration may not be negative [schema/invalid-value]
    a.yaml:8:14: error: `services.web.restart`: `sometimes` is no restart policy [schema/invalid-value]
      help: write `always`, `unless-stopped`, `no`, `on-failure` or `on-failure:3`
    a.yaml:9:20: error: `services.web.deploy.mode`: `replicatd` is none of `replicated`, `global`, `replicated-job`, `global-job` [schema/invalid-value]
      help: did you mean `replicated`?
    a.yaml:9:54: error: `services.web.deploy.update_config.order`: `first` is none of `stop-first`, `start-first` [schema/invalid-value]
    a.yaml:9:80: error: `services.web.deploy.update_config.max_failure_ratio`: 2 is not between 0 and 1 [schema/invalid-value]
    a.yaml:9:112: error: `services.web.deploy.restart_policy.condition`: `always` is none of `any`, `on-failure`, `none` [schema/invalid-value]
    a.yaml:10:14: error: `services.web.command`: a quote is never closed [schema/invalid-value]
    "#);
}

#[test]
fn what_excludes_each_other_is_named() {
    let text = "
services:
  a: {image: x, healthcheck: {test: y, disable: true}, deploy: {mode: global, replicas: 2}}
  b: {image: x, deploy: {mode: replicated-job, update_config: {parallelism: 1}}, restart: 'no'}
  c: {image: x, deploy: {restart_policy: {condition: none}}, restart: always}
  d:
    image: x
    volumes:
    - {type: bind, target: /a}
    - {type: tmpfs, source: x, target: /b, volume: {nocopy: true}}
volumes: {v: {external: true, driver: local}}
networks: {n: {external: {name: a}, name: b}}
secrets: {s: {file: a, driver: b}}
configs: {c: {}}
";
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", text)]).faults(), @r"
    a.yaml:3:31: error: `services.a.healthcheck`: `test` and `disable` exclude each other [compose/conflict]
    a.yaml:3:89: error: `services.a.deploy`: a service of the mode global cannot have `replicas` [compose/conflict]
    a.yaml:4:63: error: `services.b.deploy`: a service of the mode replicated-job cannot have an `update_config` [compose/conflict]
    a.yaml:4:91: warning: `services.b.restart` does not keep Swarm from restarting [compose/unsupported]
      help: write `condition: none` under `deploy.restart_policy`
    a.yaml:5:71: warning: `services.c.restart` is ignored beside `deploy.restart_policy` [compose/unsupported]
      help: leave it out
    a.yaml:9:7: error: `services.d.volumes[0]` needs the key `source`: a mount of the type bind has one [schema/missing-key]
    a.yaml:10:7: error: `services.d.volumes[1]`: a tmpfs has no source [compose/conflict]
    a.yaml:10:44: error: `services.d.volumes[1]`: the key `volume` does not go with the type tmpfs [compose/conflict]
    a.yaml:11:31: error: `volumes.v.driver`: an external volume takes no other key [compose/conflict]
    a.yaml:12:27: error: `networks.n.external.name` and `name` say the same thing twice [compose/conflict]
    a.yaml:13:15: error: `secrets.s`: a secret has a `driver` or a content, not both [compose/conflict]
    a.yaml:14:11: error: `configs.c` says nothing of its content [schema/missing-key]
      help: name a `file`, or write `external: true` where somebody else makes the config
    ");
}

#[test]
fn undefined_references_are_named_with_the_nearest() {
    let text = "
services:
  web:
    image: x
    networks: [frontnd]
    volumes: [dat:/data]
    configs: [nginx]
    secrets: [{source: pasword}]
    depends_on: [bd]
  db: {image: x}
networks: {frontend: }
volumes: {data: }
secrets: {password: {external: true}}
";
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", text)]).faults(), @r"
    a.yaml:5:16: error: `services.web` uses the network `frontnd`, which no file defines [compose/undefined-network]
      help: did you mean `frontend`?
    a.yaml:6:15: error: `services.web` uses the volume `dat`, which no file defines [compose/undefined-volume]
      help: did you mean `data`?
    a.yaml:7:15: error: `services.web` uses the config `nginx`, which no file defines [compose/undefined-config]
      help: define it under the top-level `configs`
    a.yaml:8:15: error: `services.web` uses the secret `pasword`, which no file defines [compose/undefined-secret]
      help: did you mean `password`?
    a.yaml:9:18: warning: `services.web` depends on the service `bd`, which no file defines [compose/undefined-service]
      help: did you mean `db`?
    ");
}

#[test]
fn what_swarm_cannot_do_is_said() {
    let lines = "
container_name: me
build: .
privileged: true
devices: []
expose: ['80']
network_mode: host
mem_limit: 5m
tmpfs: /x
networks: {default: {ipv4_address: 10.0.0.1}}
";
    insta::assert_snapshot!(web_faults(lines.trim()), @r"
    a.yaml:4:5: warning: `services.web.container_name` is ignored: Swarm has nothing like it [compose/unsupported]
      help: other services reach this one under its key; further names are network `aliases`
    a.yaml:5:5: warning: `services.web.build` is ignored: Swarm has nothing like it [compose/unsupported]
      help: build and push the image beforehand: nodes pull what `image` names
    a.yaml:6:5: warning: `services.web.privileged` is ignored: Swarm has nothing like it [compose/unsupported]
      help: name what it needs under `cap_add`, or run it as a plain container on its node
    a.yaml:8:5: warning: `services.web.expose` is ignored: Swarm has nothing like it [compose/unsupported]
      help: leave it out: on a network every port of a service can be reached
    a.yaml:9:5: warning: `services.web.network_mode` is ignored: Swarm has nothing like it [compose/unsupported]
      help: use `networks`; for the node's own network declare an external network named `host`
    a.yaml:10:5: error: Swarm cannot carry out `services.web.mem_limit` [compose/unsupported]
      help: use `deploy.resources.limits.memory`
    a.yaml:11:5: warning: `services.web.tmpfs` is ignored, as `docker stack deploy` ignores it [compose/unsupported]
      help: write `{ type: tmpfs, target: … }` under `volumes`, with `tmpfs: { size: … }` where it has a size
    a.yaml:12:26: warning: `services.web.networks.default.ipv4_address` is ignored: Swarm has nothing like it [compose/unsupported]
      help: a task has the address its network gives it: reach it by name
    ");
}

#[test]
fn names_that_the_engine_refuses_are_named() {
    let text = "
services: {a.b: {image: x}, c-: {image: x}, '': {image: x}}
volumes: {'a b': }
name: my shop
";
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", text)]).faults(), @r"
    a.yaml:2:12: error: the service name `a.b` may hold only letters, digits, `-` and `_`, and ends with a letter or digit [compose/invalid-name]
    a.yaml:2:29: error: the service name `c-` may hold only letters, digits, `-` and `_`, and ends with a letter or digit [compose/invalid-name]
    a.yaml:2:45: error: the service name `` may hold only letters, digits, `-` and `_`, and ends with a letter or digit [compose/invalid-name]
    a.yaml:3:11: error: the name `a b` may hold only letters, digits, `.`, `_` and `-` [compose/invalid-name]
    a.yaml:4:7: error: `name`: `my shop` may hold only letters, digits, `-` and `_`, and begins and ends with a letter or digit [compose/invalid-name]
    ");
}

#[test]
fn a_service_needs_an_image() {
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", "services:\n  a: {}\n  b: {image: ''}\n")]).faults(), @r"
    a.yaml:2:3: error: `services.a` has no image [compose/no-image]
      help: name one under `image`
    a.yaml:3:3: error: `services.b` has no image [compose/no-image]
      help: name one under `image`
    ");
}

#[test]
fn paths_out_of_the_repository_are_refused() {
    let text = web("volumes: [./data:/data, ~/x:/x]\nenv_file: ../x.env")
        + "configs: {a: {file: /etc/passwd}, b: {file: ../../x}, c: {file: none}, d: {file: empty}}";
    insta::assert_snapshot!(Stack::repository(&[("shop/a.yaml", &text), ("shop/empty", "")]).faults(), @r"
    shop/a.yaml:4:15: error: `services.web.volumes[0]`: `./data` is relative to the repository, which no node has [compose/relative-bind]
      help: mount an absolute path, a volume, or give the file as a config
    shop/a.yaml:4:29: error: `services.web.volumes[1]`: `~/x` is relative to the repository, which no node has [compose/relative-bind]
      help: mount an absolute path, a volume, or give the file as a config
    shop/a.yaml:5:15: error: `x.env` cannot be read: there is no such file [file/unreadable]
    shop/a.yaml:6:21: error: `configs.a.file`: `/etc/passwd` cannot be read: the path leads out of the repository [file/outside]
    shop/a.yaml:6:45: error: `configs.b.file`: `../../x` cannot be read: the path leads out of the repository [file/outside]
    shop/a.yaml:6:65: error: `configs.c.file`: `none` cannot be read: there is no such file [file/unreadable]
    shop/a.yaml:6:82: error: `configs.d.file`: `empty` is empty, and the engine takes no empty config [schema/invalid-value]
    ");
}

#[test]
fn objects_larger_than_the_engine_takes_are_refused() {
    let text = web("") + "configs: {a: {file: big}}\nsecrets: {b: {file: big}}";
    let big = "x".repeat(1000 * 1024);
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", &text), ("big", &big)]).faults(), @r"
    a.yaml:4:21: error: `configs.a.file`: `big` has 1024000 bytes, and the engine takes less than 1024000 for a config [schema/invalid-value]
    a.yaml:5:21: error: `secrets.b.file`: `big` has 1024000 bytes, and the engine takes less than 512000 for a secret [schema/invalid-value]
    ");
}

#[test]
fn two_things_at_one_path_are_refused() {
    let text = web("configs: [a, {source: b, target: a}]\nvolumes: [/x:/y, {type: tmpfs, target: /y}]")
        + "configs: {a: {external: true}, b: {external: true}}";
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", &text)]).faults(), @r"
    a.yaml:4:18: error: `services.web.configs`: two of them have the target `a` [compose/duplicate-target]
    a.yaml:5:22: error: `services.web.volumes`: two of them have the target `/y` [compose/duplicate-target]
    ");
}

#[test]
fn hostile_files_end_in_diagnostics() {
    let ports = web(&format!("ports: [{}]", "'0-65535', ".repeat(100)));
    let keys: String = (0..5000).map(|n| format!("    key{n}: 1\n")).collect();
    let services: String = (0..5000).map(|n| format!("  s{n}: {{image: x, depends_on: [s0, s{}]}}\n", n + 1)).collect();
    for text in [ports, web("") + &keys, format!("services:\n{services}")] {
        let loaded = Stack::repository(&[("a.yaml", &text)]).load();
        assert!(!loaded.diagnostics.is_empty() && loaded.diagnostics.len() <= 2000);
    }
}

proptest::proptest! {
    #[test]
    fn no_file_panics(lines in "((ports|volumes|networks|deploy|command|environment|healthcheck): [\\[\\]{}a:0-9,'/$-]{0,20}\n){0,4}") {
        let _ = Stack::repository(&[("a.yaml", &web(&lines))]).load();
    }
}
