//! A registry that says what a test wants it to say, without TLS, on an address of this machine.

use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use super::{Insecure, Registries, of};
use crate::client::scripted::Raw;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: String,
}

impl Seen {
    /// Method and path.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// What comes back.
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Reply::Answer(status, Vec::new(), String::new())
    }

    /// A manifest, or what else is told by its digest.
    pub(crate) fn content(kind: &str, body: &str) -> Self {
        let headers = vec![("Content-Type", kind.to_owned()), ("Docker-Content-Digest", digest(body))];
        Reply::Answer(200, headers, body.to_owned())
    }
}

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The digest of a content.
pub(crate) fn digest(body: &str) -> String {
    of(body.as_bytes())
}

pub(crate) struct Scripted {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _task: AbortOnDropHandle<()>,
}

type Script = Arc<Mutex<dyn FnMut(&Seen) -> Reply + Send>>;

impl Scripted {
    pub(crate) async fn start(script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, record): (Script, _) = (Arc::new(Mutex::new(script)), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&script), Arc::clone(&record)));
            }
        });
        Self { address, seen, _task: AbortOnDropHandle::new(task) }
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A client that knows that it speaks without TLS.
    pub(crate) fn client(&self) -> Registries {
        Registries::new(Insecure::new([], ["127.0.0.0/8"]))
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// Method and path of everything so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }
}

async fn serve(mut stream: TcpStream, script: Script, record: Arc<Mutex<Vec<Seen>>>) {
    while let Some(Raw { method, path, head, body }) = Raw::read(&mut stream).await {
        let seen = Seen { method, path, head, body: String::from_utf8_lossy(&body).into_owned() };
        record.lock().expect("not poisoned").push(seen.clone());
        let reply = (*script.lock().expect("not poisoned"))(&seen);
        let Reply::Answer(status, headers, body) = reply else { return std::future::pending().await };
        let mut head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = if seen.method == "HEAD" { "" } else { &body };
        if stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}
