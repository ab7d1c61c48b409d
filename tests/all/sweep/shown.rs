//! What a plan shows of a service, against what it should.

use serde_json::{Map, Value};

/// A path, and the values there as JSON: what was found, and what was applied.
#[derive(Debug)]
pub struct Expected {
    pub path: &'static str,
    pub before: &'static str,
    pub after: &'static str,
}

/// How the changes of a plan differ from those expected: what is missing, and what is too much. `fill` puts values in the places
/// of names.
pub fn mismatch(expected: &[Expected], changes: &[Value], fill: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut left: Vec<&Value> = changes.iter().collect();
    let mut problems = Vec::new();
    for Expected { path, before, after } in expected {
        let value = |text| serde_json::from_str::<Value>(&fill(text)).unwrap_or_else(|error| panic!("{text}: {error}"));
        let (before, after) = (value(before), value(after));
        let fits = |it: &&Value| {
            is_at(it["path"].as_str().unwrap_or_default(), path)
                && (sorted(&it["before"]), sorted(&it["after"])) == (sorted(&before), sorted(&after))
        };
        match left.iter().position(fits) {
            Some(index) => drop(left.remove(index)),
            None => problems.push(format!("not named: {path}  {before} → {after}")),
        }
    }
    let shown = |it: &Value| format!("too much: {}  {} → {}", it["path"], it["before"], it["after"]);
    problems.extend(left.into_iter().map(shown));
    problems
}

/// A list of messages in an order of its own: docker's client writes generic resources from a map, in any order. Lists of texts
/// stay as they are.
fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Array(items) = &mut value
        && items.iter().all(Value::is_object)
    {
        items.sort_by_key(Value::to_string);
    }
    value
}

fn is_at(path: &str, expected: &str) -> bool {
    let (path, expected): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), expected.split('/').collect());
    path.len() == expected.len() && path.iter().zip(&expected).all(|(found, wanted)| wanted == &"*" || found == wanted)
}

/// What differs between two stored specs beyond what a plan names, by a comparison that knows nothing of plans: of both the
/// named fields are taken away, lists whole, and the rest has to be equal.
pub fn leftover(before: &Value, after: &Value, changes: &[Value]) -> Option<String> {
    let paths: Vec<&str> = changes.iter().filter_map(|it| it["path"].as_str()).collect();
    let rest = |spec: &Value| {
        let mut spec = spec.clone();
        without_absent(&mut spec);
        for path in &paths {
            let segments = path.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
            remove(&mut spec, &segments.collect::<Vec<_>>());
        }
        spec
    };
    let (before, after) = (rest(before), rest(after));
    (before != after).then(|| format!("{before} became {after}"))
}

/// Takes away what stands at a path, or the list that it leads into, and the messages that are empty for it.
fn remove(spec: &mut Value, path: &[String]) {
    let (Value::Object(map), Some((key, rest))) = (spec, path.split_first()) else { return };
    match map.get_mut(key) {
        Some(next) if next.is_object() && !rest.is_empty() => {
            remove(next, rest);
            if next.as_object().is_some_and(Map::is_empty) {
                map.remove(key);
            }
        }
        _ => drop(map.remove(key)),
    }
}

/// Go writes what is absent as null or as empty text here and leaves it out there.
fn without_absent(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|_, value| !value.is_null() && value != "");
        map.values_mut().for_each(without_absent);
    }
}
