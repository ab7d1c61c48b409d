//! The whole swarm at one moment, from lists: for the command line, which looks once.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::client::{Api, Client, Error, Filters, Listed};
use crate::model::Kind;
use crate::swarm::{Config, Live, Network, Node, Resource, SecretObject, Service, Task};

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A list failed.
    #[error(transparent)]
    Client(#[from] Error),
    /// Something is there and cannot be read: it must not pass for absent.
    #[error("{kind} {name} cannot be read ({why}), so nothing can be planned; a newer skep may know it")]
    Unreadable {
        /// Its kind.
        kind: Kind,
        /// Its name, or its id.
        name: String,
        /// What the parser says.
        why: String,
    },
}

/// Lists everything a plan needs, at once.
///
/// # Errors
/// [`SnapshotError`]; an engine that is no manager of a swarm.
pub async fn take(client: &Client) -> Result<Live, SnapshotError> {
    let services = Api::<Service>::all(client.clone());
    let networks = Api::<Network>::all(client.clone());
    let configs = Api::<Config>::all(client.clone());
    let secrets = Api::<SecretObject>::all(client.clone());
    let nodes = Api::<Node>::all(client.clone());
    let lists = async {
        tokio::try_join!(services.list_status(), networks.list(), configs.list(), secrets.list(), nodes.list())
    };
    let (info, api, lists) = tokio::join!(client.info(), client.api_version(), lists);
    // An engine that manages no swarm refuses to list anything; what it says of itself tells why.
    let info = info?;
    info.require_manager()?;
    let api = api?;
    let (services, networks, configs, secrets, nodes) = lists?;
    Ok(Live {
        swarm_id: info.swarm.unwrap_or_default(),
        api_minor: Some(api.minor),
        services: complete(services)?,
        networks: complete(networks)?,
        configs: complete(configs)?,
        secrets: complete(secrets)?,
        nodes: complete(nodes)?,
    })
}

/// Finds out on which nodes the tasks of these services are, and says whether any of them was not known before.
///
/// # Errors
/// Those of a read.
pub async fn locate<'n>(
    client: &Client,
    live: &mut Live,
    names: impl Iterator<Item = &'n str>,
) -> Result<bool, SnapshotError> {
    let names: BTreeSet<&str> = names.collect();
    let is_wanted = |it: &&mut Arc<Service>| it.task_nodes.is_none() && names.contains(&*it.spec.name);
    let mut wanted: Vec<&mut Service> = live.services.iter_mut().filter(is_wanted).map(Arc::make_mut).collect();
    if wanted.is_empty() {
        return Ok(false);
    }
    let filters = Filters::new().desired_state("running");
    let filters = wanted.iter().fold(filters, |filters, service| filters.service(&service.id));
    let tasks = Api::<Task>::all(client.clone()).list_with(&filters).await?.items;
    for service in &mut wanted {
        let own = tasks.iter().filter(|task| task.service_id == service.id);
        service.task_nodes = Some(own.map(|task| task.node_id.clone()).collect());
    }
    Ok(true)
}

fn complete<K: Resource>(listed: Listed<K>) -> Result<Vec<Arc<K>>, SnapshotError> {
    if let Some(object) = listed.unreadable.into_iter().next() {
        let name = if object.name.is_empty() { object.id } else { object.name };
        return Err(SnapshotError::Unreadable { kind: K::KIND, name, why: object.error });
    }
    Ok(listed.items.into_iter().map(Arc::new).collect())
}
