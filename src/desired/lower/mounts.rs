//! Mounts, and the volumes they make on the nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scope, undefined};
use crate::compose::{At, Mount, Service, Volume};
use crate::desired;
use crate::diag::{Diagnostic, Faults, Span, code};
use crate::model::Kind;
use crate::swarm::{self, BindOptions, Driver, Empty, TmpfsOptions, VolumeOptions};

pub(super) fn lower(scope: Scope<'_>, service: &Service, faults: &mut Faults) -> Vec<swarm::Mount> {
    let mut targets: BTreeMap<&str, Option<Span>> = BTreeMap::new();
    for At { value: mount, span } in &service.volumes {
        if let Some(first) = targets.insert(&mount.target, *span) {
            let message = format!("`{}` is mounted twice", mount.target);
            let diagnostic = Diagnostic::error(code::DUPLICATE_TARGET, message).at(*span);
            faults.push(match first {
                Some(first) => diagnostic.related(first, "first mounted here"),
                None => diagnostic,
            });
        }
    }
    service.volumes.iter().map(|mount| lower_one(scope, service, mount, faults)).collect()
}

/// The volumes that mounts of the stack's services make where they do not exist.
pub(super) fn volumes(scope: Scope<'_>) -> BTreeMap<String, desired::Volume> {
    let services = scope.compose.services.values();
    let used: BTreeSet<&str> = services
        .flat_map(|service| &service.value.volumes)
        .filter(|mount| kind(&mount.value) == "volume")
        .map(|mount| mount.value.source.as_str())
        .collect();
    let made =
        scope.compose.volumes.iter().filter(|(key, volume)| !volume.value.external && used.contains(key.as_str()));
    made.map(|(key, At { value: file, span })| {
        let volume = desired::Volume {
            driver: file.driver.clone().unwrap_or_default(),
            options: file.driver_opts.clone(),
            labels: scope.labels(&file.labels),
            prune: file.own.prune_volumes,
            span: *span,
        };
        (scope.name(key, file.name.as_deref(), false), volume)
    })
    .collect()
}

fn lower_one(scope: Scope<'_>, service: &Service, mount: &At<Mount>, faults: &mut Faults) -> swarm::Mount {
    let At { value: file, span } = mount;
    let kind = kind(file);
    let mut fault = |message: String| faults.push(Diagnostic::error(code::INVALID_VALUE, message).at(*span));
    match kind {
        "volume" | "bind" | "tmpfs" | "npipe" | "cluster" => {}
        _ => fault(format!("a mount's type cannot be `{kind}`: it is volume, bind, tmpfs, npipe or cluster")),
    }
    match (kind, file.source.is_empty()) {
        ("bind" | "npipe" | "cluster", true) => fault(format!("a mount of the type {kind} needs a source")),
        ("tmpfs", false) => fault("a mount of the type tmpfs has no source".to_owned()),
        _ => {}
    }
    let options = [
        ("bind", file.bind.is_some(), matches!(kind, "bind" | "npipe")),
        ("volume", file.volume.is_some(), kind == "volume"),
        ("tmpfs", file.tmpfs.is_some(), kind == "tmpfs"),
    ];
    for (name, said, fits) in options {
        if said && !fits {
            let message = format!("`{name}` options do not fit a mount of the type {kind}");
            faults.push(Diagnostic::error(code::CONFLICT, message).at(*span));
        }
    }
    let definition = match kind {
        "volume" if file.source.is_empty() => None,
        "cluster" if file.source.is_empty() || file.source.starts_with("group:") => None,
        "volume" | "cluster" => find(scope, mount, faults),
        _ => None,
    };
    swarm::Mount {
        kind: kind.to_owned(),
        source: match definition {
            Some(volume) => scope.name(&file.source, volume.name.as_deref(), volume.external),
            None => file.source.clone(),
        },
        target: file.target.clone(),
        read_only: file.read_only,
        consistency: file.consistency.clone(),
        bind_options: file
            .bind
            .as_ref()
            .map(|bind| BindOptions { propagation: bind.propagation.clone(), ..BindOptions::default() }),
        volume_options: definition
            .filter(|_| kind == "volume")
            .and_then(|volume| volume_options(scope, service, file, volume)),
        tmpfs_options: file.tmpfs.map(|size_bytes| TmpfsOptions { size_bytes, ..TmpfsOptions::default() }),
        cluster_options: (kind == "cluster").then(Empty::default),
        ..swarm::Mount::default()
    }
}

/// Never empty when sent: the engine would take `bind`.
fn kind(mount: &Mount) -> &str {
    if mount.kind.is_empty() { "volume" } else { &mount.kind }
}

fn find<'a>(scope: Scope<'a>, mount: &At<Mount>, faults: &mut Faults) -> Option<&'a Volume> {
    let volumes = &scope.compose.volumes;
    let found = volumes.get(&mount.value.source).map(|volume| &volume.value);
    if found.is_none() {
        let source = &mount.value.source;
        faults.push(undefined(code::UNDEFINED_VOLUME, Kind::Volume, source, volumes.keys(), mount.span));
    }
    found
}

/// Present though empty, unless nothing is said of what is taken as it is. A node makes a missing volume from these; of an
/// external one they say nothing.
fn volume_options(scope: Scope<'_>, service: &Service, mount: &Mount, volume: &Volume) -> Option<VolumeOptions> {
    let said = mount.volume.clone().unwrap_or_default();
    let options = VolumeOptions { no_copy: said.nocopy, subpath: said.subpath, ..VolumeOptions::default() };
    if volume.external {
        return Some(options).filter(|_| mount.volume.is_some() || service.own.name.is_none());
    }
    let driver = volume.driver.clone().unwrap_or_default();
    let driver_config = (!driver.is_empty() || !volume.driver_opts.is_empty()).then(|| Driver {
        name: driver,
        options: volume.driver_opts.clone(),
        ..Driver::default()
    });
    Some(VolumeOptions { labels: scope.labels_of(service, &volume.labels), driver_config, ..options })
}
