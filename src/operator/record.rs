//! What skep remembers of a stack, in the swarm itself: one config object a stack, its document in a label, updated under
//! the engine's version check. Nothing here does I/O; [`super::records`] reads and writes it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::attempt::{Attempt, Failed, HookRun};
use crate::health::Health;
use crate::model::{Digest, Kind, Revision, StackName, label};
use crate::plan::Sync;
use crate::swarm::{Config, ConfigSpec, Labels};

/// The format of what this version writes. A record with a higher number is read and never written.
pub const FORMAT: u32 = 1;

/// The most a record's document may take, in bytes. Raft takes 1.5 MiB an object; an update of this size takes 4 to 14 ms.
pub const MAX_DOCUMENT: usize = 64 * 1024;

/// How many entries of history are kept.
pub const MAX_HISTORY: usize = 20;

/// The result of what is under way, in the history.
pub const APPLYING: &str = "applying";

/// One stack's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The format number it was written with.
    pub format: u32,
    /// The stack.
    pub stack: StackName,
    /// The source that declares it, credentials hidden. A second source that declares the same stack is refused.
    pub source: String,
    /// What was last tried: written before the first write of an attempt, so a crash leaves it behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// What was last applied as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// What was last applied and came up: where a failure leads back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Applied>,
    /// What failed and is not tried again until git says something else of this stack, or a person says `retry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// The brake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Suspended>,
    /// A person's word to go on with what waits for one, for the desired digest it was said of or for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Timestamp>,
    /// Whether that word holds for deletions that a guard would refuse, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deletions_approved: bool,
    /// Whether that word is to follow tags that have moved, this once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resolve_now: bool,
    /// What registries last said of images whose word counts: text and digest. It is part of what is wanted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// Every object that skep has applied, or was about to apply, for this stack: kind to full names. Pruning takes
    /// nothing else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inventory: BTreeMap<Kind, Vec<String>>,
    /// How it stands, as the controller last saw it.
    pub status: Status,
    /// What was done, the newest first, [`MAX_HISTORY`] at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Past>,
}

/// What was applied as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The revision.
    pub revision: Revision,
    /// What was wanted.
    pub digest: Digest,
    /// When.
    pub at: Timestamp,
    /// The name of the config that holds its rendering.
    pub rendering: String,
}

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The revision that failed.
    pub revision: Revision,
    /// What was wanted: as long as git wants this of the stack, nothing is tried.
    pub digest: Digest,
    /// Since when.
    pub since: Timestamp,
    /// Why, in a sentence.
    pub cause: String,
    /// The last lines of the task that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<String>,
    /// What of the attempt was left as it was, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// A suspension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspended {
    /// Who, as `user@host`.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, if it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// How a stack stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Whether the swarm is as git says.
    pub sync: Sync,
    /// Whether what runs, runs well.
    pub health: Health,
    /// The revision that this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Why, where there is something to say: a word such as `adoption`, `drift` or `orphaned`, then the details.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Past {
    /// The revision.
    pub revision: Revision,
    /// When it ended.
    pub at: Timestamp,
    /// `applied`, `adopted`, `corrected`, `failed`, `rolled back`.
    pub result: String,
    /// Steps written.
    pub steps: u32,
}

/// Why a config object is not a record this version can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A newer skep wrote it.
    #[error(
        "the record of this stack has format {found}, this skep knows {FORMAT}: it reads and does not write; upgrade it"
    )]
    Newer {
        /// Its format number.
        found: u32,
    },
    /// The document does not parse.
    #[error("the record in config `{name}` does not parse: {why}")]
    Broken {
        /// The config's name.
        name: String,
        /// What the parser says.
        why: String,
    },
    /// It grew beyond [`MAX_DOCUMENT`].
    #[error("the record of stack `{stack}` would take {size} bytes, more than the {MAX_DOCUMENT} it may")]
    TooLarge {
        /// The stack.
        stack: StackName,
        /// Its size in bytes.
        size: usize,
    },
}

impl Record {
    /// A new record: nothing applied yet.
    pub fn new(stack: StackName, source: String) -> Self {
        Self {
            format: FORMAT,
            stack,
            source,
            attempt: None,
            applied: None,
            good: None,
            held: None,
            suspended: None,
            approved: None,
            deletions_approved: false,
            resolve_now: false,
            images: BTreeMap::new(),
            inventory: BTreeMap::new(),
            status: Status { sync: Sync::Unknown, health: Health::Unknown, revision: None, reason: String::new() },
            history: Vec::new(),
        }
    }

    /// The name of the config that holds the record of a stack: the same for every skep, so that two cannot make two.
    pub fn object_name(stack: &StackName) -> String {
        let hash = Digest::of(format!("record {stack}"));
        format!("skep.{}.{}", shortened(stack), hash.prefix(12))
    }

    /// Whether the suspension holds at `now`.
    pub fn is_suspended(&self, now: Timestamp) -> bool {
        self.suspended.as_ref().is_some_and(|s| s.until.is_none_or(|until| now < until))
    }

