//! Changes that Swarm cannot carry out.

use crate::desired;
use crate::diag::{Diagnostic, code};
use crate::swarm::{Mount, ServiceSpec};

/// What Swarm cannot do to a service that is there.
pub(super) fn immutable(
    service: &desired::Service,
    name: &str,
    found: &ServiceSpec,
    wanted: &ServiceSpec,
    faults: &mut Vec<Diagnostic>,
) {
    let mounts =
        |spec: &'_ ServiceSpec| spec.task_template.container_spec.clone().map(|it| it.mounts).unwrap_or_default();
    let found = mounts(found);
    for mount in mounts(wanted).iter().filter(|mount| mount.kind == "volume" && !mount.source.is_empty()) {
        let driver = |mount: &Mount| mount.volume_options.clone().and_then(|options| options.driver_config);
        let same = |it: &&Mount| it.target == mount.target && it.source == mount.source && it.kind == mount.kind;
        if found.iter().find(same).is_some_and(|old| driver(old) != driver(mount)) {
            faults.push(
                Diagnostic::error(
                    code::IMMUTABLE,
                    format!(
                        "volume {} of service {name} has other driver options, and a volume that exists keeps those it \
                         was made with: only deleting it would bring the new ones, and all that is in it would be lost",
                        mount.source
                    ),
                )
                .at(service.span)
                .hint("give the volume another key or `name:` and copy its data, or put the options back"),
            );
        }
    }
}
