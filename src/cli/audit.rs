//! `skep audit`: what is wrong with what runs. It reads, and that is all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;

use crate::audit::{Evidence, audit, audit_markdown, audit_text};
use crate::client::{Api, Client};
use crate::model::label;
use crate::operator::records::Stored;
use crate::operator::{facts, snapshot};
use crate::swarm::image::ImageReference;
use crate::swarm::{Live, Predecessor, Task};

use super::arguments::{AuditArguments, AuditOutput};
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::{connect, print};

/// How many images the engine is asked about at once.
const AT_ONCE: usize = 8;

pub async fn run(arguments: &AuditArguments, environment: &Environment) -> Result<Exit, Failure> {
    let client = connect::client(environment)?;
    let evidence = gather(&client, arguments, environment).await?;
    let document = audit(&evidence);
    match arguments.output {
        AuditOutput::Text => print::text(&audit_text(&document, environment.style(), environment.width()))?,
        AuditOutput::Json => print::json(&document)?,
        AuditOutput::Markdown => print::bytes(audit_markdown(&document).as_bytes())?,
    }
    Ok(if arguments.detailed_exitcode && !document.is_empty() { Exit::Changes } else { Exit::Done })
}

async fn gather(client: &Client, arguments: &AuditArguments, environment: &Environment) -> Result<Evidence, Failure> {
    let live = snapshot::take(client).await?;
    check(&arguments.stacks, &live)?;
    let (before, tasks) = (Api::<Predecessor>::all(client.clone()), Api::<Task>::all(client.clone()));
    let (before, tasks, info) = tokio::try_join!(before.list(), tasks.list(), client.info())?;
    for object in before.unreadable.iter().chain(&tasks.unreadable) {
        print::say(&format!("skep: {} cannot be read and is left out: {}", object.id, object.error));
    }
    let chosen = live.services.iter().filter(|service| {
        let stack = service.spec.labels.get(label::NAMESPACE);
        arguments.stacks.is_empty() || stack.is_some_and(|stack| arguments.stacks.contains(stack))
    });
    let images: BTreeSet<String> =
        chosen.filter_map(|service| Some(service.spec.task_template.container_spec.as_ref()?.image.clone())).collect();
    let pinned = images.iter().filter(|_| !arguments.offline).filter_map(|image| tag_of(image)).collect();
    let credentials = connect::credentials(environment, None);
    let (tags, image_checks) = tokio::join!(facts::tags(client, &credentials, pinned), image_checks(client, images));
    let recorded = live.configs.iter().filter_map(|config| Stored::from_config(config)?.ok());
    Ok(Evidence {
        previous: before.items.into_iter().filter_map(|it| Some((it.id, *it.previous_spec?))).collect(),
        tasks: tasks.items.into_iter().map(Arc::new).collect(),
        recorded: recorded.map(|stored| stored.record.stack.to_string()).collect(),
        tags,
        image_checks,
        now: info.time.parse().ok(),
        only: arguments.stacks.clone(),
        live,
    })
}

/// A stack that does not run was mistyped.
fn check(stacks: &[String], live: &Live) -> Result<(), Failure> {
    let running: BTreeSet<&str> =
        live.services.iter().filter_map(|service| Some(service.spec.labels.get(label::NAMESPACE)?.as_str())).collect();
    let Some(unknown) = stacks.iter().find(|stack| !running.contains(stack.as_str())) else { return Ok(()) };
    let near = crate::diag::did_you_mean(unknown, running);
    Err(Failure::Usage {
        message: format!("no service runs of a stack `{unknown}`"),
        hint: near.map(|near| format!("did you mean `{near}`?")),
    })
}

/// The image without its digest, where it has one: what it was pinned from.
fn tag_of(image: &str) -> Option<String> {
    let reference = ImageReference::parse(image).ok()?;
    reference.digest()?;
    Some(reference.without_digest().to_string())
}

/// Which images bring a healthcheck, of those that this engine has.
async fn image_checks(client: &Client, images: BTreeSet<String>) -> BTreeMap<String, bool> {
    let asked = futures_util::stream::iter(images).map(|image| async move {
        let found = client.image_has_healthcheck(&image).await.ok().flatten()?;
        Some((image, found))
    });
    asked.buffer_unordered(AT_ONCE).filter_map(|found| async move { found }).collect().await
}
