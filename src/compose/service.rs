//! One service.

use indexmap::IndexMap;

use super::{At, Condition, Context, Dependency, Deploy, Logging, Service, ServiceNetwork, Ulimit};
use super::{cast, credential, deploy, healthcheck, keys, mount, port, reference, shell};
use crate::diag::{Diagnostic, Severity, code};
use crate::yaml::{Fields, Resolved, Value, View};

/// Reads a service.
pub(super) fn decode(name: &str, view: View<'_>, context: &Context<'_>) -> Option<Service> {
    check_name(name, &view);
    let mut fields = view.fields()?;
    let flag = |view: View<'_>| cast::boolean(view);
    let mut service = Service {
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
        dns_opt: fields.take("dns_opt").and_then(cast::texts),
        group_add: fields.take("group_add").and_then(groups).unwrap_or_default(),
        credential_spec: fields.take("credential_spec").and_then(credential::decode),
        sysctls: fields.take("sysctls").and_then(cast::labels).unwrap_or_default(),
        cap_add: fields.texts("cap_add").unwrap_or_default(),
        cap_drop: fields.texts("cap_drop").unwrap_or_default(),
        ulimits: fields.take("ulimits").and_then(|view| view.entries(|_, limit| ulimit(limit))).unwrap_or_default(),
        healthcheck: cast::placed(&mut fields, "healthcheck", healthcheck::decode),
        logging: cast::placed(&mut fields, "logging", logging),
        ports: fields.take("ports").map(|view| port::list(&view, context)).unwrap_or_default(),
        volumes: fields.take("volumes").map(|view| mount::list(&view, context)).unwrap_or_default(),
        networks: fields.take("networks").map(networks).unwrap_or_default(),
        configs: fields.take("configs").map(|view| reference::list(&view)).unwrap_or_default(),
        secrets: fields.take("secrets").map(|view| reference::list(&view)).unwrap_or_default(),
        restart: cast::placed(&mut fields, "restart", restart),
        depends_on: fields.take("depends_on").map(depends_on).unwrap_or_default(),
        deploy: fields.take("deploy").and_then(deploy::decode).unwrap_or_default(),
        own: super::Own::default(),
    };
    let image = service.image.as_ref().map(|image| image.value.trim());
    if image.is_none_or(str::is_empty) && !view.node().mapping().is_some_and(misread_image) {
        let message = format!("{} has no image", view.name());
        view.fault(Diagnostic::error(code::NO_IMAGE, message).at(view.key_span()).hint("name one under `image`"));
    }
    amounts(&mut fields, &mut service.deploy);
    // What it named is among the labels by now; nothing is left but silence.
    let _ = fields.said("label_file");
    if let Some(restart) = &service.restart {
        check_restart(restart, &service, &view);
    }
    if let Some(profiles) = fields.take("profiles") {
        super::profile::check(profiles);
    }
    keys::refuse(&mut fields, keys::SERVICE);
    service.own = super::own::read(&mut fields, super::own::Place::Service);
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
    let split = |line: &str| {
        let (host, ip) = line.split_once('=').or_else(|| line.split_once(':'))?;
        Some((host.to_owned(), bare(ip)))
    };
    if view.node().mapping().is_some() {
        // Docker makes lines of them before it looks for the separator.
        let mut lines: Vec<String> = view
            .entries(|_, ip| if ip.is_null() { None } else { cast::texts(ip) })
            .map(|hosts: Vec<(String, Vec<String>)>| hosts)
            .unwrap_or_default()
            .into_iter()
            .flat_map(|(host, ips)| ips.into_iter().map(move |ip| format!("{host}:{ip}")))
            .collect();
        lines.sort();
        return lines.iter().filter_map(|line| split(line)).collect();
    }
    let line = |item: View<'_>| {
        let text = item.str()?;
        let found = split(text);
        if found.is_none() {
            // Docker leaves it out in silence, and people run files like that.
            let fault = item.invalid_diagnostic(format_args!("`{text}` names no address, so it is left out"));
            let fault = Diagnostic { severity: Severity::Warning, ..fault };
            item.fault(fault.hint("hosts are written as in `db:10.0.0.5`"));
        }
        found
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
    keys::finish(fields);
    Some(Ulimit { soft: soft?, hard: hard? })
}

