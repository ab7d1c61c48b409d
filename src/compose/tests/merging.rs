//! Several files: a row of the reference a case.

use super::super::Service;
use super::{Stack, web};

fn stack(base: &str, over: &str) -> Stack {
    let over: String = over.lines().map(|line| format!("    {line}\n")).collect();
    Stack::repository(&[("a.yaml", &web(base)), ("b.yaml", &format!("services:\n  web:\n{over}"))])
}

fn merged(base: &str, over: &str) -> Service {
    stack(base, over).web()
}

/// What `docker stack deploy` makes of the two, and what is told.
fn check<T: PartialEq + std::fmt::Debug>(base: &str, over: &str, expected: T, read: impl Fn(Service) -> T) {
    assert_eq!(read(merged(base, over)), expected, "{base} ++ {over}");
}

/// Files merge the same whichever two of three are merged first, as far as the rules say so: what is replaced, appended or
/// merged key by key. What is not so by rule stays out of it: `ports`, lists whose order is by key, `aliases`, a driver's
/// options, and what an empty value leaves.
mod associative {
    use proptest::prelude::*;

    use super::super::super::merge;
    use crate::diag::{Faults, Sources};
    use crate::yaml::{Node, Value, read};

    fn entries() -> impl Strategy<Value = String> {
        prop::collection::btree_map("[a-d]", "[x-z]{1,2}", 0..4).prop_map(|map| {
            let entries: Vec<_> = map.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{}}}", entries.join(", "))
        })
    }

    fn list() -> impl Strategy<Value = String> {
        prop::collection::vec("[x-z]{1,2}", 0..4).prop_map(|items| format!("[{}]", items.join(", ")))
    }

    fn service() -> impl Strategy<Value = String> {
        let text = || "[x-z]{0,2}".prop_map(|text| format!("'{text}'"));
        let number = || "[0-3]";
        let line = prop_oneof![
            ("(image|user|working_dir|hostname|stop_signal)", text()),
            ("(command|entrypoint)", list()),
            ("(cap_add|cap_drop|dns|dns_search|tmpfs|security_opt|expose)", list()),
            ("(labels|sysctls|environment)", entries()),
            ("(init|tty|read_only)", "true|false".prop_map(String::from)),
            ("(deploy)", (number(), number(), entries(), list()).prop_map(|(replicas, most, labels, constraints)| format!(
                "{{replicas: {replicas}, labels: {labels}, placement: {{constraints: {constraints}, max_replicas_per_node: {most}}}}}"
            ))),
            ("(healthcheck)", (number(), "[0-2]s").prop_map(|(retries, wait)| format!("{{retries: {retries}, interval: {wait}}}"))),
        ];
        prop::collection::vec(line, 0..6).prop_map(|lines| {
            let once: std::collections::BTreeMap<String, String> = lines.into_iter().collect();
            once.into_iter().map(|(key, value)| format!("    {key}: {value}\n")).collect()
        })
    }

    fn file() -> impl Strategy<Value = String> {
        (service(), prop::option::of(service()), entries()).prop_map(|(web, other, networks)| {
            let other = other.map(|lines| format!("  other:\n    x-a: 1\n{lines}")).unwrap_or_default();
            format!("services:\n  web:\n    x-a: 1\n{web}{other}networks: {networks}\n")
        })
    }

    fn said(node: &Node) -> String {
        match &node.value {
            Value::Scalar(scalar) => format!("{:?}", scalar.go_text()),
            Value::Sequence(items) => format!("[{}]", items.iter().map(said).collect::<Vec<_>>().join(", ")),
            Value::Mapping(mapping) => {
                let mut entries: Vec<_> =
                    mapping.entries.iter().map(|entry| format!("{}: {}", entry.key, said(&entry.value))).collect();
                entries.sort();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    proptest! {
        #[test]
        fn what_the_rules_say(a in file(), b in file(), c in file()) {
            let mut sources = Sources::new();
            let mut node = |text: &str| {
                let file = sources.add("a.yaml", text);
                read(text, file).unwrap_or_else(|faults| panic!("{text}: {faults:?}")).remove(0)
            };
            let (a, b, c) = (node(&a), node(&b), node(&c));
            let mut faults = Faults::new();
            let mut files = |base: &Node, over: &Node| merge::files(base.clone(), over.clone(), &mut faults);
            let (ab, bc) = (files(&a, &b), files(&b, &c));
            prop_assert_eq!(said(&files(&ab, &c)), said(&files(&a, &bc)));
        }
    }
}

#[test]
fn text_overrides_unless_it_is_empty() {
    let user = |service: Service| service.user.unwrap_or_default();
    check("user: a", "user: b", "b".to_owned(), user);
    check("user: a", "user: ''", "a".to_owned(), user);
    check("user: a", "user: ", "a".to_owned(), user);
    check("hostname: h", "user: b", "b".to_owned(), user);
}

#[test]
fn false_and_zero_cannot_override() {
    check("read_only: true", "read_only: false", true, |service| service.read_only);
    check("tty: false", "tty: true", true, |service| service.tty);
    check("init: true", "init: false", Some(true), |service| service.init);
    check("stop_grace_period: 5s", "stop_grace_period: 0s", Some(5_000_000_000), |service| service.stop_grace_period);
    let placement = |service: Service| service.deploy.placement.max_replicas_per_node;
    let most = |n| format!("deploy: {{placement: {{max_replicas_per_node: {n}}}}}");
    check(&most(2), &most(0), 2, placement);
    let memory = |service: Service| service.deploy.limits.unwrap_or_default().memory_bytes;
    let limit = |text: &str| format!("deploy: {{resources: {{limits: {{memory: {text}}}}}}}");
    check(&limit("5m"), &limit("'0'"), 5_242_880, memory);
    check(&limit("5m"), &limit("6m"), 6_291_456, memory);
}

#[test]
fn counts_override_even_with_zero() {
    let replicas = |service: Service| service.deploy.replicas.map(|replicas| replicas.value);
    check("deploy: {replicas: 3}", "deploy: {replicas: 0}", Some(0), replicas);
    check("deploy: {replicas: 3}", "deploy: {mode: replicated}", Some(3), replicas);
    let update = |service: Service| {
        let config = service.deploy.update_config.expect("said").value;
        (config.parallelism, config.delay)
    };
    check(
        "deploy: {update_config: {delay: 5s, parallelism: 2}}",
        "deploy: {update_config: {delay: 0s, parallelism: 0}}",
        (Some(0), Some(5_000_000_000)),
        update,
    );
}

#[test]
fn a_command_is_replaced_unless_the_later_is_empty() {
    let command = |service: Service| service.command.map(|command| command.value.join(" ")).unwrap_or_default();
    check("command: a b", "command: [c]", "c".to_owned(), command);
    check("command: a b", "command: []", "a b".to_owned(), command);
    check("command: a b", "command: ''", "a b".to_owned(), command);
}

#[test]
fn plain_lists_are_appended() {
    check("cap_add: [A]", "cap_add: [B, A]", vec!["A", "B", "A"], |service| {
        service.cap_add.iter().map(|cap| if cap == "A" { "A" } else { "B" }).collect()
    });
    check("dns: 1.1.1.1", "dns: [2.2.2.2]", "1.1.1.1 2.2.2.2".to_owned(), |service| {
        service.dns.unwrap_or_default().join(" ")
    });
    check("extra_hosts: {b: 1.1.1.1, a: 2.2.2.2}", "extra_hosts: ['z:3.3.3.3']", "a b z".to_owned(), |service| {
        service.extra_hosts.into_iter().map(|(host, _)| host).collect::<Vec<_>>().join(" ")
    });
    let constraints = |text: &str| format!("deploy: {{placement: {{constraints: [{text}]}}}}");
    check(&constraints("a"), &constraints("b"), "a b".to_owned(), |service| {
        service.deploy.placement.constraints.join(" ")
    });
}

#[test]
fn maps_are_merged_key_by_key() {
    let labels = |service: Service| format!("{:?}", service.labels);
    check("labels: [a=1, b=2]", "labels: {b: '', c: 3}", r#"{"a": "1", "b": "", "c": "3"}"#.to_owned(), labels);
    check("labels: {a: , b: x}", "labels: {a: y, b: }", r#"{"a": "y", "b": ""}"#.to_owned(), labels);
    let environment = |service: Service| format!("{:?}", service.environment);
    check(
        "environment: {A: , B: x, C: y}",
        "environment: {A: '', B: '', C: , D: ''}",
        r#"{"A": Some(""), "B": Some("x"), "C": Some("y"), "D": Some("")}"#.to_owned(),
        environment,
    );
    check("ulimits: {nofile: 5}", "ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}", (1, 3), |service| {
        (service.ulimits["nofile"].soft, service.ulimits["nproc"].soft)
    });
}

#[test]
fn an_env_file_of_a_later_file_beats_the_environment_of_an_earlier() {
    let files = [
        ("a.yaml", web("environment: {A: first, B: first}")),
        ("b.yaml", "services: {web: {env_file: b.env}}".to_owned()),
        ("b.env", "A=later\nB=\n".to_owned()),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let environment = Stack::repository(&files).web().environment;
    assert_eq!((environment["A"].as_deref(), environment["B"].as_deref()), (Some("later"), Some("first")));
}

#[test]
fn log_options_of_one_driver_are_merged() {
    let logging = |service: Service| {
        let logging = service.logging.expect("said").value;
        format!("{:?} {:?}", logging.driver.unwrap_or_default(), logging.options)
    };
    let one = "logging: {driver: x, options: {a: 1}}";
    check(one, "logging: {options: {b: 2}}", r#""x" {"a": "1", "b": "2"}"#.to_owned(), logging);
    check(one, "logging: {driver: x, options: {a: 2}}", r#""x" {"a": "2"}"#.to_owned(), logging);
    check(one, "logging: {driver: y, options: {b: 2}}", r#""y" {"b": "2"}"#.to_owned(), logging);
    check(
        "logging: {options: {b: 2}}",
        one,
        r#""x" {"b": "2", "a": "1"}"#.replace(r#""b": "2", "a": "1""#, r#""a": "1", "b": "2""#),
        logging,
    );
}

#[test]
fn mounts_are_keyed_by_target_and_sorted() {
    let mounts = |service: Service| {
        service
            .volumes
            .iter()
            .map(|at| format!("{}:{}", at.value.source, at.value.target))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let base = "volumes: [/z:/z, /b:/b]";
    check(
        base,
        "volumes: [{type: bind, source: /other, target: /z}, /a:/a]",
        "/a:/a /b:/b /other:/z".to_owned(),
        mounts,
    );
    check(base, "user: '1'", "/b:/b /z:/z".to_owned(), mounts);
    assert_eq!(mounts(Stack::repository(&[("a.yaml", &web(base))]).web()), "/z:/z /b:/b", "one file keeps its order");
}

#[test]
fn configs_are_keyed_by_source_and_sorted() {
    let files = |over: &str| {
        let base = web("configs: [z, b]") + "configs: {a: {external: true}, b: {external: true}, z: {external: true}}";
        Stack::repository(&[("a.yaml", &base), ("b.yaml", over)]).web().configs
    };
    let configs = files("services: {web: {configs: [{source: z, target: /z}, a]}}");
    let found: Vec<_> = configs.iter().map(|at| (at.value.source.as_str(), at.value.target.as_deref())).collect();
    assert_eq!(found, [("a", None), ("b", None), ("z", Some("/z"))]);
}

#[test]
fn networks_are_merged_and_aliases_replaced() {
    let networks = |over: &str| {
        let base = web("networks: {n: {aliases: [x], driver_opts: {a: b}}}") + "networks: {n: , m: }";
        let stack =
            Stack::repository(&[("a.yaml", &base), ("b.yaml", &format!("services: {{web: {{networks: {over}}}}}"))]);
        let networks = stack.web().networks;
        let shown =
            networks.iter().map(|(name, at)| format!("{name} {:?} {:?}", at.value.aliases, at.value.driver_opts));
        (shown.collect::<Vec<_>>().join(", "), stack.faults())
    };
    assert_eq!(networks("[n, m]").0, r#"n ["x"] {"a": "b"}, m [] {}"#);
    assert_eq!(networks("{n: {aliases: [y]}}").0, r#"n ["y"] {"a": "b"}"#);
    let (merged, told) = networks("{n: {driver_opts: {c: d}}}");
    assert_eq!(merged, r#"n [] {"a": "b"}"#);
    assert!(told.contains("[compose/merge-differs]"), "{told}");
}

#[test]
fn ports_all_stay_but_a_number_published_anew() {
    let base = "ports: ['53:53/udp', '53:53/tcp', '8000-8002:80', 90, 91]";
    let stack = stack(base, "ports: ['8001:81']");
    let ports = stack.web().ports;
    let shown: Vec<_> = ports.iter().map(|at| format!("{}:{}", at.value.published, at.value.target)).collect();
    assert_eq!(shown, ["53:53", "53:53", "8000:80", "8002:80", "0:90", "0:91", "8001:81"]);
    insta::assert_snapshot!(stack.faults(), @r"
    b.yaml:3:12: warning: all ports stay, where `docker stack deploy` keeps one a number, whatever its protocol, and one without a number [compose/merge-differs]
    ");
    assert!(merged_faults(base, "user: '1'").contains("[compose/merge-differs]"));
    assert_eq!(merged_faults("ports: ['80:80', '81:81']", "ports: ['80:8080']"), "");
}

fn merged_faults(base: &str, over: &str) -> String {
    stack(base, over).faults()
}

#[test]
fn a_test_replaces_the_earlier_one() {
    let stack = stack("healthcheck: {test: [CMD, a], interval: 5s}", "healthcheck: {test: b, interval: 0s}");
    let healthcheck = stack.web().healthcheck.expect("said").value;
    assert_eq!((healthcheck.test.join(" "), healthcheck.interval), ("CMD-SHELL b".to_owned(), Some(5_000_000_000)));
    insta::assert_snapshot!(stack.faults(), @r"
    b.yaml:3:25: warning: this test replaces the earlier one, where `docker stack deploy` appends it to that [compose/merge-differs]
    ");
}

#[test]
fn what_stands_at_the_top_is_replaced_whole() {
    let files = [
        ("a.yaml", web("user: '0'") + "networks: {n: {driver: x, labels: {a: b}}, m: {internal: true}}"),
        ("b.yaml", "networks: {n: {attachable: true}, m: }\nservices: {other: {image: y}}".to_owned()),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let compose = Stack::repository(&files).compose();
    let n = &compose.networks["n"].value;
    assert!(n.attachable && n.driver.is_none() && n.labels.is_empty());
    assert!(!compose.networks["m"].value.internal);
    assert_eq!(compose.services.keys().collect::<Vec<_>>(), ["other", "web"]);
}

#[test]
fn a_fault_is_shown_in_the_file_that_contributed_the_value() {
    let told = merged_faults("user: a\nvolumes: [data:/x]", "user: 5\nlabels: 3");
    insta::assert_snapshot!(told, @r#"
    a.yaml:5:15: error: `services.web` uses the volume `data`, which no file defines [compose/undefined-volume]
      help: define it under the top-level `volumes`
    b.yaml:3:11: error: `services.web.user` must be text, not a number [schema/wrong-type]
      help: put it in quotes: "5"
    b.yaml:4:13: error: `services.web.labels` must be a mapping or a list of `key=value`, not a number [schema/wrong-type]
    "#);
}
