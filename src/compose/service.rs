//! One service.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;

use super::context::MAX_PORTS;
use super::keys;
use super::mount;
use super::{
    At, Context, FileReference, Healthcheck, Logging, Mode, Mount, Port, Service, ServiceNetwork, Ulimit, cast, deploy,
    port, shell,
};
use crate::diag::{Diagnostic, code};
use crate::yaml::{Fields, Value, View};

/// Reads a service.
pub(super) fn decode(name: &str, view: View<'_>, context: &Context<'_>) -> Option<Service> {
    check_name(name, &view);
    let mut fields = view.fields()?;
    let flag = |view: View<'_>| cast::boolean(view);
    let service = Service {
        image: fields.take("image").and_then(|image| Some(At::new(image.text()?, image.span()))),
        command: fields.take("command").and_then(command),
        entrypoint: fields.take("entrypoint").and_then(command),
        environment: fields.take("environment").and_then(cast::pairs).unwrap_or_default(),
        labels: fields.take("labels").and_then(cast::labels).unwrap_or_default(),
        hostname: fields.text("hostname"),
        working_dir: fields.text("working_dir"),
        user: fields.text("user"),
        stop_signal: fields.text("stop_signal"),
        stop_grace_period: fields.take("stop_grace_period").and_then(|view| deploy::duration(&view)),
        tty: fields.take("tty").and_then(flag).unwrap_or(false),
        stdin_open: fields.take("stdin_open").and_then(flag).unwrap_or(false),
        read_only: fields.take("read_only").and_then(flag).unwrap_or(false),
        init: fields.take("init").and_then(flag),
        isolation: fields.text("isolation"),
        extra_hosts: fields.take("extra_hosts").map(|view| extra_hosts(&view)).unwrap_or_default(),
        dns: fields.take("dns").and_then(cast::texts),
        dns_search: fields.take("dns_search").and_then(cast::texts),
        sysctls: fields.take("sysctls").and_then(cast::labels).unwrap_or_default(),
        cap_add: fields.texts("cap_add").unwrap_or_default(),
        cap_drop: fields.texts("cap_drop").unwrap_or_default(),
        ulimits: fields.take("ulimits").and_then(|view| view.entries(|_, limit| ulimit(limit))).unwrap_or_default(),
        healthcheck: at(&mut fields, "healthcheck", healthcheck),
        logging: at(&mut fields, "logging", logging),
        ports: ports(&mut fields, context),
        volumes: volumes(&mut fields, context),
        networks: fields.take("networks").map(networks).unwrap_or_default(),
        configs: references(&mut fields, "configs"),
        secrets: references(&mut fields, "secrets"),
        restart: at(&mut fields, "restart", restart),
        depends_on: fields.take("depends_on").map(depends_on).unwrap_or_default(),
        deploy: fields.take("deploy").and_then(deploy::decode).unwrap_or_default(),
    };
    let image = service.image.as_ref().map(|image| image.value.trim());
    if image.is_none_or(str::is_empty) && !view.node().mapping().is_some_and(|keys| misread_image(keys)) {
        let message = format!("{} has no image", view.name());
        view.fault(Diagnostic::error(code::NO_IMAGE, message).at(view.key_span()).hint("name one under `image`"));
    }
    if let Some(restart) = &service.restart {
        check_restart(restart, &service, &view);
    }
    keys::refuse(&mut fields, keys::SERVICE);
    super::object::extensions(&mut fields);
    fields.finish();
    Some(service)
}

/// Whether `image` is there and was already reported to be no text.
fn misread_image(keys: &crate::yaml::Mapping) -> bool {
    keys.find("image").is_some_and(|image| image.value.describe() != "text")
}

/// A service's key is a part of its name, for which the engine's rule holds.
fn check_name(name: &str, view: &View<'_>) {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(valid) || !name.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        let message = format!(
            "the service name `{name}` may hold only letters, digits, `-` and `_`, and ends with a letter or digit"
        );
        view.fault(Diagnostic::error(code::INVALID_NAME, message).at(view.key_span()));
    }
}

