//! The table of keys, held: every key of the schema has a row, every row is a key, and becomes what the row says.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use skep::cli::schema::Name;
use skep::compose::coverage::{Becomes, TABLES};
use skep::compose::{self, Input, Mode, Variables};
use skep::desired;
use skep::model::StackName;
use skep::source::Machine;

/// Every path of a schema's properties: names of the user's own are `*`, lists add nothing.
fn paths(schema: &Value, root: &Value, at: &str, found: &mut BTreeSet<String>) {
    let below = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
        paths(&root["$defs"][name], root, at, found);
    }
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        // One table has what stands in it, wherever it stands.
        if key == "x-skep" {
            found.insert(key.clone());
            paths(value, root, key, found);
            continue;
        }
        found.insert(below(key));
        paths(value, root, &below(key), found);
    }
    for any in schema["anyOf"].as_array().into_iter().flatten() {
        // What only refuses names no key.
        if any["properties"].as_object().is_none_or(|keys| !keys.values().any(|key| *key == Value::Bool(false))) {
            paths(any, root, at, found);
        }
    }
    if schema["items"].is_object() {
        paths(&schema["items"], root, at, found);
    }
    if schema["additionalProperties"].is_object() {
        paths(&schema["additionalProperties"], root, &below("*"), found);
    }
}

#[test]
fn every_key_of_the_schema_has_a_row_and_every_row_is_one() {
    let schema = serde_json::to_value(Name::Stack.schema()).expect("JSON");
    let mut keys = BTreeSet::new();
    paths(&schema, &schema, "", &mut keys);
    assert!(keys.len() > 200, "{}", keys.len());
    let rows: BTreeSet<String> =
        TABLES.iter().flat_map(|table| table.rows.iter().map(|row| table.whole(row.key))).collect();
    let count: usize = TABLES.iter().map(|table| table.rows.len()).sum();
    assert_eq!(rows.len(), count, "a key has two rows");
    let uncarried = |table: &compose::coverage::Table| {
        let all: Vec<_> = table.uncarried().map(|known| (table.whole(known.key), known.is_error)).collect();
        all
    };
    let known: Vec<(String, bool)> = TABLES.iter().flat_map(uncarried).collect();
    let wanted: BTreeSet<String> = rows.iter().cloned().chain(known.iter().map(|(key, _)| key.clone())).collect();
    let without: Vec<_> = keys.difference(&wanted).collect();
    assert!(without.is_empty(), "keys without a row: {without:#?}");
    let unknown: Vec<_> = rows.difference(&keys).collect();
    assert!(unknown.is_empty(), "rows of no key: {unknown:#?}");
    let ignored: Vec<_> = known.iter().filter(|(key, is_error)| !is_error && !keys.contains(key)).collect();
    assert!(ignored.is_empty(), "keys that are ignored and not in the schema: {ignored:#?}");
    let both: Vec<_> = known.iter().filter(|(key, _)| rows.contains(key)).collect();
    assert!(both.is_empty(), "keys that are carried out and are not: {both:#?}");
}

