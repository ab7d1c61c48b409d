//! Values that are not shown: what came out of encrypted files, and what looks like a secret although it stands in a plain
//! variable. Both are shown only as changed or not.

mod lines;

use serde_json::{Map, Value};

use super::seal;
use crate::model::Confidential;
use crate::model::confidential::HIDDEN;

/// Words that give away what a variable holds.
const WORDS: &str = "PASS|SECRET|TOKEN|KEY|CREDENTIAL";
/// Maps whose keys are the users' own. Elsewhere a field's name says nothing: `SecretName` is not a secret.
const USERS_MAPS: [&str; 4] = ["Labels", "Options", "DriverOpts", "Sysctls"];

/// Which values a plan hides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    words: Vec<String>,
    /// Texts out of encrypted files.
    confidential: Confidential,
    /// Whether a person asked to see them.
    revealing: bool,
}

impl Default for Mask {
    fn default() -> Self {
        Self::parse(WORDS)
    }
}

impl Mask {
    /// Hides what is named with one of these words, separated by `|`, in upper or lower case.
    pub fn parse(words: &str) -> Self {
        let words = words.split('|').filter(|word| !word.is_empty()).map(str::to_ascii_uppercase).collect();
        Self { words, confidential: Confidential::new(), revealing: false }
    }

    /// Hides nothing, for a person who asks for it.
    pub fn none() -> Self {
        Self { words: Vec::new(), confidential: Confidential::new(), revealing: true }
    }

    /// Hides these texts besides, unless it hides nothing.
    #[must_use]
    pub fn with(&self, confidential: &Confidential) -> Self {
        let confidential = if self.revealing { Confidential::new() } else { confidential.clone() };
        Self { words: self.words.clone(), confidential, revealing: self.revealing }
    }

    /// Hides these texts, whatever else it does.
    #[must_use]
    pub fn hiding(&self, confidential: &Confidential) -> Self {
        Self { words: self.words.clone(), confidential: confidential.clone(), revealing: false }
    }

    /// Whether a value holds a text out of an encrypted file, or what the record keeps in its place.
    pub(super) fn conceals(&self, value: &Value) -> bool {
        let mut found = false;
        seal::texts(value, &mut |text| found |= seal::is_sealed(text) || seal::is_secret(&self.confidential, text));
        found
    }

