//! How plans and reports are printed.

use clap::{Args, ValueEnum};

use crate::plan::Form;

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ReportOutput {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
    /// For a merge request or a chat
    Markdown,
    /// For a browser: one page that needs nothing else
    Html,
}

/// How an audit is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum AuditOutput {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
    /// For an issue or a chat
    Markdown,
}

/// How much the text tells.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct FormArguments {
    /// Show each step on one line
    #[arg(long, conflicts_with = "diff")]
    pub compact: bool,
    /// Show whole values before and after, and what differs in configs line by line
    #[arg(long)]
    pub diff: bool,
}

impl FormArguments {
    /// The form of the text.
    pub fn form(self) -> Form {
        match self {
            Self { compact: true, .. } => Form::Compact,
            Self { diff: true, .. } => Form::Diff,
            Self { .. } => Form::Fields,
        }
    }
}
