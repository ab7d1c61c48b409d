//! Configs and secrets: the objects, and the references to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Scope, check_name, insert, undefined};
use crate::compose::{At, CredentialSpec, FileObject, FileReference, Service};
use crate::desired::{Config, External, SecretData, names};
use crate::diag::{Diagnostic, Faults, Span, code};
use crate::model::{Kind, name};
use crate::swarm::{ConfigReference, ConfigSpec, Driver, Empty, FileTarget, SecretReference, SecretSpec};

/// Bytes the engine takes as a config.
const CONFIG_SIZE: RangeInclusive<usize> = 1..=1_023_999;
/// Bytes the engine takes as a secret.
const SECRET_SIZE: RangeInclusive<usize> = 1..=511_999;
/// Readable by all, where the file is silent.
const MODE: u32 = 0o444;

/// All configs the stack makes, referenced or not.
pub(super) fn configs(scope: Scope<'_>, faults: &mut Faults) -> BTreeMap<String, Config> {
    let mut configs = BTreeMap::new();
    for (key, At { value: file, span }) in made(&scope.compose.configs) {
        let name = object_name(scope, Kind::Config, key, file, *span, faults);
        check_content(Kind::Config, key, file, *span, faults);
        let spec = ConfigSpec {
            name: name.clone(),
            labels: scope.labels(&file.labels),
            data: file.content.as_ref().map(|content| STANDARD.encode(content.reveal())).unwrap_or_default(),
            templating: driver(file.template_driver.as_ref()),
            ..ConfigSpec::default()
        };
        insert(
            &mut configs,
            name,
            Config {
                spec,
                confidential: file.confidential,
                schemes: names::schemes(scope.stack, key, file.name.as_deref(), file.file.as_deref()),
                span: *span,
            },
            Kind::Config,
            *span,
            faults,
        );
    }
    configs
}

/// All secrets the stack makes, referenced or not.
pub(super) fn secrets(scope: Scope<'_>, faults: &mut Faults) -> BTreeMap<String, SecretData> {
    let mut secrets = BTreeMap::new();
    for (key, At { value: file, span }) in made(&scope.compose.secrets) {
        let name = object_name(scope, Kind::Secret, key, file, *span, faults);
        let store = driver(file.driver.as_ref()).map(|store| Driver { options: file.driver_opts.clone(), ..store });
        match (&store, &file.content) {
            (Some(_), Some(_)) => {
                let message = format!("secret `{key}` has a driver and a content: only one can provide it");
                faults.push(Diagnostic::error(code::CONFLICT, message).at(*span));
            }
            (Some(_), None) => {}
            (None, _) => check_content(Kind::Secret, key, file, *span, faults),
        }
        let secret = SecretData {
            spec: SecretSpec {
                name: name.clone(),
                labels: scope.labels(&file.labels),
                driver: store,
                templating: driver(file.template_driver.as_ref()),
                ..SecretSpec::default()
            },
            content: file.content.clone(),
            fingerprint: None,
            schemes: names::schemes(scope.stack, key, file.name.as_deref(), file.file.as_deref()),
            span: *span,
        };
        insert(&mut secrets, name, secret, Kind::Secret, *span, faults);
    }
    secrets
}

pub(super) fn config_references(scope: Scope<'_>, service: &Service, faults: &mut Faults) -> Vec<ConfigReference> {
    let references = references(scope, Kind::Config, &service.configs, &scope.compose.configs, faults);
    let reference =
        |(config_name, file)| ConfigReference { file: Some(file), config_name, ..ConfigReference::default() };
    let mut references: Vec<ConfigReference> = references.into_iter().map(reference).collect();
    // What is a credential spec is no file, and the engine wants to hear of it here as well.
    if let Some(At { value: CredentialSpec::Config(key), .. }) = &service.credential_spec {
        let config_name = config_name(scope, key);
        references.push(ConfigReference { runtime: Some(Empty::default()), config_name, ..ConfigReference::default() });
    }
    references
}

/// The full name of a config that a key means.
pub(super) fn config_name(scope: Scope<'_>, key: &str) -> String {
    let config = scope.compose.configs.get(key).map(|config| &config.value);
    scope.name(key, config.and_then(|config| config.name.as_deref()), config.is_some_and(|config| config.external))
}

