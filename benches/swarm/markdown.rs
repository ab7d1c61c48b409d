//! Tables, as people read them on a terminal and in docs/benchmarks.md: Markdown with aligned columns is both.

use std::fmt::Write as _;
use std::time::Duration;

use crate::measure::{Sample, milliseconds};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/benchmarks.md");

/// Rows under a heading.
pub struct Table(Vec<Vec<String>>);

impl Table {
    pub fn new<const N: usize>(heading: [&str; N]) -> Table {
        Table(vec![heading.map(str::to_owned).to_vec()])
    }

    pub fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.0[0].len());
        self.0.push(cells);
    }

    /// The table in Markdown.
    pub fn text(&self) -> String {
        let width = |column: usize| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..self.0[0].len()).map(width).collect();
        let mut text = String::new();
        for (number, row) in self.0.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(text, "| {cell:width$} ");
            }
            text.push_str("|\n");
            if number == 0 {
                // Figures stand to the right, names to the left.
                let rule = |(column, width): (usize, &usize)| match column {
                    0 => format!("|{}", "-".repeat(width + 2)),
                    _ => format!("|{}:", "-".repeat(width + 1)),
                };
                text.extend(widths.iter().enumerate().map(rule));
                text.push_str("|\n");
            }
        }
        text
    }
}

/// The median in words.
pub fn median(sample: &Sample) -> String {
    format!("{} ms", milliseconds(sample.median))
}

/// The least and the most in words.
pub fn range(sample: &Sample) -> String {
    let whole = |time: Duration| milliseconds(time);
    format!("{} … {} ms", whole(sample.least), whole(sample.most))
}

/// Prints a text, and puts it between the document's markers of that name if that is asked for.
pub fn publish(name: &str, text: &str) {
    println!("{text}");
    if std::env::var_os("SKEP_BENCH_WRITE").is_none() {
        return;
    }
    let begin = format!("<!-- {name}: begin, ");
    let end = format!("<!-- {name}: end -->\n");
    let document = std::fs::read_to_string(DOCUMENT).expect("docs/benchmarks.md");
    let (before, rest) = document.split_once(&begin).expect("the marker before the figures");
    // The rest of the marker says how they are written.
    let (how, rest) = rest.split_once('\n').expect("the end of that line");
    let (_, after) = rest.split_once(&end).expect("the marker after the figures");
    std::fs::write(DOCUMENT, format!("{before}{begin}{how}\n{text}{end}{after}")).expect("docs/benchmarks.md");
    eprintln!("written to docs/benchmarks.md");
}