/// Every key that becomes a field of its own.
const FULL: &str = "
services:
  web:
    image: a
    entrypoint: [a]
    command: [b]
    environment: { A: b }
    labels: { a: b }
    ports: [{ target: 80, published: 8080, protocol: tcp, mode: host }]
    volumes:
      - { type: bind, source: /a, target: /a, read_only: true, consistency: cached, bind: { propagation: rslave } }
      - { type: volume, source: data, target: /b, volume: { nocopy: true, subpath: c } }
      - { type: tmpfs, target: /c, tmpfs: { size: 1m } }
    networks: { net: { aliases: [b], driver_opts: { a: b } } }
    configs: [{ source: c, target: /e, uid: '1', gid: '1', mode: 0400 }]
    secrets: [{ source: s, target: s, uid: '1', gid: '1', mode: 0400 }]
    healthcheck: { test: a, interval: 1s, timeout: 1s, retries: 1, start_period: 1s, start_interval: 1s }
    user: a
    group_add: [a]
    working_dir: /a
    hostname: a
    logging: { driver: a, options: { a: b } }
    stop_grace_period: 1s
    stop_signal: SIGINT
    init: true
    cap_add: [A]
    cap_drop: [B]
    credential_spec: { config: c }
    extra_hosts: ['a:10.0.0.1']
    dns: 10.0.0.1
    dns_search: a
    dns_opt: [a]
    sysctls: { a: b }
    ulimits: { nofile: { soft: 1, hard: 2 } }
    read_only: true
    tty: true
    stdin_open: true
    isolation: default
    deploy:
      mode: replicated
      replicas: 1
      labels: { a: b }
      endpoint_mode: dnsrr
      update_config: &policy
        { parallelism: 1, delay: 1s, failure_action: pause, monitor: 1s, max_failure_ratio: 0.5, order: start-first }
      rollback_config: *policy
      resources:
        limits: { cpus: 1, memory: 64m, pids: 1 }
        reservations: { cpus: 1, memory: 64m, generic_resources: [{ discrete_resource_spec: { kind: a, value: 1 } }] }
      restart_policy: { condition: any, delay: 1s, max_attempts: 1, window: 1s }
      placement: { constraints: [node.role == worker], preferences: [{ spread: node.labels.a }], max_replicas_per_node: 1 }
  credentials: { image: a, credential_spec: { file: a } }
  registry: { image: a, credential_spec: { registry: a } }
  job: { image: a, deploy: { mode: replicated-job, replicas: 1 } }
networks:
  net:
    driver: overlay
    driver_opts: { a: b }
    internal: true
    attachable: true
    enable_ipv6: true
    labels: { a: b }
    ipam:
      driver: a
      options: { a: b }
      config: [{ subnet: 10.0.0.0/24, gateway: 10.0.0.1, ip_range: 10.0.0.128/25 }]
volumes: { data: { driver: local, driver_opts: { a: b }, labels: { a: b } } }
configs: { c: { content: a } }
secrets: { s: { file: stack.yaml } }
";

/// Whether a pointer with `*` for any index or key leads to something.
fn leads(value: &Value, pointer: &[&str]) -> bool {
    let Some((step, rest)) = pointer.split_first() else { return !value.is_null() };
    match value {
        Value::Array(items) if *step == "*" => items.iter().any(|item| leads(item, rest)),
        Value::Object(keys) if *step == "*" => keys.values().any(|value| leads(value, rest)),
        _ => value.get(step).is_some_and(|value| leads(value, rest)),
    }
}

#[test]
fn a_key_becomes_the_fields_that_its_row_names() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("stack.yaml");
    std::fs::write(&file, FULL).expect("written");
    let rendered = render(directory.path(), &file.display().to_string());
    let mut silent = Vec::new();
    for table in TABLES {
        for row in table.rows {
            let (objects, fields) = match row.becomes {
                Becomes::Service(fields) | Becomes::Volume(fields) => (&rendered["services"], fields),
                Becomes::Network(fields) => (&rendered["networks"], fields),
                Becomes::Content | Becomes::Labels | Becomes::Reading => continue,
            };
            for field in fields {
                let steps: Vec<&str> = std::iter::once("*").chain(field.split('/')).collect();
                if !leads(objects, &steps) {
                    silent.push(format!("{}: {field}", table.whole(row.key)));
                }
            }
        }
    }
    assert!(silent.is_empty(), "no such fields: {silent:#?}\n{rendered:#}");
}

fn render(directory: &Path, file: &str) -> Value {
    let machine = Machine::new(directory, None);
    let (paths, variables) = ([file.to_owned()], Variables::new());
    let loaded = compose::load(&Input::new(&machine, &paths, &variables, Mode::Direct));
    let compose = loaded.compose.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let (desired, faults) = desired::lower(&compose, &StackName::parse("st").expect("a name"));
    assert!(!skep::diag::has_errors(&faults), "{faults:?}");
    desired::render::stack(&desired)
}
