//! Plans and drift as one page: it needs no other file, no script and no network, and may be sent by mail.

mod card;
mod drift;
mod said;
mod steps;

use super::frame::{self, Frame};
use super::text::line::{legible, plural};
use super::view::Document;

const STYLE: &str = include_str!("html/style.css");
/// A skep: a basket of straw for bees, from the side.
const BASKET: &str = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"M3.5 20.5h17M5.2 20.5C4.2 12 7 4 12 4s7.8 8 6.8 \
                      16.5M5.5 15.5h13M6.9 10h10.2M10.3 20.5V19a1.7 1.7 0 0 1 3.4 0v1.5\"/></svg>";

/// A plan as a page of HTML.
pub fn plan_html(document: &Document, frame: &Frame<'_>) -> String {
    page("plan", &document.headline(), document, frame, &steps::body(document))
}

/// A drift report as a page of HTML.
pub fn drift_html(document: &Document, frame: &Frame<'_>) -> String {
    page("drift report", &document.drift_headline(), document, frame, &drift::body(document))
}

fn page(what: &str, headline: &str, document: &Document, frame: &Frame<'_>, body: &str) -> String {
    let (what, sentence) = (escape(what), escape(&capital(headline)));
    let of = document.cluster.as_deref().unwrap_or(frame.subject);
    let title =
        format!("{sentence} · {what}{}", if of.is_empty() { String::new() } else { format!(" of {}", escape(of)) });
    let end = match frame.next.filter(|_| document.can_go_on()) {
        Some(next) => format!("Next: <code>{}</code>", escape(next)),
        None => "Made by skep, which wrote nothing for it.".to_owned(),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header class=\"top\">\n<p class=\"brand\">{BASKET}<span><b>skep</b> {what}</span></p>\n<h1>{sentence}</h1>\n{}\
         </header>\n<main>\n{body}</main>\n<footer class=\"end\"><p>{end}</p></footer>\n</body>\n</html>\n",
        facts(document, frame)
    )
}

/// What the report is of.
fn facts(document: &Document, frame: &Frame<'_>) -> String {
    let nodes = (document.nodes > 0).then(|| plural(document.nodes as u64, "node"));
    let cluster = match (&document.cluster, nodes) {
        (Some(cluster), Some(nodes)) => Some(format!("{cluster}, {nodes}")),
        (cluster, nodes) => cluster.clone().or(nodes),
    };
    let facts =
        [("Cluster", cluster), ("Revision", frame::revision(document)), ("Looked", frame.made.map(str::to_owned))];
    let facts: String = facts
        .into_iter()
        .filter_map(|(name, fact)| Some(format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(&fact?))))
        .collect();
    if facts.is_empty() { facts } else { format!("<dl class=\"facts\">{facts}</dl>\n") }
}

/// Numbers at a glance: each with its word, and a tone where it is not nought.
fn sums(sums: &[(String, &str, &str)]) -> String {
    let items: String = sums
        .iter()
        .map(|(number, word, tone)| {
            let tone = if number == "0" { "none" } else { tone };
            format!("<li class=\"{tone}\"><b>{}</b>{}</li>", escape(number), escape(word))
        })
        .collect();
    format!("<ul class=\"sums\" aria-label=\"Summary\">{items}</ul>\n")
}

/// Links to the stacks, where there are several.
fn links(stacks: &[&str]) -> String {
    if stacks.len() < 2 {
        return String::new();
    }
    let items: String =
        stacks.iter().map(|stack| format!("<li><a href=\"#{}\">{}</a></li>", anchor(stack), escape(stack))).collect();
    format!("<nav aria-label=\"Stacks\"><ul class=\"stacks\">{items}</ul></nav>\n")
}

fn anchor(stack: &str) -> String {
    format!("stack-{}", escape(stack))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A text of others in HTML, within elements and within attributes in double quotes.
fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in legible(text).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            c => shown.push(c),
        }
    }
    shown
}
