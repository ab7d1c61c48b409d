use std::time::Duration;

use serde_json::json;

use super::scripted::{IMAGE, INDEX, Reply, Scripted, digest};
use super::*;
use crate::swarm::{Healthcheck, Known};

fn image(registry: &Scripted, name: &str) -> ImageReference {
    ImageReference::parse(&format!("{}/{name}", registry.address())).expect("valid")
}

fn password(name: &str) -> Login {
    Login::Password { name: name.to_owned(), password: Secret::new("engine".to_owned()) }
}

const NODES: &[(&str, &str)] = &[("linux", "x86_64")];

fn nodes() -> Vec<(String, String)> {
    NODES.iter().map(|(os, architecture)| ((*os).to_owned(), (*architecture).to_owned())).collect()
}

/// The configuration of an image, and its manifest.
fn made(architecture: &str, test: &[&str]) -> (String, String) {
    let config = json!({
        "os": "linux", "architecture": architecture,
        "config": { "Healthcheck": { "Test": test, "Interval": 5_000_000_000_i64 } },
    })
    .to_string();
    let manifest = json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": { "digest": digest(&config) } });
    (config, manifest.to_string())
}

#[tokio::test]
async fn a_tag_costs_one_question_for_the_head() {
    let (_, manifest) = made("amd64", &["CMD", "true"]);
    let answer = manifest.clone();
    let registry = Scripted::start(move |_| Reply::content(IMAGE, &answer)).await;
    let client = registry.client();
    for _ in 0..2 {
        let found = client.digest(&image(&registry, "team/app"), None).await;
        assert_eq!(found, Ok(digest(&manifest)));
    }
    assert_eq!(registry.lines(), ["HEAD /v2/team/app/manifests/latest"; 2]);
    let accepted = registry.seen()[0].header("accept").expect("said").to_owned();
    for kind in [IMAGE, INDEX, "manifest.list.v2", "distribution.manifest.v2"] {
        assert!(accepted.contains(kind), "{accepted}");
    }
}

#[tokio::test]
async fn a_registry_that_names_no_digest_is_asked_for_the_whole() {
    let (_, manifest) = made("amd64", &["CMD", "true"]);
    let answer = manifest.clone();
    let registry = Scripted::start(move |seen| match seen.method.as_str() {
        "HEAD" => Reply::status(405),
        _ => Reply::Answer(200, vec![("Content-Type", IMAGE.to_owned())], answer.clone()),
    })
    .await;
    let found = registry.client().digest(&image(&registry, "app:1"), None).await;
    assert_eq!(found, Ok(digest(&manifest)));
}

#[tokio::test]
async fn platforms_and_healthcheck_come_from_the_image_for_the_nodes() {
    let (config, one) = made("amd64", &["CMD", "check"]);
    let (_, other) = made("arm64", &["CMD", "other"]);
    let entry = |manifest: &str, architecture: &str| json!({ "mediaType": IMAGE, "digest": digest(manifest), "platform": { "os": "linux", "architecture": architecture } });
    let index = json!({ "schemaVersion": 2, "manifests": [entry(&other, "arm64"), entry(&one, "amd64")] }).to_string();
    let (said, one_said) = (index.clone(), one.clone());
    let registry = Scripted::start(move |seen| match seen.path.as_str() {
        "/v2/app/manifests/1" => Reply::content(INDEX, &said),
        path if path == format!("/v2/app/manifests/{}", digest(&one_said)) => Reply::content(IMAGE, &one_said),
        path if path == format!("/v2/app/blobs/{}", digest(&config)) => {
            Reply::Answer(307, vec![("Location", "/elsewhere?signed=1".to_owned())], String::new())
        }
        "/elsewhere?signed=1" => Reply::Answer(200, Vec::new(), config.clone()),
        _ => Reply::status(404),
    })
    .await;
    let (client, image) = (registry.client(), image(&registry, "app:1"));
    let manifest = client.manifest(&image, None).await.expect("there");
    assert_eq!(manifest.digest, digest(&index));
    let facts = client.facts(&image, &manifest, &nodes(), true, None).await.expect("told");
    let platform = |architecture: &str| ("linux".to_owned(), architecture.to_owned());
    assert_eq!(facts.platforms, [platform("arm64"), platform("amd64")]);
    let own =
        Healthcheck { test: vec!["CMD".into(), "check".into()], interval: 5_000_000_000, ..Healthcheck::default() };
    assert_eq!(facts.healthcheck, Known::Some(own));
    let before = registry.seen().len();
    let facts = client.facts(&image, &manifest, &nodes(), false, None).await.expect("told");
    assert_eq!((facts.platforms.len(), facts.healthcheck), (2, Known::Unknown));
    assert_eq!(registry.seen().len(), before, "an index tells the platforms itself");
}

