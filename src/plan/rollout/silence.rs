//! Silence of a file about how updates roll: a policy that is absent, or that was filled in, is then no difference.
//!
//! Whose a value is that the file leaves open:
//! - the engine's, where the policy is absent or the value means the same;
//! - skep's, where it is what would be filled in now, or what the record says was filled in. Without a record, where all that
//!   is left open looks filled in: with the numbers of another healthcheck, say, or of another version of skep;
//! - git's, where the record says that the file once said it: it goes;
//! - anybody's else: that is drift, or without a record a difference.

use super::field::{Field, absent, overlay};
use super::{Computed, LEAST_MONITOR, MOST_MONITOR};
use crate::desired::{Said, SaidPolicy};
use crate::swarm::{ServiceSpec, UpdateConfig};

const UPDATE: &str = "/UpdateConfig";
const ROLLBACK: &str = "/RollbackConfig";

/// What a record says of a service.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) enum Past<'a> {
    /// There is no record.
    Unknown,
    /// What was applied, if anything was, and what its files left open then.
    Applied(Option<&'a ServiceSpec>, &'a [String]),
}

/// What becomes of the fields of a service's policies while nothing is written for their sake.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) struct Silence {
    update: Half,
    rollback: Half,
}

/// The same of one policy.
#[derive(Debug, Clone, PartialEq)]
struct Half {
    settled: Option<UpdateConfig>,
    /// The fields that the file leaves open and that are as they may be.
    idle: Vec<Field>,
}

impl Silence {
    /// Of a service that is there, as its file leaves open what `computed` would fill in.
    pub fn of(file: &ServiceSpec, said: Said, live: &ServiceSpec, past: Past<'_>, computed: &Computed) -> Self {
        Self::between(file, live, past, (&computed.update, &computed.rollback), |path, field| {
            field.is_said(if path == UPDATE { said.update } else { said.rollback })
        })
    }

    /// The same without the files, by what the record says of them. `past` may be nobody's record: what was planned.
    pub fn recorded(applied: &ServiceSpec, open: &[String], live: &ServiceSpec, past: Past<'_>) -> Self {
        let policy = |policy: &Option<UpdateConfig>| policy.clone().unwrap_or_else(absent);
        let (update, rollback) = (policy(&applied.update_config), policy(&applied.rollback_config));
        Self::between(applied, live, past, (&update, &rollback), |path, field| !was_open(open, path, field))
    }

    fn between(
        file: &ServiceSpec,
        live: &ServiceSpec,
        past: Past<'_>,
        computed: (&UpdateConfig, &UpdateConfig),
        is_said: impl Fn(&str, Field) -> bool,
    ) -> Self {
        let half = |path: &'static str, of: fn(&ServiceSpec) -> Option<&UpdateConfig>, computed: &UpdateConfig| {
            let past = match past {
                Past::Unknown => None,
                Past::Applied(applied, open) => Some((applied.and_then(of), open)),
            };
            Half::of(path, (of(file), of(live)), past, computed, &|field| is_said(path, field))
        };
        Self {
            update: half(UPDATE, |spec| spec.update_config.as_ref(), computed.0),
            rollback: half(ROLLBACK, |spec| spec.rollback_config.as_ref(), computed.1),
        }
    }

    /// Makes the policies of a spec what they are to be while nothing is written for their sake.
    pub fn settle(&self, spec: &mut ServiceSpec) {
        spec.update_config.clone_from(&self.update.settled);
        spec.rollback_config.clone_from(&self.rollback.settled);
    }

    /// Whether a difference at a path is skep's: it fills in there what is nobody's else.
    pub fn leaves(&self, path: &str) -> bool {
        let is_in = |half: &Half, message: &str| {
            let key = path.strip_prefix(message).and_then(|rest| rest.strip_prefix('/'));
            key.is_some_and(|key| half.idle.iter().any(|field| field.key() == key))
        };
        is_in(&self.update, UPDATE) || is_in(&self.rollback, ROLLBACK)
    }
}

