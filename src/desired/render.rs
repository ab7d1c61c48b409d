//! What is wanted, as the Engine API objects that would be posted.

use serde_json::{Map, Value, json};

use super::{Desired, Volume};

/// The stack's objects, each kind sorted by name: `{ stack, services, networks, volumes, configs, secrets }`. Network
/// targets are names, configs have their data in base64, secrets have none, names carry no hash.
pub fn stack(desired: &Desired) -> Value {
    json!({
        "stack": desired.stack,
        "services": desired.services.values().map(|service| json!(service.spec)).collect::<Vec<_>>(),
        "networks": desired.networks.values().map(|network| json!(network.spec)).collect::<Vec<_>>(),
        "volumes": desired.volumes.iter().map(|(name, described)| volume(name, described)).collect::<Vec<_>>(),
        "configs": desired.configs.values().map(|config| json!(config.spec)).collect::<Vec<_>>(),
        "secrets": desired.secrets.values().map(|secret| json!(secret.spec)).collect::<Vec<_>>(),
    })
}

/// The body with which a node makes the volume.
fn volume(name: &str, volume: &Volume) -> Value {
    let mut body = Map::new();
    body.insert("Name".to_owned(), json!(name));
    if !volume.driver.is_empty() {
        body.insert("Driver".to_owned(), json!(volume.driver));
    }
    if !volume.options.is_empty() {
        body.insert("DriverOpts".to_owned(), json!(volume.options));
    }
    body.insert("Labels".to_owned(), json!(volume.labels));
    Value::Object(body)
}
