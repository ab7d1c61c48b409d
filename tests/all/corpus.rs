//! Equality with `docker stack deploy` on whole stack files: what it left on the engine, read back, is
//! what lowering makes of the same file, in canonical form.
//!
//! One such file, with every key that is lowered, is the project's own (`tests/recordings`). The others are third parties',
//! so they are not part of it: `SKEP_CORPUS` names a directory with a folder for each stack (`compose.yaml`, and
//! `expected.json` with the services and networks as read back) and, where there is one beside it, `<directory>-objects`
//! with the networks, configs, secrets and externals of each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use skep::compose::{self, Input, Mode};
use skep::desired::{self, Desired};
use skep::diag::{self, Severity};
use skep::model::{Digest, Kind, StackName};
use skep::swarm::canonical::{canonical_network, canonical_service, forget_unstored};
use skep::swarm::{Network, NetworkSpec, ServiceSpec};

use crate::reference;
use crate::stored::differences;

/// The home directory of whoever recorded it: all there was of an environment.
const HOME: &str = "/root";

/// Folders that differ, and why they should.
const DIFFERENT: &[(&str, &str)] = &[];

/// What the engine had after the deployment.
#[derive(Deserialize)]
struct Expected {
    services: Vec<ServiceSpec>,
    networks: Vec<Network>,
}

/// The same of another recording, with the kinds that the first leaves out.
#[derive(Deserialize)]
struct Objects {
    file: String,
    services: Vec<ServiceSpec>,
    networks: Vec<Value>,
    configs: Vec<ConfigObject>,
    secrets: Vec<Value>,
    externals: BTreeMap<Kind, BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConfigObject {
    name: String,
    labels: BTreeMap<String, String>,
    data_sha256: String,
}

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("SKEP_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        reference::skip("other people's stacks beside what docker left of them", "SKEP_CORPUS is not set");
    }
    corpus
}

fn folders(corpus: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(corpus).expect("SKEP_CORPUS is a directory");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.retain(|folder| folder.join("compose.yaml").is_file());
    folders.sort();
    assert!(!folders.is_empty(), "there are stacks in SKEP_CORPUS");
    folders
}

