//! The variables that interpolate.

use std::collections::{BTreeMap, BTreeSet};

/// Variables by name. A value that came out of an encrypted file is marked: it stays secret wherever it is put.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, String>,
    secret: BTreeSet<String>,
}

/// A variable's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The value.
    pub value: &'a str,
    /// Whether it must not be shown.
    pub secret: bool,
}

impl Variables {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a variable.
    pub fn find(&self, name: &str) -> Option<Found<'_>> {
        let value = self.values.get(name)?;
        Some(Found { value, secret: self.secret.contains(name) })
    }

    /// Sets a variable.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>, secret: bool) {
        let name = name.into();
        if secret {
            self.secret.insert(name.clone());
        } else {
            self.secret.remove(&name);
        }
        self.values.insert(name, value.into());
    }

    /// Takes over every variable of another; what both have is the other's.
    pub fn extend(&mut self, other: &Variables) {
        for (name, value) in &other.values {
            self.insert(name.as_str(), value.as_str(), other.secret.contains(name));
        }
    }

    /// Takes over the variables of another that this one does not have.
    pub fn fill(&mut self, other: &Variables) {
        for (name, value) in &other.values {
            if !self.values.contains_key(name) {
                self.insert(name.as_str(), value.as_str(), other.secret.contains(name));
            }
        }
    }

    /// The values that must not be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secret.iter().filter_map(|name| self.values.get(name).map(String::as_str))
    }

    /// The same variables, all of them secret: they came out of an encrypted file.
    #[must_use]
    pub fn into_secret(mut self) -> Self {
        self.secret = self.values.keys().cloned().collect();
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl From<BTreeMap<String, String>> for Variables {
    fn from(values: BTreeMap<String, String>) -> Self {
        Self { values, secret: BTreeSet::new() }
    }
}

/// Names alone: a value may be a secret by what it is, not by what it is marked as.
impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