fn at<T>(fields: &mut Fields<'_>, key: &'static str, read: impl FnOnce(View<'_>) -> Option<T>) -> Option<At<T>> {
    let view = fields.take(key)?;
    read(view).map(|value| At::new(value, view.span()))
}

fn done(mut fields: Fields<'_>) {
    fields.accept_extensions();
    fields.finish();
}

/// `command` and `entrypoint`: a list, or a text that is split as a shell would. Null is silence.
fn command(view: View<'_>) -> Option<At<Vec<String>>> {
    if view.is_null() {
        return None;
    }
    let words = match view.node().value {
        Value::Scalar(_) => match shell::split(view.str()?) {
            Ok(words) => words,
            Err(error) => {
                view.invalid(error);
                return None;
            }
        },
        _ => view.texts()?,
    };
    Some(At::new(words, view.span()))
}

/// `host:ip` or `host=ip`, or a mapping of them.
fn extra_hosts(view: &View<'_>) -> Vec<(String, String)> {
    let bare = |ip: &str| ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip).to_owned();
    if view.node().mapping().is_some() {
        let mut hosts: Vec<(String, String)> = view
            .entries(|_, ip| if ip.is_null() { None } else { cast::texts(ip) })
            .map(|hosts: Vec<(String, Vec<String>)>| hosts)
            .unwrap_or_default()
            .into_iter()
            .flat_map(|(host, ips)| ips.into_iter().map(move |ip| (host.clone(), bare(&ip))))
            .collect();
        hosts.sort_by_cached_key(|(host, ip)| format!("{host}:{ip}"));
        return hosts;
    }
    let line = |item: View<'_>| {
        let text = item.str()?;
        let found = text.split_once('=').or_else(|| text.split_once(':'));
        if found.is_none() {
            let fault = item.invalid_diagnostic(format_args!("`{text}` names no address"));
            item.fault(fault.hint("hosts are written as in `db:10.0.0.5`"));
        }
        found.map(|(host, ip)| (host.to_owned(), bare(ip)))
    };
    view.list(line).unwrap_or_default()
}

fn ulimit(view: View<'_>) -> Option<Ulimit> {
    if view.node().mapping().is_none() {
        return cast::integer(view).map(|limit| Ulimit { soft: limit, hard: limit });
    }
    let mut fields = view.fields()?;
    let soft = fields.require("soft").and_then(cast::integer);
    let hard = fields.require("hard").and_then(cast::integer);
    done(fields);
    Some(Ulimit { soft: soft?, hard: hard? })
}

fn healthcheck(view: View<'_>) -> Option<Healthcheck> {
    let mut fields = view.fields()?;
    let test = fields.take("test");
    let duration = |view: View<'_>| deploy::duration(&view);
    let healthcheck = Healthcheck {
        disable: fields.take("disable").and_then(cast::boolean).unwrap_or(false),
        test: test.and_then(health_test).unwrap_or_default(),
        interval: fields.take("interval").and_then(duration),
        timeout: fields.take("timeout").and_then(duration),
        start_period: fields.take("start_period").and_then(duration),
        start_interval: fields.take("start_interval").and_then(duration),
        retries: fields.take("retries").and_then(cast::integer),
    };
    done(fields);
    if healthcheck.disable && !healthcheck.test.is_empty() {
        let message = format!("{}: `test` and `disable` exclude each other", view.name());
        view.fault(Diagnostic::error(code::CONFLICT, message).at(test.map(|test| test.key_span())));
    }
    Some(healthcheck)
}

fn health_test(view: View<'_>) -> Option<Vec<String>> {
    if view.node().scalar().is_some() {
        return Some(vec!["CMD-SHELL".to_owned(), view.text()?]);
    }
    let test = view.texts()?;
    if test.first().is_some_and(|first| !matches!(first.as_str(), "NONE" | "CMD" | "CMD-SHELL")) {
        let message = format!("{}: the engine runs no check whose first word is not `CMD` or `CMD-SHELL`", view.name());
        view.fault(Diagnostic::warning(code::INVALID_VALUE, message).at(view.span()).hint("put `CMD` before it"));
    }
    Some(test)
}

fn logging(view: View<'_>) -> Option<Logging> {
    let mut fields = view.fields()?;
    let logging = Logging {
        driver: fields.text("driver"),
        options: fields.take("options").filter(|view| !view.is_null()).and_then(cast::options).unwrap_or_default(),
    };
    done(fields);
    Some(logging)
}

/// The ports, each once. The engine refuses two that are published under one number.
fn ports(fields: &mut Fields<'_>, context: &Context<'_>) -> Vec<At<Port>> {
    let Some(view) = fields.take("ports") else { return Vec::new() };
    let mut ports: Vec<At<Port>> = Vec::new();
    let mut published: HashMap<(u32, String), usize> = HashMap::new();
    let mut add = |port: At<Port>| {
        let protocol = if port.value.protocol.is_empty() { "tcp" } else { port.value.protocol.as_str() };
        let key = (port.value.published, protocol.to_owned());
        let first = if key.0 == 0 { None } else { published.get(&key).and_then(|at| ports.get(*at)) };
        match first {
            None => {
                published.insert(key, ports.len());
                ports.push(port);
            }
            Some(first) if *first == port => {}
            Some(first) => {
                let message = format!("{}: the port {}/{protocol} is published twice", view.name(), key.0);
                let fault = Diagnostic::error(code::DUPLICATE_PORT, message).at(port.span);
                view.fault(match first.span {
                    Some(span) => fault.related(span, "first here"),
                    None => fault,
                });
            }
        }
    };
    let read = |item: View<'_>| {
        let expanded = port::decode(item)?;
        if !context.spend_ports(expanded.len()) {
            let message = format!("{}: the stack publishes more than {MAX_PORTS} ports", item.name());
            item.fault(Diagnostic::error(code::YAML_BOUNDS, message).at(item.span()));
            return None;
        }
        expanded.into_iter().for_each(&mut add);
        Some(())
    };
    view.list(read);
    ports
}

