//! Top-level networks, volumes, configs and secrets.

use std::collections::BTreeMap;

use super::context::MAX_CONTENT;
use super::keys;
use super::{Context, FileObject, Ipam, Network, Volume, cast};
use crate::diag::{Diagnostic, code};
use crate::model::{FileError, Kind, Secret};
use crate::yaml::{Fields, View};

/// A network.
pub(super) fn network(view: View<'_>) -> Option<Network> {
    if view.is_null() {
        return Some(Network::default());
    }
    let mut fields = view.fields()?;
    let (external, name) = external(&mut fields);
    let network = Network {
        name,
        external,
        driver: fields.text("driver"),
        driver_opts: fields.take("driver_opts").and_then(cast::options).unwrap_or_default(),
        internal: fields.take("internal").and_then(cast::boolean).unwrap_or(false),
        attachable: fields.take("attachable").and_then(cast::boolean).unwrap_or(false),
        ipam: fields.take("ipam").and_then(ipam),
        labels: fields.take("labels").and_then(cast::labels).unwrap_or_default(),
    };
    keys::refuse(&mut fields, keys::NETWORK);
    done(fields);
    Some(network)
}

fn ipam(view: View<'_>) -> Option<Ipam> {
    let mut fields = view.fields()?;
    let subnet = |view: View<'_>| {
        let mut fields = view.fields()?;
        let subnet = fields.take("subnet").and_then(subnet);
        keys::refuse(&mut fields, keys::SUBNET);
        done(fields);
        subnet
    };
    let ipam = Ipam { driver: fields.text("driver"), subnets: fields.list("config", subnet).unwrap_or_default() };
    keys::refuse(&mut fields, keys::IPAM);
    done(fields);
    Some(ipam)
}

/// A subnet in CIDR form.
fn subnet(view: View<'_>) -> Option<String> {
    let text = view.str()?;
    let valid = text.split_once('/').is_some_and(|(address, bits)| {
        let most = if address.contains(':') { 128 } else { 32 };
        address.parse::<std::net::IpAddr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    });
    if !valid {
        let fault = view.invalid_diagnostic(format_args!("`{text}` is not a subnet"));
        view.fault(fault.hint("subnets are written as in `10.20.0.0/24`"));
        return None;
    }
    Some(text.to_owned())
}

/// A volume.
pub(super) fn volume(view: View<'_>) -> Option<Volume> {
    if view.is_null() {
        return Some(Volume::default());
    }
    let mut fields = view.fields()?;
    let (external, name) = external(&mut fields);
    let mut volume = Volume { name, external, ..Volume::default() };
    let said = ["driver", "driver_opts", "labels"].map(|key| fields.take(key));
    for key in said.iter().flatten().filter(|_| external) {
        let message = format!("{}: an external volume takes no other key", key.name());
        key.fault(Diagnostic::error(code::CONFLICT, message).at(key.key_span()));
    }
    let [driver, options, labels] = said;
    volume.driver = driver.and_then(|view| view.text());
    volume.driver_opts = options.and_then(cast::options).unwrap_or_default();
    volume.labels = labels.and_then(cast::labels).unwrap_or_default();
    done(fields);
    Some(volume)
}

/// A config or a secret, its file read.
pub(super) fn file_object(view: View<'_>, kind: Kind, context: &Context<'_>) -> Option<FileObject> {
    if view.is_null() {
        let message = format!("{} needs the key `file`", view.name());
        view.fault(Diagnostic::error(code::MISSING_KEY, message).at(view.key_span()));
        return None;
    }
    let mut fields = view.fields()?;
    let (external, name) = external(&mut fields);
    let mut object = FileObject { name, external, ..FileObject::default() };
    let file = fields.take("file");
    object.labels = fields.take("labels").and_then(cast::labels).unwrap_or_default();
    object.template_driver = fields.text("template_driver");
    if kind == Kind::Secret {
        object.driver = fields.text("driver");
        object.driver_opts = fields.take("driver_opts").and_then(cast::options).unwrap_or_default();
    }
    let refused = keys::FILE_OBJECT.iter().any(|(key, _)| fields.has(key));
    keys::refuse(&mut fields, keys::FILE_OBJECT);
    let provided = external || object.driver.is_some();
    match file {
        Some(file) if object.driver.is_some() => {
            let message = format!("{}: a secret has a `driver` or a `file`, not both", view.name());
            view.fault(Diagnostic::error(code::CONFLICT, message).at(file.key_span()));
        }
        Some(file) if !external => object.content = file.str().and_then(|path| content(&file, path, kind, context)),
        Some(_) => {}
        None if provided || refused => {}
        None => {
            let message = format!("{} needs the key `file`", view.name());
            view.fault(Diagnostic::error(code::MISSING_KEY, message).at(view.key_span()));
        }
    }
    done(fields);
    Some(object)
}

