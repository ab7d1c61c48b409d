//! An engine that says what a test wants it to say, on a unix socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::task::AbortOnDropHandle;

use super::{Client, Deadlines, Endpoint};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: Vec<u8>,
}

/// What comes back.
pub(crate) enum Reply {
    Answer(u16, String),
    /// Nothing, for ever.
    Silence,
    /// The head of an answer, then nothing.
    Stall,
    /// The end of the connection.
    Close,
    /// The head of an answer without end, then these lines, then the end.
    Lines(Vec<String>),
}

pub(crate) struct Scripted {
    directory: tempfile::TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
    _task: AbortOnDropHandle<()>,
}

type Script = Arc<Mutex<dyn FnMut(&Seen) -> Reply + Send>>;

impl Scripted {
    /// `/_ping` is answered with API 1.41 and not recorded; everything else is the script's.
    pub(crate) fn start(script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let listener = UnixListener::bind(directory.path().join("s")).expect("a socket");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, record): (Script, _) = (Arc::new(Mutex::new(script)), seen.clone());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, script.clone(), record.clone()));
            }
        });
        Self { directory, seen, _task: AbortOnDropHandle::new(task) }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&format!("unix://{}/s", self.directory.path().display()), None).expect("valid")
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.endpoint())
    }

    /// A client that loses patience soon enough for a test.
    pub(crate) fn impatient(&self) -> Client {
        let (read_try, read, write) =
            (Duration::from_millis(60), Duration::from_millis(900), Duration::from_millis(60));
        Client::with_deadlines(self.endpoint(), Deadlines { read_try, read, write })
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }
}

async fn serve(mut stream: UnixStream, script: Script, record: Arc<Mutex<Vec<Seen>>>) {
    while let Some(seen) = read_request(&mut stream).await {
        let reply = if seen.path == "/_ping" {
            Reply::Answer(200, String::new())
        } else {
            record.lock().expect("not poisoned").push(seen.clone());
            (*script.lock().expect("not poisoned"))(&seen)
        };
        let head = "Api-Version: 1.41\r\nContent-Type: application/json";
        let text = match reply {
            Reply::Answer(status, body) => {
                format!("HTTP/1.1 {status} x\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            }
            Reply::Silence => return std::future::pending().await,
            Reply::Stall => format!("HTTP/1.1 200 OK\r\n{head}\r\nContent-Length: 10\r\n\r\n["),
            Reply::Close => return,
            Reply::Lines(lines) => {
                let mut text = format!("HTTP/1.1 200 OK\r\n{head}\r\nTransfer-Encoding: chunked\r\n\r\n");
                for line in lines {
                    text.push_str(&format!("{:x}\r\n{line}\n\r\n", line.len() + 1));
                }
                text.push_str("0\r\n\r\n");
                text
            }
        };
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut UnixStream) -> Option<Seen> {
    let Raw { method, path, head, body } = Raw::read(stream).await?;
    Some(Seen { method, path, body, head })
}

/// A request off a connection.
pub(crate) struct Raw {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: Vec<u8>,
}

impl Raw {
    /// The next one; nothing where the other side begins with TLS, or ends.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 || bytes[0] == 0x16 {
                return None;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        while bytes.len() < end + length.unwrap_or(0) {
            stream.read_buf(&mut bytes).await.ok()?;
        }
        let mut words = head.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some(Self { method, path, body: bytes[end..].to_vec(), head })
    }
}