/// The mounts, their bind sources resolved, no two at one path.
fn volumes(fields: &mut Fields<'_>, context: &Context<'_>) -> Vec<At<Mount>> {
    let Some(view) = fields.take("volumes") else { return Vec::new() };
    let mount = |view: View<'_>| {
        let mut mount = mount::decode(view)?;
        if mount.kind == "bind" {
            mount.source = bind_source(&view, mount.source, context)?;
        }
        Some(At::new(mount, view.span()))
    };
    let mounts = view.list(mount).unwrap_or_default();
    unique_targets(&view, mounts.iter().map(|mount| (mount.value.target.as_str(), mount.span)));
    mounts
}

/// A path on the node. Relative ones mean the deployer's machine in direct mode and nothing in a repository.
fn bind_source(view: &View<'_>, source: String, context: &Context<'_>) -> Option<String> {
    let input = context.input;
    if source.starts_with('/') || source.is_empty() || mount::is_windows_path(&source) {
        return Some(source);
    }
    let relative = |fault: Diagnostic| {
        view.fault(fault.at(view.span()).hint("mount an absolute path, a volume, or give the file as a config"));
    };
    if input.mode == Mode::Repository {
        let message = format!("{}: `{source}` is relative to the repository, which no node has", view.name());
        relative(Diagnostic::error(code::RELATIVE_BIND, message));
        return None;
    }
    let path = match (source.strip_prefix('~'), input.home) {
        (Some(rest), Some(home)) => format!("{home}{rest}"),
        (Some(_), None) => {
            let message = format!("{}: there is no home directory to put for `~`", view.name());
            relative(Diagnostic::warning(code::RELATIVE_BIND, message));
            return Some(source);
        }
        (None, _) => source.clone(),
    };
    let path = if path.starts_with('/') {
        path
    } else {
        match input.files.locate(context.dir, &path) {
            Ok(path) => path,
            Err(error) => {
                view.invalid(format_args!("`{source}`: {error}"));
                return None;
            }
        }
    };
    let message = format!("{}: `{source}` is `{path}` of this machine on every node", view.name());
    relative(Diagnostic::warning(code::RELATIVE_BIND, message));
    Some(path)
}

/// Reports everything that stands at a path where something else stands already.
fn unique_targets<'t>(view: &View<'_>, targets: impl Iterator<Item = (&'t str, Option<crate::diag::Span>)>) {
    let mut seen = BTreeMap::new();
    for (target, span) in targets {
        let Some(first) = seen.insert(target, span) else { continue };
        let message = format!("{}: two of them have the target `{target}`", view.name());
        let fault = Diagnostic::error(code::DUPLICATE_TARGET, message).at(span);
        view.fault(match first {
            Some(first) => fault.related(first, "first here"),
            None => fault,
        });
    }
}

/// A list of keys, or a mapping from keys to nothing or options.
fn networks(view: View<'_>) -> IndexMap<String, At<ServiceNetwork>> {
    if view.node().sequence().is_some() {
        let network = |item: View<'_>| Some((item.text()?, At::new(ServiceNetwork::default(), item.span())));
        return view.list(network).unwrap_or_default().into_iter().collect();
    }
    if view.node().mapping().is_none() {
        view.wrong_type("a list or a mapping of networks");
        return IndexMap::new();
    }
    let network = |_: &str, view: View<'_>| {
        if view.is_null() {
            return Some(At::new(ServiceNetwork::default(), view.key_span()));
        }
        let mut fields = view.fields()?;
        let network = ServiceNetwork {
            aliases: fields.texts("aliases").unwrap_or_default(),
            driver_opts: fields.take("driver_opts").and_then(cast::options).unwrap_or_default(),
        };
        keys::refuse(&mut fields, keys::ATTACHMENT);
        done(fields);
        Some(At::new(network, view.key_span()))
    };
    view.entries(network).unwrap_or_default()
}

