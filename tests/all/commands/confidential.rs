//! What comes out of encrypted files shows nowhere: one stack is taken through everything a person and a controller do with
//! it, and whatever is printed, logged and recorded is searched.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::{Scene, lab};
use crate::lab::Lab;
use crate::runner::{Outcome, Skep};
use crate::wait::wait_until;

/// What every secret of the fixtures holds.
const CANARY: &str = "zwitscher";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sops")
}

/// Puts a version of the encrypted stack, and what declares it, into the directory of `skep`.
fn lay(directory: &Path, version: u8, stack: &str, image: &str) {
    for file in ["compose.yaml", ".env", "extra.env", "app.conf", "key.txt"] {
        let from = fixtures().join("canary").join(version.to_string()).join(file);
        std::fs::copy(&from, directory.join(file)).expect("a copy");
    }
    let declaration = format!(
        "version: 1\nvariables: {{ APP: \"{image}\" }}\nstacks:\n  - name: {stack}\n    files: [compose.yaml]\n"
    );
    std::fs::write(directory.join("skep.yaml"), declaration).expect("a file");
}

/// Everything that a run put out, which must not hold a secret: as it is, or in base64.
#[track_caller]
fn silent(outcome: &Outcome) {
    for (what, text) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
        assert!(!holds(text), "{what} holds a secret:\n{text}");
    }
}

/// A text in base64 has three forms, by where it begins; what is looked for is what they have in common with it.
fn holds(text: &str) -> bool {
    use base64::Engine as _;
    let shifted = |by: usize| {
        let padded = format!("{}{CANARY}", "x".repeat(by));
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(padded);
        encoded[[0, 2, 3][by]..encoded.len() - 1].to_owned()
    };
    text.contains(CANARY) || (0..3).any(|by| text.contains(&shifted(by)))
}

#[test]
fn a_text_in_base64_is_found_wherever_it_begins() {
    use base64::Engine as _;
    for before in ["", "a", "ab", "abc"] {
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{before}{CANARY}-1\n"));
        assert!(holds(&encoded), "{before}");
    }
    assert!(!holds("nothing of the kind"));
}

/// Whether an object that skep keeps for itself holds a secret, what it keeps compressed included.
fn recorded(lab: &Lab, stack: &str) -> Vec<String> {
    use base64::Engine as _;
    let configs = lab.api(1, "/configs");
    let own = configs.as_array().expect("a list").iter().filter(|config| {
        let labels = &config["Spec"]["Labels"];
        labels["skep.kind"].is_string() && labels["skep.stack"] == stack
    });
    own.map(|config| {
        let data = config["Spec"]["Data"].as_str().unwrap_or_default();
        let data = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
        let mut text = String::new();
        if flate2::read::GzDecoder::new(data.as_slice()).read_to_string(&mut text).is_err() {
            text = String::from_utf8_lossy(&data).into_owned();
        }
        format!("{}\n{text}", config["Spec"])
    })
    .collect()
}

fn keyed(skep: Skep) -> Skep {
    skep.env("SOPS_AGE_KEY_FILE", &fixtures().join("key.txt").display().to_string())
}

/// Whether the engine has each secret of this version: what is hidden is only hidden.
#[track_caller]
fn runs(lab: &Lab, stack: &str, version: u8) {
    let spec = |name: &str| lab.service(&format!("{stack}_{name}")).expect("the service")["Spec"].to_string();
    for (service, secret) in
        [("web", "env"), ("web", "label"), ("web", "outer"), ("web", "envfile"), ("job", "command")]
    {
        let text = format!("{CANARY}-{secret}-{version}");
        assert!(spec(service).contains(&text), "{service} lacks {text}");
    }
    assert!(spec("web").contains(&format!("postgres://app:{CANARY}-dotenv-{version}@db/app")));
}

