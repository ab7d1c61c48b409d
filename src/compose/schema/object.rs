//! Top-level networks, volumes, configs and secrets.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::values::{Boolean, OwnOfObject, OwnOfVolume, PairsOrList, Scalar, extensions};

/// Made by somebody else: `true`, or the old form with a name.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum External {
    Flag(Boolean),
    Named(ExternalName),
}

/// The old form of an external name.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct ExternalName {
    name: Option<String>,
}

/// A network.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct Network {
    /// A name of its own, instead of `<stack>_<key>`.
    name: Option<String>,
    /// The driver [default: overlay].
    driver: Option<String>,
    /// Its options.
    driver_opts: Option<BTreeMap<String, Scalar>>,
    /// Address management.
    ipam: Option<Ipam>,
    /// Whether somebody else makes it.
    external: Option<External>,
    /// Whether it has no way out.
    internal: Option<Boolean>,
    /// Whether plain containers may join.
    attachable: Option<Boolean>,
    /// Whether it has IPv4 addresses, as every network of a swarm has.
    enable_ipv4: Option<Boolean>,
    /// Whether it has IPv6 addresses [default: false].
    enable_ipv6: Option<Boolean>,
    /// Its labels.
    labels: Option<PairsOrList>,
    /// skep's own.
    #[schemars(rename = "x-skep")]
    own: Option<OwnOfObject>,
}

/// Address management.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Ipam {
    /// The driver.
    driver: Option<String>,
    /// The subnets.
    config: Option<Vec<Subnet>>,
    /// Options of the driver.
    options: Option<BTreeMap<String, Scalar>>,
}

/// A subnet.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct Subnet {
    /// In CIDR form.
    subnet: Option<String>,
    /// The gateway's address.
    gateway: Option<String>,
    /// The part of the subnet that tasks get addresses of, in CIDR form.
    ip_range: Option<String>,
}

/// A volume.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct Volume {
    /// A name of its own, instead of `<stack>_<key>`.
    name: Option<String>,
    /// The driver.
    driver: Option<String>,
    /// Its options.
    driver_opts: Option<BTreeMap<String, Scalar>>,
    /// Whether somebody else makes it.
    external: Option<External>,
    /// Its labels.
    labels: Option<PairsOrList>,
    /// skep's own.
    #[schemars(rename = "x-skep")]
    own: Option<OwnOfVolume>,
}

/// A config.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct Config {
    /// A name of its own, instead of `<stack>_<key>`.
    name: Option<String>,
    /// The file with its content.
    file: Option<String>,
    /// The content itself.
    content: Option<String>,
    /// The variable whose value is the content.
    environment: Option<String>,
    /// Whether somebody else makes it.
    external: Option<External>,
    /// Its labels.
    labels: Option<PairsOrList>,
    /// `golang`: the content is a template.
    template_driver: Option<String>,
    /// skep's own.
    #[schemars(rename = "x-skep")]
    own: Option<OwnOfObject>,
}

/// A secret.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct Secret {
    /// A name of its own, instead of `<stack>_<key>`.
    name: Option<String>,
    /// The file with its content, best an encrypted one.
    file: Option<String>,
    /// The content itself, which is for files that are encrypted.
    content: Option<String>,
    /// The variable whose value is the content.
    environment: Option<String>,
    /// Whether somebody else makes it.
    external: Option<External>,
    /// Its labels.
    labels: Option<PairsOrList>,
    /// A secret store that has the content.
    driver: Option<String>,
    /// Its options.
    driver_opts: Option<BTreeMap<String, Scalar>>,
    /// `golang`: the content is a template.
    template_driver: Option<String>,
    /// skep's own.
    #[schemars(rename = "x-skep")]
    own: Option<OwnOfObject>,
}
