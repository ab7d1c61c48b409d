//! The arguments as they are typed.

mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

pub use report::{AuditOutput, FormArguments, ReportOutput};

use crate::telemetry::Format;

/// skep: a GitOps operator for Docker Swarm.
#[derive(Debug, Parser)]
#[command(name = "skep", version, about, max_term_width = 100, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,

    /// Log at this level: error, warn, info, debug, trace, or a filter [default: info for run, else warn]
    #[arg(long, global = true, env = "SKEP_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,

    /// Log in this format
    #[arg(long, global = true, env = "SKEP_LOG_FORMAT", value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub log_format: Format,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show what would change on the swarm, and what it costs
    Plan(PlanArguments),
    /// Plan, confirm, apply, and show the rollout until it has converged
    Apply(ApplyArguments),
    /// Report what on the swarm is not as it was applied; needs no files
    Drift(DriftArguments),
    /// Tell what is wrong with what runs: which updates lose requests, and why; needs no files and writes nothing
    Audit(AuditArguments),
    /// Print the objects the files become, as Engine API JSON; needs no swarm
    Render(RenderArguments),
    /// Name every fault in the files, with file, line and column; needs no swarm
    Validate(ValidateArguments),
    /// Run the controller: follow repositories and keep the swarm as they say
    Run(RunArguments),
    /// Show every stack's sync, health, revision and reason
    Status(StatusArguments),
    /// Stop skep from writing to stacks until they are resumed
    Suspend(SuspendArguments),
    /// Let skep write to suspended stacks again
    Resume(StacksArguments),
    /// Let skep try again what failed and is held
    Retry(StacksArguments),
    /// Tell the controller to apply what waits for a person: a first contact, or a stack in manual mode
    Sync(SyncArguments),
    /// Write stack files of what runs: of a stack, of services that no stack made, or of everything
    Import(ImportArguments),
    /// End a stack: delete what skep's record says it applied, then the record
    Delete(DeleteArguments),
    /// Print a JSON Schema
    Schema(SchemaArguments),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Say whether the controller on this host is alive: the image's health check
    Healthcheck(HealthcheckArguments),
}

/// What is to be planned: stack files, or a repository. A saved plan holds them.
#[derive(Debug, Clone, PartialEq, Default, Args, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetArguments {
    /// Read a stack file, or `-` for standard input; later ones, repeated or after commas, override
    #[arg(short = 'c', long = "compose-file", value_name = "FILE", value_delimiter = ',')]
    pub compose_files: Vec<String>,

    /// Read a repository: a directory or URL [default: the one around the current directory]
    #[arg(long, value_name = "DIR|URL", conflicts_with = "compose_files")]
    pub repo: Option<String>,

    /// Read it at this branch, tag or commit [default: a directory as it lies there, a URL at HEAD]
    #[arg(long = "ref", value_name = "REF", conflicts_with = "compose_files")]
    pub reference: Option<String>,

    /// Look for skep.yaml in this directory of the repository [default: its root]
    #[arg(long, value_name = "DIR", default_value = "", hide_default_value = true, conflicts_with = "compose_files")]
    pub path: String,

    /// Take every directory that matches as a stack, instead of a skep.yaml
    #[arg(long, value_name = "GLOB", conflicts_with = "compose_files")]
    pub discover: Option<String>,

    /// Name this swarm; a skep.yaml for another cluster is refused
    #[arg(long, env = "SKEP_CLUSTER", value_name = "NAME")]
    pub cluster: Option<String>,

    /// Read credentials for repositories from this controller configuration
    #[arg(long, env = "SKEP_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Ask for services with this profile, repeated or after commas, besides those of skep.yaml and COMPOSE_PROFILES
    #[arg(long = "profile", value_name = "NAME", value_delimiter = ',')]
    pub profiles: Vec<String>,

    /// With -c: the stack's name [default: the file's `name`]. With a repository: only these stacks [default: all]
    #[arg(value_name = "STACK")]
    pub stacks: Vec<String>,

    /// Not typed: a saved plan says it.
    #[arg(skip)]
    #[serde(skip)]
    pub pins: Pins,
}

/// The commits at which a saved plan wants repositories read, whatever its references mean by now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins {
    /// Of the repository that declares the stacks.
    pub repository: Option<String>,
    /// Of stacks that have a repository of their own.
    pub stacks: BTreeMap<String, String>,
}

/// How images are resolved, as in docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResolveImage {
    /// Ask the registry about every image
    Always,
    /// Ask when the image's text changed
    Changed,
    /// Never ask
    Never,
}

/// What is filled in where a file is silent about how updates roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ZeroDowntime {
    /// Fill in nothing
    Off,
}

