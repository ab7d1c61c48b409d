//! Files that are made of others: several documents, `include`, `extends`, `profiles`, `!reset` and `!override`, and what
//! they may leave unsaid.

use super::super::{Mount, Port};
use super::{Stack, web};

/// A stack of `a.yaml` and other files, which do not end in `.yaml`.
fn stack(main: &str, others: &[(&str, &str)]) -> Stack {
    let files: Vec<(&str, &str)> = std::iter::once(("a.yaml", main)).chain(others.iter().copied()).collect();
    Stack::repository(&files)
}

fn image(stack: &Stack, service: &str) -> String {
    let compose = stack.compose();
    compose.services[service].value.image.as_ref().expect("an image").value.clone()
}

fn ports(stack: &Stack) -> Vec<u32> {
    stack.web().ports.iter().map(|port| port.value.published).collect()
}

#[test]
fn documents_of_one_file_are_merged_in_order() {
    let text = "
services: {web: {image: one, command: [a], ports: ['80:80'], cap_add: [A]}}
---
services: {web: {image: two, command: [], ports: ['81:81'], cap_add: [A, B]}, db: {image: x}}
---
";
    let stack = stack(text, &[]);
    assert_eq!(image(&stack, "web"), "two");
    let web = stack.web();
    assert_eq!(web.cap_add, ["A", "B"], "the Compose Specification has each once");
    assert_eq!(web.command.expect("said").value, Vec::<String>::new(), "and an empty command replaces");
    assert_eq!(ports(&stack), [80, 81]);
    assert_eq!(image(&stack, "db"), "x");
    insta::assert_snapshot!(stack.faults(), @"a.yaml:4:1: warning: this document is merged into the one before, where `docker stack deploy` leaves it out [compose/merge-differs]");
}

#[test]
fn an_included_file_has_its_own_directory_and_variables() {
    let main = "include: [sub/b.yml]\nservices: {web: {image: 'x:${TAG}'}}\n";
    let included = "
name: other
services:
  db: {image: 'db:${TAG}-${OWN}', env_file: [db.env], environment: {OWN: }}
configs: {c: {file: c.txt}, d: {environment: OWN}}
";
    let others = [
        (".env", "TAG=1\n"),
        ("sub/b.yml", included),
        ("sub/.env", "TAG=2\nOWN=mine\n"),
        ("sub/db.env", "A=1\n"),
        ("sub/c.txt", "content"),
    ];
    let stack = stack(main, &others);
    assert_eq!(image(&stack, "web"), "x:1");
    assert_eq!(image(&stack, "db"), "db:1-mine", "the including file's variables count more");
    let compose = stack.compose();
    let db = &compose.services["db"].value;
    assert_eq!(db.environment.get("A"), Some(&Some("1".to_owned())));
    assert_eq!(db.environment.get("OWN"), Some(&Some("mine".to_owned())));
    let content = |key: &str| compose.configs[key].value.content.as_ref().expect("a content").reveal().clone();
    assert_eq!((content("c"), content("d")), (b"content".to_vec(), b"mine".to_vec()));
    assert_eq!(compose.name, None, "an included file does not name the stack");
}

#[test]
fn what_includes_overrides_what_is_included() {
    let main = "
include:
  - path: [b.yml, c.yml]
    project_directory: sub
    env_file: [x.env]
services:
  web: {image: mine, ports: ['81:81']}
volumes: {data: {labels: {own: '1'}}}
";
    let others = [
        (
            "b.yml",
            "services: {web: {image: base, ports: ['80:80'], user: '1'}, db: {image: '${X}'}}\nvolumes: {data: {driver: d, labels: {theirs: '2'}}}\n",
        ),
        ("c.yml", "services: {web: {working_dir: /w}, db: {env_file: e.env}}\n"),
        ("x.env", "X=from-file\n"),
        ("sub/e.env", "E=1\n"),
    ];
    let stack = stack(main, &others);
    let web = stack.web();
    assert_eq!(image(&stack, "web"), "mine");
    assert_eq!((web.user.as_deref(), web.working_dir.as_deref()), (Some("1"), Some("/w")));
    assert_eq!(ports(&stack), [80, 81]);
    assert_eq!(image(&stack, "db"), "from-file");
    let compose = stack.compose();
    assert_eq!(compose.services["db"].value.environment.get("E"), Some(&Some("1".to_owned())));
    let data = &compose.volumes["data"].value;
    assert_eq!((data.driver.as_deref(), data.labels.len()), (Some("d"), 2));
    assert_eq!(stack.faults(), "");
}

