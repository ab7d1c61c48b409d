use serde_json::json;

use super::*;
use crate::client::registries::scripted::{IMAGE, Reply, Scripted as Registry, Seen, digest};
use crate::client::scripted::{Reply as Said, Scripted as Engine};

/// Longer than any answer takes here, and shorter than patience.
const SOON: Duration = Duration::from_secs(3);

/// An engine that takes registries of this machine for insecure, and answers for no registry itself.
fn engine() -> Engine {
    Engine::start(|seen| match seen.path.ends_with("/info") {
        true => Said::Answer(
            200,
            json!({ "RegistryConfig": { "InsecureRegistryCIDRs": ["127.0.0.0/8"], "IndexConfigs": {} } }).to_string(),
        ),
        false => Said::Answer(500, json!({ "message": "Get \"https://r/v2/\": no such host" }).to_string()),
    })
}

fn resolver(engine: &Engine) -> Resolver {
    Resolver::new(engine.client(), Arc::new(Credentials::none()))
}

fn image() -> (String, String) {
    let config = json!({
        "os": "linux", "architecture": "amd64", "config": { "Healthcheck": { "Test": ["CMD", "true"] } },
    })
    .to_string();
    let manifest = json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": { "digest": digest(&config) } });
    (config, manifest.to_string())
}

fn serve(seen: &Seen) -> Reply {
    let (config, manifest) = image();
    match seen.path.contains("/blobs/") {
        true => Reply::Answer(200, Vec::new(), config),
        false => Reply::content(IMAGE, &manifest),
    }
}

fn questions(registry: &Registry, names: &[&str], question: &Question) -> BTreeMap<String, Question> {
    names.iter().map(|name| (format!("{}/{name}", registry.address()), question.clone())).collect()
}

fn new() -> Question {
    Question { tag: true, settled: true, ..Question::default() }
}

async fn told(resolver: &Resolver, asked: &BTreeMap<String, Question>) -> Images {
    let answers = resolver.ask(asked, &[], SOON).await;
    assert!(!answers.pending, "{answers:?}");
    answers.images
}

#[tokio::test]
async fn an_image_is_asked_about_once_a_pass_and_its_configuration_once() {
    let registry = Registry::start(serve).await;
    let engine = engine();
    let resolver = resolver(&engine);
    let asked = questions(&registry, &["app:1"], &new());
    let (_, manifest) = image();
    for _ in 0..3 {
        let images = told(&resolver, &asked).await;
        let found = images.0.values().next().expect("told");
        assert_eq!(found.digest, Some(digest(&manifest)));
        assert_eq!(found.platforms, [("linux".to_owned(), "amd64".to_owned())]);
    }
    let path = registry.lines()[0].clone();
    assert_eq!(path, "GET /v2/app/manifests/1");
    assert_eq!(registry.lines().len(), 2, "its manifest and its configuration: {:?}", registry.lines());

    // It runs now: a pass costs one question for the head, whoever else asks too.
    let runs = Question { digest: Some(digest(&manifest)), healthcheck: true, ..new() };
    let asked = questions(&registry, &["app:1"], &runs);
    for pass in 1..=3 {
        resolver.begin_pass();
        let (one, other) = (resolver.clone(), resolver.clone());
        tokio::join!(told(&one, &asked), told(&other, &asked));
        assert_eq!(registry.lines().len(), 2 + pass, "{:?}", registry.lines());
    }
    assert!(registry.lines()[2..].iter().all(|line| line == "HEAD /v2/app/manifests/1"));
    // What its image is like is known already.
    let written = Question { tag: false, settled: false, ..runs };
    let images = told(&resolver, &questions(&registry, &["app:1"], &written)).await;
    assert!(matches!(images.0.values().next().expect("told").healthcheck, Known::Some(_)));
    assert_eq!(registry.lines().len(), 5);
    assert_eq!(engine.seen().len(), 1, "the engine is asked for its registries, and nothing else");
}

#[tokio::test]
async fn a_registry_that_wants_to_be_left_alone_is() {
    let registry =
        Registry::start(|_| Reply::Answer(429, vec![("Retry-After", "3600".to_owned())], String::new())).await;
    let other = Registry::start(serve).await;
    let engine = engine();
    let resolver = resolver(&engine);
    for name in ["a:1", "b:1", "a:1"] {
        let images = told(&resolver, &questions(&registry, &[name], &new())).await;
        let problem = images.0.values().next().expect("told").problem.clone();
        assert_eq!(problem, Some(Problem::Unanswered("it was asked too often".to_owned())));
        resolver.begin_pass();
    }
    assert_eq!(registry.lines().len(), 1, "{:?}", registry.lines());
    assert!(told(&resolver, &questions(&other, &["a:1"], &new())).await.0.values().all(|it| it.digest.is_some()));
}

