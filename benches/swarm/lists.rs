//! The raw list calls a plan needs: sent, and read to their end. What they take is the engine's share of a plan.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::measure::Sample;
use crate::proxy::Request;

/// What a plan lists.
pub const PATHS: [&str; 5] = ["/services?status=true", "/networks", "/configs", "/secrets", "/nodes"];

/// Whether a request is one of them.
pub fn is_list(request: &Request) -> bool {
    let mark = if request.query.is_empty() { "" } else { "?" };
    PATHS.contains(&format!("{}{mark}{}", request.path, request.query).as_str())
}

/// One after the other, and how many bytes the answers have.
pub fn in_turn(socket: &Path, runs: usize) -> (Sample, usize) {
    let mut bytes = 0;
    let walls = (0..=runs).map(|_| {
        let start = Instant::now();
        bytes = PATHS.iter().map(|path| get(socket, path)).sum();
        start.elapsed()
    });
    (Sample::of(but_the_first(walls)), bytes)
}

/// All at once.
pub fn at_once(socket: &Path) -> Duration {
    let start = Instant::now();
    std::thread::scope(|scope| PATHS.map(|path| drop(scope.spawn(move || get(socket, path)))));
    start.elapsed()
}

/// The first warms the engine's caches.
fn but_the_first(walls: impl Iterator<Item = Duration>) -> Vec<Duration> {
    walls.skip(1).collect()
}

/// HTTP/1.0: the end of the answer is the end of the connection.
fn get(socket: &Path, path: &str) -> usize {
    let mut stream = UnixStream::connect(socket).expect("the engine's socket");
    write!(stream, "GET /v1.41{path} HTTP/1.0\r\n\r\n").expect("the engine reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.0 200 ") || answer.starts_with(b"HTTP/1.1 200 "), "GET {path}");
    answer.len()
}
