//! What a difference in a service's spec costs its running tasks: the one table of it.
//!
//! The engine compares the stored spec of a task with the service's (its "dirty test"): the whole task template and the
//! endpoint, structurally, so an empty list equals an absent one and an empty message does not equal an absent one.
//! Paths are JSON pointers into a spec in canonical form ([`super::canonical`]), where the differences that cost nothing
//! are gone. A message that appears or disappears is one difference, at the message's own path.
//!
//! What the table cannot know: every write of a service in a job mode, an in-place one too, runs the job again.

/// What a difference in one field costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldEffect {
    /// Written, and no task restarts; more or fewer replicas start or stop the surplus only.
    InPlace,
    /// Only the tasks whose node no longer fits are replaced.
    Placement,
    /// Every task is replaced, by the update policy.
    Rolling,
    /// The engine refuses it: the service is deleted and made anew.
    Mode,
}

/// One row: the fields below a path, until a longer row says otherwise.
struct Row {
    path: &'static [&'static str],
    effect: FieldEffect,
}

const fn row(path: &'static [&'static str], effect: FieldEffect) -> Row {
    Row { path, effect }
}

/// Measured on Engine 20.10, field by field, by comparing task ids before and after an update. Nothing falls through: a
/// test walks every field of the spec's types and wants its row.
const TABLE: &[Row] = &[
    row(&["Name"], FieldEffect::Mode),
    row(&["Labels"], FieldEffect::InPlace),
    row(&["UpdateConfig"], FieldEffect::InPlace),
    row(&["RollbackConfig"], FieldEffect::InPlace),
    // The kind of mode cannot change; the numbers within one can.
    row(&["Mode"], FieldEffect::Mode),
    row(&["Mode", "Replicated", "Replicas"], FieldEffect::InPlace),
    row(&["Mode", "ReplicatedJob", "MaxConcurrent"], FieldEffect::InPlace),
    row(&["Mode", "ReplicatedJob", "TotalCompletions"], FieldEffect::InPlace),
    row(&["EndpointSpec"], FieldEffect::Rolling),
    // All of the container, its labels and the order of env, args, mounts and hosts included.
    row(&["TaskTemplate", "ContainerSpec"], FieldEffect::Rolling),
    row(&["TaskTemplate", "Resources"], FieldEffect::Rolling),
    row(&["TaskTemplate", "RestartPolicy"], FieldEffect::Rolling),
    row(&["TaskTemplate", "Placement"], FieldEffect::Placement),
    row(&["TaskTemplate", "Networks"], FieldEffect::Rolling),
    row(&["TaskTemplate", "LogDriver"], FieldEffect::Rolling),
    row(&["TaskTemplate", "ForceUpdate"], FieldEffect::Rolling),
    row(&["TaskTemplate", "Runtime"], FieldEffect::Rolling),
];

/// What a difference at `path`, a JSON pointer into a canonical service spec, costs. A field that only a newer engine
/// knows is taken to restart tasks, as nearly all do: a plan may promise too little, never too much.
pub fn of(path: &str) -> FieldEffect {
    find(path).map_or(FieldEffect::Rolling, |row| row.effect)
}

/// Whether an update with these differences would leave the old tasks at their old endpoint, where nobody reaches them:
/// the engine overlooks a changed endpoint when the placement changed with it and nothing else did. The update must then
/// raise `ForceUpdate`.
pub fn is_overlooked<'a>(paths: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut placement, mut endpoint, mut other) = (false, false, false);
    for path in paths {
        match of(path) {
            FieldEffect::InPlace => {}
            FieldEffect::Placement => placement = true,
            FieldEffect::Rolling if segments(path).next() == Some("EndpointSpec") => endpoint = true,
            FieldEffect::Rolling | FieldEffect::Mode => other = true,
        }
    }
    placement && endpoint && !other
}

fn find(path: &str) -> Option<&'static Row> {
    TABLE
        .iter()
        .filter(|row| {
            let mut given = segments(path);
            row.path.iter().all(|wanted| given.next() == Some(wanted))
        })
        .max_by_key(|row| row.path.len())
}