#[test]
fn secrets_show_nowhere_on_the_command_line() {
    let mut scene = Scene::new("canary");
    scene.skep = keyed(Skep::on(&scene.proxy.docker_host())).env("SKEP_LOG_LEVEL", "debug");
    let directory = scene.skep.directory().to_owned();
    let every = |scene: &Scene| {
        for line in [
            "validate --repo .",
            "validate --repo . -o json",
            "render --repo .",
            "render --repo . -o yaml",
            "plan --repo .",
            "plan --repo . -o json",
            "plan --repo . -o markdown",
            "plan --repo . -o html",
            "plan --repo . --diff",
            "plan --repo . --compact",
            "plan --repo . --show-values --out ../plan",
        ] {
            silent(&scene.run(line).expect(0));
        }
        let saved = std::fs::read_to_string(scene.skep.directory().join("../plan")).expect("a saved plan");
        assert!(!holds(&saved), "the saved plan holds a secret:\n{saved}");
    };
    let config = |scene: &Scene| {
        let rendered = scene.run("render --repo . --show-values").expect(0).json();
        rendered["stacks"][0]["configs"][0]["Data"].as_str().expect("data").to_owned()
    };
    lay(&directory, 1, &scene.stack, "cli-app:1");
    every(&scene);
    assert!(holds(&config(&scene)), "what is asked for is shown");
    assert_eq!(scene.run("render --repo .").expect(0).json()["stacks"][0]["configs"][0]["Data"], "***");
    silent(&scene.run("apply --repo . --yes").expect(0));
    runs(lab(), &scene.stack, 1);
    silent(&scene.run("plan --repo . --detailed-exitcode").expect(0));

    // Another secret in each place: the old ones are as secret as the new ones.
    lay(&directory, 2, &scene.stack, "cli-app:1");
    every(&scene);
    let text = scene.run("plan --repo .").expect(0).stdout;
    println!("{text}");
    for line in ["env TOKEN", "env URL", "env EXTRA", "content differs"] {
        assert!(text.contains(line), "{line} is not told of:\n{text}");
    }
    silent(&scene.run("apply --repo . --yes -o json").expect(0));
    runs(lab(), &scene.stack, 2);
    silent(&scene.run("plan --repo . --detailed-exitcode").expect(0));

    // What hands change beside a secret, and the secret itself.
    let web = scene.full("web");
    let by_hand = |change: &[&str]| {
        lab().docker(1, &[&["service", "update", "--detach", "--quiet"], change, &[web.as_str()]].concat());
    };
    by_hand(&["--env-add", "TOKEN=by-hand", "--env-add", "LEVEL=trace"]);
    for line in ["", "-o json", "-o markdown", "-o html", "--diff", "--compact"] {
        let report = scene.run(&format!("drift STACK {line}")).expect(0);
        assert!(report.stdout.contains("LEVEL"), "{line}: {}", report.stdout);
        silent(&report);
    }
    silent(&scene.run("plan --repo .").expect(0));
    by_hand(&["--env-add", &format!("TOKEN={CANARY}-env-2"), "--env-add", "LEVEL=debug"]);

    // git says nothing of any secret any more: only the record knows that what runs is one.
    let bare = "services:\n  web: { image: \"${APP}\", environment: { LEVEL: debug }, stop_grace_period: 1s }\n  \
                job: { image: \"${APP}\", deploy: { replicas: 0 } }\n";
    std::fs::write(directory.join("compose.yaml"), bare).expect("a file");
    std::fs::remove_file(directory.join(".env")).expect("it is there");
    every(&scene);
    let without_key = Skep::on(&scene.proxy.docker_host()).at(&directory);
    let plan = without_key.run(&["plan", "--repo", "."]).expect(0);
    silent(&plan);
    assert!(plan.stdout.contains("env TOKEN"), "{}", plan.stdout);

    let records = recorded(lab(), &scene.stack);
    assert!(records.len() >= 2, "a record and its renderings: {}", records.len());
    for text in &records {
        assert!(!holds(text), "the record holds a secret: {text}");
    }
    assert!(records.iter().any(|text| text.contains("TOKEN=***sealed:")), "{records:?}");
    silent(&scene.run("status").expect(0));
    silent(&scene.run("status -o json").expect(0));
    silent(&scene.run("delete STACK --yes").expect(0));
}

