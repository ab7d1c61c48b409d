//! A question to the engine's name server, which answers inside a container's network namespace only.

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

const SERVER: &str = "127.0.0.11:53";

/// The IPv4 addresses of a name such as `tasks.web`, right now; none where the name has none.
pub async fn look_up(name: &str) -> Result<Vec<IpAddr>> {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    socket.connect(SERVER).await?;
    socket.send(&question(name)).await?;
    let mut answer = [0; 4096];
    let size = timeout(Duration::from_secs(1), socket.recv(&mut answer)).await??;
    addresses(&answer[..size]).ok_or_else(|| Error::from(ErrorKind::InvalidData))
}

/// A query of one question: type A, class IN.
fn question(name: &str) -> Vec<u8> {
    // Number, flags (recursion desired), one question, nothing else.
    let mut query = vec![0x51, 0x0e, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).expect("a short label"));
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    query
}

/// The addresses in an answer: after the header and the question records of name, type, class, TTL, length and data.
fn addresses(answer: &[u8]) -> Option<Vec<IpAddr>> {
    let word = |at: usize| Some(usize::from(u16::from_be_bytes([*answer.get(at)?, *answer.get(at + 1)?])));
    let mut at = skip_name(answer, 12)? + 4;
    let mut found = Vec::new();
    for _ in 0..word(6)? {
        at = skip_name(answer, at)?;
        let (kind, length) = (word(at)?, word(at + 8)?);
        let data = answer.get(at + 10..at + 10 + length)?;
        if let (1, &[a, b, c, d]) = (kind, data) {
            found.push(Ipv4Addr::new(a, b, c, d).into());
        }
        at += 10 + length;
    }
    Some(found)
}

/// Where a name ends: after a zero, or after a pointer of two bytes.
fn skip_name(answer: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *answer.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += usize::from(length) + 1,
        }
    }
}