/// No field's name holds `/` or `~`, so nothing needs unescaping: a label's key comes only after its row has matched.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::{
        ContainerSpec, Empty, EndpointSpec, NetworkAttachment, Placement, Replicated, ReplicatedJob, Resources,
        RestartPolicy, ServiceMode, ServiceSpec, TaskSpec, UpdateConfig,
    };
    use serde_json::{Map, Value};

    /// Every field of the two outer messages, so that a new one does not compile here until it stands in the table.
    fn every_field() -> ServiceSpec {
        ServiceSpec {
            name: "a".into(),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            task_template: TaskSpec {
                container_spec: Some(ContainerSpec::default()),
                resources: Some(Resources::default()),
                restart_policy: Some(RestartPolicy::default()),
                placement: Some(Placement::default()),
                networks: vec![NetworkAttachment::default()],
                log_driver: Some(Default::default()),
                force_update: 1,
                runtime: "container".into(),
                extra: Map::new(),
            },
            mode: Some(ServiceMode {
                replicated: Some(Replicated { replicas: Some(1), extra: Map::new() }),
                global: Some(Empty::default()),
                replicated_job: Some(ReplicatedJob {
                    max_concurrent: Some(1),
                    total_completions: Some(1),
                    extra: Map::new(),
                }),
                global_job: Some(Empty::default()),
                extra: Map::new(),
            }),
            update_config: Some(UpdateConfig::default()),
            rollback_config: Some(UpdateConfig::default()),
            endpoint_spec: Some(EndpointSpec::default()),
            extra: Map::new(),
        }
    }

    fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    leaves(value, &format!("{path}/{key}"), found);
                }
            }
            _ => found.push(path.to_owned()),
        }
    }

    #[test]
    fn every_field_of_a_spec_has_its_row() {
        let mut paths = Vec::new();
        leaves(&serde_json::to_value(every_field()).expect("it is JSON"), "", &mut paths);
        assert!(paths.len() > 15, "{paths:?}");
        for path in paths {
            assert!(find(&path).is_some(), "{path} has no row");
        }
    }

    #[test]
    fn what_restarts_tasks() {
        use FieldEffect::{InPlace, Mode, Placement, Rolling};
        for (path, effect) in [
            ("/Name", Mode),
            ("/Labels/traefik.http.routers.a~1b", InPlace),
            ("/Labels", InPlace),
            ("/UpdateConfig", InPlace),
            ("/UpdateConfig/Order", InPlace),
            ("/RollbackConfig/Monitor", InPlace),
            ("/Mode", Mode),
            ("/Mode/Global", Mode),
            ("/Mode/Replicated", Mode),
            ("/Mode/Replicated/Replicas", InPlace),
            ("/Mode/ReplicatedJob", Mode),
            ("/Mode/ReplicatedJob/TotalCompletions", InPlace),
            ("/EndpointSpec", Rolling),
            ("/EndpointSpec/Ports/0/PublishedPort", Rolling),
            ("/TaskTemplate/ContainerSpec/Image", Rolling),
            ("/TaskTemplate/ContainerSpec/Labels/a", Rolling),
            ("/TaskTemplate/ContainerSpec/Env/3", Rolling),
            ("/TaskTemplate/ContainerSpec/Init", Rolling),
            ("/TaskTemplate/ContainerSpec/Configs/0/ConfigID", Rolling),
            ("/TaskTemplate/Resources/Limits", Rolling),
            ("/TaskTemplate/RestartPolicy", Rolling),
            ("/TaskTemplate/Placement", Placement),
            ("/TaskTemplate/Placement/Constraints/0", Placement),
            ("/TaskTemplate/Networks/0/Aliases/1", Rolling),
            ("/TaskTemplate/LogDriver", Rolling),
            ("/TaskTemplate/ForceUpdate", Rolling),
            ("/TaskTemplate/Novelty", Rolling),
            ("/Novelty", Rolling),
        ] {
            assert_eq!(of(path), effect, "{path}");
        }
    }

    #[test]
    fn a_name_that_only_begins_like_a_row_is_another_field() {
        assert_eq!(of("/LabelsAndMore"), FieldEffect::Rolling);
        assert_eq!(of("/Mode/Replicated/ReplicasAndMore"), FieldEffect::Mode);
    }

    #[test]
    fn an_endpoint_changed_together_with_placement_alone_is_overlooked() {
        let (ports, placement) = ("/EndpointSpec/Ports/0", "/TaskTemplate/Placement/Constraints");
        assert!(is_overlooked([ports, placement]));
        assert!(is_overlooked([ports, placement, "/Labels/a", "/UpdateConfig"]));
        assert!(!is_overlooked([ports]));
        assert!(!is_overlooked([placement]));
        assert!(!is_overlooked([ports, placement, "/TaskTemplate/ContainerSpec/Image"]));
    }
}
