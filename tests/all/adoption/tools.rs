//! What each tool makes of a stack file before it is deployed, after its source: names by content, and labels.
//!
//! Each deploys with Docker's own code, so `docker stack deploy` of the file it has rewritten puts the same on the wire:
//! docker-sdp 0.2.15 and Portainer 2.23.0 (`api/exec/swarm_stack.go`) run the client, swarm-cd 1.10.0 its command from the library,
//! doco-cd at 03cbeb36 the library's loader and converter.

use std::path::Path;
use std::process::Command;

use serde_yaml::{Mapping, Value};

/// Who deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Docker,
    Portainer,
    SwarmCd,
    DocoCd,
    DockerSdp,
}

impl Tool {
    pub const ALL: [Tool; 5] = [Tool::Docker, Tool::Portainer, Tool::SwarmCd, Tool::DocoCd, Tool::DockerSdp];

    pub fn name(self) -> &'static str {
        match self {
            Tool::Docker => "docker",
            Tool::Portainer => "portainer",
            Tool::SwarmCd => "swarmcd",
            Tool::DocoCd => "dococd",
            Tool::DockerSdp => "dockersdp",
        }
    }

    /// The arguments of the client between `stack deploy` and the file.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Tool::Docker => &["--resolve-image", "never"],
            Tool::Portainer => &["--prune", "--with-registry-auth", "--resolve-image=never"],
            // All of these ask the registry, which the lab does not have.
            Tool::SwarmCd | Tool::DocoCd | Tool::DockerSdp => &["--with-registry-auth", "--resolve-image", "never"],
        }
    }

    /// The file that is deployed, and the full name that an object of this key and file has then.
    pub fn rewrite(self, text: &str, stack: &str, directory: &Path) -> String {
        let mut document: Value = serde_yaml::from_str(text).expect("YAML");
        let root = document.as_mapping_mut().expect("a mapping");
        for section in ["configs", "secrets"] {
            let mut renamed = Vec::new();
            for (key, object) in mapping(root, section) {
                let key = key.as_str().expect("a key").to_owned();
                let object = object.as_mapping_mut().expect("a mapping");
                let file = directory.join(object["file"].as_str().expect("a file"));
                object.insert("file".into(), file.display().to_string().into());
                match self.object_name(stack, &key, &file) {
                    Some(name) if self == Tool::DockerSdp => {
                        let new = name.strip_prefix(&format!("{stack}_")).expect("docker puts it in front");
                        renamed.push((key, new.to_owned()));
                    }
                    Some(name) => drop(object.insert("name".into(), name.into())),
                    None => {}
                }
            }
            for (old, new) in renamed {
                let object = mapping(root, section).remove(old.as_str()).expect("the key");
                mapping(root, section).insert(new.as_str().into(), object);
                refer(root, section, &old, &new);
            }
        }
        if self == Tool::DocoCd {
            keep_books(root, stack, directory);
        }
        serde_yaml::to_string(&document).expect("YAML")
    }

    /// The full name of a config or secret, where it is not `<stack>_<key>`.
    pub fn object_name(self, stack: &str, key: &str, file: &Path) -> Option<String> {
        let base = file.file_name().expect("a name").to_string_lossy();
        match self {
            Tool::Docker | Tool::Portainer => None,
            Tool::SwarmCd => Some(format!("{stack}-{key}-{}", digest("md5sum", file, 8))),
            Tool::DocoCd => Some(format!("{stack}_{base}_{}", digest("sha256sum", file, 8))),
            Tool::DockerSdp => Some(format!("{stack}_{key}_{}", digest("sha1sum", file, 12))),
        }
    }
}

fn digest(program: &str, file: &Path, digits: usize) -> String {
    let output = Command::new(program).arg(file).output().expect("coreutils");
    String::from_utf8(output.stdout).expect("hexadecimal")[..digits].to_owned()
}

fn mapping<'r>(root: &'r mut Mapping, key: &str) -> &'r mut Mapping {
    root.entry(key.into()).or_insert_with(|| Mapping::new().into()).as_mapping_mut().expect("a mapping")
}

/// Every service refers to the new key.
fn refer(root: &mut Mapping, section: &str, old: &str, new: &str) {
    for (_, service) in mapping(root, "services") {
        let references = service.get_mut(section).and_then(Value::as_sequence_mut);
        for reference in references.into_iter().flatten().filter(|reference| reference["source"] == old) {
            reference["source"] = new.into();
        }
    }
}

/// The labels of `addSwarmServiceLabels`, `addSwarmVolumeLabels`, `addSwarmConfigLabels` and `addSwarmSecretLabels`.
fn keep_books(root: &mut Mapping, stack: &str, directory: &Path) {
    let directory = directory.display().to_string();
    let stable = [
        ("cd.doco.metadata.manager", "doco-cd"),
        ("cd.doco.deployment.name", stack),
        ("cd.doco.deployment.working_dir", &directory),
        ("cd.doco.deployment.config.target", ""),
        ("cd.doco.deployment.target.ref", "main"),
        ("cd.doco.source", "git"),
        ("cd.doco.source.name", "ann/fleet"),
    ];
    let moving = [
        ("cd.doco.metadata.version", "v0.110.1"),
        ("cd.doco.deployment.timestamp", "2026-08-22T17:02:54Z"),
        ("cd.doco.deployment.trigger", "poll"),
        ("cd.doco.deployment.target.sha", "0123456789abcdef0123456789abcdef01234567"),
        ("cd.doco.source.url", "https://git.example.org/ann/fleet"),
    ];
    let of_services = [
        ("cd.doco.deployment.compose.sha", "0123456789abcdef"),
        ("cd.doco.deployment.config.sha", "fedcba9876543210"),
        ("cd.doco.deployment.auto_discovery", "true"),
        ("cd.doco.deployment.auto_discovery.config", "{\"enable\":true}"),
    ];
    let label = |object: &mut Value, labels: &[(&str, &str)]| {
        if object.is_null() {
            *object = Mapping::new().into();
        }
        let of = mapping(object.as_mapping_mut().expect("a mapping"), "labels");
        of.extend(labels.iter().map(|(key, value)| (Value::from(*key), Value::from(*value))));
    };
    for (_, service) in mapping(root, "services") {
        label(service, &stable);
        let deploy = service.as_mapping_mut().expect("a mapping").entry("deploy".into()).or_insert(Value::Null);
        label(deploy, &[&stable[..], &moving, &of_services].concat());
    }
    mapping(root, "volumes").iter_mut().for_each(|(_, volume)| label(volume, &stable));
    for section in ["configs", "secrets"] {
        mapping(root, section).iter_mut().for_each(|(_, object)| label(object, &[&stable[..], &moving].concat()));
    }
}
