//! Keys of the file itself, and of networks, volumes, configs and secrets.

use super::{Becomes, Row, reading, service};

const fn network(key: &'static str, fields: &'static [&'static str]) -> Row {
    Row::new(key, Becomes::Network(fields))
}

const fn volume(key: &'static str, fields: &'static [&'static str]) -> Row {
    Row::new(key, Becomes::Volume(fields))
}

const fn content(key: &'static str) -> Row {
    Row::new(key, Becomes::Content)
}

/// Keys of the file.
pub(super) const FILE: &[Row] = &[
    reading("version", "3 to 3.13, or nothing: it selects nothing")
        .differs("refuses keys of later versions, a number, and files of different versions"),
    reading("name", "the stack's, where the command line or skep.yaml names none").refused_there(),
    reading("include", "files that are taken in as if they stood here").refused_there(),
    reading("include.path", "a list: later ones override").refused_there(),
    reading("include.project_directory", "what relative paths begin at; the first file's directory").refused_there(),
    reading("include.env_file", "variables, in place of the `.env` of that directory").refused_there(),
    reading("services", ""),
    reading("networks", ""),
    reading("volumes", ""),
    reading("configs", ""),
    reading("secrets", ""),
    reading("sops", "what SOPS writes into a file that it encrypts: that is decrypted").differs("refused"),
    reading("x-skep", "skep's own").differs("free, like every key that begins with `x-`"),
    reading("x-skep.accept", "codes of warnings that are not told").differs("free"),
    reading("x-skep.protect", "nothing deletes it, even where git no longer names it").differs("free"),
    reading("x-skep.name", "of a service: a service that no stack made, under its own name and just as it is")
        .differs("free"),
    reading("x-skep.single", "of a service: no update starts a new task before the old one has stopped")
        .differs("free"),
    reading("x-skep.hook", "of a job: it runs before the stack is deployed, after it, or when that failed")
        .differs("free"),
    reading("x-skep.ignore", "of the file or a service: fields that no difference looks at").differs("free"),
    reading("x-skep.prune", "of a volume: `volumes` deletes it once git no longer names it; nothing does yet")
        .differs("free"),
];

/// Keys of a network.
pub(super) const NETWORK: &[Row] = &[
    service("name", &["TaskTemplate/Networks/*/Target"]).note("`<stack>_<key>` where it is silent"),
    network("driver", &["Driver"]).note("`overlay` where it is silent"),
    network("driver_opts", &["Options"]),
    network("ipam", &["IPAM"]),
    network("ipam.driver", &["IPAM/Driver"]),
    network("ipam.options", &["IPAM/Options"]).refused_there(),
    network("ipam.config", &["IPAM/Config"]),
    reading("external", "it must exist; `{ name: … }` is the old form"),
    reading("external.name", ""),
    network("internal", &["Internal"]),
    network("attachable", &["Attachable"]),
    reading("enable_ipv4", "`false` is an error: Swarm always gives IPv4 addresses").refused_there(),
    network("enable_ipv6", &["EnableIPv6"]).refused_there(),
    network("labels", &["Labels/*"]).differs("booleans are refused"),
];

/// Keys of a pool of addresses.
pub(super) const POOL: &[Row] = &[
    network("subnet", &["IPAM/Config/*/Subnet"]).note("in CIDR form").differs("sends another form as nothing"),
    network("gateway", &["IPAM/Config/*/Gateway"]).refused_there(),
    network("ip_range", &["IPAM/Config/*/IPRange"]).refused_there(),
];

/// Keys of a volume.
pub(super) const VOLUME: &[Row] = &[
    service("name", &["TaskTemplate/ContainerSpec/Mounts/*/Source"]).note("`<stack>_<key>` where it is silent"),
    volume("driver", &["TaskTemplate/ContainerSpec/Mounts/*/VolumeOptions/DriverConfig/Name"]),
    volume("driver_opts", &["TaskTemplate/ContainerSpec/Mounts/*/VolumeOptions/DriverConfig/Options"]),
    reading("external", "nodes do not make it; `{ name: … }` is the old form"),
    reading("external.name", ""),
    service("labels", &["TaskTemplate/ContainerSpec/Mounts/*/VolumeOptions/Labels"]).differs("booleans are refused"),
];

/// Keys of a config.
pub(super) const CONFIG: &[Row] = &[
    content("name").note("`<stack>_<key>` where it is silent; later versions have a hash after it"),
    content("file"),
    content("content").note("variables in it are replaced").refused_there(),
    content("environment").note("the value of a variable").refused_there(),
    reading("external", "it must exist; `{ name: … }` is the old form"),
    reading("external.name", ""),
    Row::new("labels", Becomes::Labels).differs("booleans are refused"),
    content("template_driver"),
];

/// Keys of a secret.
pub(super) const SECRET: &[Row] = &[
    content("name").note("as of a config"),
    content("file"),
    content("content").note("with a warning where the file is not encrypted").refused_there(),
    content("environment").note("the value of a variable").refused_there(),
    reading("external", "it must exist; `{ name: … }` is the old form"),
    reading("external.name", ""),
    Row::new("labels", Becomes::Labels).differs("booleans are refused"),
    content("driver").note("a secret store has the content"),
    content("driver_opts"),
    content("template_driver"),
];
