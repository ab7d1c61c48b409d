//! The pages of plans and drift in a browser: on a phone and on a desk, by day and by night.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::reference;

/// Measures the page it stands in, and tells the page around it.
const MEASURE: &str = include_str!("pages/measure.js");
/// A phone, and a window on a desk.
const WIDTHS: [u32; 2] = [390, 1400];

fn pages() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plans");
    let files = std::fs::read_dir(directory).expect("the fixtures").map(|entry| entry.expect("an entry").path());
    let pages: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|it| it == "html")).collect();
    assert!(pages.len() >= 4, "{pages:?}");
    pages
}

/// What the browser says of every page at every width: frames in one window, since no window of it is as narrow as a phone.
fn measured(pages: &[PathBuf], is_dark: bool) -> Vec<Value> {
    let directory = tempfile::tempdir().expect("a directory");
    let mut frames = String::new();
    for page in pages {
        // The page itself forbids scripts, so it is measured without that line.
        let text = std::fs::read_to_string(page).expect("a page");
        let lines = text.lines().filter(|line| !line.contains("Content-Security-Policy"));
        let open =
            lines.collect::<Vec<_>>().join("\n").replace("</body>", &format!("<script>{MEASURE}</script></body>"));
        let name = page.file_name().and_then(|name| name.to_str()).expect("a name");
        for width in WIDTHS {
            let source = open.replace('&', "&amp;").replace('"', "&quot;");
            frames.push_str(&format!(
                "<iframe name=\"{name}\" style=\"border: 0; width: {width}px; height: 900px\" srcdoc=\"{source}\"></iframe>\n"
            ));
        }
    }
    let file = directory.path().join("page.html");
    let style = "<!doctype html><style>html { color-scheme: light dark }</style>";
    std::fs::write(&file, format!("{style}<body>{frames}</body>")).expect("written");
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"]);
    browser.arg("--window-size=1500,1000").arg(format!("--user-data-dir={}", directory.path().display()));
    browser.arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!is_dark)));
    let output = browser.arg(format!("file://{}", file.display())).output().expect("chromium");
    let dom = String::from_utf8_lossy(&output.stdout);
    let found = dom.split("<pre class=\"measured\">").skip(1).filter_map(|rest| rest.split("</pre>").next());
    let plain = |json: &str| json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let found: Vec<Value> = found.map(|json| serde_json::from_str(&plain(json)).expect("JSON")).collect();
    assert_eq!(found.len(), pages.len() * WIDTHS.len(), "{}", String::from_utf8_lossy(&output.stderr));
    found
}

#[test]
fn every_page_fits_a_phone_and_a_desk_and_can_be_read_by_day_and_by_night() {
    if Command::new("chromium").arg("--version").output().is_err() {
        return reference::skip("the pages in a browser", "chromium is missing: scripts/setup test installs it");
    }
    let pages = pages();
    for is_dark in [false, true] {
        let all = measured(&pages, is_dark);
        for width in WIDTHS {
            assert_eq!(all.iter().filter(|found| found["width"] == width).count(), pages.len());
        }
        for found in all {
            assert_eq!(found["dark"], is_dark, "{found:#}");
            assert_eq!(found["wide"].as_array().map(Vec::len), Some(0), "wider than the window: {found:#}");
            assert_eq!(found["faint"].as_array().map(Vec::len), Some(0), "too faint to read: {found:#}");
            assert!(found["texts"].as_u64().is_some_and(|texts| texts > 10), "{found:#}");
        }
    }
}

#[test]
fn a_page_needs_nothing_else() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        let head = text.split("</head>").next().expect("a head");
        assert!(head.contains("default-src 'none'") && head.contains("<title>") && head.contains("lang=\"en\""));
        for word in ["<script", "src=", "url(", "@import", "http-equiv=\"refresh\"", "javascript:"] {
            let count =
                text.matches(word).count() - text.matches("default-src '").count() * usize::from(word == "src=");
            assert_eq!(count, 0, "{}: {word}", page.display());
        }
        assert_eq!(text.matches("<h1>").count(), 1, "{}", page.display());
        // Links lead to places of the page itself.
        for (at, _) in text.match_indices("href=\"") {
            let target = text[at + 6..].split('"').next().expect("a target");
            let id = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leads out of the page"));
            assert!(text.contains(&format!("id=\"{id}\"")), "{target}");
        }
    }
}
