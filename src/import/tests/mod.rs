//! Small swarms, and what is written of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::swarm::{Config, Network, SecretObject};

/// A swarm of these objects.
fn live(services: &[Value], networks: &[Value], configs: &[Value], secrets: &[Value]) -> Live {
    fn list<T: for<'de> serde::Deserialize<'de>>(values: &[Value]) -> Vec<Arc<T>> {
        values.iter().map(|value| Arc::new(serde_json::from_value(value.clone()).expect("an object"))).collect()
    }
    Live {
        services: list::<Service>(services),
        networks: list::<Network>(networks),
        configs: list::<Config>(configs),
        secrets: list::<SecretObject>(secrets),
        ..Live::default()
    }
}

/// A service as `docker stack deploy` makes it, with more of its container and more of its spec.
fn service(name: &str, container: &Value, spec: &Value) -> Value {
    let mut whole = json!({
        "Name": name,
        "Labels": { "com.docker.stack.image": "nginx:1", "com.docker.stack.namespace": "shop" },
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "nginx:1", "Labels": { "com.docker.stack.namespace": "shop" }, "Isolation": "default",
                "Privileges": { "CredentialSpec": null, "SELinuxContext": null, "NoNewPrivileges": false }
            },
            "Resources": {}, "Placement": {}, "ForceUpdate": 0, "Runtime": "container",
            "Networks": [{ "Target": "n1", "Aliases": [name.trim_start_matches("shop_")] }]
        },
        "Mode": { "Replicated": { "Replicas": 1 } },
        "EndpointSpec": { "Mode": "vip" }
    });
    merge(&mut whole["TaskTemplate"]["ContainerSpec"], container);
    merge(&mut whole, spec);
    json!({ "ID": format!("id-of-{name}"), "Spec": whole })
}

