//! Values that many keys have.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::super::keys;
use super::properties;

/// Adds keys that are known and not carried out, with a word on what to do instead. Those that are refused may stand only
/// where a service takes no part.
pub(super) fn known(schema: &mut Schema, known: &[keys::Known]) {
    let Some(properties) = properties(schema) else { return };
    for (key, fate) in known {
        let description = match fate {
            keys::Fate::Ignored(hint) | keys::Fate::Dropped(hint) => format!("Ignored. Instead: {hint}."),
            keys::Fate::Refused(hint) => format!("Swarm cannot carry it out. Instead: {hint}."),
        };
        properties.entry(*key).or_insert(serde_json::json!({ "description": description, "deprecated": true }));
    }
}

/// Keys that begin with `x-` are anybody's, in every mapping that is not a table of names.
pub(super) fn extensions(schema: &mut Schema) {
    schema.insert("patternProperties".to_owned(), serde_json::json!({ "^x-": true }));
}

/// Defines types that stand for one of some words, or for text that interpolates to one.
macro_rules! words {
    ($($name:ident: $($word:literal),+;)+) => {
        $(pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "anyOf": [{ "enum": [$($word),+] }, { "type": "string", "pattern": "\\$" }] })
            }
        })+
    };
}

words! {
    MountKind: "volume", "bind", "tmpfs", "npipe", "cluster";
    DependencyCondition: "service_started", "service_healthy", "service_completed_successfully";
    EnvFileFormat: "raw", "";
    ServiceMode: "replicated", "global", "replicated-job", "global-job", "";
    FailureAction: "pause", "continue", "rollback";
    UpdateOrder: "stop-first", "start-first";
    RestartCondition: "any", "on-failure", "none", "";
}

/// A whole number, or text that interpolates to one.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Integer {
    Number(i64),
    Text(String),
}

/// A number, or text that interpolates to one.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Number {
    Number(f64),
    Text(String),
}

/// `true` or `false`, or text that interpolates to one.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Boolean {
    Value(bool),
    Text(String),
}

/// Text, a number, a boolean or nothing.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Scalar {
    Text(String),
    Number(f64),
    Boolean(bool),
    Null(()),
}

/// A version: `"3.8"`.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum VersionText {
    Text(String),
    Number(f64),
}

/// `NAME: value` pairs, or a list of `NAME=value`.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum PairsOrList {
    Pairs(BTreeMap<String, Scalar>),
    List(Vec<String>),
}

/// One text, or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum TextOrList {
    Text(String),
    List(Vec<String>),
}

/// What skep alone reads, of the whole stack.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct Own {
    /// The codes of warnings that are known and not told: here for the whole stack, or for what the key stands in.
    accept: Option<TextOrList>,
    /// Whether nothing may delete it, not even where git no longer names it [default: false].
    protect: Option<Boolean>,
    /// JSON pointers into a service's spec that no difference looks at and no write changes, as
    /// `/Mode/Replicated/Replicas`.
    ignore: Option<TextOrList>,
}

/// What skep alone reads, of a service.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct OwnOfService {
    /// The codes of warnings that are known and not told here.
    accept: Option<TextOrList>,
    /// Whether nothing may delete it, not even where git no longer names it [default: false].
    protect: Option<Boolean>,
    /// JSON pointers into the service's spec that no difference looks at and no write changes, as
    /// `/Mode/Replicated/Replicas`.
    ignore: Option<TextOrList>,
    /// The name in the swarm of a service that no stack made. It is taken as it is: no label, network or alias of the stack
    /// is added to it [default: the stack's name, `_` and the key].
    name: Option<String>,
    /// Whether two instances of it must not run side by side, so that no update starts the new one first [default: false].
    single: Option<Boolean>,
    /// When a service in job mode runs, if it is a hook of its stack: once for each attempt that writes something else of the
    /// stack. `pre-deploy` runs before the services are written, `post-deploy` when they have come up, `on-failure` when they
    /// have not.
    hook: Option<Hook>,
}

/// When a hook runs.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) enum Hook {
    PreDeploy,
    PostDeploy,
    OnFailure,
}

/// What skep alone reads, of a network, a config or a secret.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct OwnOfObject {
    /// The codes of warnings that are known and not told here.
    accept: Option<TextOrList>,
    /// Whether nothing may delete it, not even where git no longer names it [default: false].
    protect: Option<Boolean>,
}

/// What skep alone reads, of a volume.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = extensions)]
pub(super) struct OwnOfVolume {
    /// The codes of warnings that are known and not told here.
    accept: Option<TextOrList>,
    /// Whether nothing may delete it, not even where git no longer names it [default: false].
    protect: Option<Boolean>,
    /// Whether it is deleted, with all that is in it, once git no longer names it [default: never].
    prune: Option<PruneVolume>,
}

/// When a volume is deleted.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "read by schemars alone")]
enum PruneVolume {
    Volumes,
    Never,
}

/// A duration as Go writes it: `1m30s`, `500ms`.
pub(super) struct Duration;

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A duration: `1m30s`, `500ms`." })
    }
}

/// A size in bytes: `512M`, `1.5g`, or a number.
pub(super) struct Bytes;

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "description": "A size in bytes: `512M` is 512 × 1024 × 1024." })
    }
}
