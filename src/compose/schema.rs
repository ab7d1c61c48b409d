//! The form of a stack file, for its JSON Schema: editors complete and check keys with it. The parser has the last word:
//! interpolation, references and the grammars of ports, durations and sizes are its alone.
//!
//! The schema takes whatever the parser takes of a file that stands alone. Besides, any value may be nothing: in a file
//! that is merged into another, a key without a value (`ports: !reset null`) says something.
//!
//! These types are never filled; they say which keys there are and which shapes a value may have.
#![allow(dead_code, reason = "the types stand for shapes in the schema and never for values")]

mod attached;
mod deploy;
mod object;
mod service;
mod values;

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};

use self::object::{Config, Network, Secret, Volume};
use self::service::Service;
use self::values::{Own, TextOrList, VersionText, extensions};

/// A stack file: the services, networks, volumes, configs and secrets of one stack.
#[derive(JsonSchema)]
#[schemars(title = "skep stack file", deny_unknown_fields, transform = extensions)]
pub struct Stack {
    /// The version of the old Compose file format, 3 to 3.13. Modern files say none.
    version: Option<VersionText>,
    /// The stack's name, where nothing else says it.
    name: Option<String>,
    /// Other files whose services and objects are taken in.
    include: Option<Vec<Include>>,
    /// The services.
    services: Option<BTreeMap<String, Option<Service>>>,
    /// The networks. A service that names none joins `default`.
    networks: Option<BTreeMap<String, Option<Network>>>,
    /// The volumes.
    volumes: Option<BTreeMap<String, Option<Volume>>>,
    /// The configs.
    configs: Option<BTreeMap<String, Option<Config>>>,
    /// The secrets.
    secrets: Option<BTreeMap<String, Option<Secret>>>,
    /// What SOPS writes into a file that it encrypts.
    sops: Option<BTreeMap<String, serde_json::Value>>,
    /// skep's own.
    #[schemars(rename = "x-skep")]
    own: Option<Own>,
}

/// The path of a file, or a mapping.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Include {
    Path(String),
    Long(LongInclude),
}

/// Files that are taken in as one model.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
struct LongInclude {
    /// The file, or several of which the later override the first.
    path: TextOrList,
    /// What their relative paths begin at [default: the directory of the first].
    project_directory: Option<String>,
    /// Files of variables, in place of the `.env` of their directory.
    env_file: Option<TextOrList>,
}

/// Makes `properties` of a schema an object and gives it.
fn properties(schema: &mut Schema) -> Option<&mut serde_json::Map<String, serde_json::Value>> {
    let properties = schema.ensure_object().entry("properties").or_insert_with(|| serde_json::json!({}));
    properties.as_object_mut()
}