#[test]
fn includes_that_cannot_be_are_named() {
    let circle =
        stack("include: [b.yml]\n", &[("b.yml", "include: [c.yml]\n"), ("c.yml", "include: [b.yml]\nservices: {}\n")]);
    insta::assert_snapshot!(circle.faults(), @r"
    c.yml:1:11: error: files include each other in a circle: b.yml → c.yml → b.yml [compose/include-cycle]
    ");
    let itself = stack("include: [a.yaml]\nservices: {}\n", &[]);
    insta::assert_snapshot!(itself.faults(), @"a.yaml:1:11: error: files include each other in a circle: a.yaml → a.yaml [compose/include-cycle]");
    let wrong = stack(
        "include:\n  - gone.yml\n  - ../out.yml\n  - {project_directory: x}\n  - {path: b.yml, env_files: x}\n  - [b.yml]\nservices: {}\n",
        &[("b.yml", "services: {web: {imgae: x, image: y}}\n")],
    );
    insta::assert_snapshot!(wrong.faults(), @r"
    a.yaml:2:5: error: `gone.yml` cannot be read: there is no such file [file/unreadable]
    a.yaml:3:5: error: `../out.yml` cannot be read: the path leads out of the repository [file/outside]
    a.yaml:4:5: error: `include[2]` needs the key `path` [schema/missing-key]
    a.yaml:5:19: error: unknown key `env_files` in `include[3]` [schema/unknown-key]
      help: did you mean `env_file`?
    a.yaml:6:5: error: `include[4]` must be text, not a list [schema/wrong-type]
    b.yml:1:18: error: unknown key `imgae` in `services.web` [schema/unknown-key]
      help: did you mean `image`?
    ");
    let many: String = (0..1001).map(|_| "  - b.yml\n").collect();
    let bomb = stack(&format!("include:\n{many}services: {{}}\n"), &[("b.yml", "x-a: 1\n")]);
    assert!(bomb.faults().contains("more than 1000 in all [yaml/bounds]"));
}

#[test]
fn a_service_takes_over_what_it_extends() {
    let main = "
services:
  base:
    image: base
    environment: {A: base, B: base}
    env_file: base.env
    command: [sleep, '1']
    volumes: ['data:/data', 'logs:/logs']
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: [CMD, a], retries: 3}
  web:
    extends: base
    image: own
    environment: [B=own, C]
    env_file: own.env
    command: [run]
    volumes: ['other:/data']
    healthcheck: {test: [CMD, b]}
  db: {image: db}
volumes: {data: , logs: , other: }
";
    let others = [("base.env", "A=file\nD=base\nE=base\n"), ("own.env", "E=own\nB=file\n")];
    let stack = stack(main, &others).with("C", "variable");
    let web = stack.web();
    let pairs: Vec<_> = web.environment.iter().map(|(k, v)| format!("{k}={}", v.as_deref().unwrap_or("-"))).collect();
    let mut pairs = pairs;
    pairs.sort();
    assert_eq!(pairs, ["A=base", "B=own", "C=variable", "D=base", "E=own"]);
    assert_eq!(web.command.expect("said").value, ["run"]);
    let mounts: Vec<(&str, &str)> =
        web.volumes.iter().map(|m| (m.value.source.as_str(), m.value.target.as_str())).collect();
    assert_eq!(mounts, [("other", "/data"), ("logs", "/logs")]);
    let check = web.healthcheck.expect("said").value;
    assert_eq!((check.test, check.retries), (vec!["CMD".to_owned(), "b".to_owned()], Some(3)));
    assert_eq!(web.depends_on.len(), 1);
    assert_eq!(image(&stack, "web"), "own");
    assert_eq!(image(&stack, "base"), "base", "what is extended stays");
}

#[test]
fn an_extended_file_has_its_own_directory() {
    let main = "services: {web: {extends: {file: common/b.yml, service: app}, image: x}}\n";
    let others = [
        (
            "common/b.yml",
            "services:\n  app: {extends: {service: root}, env_file: [app.env], user: '${USER_ID}'}\n  root: {extends: {file: ../c.yml, service: root}}\n  broken: {image: '${NOBODY}'}\n",
        ),
        ("common/app.env", "A=1\n"),
        ("c.yml", "services: {root: {env_file: [root.env], working_dir: /root}}\n"),
        ("root.env", "B=2\n"),
    ];
    let stack = stack(main, &others).with("USER_ID", "7");
    assert_eq!(stack.faults(), "", "what nobody asks for in that file is not looked at");
    let web = stack.web();
    assert_eq!(web.environment.len(), 2);
    assert_eq!((web.user.as_deref(), web.working_dir.as_deref()), (Some("7"), Some("/root")));
}

#[test]
fn a_fault_in_what_is_extended_is_shown_where_it_stands() {
    let main = "services: {web: {extends: {file: b.yml, service: app}, image: x, networks: [front]}}\n";
    let others =
        [("b.yml", "services:\n  app:\n    prots: [80]\n    networks: [back]\n    deploy: {replicas: many}\n")];
    insta::assert_snapshot!(stack(main, &others).faults(), @r"
    a.yaml:1:77: error: `services.web` uses the network `front`, which no file defines [compose/undefined-network]
      help: define it under the top-level `networks`
    b.yml:3:5: error: unknown key `prots` in `services.web` [schema/unknown-key]
      help: did you mean `ports`?
    b.yml:4:16: error: `services.web` uses the network `back`, which no file defines [compose/undefined-network]
      help: define it under the top-level `networks`
    b.yml:5:24: error: `services.web.deploy.replicas` must be a whole number, not text [schema/wrong-type]
    ");
}

#[test]
fn extending_what_is_not_there_is_named() {
    let main = "
services:
  a: {extends: {service: bb}, image: x}
  b: {extends: c}
  c: {extends: b}
  d: {extends: {file: gone.yml, service: x}, image: x}
  e: {extends: {file: b.yml, service: x}, image: x}
  f: {extends: [a], image: x}
  g: {extends: {file: b.yml}, image: x}
";
    insta::assert_snapshot!(stack(main, &[("b.yml", "networks: {}\n")]).faults(), @r"
    a.yaml:3:16: error: there is no service `bb` in `a.yaml` to extend [compose/undefined-service]
      help: did you mean `b`?
    a.yaml:4:3: error: `services.b` has no image [compose/no-image]
      help: name one under `image`
    a.yaml:4:16: error: services extend each other in a circle: c → b → c [compose/extends-cycle]
    a.yaml:5:3: error: `services.c` has no image [compose/no-image]
      help: name one under `image`
    a.yaml:5:16: error: services extend each other in a circle: b → c → b [compose/extends-cycle]
    a.yaml:6:23: error: `gone.yml` cannot be read: there is no such file [file/unreadable]
    a.yaml:7:23: error: `b.yml` has no `services` to extend [compose/undefined-service]
    a.yaml:8:16: error: `extends` must be the name of a service, or a mapping with `service` and `file` [schema/wrong-type]
    a.yaml:9:16: error: `extends` needs the key `service` [schema/missing-key]
    ");
}

#[test]
fn a_service_with_profiles_takes_part_when_one_is_asked_for() {
    let main = "
services:
  web: {image: x, depends_on: [tools]}
  tools:
    image: y
    profiles: [debug, ops]
    privileged: true
    configs: [only]
    prots: []
configs: {only: {file: gone.txt}, unused: {content: u}}
";
    let without = stack(main, &[]);
    insta::assert_snapshot!(without.faults(), @r"
    a.yaml:3:32: warning: `services.web` depends on the service `tools`, whose profiles are not asked for [compose/undefined-service]
    a.yaml:9:5: error: unknown key `prots` in `services.tools` [schema/unknown-key]
      help: did you mean `ports`?
    ");
    let main = main.replace("    prots: []\n", "");
    let without = stack(&main, &[]);
    let compose = without.compose();
    assert_eq!(compose.services.keys().collect::<Vec<_>>(), ["web"]);
    assert_eq!(
        compose.configs.keys().collect::<Vec<_>>(),
        ["unused"],
        "what only a disabled service needs is not made"
    );
    assert!(compose.services["web"].value.depends_on.is_empty());
    for asked in ["ops", "*"] {
        let with = stack(&main, &[("gone.txt", "c")]).profile(asked);
        assert_eq!(with.compose().services.len(), 2, "{asked}");
    }
    let by_variable = stack(&main, &[("gone.txt", "c")]).with("COMPOSE_PROFILES", "x, debug");
    assert_eq!(by_variable.compose().services.len(), 2);
}

#[test]
fn reset_takes_away_and_override_stands_instead() {
    let base =
        web("user: '5'\nports: ['80:80']\nenvironment: {A: '1'}\nenv_file: x.env\nlabels: {a: '1'}\nvolumes: ['/d']");
    let over = web(
        "user: !reset null\nports: !override ['81:81']\nenvironment: !reset {}\nenv_file: !reset []\nlabels: {a: !reset null, b: '2'}\nvolumes: [!reset '/e', '/f']",
    );
    let stack = Stack::repository(&[("a.yaml", &base), ("b.yaml", &over), ("x.env", "B=1")]);
    let web = stack.web();
    assert_eq!(web.user, None);
    assert_eq!(ports(&stack), [81]);
    assert!(web.environment.is_empty(), "{:?}", web.environment);
    assert_eq!(web.labels.into_iter().collect::<Vec<_>>(), [("b".to_owned(), "2".to_owned())]);
    let targets: Vec<String> = web.volumes.into_iter().map(|at| at.value.target).collect();
    assert_eq!(targets, ["/d", "/f"]);
    insta::assert_snapshot!(stack.faults(), @"b.yaml:4:18: warning: `!reset` and `!override` are obeyed, where `docker stack deploy` merges as if they were not there [compose/merge-differs]");
    let alone = Stack::repository(&[("a.yaml", &super::web("user: !reset '5'\nports: !override ['81:81']"))]);
    assert_eq!((alone.web().user, ports(&alone)), (None, vec![81]));
}

#[test]
fn reset_and_override_reach_what_is_extended_and_included() {
    let main = "
include: [b.yml]
services:
  web: {image: x, extends: base, ports: !override ['81:81'], user: !reset null}
  db: {command: !reset null}
";
    let others =
        [("b.yml", "services: {base: {image: y, ports: ['80:80'], user: '1'}, db: {image: d, command: [x]}}\n")];
    let stack = stack(main, &others);
    assert_eq!(ports(&stack), [81]);
    assert_eq!(stack.web().user, None);
    assert_eq!(stack.compose().services["db"].value.command, None);
}

#[test]
fn the_long_form_of_env_file_is_read_as_compose_reads_it() {
    let lines = "
env_file:
  - plain.env
  - {path: quoted.env}
  - {path: gone.env, required: false}
  - {path: plain.env, format: raw}
  - {path: quoted.env, required: true, format: ''}
environment: {OWN: own, EMPTY: ''}
";
    let plain = ("plain.env", "P=\"quoted\"\n");
    let quoted = ("quoted.env", "# c\nQ=\"a b\" # c\nR=${OWN}-${GIVEN}\nEMPTY=file\nexport S='x'\n");
    let stack = stack(&web(lines.trim()), &[plain, quoted]).with("GIVEN", "g");
    let environment = stack.web().environment;
    let value = |name: &str| environment.get(name).and_then(|value| value.as_deref());
    assert_eq!(value("P"), Some("\"quoted\""), "the short form is literal, and so is `format: raw`");
    assert_eq!(value("Q"), Some("a b"));
    assert_eq!(value("R"), Some("own-g"));
    assert_eq!(value("S"), Some("x"));
    assert_eq!(value("EMPTY"), Some(""), "what the service says itself counts more");
    let wrong = super::web_faults("env_file: [{path: gone.env}, {required: true}, {path: x.env, format: csv}]");
    insta::assert_snapshot!(wrong, @r"
    a.yaml:4:23: error: `gone.env` cannot be read: there is no such file [file/unreadable]
    a.yaml:4:34: error: `services.web.env_file[1]` needs the key `path` [schema/missing-key]
    a.yaml:4:59: error: `x.env` cannot be read: there is no such file [file/unreadable]
    a.yaml:4:74: error: `services.web.env_file[2].format`: `csv` is none of `raw` [schema/invalid-value]
    ");
}

#[test]
fn configs_and_secrets_may_hold_their_content_or_name_a_variable() {
    let text = "
services: {web: {image: x}}
configs:
  a: {content: 'hello ${WHO}'}
  b: {environment: WHO}
secrets:
  c: {environment: WHO}
";
    let stack = stack(text, &[]).with("WHO", "world");
    let compose = stack.compose();
    let content = |object: &super::super::FileObject| object.content.as_ref().expect("a content").reveal().clone();
    assert_eq!(content(&compose.configs["a"].value), b"hello world");
    assert_eq!(content(&compose.configs["b"].value), b"world");
    assert_eq!(content(&compose.secrets["c"].value), b"world");
    let wrong = "
services: {web: {image: x}}
configs:
  a: {content: x, file: y}
  b: {environment: NOBODY}
  c: {external: true, content: x}
  d: {content: ''}
  e: {name: e}
secrets:
  f: {content: hunter2}
  g: {driver: vault, environment: WHO}
";
    insta::assert_snapshot!(self::stack(wrong, &[]).faults(), @r"
    a.yaml:4:7: error: `configs.a`: only one of `file`, `content` and `environment` says what is in it [compose/conflict]
    a.yaml:5:20: error: `configs.b.environment`: the variable `NOBODY` is not defined, and the engine takes no empty config [compose/undefined-variable]
    a.yaml:6:23: error: `configs.c`: what others make has no content here [compose/conflict]
    a.yaml:7:16: error: `configs.d.content`: the engine takes no empty config [schema/invalid-value]
    a.yaml:8:3: error: `configs.e` says nothing of its content [schema/missing-key]
      help: name a `file`, or write `external: true` where somebody else makes the config
    a.yaml:10:7: warning: `secrets.f.content`: a secret in plain text is known to whoever can read this file [secret/plain-text]
      help: put it into an encrypted file and name that with `file`
    a.yaml:11:22: error: `secrets.g`: a secret has a `driver` or a content, not both [compose/conflict]
    ");
}

#[test]
fn the_name_of_the_stack_can_be_referred_to_where_it_is_said() {
    let text = "name: 'shop${SUFFIX:-${NONE:-}}'\nservices: {web: {image: 'x:${COMPOSE_PROJECT_NAME}'}}\n";
    let named = stack(text, &[]).with("SUFFIX", "-eu");
    assert_eq!(image(&named, "web"), "x:shop-eu");
    assert_eq!(named.compose().name.expect("said").value, "shop-eu");
    assert_eq!(named.faults(), "", "docker refuses a file with a name, so nothing is compared with it");
    let unnamed = stack("services: {web: {image: 'x:${COMPOSE_PROJECT_NAME}'}}\n", &[]);
    assert!(unnamed.faults().contains("the variable `COMPOSE_PROJECT_NAME` is not defined"));
}

#[test]
fn warnings_are_accepted_by_their_code() {
    let told = |top: &str, inner: &str, other: &str| {
        let text = format!(
            "{top}services:\n  web:\n    image: x\n    build: .\n{inner}  db:\n    image: y\n    build: .\n{other}"
        );
        stack(&text, &[]).faults()
    };
    assert_eq!(told("", "", "").lines().filter(|line| line.contains("[compose/unsupported]")).count(), 2);
    assert_eq!(told("x-skep: {accept: [compose/unsupported]}\n", "", ""), "");
    let one = told("", "    x-skep: {accept: compose/unsupported}\n", "");
    assert!(one.contains("services.db.build") && !one.contains("services.web.build"), "{one}");
    let error = told("", "    x-skep: {accept: [schema/unknown-key]}\n    imgae: x\n", "");
    assert!(error.contains("unknown key `imgae`"), "an error is never accepted: {error}");
    insta::assert_snapshot!(super::web_faults("x-skep: {accept: [compose/unsuported]}"), @r"
    a.yaml:4:23: warning: `services.web.x-skep.accept[0]`: there is no diagnostic `compose/unsuported` [schema/invalid-value]
      help: did you mean `compose/unsupported`?
    ");
}

#[test]
fn what_one_file_accepts_holds_for_what_another_says() {
    let base = web("privileged: true");
    let over = "services:\n  web:\n    x-skep: {accept: [compose/unsupported]}\n    labels: &l {a: b}\n";
    let merged = Stack::repository(&[("a.yaml", &base), ("b.yaml", over)]);
    assert_eq!(merged.faults(), "");
    let extended = stack(
        "services: {web: {image: x, extends: {file: b.yml, service: app}, x-skep: {accept: [compose/unsupported]}}}\n",
        &[("b.yml", "services: {app: {devices: ['/dev/x'], volumes: ['/a:/b:z']}}\n")],
    );
    assert_eq!(extended.faults(), "");
}

#[test]
fn a_port_and_a_mount_of_an_extended_service_stay_one() {
    let main = "services: {web: {image: x, extends: base, ports: ['80:80', {target: 81, published: 81}]}, base: {image: x, ports: ['80:80', {target: 81, published: 81, mode: host}]}}\n";
    let expected = Port { target: 81, published: 81, ..Port::default() };
    let web = stack(main, &[]).web();
    assert_eq!(web.ports.len(), 2);
    assert_eq!(web.ports[1].value, expected, "the later one");
    assert_eq!(Mount::default().kind, "");
}

#[test]
fn a_chain_that_copies_too_much_is_refused() {
    let env: String = (0..4000).map(|n| format!("      V{n}: x\n")).collect();
    let mut text = format!("services:\n  s0:\n    image: x\n    environment:\n{env}");
    for n in 1..400 {
        text.push_str(&format!("  s{n}: {{extends: s0}}\n"));
    }
    assert!(stack(&text, &[]).faults().contains("what services extend fills more than"));
}

#[test]
fn relative_binds_lie_below_the_root_that_the_stack_names() {
    let stack = stack(&web("volumes: ['./data:/data', '../x/./y:/y', '.:/here', '~/z:/z']"), &[]).below("/srv");
    insta::assert_snapshot!(stack.faults(), @r"
    a.yaml:4:31: error: `services.web.volumes[1]`: `../x/./y`: the path leads out of the repository [file/outside]
    a.yaml:4:57: error: `services.web.volumes[3]`: `~/z` is relative to the repository, which no node has [compose/relative-bind]
      help: mount an absolute path, a volume, or give the file as a config
    ");
    let main = web("volumes: ['./data:/data', '.:/here']\nextends: {file: ../common/b.yml, service: app}");
    let base = "services: {app: {volumes: ['./base:/base', '..:/all']}}\n";
    let stack = Stack::repository(&[("shop/a.yaml", &main), ("common/b.yml", base)]).below("/srv");
    let sources: Vec<String> = stack.web().volumes.into_iter().map(|mount| mount.value.source).collect();
    assert_eq!(sources, ["/srv/common/base", "/srv", "/srv/shop/data", "/srv/shop"]);
}

#[test]
fn a_pointer_of_git_lfs_is_no_content() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n";
    let main =
        web("env_file: [x.env, x.env]\nconfigs: [c]") + "configs: {c: {file: c.txt}}\nsecrets: {s: {file: s.txt}}\n";
    let files = [("a.yaml", main.as_str()), ("x.env", pointer), ("c.txt", pointer), ("s.txt", pointer)];
    insta::assert_snapshot!(Stack::repository(&files).faults(), @r"
    a.yaml:4:16: error: `x.env` is a pointer of Git LFS and not the content it points to [file/lfs-pointer]
      help: commit the file itself: what a stack reads is small and needs no Git LFS
    a.yaml:6:21: error: `c.txt` is a pointer of Git LFS and not the content it points to [file/lfs-pointer]
      help: commit the file itself: what a stack reads is small and needs no Git LFS
    a.yaml:7:21: error: `s.txt` is a pointer of Git LFS and not the content it points to [file/lfs-pointer]
      help: commit the file itself: what a stack reads is small and needs no Git LFS
    ");
    let reading = "include: [b.yml]\nservices: {web: {image: a, extends: {service: c, file: c.yml}}}\n";
    let files = [("a.yaml", reading), (".env", pointer), ("b.yml", pointer), ("c.yml", pointer)];
    insta::assert_snapshot!(Stack::repository(&files).faults(), @r"
    error: `.env` is a pointer of Git LFS and not the content it points to [file/lfs-pointer]
      help: commit the file itself: what a stack reads is small and needs no Git LFS
    a.yaml:1:11: error: `b.yml` is a pointer of Git LFS and not the content it points to [file/lfs-pointer]
      help: commit the file itself: what a stack reads is small and needs no Git LFS
    a.yaml:2:56: error: `c.yml` is a pointer of Git LFS and not the content it points to [file/lfs-pointer]
      help: commit the file itself: what a stack reads is small and needs no Git LFS
    ");
    let files = [("a.yaml", main.as_str()), ("x.env", "A=1"), ("c.txt", pointer), ("s.txt", "s")];
    let direct = Stack::direct(&files);
    assert!(direct.faults().contains("warning: `/srv/c.txt` is a pointer of Git LFS"), "{}", direct.faults());
    assert!(direct.load().compose.is_some());
}
