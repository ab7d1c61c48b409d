//! Bad input: one clear message with its place and cause, exit code 1, and nothing changes.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::commands::{Scene, lab, web, write};
use crate::git_server::{HttpServer, Manner, Served, SshServer, free_port, run};
use crate::lab::Lab;
use crate::proxy::Proxy;
use crate::runner::Skep;

/// Runs a plan and an apply that must both fail in the same words and without a write, and gives those.
#[track_caller]
fn refused(scene: &Scene, target: &str) -> String {
    let planned = scene.run(&format!("plan {target}")).expect(1);
    let applied = scene.run(&format!("apply {target} --yes")).expect(1);
    assert_eq!(planned.stdout, "", "no plan is printed");
    assert_eq!(planned.stderr, applied.stderr);
    assert!(scene.proxy.writes().is_empty(), "{:?}", scene.proxy.writes());
    applied.stderr
}

/// The same of one stack file.
#[track_caller]
fn refused_file(text: &str) -> String {
    let scene = Scene::new("bad");
    scene.write("stack.yaml", text);
    refused(&scene, "-c stack.yaml shop")
}

/// The same of a repository with these files, its directory shown as `DIR`.
#[track_caller]
fn refused_repository(files: &[(&str, &str)], links: &[(&str, &str)]) -> String {
    let scene = Scene::new("bad");
    let served = Served::new();
    let work = served.path().join("work");
    for (path, text) in files {
        write(&work, path, text);
    }
    for (path, target) in links {
        symlink(target, work.join(path)).expect("linked");
    }
    served.commit("skep.yaml", "version: 1\nstacks:\n  - name: shop\n    files: [shop/stack.yaml]\n");
    let as_it_lies = refused(&scene, &format!("--repo {}", work.display()));
    let committed = refused(&scene, &format!("--repo {} --ref main", work.display()));
    assert_eq!(as_it_lies, committed, "a revision is read with the same care");
    as_it_lies.replace(&served.path().display().to_string(), "DIR")
}

