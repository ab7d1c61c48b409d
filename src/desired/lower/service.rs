//! One service.

use super::{Scope, check_name, container, deploy, endpoint, networks};
use crate::compose;
use crate::compose::At;
use crate::desired::{Said, Service};
use crate::diag::Faults;
use crate::model::{Kind, label, name};
use crate::swarm::{ServiceSpec, TaskSpec};

pub(super) fn lower(scope: Scope<'_>, key: &str, service: &At<compose::Service>, faults: &mut Faults) -> Service {
    let At { value: file, span } = service;
    let name = scope.service_name(key, file);
    check_name(name::check_service_name(&name), Kind::Service, key, *span, faults);
    let as_is = file.own.name.is_some();
    let mut labels = scope.labels_of(file, &file.deploy.labels);
    if let Some(image) = file.image.as_ref().filter(|_| !as_is) {
        labels.insert(label::IMAGE.to_owned(), image.value.clone());
    }
    let is_limited = file.deploy.limits.is_some() || file.deploy.reservations.is_some();
    let mode = deploy::mode(&file.deploy, *span, faults);
    let spec = ServiceSpec {
        name,
        labels,
        task_template: TaskSpec {
            container_spec: Some(container::lower(scope, key, service, faults)),
            resources: Some(deploy::resources(&file.deploy, *span, faults)).filter(|_| is_limited || !as_is),
            restart_policy: deploy::restart_policy(file, *span, faults),
            placement: Some(deploy::placement(&file.deploy.placement, *span, faults)),
            networks: networks::attachments(scope, key, service, faults),
            log_driver: container::log_driver(file),
            ..TaskSpec::default()
        },
        mode: Some(mode),
        update_config: deploy::policy(file.deploy.update_config.as_ref(), "update_config", faults),
        rollback_config: deploy::policy(file.deploy.rollback_config.as_ref(), "rollback_config", faults),
        endpoint_spec: Some(endpoint::lower(service, faults)),
        ..ServiceSpec::default()
    };
    Service {
        key: key.to_owned(),
        spec,
        said: Said {
            replicas: file.deploy.replicas.is_some(),
            update: deploy::said(file.deploy.update_config.as_ref()),
            rollback: deploy::said(file.deploy.rollback_config.as_ref()),
        },
        depends_on: file.depends_on.iter().map(|other| other.value.clone()).collect(),
        single: file.own.single,
        hook: file.own.hook,
        as_is,
        ignore: scope.compose.own.ignore.iter().chain(&file.own.ignore).cloned().collect(),
        span: *span,
    }
}