/// Configs or secrets given to the service: keys, or mappings.
fn references(fields: &mut Fields<'_>, key: &'static str) -> Vec<At<FileReference>> {
    let Some(view) = fields.take(key) else { return Vec::new() };
    let references = view.list(reference).unwrap_or_default();
    let target = |at: &At<FileReference>| at.value.target.clone().unwrap_or_else(|| at.value.source.clone());
    let targets: Vec<_> = references.iter().map(|at| (target(at), at.span)).collect();
    unique_targets(&view, targets.iter().map(|(target, span)| (target.as_str(), *span)));
    references
}

fn reference(view: View<'_>) -> Option<At<FileReference>> {
    if view.node().mapping().is_none() {
        let reference = FileReference { source: view.text()?, ..FileReference::default() };
        return Some(At::new(reference, view.span()));
    }
    let mut fields = view.fields()?;
    let source = fields.require("source").and_then(|source| source.text());
    let reference = FileReference {
        source: String::new(),
        target: fields.text("target").filter(|target| !target.is_empty()),
        uid: fields.text("uid"),
        gid: fields.text("gid"),
        mode: fields.take("mode").and_then(file_mode),
    };
    done(fields);
    Some(At::new(FileReference { source: source?, ..reference }, view.span()))
}

/// A file mode: a number as YAML reads it, `0444` octal. Text is octal too, as the Compose Specification has it; but
/// Docker reads what a variable brings as decimal digits.
fn file_mode(view: View<'_>) -> Option<u32> {
    let scalar = view.node().scalar();
    let Some(scalar) = scalar.filter(|scalar| scalar.resolve() == crate::yaml::Resolved::Text) else {
        return view.integer();
    };
    if scalar.interpolated {
        let mode = cast::integer(view);
        if scalar.text.starts_with('0') && scalar.text.len() > 1 {
            let message = format!("{}: Docker reads a mode from a variable as decimal digits", view.name());
            view.fault(
                Diagnostic::warning(code::INVALID_VALUE, message).at(view.span()).hint("write the mode into the file"),
            );
        }
        return mode;
    }
    let digits = scalar.text.strip_prefix("0o").unwrap_or(&scalar.text);
    let mode = u32::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+'));
    if mode.is_none() {
        view.wrong_type("a file mode as `0444`");
    }
    mode
}

/// `restart:` as Docker's other commands take it.
fn restart(view: View<'_>) -> Option<String> {
    let text = view.str()?;
    let (name, count) = text.split_once(':').map_or((text, None), |(name, count)| (name, Some(count)));
    let valid = match (name, count) {
        ("on-failure", Some(count)) => count.bytes().all(|b| b.is_ascii_digit()) && count.parse::<u32>().is_ok(),
        ("" | "no" | "always" | "unless-stopped" | "on-failure", None) => true,
        _ => false,
    };
    if !valid {
        let fault = view.invalid_diagnostic(format_args!("`{text}` is no restart policy"));
        view.fault(fault.hint("write `always`, `unless-stopped`, `no`, `on-failure` or `on-failure:3`"));
    }
    valid.then(|| text.to_owned())
}

/// What `restart` does not do.
fn check_restart(restart: &At<String>, service: &Service, view: &View<'_>) {
    let (message, hint) = if service.deploy.restart_policy.is_some() {
        ("is ignored beside `deploy.restart_policy`", "leave it out")
    } else if matches!(restart.value.as_str(), "no" | "") {
        ("does not keep Swarm from restarting", "write `condition: none` under `deploy.restart_policy`")
    } else {
        return;
    };
    let message = format!("`{}.restart` {message}", view.path());
    view.fault(Diagnostic::warning(code::COMPOSE_UNSUPPORTED, message).at(restart.span).hint(hint));
}

/// A list of services, or a mapping from services to conditions.
fn depends_on(view: View<'_>) -> Vec<At<String>> {
    if view.node().mapping().is_none() {
        return view.list(|item| Some(At::new(item.text()?, item.span()))).unwrap_or_default();
    }
    let condition = |name: &str, view: View<'_>| {
        if !view.is_null() {
            let mut fields = view.fields()?;
            // Tasks count as running once they are healthy, so the two are one thing in a swarm.
            let conditions =
                [("service_started", true), ("service_healthy", true), ("service_completed_successfully", false)];
            if let Some(condition) = fields.take("condition")
                && condition.choice(&conditions) == Some(false)
            {
                let message = format!("skep does not carry out this {} yet", condition.name());
                condition.fault(Diagnostic::error(code::COMPOSE_NOT_LOWERED, message).at(condition.span()));
            }
            keys::refuse(&mut fields, keys::DEPENDENCY);
            done(fields);
        }
        Some(At::new(name.to_owned(), view.key_span()))
    };
    let found: Vec<(String, At<String>)> = view.entries(condition).unwrap_or_default();
    found.into_iter().map(|(_, name)| name).collect()
}
