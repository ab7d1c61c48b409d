//! Why a step may leave nobody serving, in words.

use super::{Obstacle, Silence};
use crate::diag::{Diagnostic, code};
use crate::plan::step::{Change, Origin};
use crate::plan::{Policy, words};
use crate::settings::ZeroDowntime;
use crate::swarm::ServiceSpec;

impl Obstacle {
    /// Why, as the end of a sentence.
    pub fn because(&self) -> String {
        match self {
            Obstacle::Said => "its file says `stop-first`".to_owned(),
            Obstacle::Unchecked => "it has no healthcheck".to_owned(),
            Obstacle::Unknown => "nothing says whether its image has a healthcheck".to_owned(),
            Obstacle::Single => "its file says that it runs alone (`single`)".to_owned(),
            Obstacle::Database => "it is a database, which must not run twice".to_owned(),
            Obstacle::HostPort(port) => format!("its port {port} is in host mode, which one task a node can have"),
            Obstacle::Mount(path) => format!("it writes to {path}, where two tasks must not meet unasked"),
            Obstacle::Full(most) => format!("`max_replicas_per_node` ({most}) leaves no room for one more"),
            Obstacle::Ports => "its published ports change".to_owned(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Obstacle::Said => {
                "`deploy.update_config.order: start-first` and a healthcheck, where two may run side by side"
            }
            Obstacle::Unchecked | Obstacle::Unknown => {
                "give it a `healthcheck`: then a new task starts before an old one stops"
            }
            Obstacle::Single => "take `single` away, where two may run side by side",
            Obstacle::Database => "update it at a quiet time; a cluster of the database's own kind serves on meanwhile",
            Obstacle::HostPort(_) => "publish the port in ingress mode, or let a proxy on its network lead to it",
            Obstacle::Mount(_) => {
                "say `deploy.update_config.order: start-first`, if two of its tasks may write there side by side; mount it \
                 `read_only`, if it only reads"
            }
            Obstacle::Full(_) => "a higher `deploy.placement.max_replicas_per_node`, or another node",
            Obstacle::Ports => "change its ports in an update of their own, at a quiet time",
        }
    }
}

/// Tells in one place what the policy is that is filled in: field by field it is many lines.
pub(in crate::plan) fn tell(changes: &mut [Change], wanted: &ServiceSpec, silence: &Silence) {
    let is_filled = |change: &&mut Change| change.origin == Origin::Skep && silence.leaves(&change.path);
    let Some(change) = changes.iter_mut().find(is_filled) else { return };
    change.label = "update policy".to_owned();
    change.detail = Some(match &wanted.update_config {
        None => "what was filled in is taken away".to_owned(),
        Some(policy) => {
            let pace = match policy.parallelism {
                0 => "all at once".to_owned(),
                parallelism => format!("{parallelism} at a time"),
            };
            format!("{}, {pace}, watched {}", policy.order, words::duration(policy.monitor))
        }
    });
}

/// The error that a step with downtime is where none is allowed. `why` says what is the matter with it.
pub(in crate::plan) fn enforced(policy: &Policy, why: &Diagnostic) -> Option<Diagnostic> {
    (policy.zero_downtime == ZeroDowntime::Enforce).then(|| {
        let message = format!("{}: `zeroDowntime: enforce` allows no downtime", why.message);
        let mut fault = Diagnostic::error(code::ENFORCED, message).at(why.span);
        fault.hints.extend(why.hints.first().cloned());
        fault.hint("or accept it this once: `--zero-downtime auto`, or `zeroDowntime: auto` in skep.yaml")
    })
}
