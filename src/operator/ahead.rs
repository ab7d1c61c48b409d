//! The tasks of a whole pass, from one list: asked for stack by stack, they would be two requests each.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::client::{Api, Client, Error, Filters};
use crate::swarm::{Live, Service, Task};

/// So long what was listed ahead says how a service fares. A pass takes less.
const FRESH: Duration = Duration::from_secs(5);

/// Tasks that were listed ahead, each service's until it is looked at.
#[derive(Debug, Default)]
pub struct Ahead(Mutex<HashMap<String, Listed>>);

#[derive(Debug)]
struct Listed {
    /// The service's version before they were listed: another one is another question.
    version: u64,
    since: Instant,
    tasks: Tasks,
}

/// The tasks of a service.
#[derive(Debug, Default)]
pub struct Tasks {
    /// All of them.
    pub all: Vec<Task>,
    /// Those of its spec as it is.
    pub up_to_date: Vec<Task>,
}

impl Ahead {
    /// Lists the tasks of all services, in place of what was listed before.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn list(&self, client: &Client, live: &Live) -> Result<(), Error> {
        let since = Instant::now();
        let api = Api::<Task>::all(client.clone());
        let current = Filters::new().up_to_date();
        let (all, current) = tokio::try_join!(api.list(), api.list_with(&current))?;
        let entry = |service: &std::sync::Arc<Service>| {
            (service.id.clone(), Listed { version: service.version.index, since, tasks: Tasks::default() })
        };
        let mut listed: HashMap<String, Listed> = live.services.iter().map(entry).collect();
        for task in all.items {
            if let Some(of) = listed.get_mut(&task.service_id) {
                of.tasks.all.push(task);
            }
        }
        for task in current.items {
            if let Some(of) = listed.get_mut(&task.service_id) {
                of.tasks.up_to_date.push(task);
            }
        }
        *self.lock() = listed;
        Ok(())
    }

    /// The tasks of these services, in their order, if they were listed when each was as it is now. They are given once: who
    /// looks again wants to know what is new.
    pub fn take<'a>(&self, services: impl Iterator<Item = &'a Service> + Clone) -> Option<Vec<Tasks>> {
        let mut listed = self.lock();
        let is_known = |service: &Service| {
            listed.get(&service.id).is_some_and(|of| of.version == service.version.index && of.since.elapsed() <= FRESH)
        };
        if !services.clone().all(is_known) {
            return None;
        }
        Some(services.filter_map(|service| Some(listed.remove(&service.id)?.tasks)).collect())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Listed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::Version;

    fn service(id: &str, version: u64) -> Service {
        Service { id: id.to_owned(), version: Version { index: version }, ..Service::default() }
    }

    fn ahead(since: Instant) -> Ahead {
        let listed = |id: &str| {
            let task = Task { id: format!("task of {id}"), ..Task::default() };
            (id.to_owned(), Listed { version: 7, since, tasks: Tasks { all: vec![task], up_to_date: Vec::new() } })
        };
        Ahead(Mutex::new(["a", "b"].map(listed).into()))
    }

    #[test]
    fn they_are_given_once_in_the_order_asked_for() {
        let ahead = ahead(Instant::now());
        let tasks = ahead.take([&service("b", 7), &service("a", 7)].into_iter()).expect("both are known");
        assert_eq!(tasks.iter().map(|of| of.all[0].id.as_str()).collect::<Vec<_>>(), ["task of b", "task of a"]);
        assert!(ahead.take([&service("a", 7)].into_iter()).is_none());
    }

    #[test]
    fn what_was_written_since_is_another_question() {
        let known = ahead(Instant::now());
        assert!(known.take([&service("a", 7), &service("b", 8)].into_iter()).is_none());
        assert!(known.take([&service("a", 7), &service("c", 7)].into_iter()).is_none());
        assert!(known.take([&service("a", 7)].into_iter()).is_some(), "nothing was taken in vain");
        if let Some(long_ago) = Instant::now().checked_sub(FRESH + Duration::from_secs(1)) {
            assert!(ahead(long_ago).take([&service("a", 7)].into_iter()).is_none());
        }
    }
}