    /// Whether nothing was ever applied, nor begun.
    pub fn is_empty(&self) -> bool {
        self.applied.is_none() && self.attempt.is_none() && self.inventory.is_empty()
    }

    /// Begins an attempt. What an earlier one at the same wrote, it wrote; what the engine would go back to stays known.
    pub fn begin(&mut self, mut attempt: Attempt) {
        attempt.previous = match self.attempt.take() {
            // The rest of one that is open: what is applied may be half of it.
            Some(earlier) if earlier.digest == attempt.digest => {
                attempt.go_on_from(earlier);
                self.attempt = Some(attempt);
                return;
            }
            earlier => self.applied.clone().or(earlier.and_then(|earlier| earlier.previous)),
        };
        self.attempt = Some(attempt);
    }

    /// What is applied has come up: it is what runs well, and nothing is held or waited for any more. Gives the attempt that led
    /// there, if one did.
    pub fn came_up(&mut self, now: Timestamp) -> Option<Attempt> {
        self.held = None;
        self.good.clone_from(&self.applied);
        self.forget_words();
        let attempt = self.attempt.take()?;
        self.ended(if attempt.correction { "corrected" } else { "applied" }, now);
        Some(attempt)
    }

    /// What failed is held: no attempt is under way any more, and what was applied before it is what is applied, as far as nobody
    /// knows better. `result` is what the history says of it.
    pub fn hold(&mut self, held: Held, result: &str) {
        if let Some(attempt) = self.attempt.take() {
            self.applied = attempt.previous;
        }
        self.forget_words();
        self.ended(result, held.since);
        self.held = Some(held);
    }

    /// A person's word is for one attempt.
    fn forget_words(&mut self) {
        self.approved = None;
        self.deletions_approved = false;
        self.resolve_now = false;
    }

    /// What was under way has come to its end.
    fn ended(&mut self, result: &str, now: Timestamp) {
        if let Some(past) = self.history.first_mut().filter(|past| past.result == APPLYING) {
            past.result = result.to_owned();
            past.at = now;
        }
    }

    /// Whether what is applied is what last ran well.
    pub fn is_at_its_best(&self) -> bool {
        self.good == self.applied
    }

    /// The renderings that it names: of what is applied, of what it superseded, and of what last ran well.
    pub fn renderings(&self) -> Vec<&str> {
        let previous = self.attempt.as_ref().and_then(|attempt| attempt.previous.as_ref());
        self.applied.iter().chain(previous).chain(&self.good).map(|applied| applied.rendering.as_str()).collect()
    }

    /// Adds to the history, and forgets what is too old. An attempt that came to no end is no history.
    pub fn remember(&mut self, past: Past) {
        self.history.retain(|past| past.result != APPLYING);
        self.history.insert(0, past);
        self.history.truncate(MAX_HISTORY);
    }

    /// The labels under which it is kept.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`] where the document would not fit.
    pub fn to_labels(&self) -> Result<Labels, RecordError> {
        let document = serde_json::to_string(self)
            .map_err(|e| RecordError::Broken { name: Self::object_name(&self.stack), why: e.to_string() })?;
        if document.len() > MAX_DOCUMENT {
            return Err(RecordError::TooLarge { stack: self.stack.clone(), size: document.len() });
        }
        Ok(Labels::from([
            (label::KIND.to_owned(), label::KIND_RECORD.to_owned()),
            (label::FORMAT.to_owned(), FORMAT.to_string()),
            (label::STACK.to_owned(), self.stack.to_string()),
            (label::STATE.to_owned(), document),
        ]))
    }

    /// The body of the record's creation.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`] where the document would not fit.
    pub fn to_spec(&self) -> Result<ConfigSpec, RecordError> {
        use base64::Engine as _;
        Ok(ConfigSpec {
            name: Self::object_name(&self.stack),
            labels: self.to_labels()?,
            // The engine refuses an empty config; what is remembered is in the labels, which alone can change.
            data: base64::engine::general_purpose::STANDARD
                .encode("the record of a stack, kept in this config's labels\n"),
            ..ConfigSpec::default()
        })
    }

    /// Reads a record from a config object. `None` if the object is not one.
    ///
    /// # Errors
    /// [`RecordError`] where it is one that this version cannot work with.
    pub fn from_config(config: &Config) -> Option<Result<Self, RecordError>> {
        let labels = &config.spec.labels;
        if labels.get(label::KIND).map(String::as_str) != Some(label::KIND_RECORD) {
            return None;
        }
        let broken = |why: String| RecordError::Broken { name: config.spec.name.clone(), why };
        let found = labels.get(label::FORMAT).and_then(|text| text.parse().ok()).unwrap_or(0);
        if found > FORMAT {
            return Some(Err(RecordError::Newer { found }));
        }
        let Some(document) = labels.get(label::STATE) else {
            return Some(Err(broken(format!("it has no label `{}`", label::STATE))));
        };
        Some(serde_json::from_str(document).map_err(|e| broken(e.to_string())))
    }
}

