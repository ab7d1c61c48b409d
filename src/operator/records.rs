//! Reading and writing records and renderings.

use std::sync::Arc;

use super::record::{Record, RecordError};
use super::rendering::{self, RenderingError};
use crate::client::{self, Api, Client, Error as ClientError, Filters};
use crate::model::{StackName, label};
use crate::plan::Applied;
use crate::swarm::{Config, ConfigSpec, Version};

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The record itself.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A rendering.
    #[error(transparent)]
    Rendering(#[from] RenderingError),
}

/// A record as it stands in the swarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The config's id.
    pub id: String,
    /// The version that the next write must name.
    pub version: Version,
    /// The record.
    pub record: Record,
}

impl Stored {
    /// Reads a record from a config object; `None` if it is not one.
    ///
    /// # Errors
    /// [`RecordError`] where it is one that this version cannot work with.
    pub fn from_config(config: &Config) -> Option<Result<Self, RecordError>> {
        let record = Record::from_config(config)?;
        Some(record.map(|record| Self { id: config.id.clone(), version: config.version, record }))
    }

    /// The record of a stack among configs.
    ///
    /// # Errors
    /// [`RecordError`] where there is one that this version cannot work with.
    pub fn among<'a>(
        configs: impl IntoIterator<Item = &'a Arc<Config>>,
        stack: &StackName,
    ) -> Result<Option<Self>, RecordError> {
        let name = Record::object_name(stack);
        let found = configs.into_iter().find(|config| config.spec.name == name);
        found.and_then(|config| Self::from_config(config)).transpose()
    }
}

/// Every record in the swarm, by stack.
///
/// # Errors
/// Those of a read. A record that does not parse is an entry.
pub async fn list(client: &Client) -> Result<Vec<Result<Stored, RecordError>>, ClientError> {
    let filters = Filters::new().label(label::KIND, label::KIND_RECORD);
    let listed = Api::<Config>::narrowed(client.clone(), filters).list().await?;
    let mut stored: Vec<_> = listed.items.iter().filter_map(Stored::from_config).collect();
    stored.sort_by(|a, b| {
        let key = |entry: &Result<Stored, RecordError>| entry.as_ref().ok().map(|stored| stored.record.stack.clone());
        key(a).cmp(&key(b))
    });
    Ok(stored)
}

/// The record of a stack.
///
/// # Errors
/// Those of a read, and a record that does not parse.
pub async fn find(client: &Client, stack: &StackName) -> Result<Option<Stored>, Error> {
    let found = Api::<Config>::all(client.clone()).find_named(&Record::object_name(stack)).await?;
    Ok(found.as_ref().and_then(Stored::from_config).transpose()?)
}

/// Makes a record, if there is none yet.
///
/// # Errors
/// [`ClientError::AlreadyExists`] where somebody was faster.
pub async fn create(client: &Client, record: &Record) -> Result<Stored, Error> {
    let api = Api::<Config>::all(client.clone());
    let written = api.create(&record.to_spec()?, None).await?;
    let config = api.get(&written.id).await?;
    Ok(Stored { id: config.id, version: config.version, record: record.clone() })
}

/// Writes a record over the one that was read. Where nothing differs, nothing is written.
///
/// # Errors
/// [`ClientError::Conflict`] where somebody wrote it since.
pub async fn write(client: &Client, stored: &Stored, record: Record) -> Result<Stored, Error> {
    if stored.record == record {
        return Ok(stored.clone());
    }
    let api = Api::<Config>::all(client.clone());
    let spec = ConfigSpec { data: String::new(), ..record.to_spec()? };
    api.replace(&stored.id, stored.version, &spec, None).await?;
    let config = api.get(&stored.id).await?;
    Ok(Stored { id: config.id, version: config.version, record })
}

/// Changes a record for a person, starting over when somebody else was faster. `None` where there is none.
///
/// # Errors
/// Those of a read and a write, and a record that does not parse.
pub async fn change(client: &Client, stack: &StackName, change: impl Fn(&mut Record)) -> Result<Option<Record>, Error> {
    const TRIES: usize = 5;
    let mut tries = 0;
    loop {
        let Some(stored) = find(client, stack).await? else { return Ok(None) };
        let mut record = stored.record.clone();
        change(&mut record);
        tries += 1;
        match write(client, &stored, record).await {
            Ok(stored) => return Ok(Some(stored.record)),
            Err(Error::Client(ClientError::Conflict(_))) if tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// Keeps what is applied, and gives the name of the config that holds it.
///
/// # Errors
/// Those of a write, and a rendering that does not fit.
pub async fn keep(client: &Client, stack: &StackName, applied: &Applied) -> Result<String, Error> {
    let spec = rendering::to_spec(stack, applied)?;
    match Api::<Config>::all(client.clone()).create(&spec, None).await {
        // The name is the content's: what is there already is what was to be kept.
        Ok(_) | Err(ClientError::AlreadyExists(_)) => Ok(spec.name),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the renderings of a stack that its record no longer names.
///
/// # Errors
/// Those of a read and of a deletion.
pub async fn sweep(client: &Client, stack: &StackName, keep: &[&str]) -> Result<(), ClientError> {
    let filters = Filters::new().label(label::KIND, label::KIND_RENDERING).label(label::STACK, stack.as_str());
    let api = Api::<Config>::narrowed(client.clone(), filters);
    for config in api.list().await?.items {
        if rendering::is_of(&config, stack) && !keep.contains(&config.spec.name.as_str()) {
            match api.delete(&config.id).await {
                Ok(()) | Err(ClientError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Deletes the record of a stack and its renderings.
///
/// # Errors
/// Those of a read and of a deletion.
pub async fn forget(client: &Client, stored: &Stored) -> Result<(), ClientError> {
    sweep(client, &stored.record.stack, &[]).await?;
    match Api::<Config>::all(client.clone()).delete(&stored.id).await {
        Ok(()) | Err(ClientError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
