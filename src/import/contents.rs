//! Configs and secrets: the objects of the stack, what it refers to, and the contents that can be read.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;

use super::file::{Content, Reference};
use super::keys::Keys;
use super::{Placing, Request, is_of, own_labels};
use crate::desired::names::{of_config, suffix, versioned};
use crate::diag::{Diagnostic, Faults, code};
use crate::model::{StackName, label};
use crate::swarm::{Config, ConfigReference, FileTarget, SecretObject, SecretReference, Service};
use crate::yaml::Octal;

/// Readable by all, where the file is silent.
const MODE: u32 = 0o444;
/// Where the contents of configs lie.
const DIRECTORY: &str = "configs";

/// Files with their contents, by path.
type Beside = Vec<(String, Vec<u8>)>;

/// The configs and secrets of a file.
pub(super) struct Contents<'a> {
    stack: &'a StackName,
    placing: Placing,
    configs: Kind,
    secrets: Kind,
    beside: Beside,
}

/// One of the two kinds.
#[derive(Default)]
struct Kind {
    given: Keys,
    /// Keys by name.
    keys: BTreeMap<String, String>,
    definitions: IndexMap<String, Content>,
}

impl<'a> Contents<'a> {
    /// Those that carry the stack's label, whether a service refers to them or not, and those that its services refer to.
    pub fn new(request: &Request<'a>, services: &[&Service], faults: &mut Faults) -> Self {
        let containers = || services.iter().filter_map(|service| service.spec.task_template.container_spec.as_ref());
        let configs: BTreeSet<&str> =
            containers().flat_map(|it| &it.configs).map(|reference| reference.config_name.as_str()).collect();
        let secrets: BTreeSet<&str> =
            containers().flat_map(|it| &it.secrets).map(|reference| reference.secret_name.as_str()).collect();
        let mut contents = Self {
            stack: request.stack,
            placing: request.placing,
            configs: Kind::default(),
            secrets: Kind::default(),
            beside: Beside::new(),
        };
        let mut live: Vec<&Config> = request.live.configs.iter().map(|config| &**config).collect();
        // What is in use has the first choice of keys.
        live.sort_by_key(|config| (!configs.contains(config.spec.name.as_str()), config.spec.name.as_str()));
        for config in live.into_iter().filter(|config| is_of(&config.spec.labels, request.stack)) {
            contents.add_config(config, faults);
        }
        let mut live: Vec<&SecretObject> = request.live.secrets.iter().map(|secret| &**secret).collect();
        live.sort_by_key(|secret| (!secrets.contains(secret.spec.name.as_str()), secret.spec.name.as_str()));
        for secret in live.into_iter().filter(|secret| is_of(&secret.spec.labels, request.stack)) {
            contents.add_secret(secret);
        }
        configs.into_iter().for_each(|name| contents.configs.add_external(name, name));
        secrets.into_iter().for_each(|name| contents.secrets.add_external(name, name));
        contents
    }

    fn add_config(&mut self, live: &Config, faults: &mut Faults) {
        let spec = &live.spec;
        let Ok(data) = STANDARD.decode(&spec.data) else { return self.configs.add_external(&spec.name, &spec.name) };
        let plain = self.plain(&spec.name, &spec.data, spec.templating.as_ref().map(|driver| driver.name.as_str()));
        let key = self.configs.give(&spec.name, self.stack.descope(plain));
        let mut content = Content {
            name: (self.stack.scope(&key) != plain).then(|| spec.name.clone()),
            template_driver: spec.templating.as_ref().map(|driver| driver.name.clone()).unwrap_or_default(),
            labels: own_labels(&spec.labels, self.stack),
            ..Content::default()
        };
        match (self.placing, String::from_utf8(data)) {
            (Placing::Inline, Ok(text)) => content.content = Some(text),
            (Placing::Inline, Err(_)) => {
                faults.push(binary(&spec.name));
                content = Content { name: Some(spec.name.clone()), external: true, ..Content::default() };
            }
            (Placing::Files, read) => {
                let path = format!("{DIRECTORY}/{key}");
                content.file = Some(format!("./{path}"));
                self.beside.push((path, read.map_or_else(|error| error.into_bytes(), String::into_bytes)));
            }
        }
        self.configs.definitions.insert(key, content);
    }

