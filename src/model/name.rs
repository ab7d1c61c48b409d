//! Names, checked once where they enter.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name the engine accepts for a service or a network.
pub const MAX_SERVICE_NAME: usize = 63;
/// The longest name the engine accepts for a config or a secret.
pub const MAX_CONFIG_NAME: usize = 64;

/// Why a text is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing in it.
    #[error("a name may not be empty")]
    Empty,
    /// Longer than the engine accepts.
    #[error("`{name}` has {length} characters, the engine accepts at most {limit}")]
    TooLong {
        /// The name as given.
        name: String,
        /// Its length in characters.
        length: usize,
        /// The most the engine accepts.
        limit: usize,
    },
    /// A character or form the engine refuses.
    #[error("`{name}` may hold only letters, digits, `-` and `_`, and begins and ends with a letter or digit")]
    Form {
        /// The name as given.
        name: String,
    },
}

/// The name of a stack: the value of the label `com.docker.stack.namespace`, and the prefix of every object's name.
///
/// It keeps the engine's rule for service and network names, since every one of those begins with it: letters, digits,
/// `-` and `_`, a letter or digit at both ends.
///
/// ```
/// use skep::model::StackName;
/// assert!(StackName::parse("shop").is_ok());
/// assert!(StackName::parse("my shop").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StackName(String);

impl StackName {
    /// Checks `text` against the engine's rule.
    ///
    /// # Errors
    /// [`NameError`] says which part of the rule it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check_service_name(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full name of an object of this stack: `<stack>_<name>`.
    pub fn scope(&self, name: &str) -> String {
        format!("{}_{name}", self.0)
    }

    /// The name of an object without the stack's prefix, or the whole of it where it has none.
    pub fn descope<'a>(&self, full: &'a str) -> &'a str {
        full.strip_prefix(&self.0).and_then(|rest| rest.strip_prefix('_')).unwrap_or(full)
    }
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for StackName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<StackName> for String {
    fn from(name: StackName) -> String {
        name.0
    }
}

/// Checks the name of a service or network against the engine's rule: at most 63 characters of
/// `[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*`.
///
/// # Errors
/// [`NameError`] says which part of the rule it breaks.
pub fn check_service_name(name: &str) -> Result<(), NameError> {
    check(name, MAX_SERVICE_NAME, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Checks the name of a config or secret: at most 64 characters of `[a-zA-Z0-9-_.]`, a letter or digit at both ends.
///
/// # Errors
/// [`NameError`] says which part of the rule it breaks.
pub fn check_config_name(name: &str) -> Result<(), NameError> {
    check(name, MAX_CONFIG_NAME, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn check(name: &str, limit: usize, allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if !name.chars().all(allowed) || !ends(name.chars().next()) || !ends(name.chars().next_back()) {
        return Err(NameError::Form { name: name.to_owned() });
    }
    match name.chars().count() {
        length if length > limit => Err(NameError::TooLong { name: name.to_owned(), length, limit }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_name_keeps_the_engines_rule() {
        for good in ["a", "shop", "my-shop_2", "A1", "a--b"] {
            assert!(StackName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a.b", "a b", "ä", "_x"] {
            assert!(StackName::parse(bad).is_err(), "{bad}");
        }
        assert!(matches!(StackName::parse(&"x".repeat(64)), Err(NameError::TooLong { .. })));
    }

    #[test]
    fn scope_and_descope_are_inverse() {
        let stack = StackName::parse("a").expect("valid");
        assert_eq!(stack.scope("b_c"), "a_b_c");
        assert_eq!(stack.descope("a_b_c"), "b_c");
        assert_eq!(stack.descope("other"), "other");
        assert_eq!(stack.descope("ab_c"), "ab_c", "a longer first part is not this stack's prefix");
    }
}
