//! A stack's settings: as written, where everything may be left out, and as they hold, where everything is said.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

/// When a change in git is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyncMode {
    /// By itself.
    #[default]
    Auto,
    /// When somebody says `skep sync`.
    Manual,
}

/// What becomes of a stack that git no longer declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Removed {
    /// It runs on and is shown as orphaned.
    #[default]
    Keep,
    /// What the record says was applied is deleted.
    Delete,
}

/// What becomes of a change that somebody made by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// It is shown; drift alone writes nothing.
    #[default]
    Report,
    /// What was applied is written again, at most three times in ten minutes for the same difference.
    Correct,
    /// It is not even shown.
    Ignore,
}

/// What is filled in where the file does not say how an update rolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ZeroDowntime {
    /// A policy that suits the service, with its next write: new tasks first where two may run side by side, as slowly as its healthcheck
    /// finds a bad one, back when it does. What a stack gets that does not say.
    Auto,
    /// The same, and a plan with a step whose downtime is possible or certain is refused.
    Enforce,
    /// Nothing. What was filled in before goes with the next write.
    #[default]
    Off,
}

/// What becomes of a stack when one of its services does not come up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// What was changed with it goes back to the last good rendering.
    #[default]
    Rollback,
    /// Everything stays as it is.
    Hold,
}

/// When an image's digest is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Resolve {
    /// When the image's text changes.
    #[default]
    Changed,
    /// At each look.
    Always,
    /// Never.
    Never,
}

/// What becomes of a running stack without a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Adopt {
    /// It is adopted by itself when that restarts, stops and deletes nothing; otherwise it waits for `skep sync`.
    #[default]
    Safe,
    /// Its plan is applied at once.
    Apply,
}

/// What an undefined variable without a default is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strictness {
    /// An error.
    #[default]
    Strict,
    /// A warning, and empty text.
    Loose,
}

/// How a stack is kept in step with git, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncSettings {
    /// When a change is applied [default: auto].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<SyncMode>,
    /// Whether what was applied and git no longer names is deleted, last [default: true].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    /// What becomes of the whole stack when git no longer declares it [default: keep].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// What becomes of a change made by hand [default: report].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// The most of a stack's objects, in percent, that may be deleted at once because git no longer names them
    /// [default: 50].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub max_delete: Option<u8>,
}

/// A stack's settings as written: what is left out falls to the fleet's `defaults`, then to skep's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StackSettings {
    /// How it is kept in step with git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncSettings>,
    /// What is filled in where the file does not say how an update rolls, and whether downtime is refused [default: auto].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zero_downtime: Option<ZeroDowntime>,
    /// What becomes of the other services that were changed when one does not come up [default: rollback].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// How many of its services may replace their tasks at the same time [default: 5].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub parallel: Option<u32>,
    /// How long a rollout may go on without progress, as `10m` [default: 10m].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Duration>,
    /// JSON pointers into a service's spec that no difference looks at and no write changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<String>>,
    /// When an image's digest is looked up [default: changed].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve: Option<Resolve>,
    /// What becomes of a running stack without a record [default: safe].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
    /// Whether a secret that runs is taken for what git says where nobody can verify it [default: false].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_secrets: Option<bool>,
    /// What an undefined variable without a default is [default: strict].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variables: Option<Strictness>,
    /// The profiles that are asked for: services with others take no part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Vec<String>>,
    /// The directory, on every node, that stands for the root of the repository where a bind source is relative. Without
    /// one such a source is an error: no node has the repository's files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_root: Option<String>,
}