/// Flags that `plan` and `apply` share. A saved plan holds them.
#[derive(Debug, Clone, PartialEq, Default, Args, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeArguments {
    /// With -c: delete services that the files no longer name [default: keep them]
    ///
    /// Of a repository, sync.prune in skep.yaml decides.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value_t, hide_default_value = true)]
    pub prune: bool,

    /// Choose when registries are asked whether they have an image; never asks none [default: changed]
    ///
    /// An image whose text did not change keeps the digest it runs with; another is sent as it is written: digests are not
    /// looked up yet, so always does what changed does.
    #[arg(long, value_enum, value_name = "WHEN")]
    pub resolve_image: Option<ResolveImage>,

    /// Accepted for docker's sake: registry credentials are always sent
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t)]
    pub with_registry_auth: bool,

    /// Choose what to fill in where a file does not say how updates roll [default: off]
    #[arg(long, value_enum, value_name = "MODE")]
    pub zero_downtime: Option<ZeroDowntime>,

    /// Accept deletions that the guards would refuse
    #[arg(long)]
    pub allow_delete: bool,

    /// Take secrets that run for what the files say: nobody can read what they hold [default: trustSecrets in skep.yaml]
    #[arg(long)]
    pub trust_secrets: bool,

    /// Write although a controller manages the stack, or another source owns it
    #[arg(long)]
    pub force: bool,

    /// Show the values of variables that look like secrets (on a terminal only)
    #[arg(long)]
    #[serde(skip)]
    pub show_values: bool,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// `skep plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArguments {
    /// What is meant
    #[command(flatten)]
    pub target: TargetArguments,
    /// How it is planned
    #[command(flatten)]
    pub change: ChangeArguments,
    /// Save the plan in this file, for `skep apply --plan FILE`; it holds no secret
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// End with 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How much the text tells
    #[command(flatten)]
    pub form: FormArguments,
    /// Choose how to print it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportOutput,
}

/// `skep drift`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Without -c and a repository, the records in the swarm tell what was applied: of the stacks that \
                        are named, or of all that skep manages. A stack that has no record is compared with its files."
)]
pub struct DriftArguments {
    /// What is meant
    #[command(flatten)]
    pub target: TargetArguments,
    /// Show the values of variables that look like secrets (on a terminal only)
    #[arg(long)]
    pub show_values: bool,
    /// End with 2 when there is drift
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How much the text tells
    #[command(flatten)]
    pub form: FormArguments,
    /// Choose how to print it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportOutput,
}

/// `skep audit`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Reads the swarm and asks registries; it needs no repository, no record and no file. Every code is \
                        explained in docs/zero-downtime.md."
)]
pub struct AuditArguments {
    /// Only what belongs to these stacks [default: the whole swarm]
    #[arg(value_name = "STACK")]
    pub stacks: Vec<String>,
    /// Ask no registry what tags point to
    #[arg(long)]
    pub offline: bool,
    /// End with 2 when anything was found
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Choose how to print it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: AuditOutput,
}

/// `skep apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArguments {
    /// What is meant
    #[command(flatten)]
    pub target: TargetArguments,
    /// How it is planned
    #[command(flatten)]
    pub change: ChangeArguments,
    /// Carry out a saved plan without asking; end with 3, nothing written, if what it is about has moved
    ///
    /// It brings its own files, repository, stacks and flags: none may be given beside it. It is planned anew, and what is left
    /// of it is applied; what it does not hold is not.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Apply without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Return once everything is sent [default: wait until the tasks are up, or failed]
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value_t, hide_default_value = true)]
    pub detach: bool,
    /// Show the plan and what went wrong, and no progress
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value_t, hide_default_value = true)]
    pub quiet: bool,
    /// Give up when no task has become ready for so long, as 90s or 10m [default: the stack's setting, 10m]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// How much the text of the plan tells
    #[command(flatten)]
    pub form: FormArguments,
    /// Choose how to print it; json is one event a line
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Output,
}

/// `skep render`.
#[derive(Debug, Clone, Args)]
pub struct RenderArguments {
    /// What is meant
    #[command(flatten)]
    pub target: TargetArguments,
    /// Choose what to fill in where a file does not say how updates roll [default: off]
    #[arg(long, value_enum, value_name = "MODE")]
    pub zero_downtime: Option<ZeroDowntime>,
    /// Print what came out of encrypted files [default: `***` stands in its place]
    #[arg(long)]
    pub show_values: bool,
    /// Choose how to print it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: RenderOutput,
}

/// How a rendering is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RenderOutput {
    /// Engine API JSON
    #[default]
    Json,
    /// The same as YAML
    Yaml,
}

