//! One service.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::file::{CredentialSpec, Healthcheck, Logging, Own, Port, Service, Ulimit, Words};
use super::{Taken, Writer, deploy, words};
use crate::model::label;
use crate::swarm::{self, ContainerSpec, EndpointSpec, Labels, ServiceSpec, image};

impl Writer<'_> {
    /// The service under its key: as one of the stack's, or just as it is.
    pub(super) fn service(&mut self, key: &str, live: &ServiceSpec, taken: Taken) -> Service {
        let task = &live.task_template;
        let container = task.container_spec.clone().unwrap_or_default();
        let dns = container.dns_config.clone();
        let privileges = container.privileges.as_ref();
        Service {
            image: image(&container.image, live.labels.get(label::IMAGE)),
            entrypoint: container.command.clone(),
            command: container.args.clone(),
            user: container.user.clone(),
            group_add: container.groups.clone(),
            working_dir: container.dir.clone(),
            hostname: container.hostname.clone(),
            environment: environment(&container.env),
            labels: taken.labels(&container.labels, self.request.stack),
            ports: live.endpoint_spec.as_ref().map(ports).unwrap_or_default(),
            volumes: container.mounts.iter().map(|mount| self.volumes.mount(mount, taken)).collect(),
            networks: self.networks.of_service(key, &task.networks, taken),
            configs: self.contents.configs(&container.configs),
            secrets: self.contents.secrets(&container.secrets),
            credential_spec: privileges
                .and_then(|privileges| privileges.credential_spec.as_ref())
                .map(|spec| self.credential(spec, &container)),
            healthcheck: container.healthcheck.as_ref().map(healthcheck),
            init: container.init,
            read_only: container.read_only,
            tty: container.tty,
            stdin_open: container.open_stdin,
            stop_signal: container.stop_signal.clone(),
            stop_grace_period: container.stop_grace_period.map(words::duration),
            cap_add: container.capability_add.clone(),
            cap_drop: container.capability_drop.clone(),
            sysctls: container.sysctls.clone(),
            ulimits: container.ulimits.iter().map(ulimit).collect(),
            // Said and empty where all three are: the engine was sent an empty message, and it counts.
            dns: dns.as_ref().map(|it| it.nameservers.clone()).filter(|list| !list.is_empty() || is_bare(dns.as_ref())),
            dns_search: dns.as_ref().map(|it| it.search.clone()).unwrap_or_default(),
            dns_opt: dns.as_ref().map(|it| it.options.clone()).unwrap_or_default(),
            extra_hosts: container.hosts.iter().map(|line| host(line)).collect(),
            isolation: if container.isolation == "default" { String::new() } else { container.isolation.clone() },
            logging: task
                .log_driver
                .as_ref()
                .map(|driver| Logging { driver: driver.name.clone(), options: driver.options.clone() }),
            deploy: deploy::deploy(live, self.service_labels(&live.labels, taken)),
            own: Own { name: (taken == Taken::AsItIs).then(|| live.name.clone()), ignore: BTreeSet::new() },
        }
    }

    fn service_labels(&self, labels: &Labels, taken: Taken) -> Labels {
        let mut labels = taken.labels(labels, self.request.stack);
        if taken == Taken::OfStack {
            labels.remove(label::IMAGE);
        }
        labels
    }

    /// A config is named by its id, and again among the container's configs.
    fn credential(&mut self, live: &swarm::CredentialSpec, container: &ContainerSpec) -> CredentialSpec {
        let config = container.configs.iter().find(|it| it.runtime.is_some() && it.config_id == live.config);
        CredentialSpec {
            config: config.map(|config| self.contents.config(&config.config_name)).unwrap_or_default(),
            file: live.file.clone(),
            registry: live.registry.clone(),
        }
    }
}

/// The image as somebody wrote it, where what runs is that and the digest which it had: planning keeps the digest then.
/// Else the image as it is.
fn image(live: &str, written: Option<&String>) -> String {
    let is_written = |written: &&String| {
        let familiar = image::familiar(written).ok();
        familiar.is_some_and(|text| text == live || live.split_once('@').is_some_and(|(tagged, _)| tagged == text))
    };
    written.filter(is_written).cloned().unwrap_or_else(|| live.to_owned())
}

fn environment(lines: &[String]) -> IndexMap<String, Option<String>> {
    let pair = |line: &String| match line.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (line.clone(), None),
    };
    lines.iter().map(pair).collect()
}

fn ports(endpoint: &EndpointSpec) -> Vec<Port> {
    endpoint.ports.iter().map(port).collect()
}

/// In its short form unless the port is one of the nodes' own.
fn port(live: &swarm::Port) -> Port {
    let swarm::Port { protocol, target_port: target, published_port: published, publish_mode: mode, .. } = live;
    let protocol = if protocol == "tcp" { String::new() } else { protocol.clone() };
    if !matches!(mode.as_str(), "" | "ingress") {
        return Port::Long { target: *target, published: *published, protocol, mode: mode.clone() };
    }
    let published = if *published == 0 { String::new() } else { format!("{published}:") };
    let protocol = if protocol.is_empty() { protocol } else { format!("/{protocol}") };
    Port::Short(format!("{published}{target}{protocol}"))
}

fn is_bare(dns: Option<&swarm::DnsConfig>) -> bool {
    dns.is_some_and(|dns| dns.search.is_empty() && dns.options.is_empty())
}

fn healthcheck(live: &swarm::Healthcheck) -> Healthcheck {
    let is_off = *live == swarm::Healthcheck { test: vec!["NONE".to_owned()], ..swarm::Healthcheck::default() };
    let test = match live.test.as_slice() {
        [] => None,
        [shell, line] if shell == "CMD-SHELL" => Some(Words::Line(line.clone())),
        test => Some(Words::List(test.to_vec())),
    };
    Healthcheck {
        disable: is_off,
        test: test.filter(|_| !is_off),
        interval: words::said(live.interval),
        timeout: words::said(live.timeout),
        retries: live.retries,
        start_period: words::said(live.start_period),
        start_interval: words::said(live.start_interval),
    }
}

fn ulimit(live: &swarm::Ulimit) -> (String, Ulimit) {
    let swarm::Ulimit { name, soft, hard, .. } = live;
    let limit = if soft == hard { Ulimit::Both(*soft) } else { Ulimit::Each { soft: *soft, hard: *hard } };
    (name.clone(), limit)
}

/// A line of `/etc/hosts`, `ip name`, as `name:ip`; several names of one address are several lines of a file's.
fn host(line: &str) -> String {
    match line.split_once(char::is_whitespace) {
        Some((ip, name)) => format!("{}:{ip}", name.trim()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_written_as_it_was_where_that_still_runs() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let of = |live: &str, written: Option<&str>| image(live, written.map(str::to_owned).as_ref());
        assert_eq!(of(&format!("nginx:1@{digest}"), Some("nginx:1")), "nginx:1");
        assert_eq!(of(&format!("nginx:latest@{digest}"), Some("docker.io/library/nginx")), "docker.io/library/nginx");
        assert_eq!(of("nginx:1", Some("nginx:1")), "nginx:1");
        assert_eq!(of("nginx:2", Some("nginx:1")), "nginx:2", "somebody updated it by hand");
        assert_eq!(of(&format!("nginx:1@{digest}"), None), format!("nginx:1@{digest}"));
    }

    #[test]
    fn an_address_of_six_keeps_its_colons() {
        assert_eq!(host("10.0.0.1 db"), "db:10.0.0.1");
        assert_eq!(host("::1 local"), "local:::1");
    }
}
