//! Whether the live spec is the one that was sent.

use crate::swarm::ServiceSpec;
use crate::swarm::canonical::canonical_service;

/// Networks that are sent by name and read back as ids that no list explains.
const PREDEFINED: [&str; 3] = ["host", "bridge", "none"];

/// Whether a spec that was read is the one that was sent.
pub(super) fn is_same(sent: &ServiceSpec, live: &ServiceSpec) -> bool {
    let canonical = |spec: &ServiceSpec| {
        let mut spec = spec.clone();
        canonical_service(&mut spec);
        let networks = std::mem::take(&mut spec.task_template.networks);
        (spec, networks)
    };
    let ((sent, sent_networks), (live, live_networks)) = (canonical(sent), canonical(live));
    sent == live
        && sent_networks.len() == live_networks.len()
        && sent_networks.iter().all(|it| PREDEFINED.contains(&it.target.as_str()) || live_networks.contains(it))
}
