//! What `skep import` writes is what runs: of every stack file there is, deployed on paper and imported, lowering makes the
//! same objects again.

use std::collections::BTreeMap;
use std::sync::Arc;

use skep::compose::{self, Input, Mode, Variables};
use skep::desired::{self, Desired};
use skep::diag::code;
use skep::import::{FILE, Imported, Placing, Request, import};
use skep::model::{Entry, FileError, Files, Kind, label};
use skep::swarm::canonical::canonical_service;
use skep::swarm::{Config, Ipam, IpamPool, Live, Network, NetworkSpec, SecretObject, Service, ServiceSpec};

use crate::cases::{self, Case};
use crate::reference;

/// Where an engine puts what it needs to know of an overlay network.
const ALLOCATED: &str = "com.docker.network.driver.overlay.vxlanid_list";

#[test]
fn every_stack_is_imported_as_what_it_was_deployed_from() {
    let mut cases = cases::fixtures();
    cases.extend(cases::examples());
    match cases::corpus() {
        Some(corpus) => cases.extend(corpus),
        None => reference::skip("other people's stacks, imported", "SKEP_CORPUS is not set"),
    }
    let only = std::env::var("SKEP_ONLY").unwrap_or_default();
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| case.shown().contains(&only)) {
        let Some(desired) = case.lower().0 else { panic!("{} has errors", case.shown()) };
        for placing in [Placing::Inline, Placing::Files] {
            wrong.extend(round_trip(case, &desired, placing).into_iter().map(|it| format!("{}: {it}", case.shown())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What does not come back.
fn round_trip(case: &Case, desired: &Desired, placing: Placing) -> Vec<String> {
    let (live, predefined) = deployed(desired);
    let request = Request { stack: &desired.stack, services: &[], live: &live, predefined: &predefined, placing };
    let imported = import(&request);
    // Whether a variable looks like a secret is another question.
    let said = imported.diagnostics.iter().filter(|it| it.code != code::SECRET_PLAIN);
    let mut wrong: Vec<String> = said.map(|it| format!("{}: {}", it.code, it.message)).collect();
    let Some(again) = lowered(&imported, case) else {
        wrong.push(format!("it cannot be read:\n{}", imported.text()));
        return wrong;
    };
    let canonical = |desired: &Desired| -> BTreeMap<String, ServiceSpec> {
        let spec = |(name, service): (&String, &desired::Service)| {
            let mut spec = service.spec.clone();
            canonical_service(&mut spec);
            (name.clone(), spec)
        };
        desired.services.iter().map(spec).collect()
    };
    if canonical(desired) != canonical(&again) {
        wrong.push("its services differ".to_owned());
    }
    let networks = |desired: &Desired| -> BTreeMap<String, NetworkSpec> {
        desired.networks.iter().map(|(name, network)| (name.clone(), unallocated(network.spec.clone()))).collect()
    };
    if networks(desired) != networks(&again) {
        wrong.push(format!("its networks differ: {:#?} {:#?}", networks(desired), networks(&again)));
    }
    let configs = |desired: &Desired| desired.configs.values().map(|config| config.spec.clone()).collect::<Vec<_>>();
    if configs(desired) != configs(&again) {
        wrong.push("its configs differ".to_owned());
    }
    let volumes = |desired: &Desired| {
        let volume = |(name, it): (&String, &desired::Volume)| {
            (name.clone(), (it.driver.clone(), it.options.clone(), it.labels.clone()))
        };
        desired.volumes.iter().map(volume).collect::<BTreeMap<_, _>>()
    };
    if volumes(desired) != volumes(&again) {
        wrong.push("its volumes differ".to_owned());
    }
    if !wrong.is_empty() {
        wrong.push(imported.text());
    }
    wrong
}

/// A network without what an engine would have chosen just so.
fn unallocated(mut spec: NetworkSpec) -> NetworkSpec {
    if let Some(ipam) = &mut spec.ipam {
        ipam.driver = ipam.driver.replace("default", "");
        ipam.config.retain(|pool| !(pool.subnet.starts_with("10.") && pool.subnet.ends_with(".0/24")));
        for pool in &mut ipam.config {
            pool.gateway.clear();
        }
    }
    spec.ipam = spec.ipam.filter(|ipam| *ipam != Ipam::default());
    spec
}

/// The swarm after a deployment.
fn deployed(desired: &Desired) -> (Live, BTreeMap<String, String>) {
    let mut live = Live { swarm_id: "swarm".to_owned(), ..Live::default() };
    let id = |kind: &str, name: &str| format!("{kind}-id-of-{name}");
    for network in desired.networks.values() {
        let spec = network.spec.clone();
        let mut ipam = spec.ipam.unwrap_or_default();
        ipam.driver = if ipam.driver.is_empty() { "default".to_owned() } else { ipam.driver };
        if ipam.config.is_empty() {
            let (subnet, gateway) = ("10.0.7.0/24".to_owned(), "10.0.7.1".to_owned());
            ipam.config.push(IpamPool { subnet, gateway, ..IpamPool::default() });
        }
        let mut options = spec.options;
        if spec.driver == "overlay" {
            options.insert(ALLOCATED.to_owned(), "4097".to_owned());
        }
        live.networks.push(Arc::new(Network {
            id: id("network", &spec.name),
            name: spec.name,
            scope: "swarm".to_owned(),
            driver: spec.driver,
            enable_ipv6: spec.enable_ipv6,
            internal: spec.internal,
            attachable: spec.attachable,
            ipam: Some(ipam),
            options,
            labels: spec.labels,
            ..Network::default()
        }));
    }
    let mut predefined = BTreeMap::new();
    for external in &desired.external {
        let name = external.name.clone();
        match external.kind {
            Kind::Network => {
                let (id, scope) = (id("network", &name), "swarm".to_owned());
                live.networks.push(Arc::new(Network { id, name, scope, ..Network::default() }));
            }
            Kind::Config => add_config(&mut live, id("config", &name), name, None),
            _ => {
                let mut secret = SecretObject { id: id("secret", &name), ..SecretObject::default() };
                secret.spec.name = name;
                live.secrets.push(Arc::new(secret));
            }
        }
    }
    for config in desired.configs.values() {
        add_config(&mut live, id("config", &config.spec.name), config.spec.name.clone(), Some(config));
    }
    for secret in desired.secrets.values() {
        let spec = secret.spec.clone();
        let secret = SecretObject { id: id("secret", &spec.name), spec, ..SecretObject::default() };
        live.secrets.push(Arc::new(secret));
    }
    for service in desired.services.values() {
        let mut spec = service.spec.clone();
        canonical_service(&mut spec);
        for network in &mut spec.task_template.networks {
            let name = std::mem::take(&mut network.target);
            network.target = id("network", &name);
            if matches!(name.as_str(), "host" | "bridge" | "none") {
                predefined.insert(network.target.clone(), name);
            }
        }
        let container = spec.task_template.container_spec.as_mut().expect("a container");
        for reference in &mut container.configs {
            reference.config_id = id("config", &reference.config_name);
        }
        for reference in &mut container.secrets {
            reference.secret_id = id("secret", &reference.secret_name);
        }
        if let Some(credential) = container.privileges.as_mut().and_then(|it| it.credential_spec.as_mut())
            && !credential.config.is_empty()
        {
            credential.config = id("config", &credential.config);
        }
        container.image = match container.image.contains('@') {
            true => container.image.clone(),
            false => format!("{}@sha256:{}", container.image, "a".repeat(64)),
        };
        live.services.push(Arc::new(Service { id: spec.name.clone(), spec, ..Service::default() }));
    }
    (live, predefined)
}

fn add_config(live: &mut Live, id: String, name: String, made: Option<&desired::Config>) {
    let mut config = Config { id, ..Config::default() };
    config.spec = made.map(|config| config.spec.clone()).unwrap_or_default();
    config.spec.name = name;
    live.configs.push(Arc::new(config));
}

/// What imported files become.
fn lowered(imported: &Imported, case: &Case) -> Option<Desired> {
    struct Written<'a>(&'a Imported);
    impl Files for Written<'_> {
        fn locate(&self, _: &str, path: &str) -> Result<String, FileError> {
            Ok(path.trim_start_matches("./").to_owned())
        }
        fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
            let file = self.0.files.iter().find(|(name, _)| name == path);
            file.map(|(_, content)| content.clone()).ok_or(FileError::NotFound)
        }
        fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
            Ok(Vec::new())
        }
    }
    let (paths, variables) = ([FILE.to_owned()], Variables::default());
    let loaded = compose::load(&Input::new(&Written(imported), &paths, &variables, Mode::Repository));
    let stack = skep::model::StackName::parse(&case.name).expect("a name");
    Some(desired::lower(&loaded.compose?, &stack).0)
}

#[test]
fn labels_that_lowering_adds_are_not_in_the_file() {
    for case in cases::examples() {
        let desired = case.lower().0.expect("an example");
        let (live, predefined) = deployed(&desired);
        let request = Request {
            stack: &desired.stack,
            services: &[],
            live: &live,
            predefined: &predefined,
            placing: Placing::Files,
        };
        let text = import(&request).text();
        assert!(!text.contains(label::NAMESPACE) && !text.contains(label::IMAGE), "{}:\n{text}", case.shown());
        assert!(!text.contains("sha256:"), "{}:\n{text}", case.shown());
    }
}
