//! The metadata of an encrypted file: who may open it, what is encrypted in it, and its MAC.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::age;
use super::fault::Fault;
use super::key::Keys;

/// How many copies of the data key for one recipient are tried.
const MAX_TRIED: usize = 16;
/// The longest expression, and the most memory that it may take.
const MAX_EXPRESSION: usize = 1000;
const MAX_COMPILED: usize = 256 * 1024;
/// A longer recipient is not one.
const MAX_RECIPIENT: usize = 100;

/// What the encrypted values of a file end in, where nothing else is said.
const DEFAULT_SUFFIX: &str = "_unencrypted";

/// The kinds of recipient that skep cannot be.
const OTHERS: &[(&str, &str)] = &[
    ("pgp", "PGP"),
    ("kms", "AWS KMS"),
    ("gcp_kms", "GCP KMS"),
    ("azure_kv", "Azure Key Vault"),
    ("hc_vault", "HashiCorp Vault"),
    ("hckms", "Huawei Cloud KMS"),
];

/// Who a file is encrypted for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Recipients {
    /// age's, as they are written.
    pub age: Vec<String>,
    /// Other kinds, by name.
    pub others: Vec<&'static str>,
}

/// Which values are encrypted, told by the keys on the way to them.
#[derive(Debug)]
pub(super) enum Rule {
    /// All but those below a key with this end.
    NotSuffix(String),
    /// Those below a key with this end.
    Suffix(String),
    /// All but those below a key that matches.
    NotMatch(Regex),
    /// Those below a key that matches.
    Match(Regex),
    /// Comments decide, which are no part of the tree: what has the form is encrypted.
    Form,
}

impl Rule {
    /// Whether the rule speaks of this key.
    pub fn names(&self, key: &str) -> bool {
        match self {
            Rule::NotSuffix(suffix) | Rule::Suffix(suffix) => key.ends_with(suffix.as_str()),
            Rule::NotMatch(expression) | Rule::Match(expression) => expression.is_match(key),
            Rule::Form => false,
        }
    }

    /// Whether a value is encrypted, given whether the rule speaks of a key on the way to it. `None` where its form tells.
    pub fn encrypts(&self, named: bool) -> Option<bool> {
        match self {
            Rule::NotSuffix(_) | Rule::NotMatch(_) => Some(!named),
            Rule::Suffix(_) | Rule::Match(_) => Some(named),
            Rule::Form => None,
        }
    }
}

/// What is needed of the metadata.
#[derive(Debug)]
pub(super) struct Metadata {
    pub rule: Rule,
    pub mac: String,
    pub mac_only_encrypted: bool,
    pub last_modified: String,
}

/// Whether a mapping under the key `sops` is metadata. One without a MAC is: it must not pass for a file in clear.
pub(super) fn is_metadata(keys: &[&str]) -> bool {
    ["mac", "lastmodified"].iter().any(|known| keys.contains(known))
}

impl Metadata {
    pub fn read(sops: &Map<String, Value>) -> Result<Self, Fault> {
        let text = |key: &str| sops.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mac = text("mac");
        if mac.is_empty() {
            return Err(Fault::format("its SOPS metadata have no `mac`, so nothing in it can be believed"));
        }
        let last_modified = text("lastmodified");
        let is_true = |value: &Value| *value == Value::Bool(true) || value.as_str().is_some_and(|text| text == "true");
        let mac_only_encrypted = sops.get("mac_only_encrypted").is_some_and(is_true);
        Ok(Self { rule: rule(text)?, mac, mac_only_encrypted, last_modified })
    }
}

fn rule(text: impl Fn(&str) -> String) -> Result<Rule, Fault> {
    let mut rules = Vec::new();
    for key in ["unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex"] {
        let value = text(key);
        if value.is_empty() {
            continue;
        }
        rules.push(match key {
            "unencrypted_suffix" => Rule::NotSuffix(value),
            "encrypted_suffix" => Rule::Suffix(value),
            "unencrypted_regex" => Rule::NotMatch(expression(key, &value)?),
            _ => Rule::Match(expression(key, &value)?),
        });
    }
    let by_comment =
        ["unencrypted_comment_regex", "encrypted_comment_regex"].iter().filter(|key| !text(key).is_empty());
    rules.extend(by_comment.map(|_| Rule::Form));
    match rules.len() {
        0 => Ok(Rule::NotSuffix(DEFAULT_SUFFIX.to_owned())),
        1 => rules.pop().ok_or_else(|| Fault::format("its SOPS metadata cannot be read")),
        _ => Err(Fault::format("its SOPS metadata say in several ways which values are encrypted")),
    }
}

fn expression(key: &str, text: &str) -> Result<Regex, Fault> {
    let compiled = RegexBuilder::new(text).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).nest_limit(50).build();
    match compiled {
        Ok(expression) if text.len() <= MAX_EXPRESSION => Ok(expression),
        _ => Err(Fault::format(format!("`{key}` in its SOPS metadata is no expression, or too large a one"))),
    }
}

/// The data key, by the first key that opens it.
pub(super) fn data_key(sops: &Map<String, Value>, keys: &Keys) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let is_said = |key: &str| sops.get(key).is_some_and(|value| !matches!(value, Value::Null));
    if is_said("key_groups") {
        return Err(Fault::format("it needs keys of several groups (`key_groups`), which skep does not support"));
    }
    let mut recipients = Recipients::default();
    let is_list = |key: &str| sops.get(key).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    recipients.others = OTHERS.iter().filter(|(key, _)| is_list(key)).map(|(_, name)| *name).collect();
    let mut tried = 0;
    for entry in sops.get("age").and_then(Value::as_array).into_iter().flatten() {
        let field = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let recipient = field("recipient");
        if recipient.len() > MAX_RECIPIENT {
            continue;
        }
        if let Some(identity) = keys.find(recipient) {
            if let Some(key) = age::data_key(field("enc"), identity) {
                return Ok(key);
            }
            tried += 1;
            if tried == MAX_TRIED {
                break;
            }
        }
        recipients.age.push(recipient.chars().filter(|c| c.is_ascii_graphic()).collect());
    }
    if tried > 0 {
        return Err(Fault::format("its data key for a key that was given is damaged"));
    }
    // Who has no key for age cannot be helped by one.
    Err(if keys.is_empty() && !recipients.age.is_empty() { Fault::NoKey } else { Fault::Key(recipients) })
}
