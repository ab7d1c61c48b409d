//! Objects in the form in which an engine would hold them, worked out on bare JSON and apart from `swarm::canonical`, so that
//! what hides there does not hide here. Lists keep their order and messages their presence: both restart tasks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Maps from text to text: empty and absent are one. Every other object is a message.
const MAPS: &[&str] = &["Labels", "Options", "Sysctls", "DriverOpts"];
/// Numbers and flags that may be absent, where zero and false say something.
const TELLING: &[&str] = &[
    "Init",
    "StopGracePeriod",
    "Delay",
    "Window",
    "Replicas",
    "Parallelism",
    "Mode",
    "MaxConcurrent",
    "TotalCompletions",
];

/// A document of one stack's objects, as `skep render` prints it or as it was read back, in the form an engine of the API
/// version 1.`minor` holds.
pub fn stored(document: &Value, minor: u32) -> Value {
    let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
    let services = list("services").iter().map(|spec| service(spec, minor)).collect::<Vec<_>>();
    let networks = list("networks").iter().map(network).collect::<Vec<_>>();
    let data = list("configs").iter().map(|spec| file_object(spec, true)).collect::<Vec<_>>();
    let secrets = list("secrets").iter().map(|spec| file_object(spec, false)).collect::<Vec<_>>();
    json!({ "services": services, "networks": networks, "configs": data, "secrets": secrets })
}

fn service(spec: &Value, minor: u32) -> Value {
    let mut spec = bare(spec);
    let mode = object(&mut spec, &["Mode"]);
    if mode.is_empty() {
        mode.insert("Replicated".to_owned(), json!({}));
    }
    if let Some(Value::Object(replicated)) = mode.get_mut("Replicated") {
        fill(replicated, "Replicas", json!(1));
    }
    if let Some(Value::Object(job)) = mode.get_mut("ReplicatedJob") {
        fill(job, "MaxConcurrent", json!(1));
        let concurrent = job["MaxConcurrent"].clone();
        fill(job, "TotalCompletions", concurrent);
    }
    for policy in ["UpdateConfig", "RollbackConfig"] {
        let Some(Value::Object(policy)) = spec.get_mut(policy) else { continue };
        fill(policy, "FailureAction", json!("pause"));
        fill(policy, "Order", json!("stop-first"));
        policy.retain(|key, value| key != "Delay" || *value != json!(0));
    }
    if let Some(Value::Object(endpoint)) = spec.get_mut("EndpointSpec") {
        fill(endpoint, "Mode", json!("vip"));
        for port in endpoint.get_mut("Ports").and_then(Value::as_array_mut).into_iter().flatten() {
            let port = port.as_object_mut().expect("a port");
            word(port, "Protocol", &["tcp", "udp", "sctp"]);
            word(port, "PublishMode", &["ingress", "host"]);
        }
    }
    let task = object(&mut spec, &["TaskTemplate"]);
    fill(task, "Runtime", json!("container"));
    // The one message whose absence is nothing.
    fill(task, "Placement", json!({}));
    if let Some(Value::Object(restart)) = task.get_mut("RestartPolicy") {
        fill(restart, "Condition", json!("any"));
    }
    container(object(task, &["ContainerSpec"]), minor);
    Value::Object(spec)
}

fn container(container: &mut Map<String, Value>, minor: u32) {
    fill(container, "Isolation", json!("default"));
    for mount in container.get_mut("Mounts").and_then(Value::as_array_mut).into_iter().flatten() {
        let mount = mount.as_object_mut().expect("a mount");
        fill(mount, "Type", json!("bind"));
        mount.retain(|key, value| !match key.as_str() {
            "Consistency" | "ClusterOptions" => true,
            "BindOptions" => *value == json!({}),
            _ => false,
        });
        if let (Some(Value::Object(options)), true) = (mount.get_mut("VolumeOptions"), minor < 45) {
            options.remove("Subpath");
        }
    }
    for (key, id) in [("Configs", "ConfigID"), ("Secrets", "SecretID")] {
        for reference in container.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            reference.as_object_mut().expect("a reference").remove(id);
        }
    }
    if minor < 44
        && let Some(Value::Object(check)) = container.get_mut("Healthcheck")
    {
        check.remove("StartInterval");
    }
    if minor < 46 {
        container.remove("OomScoreAdj");
    }
}

