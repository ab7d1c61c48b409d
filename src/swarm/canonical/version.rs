//! What older engines forget.

use crate::swarm::ServiceSpec;

/// The first API version (1.x) that stores `Healthcheck.StartInterval` and `Privileges.NoNewPrivileges`.
const START_INTERVAL: u32 = 44;
/// The first that stores `VolumeOptions.Subpath`.
const SUBPATH: u32 = 45;
/// The first that stores `OomScoreAdj`.
const OOM_SCORE_ADJ: u32 = 46;

/// Takes away what an engine of the API version 1.`minor` accepts and does not store. It would never be read back, and so
/// be a difference that no write mends. Gives the pointers of what it took, for the user to be told.
pub fn forget_unstored(spec: &mut ServiceSpec, minor: u32) -> Vec<String> {
    let mut forgotten = Vec::new();
    let Some(container) = &mut spec.task_template.container_spec else { return forgotten };
    let mut forget = |path: String| forgotten.push(format!("/TaskTemplate/ContainerSpec/{path}"));
    if let Some(check) =
        container.healthcheck.as_mut().filter(|check| minor < START_INTERVAL && check.start_interval != 0)
    {
        check.start_interval = 0;
        forget("Healthcheck/StartInterval".to_owned());
    }
    if let Some(privileges) = container.privileges.as_mut().filter(|p| minor < START_INTERVAL && p.no_new_privileges) {
        privileges.no_new_privileges = false;
        forget("Privileges/NoNewPrivileges".to_owned());
    }
    if minor < OOM_SCORE_ADJ && container.oom_score_adj.take().is_some_and(|adjustment| adjustment != 0) {
        forget("OomScoreAdj".to_owned());
    }
    for (index, mount) in container.mounts.iter_mut().enumerate() {
        if let Some(options) = mount.volume_options.as_mut().filter(|o| minor < SUBPATH && !o.subpath.is_empty()) {
            options.subpath.clear();
            forget(format!("Mounts/{index}/VolumeOptions/Subpath"));
        }
    }
    forgotten
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_an_engine_does_not_store_is_taken_away_and_named() {
        let full = json!({ "Name": "a", "TaskTemplate": { "ForceUpdate": 0, "ContainerSpec": {
            "Image": "a:1", "OomScoreAdj": 5,
            "Healthcheck": { "Interval": 1, "StartInterval": 2 },
            "Privileges": { "CredentialSpec": null, "SELinuxContext": null, "NoNewPrivileges": true },
            "Mounts": [{ "Type": "tmpfs", "Target": "/t" },
                       { "Type": "volume", "Target": "/v", "VolumeOptions": { "Subpath": "s" } }]
        } } });
        let forget = |minor: u32| {
            let mut spec: ServiceSpec = serde_json::from_value(full.clone()).expect("a spec");
            let forgotten = forget_unstored(&mut spec, minor);
            let left = serde_json::to_value(&spec).expect("it is JSON");
            for path in &forgotten {
                assert!(left.pointer(path).is_none_or(|value| value == &json!(false)), "{path} is left");
                assert!(full.pointer(path).is_some(), "{path} was there");
            }
            assert_eq!(forgotten.is_empty(), left == full);
            forgotten.len()
        };
        assert_eq!([41, 43, 44, 45, 46].map(forget), [4, 4, 2, 1, 0]);
    }
}
