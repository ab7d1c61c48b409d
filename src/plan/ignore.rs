//! Fields that no difference looks at and no write changes: one list for plans, applying and drift.
//!
//! It is what `skep.yaml` and `x-skep` say, and what the labels of programs say that write a field themselves.

use serde_json::Value;

use super::applied::Applied;
use super::{cost, list, pointer};
use crate::desired::{self, Desired};
use crate::swarm::Labels;

/// How many replicas a service has.
const REPLICAS: &str = "/Mode/Replicated/Replicas";
/// What grows where a file is silent: see [`recorded`].
const NUMBERS: [&str; 3] = [REPLICAS, "/Mode/ReplicatedJob/MaxConcurrent", "/Mode/ReplicatedJob/TotalCompletions"];
/// What swarm-cronjob writes when a job's time comes, as its `internal/worker/worker.go` has it. The label is there for the
/// moment in which it scales to nothing first.
const CRONJOB: [&str; 4] =
    [REPLICAS, "/Mode/ReplicatedJob/MaxConcurrent", "/Labels/swarm.cronjob.scaledown", cost::FORCE_UPDATE];

/// The label by which a program is told to write a service's number of replicas, and the values that say so; none where
/// its mere presence does.
const WRITERS: [(&str, &[&str], &[&str]); 5] = [
    // Go's `strconv.ParseBool`.
    ("swarm.cronjob.enable", &["1", "t", "T", "true", "TRUE", "True"], &CRONJOB),
    // jcwimer/docker-swarm-autoscaler
    ("swarm.autoscaler", &["true"], &[REPLICAS]),
    // wmid/swarm-hpa
    ("swarm.autoscaler.enabled", &["true"], &[REPLICAS]),
    // AMEST/swarm-autoscaler
    ("swarm.autoscale", &["true"], &[REPLICAS]),
    // gianarb/orbiter
    ("orbiter", &[], &[REPLICAS]),
];

/// The pointers into the spec of a service that a plan leaves alone.
pub(super) fn of(service: &desired::Service) -> Vec<String> {
    service.ignore.iter().cloned().chain(by_labels(&service.spec.labels).map(str::to_owned)).collect()
}

/// What the record keeps of them: what the labels say can be read off the spec. A number that the file does not say is
/// among them, since without the file nobody knows that it did not.
pub(super) fn recorded(service: &desired::Service) -> Vec<String> {
    let mut paths = service.ignore.clone();
    if !service.said.replicas {
        let mode = service.spec.mode.as_ref().and_then(|mode| serde_json::to_value(mode).ok()).unwrap_or_default();
        let is_of_mode = |path: &&&str| path.split('/').nth(2).is_some_and(|key| mode.get(key).is_some());
        paths.extend(NUMBERS.iter().filter(is_of_mode).map(|path| (*path).to_owned()));
    }
    paths.sort();
    paths.dedup();
    paths
}

impl Applied {
    /// The same with what the files say now is ignored: for whoever has them.
    #[must_use]
    pub fn ignoring(mut self, desired: &Desired) -> Self {
        let said = desired.services.iter().map(|(name, service)| (name.clone(), recorded(service)));
        self.ignore.extend(said);
        self.ignore.retain(|_, paths| !paths.is_empty());
        self
    }
}

/// What programs write whose labels a service carries.
pub(super) fn by_labels(labels: &Labels) -> impl Iterator<Item = &'static str> {
    let is_told = |(label, values, _): &&(&str, &[&str], &[&str])| {
        labels.get(*label).is_some_and(|value| values.is_empty() || values.contains(&value.as_str()))
    };
    WRITERS.iter().filter(is_told).flat_map(|(_, _, paths)| paths.iter().copied())
}

/// Makes `wanted` what `found` is at each path. An element of a list that has names is found by its name, or by its place.
pub(super) fn carry_over(paths: &[String], found: &Value, wanted: &mut Value) {
    for path in paths {
        // A number of the old mode in a new one would be two modes.
        let mode = path.strip_prefix("/Mode/").and_then(|rest| rest.split('/').next());
        if mode.is_some_and(|mode| path.matches('/').count() > 2 && is_absent(wanted, &["Mode", mode])) {
            continue;
        }
        match path.rsplit_once('/').and_then(|(parent, key)| Some((parent, key, list::of(parent)?))) {
            Some((parent, key, list)) if key.parse::<usize>().is_err() => element(list, parent, key, found, wanted),
            _ => pointer::copy(path, found, wanted),
        }
    }
}

fn is_absent(value: &Value, keys: &[&str]) -> bool {
    keys.iter().try_fold(value, |value, key| value.get(key)).is_none_or(Value::is_null)
}

