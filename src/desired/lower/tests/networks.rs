//! Networks, joined and made.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::{at, errors, one, rendered, stack, strings};
use crate::compose::{At, Compose, Ipam, Network, Pool, ServiceNetwork};
use crate::model::Kind;

/// A stack whose service joins `joined`, with `defined` networks.
fn with(joined: &[(&str, ServiceNetwork)], defined: &[(&str, Network)]) -> Compose {
    let named = |(key, joined): &(&str, ServiceNetwork)| ((*key).to_owned(), at(joined.clone()));
    let mut compose = one(|service| service.networks = joined.iter().map(named).collect::<IndexMap<_, At<_>>>());
    compose.networks = defined.iter().map(|(key, network)| ((*key).to_owned(), at(network.clone()))).collect();
    compose
}

fn pools(subnets: &[&str]) -> Vec<Pool> {
    subnets.iter().map(|subnet| Pool { subnet: (*subnet).to_owned(), ..Pool::default() }).collect()
}

fn plain(key: &'static str) -> (&'static str, ServiceNetwork) {
    (key, ServiceNetwork::default())
}

fn external(name: Option<&str>) -> Network {
    Network { external: true, name: name.map(str::to_owned), ..Network::default() }
}

fn attachments(compose: &Compose) -> Value {
    rendered(compose)["services"][0]["TaskTemplate"]["Networks"].take()
}

#[test]
fn a_service_is_found_by_its_key_on_networks_that_are_not_the_engines() {
    let aliases =
        ServiceNetwork { aliases: strings(&["z", "a"]), driver_opts: [("k".to_owned(), "v".to_owned())].into() };
    let own = Network { name: Some("aa".to_owned()), ..Network::default() };
    let compose = with(
        &[("front", aliases.clone()), plain("back"), plain("own"), ("host", aliases), plain("shared")],
        &[
            ("front", Network::default()),
            ("back", Network::default()),
            ("own", own),
            ("host", external(None)),
            ("shared", external(Some("proxy"))),
        ],
    );
    assert_eq!(
        attachments(&compose),
        json!([
            { "Target": "aa", "Aliases": ["b"] },
            { "Target": "host", "Aliases": ["z", "a"], "DriverOpts": { "k": "v" } },
            { "Target": "proxy", "Aliases": ["b"] },
            { "Target": "st_back", "Aliases": ["b"] },
            { "Target": "st_front", "Aliases": ["z", "a", "b"], "DriverOpts": { "k": "v" } }
        ])
    );
    let (desired, _) = stack(&compose);
    let found: Vec<_> = desired.external.iter().map(|e| (e.kind, e.name.as_str())).collect();
    assert_eq!(found, [(Kind::Network, "proxy")], "the engine's own need not be looked for");
    assert_eq!(desired.networks.keys().collect::<Vec<_>>(), ["aa", "st_back", "st_front"]);
}

#[test]
fn only_networks_that_a_service_joins_are_made_or_looked_for() {
    let compose = with(&[], &[("idle", Network::default()), ("theirs", external(None))]);
    let labels = json!({ "com.docker.stack.namespace": "st" });
    assert_eq!(
        rendered(&compose)["networks"],
        json!([{ "Name": "st_default", "Driver": "overlay", "Labels": labels }])
    );
    assert_eq!(stack(&compose).0.external, []);
}

#[test]
fn the_body_of_a_network() {
    let network = Network {
        driver: Some("weave".to_owned()),
        driver_opts: [("encrypted".to_owned(), String::new())].into(),
        internal: true,
        attachable: true,
        labels: [("a".to_owned(), "b".to_owned())].into(),
        ipam: Some(Ipam {
            driver: Some("mine".to_owned()),
            pools: pools(&["10.1.0.0/16", "fd00::/64"]),
            ..Ipam::default()
        }),
        ..Network::default()
    };
    assert_eq!(
        rendered(&with(&[], &[("default", network)]))["networks"],
        json!([{
            "Name": "st_default", "Driver": "weave", "Options": { "encrypted": "" }, "Internal": true,
            "Attachable": true, "IPAM": {
                "Driver": "mine", "Config": [{ "Subnet": "10.1.0.0/16" }, { "Subnet": "fd00::/64" }]
            },
            "Labels": { "a": "b", "com.docker.stack.namespace": "st" }
        }])
    );
    let pool = Pool { subnet: "10.1.0.0/16".into(), ip_range: "10.1.1.0/24".into(), gateway: "10.1.0.9".into() };
    let options = [("a".to_owned(), "b".to_owned())].into();
    let full = Network {
        ipam: Some(Ipam { driver: None, options, pools: vec![pool] }),
        enable_ipv6: true,
        ..Network::default()
    };
    assert_eq!(
        rendered(&with(&[], &[("default", full)]))["networks"],
        json!([{
            "Name": "st_default", "Driver": "overlay", "EnableIPv6": true, "IPAM": {
                "Options": { "a": "b" },
                "Config": [{ "Subnet": "10.1.0.0/16", "IPRange": "10.1.1.0/24", "Gateway": "10.1.0.9" }]
            },
            "Labels": { "com.docker.stack.namespace": "st" }
        }])
    );
    let empty = Network { ipam: Some(Ipam::default()), ..Network::default() };
    assert_eq!(rendered(&with(&[], &[("default", empty)]))["networks"][0].get("IPAM"), None);
}

#[test]
fn networks_that_are_refused() {
    assert_eq!(errors(&with(&[plain("gone")], &[])), ["compose/undefined-network"]);
    let named = |name: &str| Network { name: Some(name.to_owned()), ..Network::default() };
    assert_eq!(errors(&with(&[], &[("default", named("with.dot"))])), ["compose/invalid-name"]);
    let two = with(&[plain("x"), plain("y")], &[("x", named("same")), ("y", named("same"))]);
    assert_eq!(errors(&two), ["compose/duplicate-name"]);
    for bad in ["10.0.0.0", "10.0.0.0/33", "x/8"] {
        let ipam = Some(Ipam { pools: pools(&[bad]), ..Ipam::default() });
        let network = Network { ipam, ..Network::default() };
        assert_eq!(errors(&with(&[], &[("default", network)])), ["schema/invalid-value"], "{bad}");
    }
}
