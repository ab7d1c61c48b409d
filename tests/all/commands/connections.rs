//! Whence the engine: `DOCKER_HOST` by tcp with TLS and by ssh, `DOCKER_CONTEXT`. A unix socket is every other test's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{lab, web, write};
use crate::git_server::{SshServer, run};
use crate::lab::Lab;
use crate::runner::Skep;

/// A plan of something new: all of the swarm was listed.
fn plans(skep: Skep) {
    write(skep.directory(), "stack.yaml", &web("a:1", 1));
    let planned = skep.run(&["plan", "-c", "stack.yaml", "nowhere"]).expect(0);
    assert!(planned.stdout.contains("+ service web"), "{}", planned.stdout);
}

/// A certificate authority with a server's and a client's certificate, the former for every first node of a lab.
fn certificates() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let openssl = |line: &str| run("openssl", directory.path(), &line.split(' ').collect::<Vec<_>>());
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let addresses: Vec<String> = (0..=250).map(|slot| format!("IP:198.18.{slot}.1")).collect();
    fs::write(
        directory.path().join("server.ext"),
        format!("subjectAltName={}\nextendedKeyUsage=serverAuth\n", addresses.join(",")),
    )
    .expect("written");
    fs::write(directory.path().join("client.ext"), "extendedKeyUsage=clientAuth\n").expect("written");
    openssl(&format!("req -x509 {key} -keyout ca-key.pem -out ca.pem -days 2 -subj /CN=lab-ca"));
    for (name, files) in [("server", ("server-key.pem", "server-cert.pem")), ("client", ("key.pem", "cert.pem"))] {
        openssl(&format!("req {key} -keyout {} -out {name}.csr -subj /CN={name}", files.0));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -out {} -extfile {name}.ext",
            files.1
        ));
    }
    directory
}

#[test]
fn tcp_with_tls_is_spoken_as_docker_does() {
    let certificates = certificates();
    let at = |name: &str| certificates.path().join(name).display().to_string();
    let lab = Lab::start_with(
        1,
        &format!(
            "-H tcp://0.0.0.0:2376 --tlsverify --tlscacert {} --tlscert {} --tlskey {}",
            at("ca.pem"),
            at("server-cert.pem"),
            at("server-key.pem")
        ),
    );
    let host = format!("tcp://{}:2376", lab.address(1));
    let with = |directory: &str| Skep::on(&host).env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", directory);
    plans(with(&certificates.path().display().to_string()));

    let other = self::certificates();
    let stranger = with(&other.path().display().to_string());
    write(stranger.directory(), "stack.yaml", &web("a:1", 1));
    let refused = stranger.run(&["plan", "-c", "stack.yaml", "nowhere"]).expect(1);
    assert!(refused.stderr.contains(&host) && refused.stderr.contains("certificate"), "{}", refused.stderr);

    let plain = Skep::on(&host);
    write(plain.directory(), "stack.yaml", &web("a:1", 1));
    plain.run(&["plan", "-c", "stack.yaml", "nowhere"]).expect(1);

    let missing = with("/nonexistent");
    write(missing.directory(), "stack.yaml", &web("a:1", 1));
    missing.run(&["plan", "-c", "stack.yaml", "nowhere"]).expect(1);
}

#[test]
fn ssh_reaches_an_engine_and_says_why_it_does_not() {
    let (lab, server) = (lab(), SshServer::start());
    // ssh looks for its files in the home of the password database, whatever HOME says: a wrapper tells it otherwise.
    let wrapped = |known: &Path, key: &str| {
        let skep = Skep::offline();
        let bin = skep.home().join("bin");
        let wrapper = format!(
            "#!/bin/sh\nexec /usr/bin/ssh -F /dev/null -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes -i {} \"$@\"\n",
            known.display(),
            server.file(key).display()
        );
        write(&bin, "ssh", &wrapper);
        fs::set_permissions(bin.join("ssh"), fs::Permissions::from_mode(0o755)).expect("set");
        let user = run("id", Path::new("/"), &["-un"]);
        let host = format!("ssh://{user}@127.0.0.1:{}{}", server.port, lab.socket(1).display());
        skep.env("DOCKER_HOST", &host).env("PATH", &format!("{}:/usr/bin:/bin", bin.display()))
    };
    let known = server.known_hosts("known", "host_ed25519");
    fs::write(
        &known,
        ["ed25519", "ecdsa", "rsa"]
            .map(|kind| fs::read_to_string(server.known_hosts("one", &format!("host_{kind}"))).expect("a line"))
            .concat(),
    )
    .expect("written");
    plans(wrapped(&known, "client"));

    let wrong = server.known_hosts("wrong", "client");
    for (known, key, said) in
        [(&known, "stranger", "Permission denied"), (&wrong, "client", "Host key verification failed")]
    {
        let skep = wrapped(known, key);
        write(skep.directory(), "stack.yaml", &web("a:1", 1));
        let refused = skep.run(&["plan", "-c", "stack.yaml", "nowhere"]).expect(1);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn a_context_of_docker_names_the_engine() {
    let lab = lab();
    let skep = Skep::offline().env("DOCKER_CONTEXT", "lab");
    let create = Command::new("docker")
        .args(["context", "create", "lab", "--docker", &format!("host={}", lab.docker_host(1))])
        .env("DOCKER_CONFIG", skep.home().join(".docker"))
        .env_remove("DOCKER_CONTEXT")
        .output()
        .expect("docker runs");
    assert!(create.status.success(), "{create:?}");
    let home = skep.home().to_owned();
    plans(skep);

    // `docker context use` writes the same into config.json; DOCKER_HOST counts more than either.
    let current = Skep::offline().env("DOCKER_CONFIG", &home.join(".docker").display().to_string());
    // The home went with its owner: make the context anew.
    let create = Command::new("docker")
        .args(["context", "create", "lab", "--docker", &format!("host={}", lab.docker_host(1))])
        .env("DOCKER_CONFIG", current.home().join(".docker"))
        .env_remove("DOCKER_CONTEXT")
        .output()
        .expect("docker runs");
    assert!(create.status.success(), "{create:?}");
    write(&current.home().join(".docker"), "config.json", r#"{"currentContext":"lab"}"#);
    let config = current.home().join(".docker").display().to_string();
    plans(current.env("DOCKER_CONFIG", &config));

    let unknown = Skep::offline().env("DOCKER_CONTEXT", "elsewhere");
    write(unknown.directory(), "stack.yaml", &web("a:1", 1));
    let refused = unknown.run(&["plan", "-c", "stack.yaml", "nowhere"]).expect(1);
    assert_eq!(refused.stderr, "skep: there is no docker context `elsewhere`\n");
}