/// Reads a file, within the engine's bounds for one object.
fn content(view: &View<'_>, path: &str, kind: Kind, context: &Context<'_>) -> Option<Secret<Vec<u8>>> {
    let files = context.input.files;
    // swarmkit: 500 KiB for a secret, 1000 KiB for a config, both exclusive, and never nothing.
    let limit = if kind == Kind::Secret { 500 * 1024 } else { 1000 * 1024 };
    match files.locate(context.dir, path).and_then(|path| files.read(&path)) {
        Ok(bytes) if bytes.is_empty() => {
            view.invalid(format_args!("`{path}` is empty, and the engine takes no empty {kind}"));
            None
        }
        Ok(bytes) if bytes.len() >= limit => {
            view.invalid(format_args!(
                "`{path}` has {} bytes, and the engine takes less than {limit} for a {kind}",
                bytes.len()
            ));
            None
        }
        Ok(bytes) if !context.spend_content(bytes.len()) => {
            let message = format!("{}: the files of the stack fill more than {} MiB", view.name(), MAX_CONTENT >> 20);
            view.fault(Diagnostic::error(code::YAML_BOUNDS, message).at(view.span()));
            None
        }
        Ok(bytes) => Some(Secret::new(bytes)),
        Err(error) => {
            let code = match error {
                FileError::Outside | FileError::Link => code::FILE_OUTSIDE,
                _ => code::FILE_UNREADABLE,
            };
            let message = format!("{}: `{path}` cannot be read: {error}", view.name());
            view.fault(Diagnostic::error(code, message).at(view.span()));
            None
        }
    }
}

/// `external` and `name`: whether somebody else makes it, and under which name. `external: { name: … }` is the old form.
fn external(fields: &mut Fields<'_>) -> (bool, Option<String>) {
    let name = fields.take("name");
    let named = name.and_then(|name| name.text()).filter(|name| !name.is_empty());
    let Some(external) = fields.take("external") else { return (false, named) };
    if external.node().mapping().is_none() {
        return (cast::boolean(external).unwrap_or(false), named);
    }
    let Some(mut inner) = external.fields() else { return (true, named) };
    let old = inner.take("name");
    let old_name = old.and_then(|name| name.text());
    if let (Some(old), Some(_)) = (old, name) {
        let message = format!("{} and `name` say the same thing twice", old.name());
        external.fault(Diagnostic::error(code::CONFLICT, message).at(old.key_span()));
    }
    done(inner);
    (true, old_name.or(named))
}

fn done(mut fields: Fields<'_>) {
    extensions(&mut fields);
    fields.finish();
}

/// Accepts `x-` keys; `x-skep` is skep's own and a mapping.
pub(super) fn extensions(fields: &mut Fields<'_>) {
    if let Some(own) = fields.take_hidden("x-skep")
        && !own.is_null()
        && own.node().mapping().is_none()
    {
        own.wrong_type("a mapping");
    }
    fields.accept_extensions();
}

/// Objects by their keys, with their places.
pub(super) fn section<T>(
    root: &mut Fields<'_>,
    key: &'static str,
    mut read: impl FnMut(View<'_>) -> Option<T>,
) -> BTreeMap<String, super::At<T>> {
    let Some(view) = root.take(key) else { return BTreeMap::new() };
    let object = |name: &str, view: View<'_>| {
        check_key(name, &view);
        read(view).map(|object| super::At::new(object, view.key_span()))
    };
    view.entries(object).unwrap_or_default()
}

/// The form Docker's schema wants of a key.
fn check_key(key: &str, view: &View<'_>) {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if key.is_empty() || !key.chars().all(valid) {
        let message = format!("the name `{key}` may hold only letters, digits, `.`, `_` and `-`");
        view.fault(Diagnostic::error(code::INVALID_NAME, message).at(view.key_span()));
    }
}