fn merge(into: &mut Value, more: &Value) {
    for (key, value) in more.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

fn default_network() -> Value {
    json!({
        "Id": "n1", "Name": "shop_default", "Scope": "swarm", "Driver": "overlay",
        "IPAM": { "Driver": "default", "Config": [{ "Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1" }] },
        "Options": { "com.docker.network.driver.overlay.vxlanid_list": "4097" },
        "Labels": { "com.docker.stack.namespace": "shop" }
    })
}

fn config(name: &str, content: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    json!({
        "ID": format!("id-of-{name}"),
        "Spec": { "Name": name, "Labels": { "com.docker.stack.namespace": "shop" }, "Data": STANDARD.encode(content) }
    })
}

fn imported(live: &Live, services: &[&str], placing: Placing) -> Imported {
    let (stack, predefined) = (StackName::parse("shop").expect("a name"), BTreeMap::new());
    let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
    import(&Request { stack: &stack, services: &services, live, predefined: &predefined, placing })
}

fn said(imported: &Imported) -> Vec<String> {
    imported.diagnostics.iter().map(|it| format!("{} {}", it.code, it.message)).collect()
}

#[test]
fn a_file_reads_as_somebody_would_have_written_it() {
    let reference = |name: &str, target: &str, mode: u32| {
        json!({ "ConfigID": format!("id-of-{name}"), "ConfigName": name,
                "File": { "Name": target, "UID": "0", "GID": "0", "Mode": mode } })
    };
    let container = json!({
        "Args": ["nginx", "-g", "daemon off;"], "Env": ["HOME=$HOME", "PASSWORD_FILE=/run/secrets/key"],
        "Configs": [reference("shop_page", "page", 0o444), reference("shop_site-v3", "/etc/site", 0o440)],
        "Secrets": [{ "SecretID": "id-of-shop_key", "SecretName": "shop_key",
                      "File": { "Name": "key", "UID": "0", "GID": "0", "Mode": 0o444 } }],
        "Mounts": [{ "Type": "volume", "Source": "shop_data", "Target": "/data",
                     "VolumeOptions": { "Labels": { "com.docker.stack.namespace": "shop" } } }],
        "Healthcheck": { "Test": ["CMD-SHELL", "curl -f localhost"], "Interval": 10_000_000_000_i64 }
    });
    let spec = json!({ "EndpointSpec": { "Mode": "vip", "Ports": [
        { "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress" }
    ] } });
    let live = live(
        &[service("shop_web", &container, &spec), service("shop_cron", &json!({}), &json!({}))],
        &[default_network()],
        &[config("shop_page", "<html>\n  $x\n</html>\n"), config("shop_site-v3", "a")],
        &[
            json!({ "ID": "id-of-shop_key", "Spec": { "Name": "shop_key", "Labels": { "com.docker.stack.namespace": "shop" } } }),
        ],
    );
    let inline = imported(&live, &[], Placing::Inline);
    assert_eq!(said(&inline), [] as [String; 0]);
    insta::assert_snapshot!(inline.text(), @r#"
    # The stack shop, as it ran when this was written.
    services:
      cron:
        image: nginx:1
        deploy:
          replicas: 1

      web:
        image: nginx:1
        command:
        - nginx
        - "-g"
        - daemon off;
        environment:
          HOME: $$HOME
          PASSWORD_FILE: /run/secrets/key
        ports:
        - "8080:80"
        volumes:
        - data:/data
        configs:
        - page
        - source: site-v3
          target: /etc/site
          mode: 0440
        secrets:
        - key
        healthcheck:
          test: curl -f localhost
          interval: 10s
        deploy:
          replicas: 1

    volumes:
      data: {}

    configs:
      page:
        content: |
          <html>
            $$x
          </html>
      site-v3:
        content: a

    # The swarm never gives back what is in a secret, so these are named and used as they are. To bring one into git, put its
    # content into a file encrypted with SOPS, and write `file: ./secrets/NAME` in the place of `external: true`.
    secrets:
      key:
        name: shop_key
        external: true
    "#);
    let files = imported(&live, &[], Placing::Files);
    let paths: Vec<&str> = files.files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["compose.yaml", "configs/page", "configs/site-v3"]);
    assert_eq!(files.files[1].1, b"<html>\n  $x\n</html>\n");
}

#[test]
fn the_hash_that_skep_put_behind_a_name_is_left_out_and_others_stay() {
    use crate::desired::names::{suffix, versioned};
    use crate::model::Digest;
    let mut ours = config("shop_page", "one");
    let data = ours["Spec"]["Data"].as_str().expect("data").to_owned();
    let name = versioned("shop_page", suffix(Digest::of(data).as_str()));
    ours["Spec"]["Name"] = json!(name);
    let theirs = config("shop_page-0123456789ab", "two");
    let live = live(&[], &[], &[ours, theirs], &[]);
    let imported = imported(&live, &[], Placing::Inline);
    assert_eq!(said(&imported), [] as [String; 0]);
    insta::assert_snapshot!(imported.text(), @r"
    # The stack shop, as it ran when this was written.
    services: {}

    configs:
      page:
        content: one
      page-0123456789ab:
        content: two
    ");
}

#[test]
fn what_no_key_says_is_ignored_where_it_would_restart_tasks_and_named_in_any_case() {
    let privileges =
        json!({ "Privileges": { "CredentialSpec": null, "SELinuxContext": null, "NoNewPrivileges": true } });
    let mut changed = service("shop_web", &privileges, &json!({}));
    changed["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] = json!("nginx:2");
    let live = live(&[changed], &[default_network()], &[], &[]);
    let imported = imported(&live, &[], Placing::Inline);
    insta::assert_snapshot!(said(&imported).join("\n"), @r"
    import/differs service shop_web: applying the file would change /Labels/com.docker.stack.image, which restarts nothing: a stack file cannot say what is there now
    import/differs service web: a stack file has no key for /TaskTemplate/ContainerSpec/Privileges/NoNewPrivileges, which stays as it is
    ");
    insta::assert_snapshot!(imported.text(), @r"
    # The stack shop, as it ran when this was written.
    services:
      web:
        image: nginx:2
        deploy:
          replicas: 1
        x-skep:
          ignore:
          - /TaskTemplate/ContainerSpec/Privileges/NoNewPrivileges
    ");
}

#[test]
fn what_no_stack_made_has_its_name_and_nothing_more() {
    let bare = json!({ "ID": "id", "Spec": {
        "Name": "web", "Labels": {},
        "TaskTemplate": {
            "ContainerSpec": { "Image": "nginx:1", "Init": false, "DNSConfig": {}, "Isolation": "default" },
            "Resources": { "Limits": {}, "Reservations": {} }, "Placement": {}, "ForceUpdate": 3, "Runtime": "container",
            "Networks": [{ "Target": "n2" }]
        },
        "Mode": { "Replicated": { "Replicas": 1 } }, "EndpointSpec": { "Mode": "vip" }
    } });
    let net = json!({ "Id": "n2", "Name": "default", "Scope": "swarm", "Driver": "overlay" });
    let live = live(&[bare], &[net], &[], &[]);
    let imported = imported(&live, &["web"], Placing::Inline);
    assert_eq!(said(&imported), [] as [String; 0]);
    insta::assert_snapshot!(imported.text(), @r"
    # The stack shop, as it ran when this was written.
    services:
      web:
        image: nginx:1
        networks:
        - default-2
        init: false
        dns: []
        deploy:
          replicas: 1
          resources:
            limits: {}
            reservations: {}
        x-skep:
          name: web

    networks:
      default-2:
        name: default
        external: true
    ");
}

#[test]
fn what_another_tool_notes_in_labels_and_what_the_registry_said_are_not_in_the_file() {
    let digest = format!("nginx:1@sha256:{}", "a".repeat(64));
    let labels = json!({ "com.docker.stack.namespace": "shop", "cd.doco.source.url": "x", "a": "b" });
    let mut web = service("shop_web", &json!({ "Image": digest, "Labels": labels }), &json!({}));
    web["Spec"]["TaskTemplate"]["Placement"] = json!({ "Platforms": [{ "Architecture": "amd64", "OS": "linux" }] });
    let written = imported(&live(&[web.clone()], &[default_network()], &[], &[]), &[], Placing::Inline);
    assert_eq!(said(&written), [] as [String; 0]);
    assert!(written.text().contains("image: nginx:1\n    labels:\n      a: b\n    deploy:"), "{}", written.text());
    // Without a word of what somebody wrote, the image is written as it is, and its platforms stay as well.
    web["Spec"]["Labels"] = json!({});
    let written = imported(&live(&[web], &[default_network()], &[], &[]), &["shop_web"], Placing::Inline);
    assert!(!said(&written).join("\n").contains("Platforms"), "{:?}", said(&written));
    assert!(written.text().contains(&digest), "{}", written.text());
}

#[test]
fn a_key_that_two_objects_could_have_goes_to_the_stacks_own() {
    let mut web = service("shop_web", &json!({}), &json!({}));
    web["Spec"]["TaskTemplate"]["Networks"] = json!([
        { "Target": "n2", "Aliases": ["web"] }, { "Target": "n3", "Aliases": ["web"] }, { "Target": "n1", "Aliases": ["web"] }
    ]);
    let network = |id: &str, name: &str, labels: Value| json!({ "Id": id, "Name": name, "Scope": "swarm", "Driver": "overlay", "Labels": labels });
    let ours = json!({ "com.docker.stack.namespace": "shop" });
    let networks = [
        default_network(),
        network("n2", "back", json!({})),
        network("n3", "shop_back", ours.clone()),
        network("n4", "shop_unused", ours),
    ];
    let imported = imported(&live(&[web], &networks, &[], &[]), &[], Placing::Inline);
    insta::assert_snapshot!(said(&imported).join("\n"), @"import/left-out network shop_unused is left out: no service of the stack joins it, and a stack file makes no such network");
    insta::assert_snapshot!(imported.text(), @r"
    # The stack shop, as it ran when this was written.
    services:
      web:
        image: nginx:1
        networks:
        - back
        - back-2
        - default
        deploy:
          replicas: 1

    networks:
      back: {}
      back-2:
        name: back
        external: true
    ");
}

#[test]
fn values_that_look_like_secrets_are_warned_of_by_name_alone() {
    let web = service("shop_web", &json!({ "Env": ["DB_PASSWORD=canary", "KEY_FILE=/run/secrets/key"] }), &json!({}));
    let imported = imported(&live(&[web], &[default_network()], &[], &[]), &[], Placing::Inline);
    let said = said(&imported).join("\n");
    assert!(said.contains("DB_PASSWORD") && !said.contains("canary") && !said.contains("KEY_FILE"), "{said}");
}

#[test]
fn bytes_that_are_no_text_need_a_file_of_their_own() {
    let mut config = config("shop_blob", "");
    config["Spec"]["Data"] = json!("/wD+");
    let live = live(&[], &[], &[config], &[]);
    let inline = imported(&live, &[], Placing::Inline);
    assert!(said(&inline)[0].contains("shop_blob is not text"), "{:?}", said(&inline));
    let files = imported(&live, &[], Placing::Files);
    assert_eq!(said(&files), [] as [String; 0]);
    assert_eq!(files.files[1], ("configs/blob".to_owned(), vec![0xff, 0x00, 0xfe]));
}
