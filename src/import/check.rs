//! Whether planning what was written is empty, found out by doing it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{FILE, Request};
use crate::compose::{self, Input, Mode, Variables};
use crate::desired;
use crate::diag::{Diagnostic, Severity, code};
use crate::model::{Entry, FileError, Files};
use crate::plan::{self, Body, Effect, Policy, Step, Write};
use crate::swarm::{Images, Live};

/// Files that are written but nowhere yet.
struct Written<'a>(BTreeMap<&'a str, &'a [u8]>);

impl Files for Written<'_> {
    fn locate(&self, dir: &str, path: &str) -> Result<String, FileError> {
        let path = path.strip_prefix("./").unwrap_or(path);
        if dir.is_empty() { Ok(path.to_owned()) } else { Err(FileError::Outside) }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.get(path).map(|content| content.to_vec()).ok_or(FileError::NotFound)
    }

    fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
        Ok(Vec::new())
    }
}

/// What planning the files came to.
#[derive(Default)]
pub(super) struct Tried {
    /// What a file can keep as it is, by the keys of services: JSON pointers.
    pub kept: BTreeMap<String, BTreeSet<String>>,
    faults: Vec<Diagnostic>,
}

impl Tried {
    /// What planning the files would still change, and what is wrong with them.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.faults
    }
}

/// Plans the files against the swarm that they were written from.
pub(super) fn plan(request: &Request<'_>, files: &[(String, Vec<u8>)]) -> Tried {
    let written = Written(files.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect());
    let (paths, variables) = ([FILE.to_owned()], Variables::default());
    let loaded = compose::load(&Input::new(&written, &paths, &variables, Mode::Repository));
    let mut tried = Tried { faults: loaded.diagnostics, ..Tried::default() };
    if let Some(compose) = loaded.compose {
        let (desired, faults) = desired::lower(&compose, request.stack);
        tried.faults.extend(faults);
        let policy = Policy { direct: true, ..Policy::default() };
        let plan = plan::plan(plan::Input {
            desired: &desired,
            live: request.live,
            applied: None,
            good: None,
            images: &Images::default(),
            policy: &policy,
        });
        tried.faults.extend(plan.diagnostics.into_iter().filter(|it| it.severity == Severity::Error));
        for step in &plan.steps {
            let key = desired.services.get(&step.name).map_or(step.name.as_str(), |service| service.key.as_str());
            let kept = kept(step, request.live);
            if !kept.is_empty() {
                tried.kept.entry(key.to_owned()).or_default().extend(kept);
            }
            tried.faults.push(difference(step));
        }
    }
    // They point into a text that nobody has seen yet.
    for fault in &mut tried.faults {
        (fault.span, fault.related) = (None, None);
    }
    tried
}

/// The fields of a service that must stay as they are for no task to restart: single ones, since a list that is kept could
/// never be changed by its file.
fn kept(step: &Step, live: &Live) -> BTreeSet<String> {
    let Write::Update { body: Body::Service { spec, .. }, .. } = &step.write else { return BTreeSet::new() };
    let Some(live) = live.services.iter().find(|service| service.spec.name == step.name) else {
        return BTreeSet::new();
    };
    let value = |spec| serde_json::to_value(spec).unwrap_or_default();
    let (live, wanted) = (value(&live.spec), value(spec));
    let every = step.effect == Effect::JobRun;
    let costly = step.changes.iter().filter(|change| every || change.effect > Effect::InPlace);
    let is_list = |value: &Option<Value>| value.as_ref().is_some_and(Value::is_array);
    let single = costly.filter(|change| !is_list(&change.before) && !is_list(&change.after));
    single.map(|change| whole(&change.path, &live, &wanted).to_owned()).collect()
}

/// The path of the outermost message above a field that only one of two specs has: its fields alone would leave it there,
/// empty, and that counts too.
fn whole<'p>(path: &'p str, live: &Value, wanted: &Value) -> &'p str {
    let has = |value: &Value, path: &str| value.pointer(path).is_some_and(|value| !value.is_null());
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
    let parents = ends.filter_map(|end| path.get(..end));
    let mut lacking = parents.filter(|parent| has(live, parent) != has(wanted, parent));
    lacking.next().unwrap_or(path)
}

/// What a step would change.
fn difference(step: &Step) -> Diagnostic {
    let fields: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
    let cost = match step.tasks_restarting {
        0 => "which restarts nothing".to_owned(),
        1 => "which restarts 1 task".to_owned(),
        tasks => format!("which restarts {tasks} tasks"),
    };
    let message = format!(
        "{} {}: applying the file would change {}, {cost}: a stack file cannot say what is there now",
        step.kind,
        step.name,
        fields.join(", "),
    );
    Diagnostic::warning(code::IMPORT_DIFFERS, message)
}