pub(super) fn secret_references(scope: Scope<'_>, service: &Service, faults: &mut Faults) -> Vec<SecretReference> {
    let references = references(scope, Kind::Secret, &service.secrets, &scope.compose.secrets, faults);
    let reference =
        |(secret_name, file)| SecretReference { file: Some(file), secret_name, ..SecretReference::default() };
    references.into_iter().map(reference).collect()
}

/// The objects that references name and somebody else makes.
pub(super) fn external(
    scope: Scope<'_>,
    kind: Kind,
    references: &[At<FileReference>],
    definitions: &BTreeMap<String, At<FileObject>>,
) -> impl Iterator<Item = External> {
    references.iter().filter_map(move |reference| {
        let key = &reference.value.source;
        let At { value: file, span } = definitions.get(key).filter(|file| file.value.external)?;
        Some(External { kind, name: scope.name(key, file.name.as_deref(), true), span: span.or(reference.span) })
    })
}

/// Names and targets, sorted by both: `docker stack deploy` sorts by name only, and two targets of one name come out in
/// a random order, which restarts tasks.
fn references(
    scope: Scope<'_>,
    kind: Kind,
    references: &[At<FileReference>],
    definitions: &BTreeMap<String, At<FileObject>>,
    faults: &mut Faults,
) -> Vec<(String, FileTarget)> {
    let mut targets = BTreeSet::new();
    let mut found = Vec::new();
    for At { value: file, span } in references {
        let key = &file.source;
        let Some(At { value: definition, .. }) = definitions.get(key) else {
            let code = if kind == Kind::Secret { code::UNDEFINED_SECRET } else { code::UNDEFINED_CONFIG };
            faults.push(undefined(code, kind, key, definitions.keys(), *span));
            continue;
        };
        let target = file.target.clone().filter(|target| !target.is_empty()).unwrap_or_else(|| key.clone());
        if !targets.insert(target.clone()) {
            let message = format!("two {kind}s of one service have the target `{target}`");
            faults.push(Diagnostic::error(code::DUPLICATE_TARGET, message).at(*span));
        }
        let id = |text: &Option<String>| text.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| "0".to_owned());
        let place = FileTarget {
            name: target,
            uid: id(&file.uid),
            gid: id(&file.gid),
            mode: file.mode.unwrap_or(MODE),
            ..FileTarget::default()
        };
        found.push((scope.name(key, definition.name.as_deref(), definition.external), place));
    }
    found.sort_by(|(a, a_file), (b, b_file)| (a, &a_file.name).cmp(&(b, &b_file.name)));
    found
}

fn made(definitions: &BTreeMap<String, At<FileObject>>) -> impl Iterator<Item = (&String, &At<FileObject>)> {
    definitions.iter().filter(|(_, file)| !file.value.external)
}

fn object_name(
    scope: Scope<'_>,
    kind: Kind,
    key: &str,
    file: &FileObject,
    span: Option<Span>,
    faults: &mut Faults,
) -> String {
    let name = scope.name(key, file.name.as_deref(), false);
    check_name(name::check_config_name(&name), kind, key, span, faults);
    name
}

fn check_content(kind: Kind, key: &str, file: &FileObject, span: Option<Span>, faults: &mut Faults) {
    let Some(content) = &file.content else {
        let message = format!("{kind} `{key}` has no content and is not external");
        faults.push(Diagnostic::error(code::MISSING_KEY, message).at(span));
        return;
    };
    let allowed = if kind == Kind::Secret { SECRET_SIZE } else { CONFIG_SIZE };
    let message = match content.reveal().len() {
        length if allowed.contains(&length) => return,
        0 => format!("{kind} `{key}` is empty, which the engine refuses"),
        length => format!("{kind} `{key}` has {length} bytes, the engine takes at most {}", allowed.end()),
    };
    faults.push(Diagnostic::error(code::CONTENT_SIZE, message).at(span));
}

fn driver(name: Option<&String>) -> Option<Driver> {
    let name = name.filter(|name| !name.is_empty())?.clone();
    Some(Driver { name, ..Driver::default() })
}