impl Half {
    fn of(
        path: &str,
        (file, live): (Option<&UpdateConfig>, Option<&UpdateConfig>),
        past: Option<(Option<&UpdateConfig>, &[String])>,
        computed: &UpdateConfig,
        is_said: &dyn Fn(Field) -> bool,
    ) -> Self {
        let absent = absent();
        let found = live.unwrap_or(&absent);
        let applied = past.and_then(|(applied, _)| applied).unwrap_or(&absent);
        let was_open = |field| past.is_some_and(|(_, open)| self::was_open(open, path, field));
        let looks_filled_in = past.is_none() && has_form(path, found, is_said);
        let is_idle = |field: &Field| {
            field.is_same(found, &absent)
                || field.is_same(found, computed)
                || looks_filled_in
                || (was_open(*field) && field.is_same(found, applied))
        };
        let open: Vec<Field> = Field::ALL.into_iter().filter(|field| !is_said(*field)).collect();
        let idle: Vec<Field> = open.iter().copied().filter(is_idle).collect();
        let is_silent = open.len() == Field::ALL.len();
        let was_absent = past.is_none_or(|(applied, _)| applied.is_none());
        let settled = if open.is_empty() {
            file.cloned()
        } else if is_silent && (live.is_none() || (idle != open && was_absent)) {
            None
        } else {
            // What is nobody's goes back to what was filled in, or to nothing.
            let past = overlay(absent.clone(), applied, was_open);
            let settled = overlay(past, found, |field| idle.contains(&field));
            let settled = UpdateConfig { extra: found.extra.clone(), ..settled };
            Some(match file {
                Some(file) => overlay(settled, file, is_said),
                None => settled,
            })
        };
        Self { settled, idle }
    }
}

/// Whether a path leads to what a file leaves open.
pub(in crate::plan) fn is_open(said: Said, path: &str) -> bool {
    let is_in = |message: &str, said: SaidPolicy| {
        let key = path.strip_prefix(message).and_then(|rest| rest.strip_prefix('/'));
        key.is_some_and(|key| Field::ALL.iter().any(|field| field.key() == key && !field.is_said(said)))
    };
    is_in(UPDATE, said.update) || is_in(ROLLBACK, said.rollback)
}

fn was_open(open: &[String], path: &str, field: Field) -> bool {
    let is_it = |open: &String| match open.strip_prefix(path) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('/') == Some(field.key()),
        None => false,
    };
    open.iter().any(is_it)
}

/// What a record keeps of a file's silence.
pub(in crate::plan) fn left_open(said: Said) -> Vec<String> {
    let mut paths = Vec::new();
    for (path, said) in [(ROLLBACK, said.rollback), (UPDATE, said.update)] {
        let open: Vec<Field> = Field::ALL.into_iter().filter(|field| !field.is_said(said)).collect();
        if open.len() == Field::ALL.len() {
            paths.push(path.to_owned());
        } else {
            paths.extend(open.iter().map(|field| format!("{path}/{}", field.key())));
        }
    }
    paths
}

/// Whether an update policy looks filled in where the file leaves it open.
pub(super) fn is_filled_in(policy: &UpdateConfig, said: SaidPolicy) -> bool {
    has_form(UPDATE, policy, &|field| field.is_said(said))
}

/// Whether a policy has the form of what skep fills in, by the fields that the file leaves open. The numbers may be others:
/// they change with the healthcheck, with the number of tasks, and with skep.
fn has_form(path: &str, policy: &UpdateConfig, is_said: &dyn Fn(Field) -> bool) -> bool {
    let is_update = path == UPDATE;
    Field::ALL.into_iter().filter(|field| !is_said(*field)).all(|field| match field {
        Field::Parallelism => (policy.parallelism > 0) == is_update,
        Field::Delay => policy.delay == 0 || (is_update && policy.delay == policy.monitor),
        Field::FailureAction => policy.failure_action == if is_update { "rollback" } else { "pause" },
        Field::Monitor => (LEAST_MONITOR..=MOST_MONITOR).contains(&policy.monitor),
        Field::MaxFailureRatio => policy.max_failure_ratio == 0.0,
        Field::Order => true,
    })
}
