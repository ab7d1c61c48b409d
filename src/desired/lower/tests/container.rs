//! Scalars and lists of the container, its healthcheck and its logs.

use serde_json::{Value, json};

use super::{at, errors, one, spec, strings};
use crate::compose::{Healthcheck, Logging, Service, Ulimit};

/// The container's spec without what every container has.
#[track_caller]
fn container(change: impl FnOnce(&mut Service)) -> Value {
    let mut container = spec(change)["TaskTemplate"]["ContainerSpec"].take();
    let fields = container.as_object_mut().expect("an object");
    for key in ["Image", "Labels", "Privileges"] {
        assert!(fields.remove(key).is_some(), "{key}");
    }
    container
}

#[test]
fn scalars() {
    assert_eq!(container(|_| {}), json!({}));
    assert_eq!(
        container(|service| {
            service.entrypoint = Some(at(strings(&["/entry", "-x"])));
            service.command = Some(at(strings(&["run"])));
            service.hostname = Some("{{.Node.Hostname}}".to_owned());
            service.working_dir = Some("/srv".to_owned());
            service.user = Some("1:2".to_owned());
            service.stop_signal = Some("SIGINT".to_owned());
            service.stop_grace_period = Some(90_000_000_000);
            service.tty = true;
            service.stdin_open = true;
            service.read_only = true;
            service.init = Some(false);
            service.isolation = Some("hyperv".to_owned());
            service.sysctls = [("net.core.somaxconn".to_owned(), "1024".to_owned())].into();
        }),
        json!({
            "Command": ["/entry", "-x"], "Args": ["run"], "Hostname": "{{.Node.Hostname}}", "Dir": "/srv",
            "User": "1:2", "StopSignal": "SIGINT", "StopGracePeriod": 90_000_000_000_i64, "TTY": true,
            "OpenStdin": true, "ReadOnly": true, "Init": false, "Isolation": "hyperv",
            "Sysctls": { "net.core.somaxconn": "1024" }
        })
    );
}

#[test]
fn an_empty_command_cannot_clear_the_images() {
    assert_eq!(container(|service| service.entrypoint = Some(at(Vec::new()))), json!({}));
}

#[test]
fn a_grace_period_of_zero_is_said() {
    assert_eq!(container(|service| service.stop_grace_period = Some(0)), json!({ "StopGracePeriod": 0 }));
}

#[test]
fn environment_is_sorted_by_bytes_and_a_bare_name_stays_bare() {
    let pair = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
    assert_eq!(
        container(|service| {
            service.environment =
                [pair("b", Some("x")), pair("A_B", Some("")), pair("A", Some("1")), pair("GONE", None)].into();
        }),
        json!({ "Env": ["A=1", "A_B=", "GONE", "b=x"] })
    );
}

#[test]
fn hosts_keep_their_order() {
    let host = |name: &str, ip: &str| (name.to_owned(), ip.to_owned());
    assert_eq!(
        container(|service| {
            service.extra_hosts = vec![host("z", "10.0.0.1"), host("a", "[::1]"), host("h", "host-gateway")];
        }),
        json!({ "Hosts": ["10.0.0.1 z", "::1 a", "host-gateway h"] })
    );
}

#[test]
fn dns_that_is_said_and_empty_is_an_empty_message() {
    assert_eq!(container(|service| service.dns = Some(Vec::new())), json!({ "DNSConfig": {} }));
    assert_eq!(container(|service| service.dns_search = Some(Vec::new())), json!({ "DNSConfig": {} }));
    assert_eq!(
        container(|service| {
            service.dns = Some(strings(&["9.9.9.9", "1.1.1.1"]));
            service.dns_search = Some(strings(&["example.org"]));
        }),
        json!({ "DNSConfig": { "Nameservers": ["9.9.9.9", "1.1.1.1"], "Search": ["example.org"] } })
    );
}

#[test]
fn capabilities_and_limits_are_sorted() {
    assert_eq!(
        container(|service| {
            service.cap_add = strings(&["net_admin", "CAP_CHOWN"]);
            service.cap_drop = strings(&["all"]);
            let limit = |soft, hard| Ulimit { soft, hard };
            service.ulimits = [("nproc".to_owned(), limit(0, 0)), ("nofile".to_owned(), limit(1, 2))].into();
        }),
        json!({
            "CapabilityAdd": ["CAP_CHOWN", "CAP_NET_ADMIN"], "CapabilityDrop": ["ALL"],
            "Ulimits": [{ "Name": "nofile", "Soft": 1, "Hard": 2 }, { "Name": "nproc", "Soft": 0, "Hard": 0 }]
        })
    );
}

#[test]
fn healthchecks() {
    let check = |file: Healthcheck| container(|service| service.healthcheck = Some(at(file)))["Healthcheck"].take();
    let second = 1_000_000_000_i64;
    assert_eq!(check(Healthcheck::default()), json!({}), "said and empty");
    assert_eq!(check(Healthcheck { disable: true, ..Healthcheck::default() }), json!({ "Test": ["NONE"] }));
    assert_eq!(
        check(Healthcheck {
            test: strings(&["CMD-SHELL", "true"]),
            interval: Some(second),
            timeout: Some(2 * second),
            start_period: Some(3 * second),
            start_interval: Some(4 * second),
            retries: Some(5),
            ..Healthcheck::default()
        }),
        json!({
            "Test": ["CMD-SHELL", "true"], "Interval": second, "Timeout": 2 * second, "StartPeriod": 3 * second,
            "StartInterval": 4 * second, "Retries": 5
        })
    );
    assert_eq!(
        check(Healthcheck { interval: Some(second), timeout: Some(0), ..Healthcheck::default() }),
        json!({ "Interval": second }),
        "without a test, the image's"
    );
}

#[test]
fn healthchecks_the_engine_refuses() {
    let check = |file: Healthcheck| errors(&one(|service| service.healthcheck = Some(at(file))));
    assert_eq!(
        check(Healthcheck { disable: true, test: strings(&["CMD", "x"]), ..Healthcheck::default() }),
        ["compose/conflict"]
    );
    assert_eq!(check(Healthcheck { interval: Some(999_999), ..Healthcheck::default() }), ["schema/invalid-value"]);
    assert_eq!(check(Healthcheck { interval: Some(1_000_000), ..Healthcheck::default() }), [] as [&str; 0]);
}

#[test]
fn logging() {
    let driver = |file: Logging| spec(|service| service.logging = Some(at(file)))["TaskTemplate"]["LogDriver"].take();
    assert_eq!(driver(Logging::default()), json!({}), "said and empty");
    assert_eq!(
        driver(Logging {
            driver: Some("json-file".to_owned()),
            options: [("max-size".to_owned(), "10m".to_owned())].into()
        }),
        json!({ "Name": "json-file", "Options": { "max-size": "10m" } })
    );
}
