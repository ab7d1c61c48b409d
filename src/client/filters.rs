//! The `filters` of a list, as the engine takes them: `{"label":["a=b"]}`, percent-encoded.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::StackName;
use crate::model::label;

/// What a list is narrowed to. Several values of one filter are alternatives for the engine, except labels, which must all
/// be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<&'static str, BTreeSet<String>>);

impl Filters {
    /// Everything.
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, filter: &'static str, value: impl Into<String>) -> Self {
        self.0.entry(filter).or_default().insert(value.into());
        self
    }

    /// Objects of a stack.
    #[must_use]
    pub fn stack(self, stack: &StackName) -> Self {
        self.label(label::NAMESPACE, stack.as_str())
    }

    /// Objects that have this label with this value.
    #[must_use]
    pub fn label(self, key: &str, value: &str) -> Self {
        self.with("label", format!("{key}={value}"))
    }

    /// Objects that have this label, whatever its value.
    #[must_use]
    pub fn has_label(self, key: &str) -> Self {
        self.with("label", key)
    }

    /// Objects whose name begins so: the engine matches prefixes.
    #[must_use]
    pub fn name_prefix(self, prefix: &str) -> Self {
        self.with("name", prefix)
    }

    /// Tasks of a service, by its id.
    #[must_use]
    pub fn service(self, id: &str) -> Self {
        self.with("service", id)
    }

    /// Tasks on a node, by its id.
    #[must_use]
    pub fn node(self, id: &str) -> Self {
        self.with("node", id)
    }

    /// Tasks that should be `running`, `shutdown` or `accepted`.
    #[must_use]
    pub fn desired_state(self, state: &str) -> Self {
        self.with("desired-state", state)
    }

    /// Tasks that are what their service's spec says now. The engine's own test: nothing in a task's JSON tells it.
    #[must_use]
    pub fn up_to_date(self) -> Self {
        self.with("_up-to-date", "true")
    }

    /// Both at once.
    #[must_use]
    pub(super) fn and(mut self, other: &Filters) -> Self {
        for (filter, values) in &other.0 {
            self.0.entry(filter).or_default().extend(values.iter().cloned());
        }
        self
    }

    /// As a pair of a query, `filters=…`; `None` for everything.
    pub(super) fn query(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let json = serde_json::json!(self.0).to_string();
        Some(url::form_urlencoded::Serializer::new(String::new()).append_pair("filters", &json).finish())
    }

    #[cfg(test)]
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_lists_of_text_by_name() {
        let shop = StackName::parse("shop").expect("valid");
        let both = Filters::new().service("abc").up_to_date().and(&Filters::new().stack(&shop).has_label("x"));
        assert_eq!(
            both.json(),
            serde_json::json!({
                "service": ["abc"], "_up-to-date": ["true"], "label": ["com.docker.stack.namespace=shop", "x"]
            })
        );
        assert_eq!(Filters::new().query(), None);
        assert_eq!(
            Filters::new().label("a", "b&c").query().as_deref(),
            Some("filters=%7B%22label%22%3A%5B%22a%3Db%26c%22%5D%7D")
        );
    }
}
