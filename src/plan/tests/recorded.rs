//! A stack that `docker stack deploy` made, as two engines read it back, against the plan of its own file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::stack::Edit;
use super::*;
use crate::compose;
use crate::diag::Sources;
use crate::model::{Entry, FileError, Files, Kind, StackName};
use crate::swarm::canonical::forget_unstored;
use crate::swarm::{Config, ConfigSpec, Live, SecretObject, SecretSpec, Service};

macro_rules! recording {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/every-key/", $file))
    };
}

/// The folder of the recording.
struct Folder;

impl Files for Folder {
    fn locate(&self, dir: &str, path: &str) -> Result<String, FileError> {
        let path = path.trim_start_matches("./");
        Ok(if path.starts_with('/') { path.to_owned() } else { format!("{dir}/{path}") })
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match path {
            "/stack/compose.yaml" => Ok(recording!("compose.yaml").into()),
            "/stack/hello.txt" => Ok(recording!("hello.txt").into()),
            "/stack/web.env" => Ok(recording!("web.env").into()),
            _ => Err(FileError::NotFound),
        }
    }

    fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
        Ok(Vec::new())
    }
}

fn desired(minor: u32) -> Desired {
    let paths = ["/stack/compose.yaml".to_owned()];
    let variables = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]).into();
    let loaded = compose::load(&compose::Input {
        home: Some("/root"),
        ..compose::Input::new(&Folder, &paths, &variables, compose::Mode::Direct)
    });
    let compose = loaded.compose.expect("a file without faults");
    let (mut desired, _) = crate::desired::lower(&compose, &StackName::parse("demo").expect("a name"));
    for service in desired.services.values_mut() {
        forget_unstored(&mut service.spec, minor);
    }
    desired
}

/// The swarm as it was read back, ids in the places of names.
fn live(recorded: &str, desired: &Desired) -> Live {
    let recorded: Value = serde_json::from_str(&recorded.replace("$DIR", "/stack")).expect("JSON");
    let mut live = Live { swarm_id: "swarm".to_owned(), ..Live::default() };
    let list = |kind: &str| recorded[kind].as_array().expect("a list").clone();
    let external = desired.external.iter().filter(|it| it.kind == Kind::Network && it.name != "host");
    let external = external.map(|it| json!({ "Name": it.name, "Driver": "overlay" }));
    for mut network in list("networks").into_iter().chain(external) {
        let name = network["Name"].as_str().expect("a name").to_owned();
        (network["Id"], network["Scope"]) = (json!(format!("id {name}")), json!("swarm"));
        live.networks.push(Arc::new(serde_json::from_value(network).expect("a network")));
    }
    for spec in list("services") {
        let mut service: Service =
            serde_json::from_value(json!({ "ID": spec["Name"], "Spec": spec })).expect("a service");
        for network in &mut service.spec.task_template.networks {
            network.target = format!("id {}", network.target);
        }
        let container = service.spec.container();
        container.configs.iter_mut().for_each(|it| it.config_id = format!("id {}", it.config_name));
        container.secrets.iter_mut().for_each(|it| it.secret_id = format!("id {}", it.secret_name));
        live.services.push(Arc::new(service));
    }
    for config in desired.configs.values() {
        let spec: ConfigSpec = config.spec.clone();
        live.configs.push(Arc::new(Config { id: format!("id {}", spec.name), spec, ..Config::default() }));
    }
    for secret in desired.secrets.values() {
        let spec: SecretSpec = secret.spec.clone();
        live.secrets.push(Arc::new(SecretObject { id: format!("id {}", spec.name), spec, ..SecretObject::default() }));
    }
    live
}

#[test]
fn what_docker_stack_deploy_made_is_adopted_without_a_write() {
    let recordings = [(41, recording!("engine-1.41.json")), (45, recording!("engine-1.45.json"))];
    for (minor, recorded) in recordings {
        let desired = desired(minor);
        assert!(desired.services.len() > 5, "a real stack");
        let mut cluster = Cluster { live: live(recorded, &desired), ..Cluster::default() };
        let plan = planned(&desired, &cluster);
        assert_eq!(done(&plan), Vec::<String>::new(), "API 1.{minor}: {:?}", plan.steps);
        assert_eq!(codes(&plan), ["secret/unverifiable"], "API 1.{minor}: {:?}", plan.diagnostics);
        assert_eq!(plan.first_contact, Some(FirstContact::Safe));
        cluster.applied = Some(plan.settled);
        assert_eq!(planned(&desired, &cluster).sync(), Sync::Synced, "API 1.{minor}");
    }
}

/// Fields whose every other word the engine takes for the one it has, so that none is ever stored.
const SETTLED: [&str; 2] = ["Protocol", "PublishMode"];

fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    let key = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| leaves(value, &format!("{path}/{}", key(name)), found))
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| leaves(value, &format!("{path}/{index}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

/// Another value of the same kind.
fn other(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => Some(format!("{text}x").into()),
        Value::Number(number) => Some(number.as_i64().map_or(json!(0.5), |number| json!(number + 1))),
        Value::Bool(flag) => Some((!flag).into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A path as far as no list on its way may be in another order.
fn stem(path: &str) -> Vec<&str> {
    path.split('/').take_while(|segment| segment.parse::<usize>().is_err()).collect()
}

#[test]
fn whatever_field_of_whatever_service_a_hand_changes_is_named_and_printed() {
    let desired = desired(45);
    let mut cluster = Cluster { live: live(recording!("engine-1.45.json"), &desired), ..Cluster::default() };
    cluster.applied = Some(planned(&desired, &cluster).settled);
    let (mut tried, mut missed) = (0, Vec::new());
    for index in 0..cluster.live.services.len() {
        let spec = serde_json::to_value(&cluster.live.services[index].spec).expect("JSON");
        let mut paths = Vec::new();
        leaves(&spec, "", &mut paths);
        // Under another name, or with another stack's label, it is another service.
        paths.retain(|path| path != "/Name" && path != "/Labels/com.docker.stack.namespace");
        paths.retain(|path| !SETTLED.iter().any(|field| path.ends_with(field)));
        // A number that the file does not say is anybody's; and no list explains the ids of the engine's own networks.
        let service = desired.services.get(spec["Name"].as_str().expect("a name")).expect("of the stack");
        paths.retain(|path| service.said.replicas || !path.starts_with("/Mode/"));
        paths.retain(|path| service.key != "host" || !path.starts_with("/TaskTemplate/Networks/"));
        for path in paths {
            let mut changed = spec.clone();
            let field = changed.pointer_mut(&path).expect("a leaf");
            let Some(value) = other(field) else { continue };
            *field = value;
            let mut hand = cluster.clone();
            Arc::make_mut(&mut hand.live.services[index]).spec = serde_json::from_value(changed).expect("a spec");
            let plan = planned(&desired, &hand);
            let report = view::drift(view::Header::default(), &[(&reported(&hand), &Sources::new())], &Mask::default());
            let text = drift_text(&report, &Layout { width: 1000, ..Layout::default() });
            let mut changes = report.stacks[0].steps.iter().flat_map(|step| &step.changes);
            let named = changes.find(|change| stem(&change.path) == stem(&path));
            tried += 1;
            if !plan.steps.is_empty() || !named.is_some_and(|change| text.contains(&change.label)) {
                missed.push(format!("{path} of {}: {text}", spec["Name"]));
            }
        }
    }
    assert!(missed.is_empty(), "{} of {tried}:\n{}", missed.len(), missed.join("\n"));
    assert!(tried > 300, "only {tried} fields were tried");
}