    /// What is shown of a value where that, or the one it is compared with, is concealed.
    pub(super) fn concealed(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let (name, _) = seal::split(text);
                let shown = if seal::is_secret(&self.confidential, name.trim_end_matches('=')) { "" } else { name };
                format!("{shown}{HIDDEN}").into()
            }
            _ => HIDDEN.into(),
        }
    }

    /// A sentence as it may be shown.
    pub(super) fn sentence(&self, text: &str) -> String {
        self.confidential.hide_inside(text).into_owned()
    }

    /// A whole document as it may be shown: whatever text is secret is hidden, names of variables are not.
    pub fn document(&self, value: &mut Value) {
        match value {
            Value::String(text) if seal::is_secret(&self.confidential, text) => *value = self.concealed(value),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::Array(items) => items.iter_mut().for_each(|item| self.document(item)),
            Value::Object(map) => map.values_mut().for_each(|value| self.document(value)),
        }
    }

    /// A value as it may be shown, given the path it stands at.
    pub(super) fn apply(&self, path: &str, value: &Value) -> Value {
        let mut segments = path.rsplit('/');
        let (key, parent) = (segments.next().unwrap_or(""), segments.next().unwrap_or(""));
        if USERS_MAPS.contains(&parent) && self.hides(key) { HIDDEN.into() } else { self.value(key, value) }
    }

    fn value(&self, key: &str, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => self.items(items),
            Value::Object(map) => Value::Object(self.map(USERS_MAPS.contains(&key), map)),
            other => other.clone(),
        }
    }

    fn map(&self, is_users: bool, map: &Map<String, Value>) -> Map<String, Value> {
        let shown = |key: &str, value: &Value| {
            if is_users && self.hides(key) { HIDDEN.into() } else { self.value(key, value) }
        };
        map.iter().map(|(key, value)| (key.clone(), shown(key, value))).collect()
    }

    /// In a command, the value may follow its option.
    fn items(&self, items: &[Value]) -> Value {
        let mut option_before = false;
        let shown = items.iter().map(|item| {
            let is_value = option_before;
            let text = item.as_str().unwrap_or("");
            option_before = text.starts_with('-') && !text.contains('=') && self.hides(text);
            if is_value { HIDDEN.into() } else { self.value("", item) }
        });
        Value::Array(shown.collect())
    }

    /// Everything behind the first `NAME=` that gives itself away: where such a value ends, nobody can tell.
    fn text(&self, text: &str) -> String {
        for (at, _) in text.match_indices('=') {
            let (before, after) = text.split_at(at);
            let is_comparison = after.starts_with("==") || before.ends_with(['=', '!']);
            let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.')).next();
            if !is_comparison && name.is_some_and(|name| self.hides(name)) {
                return format!("{}={HIDDEN}", self.address(before));
            }
        }
        self.address(text)
    }

    /// A password in a URL is one under any name.
    fn address(&self, text: &str) -> String {
        if self.revealing || !text.contains("://") { text.to_owned() } else { lines::without_password(text) }
    }

    /// Whether what a variable of this name holds is hidden.
    pub fn hides(&self, name: &str) -> bool {
        let name = name.to_ascii_uppercase();
        self.words.iter().any(|word| name.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_looks_like_a_secret_is_hidden() {
        let mask = Mask::default();
        for (path, given, expected) in [
            ("/TaskTemplate/ContainerSpec/Env/0", json!("DB_PASSWORD=hunter2 and more"), json!("DB_PASSWORD=***")),
            ("/TaskTemplate/ContainerSpec/Env/0", json!("api_token=x=y"), json!("api_token=***")),
            ("/TaskTemplate/ContainerSpec/Env/0", json!("LEVEL=debug"), json!("LEVEL=debug")),
            ("/TaskTemplate/ContainerSpec/Env/0", json!("OPTS=-Dkey=abc"), json!("OPTS=-Dkey=***")),
            (
                "/TaskTemplate/ContainerSpec/Env/0",
                json!("URL=http://h/?a=1&token=abc"),
                json!("URL=http://h/?a=1&token=***"),
            ),
            (
                "/TaskTemplate/ContainerSpec/Env/0",
                json!("DATABASE_URL=postgres://app:hunter2@db/app?a=b"),
                json!("DATABASE_URL=postgres://app:***@db/app?a=b"),
            ),
            ("/TaskTemplate/ContainerSpec/Env/0", json!("URL=http://h/a:b@c"), json!("URL=http://h/a:b@c")),
            ("/TaskTemplate/ContainerSpec/Secrets/0/SecretName", json!("shop_password"), json!("shop_password")),
            ("/Labels/traefik.basicauth.secret", json!("x"), json!("***")),
            ("/Labels/plain", json!("x"), json!("x")),
            ("/TaskTemplate/LogDriver/Options/splunk-token", json!("x"), json!("***")),
            (
                "/TaskTemplate/LogDriver",
                json!({"Options": {"splunk-token": "x", "a": "b"}}),
                json!({"Options": {"splunk-token": "***", "a": "b"}}),
            ),
            (
                "/TaskTemplate/ContainerSpec/Mounts/0",
                json!({"VolumeOptions": {"DriverConfig": {"Options": {"o": "addr=h,password=x"}}}}),
                json!({"VolumeOptions": {"DriverConfig": {"Options": {"o": "addr=h,password=***"}}}}),
            ),
            (
                "/TaskTemplate/ContainerSpec/Args",
                json!(["--user", "a", "--password", "b", "c"]),
                json!(["--user", "a", "--password", "***", "c"]),
            ),
            ("/TaskTemplate/ContainerSpec/Args", json!(["--key=b", "c"]), json!(["--key=***", "c"])),
            ("/TaskTemplate/Placement/Constraints/0", json!("node.labels.token==a"), json!("node.labels.token==a")),
            ("/TaskTemplate/Placement/Constraints/0", json!("node.labels.token!=a"), json!("node.labels.token!=a")),
            ("/Mode/Replicated/Replicas", json!(3), json!(3)),
        ] {
            assert_eq!(mask.apply(path, &given), expected, "{path}");
        }
    }

    #[test]
    fn the_words_are_the_users() {
        let mask = Mask::parse("pin");
        assert_eq!(mask.apply("/Env/0", &json!("PIN=1")), json!("PIN=***"));
        assert_eq!(mask.apply("/Env/0", &json!("PASSWORD=1")), json!("PASSWORD=1"));
        assert_eq!(Mask::none().apply("/Env/0", &json!("PASSWORD=1")), json!("PASSWORD=1"));
    }
}
