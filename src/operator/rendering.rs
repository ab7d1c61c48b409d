//! What was last applied of a stack, kept in the immutable data of a config: compressed JSON, digests in, secrets out.

use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::inventory;
use super::record::{FORMAT, Record, shortened};
use crate::model::{Digest, StackName, label};
use crate::plan::Applied;
use crate::swarm::{Config, ConfigSpec, Labels, Live};

/// The most that a rendering may take uncompressed. A stack of 1,000 services takes about 2 MB.
const MAX_UNCOMPRESSED: u64 = 64 * 1024 * 1024;

/// The most that the engine accepts as a config's data, in bytes: 1,024,000 less one.
const MAX_DATA: usize = 1_023_999;

/// Why a rendering cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum RenderingError {
    /// It does not fit into a config.
    #[error("what is applied of stack `{stack}` takes {size} bytes compressed; a config holds {MAX_DATA}")]
    TooLarge {
        /// The stack.
        stack: StackName,
        /// Its size in bytes.
        size: usize,
    },
    /// It does not parse.
    #[error("the rendering in config `{name}` cannot be read: {why}")]
    Broken {
        /// The config's name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The body of the config that keeps what is applied. The same content has the same name, so keeping it twice is keeping
/// it once.
///
/// # Errors
/// [`RenderingError::TooLarge`].
pub fn to_spec(stack: &StackName, applied: &Applied) -> Result<ConfigSpec, RenderingError> {
    let broken = |why: String| RenderingError::Broken { name: stack.to_string(), why };
    let kept = applied.kept(stack).map_err(|e| broken(e.to_string()))?;
    let json = serde_json::to_vec(&kept).map_err(|e| broken(e.to_string()))?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let data = encoder.write_all(&json).and_then(|()| encoder.finish()).map_err(|e| broken(e.to_string()))?;
    if data.len() > MAX_DATA {
        return Err(RenderingError::TooLarge { stack: stack.clone(), size: data.len() });
    }
    let hash = Digest::of(&json);
    Ok(ConfigSpec {
        name: format!("skep.{}.{}", shortened(stack), hash.prefix(12)),
        labels: Labels::from([
            (label::KIND.to_owned(), label::KIND_RENDERING.to_owned()),
            (label::FORMAT.to_owned(), FORMAT.to_string()),
            (label::STACK.to_owned(), stack.to_string()),
        ]),
        data: STANDARD.encode(data),
        ..ConfigSpec::default()
    })
}

/// Reads what was applied back from its config.
///
/// # Errors
/// [`RenderingError::Broken`].
pub fn from_config(config: &Config) -> Result<Applied, RenderingError> {
    let broken = |why: String| RenderingError::Broken { name: config.spec.name.clone(), why };
    let data = STANDARD.decode(&config.spec.data).map_err(|e| broken(e.to_string()))?;
    let mut json = Vec::new();
    GzDecoder::new(data.as_slice()).take(MAX_UNCOMPRESSED).read_to_end(&mut json).map_err(|e| broken(e.to_string()))?;
    serde_json::from_slice(&json).map_err(|e| broken(e.to_string()))
}

/// What a record says was applied; `None` where it says nothing of the kind, which is first contact. A rendering that is
/// gone is as if it said nothing: every difference is then git's.
///
/// It is read anew for each look. All of them, kept, were a sixth of the controller's heap.
///
/// # Errors
/// [`RenderingError::Broken`].
pub fn applied(record: &Record, live: &Live) -> Result<Option<Applied>, RenderingError> {
    let mut applied = match &record.applied {
        Some(applied) => named(&applied.rendering, live)?,
        // An attempt that was cut short before anything was applied: what it made is known by name.
        None if record.attempt.is_some() || !record.inventory.is_empty() => Applied::default(),
        None => return Ok(None),
    };
    applied.inventory = inventory::objects(&record.inventory);
    Ok(Some(applied))
}

/// What last ran well of a stack, as its record says, or what was applied before the attempt that is under way; `None` where
/// nothing ever did.
///
/// # Errors
/// [`RenderingError::Broken`].
pub fn good(record: &Record, live: &Live) -> Result<Option<Applied>, RenderingError> {
    let previous = record.attempt.as_ref().and_then(|attempt| attempt.previous.as_ref());
    let Some(good) = record.good.as_ref().or(previous) else { return Ok(None) };
    match live.configs.iter().find(|config| config.spec.name == good.rendering) {
        Some(config) => from_config(config).map(Some),
        None => Ok(None),
    }
}

fn named(name: &str, live: &Live) -> Result<Applied, RenderingError> {
    match live.configs.iter().find(|config| config.spec.name == name) {
        Some(config) => from_config(config),
        None => {
            tracing::warn!(config = name, "the rendering of what was applied is gone");
            Ok(Applied::default())
        }
    }
}

/// Whether a config is a rendering of this stack.
pub fn is_of(config: &Config, stack: &StackName) -> bool {
    let labels = &config.spec.labels;
    labels.get(label::KIND).is_some_and(|kind| kind == label::KIND_RENDERING)
        && labels.get(label::STACK).is_some_and(|name| name == stack.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use crate::plan::Object;

    #[test]
    fn what_is_applied_survives_its_config() {
        let stack = StackName::parse("shop").expect("valid");
        let mut applied = Applied::default();
        applied.inventory.insert(Object::new(Kind::Service, "shop_web"));
        applied.services.insert("shop_web".to_owned(), crate::swarm::ServiceSpec::default());
        let config = Config { spec: to_spec(&stack, &applied).expect("fits"), ..Config::default() };
        crate::model::name::check_config_name(&config.spec.name).expect("the engine accepts it");
        assert!(is_of(&config, &stack));
        assert_eq!(from_config(&config).expect("reads back"), applied);
        let mut cut = config.clone();
        cut.spec.data.truncate(8);
        assert!(matches!(from_config(&cut), Err(RenderingError::Broken { .. })));
    }
}
