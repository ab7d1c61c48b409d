//! Lists in which one object that does not parse does not spoil the others.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::swarm::{Labels, Resource};

/// A list as the engine gave it, whole.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// What could be read.
    pub items: Vec<T>,
    /// What is there and could not be read. Whoever decides by absence looks here first.
    pub unreadable: Vec<Unreadable>,
}

/// An object that is there and could not be read: one of a newer engine, as a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id; empty where not even that could be read.
    pub id: String,
    /// Its name, where it could be read.
    pub name: String,
    /// Its labels, where they could be read.
    pub labels: Labels,
    /// What the parser says.
    pub error: String,
}

/// What reading one object gave.
#[derive(Debug, Clone)]
pub enum Found<T> {
    /// It is there.
    Object(T),
    /// It is there and could not be read.
    Unreadable(Unreadable),
    /// It is not there.
    Absent,
}

/// Objects by the text they were read from, so that a list that is fetched again shares what did not change: nothing is
/// decoded twice or held twice, and a pointer that is the same means an object that is the same.
#[derive(Debug)]
pub struct Known<K>(HashMap<[u8; 32], Arc<K>>);

impl<K> Default for Known<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Resource> Known<K> {
    /// Decodes a whole list, and forgets what is no longer in it.
    pub(super) fn list(&mut self, body: &[u8]) -> Result<Listed<Arc<K>>, serde_json::Error> {
        let mut next = HashMap::new();
        let listed = split(body, |text| {
            let digest: [u8; 32] = Sha256::digest(text).into();
            let object = match self.0.get(&digest) {
                Some(known) => known.clone(),
                None => Arc::new(serde_json::from_str::<K>(text)?),
            };
            next.insert(digest, object.clone());
            Ok(object)
        })?;
        self.0 = next;
        Ok(listed)
    }

    /// Decodes one object. What it was before stays until the next list.
    pub(super) fn one(&mut self, body: &[u8]) -> Result<Found<Arc<K>>, serde_json::Error> {
        let text = serde_json::from_slice::<&RawValue>(body)?.get();
        let digest: [u8; 32] = Sha256::digest(text).into();
        if let Some(known) = self.0.get(&digest) {
            return Ok(Found::Object(known.clone()));
        }
        Ok(match serde_json::from_str::<K>(text) {
            Ok(object) => {
                let object = Arc::new(object);
                self.0.insert(digest, object.clone());
                Found::Object(object)
            }
            Err(error) => Found::Unreadable(unreadable(text, &error)),
        })
    }
}

/// Decodes a whole list.
pub(super) fn decode<K: Resource>(body: &[u8]) -> Result<Listed<K>, serde_json::Error> {
    split(body, |text| serde_json::from_str(text))
}

fn split<T>(
    body: &[u8],
    mut decode: impl FnMut(&str) -> Result<T, serde_json::Error>,
) -> Result<Listed<T>, serde_json::Error> {
    // Go writes an empty list as `null` at times.
    let texts = serde_json::from_slice::<Option<Vec<&RawValue>>>(body)?.unwrap_or_default();
    let mut listed = Listed { items: Vec::with_capacity(texts.len()), unreadable: Vec::new() };
    for text in texts {
        match decode(text.get()) {
            Ok(item) => listed.items.push(item),
            Err(error) => listed.unreadable.push(unreadable(text.get(), &error)),
        }
    }
    Ok(listed)
}

/// Reads as much of an object as can be read.
fn unreadable(text: &str, error: &serde_json::Error) -> Unreadable {
    let object: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let at = |pointers: &[&str]| {
        let found = pointers.iter().filter_map(|pointer| object.pointer(pointer)?.as_str());
        found.map(str::to_owned).next().unwrap_or_default()
    };
    let labels =
        ["/Spec/Labels", "/Labels"].iter().filter_map(|pointer| Labels::deserialize(object.pointer(pointer)?).ok());
    Unreadable {
        id: at(&["/ID", "/Id"]),
        name: at(&["/Spec/Name", "/Name", "/Description/Hostname"]),
        labels: labels.into_iter().next().unwrap_or_default(),
        error: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::Config;

    const BODY: &str = r#"[
        {"ID":"1","Version":{"Index":7},"Spec":{"Name":"a","Labels":{}}},
        {"ID":"2","Version":"seven","Spec":{"Name":"b","Labels":{"com.docker.stack.namespace":"shop"}}},
        17
    ]"#;

    #[test]
    fn what_does_not_parse_is_listed_beside_what_does() {
        let listed = decode::<Config>(BODY.as_bytes()).expect("a list");
        assert_eq!(listed.items.len(), 1);
        let [second, third] = listed.unreadable.as_slice() else { panic!("two are unreadable: {listed:?}") };
        assert_eq!((second.id.as_str(), second.name.as_str()), ("2", "b"));
        assert_eq!(second.labels.get("com.docker.stack.namespace").map(String::as_str), Some("shop"));
        assert!(third.id.is_empty());
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        assert!(decode::<Config>(b"{}").is_err());
        assert!(decode::<Config>(b"[{").is_err(), "a body that was cut short");
        assert!(decode::<Config>(b"null").expect("Go's empty list").items.is_empty());
    }

    #[test]
    fn an_unchanged_object_is_shared_and_a_lost_one_forgotten() {
        let mut known = Known::<Config>::default();
        let first = known.list(BODY.as_bytes()).expect("a list").items;
        let second = known.list(BODY.as_bytes()).expect("a list").items;
        assert!(first.iter().zip(&second).all(|(a, b)| Arc::ptr_eq(a, b)));
        let alone = br#"{"ID":"1","Version":{"Index":7},"Spec":{"Name":"a","Labels":{}}}"#;
        let Ok(Found::Object(read)) = known.one(alone) else { panic!("readable") };
        assert!(first.first().is_some_and(|listed| Arc::ptr_eq(listed, &read)));
        known.list(b"[]").expect("a list");
        assert!(known.0.is_empty());
    }
}
