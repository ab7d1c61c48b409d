//! The texts that spans point into.

use std::sync::{Arc, OnceLock};

/// A file that was read, as an index into [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A piece of a file: byte offsets, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A place as people read it: line and column count from 1, the column in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file's path, as it was named.
    pub path: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// Every file that was read in one run: its path and text.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

#[derive(Debug, Clone)]
struct Source {
    path: Arc<str>,
    text: Arc<str>,
    /// Made when the first place in it is asked for; most files are in order.
    marks: OnceLock<Arc<[Mark]>>,
}

/// So many bytes of a text are read to find a line and a column in it. A thousand faults in a file of 8 MiB on one line
/// would else be 8 GB to read.
const STRIDE: usize = 8 * 1024;

/// What stands before a multiple of [`STRIDE`].
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    /// How many lines have ended.
    lines: u32,
    /// How many characters the line has so far.
    characters: u32,
}

impl Mark {
    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => *self = Mark { lines: self.lines + 1, characters: 0 },
                // The later bytes of a character.
                0x80..=0xbf => {}
                _ => self.characters += 1,
            }
        }
    }
}

impl Source {
    fn mark(&self, at: usize) -> Mark {
        let bytes = self.text.as_bytes();
        let marks = self.marks.get_or_init(|| {
            let mut mark = Mark::default();
            let passed = bytes.chunks(STRIDE).map(|chunk| {
                let before = mark;
                mark.pass(chunk);
                before
            });
            passed.collect()
        });
        let mut mark = marks.get(at / STRIDE).copied().unwrap_or_default();
        mark.pass(bytes.get(at / STRIDE * STRIDE..at).unwrap_or_default());
        mark
    }
}

impl Sources {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a file's text and gives its id. Texts are at most `model::files::MAX_FILE` bytes, so offsets fit `u32`.
    pub fn add(&mut self, path: &str, text: &str) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Source { path: path.into(), text: text.into(), marks: OnceLock::new() });
        id
    }

    /// Names files otherwise from now on: what is shown need not be what was opened.
    pub fn rename(&mut self, name: impl Fn(&str) -> String) {
        for file in &mut self.files {
            file.path = name(&file.path).into();
        }
    }

    /// The path of a file.
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |file| &file.path)
    }

    /// The text of a file.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |file| &file.text)
    }

    /// The line and column of a span's first byte.
    pub fn location(&self, span: Span) -> Location {
        let Some(file) = self.files.get(span.file.0 as usize) else {
            return Location { path: "".into(), line: 1, column: 1 };
        };
        // Within a character its beginning counts, behind the end the end.
        let at = (0..=(span.start as usize).min(file.text.len())).rev().find(|at| file.text.is_char_boundary(*at));
        let mark = file.mark(at.unwrap_or_default());
        Location { path: Arc::clone(&file.path), line: mark.lines + 1, column: mark.characters + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters_wherever_they_are() {
        let text = format!("é\nab\n{}\nß{}\n", "x".repeat(3 * STRIDE), "é".repeat(2 * STRIDE));
        let mut sources = Sources::new();
        let file = sources.add("a", &text);
        let (mut line, mut column) = (1, 1);
        for (at, character) in text.char_indices().map(|(at, c)| (at, Some(c))).chain([(text.len(), None)]) {
            // Every place costs a part of the text: of the long runs a few are enough.
            if at % 97 == 0 || at < 20 || character != Some('x') && character != Some('é') {
                let start = u32::try_from(at).expect("small");
                let location = sources.location(Span { file, start, end: start });
                assert_eq!((location.line, location.column), (line, column), "{at}");
            }
            (line, column) = if character == Some('\n') { (line + 1, 1) } else { (line, column + 1) };
        }
        let beyond = sources.location(Span { file, start: u32::MAX, end: u32::MAX });
        assert_eq!((beyond.line, beyond.column), (5, 1));
    }
}