#[tokio::test]
async fn an_image_without_a_healthcheck_says_so_and_none_counts_as_none() {
    for test in [&[][..], &["NONE"]] {
        let (config, manifest) = made("amd64", test);
        let (config_said, said) = (config.clone(), manifest.clone());
        let registry = Scripted::start(move |seen| match seen.path.contains("/blobs/") {
            true => Reply::Answer(200, Vec::new(), config_said.clone()),
            false => Reply::content(IMAGE, &said),
        })
        .await;
        let (client, image) = (registry.client(), image(&registry, "app:1"));
        let manifest = client.manifest(&image, None).await.expect("there");
        let facts = client.facts(&image, &manifest, &nodes(), true, None).await.expect("told");
        assert_eq!(facts.healthcheck, Known::None, "{test:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_what_its_digest_says_is_not_believed() {
    let (_, manifest) = made("amd64", &["CMD", "true"]);
    let registry = Scripted::start(move |_| {
        let headers = vec![("Docker-Content-Digest", format!("sha256:{}", "0".repeat(64)))];
        Reply::Answer(200, headers, manifest.clone())
    })
    .await;
    let refusal = registry.client().manifest(&image(&registry, "app:1"), None).await.expect_err("forged");
    assert!(matches!(&refusal, Refusal::Unanswered(why) if why.contains("digest")), "{refusal:?}");
}

#[tokio::test]
async fn a_registry_with_a_password_gets_it_and_is_asked_with_it_at_once_the_next_time() {
    let registry = Scripted::start(|seen| match seen.header("authorization") {
        Some("Basic YWRhOmVuZ2luZQ==") => Reply::content(IMAGE, "{}"),
        Some(_) => Reply::status(403),
        None => Reply::Answer(401, vec![("WWW-Authenticate", "Basic realm=\"lab\"".to_owned())], String::new()),
    })
    .await;
    let (client, image) = (registry.client(), image(&registry, "app:1"));
    assert_eq!(client.digest(&image, None).await, Err(Refusal::Denied));
    assert!(client.digest(&image, Some(&password("ada"))).await.is_ok());
    let before = registry.seen().len();
    assert!(client.digest(&image, Some(&password("ada"))).await.is_ok());
    assert_eq!(registry.seen().len(), before + 1);
    assert_eq!(client.digest(&image, Some(&password("eve"))).await, Err(Refusal::Denied));
}

#[tokio::test]
async fn a_token_is_had_once_and_shown_until_it_ends() {
    let tokens = Scripted::start(|seen| {
        let is_form = seen.method == "POST" && seen.body.contains("refresh_token=kept");
        let text = if is_form { "by-token" } else { "by-password" };
        Reply::Answer(200, Vec::new(), json!({ "token": text, "expires_in": 300 }).to_string())
    })
    .await;
    let realm = format!("http://{}/token", tokens.address());
    let registry = Scripted::start(move |seen| match seen.header("authorization") {
        Some("Bearer by-token" | "Bearer by-password") => Reply::content(IMAGE, "{}"),
        _ => {
            let wanted = format!("Bearer realm=\"{realm}\",service=\"lab\",scope=\"repository:team/app:pull\"");
            Reply::Answer(401, vec![("WWW-Authenticate", wanted)], String::new())
        }
    })
    .await;
    let (client, image) = (registry.client(), image(&registry, "team/app:1"));
    for _ in 0..3 {
        assert!(client.digest(&image, Some(&password("ada"))).await.is_ok());
    }
    assert_eq!(tokens.lines(), ["GET /token?scope=repository%3Ateam%2Fapp%3Apull&service=lab"]);
    assert_eq!(tokens.seen()[0].header("authorization"), Some("Basic YWRhOmVuZ2luZQ=="));
    assert_eq!(registry.lines().len(), 4, "one question without a token, and one for each time");

    let again = registry.client();
    assert!(again.digest(&image, Some(&Login::Token(Secret::new("kept".to_owned())))).await.is_ok());
    assert_eq!(tokens.lines()[1], "POST /token");
    assert_eq!(tokens.seen()[1].header("authorization"), None);
}

#[tokio::test]
async fn what_a_registry_refuses_is_told_apart() {
    for (status, headers, refusal) in [
        (404, vec![], Refusal::Missing),
        (403, vec![], Refusal::Denied),
        (429, vec![("Retry-After", "7".to_owned())], Refusal::Busy(Some(Duration::from_secs(7)))),
        (429, vec![], Refusal::Busy(None)),
        (503, vec![("Retry-After", "2".to_owned())], Refusal::Busy(Some(Duration::from_secs(2)))),
        (503, vec![], Refusal::Unanswered("it answers 503".to_owned())),
        (302, vec![("Location", "ftp://a/".to_owned())], Refusal::Unanswered("x".to_owned())),
    ] {
        let said = headers.clone();
        let registry = Scripted::start(move |_| Reply::Answer(status, said.clone(), String::new())).await;
        let found = registry.client().digest(&image(&registry, "app:1"), None).await.expect_err("refused");
        match (&found, &refusal) {
            (Refusal::Unanswered(_), Refusal::Unanswered(_)) => {}
            _ => assert_eq!(found, refusal, "{status} {headers:?}"),
        }
    }
    let gone = {
        let registry = Scripted::start(|_| Reply::Silence).await;
        image(&registry, "app:1")
    };
    let client = Registries::new(Insecure::new([], ["127.0.0.0/8"]));
    tokio::time::timeout(Duration::from_secs(5), async {
        while !matches!(client.digest(&gone, None).await, Err(Refusal::Unreachable(_))) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("nobody listens");
}

#[test]
fn a_pause_is_a_number_of_seconds_or_a_date() {
    assert_eq!(retry_after("120"), Some(Duration::from_secs(120)));
    assert_eq!(retry_after("99999999999"), Some(MAX_PAUSE));
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
    let far = retry_after("Fri, 31 Dec 2997 23:59:59 GMT");
    assert_eq!(far, Some(MAX_PAUSE));
    assert_eq!(retry_after("soon"), None);
}