/// `skep validate`.
#[derive(Debug, Clone, Args)]
pub struct ValidateArguments {
    /// What is meant
    #[command(flatten)]
    pub target: TargetArguments,
    /// Choose how to print it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Output,
}

/// `skep run`.
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// Read the configuration from this file; flags override it
    #[arg(long, env = "SKEP_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Follow this repository: a URL or a local path
    #[arg(long, env = "SKEP_REPO", value_name = "URL|PATH")]
    pub repo: Option<String>,
    /// Follow this branch, tag or commit of it [default: HEAD]
    #[arg(long = "ref", env = "SKEP_REF", value_name = "REF", requires = "repo")]
    pub reference: Option<String>,
    /// Look for skep.yaml in this directory of it [default: its root]
    #[arg(long, env = "SKEP_PATH", value_name = "DIR", requires = "repo")]
    pub path: Option<String>,
    /// Ask a remote repository so often, as 30s or 5m [default: 30s]
    #[arg(long, env = "SKEP_INTERVAL", value_name = "DURATION", requires = "repo")]
    pub interval: Option<String>,
    /// Take every directory that matches as a stack, instead of a skep.yaml
    #[arg(long, env = "SKEP_DISCOVER", value_name = "GLOB", requires = "repo")]
    pub discover: Option<String>,
    /// Name this swarm: a skep.yaml for another cluster writes nothing
    #[arg(long, env = "SKEP_CLUSTER", value_name = "NAME")]
    pub cluster: Option<String>,
    /// Keep clones in this directory [default: skep in the system's temporary directory]
    #[arg(long, env = "SKEP_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Read registry credentials from this config.json, again when it changes [default: docker's own]
    #[arg(long, env = "SKEP_DOCKER_CONFIG", value_name = "FILE")]
    pub docker_config: Option<PathBuf>,
    /// Touch this file, whose age tells `skep healthcheck` that the controller is alive [default: skep.heartbeat
    /// in the system's temporary directory]
    #[arg(long, env = "SKEP_HEARTBEAT", value_name = "FILE")]
    pub heartbeat: Option<PathBuf>,
}

/// `skep status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArguments {
    /// Only these stacks [default: all]
    #[arg(value_name = "STACK")]
    pub stacks: Vec<String>,
    /// Choose how to print it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Output,
}

/// `skep suspend`.
#[derive(Debug, Clone, Args)]
pub struct SuspendArguments {
    /// Which stacks
    #[command(flatten)]
    pub stacks: StacksArguments,
    /// Say why; status shows it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Suspend for so long, as 30m or 2h [default: until `skep resume`]
    #[arg(long = "for", value_name = "DURATION")]
    pub duration: Option<String>,
}

/// `skep sync`.
#[derive(Debug, Clone, Args)]
pub struct SyncArguments {
    /// Which stacks
    #[command(flatten)]
    pub stacks: StacksArguments,
    /// Accept deletions that the guards would refuse, but for what is protected
    #[arg(long)]
    pub allow_delete: bool,
}

/// Stacks by name, or all of them.
#[derive(Debug, Clone, Args)]
pub struct StacksArguments {
    /// The stacks
    #[arg(value_name = "STACK", required_unless_present = "all")]
    pub stacks: Vec<String>,
    /// Mean every stack with a record
    #[arg(long, conflicts_with = "stacks")]
    pub all: bool,
}

/// `skep delete`.
#[derive(Debug, Clone, Args)]
pub struct DeleteArguments {
    /// The stack
    #[arg(value_name = "STACK")]
    pub stack: String,
    /// Delete without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Forget the stack and leave everything running
    #[arg(long)]
    pub keep: bool,
}

/// `skep import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArguments {
    /// The stack; a new one where only --service says what is meant
    #[arg(value_name = "STACK", required_unless_present = "all")]
    pub stack: Option<String>,
    /// Take in this service as it is, repeated or after commas; for one that no stack made
    #[arg(long = "service", value_name = "NAME", value_delimiter = ',', conflicts_with = "all")]
    pub services: Vec<String>,
    /// Write every stack into a directory of its own, and a skep.yaml that declares them
    #[arg(long, requires = "out", conflicts_with = "stack")]
    pub all: bool,
    /// Write files into this directory [default: the stack file to standard output]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// `skep schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArguments {
    /// Which one
    #[arg(value_enum)]
    pub name: crate::cli::schema::Name,
}

/// `skep healthcheck`.
#[derive(Debug, Clone, Args)]
pub struct HealthcheckArguments {
    /// Read this file, which `skep run` touches [default: skep.heartbeat in the system's temporary directory]
    #[arg(long, env = "SKEP_HEARTBEAT", value_name = "FILE")]
    pub heartbeat: Option<PathBuf>,
}
