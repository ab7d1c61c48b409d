//! The last lines that a task has written.

use std::time::Duration;

use super::Client;
use super::api::segment;
use super::error::{Attempt, Error};
use super::transport::Call;

/// How long a node may take to send them: a manager asks the node on which the task ran, and that may be gone.
const PATIENCE: Duration = Duration::from_secs(4);

/// The header of each piece of the engine's stream: which output it comes from, three zeros, and its length, big-endian.
const HEADER: usize = 8;

impl Client {
    /// The last lines of a task, both outputs in the order in which the engine took them, without their ends. Asked once.
    ///
    /// # Errors
    /// [`Error::Timeout`] after 4 s, [`Error::NotFound`] where the task is forgotten, and those of a read; a log driver that
    /// cannot be read is one of them.
    pub async fn task_logs(&self, task: &str, lines: usize) -> Result<Vec<String>, Error> {
        let attempt = Attempt::Engine("read the last lines of a task");
        let path = format!("/tasks/{}/logs?stdout=1&stderr=1&tail={lines}", segment(task));
        let body = self.transport().read_slowly(&Call::get(attempt, path), PATIENCE).await?;
        let mut found = split(&body);
        found.drain(..found.len().saturating_sub(lines));
        Ok(found)
    }
}

/// The lines of a stream of pieces, or of plain text where the task has a terminal.
fn split(body: &[u8]) -> Vec<String> {
    let text = pieces(body).unwrap_or_else(|| body.to_vec());
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// What the pieces hold; `None` where it is no stream of pieces.
fn pieces(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while !body.is_empty() {
        let (header, rest) = body.split_at_checked(HEADER)?;
        let [0..=2, 0, 0, 0, a, b, c, d] = *header else { return None };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let (piece, rest) = rest.split_at_checked(length)?;
        text.extend_from_slice(piece);
        // The engine cuts at the end of a line, and leaves the last one without.
        if !piece.ends_with(b"\n") {
            text.push(b'\n');
        }
        body = rest;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines_and_a_terminals_text_is_taken_as_it_is() {
        let mut body = Vec::new();
        for (stream, text) in [(1_u8, "one\n"), (2, "two\r\n\n"), (1, "three")] {
            body.extend([stream, 0, 0, 0, 0, 0, 0, text.len() as u8]);
            body.extend(text.as_bytes());
        }
        assert_eq!(split(&body), ["one", "two", "three"]);
        assert_eq!(split(b"a terminal\r\nof two lines"), ["a terminal", "of two lines"]);
        assert!(split(b"").is_empty());
    }
}
