//! Keys of a service.

use super::{Row, reading, service};

/// Keys of a service, but for those with a table of their own.
pub(super) const ROWS: &[Row] = &[
    service("image", &["TaskTemplate/ContainerSpec/Image", "Labels/*"])
        .note("in its short form, with `:latest` where it has no tag; as written in the label `com.docker.stack.image`")
        .differs("looks digests up in the registry; skep keeps the digest that runs while the text stays"),
    reading("extends", "the service begins as the other one").refused_there(),
    reading("extends.service", "").refused_there(),
    reading("extends.file", "its relative paths begin at its own directory").refused_there(),
    reading("profiles", "the service takes part where one of them is asked for").refused_there(),
    service("command", &["TaskTemplate/ContainerSpec/Args"]).note("text is split as a shell would"),
    service("entrypoint", &["TaskTemplate/ContainerSpec/Command"]).note("likewise; an empty list clears nothing"),
    service("environment", &["TaskTemplate/ContainerSpec/Env"])
        .note("sorted; a name without a value, or with an empty one, takes that of the variable of its name")
        .differs("booleans are refused"),
    service("env_file", &["TaskTemplate/ContainerSpec/Env"])
        .note("text is read literally: no quotes, no references; `environment` overrides"),
    reading("env_file.path", "read as Docker Compose reads it: quotes, comments and references count").refused_there(),
    reading("env_file.required", "`false`: it need not be there").refused_there(),
    reading("env_file.format", "`raw`: literally").refused_there(),
    service("ports", &["EndpointSpec/Ports"]).note("sorted by number"),
    service("volumes", &["TaskTemplate/ContainerSpec/Mounts"])
        .note("two at one path are an error")
        .differs("the engine's error, once half of the stack is deployed"),
    service("networks", &["TaskTemplate/Networks"]).note("none is `default`"),
    service("configs", &["TaskTemplate/ContainerSpec/Configs"])
        .note("sorted by name and target")
        .differs("in random order where a config is given twice, which restarts tasks for nothing"),
    service("secrets", &["TaskTemplate/ContainerSpec/Secrets"]).note("likewise").differs("likewise"),
    service("labels", &["TaskTemplate/ContainerSpec/Labels"]).differs("booleans are refused"),
    service("label_file", &["TaskTemplate/ContainerSpec/Labels"]).note("`labels` overrides").refused_there(),
    service("healthcheck", &["TaskTemplate/ContainerSpec/Healthcheck"]).note("`{}` counts as said"),
    service("healthcheck.disable", &["TaskTemplate/ContainerSpec/Healthcheck/Test"]),
    service("healthcheck.test", &["TaskTemplate/ContainerSpec/Healthcheck/Test"])
        .note("text is `CMD-SHELL`; of several files the last one's counts")
        .differs("appends the words of later files to those of earlier ones"),
    service("healthcheck.interval", &["TaskTemplate/ContainerSpec/Healthcheck/Interval"]),
    service("healthcheck.timeout", &["TaskTemplate/ContainerSpec/Healthcheck/Timeout"]),
    service("healthcheck.retries", &["TaskTemplate/ContainerSpec/Healthcheck/Retries"]),
    service("healthcheck.start_period", &["TaskTemplate/ContainerSpec/Healthcheck/StartPeriod"]),
    service("healthcheck.start_interval", &["TaskTemplate/ContainerSpec/Healthcheck/StartInterval"])
        .note("engines before API 1.44 do not keep it"),
    service("user", &["TaskTemplate/ContainerSpec/User"]),
    service("group_add", &["TaskTemplate/ContainerSpec/Groups"]).refused_there(),
    service("working_dir", &["TaskTemplate/ContainerSpec/Dir"]),
    service("hostname", &["TaskTemplate/ContainerSpec/Hostname"]).note("may be a Go template"),
    service("logging", &["TaskTemplate/LogDriver"]).note("`{}` counts as said"),
    service("logging.driver", &["TaskTemplate/LogDriver/Name"]),
    service("logging.options", &["TaskTemplate/LogDriver/Options"]),
    service("stop_grace_period", &["TaskTemplate/ContainerSpec/StopGracePeriod"]),
    service("stop_signal", &["TaskTemplate/ContainerSpec/StopSignal"]),
    service("init", &["TaskTemplate/ContainerSpec/Init"]),
    service("cap_add", &["TaskTemplate/ContainerSpec/CapabilityAdd"]).note("`CAP_` may be left out; adding wins"),
    service("cap_drop", &["TaskTemplate/ContainerSpec/CapabilityDrop"]),
    service("credential_spec", &["TaskTemplate/ContainerSpec/Privileges/CredentialSpec"]),
    service("credential_spec.config", &["TaskTemplate/ContainerSpec/Privileges/CredentialSpec/Config"]),
    service("credential_spec.file", &["TaskTemplate/ContainerSpec/Privileges/CredentialSpec/File"]),
    service("credential_spec.registry", &["TaskTemplate/ContainerSpec/Privileges/CredentialSpec/Registry"]),
    service("extra_hosts", &["TaskTemplate/ContainerSpec/Hosts"])
        .note("an entry without an address is left out, with a warning")
        .differs("likewise, in silence"),
    service("dns", &["TaskTemplate/ContainerSpec/DNSConfig/Nameservers"]).note("`[]` counts as said"),
    service("dns_search", &["TaskTemplate/ContainerSpec/DNSConfig/Search"]).note("likewise"),
    service("dns_opt", &["TaskTemplate/ContainerSpec/DNSConfig/Options"]).note("likewise").refused_there(),
    service("sysctls", &["TaskTemplate/ContainerSpec/Sysctls"]),
    service("ulimits", &["TaskTemplate/ContainerSpec/Ulimits"]).note("sorted by name"),
    service("ulimits.*.soft", &["TaskTemplate/ContainerSpec/Ulimits/*/Soft"]),
    service("ulimits.*.hard", &["TaskTemplate/ContainerSpec/Ulimits/*/Hard"]),
    service("read_only", &["TaskTemplate/ContainerSpec/ReadOnly"]),
    service("tty", &["TaskTemplate/ContainerSpec/TTY"]),
    service("stdin_open", &["TaskTemplate/ContainerSpec/OpenStdin"]),
    service("isolation", &["TaskTemplate/ContainerSpec/Isolation"]),
    service("restart", &["TaskTemplate/RestartPolicy"])
        .note("where `deploy.restart_policy` is silent; `no` restarts all the same, with a warning")
        .differs("says that it ignores it, and does the same"),
    service("scale", &["Mode/Replicated/Replicas"]).note("must agree with `deploy.replicas`").refused_there(),
    service("cpus", &["TaskTemplate/Resources/Limits/NanoCPUs"])
        .note("must agree with `deploy.resources.limits.cpus`")
        .refused_there(),
    service("pids_limit", &["TaskTemplate/Resources/Limits/Pids"])
        .note("must agree with `deploy.resources.limits.pids`")
        .refused_there(),
    service("mem_reservation", &["TaskTemplate/Resources/Reservations/MemoryBytes"])
        .note("must agree with `deploy.resources.reservations.memory`")
        .refused_there(),
    reading("depends_on", "the order in which services are written").differs("ignored; the mapping form is refused"),
    reading("deploy", ""),
];

/// Keys of a dependency.
pub(super) const DEPENDENCY: &[Row] = &[
    reading("condition", "what the other service must have come to; `service_completed_successfully` is for jobs")
        .refused_there(),
    reading("required", "`false`: it need not be there").refused_there(),
];