fn logging(view: View<'_>) -> Option<Logging> {
    let mut fields = view.fields()?;
    let logging = Logging {
        driver: fields.text("driver"),
        options: fields.take("options").filter(|view| !view.is_null()).and_then(cast::options).unwrap_or_default(),
    };
    keys::finish(fields);
    Some(logging)
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
        keys::finish(fields);
        Some(At::new(network, view.key_span()))
    };
    view.entries(network).unwrap_or_default()
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

/// What Compose has on the service itself and Swarm under `deploy`. Where both are said they say the same.
fn amounts(fields: &mut Fields<'_>, deploy: &mut Deploy) {
    let zero_is_silent = |limit: i64| limit.max(0);
    if let Some(view) = fields.take("scale")
        && let Some(scale) = cast::integer::<u64>(view)
    {
        if deploy.mode.as_ref().is_some_and(|mode| mode.value.starts_with("global")) {
            let message = format!("{}: a service that runs once a node cannot have it", view.name());
            view.fault(Diagnostic::error(code::CONFLICT, message).at(view.key_span()));
        }
        match &deploy.replicas {
            Some(replicas) if replicas.value != scale => differs(&view, "deploy.replicas"),
            _ => deploy.replicas = Some(At::new(scale, view.span())),
        }
    }
    if let Some(view) = fields.take("cpus") {
        agree(
            &view,
            cast::nano_cpus,
            &mut deploy.limits.get_or_insert_default().nano_cpus,
            "deploy.resources.limits.cpus",
        );
    }
    if let Some(view) = fields.take("pids_limit") {
        // -1 is no limit.
        let read = |view: View<'_>| cast::integer(view).map(zero_is_silent);
        agree(&view, read, &mut deploy.limits.get_or_insert_default().pids, "deploy.resources.limits.pids");
    }
    if let Some(view) = fields.take("mem_reservation") {
        let memory = &mut deploy.reservations.get_or_insert_default().memory_bytes;
        agree(&view, cast::bytes, memory, "deploy.resources.reservations.memory");
    }
}

/// Puts what a key says where another key says nothing.
fn agree(view: &View<'_>, read: impl Fn(View<'_>) -> Option<i64>, place: &mut i64, other: &str) {
    match read(*view) {
        Some(amount) if *place == 0 => *place = amount,
        Some(amount) if *place != amount => differs(view, other),
        _ => {}
    }
}

fn differs(view: &View<'_>, other: &str) {
    let message = format!("{}: `{other}` says something else", view.name());
    view.fault(Diagnostic::error(code::CONFLICT, message).at(view.span()).hint("leave one of them out"));
}

/// Names or numbers of groups.
fn groups(view: View<'_>) -> Option<Vec<String>> {
    view.list(|item| match item.node().scalar().map(|scalar| scalar.resolve()) {
        Some(Resolved::Int(number)) => Some(number.to_string()),
        _ => item.text(),
    })
}

/// A list of services, or a mapping from services to conditions.
fn depends_on(view: View<'_>) -> Vec<At<Dependency>> {
    if view.node().mapping().is_none() {
        let started =
            |item: View<'_>| Some(At::new(Dependency { service: item.text()?, ..Dependency::default() }, item.span()));
        return view.list(started).unwrap_or_default();
    }
    let conditions = [
        ("service_started", Condition::Started),
        ("service_healthy", Condition::Healthy),
        ("service_completed_successfully", Condition::Completed),
    ];
    let dependency = |name: &str, view: View<'_>| {
        let mut dependency = Dependency { service: name.to_owned(), ..Dependency::default() };
        if !view.is_null() {
            let mut fields = view.fields()?;
            dependency.condition = fields.choice("condition", &conditions).unwrap_or_default();
            dependency.optional = fields.take("required").and_then(cast::boolean) == Some(false);
            keys::refuse(&mut fields, keys::DEPENDENCY);
            keys::finish(fields);
        }
        Some(At::new(dependency, view.key_span()))
    };
    let found: Vec<(String, At<Dependency>)> = view.entries(dependency).unwrap_or_default();
    found.into_iter().map(|(_, dependency)| dependency).collect()
}