#[test]
fn a_missing_file() {
    let scene = Scene::new("bad");
    insta::assert_snapshot!(refused(&scene, "-c absent.yaml shop"), @r"
    error: `absent.yaml` cannot be read: there is no such file [file/unreadable]
    skep: nothing was done: the input has errors
    ");
    insta::assert_snapshot!(refused_repository(&[("other.yaml", "")], &[]), @r"
    error: `shop/stack.yaml` cannot be read: there is no such file [file/unreadable]
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn yaml_that_does_not_parse() {
    insta::assert_snapshot!(refused_file("services:\n  web:\n    image: a\n   bad: [\n"), @r"
    stack.yaml:4:4: error: not YAML: while parsing a block mapping, did not find expected key [yaml/syntax]
      |
    4 |    bad: [
      |    ^
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn an_unknown_key() {
    insta::assert_snapshot!(refused_file("services:\n  web:\n    imgae: a\n    image: b\n"), @r"
    stack.yaml:3:5: error: unknown key `imgae` in `services.web` [schema/unknown-key]
      |
    3 |     imgae: a
      |     ^^^^^
      help: did you mean `image`?
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn a_wrong_type() {
    insta::assert_snapshot!(refused_file("services:\n  web:\n    image: a\n    deploy: { replicas: many }\n"), @r"
    stack.yaml:4:25: error: `services.web.deploy.replicas` must be a whole number, not text [schema/wrong-type]
      |
    4 |     deploy: { replicas: many }
      |                         ^^^^
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn an_undefined_network() {
    insta::assert_snapshot!(refused_file("services:\n  web:\n    image: a\n    networks: [front]\n"), @r"
    stack.yaml:4:16: error: `services.web` uses the network `front`, which no file defines [compose/undefined-network]
      |
    4 |     networks: [front]
      |                ^^^^^
      help: define it under the top-level `networks`
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn a_name_over_63_characters() {
    let said = refused_file(&format!("services:\n  {}:\n    image: a\n", "a".repeat(60)));
    insta::assert_snapshot!(said.replace(&"a".repeat(60), "A"), @r"
    stack.yaml:2:3: error: service `A`: the engine refuses its name: `shop_A` has 65 characters, the engine accepts at most 63 [compose/invalid-name]
      |
    2 |   A:
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: the name is made of the stack's and this key: shorten one of them
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn a_reference_that_climbs_out_of_the_repository() {
    let secret = "services: { web: { image: a, configs: [c] } }\nconfigs:\n  c:\n    file: ../../etc/passwd\n";
    insta::assert_snapshot!(refused_repository(&[("shop/stack.yaml", secret)], &[]), @r"
    shop/stack.yaml:4:11: error: `configs.c.file`: `../../etc/passwd` cannot be read: the path leads out of the repository [file/outside]
      |
    4 |     file: ../../etc/passwd
      |           ^^^^^^^^^^^^^^^^
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn an_absolute_reference_in_a_repository() {
    let secret = "services: { web: { image: a, configs: [c] } }\nconfigs:\n  c:\n    file: /etc/passwd\n";
    insta::assert_snapshot!(refused_repository(&[("shop/stack.yaml", secret)], &[]), @r"
    shop/stack.yaml:4:11: error: `configs.c.file`: `/etc/passwd` cannot be read: the path leads out of the repository [file/outside]
      |
    4 |     file: /etc/passwd
      |           ^^^^^^^^^^^
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn a_link_that_leads_out_of_the_repository() {
    let secret = "services: { web: { image: a, configs: [c] } }\nconfigs:\n  c:\n    file: words\n";
    insta::assert_snapshot!(refused_repository(&[("shop/stack.yaml", secret)], &[("shop/words", "/etc/passwd")]), @r"
    shop/stack.yaml:4:11: error: `configs.c.file`: `words` cannot be read: a symbolic link on this path leads out of the repository [file/outside]
      |
    4 |     file: words
      |           ^^^^^
    skep: nothing was done: the input has errors
    ");
}

#[test]
fn a_repository_that_does_not_answer() {
    let scene = Scene::new("bad");
    let port = free_port();
    let said = refused(&scene, &format!("--repo http://ann:hush@127.0.0.1:{port}/fleet.git"));
    insta::assert_snapshot!(said.replace(&port.to_string(), "PORT"), @r"
    skep: http://***@127.0.0.1:PORT/fleet.git cannot be reached: failed to connect to 127.0.0.1: Connection refused
    ");
}

#[test]
fn a_directory_that_is_not_there() {
    let scene = Scene::new("bad");
    insta::assert_snapshot!(refused(&scene, "--repo /nonexistent/fleet"), @"skep: the directory /nonexistent/fleet cannot be read: No such file or directory (os error 2)");
}

/// A controller's configuration with one credential.
fn configuration(scene: &Scene, lines: &str) {
    scene.write("config.yaml", &format!("version: 1\ncredentials:\n{lines}"));
}

#[test]
fn wrong_credentials() {
    let scene = Scene::new("bad");
    let served = Served::new();
    served.commit("stack.yaml", &web("a:1", 1));
    let server = HttpServer::start(served.path(), Manner { token: Some("right".to_owned()), ..Manner::default() });
    let url = server.url("fleet.git");
    let said = refused(&scene, &format!("--repo {url}"));
    insta::assert_snapshot!(said.replace(&url, "URL"), @r"
    skep: URL wants a credential, and none is configured for it
      help: configure a credential whose URL prefix covers this repository
    ");
    scene.write("token", "wrong\n");
    configuration(&scene, &format!("  - url: {url}\n    passwordFile: {}/token\n", scene.skep.directory().display()));
    let said = refused(&scene, &format!("--repo {url} --config config.yaml"));
    assert!(!said.contains("wrong"), "no credential is shown: {said}");
    insta::assert_snapshot!(said.replace(&url, "URL"), @r"
    skep: URL refused the credential
      help: check the credential file: the token may have expired, or the key may not be registered there
    ");
}

#[test]
fn a_host_key_that_does_not_match() {
    let scene = Scene::new("bad");
    let served = Served::new();
    served.commit("stack.yaml", &web("a:1", 1));
    let server = SshServer::start();
    let known = server.known_hosts("wrong", "client");
    let url = server.url(&served.bare());
    configuration(
        &scene,
        &format!(
            "  - url: {url}\n    sshKeyFile: {}\n    knownHostsFile: {}\n",
            server.file("client").display(),
            known.display()
        ),
    );
    let said = refused(&scene, &format!("--repo {url} --config config.yaml"));
    let said = said
        .replace(&url, "URL")
        .replace(&server.port.to_string(), "PORT")
        .replace(&known.display().to_string(), "KNOWN_HOSTS");
    let fingerprint = said.split_once("SHA256:").and_then(|(_, rest)| rest.split(')').next()).expect("a fingerprint");
    let said = said.replace(&format!("SHA256:{fingerprint}"), "FINGERPRINT");
    insta::assert_snapshot!(said, @r"
    skep: the host key of [127.0.0.1]:PORT is not the one that is known (FINGERPRINT), so URL was not read
      help: somebody may be between you and the server; replace the known key only if the host was rebuilt
    ");
}

/// The same against an engine, which a plan of a good file meets.
#[track_caller]
fn refused_by(skep: &Skep, engine: &str) -> String {
    write(skep.directory(), "stack.yaml", &web("a:1", 1));
    let planned = skep.run(&["plan", "-c", "stack.yaml", "shop"]).expect(1);
    let applied = skep.run(&["apply", "-c", "stack.yaml", "shop", "--yes"]).expect(1);
    assert_eq!((planned.stdout.as_str(), &planned.stderr), ("", &applied.stderr));
    let status = skep.run(&["status"]).expect(1);
    assert_eq!(status.stderr, applied.stderr, "every verb says the same");
    applied.stderr.replace(engine, "ENGINE")
}

#[test]
fn no_engine_behind_the_socket() {
    insta::assert_snapshot!(refused_by(&Skep::on("unix:///nonexistent/docker.sock"), "unix:///nonexistent/docker.sock"), @r"
    skep: ask the engine for its API version: cannot connect to the engine at ENGINE: No such file or directory (os error 2)
      help: is an engine running there? DOCKER_HOST or DOCKER_CONTEXT names another
    ");
    let silent = format!("tcp://127.0.0.1:{}", free_port());
    insta::assert_snapshot!(refused_by(&Skep::on(&silent), &silent), @r"
    skep: ask the engine for its API version: cannot connect to the engine at ENGINE: Connection refused (os error 111)
      help: is an engine running there? DOCKER_HOST or DOCKER_CONTEXT names another
    ");
    insta::assert_snapshot!(refused_by(&Skep::on("docker.sock"), "-"), @"skep: `docker.sock` names no engine: it must begin with unix://, tcp://, http://, https:// or ssh://");
}

#[test]
fn a_worker_and_an_engine_outside_any_swarm() {
    let lab = Lab::start(2);
    lab.docker(1, &["node", "demote", "n2"]);
    let proxy = Proxy::start(&lab.socket(2));
    let host = proxy.docker_host();
    crate::wait::wait_until(std::time::Duration::from_secs(30), "the node is a worker", || {
        lab.docker(2, &["info", "--format", "{{.Swarm.ControlAvailable}}"]) == "false"
    });
    insta::assert_snapshot!(refused_by(&Skep::on(&host), &host), @r"
    skep: manage the swarm: the engine on n2 is a worker; use a manager's
      help: DOCKER_HOST or DOCKER_CONTEXT names the engine to talk to
    ");
    lab.docker(2, &["swarm", "leave", "--force"]);
    insta::assert_snapshot!(refused_by(&Skep::on(&host), &host), @r"
    skep: manage the swarm: the engine on n2 is in no swarm; `docker swarm init` makes one
    ");
    assert!(proxy.writes().is_empty());
}

#[test]
fn what_is_no_repository() {
    let scene = Scene::new("bad");
    std::fs::create_dir(scene.skep.directory().join("plain")).expect("made");
    let said = scene.run("plan --repo plain --ref main").expect(1).stderr;
    let said = said.replace(&scene.skep.directory().display().to_string(), "DIR");
    insta::assert_snapshot!(said, @r"
    skep: DIR/plain is not a git repository
      help: run `git init` there, or name another directory
    ");
    let empty = scene.skep.directory().join("empty");
    std::fs::create_dir(&empty).expect("made");
    run("git", Path::new(&empty), &["init", "-q", "-b", "main", "."]);
    let said = scene.run("plan --repo empty --ref main").expect(1).stderr;
    insta::assert_snapshot!(said.replace(&scene.skep.directory().display().to_string(), "DIR"), @r"
    skep: DIR/empty is empty: it has no commit
      help: push a first commit
    ");
    assert_eq!(lab().services("plain").len(), 0);
}

#[test]
fn content_that_lies_in_a_submodule() {
    let scene = Scene::new("bad");
    let root = scene.skep.directory().to_owned();
    let git = |directory: &Path, words: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"];
        run("git", directory, &[&identity[..], words].concat());
    };
    let (other, work) = (root.join("other"), root.join("work"));
    write(&other, "page.txt", "hello");
    git(&root, &["init", "-q", "-b", "main", "other"]);
    git(&other, &["add", "."]);
    git(&other, &["commit", "-q", "-m", "page"]);
    git(&root, &["init", "-q", "-b", "main", "work"]);
    git(&work, &["submodule", "--quiet", "add", "../other", "pages"]);
    write(&work, "skep.yaml", "version: 1\nstacks:\n  - { name: shop, files: [stack.yaml] }\n");
    write(&work, "stack.yaml", "services: { web: { image: 'a:1' } }\nconfigs:\n  page: { file: pages/page.txt }\n");
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", "all"]);
    for target in ["--repo work", "--repo work --ref main"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused(&scene, target), @r"
            stack.yaml:3:17: error: `pages/page.txt` lies in the submodule `pages`, which is another repository [file/submodule]
              |
            3 |   page: { file: pages/page.txt }
              |                 ^^^^^^^^^^^^^^
              help: copy the file into this repository, or follow the other one with a stack of its own
            skep: nothing was done: the input has errors
            ");
        }
    }
    let direct = scene.run("render -c work/stack.yaml STACK").expect(0);
    assert!(direct.stderr.contains("warning: `work/pages/page.txt` lies in the submodule"), "{}", direct.stderr);
    assert_eq!(direct.json()["stacks"][0]["configs"][0]["Data"], "aGVsbG8=");
}

#[test]
fn variables_and_files_that_are_pointers_of_git_lfs() {
    let scene = Scene::new("bad");
    let work = scene.skep.directory().join("work");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n";
    write(&work, "skep.yaml", "version: 1\nstacks:\n  - { name: shop, files: [stack.yaml], envFiles: [prod.env] }\n");
    write(&work, "stack.yaml", "include: [part.yaml]\nservices: { web: { image: 'a:1' } }\n");
    write(&work, "prod.env", pointer);
    write(&work, "part.yaml", pointer);
    insta::assert_snapshot!(refused(&scene, "--repo work"), @r"
    error: `prod.env` is a pointer of Git LFS and not the content it points to [file/lfs-pointer]
      help: commit the file itself: what a stack reads is small and needs no Git LFS
    stack.yaml:1:11: error: `part.yaml` is a pointer of Git LFS and not the content it points to [file/lfs-pointer]
      |
    1 | include: [part.yaml]
      |           ^^^^^^^^^
      help: commit the file itself: what a stack reads is small and needs no Git LFS
    skep: nothing was done: the input has errors
    ");
}
