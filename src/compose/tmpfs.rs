//! `tmpfs:` of a service, which a stack leaves out, as the entries of `volumes:` that do the same.

use std::fmt::Write as _;

use super::quantity;
use crate::yaml::View;

/// How many paths are written out.
const MAX_SHOWN: usize = 3;

/// What to write under `volumes` for one path or a list of them; `None` where it is neither.
pub(super) fn instead(view: &View<'_>) -> Option<String> {
    let texts: Vec<&str> = match view.node().sequence() {
        Some(items) => items.iter().map(|item| item.scalar().map(|text| text.text.as_str())).collect::<Option<_>>()?,
        None => vec![view.node().scalar()?.text.as_str()],
    };
    let mut shown: Vec<String> = texts.iter().take(MAX_SHOWN).map(|text| entry(text)).collect();
    if texts.len() > MAX_SHOWN {
        shown.push("…".to_owned());
    }
    Some(format!("write under `volumes`: {}", shown.join(", ")))
}

/// The size in bytes: that form `docker stack deploy` takes too. Swarm knows none of the other options from a file.
fn entry(text: &str) -> String {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let size = options.split(',').find_map(|option| quantity::bytes(option.strip_prefix("size=")?));
    let mut entry = format!("`{{ type: tmpfs, target: {target}");
    if let Some(size) = size {
        let _ = write!(entry, ", tmpfs: {{ size: {size} }}");
    }
    entry + " }`"
}
