//! Top-level networks, volumes, configs and secrets.

use std::collections::BTreeMap;

use super::content::{foreign, pointer};
use super::context::MAX_CONTENT;
use super::keys;
use super::own::{self, Own, Place};
use super::{Context, FileObject, Ipam, Network, Pool, Volume, cast};
use crate::diag::{Diagnostic, Faults, code};
use crate::model::{FileError, Kind, Secret};
use crate::sops;
use crate::yaml::{Fields, View};

/// A network.
pub(super) fn network(view: View<'_>) -> Option<Network> {
    if view.is_null() {
        return Some(Network::default());
    }
    let mut fields = view.fields()?;
    let (external, name) = external(&mut fields);
    let mut network = Network {
        name,
        external,
        driver: fields.text("driver"),
        driver_opts: fields.take("driver_opts").and_then(cast::options).unwrap_or_default(),
        internal: fields.take("internal").and_then(cast::boolean).unwrap_or(false),
        attachable: fields.take("attachable").and_then(cast::boolean).unwrap_or(false),
        enable_ipv6: fields.take("enable_ipv6").and_then(cast::boolean).unwrap_or(false),
        ipam: fields.take("ipam").and_then(ipam),
        labels: fields.take("labels").and_then(cast::labels).unwrap_or_default(),
        own: Own::default(),
    };
    if let Some(view) = fields.take("enable_ipv4")
        && cast::boolean(view) == Some(false)
    {
        let message = format!("{}: tasks of a swarm always have IPv4 addresses", view.name());
        view.fault(Diagnostic::error(code::COMPOSE_UNSUPPORTED, message).at(view.span()).hint("leave it out"));
    }
    network.own = done(fields, Place::Object);
    Some(network)
}

fn ipam(view: View<'_>) -> Option<Ipam> {
    let mut fields = view.fields()?;
    let ipam = Ipam {
        driver: fields.text("driver"),
        options: fields.take("options").filter(|view| !view.is_null()).and_then(cast::options).unwrap_or_default(),
        pools: fields.list("config", pool).unwrap_or_default(),
    };
    finish(fields);
    Some(ipam)
}

fn pool(view: View<'_>) -> Option<Pool> {
    let mut fields = view.fields()?;
    let pool = Pool {
        subnet: fields.take("subnet").and_then(subnet).unwrap_or_default(),
        ip_range: fields.take("ip_range").and_then(subnet).unwrap_or_default(),
        gateway: fields.take("gateway").and_then(address).unwrap_or_default(),
    };
    keys::refuse(&mut fields, keys::SUBNET);
    finish(fields);
    if pool.subnet.is_empty() && !(pool.ip_range.is_empty() && pool.gateway.is_empty()) {
        let message = format!("{} needs the key `subnet`", view.name());
        view.fault(Diagnostic::error(code::MISSING_KEY, message).at(view.span()));
    }
    // A pool that says nothing is none.
    (pool != Pool::default()).then_some(pool)
}

/// An address.
fn address(view: View<'_>) -> Option<String> {
    let text = view.str()?;
    if text.parse::<std::net::IpAddr>().is_err() {
        let fault = view.invalid_diagnostic(format_args!("`{text}` is not an IP address"));
        view.fault(fault.hint("addresses are written as in `10.20.0.1`"));
        return None;
    }
    Some(text.to_owned())
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
    volume.own = done(fields, Place::Volume);
    Some(volume)
}

