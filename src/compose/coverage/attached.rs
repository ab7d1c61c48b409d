//! Keys of what a service is given: ports, mounts, networks, configs and secrets.

use super::{Row, reading, service};

/// Keys of the long form of a port.
pub(super) const PORT: &[Row] = &[
    service("target", &["EndpointSpec/Ports/*/TargetPort"]),
    service("published", &["EndpointSpec/Ports/*/PublishedPort"])
        .note("two of one number and protocol are an error; text is a number, and no range")
        .differs("text is refused; two of one number are the engine's error"),
    service("protocol", &["EndpointSpec/Ports/*/Protocol"])
        .note("another word is `tcp`, with a warning")
        .differs("likewise, in silence"),
    service("mode", &["EndpointSpec/Ports/*/PublishMode"])
        .note("another word is `ingress`, with a warning")
        .differs("likewise, in silence"),
    reading("host_ip", "every address of a node answers, with a warning")
        .differs("refused; likewise in the short form"),
    reading("name", "for people").refused_there(),
    reading("app_protocol", "for people").refused_there(),
];

/// Keys of the long form of a mount.
pub(super) const MOUNT: &[Row] = &[
    service("type", &["TaskTemplate/ContainerSpec/Mounts/*/Type"]),
    service("source", &["TaskTemplate/ContainerSpec/Mounts/*/Source"])
        .note(
            "a relative path begins at the first file's directory, with a warning; in a repository it needs `bindRoot`",
        )
        .differs("the path of the deployer's machine, in silence"),
    service("target", &["TaskTemplate/ContainerSpec/Mounts/*/Target"]),
    service("read_only", &["TaskTemplate/ContainerSpec/Mounts/*/ReadOnly"]),
    service("consistency", &["TaskTemplate/ContainerSpec/Mounts/*/Consistency"]).note("the engine forgets it"),
    service("bind", &["TaskTemplate/ContainerSpec/Mounts/*/BindOptions"]),
    service("bind.propagation", &["TaskTemplate/ContainerSpec/Mounts/*/BindOptions/Propagation"]),
    reading("bind.create_host_path", "ignored, with a warning").differs("likewise, in silence"),
    reading("bind.recursive", "ignored, with a warning").differs("likewise, in silence"),
    reading("bind.selinux", "ignored, with a warning").differs("likewise, in silence"),
    service("volume", &["TaskTemplate/ContainerSpec/Mounts/*/VolumeOptions"]),
    service("volume.nocopy", &["TaskTemplate/ContainerSpec/Mounts/*/VolumeOptions/NoCopy"]),
    service("volume.subpath", &["TaskTemplate/ContainerSpec/Mounts/*/VolumeOptions/Subpath"]),
    reading("volume.labels", "ignored, with a warning").differs("likewise, in silence"),
    service("tmpfs", &["TaskTemplate/ContainerSpec/Mounts/*/TmpfsOptions"]),
    service("tmpfs.size", &["TaskTemplate/ContainerSpec/Mounts/*/TmpfsOptions/SizeBytes"])
        .differs("text such as `64m` is refused"),
    reading("tmpfs.mode", "ignored, with a warning").differs("likewise, in silence"),
];

/// Keys of a service's network.
pub(super) const ATTACHMENT: &[Row] = &[
    service("aliases", &["TaskTemplate/Networks/*/Aliases"]).note("the service's key is the last of them"),
    service("driver_opts", &["TaskTemplate/Networks/*/DriverOpts"]).differs("older clients leave them out"),
];

/// Keys of a service's config.
pub(super) const CONFIG: &[Row] = &[
    service("source", &["TaskTemplate/ContainerSpec/Configs/*/ConfigName"]),
    service("target", &["TaskTemplate/ContainerSpec/Configs/*/File/Name"])
        .note("the source where it is silent; two at one path are an error")
        .differs("the engine's error"),
    service("uid", &["TaskTemplate/ContainerSpec/Configs/*/File/UID"]),
    service("gid", &["TaskTemplate/ContainerSpec/Configs/*/File/GID"]),
    service("mode", &["TaskTemplate/ContainerSpec/Configs/*/File/Mode"])
        .note("0444 where it is silent; text is octal")
        .differs("text is refused"),
];

/// Keys of a service's secret.
pub(super) const SECRET: &[Row] = &[
    service("source", &["TaskTemplate/ContainerSpec/Secrets/*/SecretName"]),
    service("target", &["TaskTemplate/ContainerSpec/Secrets/*/File/Name"])
        .note("as of a config, below `/run/secrets`")
        .differs("the engine's error"),
    service("uid", &["TaskTemplate/ContainerSpec/Secrets/*/File/UID"]),
    service("gid", &["TaskTemplate/ContainerSpec/Secrets/*/File/GID"]),
    service("mode", &["TaskTemplate/ContainerSpec/Secrets/*/File/Mode"]).differs("text is refused"),
];
