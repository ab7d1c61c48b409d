//! Networks, which are compared only as far as a file speaks of them.

use crate::swarm::{Ipam, IpamPool, Network, NetworkSpec};

/// What the overlay driver writes into a network's options by itself.
const ALLOCATED_OPTION: &str = "com.docker.network.driver.overlay.vxlanid_list";

/// The live network as far as `said` specifies it, to be compared with `said`. The engine adds allocated subnets,
/// gateways and options of its own, and the labels of a network can never be changed: what the file does not say is no
/// difference. An option that an overlay network has and the file does not say is one.
pub fn canonical_network(live: &Network, said: &NetworkSpec) -> NetworkSpec {
    let mut options = live.options.clone();
    // A driver other than the engine's own may write whatever it likes there.
    options.retain(|key, _| said.options.contains_key(key) || (said.driver == "overlay" && key != ALLOCATED_OPTION));
    let mut labels = live.labels.clone();
    labels.retain(|key, _| said.labels.contains_key(key));
    NetworkSpec {
        name: live.name.clone(),
        driver: live.driver.clone(),
        options,
        internal: live.internal,
        attachable: live.attachable,
        enable_ipv6: live.enable_ipv6,
        ipam: said.ipam.as_ref().map(|said| canonical_ipam(live.ipam.as_ref(), said)),
        labels,
        extra: said.extra.clone(),
    }
}

fn canonical_ipam(live: Option<&Ipam>, said: &Ipam) -> Ipam {
    let Some(live) = live else { return Ipam::default() };
    let mut options = live.options.clone();
    options.retain(|key, _| said.options.contains_key(key));
    let pools = if said.config.is_empty() { &[] } else { live.config.as_slice() };
    let config = pools.iter().enumerate().map(|(index, pool)| {
        let said = said.config.get(index);
        let if_said = |live: &str, said: Option<&String>| match said {
            Some(said) if !said.is_empty() => live.to_owned(),
            _ => String::new(),
        };
        IpamPool {
            subnet: pool.subnet.clone(),
            ip_range: if_said(&pool.ip_range, said.map(|said| &said.ip_range)),
            gateway: if_said(&pool.gateway, said.map(|said| &said.gateway)),
            extra: said.map(|said| said.extra.clone()).unwrap_or_default(),
        }
    });
    Ipam {
        driver: if said.driver.is_empty() { String::new() } else { live.driver.clone() },
        options,
        config: config.collect(),
        extra: said.extra.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn live(value: Value) -> Network {
        serde_json::from_value(value).expect("a network")
    }

    fn said(value: Value) -> NetworkSpec {
        serde_json::from_value(value).expect("a network's spec")
    }

    fn as_read_back() -> Network {
        live(json!({
            "Id": "n1", "Name": "demo_default", "Created": "now", "Scope": "swarm", "Driver": "overlay",
            "EnableIPv6": false, "Internal": false, "Attachable": true, "Ingress": false,
            "IPAM": { "Driver": "default", "Options": null, "Config": [{ "Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1" }] },
            "Options": { "com.docker.network.driver.overlay.vxlanid_list": "4097", "encrypted": "" },
            "Labels": { "com.docker.stack.namespace": "demo", "old": "x" }
        }))
    }

    #[test]
    fn what_the_engine_allocates_is_no_difference() {
        let said = said(json!({
            "Name": "demo_default", "Driver": "overlay", "Attachable": true, "Options": { "encrypted": "" },
            "Labels": { "com.docker.stack.namespace": "demo" }
        }));
        assert_eq!(canonical_network(&as_read_back(), &said), said);
    }

    #[test]
    fn what_the_file_says_is_compared() {
        let base =
            json!({ "Name": "demo_default", "Driver": "overlay", "Attachable": true, "Options": { "encrypted": "" } });
        let with = |key: &str, value: Value| {
            let mut base = base.clone();
            base[key] = value;
            said(base)
        };
        for differs in [
            with("Attachable", json!(false)),
            with("Internal", json!(true)),
            with("Driver", json!("macvlan")),
            with("Options", json!({})),
            with("Options", json!({ "encrypted": "true" })),
            with("Labels", json!({ "new": "" })),
            with("IPAM", json!({ "Config": [{ "Subnet": "10.9.0.0/16" }] })),
            with("IPAM", json!({ "Driver": "other" })),
            with("IPAM", json!({ "Config": [{ "Subnet": "10.0.1.0/24" }, { "Subnet": "10.0.2.0/24" }] })),
        ] {
            assert_ne!(canonical_network(&as_read_back(), &differs), differs);
        }
        let same = with("IPAM", json!({ "Driver": "default", "Config": [{ "Subnet": "10.0.1.0/24" }] }));
        assert_eq!(canonical_network(&as_read_back(), &same), same);
    }
}
