//! A service's container.

use super::{Scope, capabilities, files, mounts};
use crate::compose::{At, CredentialSpec, Healthcheck, Service};
use crate::diag::{Diagnostic, Faults, code};
use crate::swarm::{self, ContainerSpec, DnsConfig, Driver, Privileges, Ulimit, image};

/// The engine takes no shorter duration in a healthcheck, zero (the image's) aside: one millisecond.
const SHORTEST_PROBE: i64 = 1_000_000;

pub(super) fn lower(scope: Scope<'_>, key: &str, service: &At<Service>, faults: &mut Faults) -> ContainerSpec {
    let file = &service.value;
    let (capability_add, capability_drop) = capabilities::effective(&file.cap_add, &file.cap_drop);
    ContainerSpec {
        image: image(key, service, faults),
        labels: scope.labels_of(file, &file.labels),
        command: words(file.entrypoint.as_ref()),
        args: words(file.command.as_ref()),
        hostname: file.hostname.clone().unwrap_or_default(),
        env: environment(file),
        dir: file.working_dir.clone().unwrap_or_default(),
        user: file.user.clone().unwrap_or_default(),
        groups: file.group_add.clone(),
        privileges: privileges(scope, file),
        tty: file.tty,
        open_stdin: file.stdin_open,
        read_only: file.read_only,
        mounts: mounts::lower(scope, file, faults),
        stop_signal: file.stop_signal.clone().unwrap_or_default(),
        stop_grace_period: file.stop_grace_period,
        healthcheck: file.healthcheck.as_ref().map(|check| healthcheck(check, faults)),
        hosts: file.extra_hosts.iter().map(|(host, ip)| format!("{} {host}", bare(ip))).collect(),
        dns_config: dns(file),
        secrets: files::secret_references(scope, file, faults),
        configs: files::config_references(scope, file, faults),
        isolation: file.isolation.clone().unwrap_or_default(),
        init: file.init,
        sysctls: file.sysctls.clone(),
        capability_add,
        capability_drop,
        ulimits: ulimits(file),
        ..ContainerSpec::default()
    }
}

pub(super) fn log_driver(file: &Service) -> Option<Driver> {
    let logging = &file.logging.as_ref()?.value;
    Some(Driver {
        name: logging.driver.clone().unwrap_or_default(),
        options: logging.options.clone(),
        ..Driver::default()
    })
}

/// The familiar form with a tag, which is what Docker's own command sends.
fn image(key: &str, service: &At<Service>, faults: &mut Faults) -> String {
    let Some(At { value: written, span }) = &service.value.image else {
        faults.push(Diagnostic::error(code::NO_IMAGE, format!("service `{key}` has no image")).at(service.span));
        return String::new();
    };
    image::familiar(written).unwrap_or_else(|error| {
        let message = format!("service `{key}`: {error}");
        faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(span.or(service.span)));
        written.clone()
    })
}

fn words(text: Option<&At<Vec<String>>>) -> Vec<String> {
    text.map(|words| words.value.clone()).unwrap_or_default()
}

/// Sorted by bytes: the order counts, and a file cannot express one.
fn environment(file: &Service) -> Vec<String> {
    let mut lines: Vec<String> = file
        .environment
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// An IPv6 address without its brackets.
fn bare(ip: &str) -> &str {
    ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip)
}

fn dns(file: &Service) -> Option<DnsConfig> {
    if file.dns.is_none() && file.dns_search.is_none() && file.dns_opt.is_none() {
        return None;
    }
    Some(DnsConfig {
        nameservers: file.dns.clone().unwrap_or_default(),
        search: file.dns_search.clone().unwrap_or_default(),
        options: file.dns_opt.clone().unwrap_or_default(),
        ..DnsConfig::default()
    })
}

/// Present though empty: `docker stack deploy` always sends it, and its absence would restart tasks. Of a service that no
/// stack made it is absent as a rule, and its presence would.
fn privileges(scope: Scope<'_>, file: &Service) -> Option<Privileges> {
    let credential_spec = credential(scope, file);
    let is_sent = credential_spec.is_some() || file.own.name.is_none();
    is_sent.then(|| Privileges { credential_spec, ..Privileges::default() })
}

/// A config stands here by its name until it has an id.
fn credential(scope: Scope<'_>, file: &Service) -> Option<swarm::CredentialSpec> {
    let none = swarm::CredentialSpec::default();
    Some(match &file.credential_spec.as_ref()?.value {
        CredentialSpec::Config(key) => swarm::CredentialSpec { config: files::config_name(scope, key), ..none },
        CredentialSpec::File(file) => swarm::CredentialSpec { file: file.clone(), ..none },
        CredentialSpec::Registry(value) => swarm::CredentialSpec { registry: value.clone(), ..none },
    })
}

fn ulimits(file: &Service) -> Vec<Ulimit> {
    let limit = |(name, limit): (&String, &crate::compose::Ulimit)| Ulimit {
        name: name.clone(),
        soft: limit.soft,
        hard: limit.hard,
        ..Ulimit::default()
    };
    file.ulimits.iter().map(limit).collect()
}

fn healthcheck(check: &At<Healthcheck>, faults: &mut Faults) -> swarm::Healthcheck {
    let At { value: file, span } = check;
    if file.disable {
        if !file.test.is_empty() {
            let message = "`healthcheck.test` and `healthcheck.disable` exclude each other";
            faults.push(Diagnostic::error(code::CONFLICT, message).at(*span));
        }
        return swarm::Healthcheck { test: vec!["NONE".to_owned()], ..swarm::Healthcheck::default() };
    }
    let mut duration = |key: &str, value: Option<i64>| {
        let value = value.unwrap_or_default();
        if value != 0 && value < SHORTEST_PROBE {
            let message = format!("`healthcheck.{key}` is shorter than 1ms, the least the engine takes");
            faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(*span));
        }
        value
    };
    swarm::Healthcheck {
        interval: duration("interval", file.interval),
        timeout: duration("timeout", file.timeout),
        start_period: duration("start_period", file.start_period),
        start_interval: duration("start_interval", file.start_interval),
        test: file.test.clone(),
        retries: file.retries.map(|n| i64::try_from(n).unwrap_or(i64::MAX)).unwrap_or_default(),
        ..swarm::Healthcheck::default()
    }
}
