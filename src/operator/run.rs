//! The controller's main loop: take the lease, and while it is held follow the sources and the swarm.
//!
//! An instance without the lease does nothing but wait for it: it holds no connections to repositories and no copy of the
//! swarm.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::context::{Context, Error, Term};
use super::keys::KeySource;
use super::reconcile::reconcile;
use super::records::Stored;
use super::sources::{Follower, Source, Wake};
use super::world::World;
use crate::apply::Permit;
use crate::client::{self, Api, ApiVersion, Client, Credentials, Events, Listable};
use crate::model::{Kind, StackName, label};
use crate::runtime::lease::{Guard, Leadership, Lease, LeaseHandle, SwarmLease, Timing};
use crate::runtime::{Action, ApiSource, Change, Controller, Queue, Reconcile, Store, reflect, watcher};
use crate::source::Credential;
use crate::swarm::{Config, Live, Network, Node, SecretObject, Service};

/// How many stacks are looked at at a time.
const CONCURRENCY: usize = 4;

/// From so many stacks on, one list of all tasks costs less than one of each stack's.
const MANY: usize = 3;

/// What the controller is told.
pub struct Options {
    /// The swarm.
    pub client: Client,
    /// Credentials of registries.
    pub credentials: Credentials,
    /// The sources to follow.
    pub sources: Vec<Source>,
    /// Credentials for repositories.
    pub repositories: Vec<Credential>,
    /// Where the keys for encrypted files come from.
    pub keys: KeySource,
    /// Where clones are kept.
    pub clones: PathBuf,
    /// The swarm's name.
    pub cluster: Option<String>,
    /// What this instance calls itself in the lease.
    pub holder: String,
    /// How often everything is listed anew.
    pub resync: Duration,
}

/// The lease as a permit, of the term in which it was taken.
struct Leased {
    guard: Guard,
    term: u64,
}

impl Permit for Leased {
    fn may_write(&self) -> bool {
        self.guard.may_write(self.term)
    }
}

impl Term for Leased {
    fn term(&self) -> u64 {
        self.term
    }
}

/// Runs until it is cancelled: then it finishes the write it is at, and gives the lease up.
///
/// # Errors
/// The engine is no swarm manager, or cannot be reached at the start.
pub async fn run(options: Options, cancel: CancellationToken) -> Result<(), client::Error> {
    let info = options.client.info().await?;
    info.require_manager()?;
    let swarm = Swarm { id: info.swarm.clone().unwrap_or_default(), api: options.client.api_version().await? };
    tracing::info!(
        engine = info.engine,
        node = info.hostname,
        sources = options.sources.len(),
        holder = options.holder,
        "controller starts"
    );
    let (lease, handle) =
        Lease::new(SwarmLease::new(options.client.clone()), options.holder.clone(), Timing::default());
    let give_up = CancellationToken::new();
    let keeper = tokio::spawn(lease.run(give_up.clone()));
    let mut leadership = handle.leadership();
    loop {
        let now = leadership.borrow_and_update().clone();
        if let Leadership::Leading { term } = now {
            tracing::info!(term, "leading");
            let reign = cancel.child_token();
            let lost = async {
                // Any other word than this term is the end of it.
                let changed = leadership.wait_for(|state| *state != Leadership::Leading { term }).await;
                drop(changed);
            };
            let leading = lead(&options, &handle, term, swarm.clone(), reign.clone());
            tokio::pin!(leading);
            tokio::select! {
                () = &mut leading => {}
                () = lost => {
                    tracing::warn!(term, "the lease is lost: nothing more is written");
                    reign.cancel();
                    leading.await;
                }
            }
        } else {
            tracing::debug!(state = ?now, "following");
        }
        if cancel.is_cancelled() {
            break;
        }
        tokio::select! {
            changed = leadership.changed() => if changed.is_err() { break },
            () = cancel.cancelled() => {}
        }
        if cancel.is_cancelled() {
            break;
        }
    }
    // Whoever gives the lease up has ended its writes: `lead` has returned.
    give_up.cancel();
    if let Err(error) = keeper.await {
        tracing::error!(error = %error, "the lease's keeper died");
    }
    tracing::info!("controller stopped");
    Ok(())
}

/// What does not change while the controller runs.
#[derive(Clone)]
struct Swarm {
    id: String,
    api: ApiVersion,
}

/// All stores of one reign.
struct Stores {
    services: Store<Service>,
    networks: Store<Network>,
    configs: Store<Config>,
    secrets: Store<SecretObject>,
    nodes: Store<Node>,
    /// The last snapshot: whoever gets the same one again knows that nothing has changed.
    last: Mutex<Option<Snapshot>>,
}