#[tokio::test]
async fn after_the_pause_it_is_asked_again() {
    let mut first = true;
    let registry = Registry::start(move |seen| match std::mem::take(&mut first) {
        true => Reply::Answer(429, vec![("Retry-After", "1".to_owned())], String::new()),
        false => serve(seen),
    })
    .await;
    let engine = engine();
    let resolver = resolver(&engine);
    let asked = questions(&registry, &["a:1"], &new());
    assert!(told(&resolver, &asked).await.0.values().all(|it| it.problem.is_some()));
    let begun = Instant::now();
    tokio::time::timeout(SOON, async {
        while told(&resolver, &asked).await.0.values().any(|it| it.digest.is_none()) {
            resolver.begin_pass();
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it answers again");
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_silent_registry_keeps_nobody_from_another_and_is_left_alone() {
    let silent = Registry::start(|_| Reply::Silence).await;
    let good = Registry::start(serve).await;
    let engine = engine();
    let resolver = resolver(&engine);
    let names: Vec<String> = (0..20).map(|n| format!("app:{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hanging = questions(&silent, &names, &new());
    let waited = resolver.ask(&hanging, &[], Duration::from_millis(50)).await;
    assert!(waited.pending && waited.images.0.values().all(|it| it.problem.is_some()));

    let begun = Instant::now();
    assert!(told(&resolver, &questions(&good, &["a:1"], &new())).await.0.values().all(|it| it.digest.is_some()));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());

    let answers = resolver.ask(&hanging, &[], PATIENCE + SOON).await;
    assert!(!answers.pending, "all of them are given up at once");
    assert!(answers.images.0.values().all(|it| it.problem == Some(late())));
    assert!(silent.lines().len() <= AT_ONCE, "{:?}", silent.lines());
    let before = silent.lines().len();
    resolver.begin_pass();
    told(&resolver, &hanging).await;
    assert_eq!(silent.lines().len(), before, "it is left alone for a while");
}

#[tokio::test]
async fn a_silent_registry_is_asked_nothing_of_what_it_said_before() {
    let registry = Registry::start(|seen| match seen.path.contains("/b/") {
        true => Reply::Answer(429, Vec::new(), String::new()),
        false => serve(seen),
    })
    .await;
    let engine = engine();
    let resolver = resolver(&engine);
    let (_, manifest) = image();
    let good = questions(&registry, &["a:1"], &new());
    told(&resolver, &good).await;
    told(&resolver, &questions(&registry, &["b/b:1"], &new())).await;
    resolver.begin_pass();
    let images = told(&resolver, &good).await;
    assert_eq!(images.0.values().next().expect("told").digest, Some(digest(&manifest)), "it said so a pass ago");
}

#[tokio::test]
async fn what_only_the_engine_can_reach_is_asked_through_it() {
    let address = {
        let gone = Registry::start(serve).await;
        gone.address().to_owned()
    };
    let found = format!("sha256:{}", "a".repeat(64));
    let answer =
        json!({ "Descriptor": { "digest": found }, "Platforms": [{ "os": "linux", "architecture": "arm64" }] });
    let engine = Engine::start(move |seen| match seen.path.ends_with("/info") {
        true => Said::Answer(
            200,
            json!({ "RegistryConfig": { "InsecureRegistryCIDRs": ["127.0.0.0/8"], "IndexConfigs": {} } }).to_string(),
        ),
        false => Said::Answer(200, answer.to_string()),
    });
    let resolver = resolver(&engine);
    let text = format!("{address}/app:1");
    for _ in 0..2 {
        let images = told(&resolver, &[(text.clone(), new())].into()).await;
        let image = images.get(&text).expect("told");
        assert_eq!(image.digest.as_ref(), Some(&found));
        assert_eq!(image.platforms, [("linux".to_owned(), "arm64".to_owned())]);
        resolver.begin_pass();
    }
    let asked = engine.seen().iter().filter(|seen| seen.path.contains("/distribution/")).count();
    assert_eq!(asked, 2, "once a pass");
}

#[tokio::test]
async fn what_somebody_has_just_pushed_is_asked_anew() {
    let registry = Registry::start(serve).await;
    let engine = engine();
    let resolver = resolver(&engine);
    let asked = questions(&registry, &["app:1"], &new());
    told(&resolver, &asked).await;
    let before = registry.lines().len();
    resolver.forget(asked.keys());
    told(&resolver, &asked).await;
    assert_eq!(registry.lines().len(), before + 1);
}