#[test]
fn without_the_key_an_encrypted_stack_is_refused_and_the_way_out_is_said() {
    let scene = Scene::new("canary");
    let directory = scene.skep.directory().to_owned();
    lay(&directory, 1, &scene.stack, "cli-app:1");
    for line in ["validate --repo .", "plan --repo .", "apply --repo . --yes"] {
        let refused = scene.run(line);
        assert_ne!(refused.code(), Some(0), "{line}");
        assert!(refused.stderr.contains("sops/no-key"), "{}", refused.stderr);
        assert!(refused.stderr.contains("SOPS_AGE_KEY_FILE"), "{}", refused.stderr);
        assert!(refused.stderr.contains("compose.yaml:") && refused.stderr.contains(".env:"), "{}", refused.stderr);
    }
    assert!(scene.proxy.writes().is_empty());
    let other = fixtures().join("other-key.txt").display().to_string();
    let wrong = Skep::on(&scene.proxy.docker_host()).at(&directory).env("SOPS_AGE_KEY_FILE", &other);
    assert!(wrong.run(&["validate", "--repo", "."]).stderr.contains("sops/key"));
    let missing = Skep::on(&scene.proxy.docker_host()).at(&directory).env("SOPS_AGE_KEY_FILE", "/nonexistent/key");
    let missing = missing.run(&["validate", "--repo", "."]).expect(1);
    assert!(missing.stderr.contains("/nonexistent/key"), "{}", missing.stderr);
    let text = std::fs::read_to_string(fixtures().join("key.txt")).expect("the key");
    let given = Skep::on(&scene.proxy.docker_host()).at(&directory).env("SOPS_AGE_KEY", &text);
    silent(&given.run(&["validate", "--repo", "."]).expect(0));
}

/// A controller is given another key while it runs, and applies what it could not read before.
#[test]
fn secrets_show_nowhere_in_a_controllers_log_and_its_key_may_change() {
    let lab = Lab::start(1);
    lab.image("app:1", &[r#"CMD ["idle"]"#]);
    let home = tempfile::tempdir().expect("a directory");
    let repository = home.path().join("stacks");
    std::fs::create_dir(&repository).expect("a directory");
    lay(&repository, 1, "shop", "app:1");
    let key = home.path().join("key.txt");
    std::fs::copy(fixtures().join("other-key.txt"), &key).expect("a copy");
    let configuration = serde_json::json!({
        "version": 1, "resync": "1s", "stateDir": home.path().join("state"),
        "sources": [{ "url": repository }], "decryption": { "ageKeyFiles": [key] },
    });
    let file = home.path().join("config.yaml");
    std::fs::write(&file, configuration.to_string()).expect("a file");
    let heartbeat = home.path().join("heartbeat").display().to_string();
    let skep = Skep::on(&lab.docker_host(1)).env("SKEP_HEARTBEAT", &heartbeat).env("SKEP_LOG_LEVEL", "debug");
    let controller = skep.spawn(&["run".as_ref(), "--config".as_ref(), file.as_os_str()]);
    let status = || -> Value {
        let document = Skep::on(&lab.docker_host(1)).run(&["status", "-o", "json"]).expect(0);
        silent(&document);
        document.json()["stacks"][0].clone()
    };
    let deadline = Duration::from_secs(60);
    wait_until(deadline, "the controller says whose key is missing", || {
        status()["reason"].as_str().is_some_and(|reason| reason.contains("none of the age keys"))
    });
    std::fs::copy(fixtures().join("key.txt"), &key).expect("a copy");
    wait_until(deadline, "the stack is applied with the other key", || {
        status()["sync"] == "Synced" && lab.service("shop_web").is_some()
    });
    runs(&lab, "shop", 1);
    lay(&repository, 2, "shop", "app:1");
    wait_until(deadline, "the stack has its new secrets", || {
        lab.service("shop_web").is_some_and(|service| service["Spec"].to_string().contains(&format!("{CANARY}-env-2")))
            && status()["sync"] == "Synced"
    });
    runs(&lab, "shop", 2);
    let log = controller.log();
    assert!(log.contains("DEBUG"), "the log is at its most talkative:\n{log}");
    assert!(!holds(&log), "the log holds a secret:\n{log}");
    silent(&controller.terminate(Duration::from_secs(20)));
    for text in recorded(&lab, "shop") {
        assert!(!holds(&text), "the record holds a secret: {text}");
    }
}