/// A snapshot, and the lists it was made of.
struct Snapshot {
    services: Arc<Vec<Arc<Service>>>,
    networks: Arc<Vec<Arc<Network>>>,
    configs: Arc<Vec<Arc<Config>>>,
    secrets: Arc<Vec<Arc<SecretObject>>>,
    nodes: Arc<Vec<Arc<Node>>>,
    live: Arc<Live>,
}

impl Stores {
    /// The swarm at this moment, if everything could be listed and read.
    fn live(&self, swarm: &Swarm) -> Option<Arc<Live>> {
        let services = self.services.complete_snapshot()?;
        let networks = self.networks.complete_snapshot()?;
        let configs = self.configs.complete_snapshot()?;
        let secrets = self.secrets.complete_snapshot()?;
        let nodes = self.nodes.complete_snapshot()?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &*last
            && Arc::ptr_eq(&last.services, &services)
            && Arc::ptr_eq(&last.networks, &networks)
            && Arc::ptr_eq(&last.configs, &configs)
            && Arc::ptr_eq(&last.secrets, &secrets)
            && Arc::ptr_eq(&last.nodes, &nodes)
        {
            return Some(Arc::clone(&last.live));
        }
        let live = Arc::new(Live {
            swarm_id: swarm.id.clone(),
            api_minor: Some(swarm.api.minor),
            services: services.to_vec(),
            networks: networks.to_vec(),
            configs: configs.to_vec(),
            secrets: secrets.to_vec(),
            nodes: nodes.to_vec(),
        });
        *last = Some(Snapshot { services, networks, configs, secrets, nodes, live: Arc::clone(&live) });
        Some(live)
    }

    async fn listed(&self) {
        tokio::join!(
            self.services.listed(),
            self.networks.listed(),
            self.configs.listed(),
            self.secrets.listed(),
            self.nodes.listed()
        );
    }
}

struct Reconciler(Context);

impl Reconciler {
    /// Lists the tasks for a pass over all stacks. Where that fails, each stack asks for its own.
    async fn look_ahead(&self, world: &World) {
        let Some(live) = self.0.live().filter(|_| world.stacks().len() >= MANY) else { return };
        if let Err(error) = self.0.progress.ahead.list(&self.0.client, &live).await {
            tracing::debug!(%error, "the tasks could not be listed for all stacks at once");
        }
    }
}

impl Reconcile for Reconciler {
    type Key = StackName;
    type Error = Error;

    async fn reconcile(&self, key: &StackName) -> Result<Action, Error> {
        reconcile(&self.0, key).await
    }
}

/// One reign: from the taking of the lease to its loss.
async fn lead(options: &Options, handle: &LeaseHandle, term: u64, swarm: Swarm, cancel: CancellationToken) {
    let mut tasks = JoinSet::new();
    let events = options.client.events();
    let stores = Arc::new(Stores {
        services: start(&mut tasks, &options.client, &events, options.resync, &cancel),
        networks: start(&mut tasks, &options.client, &events, options.resync, &cancel),
        configs: start(&mut tasks, &options.client, &events, options.resync, &cancel),
        secrets: start(&mut tasks, &options.client, &events, options.resync, &cancel),
        nodes: start(&mut tasks, &options.client, &events, options.resync, &cancel),
        last: Mutex::default(),
    });
    let queue = Queue::<StackName>::new();
    let world = Arc::new(World::new(options.sources.iter().map(Source::id)));
    let wake: Wake = {
        let (stores, world, queue) = (Arc::clone(&stores), Arc::clone(&world), queue.clone());
        Arc::new(move |stacks| {
            stacks.into_iter().for_each(|stack| queue.add(stack));
            // A stack that left git while nobody looked is in no declaration, only in its record.
            let declared = world.stacks();
            let undeclared = records(&stores).into_iter().map(|stored| stored.record.stack);
            undeclared.filter(|stack| !declared.contains(stack)).for_each(|stack| queue.add(stack));
        })
    };
    let snapshots = Arc::clone(&stores);
    let context = Context::new(
        options.client.clone(),
        Arc::new(options.credentials.clone()),
        Arc::clone(&world),
        Arc::new(Leased { guard: handle.guard(), term }),
        options.keys.clone(),
        move || snapshots.live(&swarm),
    );
    let reconciler = Arc::new(Reconciler(context));
    // What changes before this is in the first lists; what changes after is heard.
    let hearing = [
        stores.services.changes(),
        stores.networks.changes(),
        stores.configs.changes(),
        stores.secrets.changes(),
        stores.nodes.changes(),
    ];
    tokio::select! {
        () = stores.listed() => {}
        () = cancel.cancelled() => {}
    }
    outrank(&stores, handle, term);
    for source in &options.sources {
        let follower = Follower {
            clones: options.clones.clone(),
            credentials: options.repositories.clone(),
            cluster: options.cluster.clone(),
            world: Arc::clone(&world),
            wake: Arc::clone(&wake),
        };
        tasks.spawn(follower.run(source.clone(), cancel.clone()));
    }
    for changes in hearing {
        let (stores, world) = (Arc::clone(&stores), Arc::clone(&world));
        let (queue, reconciler) = (queue.clone(), Arc::clone(&reconciler));
        let cancel = cancel.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = hear(changes, &stores, &world, &queue, &reconciler) => {}
                () = cancel.cancelled() => {}
            }
        });
    }
    {
        let (stores, world, queue, cancel) = (Arc::clone(&stores), Arc::clone(&world), queue.clone(), cancel.clone());
        let (resync, reconciler) = (options.resync, Arc::clone(&reconciler));
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = reconciler.look_ahead(&world) => {}
                    () = cancel.cancelled() => return,
                }
                wake_all(&stores, &world, &queue);
                tokio::select! {
                    () = tokio::time::sleep(resync) => {}
                    () = cancel.cancelled() => return,
                }
                reconciler.0.images.begin_pass();
            }
        });
    }
    Controller::new(CONCURRENCY).run(reconciler, queue, cancel.clone()).await;
    cancel.cancel();
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(error = %error, "a task of the controller died");
        }
    }
}

