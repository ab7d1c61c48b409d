//! Which registries the engine talks to without a look at their certificate, or without TLS.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::super::Client;
use super::super::api::undecodable;
use super::super::error::{Attempt, Error};
use super::super::transport::Call;

/// The registries that the engine takes for insecure: by name, or by the network that their address is in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Insecure {
    hosts: Vec<String>,
    networks: Vec<(IpAddr, u8)>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct WireInfo {
    registry_config: Option<WireConfig>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireConfig {
    #[serde(rename = "InsecureRegistryCIDRs")]
    networks: Option<Vec<String>>,
    #[serde(rename = "IndexConfigs")]
    hosts: Option<BTreeMap<String, WireHost>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireHost {
    #[serde(default = "yes")]
    secure: bool,
}

fn yes() -> bool {
    true
}

impl Insecure {
    /// These hosts, as an image's name begins with them, and these networks.
    pub fn new<'a>(hosts: impl IntoIterator<Item = &'a str>, networks: impl IntoIterator<Item = &'a str>) -> Self {
        let network = |text: &str| {
            let (address, bits) = text.split_once('/')?;
            Some((address.parse().ok()?, bits.parse().ok()?))
        };
        Self {
            hosts: hosts.into_iter().map(str::to_owned).collect(),
            networks: networks.into_iter().filter_map(network).collect(),
        }
    }

    /// Whether a registry, with its port where it has one, is one of them. Names are not looked up: what only an address would
    /// tell is asked through the engine, which looks.
    pub fn covers(&self, host: &str) -> bool {
        if self.hosts.iter().any(|it| it == host) {
            return true;
        }
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = if name == "localhost" { "127.0.0.1" } else { name };
        let Ok(address) = name.parse::<IpAddr>() else { return false };
        self.networks.iter().any(|(network, bits)| contains(*network, *bits, address))
    }
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(bits))).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(bits))).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

impl Client {
    /// Which registries the engine talks to without TLS, or without a look at their certificate.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn insecure_registries(&self) -> Result<Insecure, Error> {
        let attempt = Attempt::Engine("read what the engine says of registries");
        let body = self.transport().read(&Call::get(attempt.clone(), "/info".to_owned())).await?;
        let info: WireInfo = serde_json::from_slice(&body).map_err(|error| undecodable(attempt, error))?;
        let config = info.registry_config.unwrap_or_default();
        let hosts = config.hosts.unwrap_or_default();
        let hosts = hosts.iter().filter(|(_, host)| !host.secure).map(|(name, _)| name.as_str());
        Ok(Insecure::new(hosts, config.networks.unwrap_or_default().iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_insecure_by_its_name_or_by_its_network() {
        let insecure = Insecure::new(["r.example.org:5000"], ["127.0.0.0/8", "::1/128", "10.1.0.0/16", "nonsense"]);
        for host in ["r.example.org:5000", "127.0.0.1:5000", "localhost:5000", "localhost", "[::1]:5000", "10.1.2.3"] {
            assert!(insecure.covers(host), "{host}");
        }
        for host in ["r.example.org", "10.2.0.1:5000", "[::2]:5000", "docker.io", ""] {
            assert!(!insecure.covers(host), "{host}");
        }
        assert!(Insecure::new([], ["0.0.0.0/0"]).covers("203.0.113.9"));
    }
}
