//! What a record holds of a stack's objects.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Kind;
use crate::plan::{Action, Applied, Object, Plan, Write};

/// The inventory of what is applied, as a record keeps it.
pub fn of(applied: &Applied) -> BTreeMap<Kind, Vec<String>> {
    group(applied.inventory.iter().cloned())
}

/// An inventory together with what a plan is about to make.
pub fn with_steps(inventory: &BTreeMap<Kind, Vec<String>>, plan: &Plan) -> BTreeMap<Kind, Vec<String>> {
    let planned = plan.steps.iter().filter(|step| step.action != Action::Delete);
    let planned = planned.map(|step| Object::new(step.kind, &*step.name));
    group(objects(inventory).into_iter().chain(plan.settled.inventory.iter().cloned()).chain(planned))
}

/// The objects of a record's inventory.
pub fn objects(inventory: &BTreeMap<Kind, Vec<String>>) -> BTreeSet<Object> {
    inventory.iter().flat_map(|(kind, names)| names.iter().map(|name| Object::new(*kind, name))).collect()
}

/// What is applied of a stack that is adopted: all that runs, as git says it. Where a running object differs in what
/// restarts nothing, that is drift from here on: adoption writes no object.
pub fn adopted(plan: &Plan) -> Applied {
    let mut applied = plan.settled.clone();
    for step in &plan.steps {
        if let Write::Update { id, .. } = &step.write {
            applied.record(step, id);
        }
    }
    applied
}

fn group(objects: impl IntoIterator<Item = Object>) -> BTreeMap<Kind, Vec<String>> {
    let mut grouped: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
    for object in objects.into_iter().collect::<BTreeSet<_>>() {
        grouped.entry(object.kind).or_default().push(object.name);
    }
    grouped
}