/// Makes the element of that name in `wanted` what it is in `found`: the same, in the same place, or none.
fn element(list: &list::List, parent: &str, key: &str, found: &Value, wanted: &mut Value) {
    let key = pointer::unescape(key);
    let live = found.pointer(parent).and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    let place = |values: &[Value]| list.keys(values)?.iter().position(|(name, _)| *name == key);
    let there = place(live).and_then(|at| Some((at, live.get(at)?)));
    if there.is_some() && is_absent(wanted, &parent.split('/').skip(1).collect::<Vec<_>>()) {
        pointer::copy(parent, &empty_list(parent), wanted);
    }
    let Some(Value::Array(values)) = wanted.pointer_mut(parent) else { return };
    let here = place(values);
    match (here, there) {
        (Some(at), Some((_, element))) => {
            if let Some(value) = values.get_mut(at) {
                *value = element.clone();
            }
        }
        (None, Some((at, element))) => values.insert(at.min(values.len()), element.clone()),
        (Some(at), None) => drop(values.remove(at)),
        (None, None) => {}
    }
    // Whoever wrote it may have shuffled the rest: docker's client does so with variables.
    if values.len() == live.len() && live.iter().all(|value| values.contains(value)) {
        *values = live.to_vec();
    }
}

/// A value that holds an empty list at a path, and nothing else.
fn empty_list(path: &str) -> Value {
    path.rsplit('/').filter(|key| !key.is_empty()).fold(Value::Array(Vec::new()), |inner, key| {
        Value::Object([(pointer::unescape(key), inner)].into_iter().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn carried(path: &str, found: Value, wanted: Value) -> Value {
        let mut carried = wanted;
        carry_over(&[path.to_owned()], &found, &mut carried);
        carried
    }

    #[test]
    fn a_variable_is_ignored_by_its_name_and_stays_where_it_is() {
        let spec = |env: &[&str]| json!({ "TaskTemplate": { "ContainerSpec": { "Env": env } } });
        let path = "/TaskTemplate/ContainerSpec/Env/BUILD";
        for (found, wanted, expected) in [
            (&["A=1", "BUILD=7"][..], &["A=2", "BUILD=1"][..], &["A=2", "BUILD=7"][..]),
            (&["A=1", "BUILD=7", "C=1"], &["A=2", "C=1"], &["A=2", "BUILD=7", "C=1"]),
            (&["A=1"], &["A=2", "BUILD=1"], &["A=2"]),
            (&["A=1"], &["A=2"], &["A=2"]),
            (&["BUILD=7", "C=1", "A=1"], &["A=1", "BUILD=1", "C=1"], &["BUILD=7", "C=1", "A=1"]),
            (&["BUILD=1", "BUILD=2"], &["A=2"], &["A=2"]),
        ] {
            assert_eq!(carried(path, spec(found), spec(wanted)), spec(expected), "{found:?} {wanted:?}");
        }
        let none = json!({ "TaskTemplate": { "ContainerSpec": {} } });
        assert_eq!(carried(path, spec(&["BUILD=7"]), none.clone()), spec(&["BUILD=7"]));
        assert_eq!(carried(path, none.clone(), none.clone()), none);
    }

    #[test]
    fn a_constraint_with_slashes_is_found_by_its_text() {
        let spec = |constraints: &[&str]| json!({ "TaskTemplate": { "Placement": { "Constraints": constraints } } });
        let path = "/TaskTemplate/Placement/Constraints/node.labels.a~1b==1";
        assert_eq!(carried(path, spec(&["node.labels.a/b==1"]), spec(&[])), spec(&["node.labels.a/b==1"]));
    }

    #[test]
    fn a_service_that_changes_its_mode_has_one() {
        let (found, wanted) =
            (json!({ "Mode": { "Replicated": { "Replicas": 3 } } }), json!({ "Mode": { "Global": {} } }));
        assert_eq!(carried(REPLICAS, found.clone(), wanted.clone()), wanted);
        assert_eq!(carried("/Mode", found.clone(), wanted), found);
    }

    #[test]
    fn the_labels_of_programs_that_scale_are_known() {
        let paths = |label: &str, value: &str| -> Vec<&str> {
            let labels = Labels::from([(label.to_owned(), value.to_owned())]);
            by_labels(&labels).collect()
        };
        assert_eq!(paths("swarm.cronjob.enable", "True"), CRONJOB);
        assert!(paths("swarm.cronjob.enable", "false").is_empty());
        for (label, value) in [
            ("swarm.autoscaler", "true"),
            ("swarm.autoscaler.enabled", "true"),
            ("swarm.autoscale", "true"),
            ("orbiter", "whatever"),
        ] {
            assert_eq!(paths(label, value), [REPLICAS], "{label}");
        }
        assert!(paths("swarm.autoscale", "false").is_empty() && paths("traefik.enable", "true").is_empty());
    }
}
