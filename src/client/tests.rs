//! The client against an engine that says what the test wants.

use serde_json::{Value, json};

use super::scripted::{Reply, Scripted, Seen};
use super::*;
use crate::model::StackName;
use crate::swarm::{Config, ConfigSpec, Network, Service, ServiceSpec, Task, Version};

fn ok(body: Value) -> Reply {
    Reply::Answer(200, body.to_string())
}

fn refused(status: u16, message: &str) -> Reply {
    Reply::Answer(status, json!({ "message": message }).to_string())
}

fn query(seen: &Seen) -> Vec<(String, String)> {
    let url = url::Url::parse(&format!("http://x{}", seen.path)).expect("a URL");
    url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

#[tokio::test]
async fn every_path_has_the_negotiated_version_and_a_stacks_list_its_label() {
    let engine = Scripted::start(|_| ok(json!([])));
    let shop = StackName::parse("shop").expect("valid");
    Api::<Service>::stack(engine.client(), &shop).list_status().await.expect("listed");
    let seen = engine.seen();
    let [list] = seen.as_slice() else { panic!("one request: {seen:?}") };
    assert!(list.path.starts_with("/v1.41/services?"), "{}", list.path);
    let query = query(list);
    assert!(query.contains(&("status".into(), "true".into())));
    assert!(query.contains(&("filters".into(), json!({ "label": ["com.docker.stack.namespace=shop"] }).to_string())));
}

#[tokio::test]
async fn bollards_requests_have_the_version_too_and_are_counted() {
    let engine =
        Scripted::start(|_| ok(json!({ "Version": "20.10.24", "ApiVersion": "1.41", "Os": "linux", "Arch": "amd64" })));
    let client = engine.client();
    let version = client.version().await.expect("a version");
    assert_eq!((version.engine.as_str(), version.api.to_string().as_str()), ("20.10.24", "1.41"));
    assert_eq!(engine.seen().first().map(|seen| seen.path.clone()).as_deref(), Some("/v1.41/version"));
    assert_eq!((client.counts().reads(), client.counts().writes()), (2, 0));
}

#[tokio::test]
async fn a_read_is_tried_again_and_a_write_is_not() {
    let engine = Scripted::start(|_| Reply::Silence);
    let client = engine.impatient();
    let error = Api::<Config>::all(client.clone()).list().await.expect_err("silent");
    assert!(matches!(error, Error::Timeout(_)), "{error:?}");
    let reads = engine.seen().len();
    assert!(reads > 1, "{reads} tries");
    let spec = ConfigSpec { name: "c".into(), ..ConfigSpec::default() };
    let error = Api::<Config>::all(client.clone()).create(&spec, None).await.expect_err("silent");
    assert!(matches!(error, Error::Timeout(_)) && error.may_have_happened(), "{error:?}");
    assert_eq!(engine.seen().len(), reads + 1);
    assert_eq!(client.counts().writes(), 1);
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_and_a_broken_connection_are_tried_again() {
    let mut replies = vec![ok(json!([])), Reply::Close, Reply::Stall];
    let engine = Scripted::start(move |_| replies.pop().unwrap_or(Reply::Silence));
    Api::<Config>::all(engine.impatient()).list().await.expect("the third try is answered");
    assert_eq!(engine.seen().len(), 3);
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_first_answer_is_told_at_once() {
    // What refused certificates look like, and an ssh that could not log in.
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("s");
    let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
    let server = tokio::spawn(async move {
        let mut count = 0;
        while let Ok((stream, _)) = listener.accept().await {
            count += 1;
            drop(stream);
            assert_eq!(count, 1, "one try");
        }
    });
    let endpoint = Endpoint::parse(&format!("unix://{}", path.display()), None).expect("valid");
    let error = Client::new(endpoint).info().await.expect_err("nobody speaks");
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(!server.is_finished());
}

#[tokio::test]
async fn a_swarm_without_a_leader_is_asked_again() {
    let mut replies =
        vec![ok(json!([])), refused(500, "rpc error: code = Unknown desc = The swarm does not have a leader.")];
    let engine = Scripted::start(move |_| replies.pop().unwrap_or(Reply::Silence));
    Api::<Config>::all(engine.client()).list().await.expect("the second try is answered");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_told_at_once_and_by_address() {
    let endpoint = Endpoint::parse("unix:///nonexistent/docker.sock", None).expect("valid");
    let error = Client::new(endpoint).info().await.expect_err("no engine");
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(!error.may_have_happened());
    assert!(error.to_string().contains("unix:///nonexistent/docker.sock"), "{error}");
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert!(source.is_some_and(|source| source.contains("No such file")));
}

#[tokio::test]
async fn a_creation_sends_spec_and_credentials_and_gives_id_and_warnings() {
    let engine =
        Scripted::start(|_| Reply::Answer(201, json!({ "ID": "s1", "Warning": "image not found" }).to_string()));
    let directory = tempfile::tempdir().expect("directory");
    let file = directory.path().join("config.json");
    std::fs::write(&file, r#"{"auths":{"r.example.org":{"username":"u","password":"p"}}}"#).expect("written");
    let auth = Credentials::from_file(file).header("r.example.org/a").await.expect("readable");
    let services = Api::<Service>::all(engine.client());
    let spec = ServiceSpec { name: "shop_web".into(), ..ServiceSpec::default() };
    let written = services.create(&spec, auth.as_ref()).await.expect("created");
    assert_eq!(written, Written { id: "s1".into(), warnings: vec!["image not found".into()] });
    services.replace("s1", Version { index: 4_000_000_000 }, &spec, None).await.expect("replaced");
    let seen = engine.seen();
    let [create, update] = seen.as_slice() else { panic!("two requests: {seen:?}") };
    assert_eq!(create.path, "/v1.41/services/create");
    assert_eq!(serde_json::from_slice::<Value>(&create.body).expect("JSON").get("Name"), Some(&json!("shop_web")));
    assert!(create.head.to_ascii_lowercase().contains("x-registry-auth: eyj"));
    assert_eq!(update.path, "/v1.41/services/s1/update?version=4000000000");
    assert!(!update.head.to_ascii_lowercase().contains("x-registry-auth"), "no entry sends no header");
}

#[tokio::test]
async fn absence_is_an_answer_and_a_refusal_names_what_was_attempted() {
    let engine = Scripted::start(|seen| match seen.method.as_str() {
        "GET" => refused(404, "network n1 not found"),
        _ => refused(400, "rpc error: code = FailedPrecondition desc = network n1 is in use by task t1"),
    });
    let networks = Api::<Network>::all(engine.client());
    assert!(networks.find("n1").await.expect("an answer").is_none());
    let error = networks.delete("n1").await.expect_err("in use");
    assert!(matches!(error, Error::InUse(_)));
    assert_eq!(error.to_string(), "delete network n1: network n1 is in use by task t1");
}

#[tokio::test]
async fn a_name_is_looked_for_in_a_complete_list_and_matched_whole() {
    let engine = Scripted::start(|_| {
        ok(json!([{ "ID": "1", "Spec": { "Name": "shop_webhook" } }, { "ID": "2", "Spec": { "Name": "shop_web" } }]))
    });
    let services = Api::<Service>::all(engine.client());
    assert_eq!(services.find_named("shop_web").await.expect("listed").map(|service| service.id).as_deref(), Some("2"));
    assert!(services.find_named("shop_we").await.expect("listed").is_none());
    let broken = Scripted::start(|_| ok(json!([{ "ID": "1", "Version": "x", "Spec": { "Name": "shop_web" } }])));
    let error = Api::<Service>::all(broken.client()).find_named("shop_web").await.expect_err("there, unreadable");
    assert!(matches!(error, Error::Decode(_)));
}

#[tokio::test]
async fn tasks_are_narrowed_by_the_engines_own_test() {
    let engine = Scripted::start(|_| ok(json!([])));
    let filters = Filters::new().service("s1").up_to_date().desired_state("running");
    Api::<Task>::all(engine.client()).list_with(&filters).await.expect("listed");
    let seen = engine.seen();
    let filters = seen.first().map(query).and_then(|query| query.into_iter().next()).map(|(_, json)| json);
    let filters: Value = serde_json::from_str(&filters.expect("filters")).expect("JSON");
    assert_eq!(filters, json!({ "service": ["s1"], "_up-to-date": ["true"], "desired-state": ["running"] }));
}

#[tokio::test]
async fn modify_starts_over_on_a_conflict_and_writes_nothing_that_is_there_already() {
    let mut version = 1;
    let engine = Scripted::start(move |seen| {
        let config = |index: u64, state: &str| json!({ "ID": "c1", "Version": { "Index": index }, "Spec": { "Name": "c", "Data": "eA==", "Labels": { "state": state } } });
        if seen.method == "GET" {
            return ok(config(version, if version == 3 { "new" } else { "old" }));
        }
        version += 1;
        if version == 2 {
            refused(500, "rpc error: code = Unknown desc = update out of sequence")
        } else {
            ok(json!({}))
        }
    });
    let configs = Api::<Config>::all(engine.client());
    let set = |spec: &mut ConfigSpec| {
        spec.labels.insert("state".into(), "new".into());
    };
    let stored = configs.modify("c1", set).await.expect("modified");
    assert_eq!((stored.labels.get("state").map(String::as_str), stored.data.as_str()), (Some("new"), "eA=="));
    let requests: Vec<_> = engine.seen().into_iter().filter(|seen| seen.method == "POST").collect();
    assert_eq!(
        requests.iter().map(|seen| seen.path.rsplit('=').next().unwrap_or_default()).collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert!(requests.iter().all(|seen| !String::from_utf8_lossy(&seen.body).contains("eA==")), "data is never sent");
    configs.modify("c1", set).await.expect("nothing to do");
    assert_eq!(engine.seen().iter().filter(|seen| seen.method == "POST").count(), 2);
}

#[tokio::test]
async fn events_become_hints_and_a_new_connection_is_told() {
    let mut first = true;
    let engine = Scripted::start(move |seen| {
        assert!(seen.path.starts_with("/v1.41/events?filters="), "{}", seen.path);
        if !std::mem::take(&mut first) {
            return Reply::Silence;
        }
        let event = json!({ "Type": "service", "Action": "create", "Actor": { "ID": "s1", "Attributes": { "name": "shop_web" } } });
        Reply::Lines(vec![event.to_string()])
    });
    let events = engine.client().events();
    let mut subscription = events.subscribe();
    let patience = std::time::Duration::from_secs(10);
    let hint = tokio::time::timeout(patience, subscription.hints.recv()).await.expect("in time").expect("a hint");
    assert_eq!((hint.id.as_str(), hint.action), ("s1", Action::Create));
    assert_eq!(*subscription.connections.borrow_and_update(), 1);
    tokio::time::timeout(patience, async {
        while engine.seen().len() < 2 {
            tokio::task::yield_now().await
        }
    })
    .await
    .expect("connected again");
}

#[tokio::test]
async fn an_engine_that_is_too_old_is_told_so() {
    let engine =
        Scripted::start(|_| refused(400, "client version 1.41 is too new. Maximum supported API version is 1.40"));
    let error = Api::<Task>::all(engine.client()).list().await.expect_err("too old");
    assert!(matches!(error, Error::Incompatible(_)), "{error:?}");
}

#[tokio::test]
async fn a_registry_is_asked_once_with_the_credentials_and_the_whole_name() {
    let engine = Scripted::start(|seen| {
        if seen.path.contains("denied") {
            return refused(401, "unauthorized: authentication required");
        }
        ok(
            json!({ "Descriptor": { "digest": "sha256:ab" }, "Platforms": [{ "os": "linux", "architecture": "amd64" }] }),
        )
    });
    let client = engine.client();
    let image = |text| crate::swarm::image::ImageReference::parse(text).expect("valid");
    let found = client.distribution(&image("r.example.org:5000/a/b"), None).await.expect("found");
    assert_eq!((found.digest.as_str(), found.platforms.len()), ("sha256:ab", 1));
    let error = client.distribution(&image("r.example.org/denied:1"), None).await.expect_err("denied");
    assert!(matches!(error, Error::Unauthorized(_)), "{error:?}");
    let paths: Vec<String> = engine.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(
        paths,
        [
            "/v1.41/distribution/r.example.org%3A5000/a/b%3Alatest/json",
            "/v1.41/distribution/r.example.org/denied%3A1/json"
        ]
    );
}

#[tokio::test]
async fn bollards_credentials_are_put_into_the_engines_alphabet() {
    let engine = Scripted::start(|_| ok(json!({ "Descriptor": { "digest": "sha256:ab" }, "Platforms": [] })));
    let client = engine.client();
    let docker = super::engine::docker(client.transport(), Attempt::Engine("test"), || {}).expect("bollard");
    let credentials = bollard::auth::DockerCredentials { password: Some("pp?>?>~~~".into()), ..Default::default() };
    docker.inspect_registry_image("a", Some(credentials)).await.expect("answered");
    let seen = engine.seen();
    let head = seen.first().map(|seen| seen.head.clone()).expect("a request");
    let header = head.lines().find_map(|line| line.strip_prefix("x-registry-auth: ")).expect("credentials");
    assert!(header.contains('-') || header.contains('_'), "{header}");
    assert!(!header.contains(['+', '/']), "{header}");
}
