//! Services that a file names by their own names: nothing is added to them.

use serde_json::json;

use super::*;
use crate::compose::{Mount, Own, ServiceNetwork, Volume};
use crate::diag::code;

fn named(name: &str) -> Own {
    Own { name: Some(name.to_owned()), ..Own::default() }
}

#[test]
fn nothing_of_the_stack_is_added_to_what_is_taken_as_it_is() {
    let spec = spec(|service| service.own = named("web"));
    assert_eq!(
        spec,
        json!({
            "Name": "web",
            "TaskTemplate": { "ContainerSpec": { "Image": "busybox:1" }, "Placement": {}, "ForceUpdate": 0 },
            "Mode": { "Replicated": {} },
            "EndpointSpec": {}
        })
    );
}

#[test]
fn it_joins_the_networks_and_volumes_that_it_names_and_no_other() {
    let mut compose = one(|service| {
        service.own = named("web");
        service
            .networks
            .insert("default".to_owned(), at(ServiceNetwork { aliases: strings(&["x"]), ..Default::default() }));
        let mount = |source: &str| {
            at(Mount { kind: "volume".into(), source: source.into(), target: source.into(), ..Mount::default() })
        };
        service.volumes = vec![mount("far"), mount("own")];
    });
    let far = Volume { external: true, name: Some("data".to_owned()), ..Volume::default() };
    compose.volumes.insert("far".to_owned(), at(far));
    compose.volumes.insert(
        "own".to_owned(),
        at(Volume { labels: [("a".to_owned(), "b".to_owned())].into(), ..Volume::default() }),
    );
    let rendered = rendered(&compose);
    let task = &rendered["services"][0]["TaskTemplate"];
    assert_eq!(task["Networks"], json!([{ "Target": "st_default", "Aliases": ["x"] }]));
    assert_eq!(
        task["ContainerSpec"]["Mounts"],
        json!([
            { "Type": "volume", "Source": "data", "Target": "far" },
            { "Type": "volume", "Source": "st_own", "Target": "own", "VolumeOptions": { "Labels": { "a": "b" } } }
        ])
    );
}

#[test]
fn two_services_cannot_have_one_name() {
    let mut compose = one(|_| {});
    let other = Service { image: Some(at("busybox:1".to_owned())), own: named("st_b"), ..Service::default() };
    compose.services.insert("c".to_owned(), at(other));
    assert_eq!(errors(&compose), [code::DUPLICATE_NAME]);
}
