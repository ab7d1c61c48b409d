//! One write.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use tokio::time::Instant;

use super::{Apply, Stopped};
use crate::client::{Api, Delete, Error, Listable, Written};
use crate::model::{Kind, StackName};
use crate::plan::{self, Applied, Body, Step, Write};
use crate::swarm::{Config, Network, SecretObject, SecretSpec, Service, ServiceSpec, Version};

/// How long the engine may take to let go of a port.
const PORT: Duration = Duration::from_secs(5);

/// How long to wait before it is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Its words for a port that another service has.
const PORT_TAKEN: &str = "is already in use by service";

/// How a write ended.
pub enum Done {
    /// It was made.
    Written(Written),
    /// The engine puts a deletion off.
    Deferred,
}

pub async fn carry_out(apply: &Apply<'_>, step: &Step, applied: &Applied, stack: &StackName) -> Result<Done, Stopped> {
    match &step.write {
        Write::Create(body) => create(apply, body, applied).await.map(Done::Written),
        Write::Update { id, version, body } => update(apply, id, *version, body, applied).await.map(Done::Written),
        Write::Replace { id, version, body } => match delete_any(apply, step, id, *version, stack).await? {
            Done::Deferred => Ok(Done::Deferred),
            Done::Written(_) => create(apply, body, applied).await.map(Done::Written),
        },
        Write::Delete { id, version } => delete_any(apply, step, id, *version, stack).await,
    }
}

async fn delete_any(
    apply: &Apply<'_>,
    step: &Step,
    id: &str,
    version: Version,
    stack: &StackName,
) -> Result<Done, Stopped> {
    match step.kind {
        Kind::Service => delete::<Service>(apply, step, id, version).await,
        Kind::Network => delete::<Network>(apply, step, id, version).await,
        Kind::Config => delete::<Config>(apply, step, id, version).await,
        Kind::Secret => delete::<SecretObject>(apply, step, id, version).await,
        Kind::Volume | Kind::Node | Kind::Task => {
            tracing::warn!(%stack, kind = %step.kind, object = %step.name, "this kind is never deleted");
            Ok(Done::Deferred)
        }
    }
}

async fn create(apply: &Apply<'_>, body: &Body, applied: &Applied) -> Result<Written, Stopped> {
    let client = apply.client.clone();
    Ok(match body {
        Body::Network(spec) => Api::<Network>::all(client).create(spec, None).await?,
        Body::Config { spec, .. } => Api::<Config>::all(client).create(spec, None).await?,
        Body::Secret { spec, data, .. } => {
            let data = data.as_ref().map(|data| STANDARD.encode(data.reveal())).unwrap_or_default();
            let spec = SecretSpec { data, ..spec.clone() };
            Api::<SecretObject>::all(client).create(&spec, None).await?
        }
        Body::Service { spec, .. } => {
            let spec = with_ids(spec, applied)?;
            let auth = authorisation(apply, &spec).await?;
            let api = Api::<Service>::all(client);
            let end = Instant::now() + PORT;
            loop {
                let done = api.create(&spec, auth.as_ref()).await;
                if !is_port_awaited(&done, end, apply).await? {
                    break done?;
                }
            }
        }
    })
}

async fn update(
    apply: &Apply<'_>,
    id: &str,
    version: Version,
    body: &Body,
    applied: &Applied,
) -> Result<Written, Stopped> {
    let client = apply.client.clone();
    let mut written = match body {
        // The planner never asks for it: a network is what it was made.
        Body::Network(spec) => Api::<Network>::all(client).create(spec, None).await?,
        Body::Config { spec, .. } => Api::<Config>::all(client).replace(id, version, spec, None).await?,
        Body::Secret { spec, .. } => Api::<SecretObject>::all(client).replace(id, version, spec, None).await?,
        Body::Service { spec, .. } => {
            let spec = with_ids(spec, applied)?;
            let auth = authorisation(apply, &spec).await?;
            let api = Api::<Service>::all(client);
            let end = Instant::now() + PORT;
            loop {
                let done = api.replace(id, version, &spec, auth.as_ref()).await;
                if !is_port_awaited(&done, end, apply).await? {
                    break done?;
                }
            }
        }
    };
    // The answer to an update names no object.
    written.id = id.to_owned();
    Ok(written)
}

/// Whether a write is to be made again because the engine said that another service has a port. A plan in which that is so
/// is blocked; but the engine lets go of a port a moment after the step that took it from a service.
async fn is_port_awaited(done: &Result<Written, Error>, end: Instant, apply: &Apply<'_>) -> Result<bool, Stopped> {
    match done {
        Err(Error::Invalid(failure)) if failure.message.contains(PORT_TAKEN) && Instant::now() < end => {
            tokio::time::sleep(PAUSE).await;
            if apply.permit.may_write() { Ok(true) } else { Err(Stopped::NoPermit) }
        }
        _ => Ok(false),
    }
}

/// A service's spec with the ids of configs and secrets that earlier steps made.
fn with_ids(spec: &ServiceSpec, applied: &Applied) -> Result<ServiceSpec, Stopped> {
    let mut spec = spec.clone();
    plan::fill_references(&mut spec, |kind, name| {
        let contents = match kind {
            Kind::Config => &applied.configs,
            Kind::Secret => &applied.secrets,
            _ => return None,
        };
        contents.values().find(|content| content.name == name).map(|content| content.id.clone())
    })?;
    Ok(spec)
}

/// The credentials of the image's registry. Without an entry no header is sent, and the engine keeps what it has: the
/// encoding of an empty entry would overwrite good credentials.
async fn authorisation(apply: &Apply<'_>, spec: &ServiceSpec) -> Result<Option<crate::client::AuthHeader>, Stopped> {
    match &spec.task_template.container_spec {
        Some(container) if !container.image.is_empty() => Ok(apply.credentials.header(&container.image).await?),
        _ => Ok(None),
    }
}

/// A deletion carries no version and no condition, so the object is read right before it.
async fn delete<K: Listable + Delete>(
    apply: &Apply<'_>,
    step: &Step,
    id: &str,
    version: Version,
) -> Result<Done, Stopped> {
    let api = Api::<K>::all(apply.client.clone());
    let gone = || Done::Written(Written { id: id.to_owned(), warnings: Vec::new() });
    let Some(found) = api.find(id).await? else { return Ok(gone()) };
    let meta = found.meta();
    // A service's version moves with its tasks' fortunes; that it is the one that was planned, its id says.
    let moved = meta.name != step.name || (step.kind != Kind::Service && meta.version != version);
    if moved {
        return Err(Stopped::Moved { kind: step.kind, name: step.name.clone() });
    }
    if !apply.permit.may_write() {
        return Err(Stopped::NoPermit);
    }
    match api.delete(id).await {
        Ok(()) | Err(Error::NotFound(_)) => Ok(gone()),
        Err(Error::InUse(_)) => Ok(Done::Deferred),
        Err(error) => Err(error.into()),
    }
}