/// A JSON file whose `$DIR` stands for the folder.
fn read<T: for<'de> Deserialize<'de>>(file: &Path, folder: &Path) -> T {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let text = text.replace("$DIR", &folder.display().to_string());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Loads and lowers a folder's file, as `docker stack deploy -c compose.yaml demo` would in an environment of [`HOME`] alone.
fn lower(folder: &Path) -> Result<Desired, String> {
    let path = folder.join("compose.yaml").display().to_string();
    let paths = [path];
    let variables = BTreeMap::from([("HOME".to_owned(), HOME.to_owned())]).into();
    let loaded = compose::load(&Input { home: Some(HOME), ..Input::new(&Directory, &paths, &variables, Mode::Direct) });
    let said = |diagnostics: &[diag::Diagnostic]| {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        errors.map(|error| format!("{}: {}", error.code, error.message)).collect::<Vec<_>>().join("; ")
    };
    let compose = loaded.compose.ok_or_else(|| said(&loaded.diagnostics))?;
    let stack = StackName::parse("demo").expect("a name");
    let (desired, diagnostics) = desired::lower(&compose, &stack);
    if diag::has_errors(&diagnostics) { Err(said(&diagnostics)) } else { Ok(desired) }
}

fn compare_services(desired: &Desired, theirs: &[ServiceSpec], found: &mut Vec<String>) {
    let canonical = |spec: &ServiceSpec| {
        let mut spec = spec.clone();
        canonical_service(&mut spec);
        if let Some(container) = &mut spec.task_template.container_spec {
            // Known only to the engine that was recorded.
            container.secrets.iter_mut().for_each(|secret| secret.secret_id.clear());
            container.configs.iter_mut().for_each(|config| config.config_id.clear());
        }
        (spec.name.clone(), serde_json::to_value(spec).expect("it is JSON"))
    };
    let ours: BTreeMap<_, _> = desired.services.values().map(|service| canonical(&service.spec)).collect();
    let theirs: BTreeMap<_, _> = theirs.iter().map(canonical).collect();
    let json = |specs| serde_json::to_value(specs).expect("it is JSON");
    differences("services", &json(ours), &json(theirs), found);
}

fn compare_networks(desired: &Desired, theirs: &[Network], found: &mut Vec<String>) {
    let mut ours: BTreeMap<&str, NetworkSpec> =
        desired.networks.iter().map(|(name, network)| (name.as_str(), network.spec.clone())).collect();
    for live in theirs.iter().filter(|live| live.ipam.is_none()) {
        // One of the recordings leaves address management out; the other has it.
        if let Some(ours) = ours.get_mut(live.name.as_str()) {
            ours.ipam = None;
        }
    }
    let unsaid = NetworkSpec::default();
    let theirs: BTreeMap<&str, NetworkSpec> = theirs
        .iter()
        .map(|live| (live.name.as_str(), canonical_network(live, ours.get(live.name.as_str()).unwrap_or(&unsaid))))
        .collect();
    let json = |specs: BTreeMap<&str, NetworkSpec>| serde_json::to_value(specs).expect("it is JSON");
    differences("networks", &json(ours), &json(theirs), found);
}

/// The recording lists a network's subnets without their pools.
fn network(mut recorded: Value) -> Network {
    if let Some(ipam) = recorded["IPAM"].as_object_mut() {
        let subnets = ipam.remove("Subnets").unwrap_or_default();
        let pools = subnets.as_array().into_iter().flatten().map(|subnet| serde_json::json!({ "Subnet": subnet }));
        ipam.insert("Config".to_owned(), pools.collect());
    }
    serde_json::from_value(recorded).expect("a network")
}

fn compare_objects(desired: &Desired, objects: Objects, found: &mut Vec<String>) {
    compare_services(desired, &objects.services, found);
    compare_networks(desired, &objects.networks.into_iter().map(network).collect::<Vec<_>>(), found);
    let ours: BTreeMap<_, _> = desired
        .configs
        .iter()
        .map(|(name, config)| {
            let data = STANDARD.decode(&config.spec.data).expect("base64");
            (name.clone(), (config.spec.labels.clone(), Digest::of(data).to_string()))
        })
        .collect();
    let theirs: BTreeMap<_, _> =
        objects.configs.into_iter().map(|config| (config.name, (config.labels, config.data_sha256))).collect();
    if ours != theirs {
        found.push(format!("configs: skep {ours:?}, docker {theirs:?}"));
    }
    let names: Vec<_> = objects.secrets.iter().filter_map(|secret| secret["Name"].as_str()).collect();
    if desired.secrets.keys().ne(&names) {
        found.push(format!("secrets: skep {:?}, docker {names:?}", desired.secrets.keys()));
    }
    let mut ours: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for external in &desired.external {
        ours.entry(external.kind).or_default().insert(external.name.clone());
    }
    let theirs: BTreeMap<_, _> = objects.externals.into_iter().filter(|(_, names)| !names.is_empty()).collect();
    if ours != theirs {
        found.push(format!("externals: skep {ours:?}, docker {theirs:?}"));
    }
}

/// Fails with every difference, but for the folders that should differ, which must.
fn settle(results: BTreeMap<String, Vec<String>>) {
    let mut report = Vec::new();
    for (folder, found) in &results {
        match DIFFERENT.iter().find(|(different, _)| different == folder) {
            Some((_, reason)) if found.is_empty() => {
                report.push(format!("{folder} is equal now, but listed: {reason}"))
            }
            Some(_) => {}
            None => report.extend(found.iter().map(|difference| format!("{folder}: {difference}"))),
        }
    }
    let equal = results.values().filter(|found| found.is_empty()).count();
    eprintln!("{equal} of {} stacks are equal", results.len());
    assert!(report.is_empty(), "{equal} of {} stacks are equal\n{}", results.len(), report.join("\n"));
}

fn name(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[test]
fn every_key_becomes_what_docker_stack_deploy_makes_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/every-key");
    let desired = lower(&folder).expect("a file without faults");
    for minor in [41, 45] {
        let expected: Expected = read(&folder.join(format!("engine-1.{minor}.json")), &folder);
        let mut desired = desired.clone();
        for service in desired.services.values_mut() {
            forget_unstored(&mut service.spec, minor);
        }
        let mut found = Vec::new();
        compare_services(&desired, &expected.services, &mut found);
        compare_networks(&desired, &expected.networks, &mut found);
        assert_eq!(found, [] as [String; 0], "API 1.{minor}");
    }
}

#[test]
fn published_stacks_become_what_docker_stack_deploy_makes_of_them() {
    let Some(corpus) = corpus() else { return };
    let compare = |folder: &PathBuf| {
        let mut found = Vec::new();
        match lower(folder) {
            Ok(desired) => {
                let expected: Expected = read(&folder.join("expected.json"), folder);
                compare_services(&desired, &expected.services, &mut found);
                compare_networks(&desired, &expected.networks, &mut found);
            }
            Err(errors) => found.push(errors),
        }
        (name(folder), found)
    };
    settle(folders(&corpus).iter().map(compare).collect());
}

#[test]
fn networks_configs_and_externals_are_dockers_too() {
    let Some(corpus) = corpus() else { return };
    let mut recordings = corpus.clone().into_os_string();
    recordings.push("-objects");
    let Ok(entries) = std::fs::read_dir(&recordings) else {
        reference::skip("their networks, configs and externals", &format!("{} is not there", recordings.display()));
        return;
    };
    let mut results = BTreeMap::new();
    for entry in entries {
        let file = entry.expect("an entry").path();
        let recorded: Objects = read(&file, Path::new("$DIR"));
        let folder = Path::new(&recorded.file).parent().and_then(Path::file_name).expect("the stack's folder");
        let folder = corpus.join(folder);
        let mut found = Vec::new();
        match lower(&folder) {
            Ok(desired) => compare_objects(&desired, read(&file, &folder), &mut found),
            Err(errors) => found.push(errors),
        }
        results.insert(name(&folder), found);
    }
    settle(results);
}

/// The machine's directories, as the command line reads them.
struct Directory;

impl skep::model::Files for Directory {
    fn locate(&self, dir: &str, path: &str) -> Result<String, skep::model::FileError> {
        let mut located = PathBuf::new();
        for part in Path::new(dir).join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(located.pop()),
                part => located.push(part),
            }
        }
        Ok(located.display().to_string())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, skep::model::FileError> {
        std::fs::read(path).map_err(|error| skep::model::FileError::Io(error.to_string()))
    }

    fn entries(&self, _: &str) -> Result<Vec<skep::model::Entry>, skep::model::FileError> {
        Ok(Vec::new())
    }
}
