//! Mounts and volumes.

use serde_json::{Value, json};

use super::{at, errors, one, rendered};
use crate::compose::{BindOptions, Compose, Mount, Service, Volume, VolumeOptions};

fn mount(kind: &str, source: &str, target: &str) -> Mount {
    Mount { kind: kind.to_owned(), source: source.to_owned(), target: target.to_owned(), ..Mount::default() }
}

/// A stack whose only service has these mounts, with some volumes defined.
fn with(mounts: Vec<Mount>) -> Compose {
    let text = |text: &str| Some(text.to_owned());
    let pair = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    let mut compose = one(|service: &mut Service| service.volumes = mounts.into_iter().map(at).collect());
    for (key, volume) in [
        ("plain", Volume::default()),
        ("named", Volume { name: text("own"), labels: pair("a", "b"), ..Volume::default() }),
        ("nfs", Volume { driver_opts: pair("type", "nfs"), ..Volume::default() }),
        ("driven", Volume { driver: text("local"), ..Volume::default() }),
        ("theirs", Volume { external: true, labels: pair("a", "b"), driver: text("x"), ..Volume::default() }),
        ("theirs_named", Volume { external: true, name: text("other"), ..Volume::default() }),
        ("unused", Volume::default()),
    ] {
        compose.volumes.insert(key.to_owned(), at(volume));
    }
    compose
}

#[track_caller]
fn mounts(mounts: Vec<Mount>) -> Value {
    rendered(&with(mounts))["services"][0]["TaskTemplate"]["ContainerSpec"]["Mounts"].take()
}

#[test]
fn volumes_carry_what_makes_them() {
    let ours = json!({ "com.docker.stack.namespace": "st" });
    assert_eq!(
        mounts(vec![
            mount("volume", "", "/anonymous"),
            Mount { read_only: true, ..mount("volume", "plain", "/plain") },
            mount("", "named", "/named"),
            mount("volume", "nfs", "/nfs"),
            mount("volume", "driven", "/driven"),
            mount("volume", "theirs", "/theirs"),
            Mount {
                volume: Some(VolumeOptions { nocopy: true, subpath: "sub".to_owned() }),
                ..mount("volume", "theirs_named", "/theirs_named")
            },
        ]),
        json!([
            { "Type": "volume", "Target": "/anonymous" },
            { "Type": "volume", "Source": "st_plain", "Target": "/plain", "ReadOnly": true,
              "VolumeOptions": { "Labels": ours } },
            { "Type": "volume", "Source": "own", "Target": "/named",
              "VolumeOptions": { "Labels": { "a": "b", "com.docker.stack.namespace": "st" } } },
            { "Type": "volume", "Source": "st_nfs", "Target": "/nfs",
              "VolumeOptions": { "Labels": ours, "DriverConfig": { "Options": { "type": "nfs" } } } },
            { "Type": "volume", "Source": "st_driven", "Target": "/driven",
              "VolumeOptions": { "Labels": ours, "DriverConfig": { "Name": "local" } } },
            { "Type": "volume", "Source": "theirs", "Target": "/theirs", "VolumeOptions": {} },
            { "Type": "volume", "Source": "other", "Target": "/theirs_named",
              "VolumeOptions": { "NoCopy": true, "Subpath": "sub" } }
        ])
    );
}

#[test]
fn other_types() {
    let propagation = |text: &str| Some(BindOptions { propagation: text.to_owned() });
    assert_eq!(
        mounts(vec![
            Mount { consistency: "cached".to_owned(), ..mount("bind", "/a", "/1") },
            Mount { bind: propagation(""), ..mount("bind", "/a", "/2") },
            Mount { bind: propagation("rshared"), ..mount("bind", "/a", "/3") },
            mount("tmpfs", "", "/4"),
            Mount { tmpfs: Some(0), ..mount("tmpfs", "", "/5") },
            Mount { tmpfs: Some(9), ..mount("tmpfs", "", "/6") },
            mount("npipe", "//./pipe/a", "//./pipe/b"),
            mount("cluster", "group:g", "/7"),
            mount("cluster", "plain", "/8"),
        ]),
        json!([
            { "Type": "bind", "Source": "/a", "Target": "/1", "Consistency": "cached" },
            { "Type": "bind", "Source": "/a", "Target": "/2", "BindOptions": {} },
            { "Type": "bind", "Source": "/a", "Target": "/3", "BindOptions": { "Propagation": "rshared" } },
            { "Type": "tmpfs", "Target": "/4" },
            { "Type": "tmpfs", "Target": "/5", "TmpfsOptions": {} },
            { "Type": "tmpfs", "Target": "/6", "TmpfsOptions": { "SizeBytes": 9 } },
            { "Type": "npipe", "Source": "//./pipe/a", "Target": "//./pipe/b" },
            { "Type": "cluster", "Source": "group:g", "Target": "/7", "ClusterOptions": {} },
            { "Type": "cluster", "Source": "st_plain", "Target": "/8", "ClusterOptions": {} }
        ])
    );
}

#[test]
fn volumes_in_use_that_the_stack_owns_are_listed() {
    let compose = with(["named", "nfs", "theirs"].map(|key| mount("volume", key, &format!("/{key}"))).into());
    assert_eq!(
        rendered(&compose)["volumes"],
        json!([
            { "Name": "own", "Labels": { "a": "b", "com.docker.stack.namespace": "st" } },
            { "Name": "st_nfs", "DriverOpts": { "type": "nfs" }, "Labels": { "com.docker.stack.namespace": "st" } }
        ])
    );
}

#[test]
fn mounts_that_are_refused() {
    let one = |mount: Mount| errors(&with(vec![mount]));
    assert_eq!(one(mount("volume", "plian", "/a")), ["compose/undefined-volume"]);
    assert_eq!(one(mount("image", "x", "/a")), ["schema/invalid-value"]);
    assert_eq!(one(mount("bind", "", "/a")), ["schema/invalid-value"]);
    assert_eq!(one(mount("cluster", "", "/a")), ["schema/invalid-value"]);
    assert_eq!(one(mount("tmpfs", "x", "/a")), ["schema/invalid-value"]);
    assert_eq!(one(Mount { tmpfs: Some(1), ..mount("volume", "plain", "/a") }), ["compose/conflict"]);
    assert_eq!(
        one(Mount { volume: Some(VolumeOptions::default()), ..mount("bind", "/x", "/a") }),
        ["compose/conflict"]
    );
    assert_eq!(errors(&with(vec![mount("bind", "/x", "/a"), mount("tmpfs", "", "/a")])), ["compose/duplicate-target"]);
}
