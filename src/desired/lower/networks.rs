//! Networks: what services join, and what the stack makes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Scope, check_name, insert, undefined};
use crate::compose::{At, Network, Pool, Service, ServiceNetwork};
use crate::desired::{self, External};
use crate::diag::{Diagnostic, Faults, Span, code};
use crate::model::{Kind, name};
use crate::swarm::{Ipam, IpamPool, NetworkAttachment, NetworkSpec};

/// What a service joins that names no network.
const DEFAULT: &str = "default";
/// The driver where the file is silent.
const OVERLAY: &str = "overlay";

/// The networks a service joins, sorted by name. Its own key is an alias on each, but on those the engine made and where it
/// is taken as it is.
pub(super) fn attachments(
    scope: Scope<'_>,
    key: &str,
    service: &At<Service>,
    faults: &mut Faults,
) -> Vec<NetworkAttachment> {
    let silent = At::silent(ServiceNetwork::default());
    let mut attachments = Vec::new();
    for (network, At { value: joined, span }) in joined(&service.value, &silent) {
        let definitions = &scope.compose.networks;
        if network != DEFAULT && !definitions.contains_key(network) {
            let span = span.or(service.span);
            faults.push(undefined(code::UNDEFINED_NETWORK, Kind::Network, network, definitions.keys(), span));
            continue;
        }
        let target = full_name(scope, network);
        let mut aliases = joined.aliases.clone();
        if !is_predefined(&target) && service.value.own.name.is_none() {
            aliases.push(key.to_owned());
        }
        let driver_opts = joined.driver_opts.clone();
        attachments.push(NetworkAttachment { target, aliases, driver_opts, ..NetworkAttachment::default() });
    }
    attachments.sort_by(|a, b| a.target.cmp(&b.target));
    attachments
}

/// The networks of the stack that a service joins. One that none joins is not made.
pub(super) fn made(scope: Scope<'_>, faults: &mut Faults) -> BTreeMap<String, desired::Network> {
    let silent = At::silent(ServiceNetwork::default());
    let services = scope.compose.services.values();
    let used: BTreeMap<&str, Option<Span>> =
        services.flat_map(|service| joined(&service.value, &silent)).map(|(key, at)| (key, at.span)).collect();
    let undescribed = At::silent(Network::default());
    let mut networks = BTreeMap::new();
    for (key, asked) in used {
        let At { value: file, span } = match scope.compose.networks.get(key) {
            Some(network) => network,
            None if key == DEFAULT => &undescribed,
            None => continue,
        };
        if file.external {
            continue;
        }
        let (name, span) = (full_name(scope, key), span.or(asked));
        check_name(name::check_service_name(&name), Kind::Network, key, span, faults);
        let network = desired::Network { spec: lower(scope, key, &name, file, span, faults), span };
        insert(&mut networks, name, network, Kind::Network, span, faults);
    }
    networks
}

/// The networks that a service joins and somebody else made. Those of the engine itself need not be looked for.
pub(super) fn external(scope: Scope<'_>, service: &Service) -> impl Iterator<Item = External> {
    service.networks.iter().filter_map(move |(key, joined)| {
        let network = scope.compose.networks.get(key).filter(|network| network.value.external)?;
        let name = full_name(scope, key);
        (!is_predefined(&name)).then(|| External { kind: Kind::Network, name, span: network.span.or(joined.span) })
    })
}

fn joined<'a>(
    service: &'a Service,
    silent: &'a At<ServiceNetwork>,
) -> impl Iterator<Item = (&'a str, &'a At<ServiceNetwork>)> {
    let is_silent = service.networks.is_empty() && service.own.name.is_none();
    let default = is_silent.then_some((DEFAULT, silent));
    service.networks.iter().map(|(key, joined)| (key.as_str(), joined)).chain(default)
}

fn full_name(scope: Scope<'_>, key: &str) -> String {
    let network = scope.compose.networks.get(key).map(|network| &network.value);
    scope.name(key, network.and_then(|n| n.name.as_deref()), network.is_some_and(|n| n.external))
}

fn is_predefined(name: &str) -> bool {
    matches!(name, "default" | "bridge" | "host" | "none") || name.starts_with("container:")
}

fn lower(
    scope: Scope<'_>,
    key: &str,
    name: &str,
    file: &Network,
    span: Option<Span>,
    faults: &mut Faults,
) -> NetworkSpec {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let ipam = file.ipam.as_ref().and_then(|ipam| {
        let driver = said(&ipam.driver);
        for Pool { subnet, .. } in ipam.pools.iter().filter(|pool| !is_cidr(&pool.subnet)) {
            let message = format!("network `{key}`: `{subnet}` is no subnet of the form 10.0.0.0/24");
            faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(span));
        }
        let pool = |pool: &Pool| IpamPool {
            subnet: pool.subnet.clone(),
            ip_range: pool.ip_range.clone(),
            gateway: pool.gateway.clone(),
            ..IpamPool::default()
        };
        let config: Vec<IpamPool> = ipam.pools.iter().map(pool).collect();
        (driver.is_some() || !config.is_empty() || !ipam.options.is_empty()).then(|| Ipam {
            driver: driver.unwrap_or_default(),
            options: ipam.options.clone(),
            config,
            ..Ipam::default()
        })
    });
    NetworkSpec {
        name: name.to_owned(),
        driver: said(&file.driver).unwrap_or_else(|| OVERLAY.to_owned()),
        options: file.driver_opts.clone(),
        internal: file.internal,
        attachable: file.attachable,
        enable_ipv6: file.enable_ipv6,
        ipam,
        labels: scope.labels(&file.labels),
        ..NetworkSpec::default()
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}