/// A config or a secret, its file read.
pub(super) fn file_object(view: View<'_>, kind: Kind, context: &Context<'_>) -> Option<FileObject> {
    if view.is_null() {
        missing_content(&view, kind);
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
    let written = fields.take("content");
    let variable = fields.take("environment");
    let said: Vec<View<'_>> = [file, written, variable].into_iter().flatten().collect();
    match said.as_slice() {
        [first, ..] if object.driver.is_some() => {
            let message = format!("{}: a secret has a `driver` or a content, not both", view.name());
            view.fault(Diagnostic::error(code::CONFLICT, message).at(first.key_span()));
        }
        [_, second, ..] => {
            let message =
                format!("{}: only one of `file`, `content` and `environment` says what is in it", view.name());
            view.fault(Diagnostic::error(code::CONFLICT, message).at(second.key_span()));
        }
        [first] if external => {
            // Docker looks for the file no more than skep does; the other two it does not know.
            if let Some(file) = file {
                file.str();
            } else {
                let message = format!("{}: what others make has no content here", view.name());
                view.fault(Diagnostic::error(code::CONFLICT, message).at(first.key_span()));
            }
        }
        [_] => {
            object.file = file.and_then(|file| file.node().scalar()?.text.rsplit('/').next().map(str::to_owned));
            let found = match (file, written, variable) {
                (Some(file), ..) => file.str().and_then(|path| content(&file, path, kind, context)),
                (_, Some(text), _) => inline(&text, kind),
                (_, _, Some(name)) => from_variable(&name, kind, context),
                _ => None,
            };
            (object.content, object.confidential) =
                found.map_or((None, false), |(bytes, hidden)| (Some(bytes), hidden));
        }
        [] if external || object.driver.is_some() => {}
        [] => missing_content(&view, kind),
    }
    object.own = done(fields, Place::Object);
    Some(object)
}

fn missing_content(view: &View<'_>, kind: Kind) {
    let message = format!("{} says nothing of its content", view.name());
    let fault = Diagnostic::error(code::MISSING_KEY, message).at(view.key_span());
    view.fault(fault.hint(format!("name a `file`, or write `external: true` where somebody else makes the {kind}")));
}

/// `content:`, in the stack file itself. A secret there can be read by whoever reads the file, unless that is encrypted.
fn inline(view: &View<'_>, kind: Kind) -> Option<(Secret<Vec<u8>>, bool)> {
    let text = view.str()?;
    let hidden = view.node().scalar().is_some_and(|scalar| scalar.secret);
    if kind == Kind::Secret && !hidden {
        let message = format!("{}: a secret in plain text is known to whoever can read this file", view.name());
        let fault = Diagnostic::warning(code::SECRET_PLAIN, message).at(view.key_span());
        view.fault(fault.hint("put it into an encrypted file and name that with `file`"));
    }
    if text.is_empty() {
        view.invalid(format_args!("the engine takes no empty {kind}"));
        return None;
    }
    bounded(view, text, kind).map(|bytes| (bytes, hidden))
}

/// `environment:`, the value of a variable.
fn from_variable(view: &View<'_>, kind: Kind, context: &Context<'_>) -> Option<(Secret<Vec<u8>>, bool)> {
    let name = view.str()?;
    match context.units.of(view.span()).variables.find(name) {
        Some(found) if !found.value.is_empty() => bounded(view, found.value, kind).map(|bytes| (bytes, found.secret)),
        found => {
            let state = if found.is_some() { "is empty" } else { "is not defined" };
            let message =
                format!("{}: the variable `{name}` {state}, and the engine takes no empty {kind}", view.name());
            view.fault(Diagnostic::error(code::VARIABLE_UNDEFINED, message).at(view.span()));
            None
        }
    }
}

fn bounded(view: &View<'_>, text: &str, kind: Kind) -> Option<Secret<Vec<u8>>> {
    let limit = size_limit(kind);
    if text.len() >= limit {
        view.invalid(format_args!("it has {} bytes, and the engine takes less than {limit} for a {kind}", text.len()));
        return None;
    }
    Some(Secret::new(text.as_bytes().to_vec()))
}

/// swarmkit: 500 KiB for a secret, 1000 KiB for a config, both exclusive, and never nothing.
fn size_limit(kind: Kind) -> usize {
    if kind == Kind::Secret { 500 * 1024 } else { 1000 * 1024 }
}

/// Says what was found of a file that holds no content of its own; whether it must not be used.
fn refuses(view: &View<'_>, found: Option<Diagnostic>, context: &Context<'_>) -> bool {
    let mut faults = Faults::new();
    let refuses = super::content::refuses(context.input, found, Some(view.span()), &mut faults);
    faults.into_sorted().into_iter().for_each(|fault| view.fault(fault));
    refuses
}

/// Reads a file, within the engine's bounds for one object; decrypted, and then hidden, if it is encrypted.
fn content(view: &View<'_>, path: &str, kind: Kind, context: &Context<'_>) -> Option<(Secret<Vec<u8>>, bool)> {
    let files = context.input.files;
    let located = files.locate(&context.units.of(view.span()).dir, path);
    let found = located.as_ref().ok().and_then(|located| foreign(files, located));
    if refuses(view, found, context) {
        return None;
    }
    let limit = size_limit(kind);
    let mut hidden = false;
    let mut read = located.as_ref().map_err(Clone::clone).and_then(|located| files.read(located));
    if let (Ok(located), Ok(bytes)) = (&located, &mut read) {
        if refuses(view, pointer(located, bytes), context) {
            return None;
        }
        match sops::open(bytes, path, context.input.keys) {
            Ok(None) => {}
            Ok(Some(opened)) => {
                hidden = true;
                bytes.clone_from(opened.content.reveal());
                context.confidential.borrow_mut().extend(&opened.confidential);
            }
            Err(fault) => {
                view.fault(fault.at(view.span()));
                return None;
            }
        }
    }
    match read {
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
        Ok(bytes) => Some((Secret::new(bytes), hidden)),
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
    finish(inner);
    (true, old_name.or(named))
}

/// Reads what skep's own key says, the last of all.
fn done(mut fields: Fields<'_>, place: Place) -> Own {
    let own = own::read(&mut fields, place);
    fields.finish();
    own
}

fn finish(mut fields: Fields<'_>) {
    fields.accept_extensions();
    fields.finish();
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
