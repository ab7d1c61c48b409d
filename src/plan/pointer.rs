//! JSON pointers (RFC 6901) that write.

use serde_json::Value;

/// Makes what `to` holds at `path` what `from` holds there: the value, or its absence. A path that leads through what is
/// neither in the one nor in the other does nothing.
pub(super) fn copy(path: &str, from: &Value, to: &mut Value) {
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    let key = unescape(key);
    match from.pointer(path) {
        Some(value) => {
            let value = value.clone();
            match make(parent, from, to) {
                Some(Value::Object(map)) => drop(map.insert(key, value)),
                Some(Value::Array(list)) => {
                    if let Some(element) = key.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
                        *element = value;
                    }
                }
                _ => {}
            }
        }
        None => match to.pointer_mut(parent) {
            Some(Value::Object(map)) => drop(map.remove(&key)),
            Some(Value::Array(list)) => {
                if let Some(index) = key.parse::<usize>().ok().filter(|index| *index < list.len()) {
                    list.remove(index);
                }
            }
            _ => {}
        },
    }
}

/// A segment of a pointer as the key that it means.
pub(super) fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// The value at `path` of `to`, made an empty object wherever `from` has an object and `to` has nothing.
fn make<'v>(path: &str, from: &Value, to: &'v mut Value) -> Option<&'v mut Value> {
    if to.pointer(path).is_none_or(Value::is_null) {
        let (parent, key) = path.rsplit_once('/')?;
        if !from.pointer(path)?.is_object() {
            return None;
        }
        let parent = make(parent, from, to)?.as_object_mut()?;
        parent.insert(unescape(key), Value::Object(serde_json::Map::new()));
    }
    to.pointer_mut(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_or_its_absence_is_copied() {
        for (path, from, to, expected) in [
            ("/a/b", json!({"a": {"b": 1}}), json!({"a": {"b": 2, "c": 3}}), json!({"a": {"b": 1, "c": 3}})),
            ("/a/b", json!({"a": {"b": 1}}), json!({}), json!({"a": {"b": 1}})),
            ("/a/b", json!({"a": {}}), json!({"a": {"b": 2}}), json!({"a": {}})),
            ("/a/b", json!({}), json!({}), json!({})),
            ("/l/x~1y", json!({"l": {"x/y": "1"}}), json!({"l": {}}), json!({"l": {"x/y": "1"}})),
            ("/a/0", json!({"a": [1, 2]}), json!({"a": [9, 2]}), json!({"a": [1, 2]})),
            ("/a/1", json!({"a": [1]}), json!({"a": [1, 2]}), json!({"a": [1]})),
            ("nonsense", json!({"a": 1}), json!({"a": 2}), json!({"a": 2})),
            ("", json!({"a": 1}), json!({"a": 2}), json!({"a": 2})),
        ] {
            let mut given = to.clone();
            copy(path, &from, &mut given);
            assert_eq!(given, expected, "{path} from {from} to {to}");
        }
    }
}
