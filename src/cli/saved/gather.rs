//! What stacks are planned on.

use std::sync::Arc;

use super::{Applied, Found, Object, Stack};
use crate::cli::apply::is_due;
use crate::cli::parallel;
use crate::cli::plan::Planned;
use crate::cli::target::Target;
use crate::desired::{self, fingerprint};
use crate::model::Kind;
use crate::swarm::{Live, Meta, Resource};

/// What each stack is planned on.
pub fn stacks(target: &Target, plans: &[Planned<'_>], live: &Live) -> Vec<Stack> {
    let wanted = plans.iter().map(|planned| {
        let writes = !planned.plan.steps.is_empty() || is_due(target, planned);
        planned.stack.desired.as_ref().filter(|_| writes).map(|it| (it.stack.as_str(), desired::digest(it)))
    });
    let wanted: Vec<_> = wanted.collect();
    let wanted = parallel::each(&wanted, |wanted| {
        let (stack, digest) = wanted.as_ref()?;
        // What is wanted may hold passwords, and a plain digest would let anybody try some.
        let cache = fingerprint::Cache::new();
        cache.fingerprint(&live.swarm_id, &format!("saved plan\0{stack}"), digest.as_str().as_bytes())
    });
    plans.iter().zip(wanted).map(|(planned, wanted)| stack(planned, live, wanted)).collect()
}

/// What one stack is planned on.
pub fn stack(planned: &Planned<'_>, live: &Live, wanted: Option<String>) -> Stack {
    let object = |kind: Kind, name: &str| Object { kind, name: name.to_owned(), found: found(live, kind, name) };
    let applied = planned.stored.as_ref().and_then(|stored| stored.record.applied.as_ref());
    Stack {
        stack: planned.plan.stack.as_str().to_owned(),
        commit: planned.stack.revision.as_ref().map(ToString::to_string),
        wanted,
        applied: applied.map(|applied| Applied { revision: applied.revision.to_string(), at: applied.at }),
        objects: planned.plan.steps.iter().map(|step| object(step.kind, &step.name)).collect(),
    }
}

fn found(live: &Live, kind: Kind, name: &str) -> Option<Found> {
    fn named<'a, R: Resource>(objects: impl IntoIterator<Item = &'a Arc<R>>, name: &str) -> Option<Meta<'a>> {
        objects.into_iter().map(|object| object.meta()).find(|meta| meta.name == name)
    }
    let meta = match kind {
        Kind::Service => named(&live.services, name),
        // A node's own network of that name is another.
        Kind::Network => named(live.networks.iter().filter(|network| network.scope == "swarm"), name),
        Kind::Config => named(&live.configs, name),
        Kind::Secret => named(&live.secrets, name),
        Kind::Volume | Kind::Task | Kind::Node => None,
    };
    meta.map(|meta| Found { id: meta.id.to_owned(), version: meta.version.index, updated: meta.updated.to_owned() })
}
