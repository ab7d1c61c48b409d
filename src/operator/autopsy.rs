//! Why a service did not come up: the task that failed last, and its last lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attempt::Failed;
use super::verdict::Trouble;
use crate::client::{Api, Client, Filters};
use crate::health::{self, Failure};
use crate::model::Confidential;
use crate::swarm::{Live, Task};

/// How many lines of a task are kept, and how many characters of each: they go into the stack's record.
const LINES: usize = 10;
const CHARACTERS: usize = 200;

/// Looks at the tasks of a service that failed. What its newest failed task says takes the place of the engine's
/// reason. Nothing here fails: a node that is gone tells nothing.
pub async fn of(client: &Client, live: &Live, trouble: &Trouble, secret: &Confidential) -> Failed {
    let Trouble { service: name, what, reason } = trouble;
    let failure = last_failure(client, live, name).await;
    let why = failure.as_ref().map_or_else(|| reason.clone(), ToString::to_string);
    let cause = format!("{name} {what}: {why}");
    let logs = match &failure {
        Some(failure) => lines(client, &failure.task, secret).await,
        None => Vec::new(),
    };
    Failed { cause: secret.hide_inside(&cause).into_owned(), logs, back: BTreeMap::new() }
}

/// The last lines of a task, without what is secret.
pub async fn lines(client: &Client, task: &str, secret: &Confidential) -> Vec<String> {
    let found = client.task_logs(task, LINES).await.unwrap_or_default();
    let cut = |line: String| line.chars().filter(|it| !it.is_control()).take(CHARACTERS).collect::<String>();
    found.into_iter().map(|line| secret.hide_inside(&cut(line)).into_owned()).collect()
}

async fn last_failure(client: &Client, live: &Live, name: &str) -> Option<Failure> {
    let service = live.services.iter().find(|service| service.spec.name == name)?;
    let filters = Filters::new().service(&service.id);
    let tasks = Api::<Task>::all(client.clone()).list_with(&filters).await.ok()?.items;
    let tasks: Vec<Arc<Task>> = tasks.into_iter().map(Arc::new).collect();
    health::last_failure(&tasks, &live.nodes)
}
