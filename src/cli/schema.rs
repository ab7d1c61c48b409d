//! `skep schema NAME`: the JSON Schemas of every format, generated from the types.

use clap::ValueEnum;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

/// A format with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// A stack file
    Stack,
    /// skep.yaml
    Skep,
    /// The controller's configuration
    Config,
    /// `skep plan -o json`
    Plan,
    /// `skep drift -o json`
    Drift,
    /// `skep status -o json`
    Status,
    /// `skep audit -o json`
    Audit,
}

impl Name {
    /// All of them.
    pub const ALL: &[Name] =
        &[Name::Stack, Name::Skep, Name::Config, Name::Plan, Name::Drift, Name::Status, Name::Audit];

    /// The word in the command and in the file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Name::Stack => "stack",
            Name::Skep => "skep",
            Name::Config => "config",
            Name::Plan => "plan",
            Name::Drift => "drift",
            Name::Status => "status",
            Name::Audit => "audit",
        }
    }

    /// The schema.
    pub fn schema(self) -> Schema {
        match self {
            Name::Stack => of::<crate::compose::schema::Stack>(),
            Name::Skep => of::<crate::settings::Fleet>(),
            Name::Config => of::<crate::settings::Controller>(),
            Name::Plan | Name::Drift => of::<crate::plan::view::Document>(),
            Name::Status => of::<crate::operator::status::Document>(),
            Name::Audit => of::<crate::audit::Document>(),
        }
    }

    /// The text of `schemas/NAME.schema.json`.
    pub fn text(self) -> String {
        let mut text = serde_json::to_string_pretty(&self.schema()).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}
