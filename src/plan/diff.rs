//! Three specs compared field by field: what is there, what should be there, what was last applied.

use serde_json::{Map, Value};

use super::list::{self, List};
use super::step::{Change, Effect, Origin};
use super::words;

/// What the record says of the same field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Base<'a> {
    /// There is no record.
    Unknown,
    /// What was applied; `None` where the field was absent.
    Applied(Option<&'a Value>),
}

impl<'a> Base<'a> {
    fn field(self, key: &str) -> Self {
        match self {
            Base::Unknown => Base::Unknown,
            Base::Applied(value) => Base::Applied(value.and_then(|value| value.get(key))),
        }
    }

    fn origin(self, live: Option<&Value>, wanted: Option<&Value>) -> Origin {
        match self {
            Base::Unknown => Origin::Unknown,
            Base::Applied(base) if base == wanted => Origin::Drift,
            Base::Applied(base) if base == live => Origin::Git,
            Base::Applied(_) => Origin::Both,
        }
    }
}

/// The differences between two specs in canonical form, in the order of their fields. Effects are left to the caller.
pub(super) fn changes(live: &Value, wanted: &Value, base: Base<'_>) -> Vec<Change> {
    let mut walk = Walk { path: String::new(), found: Vec::new() };
    walk.compare(present(Some(live)), present(Some(wanted)), base);
    walk.found
}

/// Go writes an absent message as null here and leaves it out there.
fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

struct Walk {
    path: String,
    found: Vec<Change>,
}

impl Walk {
    fn compare(&mut self, live: Option<&Value>, wanted: Option<&Value>, base: Base<'_>) {
        if live == wanted {
            return;
        }
        let empty = Map::new();
        match (live, wanted) {
            (Some(Value::Object(live)), Some(Value::Object(wanted))) => self.objects(live, wanted, base),
            // A message that comes or goes is shown by its fields, unless its mere presence is the difference.
            (None, Some(Value::Object(wanted))) if !wanted.is_empty() => self.objects(&empty, wanted, base),
            (Some(Value::Object(live)), None) if !live.is_empty() => self.objects(live, &empty, base),
            (Some(Value::Array(live)), Some(Value::Array(wanted))) => self.lists(live, wanted, base),
            (None, Some(Value::Array(wanted))) => self.lists(&[], wanted, base),
            (Some(Value::Array(live)), None) => self.lists(live, &[], base),
            _ => self.leaf(None, live, wanted, base),
        }
    }

    fn objects(&mut self, live: &Map<String, Value>, wanted: &Map<String, Value>, base: Base<'_>) {
        let mut keys: Vec<&String> = live.keys().chain(wanted.keys().filter(|key| !live.contains_key(*key))).collect();
        keys.sort_unstable();
        for key in keys {
            self.at(key, |walk| {
                walk.compare(present(live.get(key)), present(wanted.get(key)), base.field(key));
            });
        }
    }

    /// Pairs the elements of both lists by what people know them by, and compares the pairs. Where that finds nothing,
    /// the order differs; where elements cannot be told apart, or their order is all that matters, the list is one value.
    fn lists(&mut self, live: &[Value], wanted: &[Value], base: Base<'_>) {
        let before = self.found.len();
        if let Some(list) = list::of(&self.path) {
            self.elements(list, live, wanted, base);
        }
        if self.found.len() == before {
            let value = |list: &[Value]| (!list.is_empty()).then(|| Value::Array(list.to_vec()));
            self.leaf(None, value(live).as_ref(), value(wanted).as_ref(), base);
        }
    }

    fn elements(&mut self, list: &List, live: &[Value], wanted: &[Value], base: Base<'_>) {
        let (Some(old), Some(new)) = (list.keys(live), list.keys(wanted)) else { return };
        let applied = match base {
            Base::Applied(Some(Value::Array(applied))) => list.keys(applied).unwrap_or_default(),
            _ => Vec::new(),
        };
        let base = |key: &str| match base {
            Base::Unknown => Base::Unknown,
            Base::Applied(_) => Base::Applied(applied.iter().find(|(k, _)| k == key).map(|(_, value)| *value)),
        };
        for (index, (key, wanted)) in new.iter().enumerate() {
            let live = old.iter().find(|(k, _)| k == key).map(|(_, value)| *value);
            self.element(index, (list, key), live, Some(wanted), base(key));
        }
        for (index, (key, live)) in old.iter().enumerate() {
            if !new.iter().any(|(k, _)| k == key) {
                self.element(index, (list, key), Some(live), None, base(key));
            }
        }
    }

    fn element(
        &mut self,
        index: usize,
        (list, key): (&List, &str),
        live: Option<&Value>,
        wanted: Option<&Value>,
        base: Base<'_>,
    ) {
        self.at(&index.to_string(), |walk| match (live, wanted) {
            (Some(Value::Object(_)), Some(Value::Object(_))) => {
                let before = walk.found.len();
                walk.compare(live, wanted, base);
                for change in walk.found.iter_mut().skip(before) {
                    change.label = words::element(list, key, Some(&change.path));
                }
            }
            _ if live != wanted => walk.leaf(Some(words::element(list, key, None)), live, wanted, base),
            _ => {}
        });
    }

    fn leaf(&mut self, label: Option<String>, live: Option<&Value>, wanted: Option<&Value>, base: Base<'_>) {
        self.found.push(Change {
            path: self.path.clone(),
            label: label.unwrap_or_else(|| words::label(&self.path)),
            before: live.cloned(),
            after: wanted.cloned(),
            detail: None,
            texts: None,
            effect: Effect::None,
            origin: base.origin(live, wanted),
        });
    }

    fn at(&mut self, key: &str, compare: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        compare(self);
        self.path.truncate(length);
    }
}