/// A stack's name as far as it fits into the name of a state object.
pub fn shortened(stack: &StackName) -> &str {
    // 64 characters less `skep.`, a dot and 12 digits; a name may not end before the dot with `-` or `_`, but dots may
    // stand beside them.
    stack.as_str().get(..40).unwrap_or(stack.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(name: &str) -> StackName {
        StackName::parse(name).expect("a valid name")
    }

    #[test]
    fn a_record_survives_its_labels() {
        let mut record = Record::new(stack("shop"), "https://git.example.org/fleet.git".to_owned());
        record.inventory.insert(Kind::Service, vec!["shop_web".to_owned()]);
        let config = Config { spec: record.to_spec().expect("fits"), ..Config::default() };
        assert_eq!(Record::from_config(&config), Some(Ok(record)));
    }

    #[test]
    fn a_newer_format_is_refused_and_another_config_is_none() {
        let mut spec = Record::new(stack("shop"), String::new()).to_spec().expect("fits");
        spec.labels.insert(label::FORMAT.to_owned(), "2".to_owned());
        let config = Config { spec, ..Config::default() };
        assert_eq!(Record::from_config(&config), Some(Err(RecordError::Newer { found: 2 })));
        assert_eq!(Record::from_config(&Config::default()), None);
    }

    #[test]
    fn history_and_document_stay_bounded() {
        let mut record = Record::new(stack("shop"), String::new());
        for n in 0..50 {
            record.remember(Past {
                revision: Revision::new(format!("{n}")),
                at: Timestamp::UNIX_EPOCH,
                result: "applied".to_owned(),
                steps: 1,
            });
        }
        assert_eq!(record.history.len(), MAX_HISTORY);
        assert_eq!(record.history.first().map(|p| p.revision.as_str()), Some("49"));
        record.inventory.insert(Kind::Service, vec!["x".repeat(MAX_DOCUMENT)]);
        assert!(matches!(record.to_labels(), Err(RecordError::TooLarge { .. })));
    }

    #[test]
    fn an_attempt_knows_what_the_engine_would_go_back_to() {
        let applied = |digest: &str| Applied {
            revision: Revision::new(digest),
            digest: Digest::of(digest),
            at: Timestamp::UNIX_EPOCH,
            rendering: format!("skep.shop.{digest}"),
        };
        let attempt = |digest: &str, service: &str| Attempt {
            term: 1,
            revision: Revision::new(digest),
            digest: Digest::of(digest),
            at: Timestamp::UNIX_EPOCH,
            written: false,
            correction: false,
            services: vec![service.to_owned()],
            stale: BTreeMap::new(),
            hooks: BTreeMap::new(),
            previous: None,
            failed: None,
        };
        let mut record = Record { applied: Some(applied("one")), ..Record::new(stack("shop"), String::new()) };
        record.begin(attempt("two", "shop_web"));
        record.applied = Some(applied("two"));
        // The same again, after a crash: the rest of it.
        record.begin(attempt("two", "shop_db"));
        let open = record.attempt.clone().expect("an attempt");
        assert_eq!(open.services, ["shop_db", "shop_web"]);
        assert_eq!(open.previous, Some(applied("one")));
        assert_eq!(record.renderings(), ["skep.shop.two", "skep.shop.one"]);
        // Superseded by another: the engine would go back to what it supersedes.
        record.begin(attempt("three", "shop_web"));
        let open = record.attempt.expect("an attempt");
        assert_eq!((open.services, open.previous), (vec!["shop_web".to_owned()], Some(applied("two"))));
    }

    #[test]
    fn a_correction_that_fails_leaves_what_was_applied_before() {
        let applied = Applied {
            revision: Revision::new("one"),
            digest: Digest::of("one"),
            at: Timestamp::UNIX_EPOCH,
            rendering: "skep.shop.one".to_owned(),
        };
        let mut record = Record { applied: Some(applied.clone()), ..Record::new(stack("shop"), String::new()) };
        record.begin(Attempt {
            term: 1,
            revision: applied.revision.clone(),
            digest: applied.digest.clone(),
            at: Timestamp::UNIX_EPOCH,
            written: false,
            correction: true,
            services: vec!["shop_web".to_owned()],
            stale: BTreeMap::new(),
            hooks: BTreeMap::new(),
            previous: None,
            failed: None,
        });
        assert_eq!(record.attempt.and_then(|attempt| attempt.previous), Some(applied));
    }

    #[test]
    fn an_attempt_that_came_to_no_end_is_no_history() {
        let mut record = Record::new(stack("shop"), String::new());
        for result in ["applied", APPLYING, APPLYING] {
            let (revision, at) = (Revision::new("1"), Timestamp::UNIX_EPOCH);
            record.remember(Past { revision, at, result: result.to_owned(), steps: 1 });
        }
        let results: Vec<_> = record.history.iter().map(|past| past.result.as_str()).collect();
        assert_eq!(results, [APPLYING, "applied"]);
    }

    #[test]
    fn object_names_are_valid_and_differ() {
        let long = stack(&"x".repeat(63));
        for name in [Record::object_name(&long), Record::object_name(&stack("a"))] {
            crate::model::name::check_config_name(&name).expect("the engine accepts it");
        }
        assert_ne!(Record::object_name(&stack("a")), Record::object_name(&stack("b")));
    }
}
