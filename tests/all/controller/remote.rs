//! Repositories behind a server, with credentials from files.

use std::path::Path;

use serde_json::{Value, json};

use super::repository::{declaration, stack};
use super::scene::Scene;
use crate::git_server::{HttpServer, Manner, Served, SshServer};

#[test]
fn a_push_to_a_repository_behind_a_token_is_followed() {
    let scene = Scene::new();
    let served = served();
    let server = HttpServer::start(served.path(), Manner { token: Some("t0ken".to_owned()), ..Manner::default() });
    let token = served.path().join("token");
    std::fs::write(&token, "t0ken\n").expect("a file");
    let credential = json!({ "url": server.url(""), "username": "skep", "passwordFile": token });
    follows_a_push(&scene, &served, &server.url("fleet.git"), &credential);
}

#[test]
fn a_push_to_a_repository_behind_ssh_is_followed() {
    let scene = Scene::new();
    let served = served();
    let server = SshServer::start();
    let credential = json!({
        "url": server.url(Path::new("/")),
        "sshKeyFile": server.file("client"),
        "knownHostsFile": server.known_hosts("known_hosts", "host_ed25519"),
    });
    follows_a_push(&scene, &served, &server.url(&served.bare()), &credential);
}

fn served() -> Served {
    let served = Served::new();
    served.commit("shop.yaml", &stack(&[("web", "one")]));
    served.commit("skep.yaml", &declaration(&["shop"], ""));
    served
}

fn follows_a_push(scene: &Scene, served: &Served, url: &str, credential: &Value) {
    let mut configuration = scene.configuration();
    configuration["sources"] = json!([{ "url": url, "ref": "main", "interval": "1s" }]);
    configuration["credentials"] = json!([credential]);
    let skep = scene.run_with(&configuration);
    scene.synced("shop", &served.git(&["rev-parse", "HEAD"]));
    let pushed = served.commit("shop.yaml", &stack(&[("web", "two")]));
    scene.synced("shop", &pushed);
    assert_eq!(scene.env("shop_web"), ["TEXT=two"]);
    assert!(!skep.log().contains("t0ken"), "a credential in the log");
}
