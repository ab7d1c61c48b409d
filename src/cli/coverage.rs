//! What becomes of every key of a stack file, `docs/compose.md`, printed from the table itself.

use std::fmt::Write as _;

use crate::compose::coverage::{Becomes, Row, TABLES, Table};
use crate::swarm::effects::{self, FieldEffect};

const INTRO: &str = include_str!("coverage/intro.md");
const DIFFERENCES: &str = include_str!("coverage/differences.md");
const KEYS: &str = include_str!("coverage/keys.md");

/// The whole page.
pub fn page() -> String {
    let mut text = format!("{INTRO}{DIFFERENCES}{KEYS}");
    for table in TABLES {
        // Writing to a String cannot fail.
        let _ = section(table, &mut text);
    }
    text
}

fn section(table: &Table, text: &mut String) -> std::fmt::Result {
    writeln!(text, "\n### {}\n", table.title)?;
    writeln!(text, "| key | since | becomes | a change | `docker stack deploy` |\n|---|---|---|---|---|")?;
    for row in table.rows {
        let Row { key, since, differs, .. } = row;
        writeln!(text, "| `{key}` | {since} | {} | {} | {differs} |", becomes(row), effect(row.becomes))?;
    }
    let mut uncarried = table.uncarried().peekable();
    if uncarried.peek().is_some() {
        writeln!(text, "\n| not carried out | | instead |\n|---|---|---|")?;
    }
    for known in uncarried {
        let what = if known.is_error { "error" } else { "warning" };
        writeln!(text, "| `{}` | {what} | {} |", known.key, known.instead)?;
    }
    Ok(())
}

/// The fields, and a word on how.
fn becomes(row: &Row) -> String {
    let fields = match row.becomes {
        Becomes::Service(fields) | Becomes::Network(fields) | Becomes::Volume(fields) => fields,
        Becomes::Content => &["Data"],
        Becomes::Labels => &["Labels"],
        Becomes::Reading => &[],
    };
    let short = |field: &&str| format!("`{}`", field.trim_start_matches("TaskTemplate/").replace('/', "."));
    let mut words: Vec<String> = vec![fields.iter().map(short).collect::<Vec<_>>().join(", "), row.note.to_owned()];
    words.retain(|word| !word.is_empty());
    words.join(": ")
}

/// What a change of the key costs the running tasks.
fn effect(becomes: Becomes) -> String {
    let word = |effect: FieldEffect| match effect {
        FieldEffect::InPlace => "in place",
        FieldEffect::Placement => "moves tasks that no longer fit",
        FieldEffect::Rolling => "rolling",
        FieldEffect::Mode => "refused",
    };
    match becomes {
        Becomes::Service(fields) => {
            let dearest = fields.iter().map(|field| effects::of(&format!("/{field}"))).max();
            dearest.map(word).unwrap_or_default().to_owned()
        }
        Becomes::Network(fields) if fields.iter().all(|field| field.starts_with("Labels")) => "none".to_owned(),
        Becomes::Network(_) | Becomes::Volume(_) => "refused".to_owned(),
        Becomes::Content => "rolling".to_owned(),
        Becomes::Labels => "in place".to_owned(),
        Becomes::Reading => String::new(),
    }
}
