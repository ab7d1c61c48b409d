//! What names a state that is wanted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Desired, render};
use crate::compose::{Condition, Dependency};
use crate::model::Digest;

/// The digest of what is wanted: equal as long as git says the same of this stack. Places in files and the order of keys
/// do not count. Secrets count by their fingerprints, so fill those in first: without one, only a secret's name counts.
pub fn digest(desired: &Desired) -> Digest {
    let fingerprints: BTreeMap<_, _> =
        desired.secrets.iter().map(|(name, secret)| (name, secret.fingerprint.as_deref())).collect();
    let waits: BTreeMap<_, Vec<_>> = desired
        .services
        .iter()
        .map(|(name, service)| (name, service.depends_on.iter().map(dependency).collect()))
        .collect();
    let external: Vec<_> = desired.external.iter().map(|external| (external.kind, &external.name)).collect();
    let mut wanted = json!({
        "objects": render::stack(desired),
        "fingerprints": fingerprints,
        "dependsOn": waits,
        "external": external,
    });
    // What only some stacks say is left out of the others', whose digests earlier versions have recorded.
    let ignored = desired.services.iter().filter(|(_, service)| !service.ignore.is_empty());
    let ignored: BTreeMap<_, _> = ignored.map(|(name, service)| (name, &service.ignore)).collect();
    if let Value::Object(wanted) = &mut wanted {
        if !desired.protected.is_empty() {
            wanted.insert("protected".to_owned(), json!(desired.protected));
        }
        if !ignored.is_empty() {
            wanted.insert("ignore".to_owned(), json!(ignored));
        }
    }
    let mut text = String::new();
    write(&wanted, &mut text);
    Digest::of(text)
}

/// What is waited for, as its name alone where nothing else is said of it.
fn dependency(wanted: &Dependency) -> Value {
    match (wanted.condition, wanted.optional) {
        (Condition::Started, false) => json!(wanted.service),
        (condition, optional) => json!([wanted.service, format!("{condition:?}"), optional]),
    }
}

/// JSON with sorted keys. The digest is kept and compared by later versions, and whether serde_json's own maps are
/// sorted depends on what else is built with it.
fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            text.push('{');
            for (key, value) in map.iter().collect::<BTreeMap<_, _>>() {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(list) => {
            text.push('[');
            for value in list {
                write(value, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{At, Compose, FileObject, Service};
    use crate::desired::{fingerprint, lower};
    use crate::model::{Secret, StackName};

    fn wanted(change: impl Fn(&mut Compose)) -> Desired {
        let mut compose = Compose::default();
        let web = Service { image: Some(At::silent("nginx:1".to_owned())), ..Service::default() };
        compose.services.insert("web".to_owned(), At::silent(web));
        let secret = FileObject { content: Some(Secret::new(b"one".to_vec())), ..FileObject::default() };
        compose.secrets.insert("key".to_owned(), At::silent(secret));
        change(&mut compose);
        let (mut desired, diagnostics) = lower(&compose, &StackName::parse("shop").expect("a name"));
        assert_eq!(diagnostics, []);
        fingerprint::fill(&mut desired, "swarm", &fingerprint::Cache::new());
        desired
    }

    fn web(compose: &mut Compose) -> &mut Service {
        &mut compose.services.get_mut("web").expect("the service").value
    }

    #[test]
    fn the_same_wish_has_the_same_digest_wherever_it_stands() {
        let span = crate::diag::Span { file: crate::diag::Sources::new().add("a", ""), start: 1, end: 2 };
        let here = wanted(|_| {});
        let there = wanted(|compose| {
            for service in compose.services.values_mut() {
                service.span = Some(span);
            }
        });
        assert_eq!(digest(&here), digest(&there));
    }

    #[test]
    fn whatever_git_says_anew_changes_it() {
        let base = digest(&wanted(|_| {}));
        let secret = |content: &str| FileObject {
            content: Some(Secret::new(content.as_bytes().to_vec())),
            ..FileObject::default()
        };
        let db = Dependency { service: "db".to_owned(), ..Dependency::default() };
        for (what, changed) in [
            ("image", wanted(|compose| web(compose).image = Some(At::silent("nginx:2".to_owned())))),
            ("replicas", wanted(|compose| web(compose).deploy.replicas = Some(At::silent(1)))),
            ("x-skep.ignore", wanted(|compose| web(compose).own.ignore.push("/Labels/a".to_owned()))),
            ("depends_on", wanted(|compose| web(compose).depends_on.push(At::silent(db.clone())))),
            (
                "secret",
                wanted(|compose| {
                    compose.secrets.insert("key".to_owned(), At::silent(secret("two")));
                }),
            ),
            (
                "config",
                wanted(|compose| {
                    compose.configs.insert("c".to_owned(), At::silent(secret("c")));
                }),
            ),
        ] {
            assert_ne!(digest(&changed), base, "{what}");
        }
    }
}