/// A store, and the task that fills it.
fn start<K: Listable>(
    tasks: &mut JoinSet<()>,
    client: &Client,
    events: &Events,
    resync: Duration,
    cancel: &CancellationToken,
) -> Store<K> {
    let store = Store::new();
    let source = ApiSource::new(Api::<K>::all(client.clone()));
    let filling = reflect(store.clone(), watcher(source, events.subscribe(), resync));
    let cancel = cancel.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = filling => {}
            () = cancel.cancelled() => {}
        }
    });
    store
}

/// Wakes the stacks that changes concern.
async fn hear(
    mut changes: tokio::sync::broadcast::Receiver<Change>,
    stores: &Stores,
    world: &World,
    queue: &Queue<StackName>,
    reconciler: &Reconciler,
) {
    loop {
        match changes.recv().await {
            Ok(change) => {
                if let Some(stack) = concerned(&change, stores, reconciler) {
                    queue.add(stack);
                }
            }
            // So many changes at once that some were missed.
            Err(RecvError::Lagged(_)) => wake_all(stores, world, queue),
            Err(RecvError::Closed) => return,
        }
    }
}

/// The stack that a change concerns: by its label, or, of a record that somebody else wrote, by the record. A service without a
/// label may be one that a stack took as it is.
fn concerned(change: &Change, stores: &Stores, reconciler: &Reconciler) -> Option<StackName> {
    if let Some(stack) = &change.stack {
        return StackName::parse(stack).ok();
    }
    if change.kind == Kind::Service {
        let holds =
            |stored: &Stored| stored.record.inventory.get(&Kind::Service).is_some_and(|it| it.contains(&change.name));
        return records(stores).into_iter().find(holds).map(|stored| stored.record.stack);
    }
    if change.kind != Kind::Config {
        return None;
    }
    let config = stores.configs.find(&change.id)?;
    if config.spec.labels.get(label::KIND).map(String::as_str) != Some(label::KIND_RECORD) {
        return None;
    }
    if reconciler.0.is_own_write(&config.id, config.version) {
        return None;
    }
    StackName::parse(config.spec.labels.get(label::STACK)?).ok()
}

/// Wakes every stack that is declared or has a record.
fn wake_all(stores: &Stores, world: &World, queue: &Queue<StackName>) {
    for stack in world.stacks() {
        queue.add(stack);
    }
    for record in records(stores) {
        queue.add(record.record.stack);
    }
}

fn records(stores: &Stores) -> Vec<Stored> {
    let configs = stores.configs.snapshot();
    configs.iter().filter_map(|config| Stored::from_config(config)?.ok()).collect()
}

/// A record with a term of this reign's or later was written under a lease that is gone: the next renewal outranks it.
fn outrank(stores: &Stores, handle: &LeaseHandle, term: u64) {
    let highest = records(stores).iter().filter_map(|stored| Some(stored.record.attempt.as_ref()?.term)).max();
    if let Some(highest) = highest.filter(|highest| *highest > term) {
        handle.outrank(highest);
    }
}
