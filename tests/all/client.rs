//! The client and the runtime against a real swarm: the engine's answers mean what the client takes them for.

use std::time::Duration;

use base64::Engine as _;
use skep::client::{Api, Client, Credentials, Delete, Endpoint, Error, Filters, Listable};
use skep::model::{StackName, label};
use skep::runtime::lease::{SwarmLease, Timing};
use skep::runtime::{ApiSource, Leadership, Lease, LeaseHandle, Store, reflect, watcher};
use skep::swarm::image::ImageReference;
use skep::swarm::{
    Config, ConfigSpec, ContainerSpec, Labels, Network, NetworkSpec, Node, Replicated, SecretObject, SecretSpec,
    Service, ServiceMode, ServiceSpec, Task, Version,
};
use tokio_util::sync::CancellationToken;

use crate::lab::{Lab, unique};
use crate::registry::{Access, Registry};

const SOON: Duration = Duration::from_secs(30);

fn client() -> Client {
    Client::new(Endpoint::parse(&Lab::shared().docker_host(1), None).expect("the lab's socket"))
}

fn labels(stack: &str) -> Labels {
    [(label::NAMESPACE.to_owned(), stack.to_owned())].into()
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A service of no replicas: it costs the engine nothing.
fn service(stack: &str, name: &str) -> ServiceSpec {
    let mut spec = ServiceSpec { name: format!("{stack}_{name}"), labels: labels(stack), ..ServiceSpec::default() };
    spec.task_template.container_spec =
        Some(ContainerSpec { image: "nothing:latest".into(), ..ContainerSpec::default() });
    let replicated = Replicated { replicas: Some(0), ..Replicated::default() };
    spec.mode = Some(ServiceMode { replicated: Some(replicated), ..ServiceMode::default() });
    spec
}

fn config(stack: &str, name: &str, text: &str) -> ConfigSpec {
    ConfigSpec { name: format!("{stack}_{name}"), labels: labels(stack), data: base64(text), ..ConfigSpec::default() }
}

async fn delete_all<K: Listable + Delete>(api: &Api<K>) {
    for object in api.list().await.expect("listed").items {
        api.delete(object.meta().id).await.expect("deleted");
    }
}

#[tokio::test]
async fn the_engine_says_what_it_is_and_where_it_stands() {
    let client = client();
    let info = client.info().await.expect("an engine");
    info.require_manager().expect("a manager");
    assert!(info.swarm.is_some_and(|id| id.len() == 25) && info.nodes == 1 && info.managers == 1);
    let version = client.version().await.expect("a version");
    assert_eq!(version.engine, info.engine);
    let nodes = Api::<Node>::all(client).list().await.expect("listed");
    assert!(nodes.unreadable.is_empty());
    assert!(nodes.items.iter().any(|node| node.id == info.node && node.manager_status.is_some()));
}

#[tokio::test]
async fn a_service_is_made_found_replaced_and_deleted_under_its_version() {
    let (client, stack) = (client(), unique("client-service"));
    let name = StackName::parse(&stack).expect("valid");
    let services = Api::<Service>::stack(client.clone(), &name);
    let mut spec = service(&stack, "web");
    let id = services.create(&spec, None).await.expect("created").id;
    let error = services.create(&spec, None).await.expect_err("the name is taken");
    assert!(matches!(error, Error::AlreadyExists(_)), "{error:?}");
    assert!(error.to_string().starts_with(&format!("create service {stack}_web: name conflicts")), "{error}");

    let made = services.get(&id).await.expect("there");
    assert_eq!(services.list().await.expect("listed").items.len(), 1);
    let found = services.find_named(&spec.name).await.expect("listed").expect("there");
    assert_eq!(found.id, id);
    assert!(services.list_status().await.expect("listed").items.iter().all(|service| service.service_status.is_some()));

    spec.labels.insert("x".into(), "y".into());
    services.replace(&id, made.version, &spec, None).await.expect("replaced");
    let error = services.replace(&id, made.version, &spec, None).await.expect_err("the version is stale");
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    let now = services.get(&id).await.expect("there");
    assert!(now.version > made.version && now.previous_spec.is_some());

    spec.mode = None;
    let error = services.replace(&id, now.version, &ServiceSpec { name: "other".into(), ..spec.clone() }, None).await;
    assert!(matches!(error, Err(Error::Immutable(_))), "{error:?}");
    let mut global = spec.clone();
    global.mode = Some(ServiceMode { global: Some(Default::default()), ..ServiceMode::default() });
    let error = services.replace(&id, now.version, &global, None).await;
    assert!(matches!(error, Err(Error::Immutable(_))), "{error:?}");

    services.delete(&id).await.expect("deleted");
    assert!(services.find(&id).await.expect("an answer").is_none());
    assert!(matches!(services.delete(&id).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn what_the_engine_refuses_is_invalid() {
    let (client, stack) = (client(), unique("client-invalid"));
    let services = Api::<Service>::all(client);
    let mut no_network = service(&stack, "a");
    no_network.task_template.networks =
        vec![skep::swarm::NetworkAttachment { target: "nope".into(), ..Default::default() }];
    let mut bad_constraint = service(&stack, "b");
    let placement = skep::swarm::Placement { constraints: vec!["node.role".into()], ..Default::default() };
    bad_constraint.task_template.placement = Some(placement);
    for spec in [no_network, bad_constraint, ServiceSpec { name: "a.b".into(), ..service(&stack, "c") }] {
        let error = services.create(&spec, None).await.expect_err("refused");
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        assert!(!error.may_have_happened());
    }
}

#[tokio::test]
async fn configs_secrets_and_networks_are_immutable_and_in_use_while_used() {
    let (client, stack) = (client(), unique("client-use"));
    let name = StackName::parse(&stack).expect("valid");
    let configs = Api::<Config>::stack(client.clone(), &name);
    let secrets = Api::<SecretObject>::stack(client.clone(), &name);
    let networks = Api::<Network>::stack(client.clone(), &name);
    let services = Api::<Service>::stack(client.clone(), &name);

    let first = config(&stack, "c", "one");
    let config_id = configs.create(&first, None).await.expect("created").id;
    let read = configs.get(&config_id).await.expect("there");
    assert_eq!(read.spec, first);
    let changed = config(&stack, "c", "two");
    let error = configs.replace(&config_id, read.version, &changed, None).await.expect_err("immutable");
    assert!(matches!(error, Error::Immutable(_)), "{error:?}");

    let data = base64("hidden");
    let secret = SecretSpec { name: format!("{stack}_s"), labels: labels(&stack), data, ..SecretSpec::default() };
    let secret_id = secrets.create(&secret, None).await.expect("created").id;
    assert_eq!(secrets.get(&secret_id).await.expect("there").spec.data, "");

    let network = NetworkSpec {
        name: format!("{stack}_n"),
        driver: "overlay".into(),
        labels: labels(&stack),
        ..NetworkSpec::default()
    };
    let network_id = networks.create(&network, None).await.expect("created").id;
    assert!(matches!(networks.create(&network, None).await, Err(Error::AlreadyExists(_))));
    assert_eq!(networks.list().await.expect("listed").items.len(), 1);

    let mut user = service(&stack, "web");
    user.task_template.networks =
        vec![skep::swarm::NetworkAttachment { target: network.name.clone(), ..Default::default() }];
    if let Some(container) = &mut user.task_template.container_spec {
        container.configs = vec![skep::swarm::ConfigReference {
            config_id: config_id.clone(),
            config_name: first.name.clone(),
            file: Some(skep::swarm::FileTarget {
                name: "/c".into(),
                uid: "0".into(),
                gid: "0".into(),
                mode: 0o444,
                ..Default::default()
            }),
            ..Default::default()
        }];
    }
    services.create(&user, None).await.expect("created");
    assert!(matches!(configs.delete(&config_id).await, Err(Error::InUse(_))));
    assert!(matches!(networks.delete(&network_id).await, Err(Error::InUse(_))));
    delete_all(&services).await;
    delete_all(&configs).await;
    delete_all(&secrets).await;
    delete_all(&networks).await;
}

#[tokio::test]
async fn of_many_writers_with_one_version_one_wins_and_modify_lets_all_win_in_turn() {
    let (client, stack) = (client(), unique("client-cas"));
    let configs = Api::<Config>::all(client);
    let mut spec = config(&stack, "c", "x");
    let id = configs.create(&spec, None).await.expect("created").id;
    let version = configs.get(&id).await.expect("there").version;
    spec.data.clear();
    let writers = (0..16).map(|index| {
        let (configs, id, mut spec) = (configs.clone(), id.clone(), spec.clone());
        spec.labels.insert("writer".into(), index.to_string());
        async move { configs.replace(&id, version, &spec, None).await }
    });
    let results = futures_util::future::join_all(writers).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| matches!(result, Err(Error::Conflict(_)))).count(), 15);

    let writers = (0..3).map(|index: usize| {
        let (configs, id) = (configs.clone(), id.clone());
        async move { configs.modify(&id, |spec| drop(spec.labels.insert(format!("n{index}"), "1".into()))).await }
    });
    for result in futures_util::future::join_all(writers).await {
        result.expect("modified");
    }
    let labels = configs.get(&id).await.expect("there").spec.labels;
    assert!((0..3).all(|index| labels.contains_key(&format!("n{index}"))), "{labels:?}");
    configs.delete(&id).await.expect("deleted");
}

#[tokio::test]
async fn tasks_are_listed_by_service_and_by_being_up_to_date() {
    let (client, stack) = (client(), unique("client-tasks"));
    let (services, tasks) = (Api::<Service>::all(client.clone()), Api::<Task>::all(client));
    let mut spec = service(&stack, "web");
    spec.mode = None;
    // No node fits, so the task waits and nothing runs.
    let placement = skep::swarm::Placement { constraints: vec!["node.labels.none==x".into()], ..Default::default() };
    spec.task_template.placement = Some(placement);
    let id = services.create(&spec, None).await.expect("created").id;
    let filters = Filters::new().service(&id);
    let listed = || async { tasks.list_with(&filters.clone().up_to_date()).await.expect("listed") };
    let deadline = tokio::time::Instant::now() + SOON;
    let task = loop {
        if let [task] = listed().await.items.as_slice() {
            break task.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "one task, up to date");
    };
    assert_eq!((task.service_id.as_str(), task.slot), (id.as_str(), 1));
    services.delete(&id).await.expect("deleted");
}

#[tokio::test]
async fn a_registry_gives_the_digest_to_whom_its_credentials_let_in() {
    let (lab, client, local) = (Lab::shared(), client(), unique("client-image") + ":1");
    lab.app(&local, "hello", &[]);
    let registry = Registry::start(lab, Access::Login("ada", "pp?>?>~~~"));
    let pushed = registry.push(lab, &local, "team/app:1");
    let image = ImageReference::parse(&registry.image("team/app:1")).expect("valid");
    let error = client.distribution(&image, None).await.expect_err("no credentials");
    assert!(matches!(error, Error::Unauthorized(_)), "{error:?}");
    let credentials = Credentials::from_file(registry.client_config().join("config.json"));
    let auth = credentials.header(&image.to_string()).await.expect("readable");
    let found = client.distribution(&image, auth.as_ref()).await.expect("found");
    assert_eq!(found.digest, pushed);
    assert_eq!(found.platforms.len(), 1);
    let missing = ImageReference::parse(&registry.image("team/none:1")).expect("valid");
    let error = client.distribution(&missing, auth.as_ref()).await.expect_err("no such image");
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");
}

async fn change_by_hand<K: Listable>(store: &Store<K>, make: impl Future<Output = String>) -> Duration {
    let mut changes = store.changes();
    let id = make.await;
    let made = tokio::time::Instant::now();
    let seen = async {
        while changes.recv().await.expect("the watcher runs").id != id {}
        assert!(store.find(&id).is_some());
    };
    tokio::time::timeout(SOON, seen).await.expect("seen in time");
    made.elapsed()
}

#[tokio::test]
async fn a_change_made_by_hand_is_in_the_store_within_a_second() {
    let (client, stack) = (client(), unique("client-watch"));
    let services = Api::<Service>::all(client.clone());
    let events = client.events();
    let store = Store::<Service>::new();
    // No resync: only the hint can tell.
    let source = ApiSource::new(services.clone());
    let watcher = watcher(source, events.subscribe(), Duration::from_secs(3600));
    let task = tokio::spawn(reflect(store.clone(), watcher));
    tokio::time::timeout(SOON, store.listed()).await.expect("listed");
    assert!(store.complete_snapshot().is_some());
    let spec = service(&stack, "web");
    let took = change_by_hand(&store, async { services.create(&spec, None).await.expect("created").id }).await;
    assert!(took < Duration::from_secs(1), "{took:?}");

    let found = services.find_named(&spec.name).await.expect("listed").expect("there");
    let mut changes = store.changes();
    services.delete(&found.id).await.expect("deleted");
    let gone = async {
        while store.find(&found.id).is_some() {
            changes.recv().await.expect("the watcher runs");
        }
    };
    tokio::time::timeout(SOON, gone).await.expect("gone in time");
    task.abort();
}

async fn term(handle: &LeaseHandle, within: Duration) -> u64 {
    let mut leadership = handle.leadership();
    let leading = leadership.wait_for(|now| matches!(now, Leadership::Leading { .. }));
    match *tokio::time::timeout(within, leading).await.expect("leads in time").expect("runs") {
        Leadership::Leading { term } => term,
        Leadership::Following { .. } => 0,
    }
}

/// There is one lease a swarm, so this test has a swarm of its own.
#[tokio::test]
async fn a_lease_is_kept_handed_over_and_taken_from_the_dead() {
    let lab = Lab::start(1);
    let client = || Client::new(Endpoint::parse(&lab.docker_host(1), None).expect("the lab's socket"));
    let start = |holder: &str| {
        let (lease, handle) = Lease::new(SwarmLease::new(client()), holder, Timing::default());
        let cancel = CancellationToken::new();
        (handle, tokio::spawn(lease.run(cancel.clone())), cancel)
    };
    let (first, first_task, first_cancel) = start("a");
    let first_term = term(&first, SOON).await;
    let (second, second_task, _second_cancel) = start("b");
    let mut watched = second.leadership();
    let following = watched.wait_for(|now| *now == Leadership::Following { holder: Some("a".into()) });
    tokio::time::timeout(SOON, following).await.expect("follows").expect("runs");
    assert!(first.guard().may_write(first_term) && second.guard().term().is_none());

    let released = tokio::time::Instant::now();
    first_cancel.cancel();
    first_task.await.expect("no panic");
    let second_term = term(&second, SOON).await;
    assert!(second_term > first_term);
    assert!(released.elapsed() < Duration::from_secs(3), "{:?}", released.elapsed());

    let configs = Api::<Config>::all(client());
    let version = async || configs.find_named("skep.lease").await.expect("listed").expect("there").version;
    let before: Version = version().await;
    let deadline = tokio::time::Instant::now() + SOON;
    while version().await == before {
        assert!(tokio::time::Instant::now() < deadline, "it is renewed");
    }

    second_task.abort();
    let killed = tokio::time::Instant::now();
    let (third, third_task, _third_cancel) = start("c");
    assert!(term(&third, Duration::from_secs(45)).await > second_term);
    let took = killed.elapsed();
    assert!((Duration::from_secs(25)..Duration::from_secs(35)).contains(&took), "{took:?}");
    assert!(third.guard().term().is_some());
    third_task.abort();
}