    /// The name that a config has in a file: without the hash that skep itself put behind it. Others' hashes stay, since
    /// nobody here knows how they are made.
    fn plain<'n>(&self, name: &'n str, data: &str, driver: Option<&str>) -> &'n str {
        let hash = of_config(data, driver);
        let plain = name.rsplit_once('-').map(|(plain, _)| plain);
        let is_ours =
            |plain: &&str| versioned(plain, suffix(hash.as_str())) == name && self.stack.descope(plain) != *plain;
        plain.filter(is_ours).unwrap_or(name)
    }

    /// A secret can be made again only where a store has it; any other is used as it is.
    fn add_secret(&mut self, live: &SecretObject) {
        let spec = &live.spec;
        let key = self.secrets.give(&spec.name, self.stack.descope(&spec.name));
        let Some(driver) = &spec.driver else {
            let name = (key != spec.name).then(|| spec.name.clone());
            self.secrets.definitions.insert(key, Content { name, external: true, ..Content::default() });
            return;
        };
        let mut labels = own_labels(&spec.labels, self.stack);
        labels.remove(label::FINGERPRINT);
        let content = Content {
            name: (self.stack.scope(&key) != spec.name).then(|| spec.name.clone()),
            driver: driver.name.clone(),
            driver_opts: driver.options.clone(),
            template_driver: spec.templating.as_ref().map(|driver| driver.name.clone()).unwrap_or_default(),
            labels,
            ..Content::default()
        };
        self.secrets.definitions.insert(key, content);
    }

    /// The key of a config.
    pub fn config(&self, name: &str) -> String {
        self.configs.key(name)
    }

    /// What a service says of its configs. A credential spec is said elsewhere.
    pub fn configs(&self, live: &[ConfigReference]) -> Vec<Reference> {
        let files = live.iter().filter_map(|it| Some((&it.config_name, it.file.as_ref()?)));
        files.map(|(name, file)| reference(self.configs.key(name), file)).collect()
    }

    /// What a service says of its secrets.
    pub fn secrets(&self, live: &[SecretReference]) -> Vec<Reference> {
        let files = live.iter().filter_map(|it| Some((&it.secret_name, it.file.as_ref()?)));
        files.map(|(name, file)| reference(self.secrets.key(name), file)).collect()
    }

    /// The definitions of configs and secrets by key, and the files beside the stack file.
    pub fn into_definitions(mut self) -> (IndexMap<String, Content>, IndexMap<String, Content>, Beside) {
        self.configs.definitions.sort_unstable_keys();
        self.secrets.definitions.sort_unstable_keys();
        self.beside.sort();
        (self.configs.definitions, self.secrets.definitions, self.beside)
    }
}

impl Kind {
    /// A key for a name, as near to `wish` as there is one.
    fn give(&mut self, name: &str, wish: &str) -> String {
        let key = self.given.give(wish);
        self.keys.insert(name.to_owned(), key.clone());
        key
    }

    fn add_external(&mut self, name: &str, wish: &str) {
        if self.keys.contains_key(name) {
            return;
        }
        let key = self.give(name, wish);
        let name = (key != name).then(|| name.to_owned());
        self.definitions.insert(key, Content { name, external: true, ..Content::default() });
    }

    fn key(&self, name: &str) -> String {
        self.keys.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }
}

/// A key alone where it says everything.
fn reference(key: String, file: &FileTarget) -> Reference {
    let id = |id: &String| (id != "0").then(|| id.clone());
    let target = (file.name != key).then(|| file.name.clone());
    let (uid, gid) = (id(&file.uid), id(&file.gid));
    let mode = (file.mode != MODE).then_some(Octal(file.mode));
    if target.is_none() && uid.is_none() && gid.is_none() && mode.is_none() {
        return Reference::Short(key);
    }
    Reference::Long { source: key, target, uid, gid, mode }
}

fn binary(name: &str) -> Diagnostic {
    let message = format!("config {name} is not text, so it cannot stand in the stack file and is external there");
    Diagnostic::warning(code::IMPORT_LEFT_OUT, message).hint("`--out DIR` writes contents to files beside it")
}