/// What a file can say of a network: the engine adds an id to its options, and a subnet where it was told none.
fn network(network: &Value) -> Value {
    let mut network = bare(network);
    network.retain(|key, _| {
        ["Name", "Driver", "Options", "Internal", "Attachable", "EnableIPv6", "IPAM", "Labels"].contains(&key.as_str())
    });
    if let Some(Value::Object(options)) = network.get_mut("Options") {
        options.remove("com.docker.network.driver.overlay.vxlanid_list");
    }
    if let Some(Value::Object(ipam)) = network.get_mut("IPAM") {
        for pool in ipam.get_mut("Config").and_then(Value::as_array_mut).into_iter().flatten() {
            let pool = pool.as_object_mut().expect("a pool");
            // The first address of a subnet is its gateway, unless told otherwise.
            let first = pool
                .get("Subnet")
                .and_then(Value::as_str)
                .and_then(|subnet| subnet.rsplit_once('/'))
                .map(|(base, _)| next(base));
            pool.retain(|key, value| key != "Gateway" || value.as_str() != first.as_deref());
        }
        if let Some(pools) = ipam.get_mut("Config").and_then(Value::as_array_mut) {
            // The swarm's own pools are of 10.0.0.0/8, in which no file of ours has a subnet.
            pools.retain(|pool| !pool["Subnet"].as_str().is_some_and(|subnet| subnet.starts_with("10.0.")));
        }
        ipam.retain(|key, value| match key.as_str() {
            "Config" => value.as_array().is_some_and(|pools| !pools.is_empty()),
            "Driver" => value != "default",
            _ => true,
        });
    }
    network.retain(|key, value| match key.as_str() {
        "Options" | "IPAM" => value != &json!({}),
        _ => true,
    });
    Value::Object(network)
}

fn next(base: &str) -> String {
    match base.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(base)) => std::net::Ipv4Addr::from(u32::from(base) + 1).to_string(),
        Ok(std::net::IpAddr::V6(base)) => std::net::Ipv6Addr::from(u128::from(base) + 1).to_string(),
        Err(error) => panic!("{base}: {error}"),
    }
}

/// A config or secret. Nobody reads a secret's data back.
fn file_object(spec: &Value, readable: bool) -> Value {
    let mut spec = bare(spec);
    spec.retain(|key, _| readable || key != "Data");
    if let (Some(Value::Object(labels)), false) = (spec.get_mut("Labels"), readable) {
        // What skep knows a secret's content by. It restarts nothing, and docker takes it off again.
        labels.remove("skep.fingerprint");
    }
    Value::Object(spec)
}

/// Without what Go leaves out or writes for nothing.
fn bare(value: &Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("no object: {value}") };
    let mut found = Map::new();
    for (key, value) in map {
        let value = match value {
            Value::Null => continue,
            Value::Bool(false) if !TELLING.contains(&key.as_str()) => continue,
            Value::Number(number) if number.as_f64() == Some(0.0) && !TELLING.contains(&key.as_str()) => continue,
            Value::String(text) if text.is_empty() => continue,
            Value::Array(items) if items.is_empty() => continue,
            Value::Object(map) if map.is_empty() && MAPS.contains(&key.as_str()) => continue,
            // The keys of a map are anybody's, and its empty texts are texts.
            Value::Object(_) if MAPS.contains(&key.as_str()) => value.clone(),
            Value::Object(_) => Value::Object(bare(value)),
            Value::Array(items) => items
                .iter()
                .map(|item| if item.is_object() { Value::Object(bare(item)) } else { item.clone() })
                .collect(),
            // The engine's ratios have 32 bits.
            Value::Number(number) if key == "MaxFailureRatio" => {
                let short = number.as_f64().expect("a number") as f32;
                json!(short.to_string().parse::<f64>().expect("a number"))
            }
            other => other.clone(),
        };
        found.insert(key.clone(), value);
    }
    found
}

fn object<'a>(map: &'a mut Map<String, Value>, path: &[&str]) -> &'a mut Map<String, Value> {
    path.iter().fold(map, |map, key| {
        map.entry((*key).to_owned()).or_insert_with(|| json!({})).as_object_mut().expect("an object")
    })
}

fn fill(map: &mut Map<String, Value>, key: &str, default: Value) {
    map.entry(key.to_owned()).or_insert(default);
}

/// One of some words in lower case; the engine takes the first for every other.
fn word(map: &mut Map<String, Value>, key: &str, known: &[&str]) {
    let said = map.get(key).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let word = known.iter().find(|word| **word == said).unwrap_or(&known[0]);
    map.insert(key.to_owned(), json!(word));
}

/// Every leaf in which two JSON values differ.
pub fn differences(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    let keys = |value: &Value| -> Option<BTreeMap<String, Value>> {
        match value {
            Value::Object(map) => Some(map.clone().into_iter().collect()),
            Value::Array(list) => Some(list.iter().cloned().enumerate().map(|(i, v)| (i.to_string(), v)).collect()),
            _ => None,
        }
    };
    match (keys(ours), keys(theirs)) {
        (Some(a), Some(b)) if ours.is_object() == theirs.is_object() => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let absent = Value::String("(absent)".to_owned());
                let (a, b) = (a.get(key).unwrap_or(&absent), b.get(key).unwrap_or(&absent));
                differences(&format!("{path}/{key}"), a, b, found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{path}: skep {ours}, docker {theirs}")),
    }
}