/// A stack's settings as they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// When a change is applied.
    pub mode: SyncMode,
    /// Whether what git no longer names is deleted.
    pub prune: bool,
    /// What becomes of the stack when git no longer declares it.
    pub removed: Removed,
    /// What becomes of a change made by hand.
    pub drift: Drift,
    /// The most of its objects, in percent, that may be deleted at once.
    pub max_delete: u8,
    /// What is filled in where the file does not say how an update rolls.
    pub zero_downtime: ZeroDowntime,
    /// What becomes of the stack when one of its services does not come up.
    pub on_failure: OnFailure,
    /// How many of its services may replace their tasks at the same time.
    pub parallel: u32,
    /// How long a rollout may go on without progress.
    pub timeout: Duration,
    /// What no difference looks at.
    pub ignore: Vec<String>,
    /// When a digest is looked up.
    pub resolve: Resolve,
    /// What becomes of a running stack without a record.
    pub adopt: Adopt,
    /// Whether a secret that nobody can verify is taken for what git says.
    pub trust_secrets: bool,
    /// What an undefined variable is.
    pub variables: Strictness,
    /// The profiles that are asked for.
    pub profiles: Vec<String>,
    /// Where relative bind sources lie on the nodes.
    pub bind_root: Option<String>,
}

/// The time a rollout may go without progress, where nobody says.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// The most of a stack's objects that may be deleted at once where nobody says, in percent. Half of them are two of a
/// service and its network: less would refuse to rename the one service of a small stack.
pub const DEFAULT_MAX_DELETE: u8 = 50;

/// How many services of a stack replace their tasks at the same time where nobody says. Each brings a start and a stop to
/// some node; more at once make every start slower, healthchecks time out, and what is good is rolled back.
pub const DEFAULT_PARALLEL: u32 = 5;

impl StackSettings {
    /// What holds when this is what a stack says and `defaults` what its fleet says.
    pub fn resolve(&self, defaults: &StackSettings) -> Settings {
        let mine = self.sync.clone().unwrap_or_default();
        let theirs = defaults.sync.clone().unwrap_or_default();
        Settings {
            mode: mine.mode.or(theirs.mode).unwrap_or_default(),
            prune: mine.prune.or(theirs.prune).unwrap_or(true),
            removed: mine.removed.or(theirs.removed).unwrap_or_default(),
            drift: mine.drift.or(theirs.drift).unwrap_or_default(),
            max_delete: mine.max_delete.or(theirs.max_delete).unwrap_or(DEFAULT_MAX_DELETE),
            zero_downtime: self.zero_downtime.or(defaults.zero_downtime).unwrap_or(ZeroDowntime::Auto),
            on_failure: self.on_failure.or(defaults.on_failure).unwrap_or_default(),
            parallel: self.parallel.or(defaults.parallel).unwrap_or(DEFAULT_PARALLEL),
            timeout: self.timeout.or(defaults.timeout).unwrap_or(DEFAULT_TIMEOUT),
            ignore: self.ignore.clone().or_else(|| defaults.ignore.clone()).unwrap_or_default(),
            resolve: self.resolve.or(defaults.resolve).unwrap_or_default(),
            adopt: self.adopt.or(defaults.adopt).unwrap_or_default(),
            trust_secrets: self.trust_secrets.or(defaults.trust_secrets).unwrap_or(false),
            variables: self.variables.or(defaults.variables).unwrap_or_default(),
            profiles: self.profiles.clone().or_else(|| defaults.profiles.clone()).unwrap_or_default(),
            bind_root: self.bind_root.clone().or_else(|| defaults.bind_root.clone()),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        StackSettings::default().resolve(&StackSettings::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_overrides_its_fleet_and_the_fleet_overrides_skep() {
        let fleet = StackSettings {
            sync: Some(SyncSettings { prune: Some(false), removed: Some(Removed::Delete), ..SyncSettings::default() }),
            ..StackSettings::default()
        };
        let stack = StackSettings {
            sync: Some(SyncSettings { prune: Some(true), ..SyncSettings::default() }),
            ..StackSettings::default()
        };
        let settings = stack.resolve(&fleet);
        assert!(settings.prune);
        assert_eq!(settings.removed, Removed::Delete);
        assert_eq!(settings.timeout, DEFAULT_TIMEOUT);
    }
}
