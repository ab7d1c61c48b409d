//! An open-loop client: it sends at a rate, whatever becomes of what it sent before, and says what got no answer.
//!
//! Every other request takes a kept connection, the others make a new one. Lost is what got a connection error, another status
//! than 200, or no answer in 5 s.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::figures::{Fate, Figures, Sent};
use super::names;

/// Without an answer for so long, a request is lost.
pub const LOST: Duration = Duration::from_secs(5);

/// A kept connection that was not used for so long is not used again: the other end may be about to close it.
const STALE: Duration = Duration::from_secs(10);

/// How often a name is asked for.
const REFRESH: Duration = Duration::from_millis(500);

/// Whom to ask.
#[derive(Clone)]
#[allow(dead_code, reason = "the benchmark uses one, the tests the other")]
pub enum Peer {
    /// One address, as it is: a request that fails is lost.
    Address(SocketAddr),
    /// All addresses of a name in turn, asked for twice a second at the engine's name server; what fails is tried once more, at the
    /// next of them. The namespace must be one of a container.
    Name { name: String, port: u16 },
}

/// Who is asked, under which name in the figures, and how many times a second.
pub struct Target {
    pub name: String,
    pub peer: Peer,
    pub rate: u32,
}

/// A client that sends until it is stopped.
pub struct Client {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<Figures>>,
}

impl Client {
    /// Starts sending to each target, in a network namespace such as `/run/netns/NAME`.
    pub fn start(namespace: PathBuf, targets: Vec<Target>) -> Client {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        // A namespace belongs to a thread, so one thread does it all.
        let thread = std::thread::spawn(move || {
            enter(&namespace);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let sending = targets.into_iter().map(|target| tokio::spawn(send(target, Arc::clone(&stopped))));
                let mut all = Vec::new();
                for one in sending.collect::<Vec<_>>() {
                    all.push(one.await.expect("it does not panic"));
                }
                all
            })
        });
        Client { stop, thread }
    }

    /// Stops sending, waits for what is under way, and gives what became of all of it, a figure for each target.
    pub fn stop(self) -> Vec<Figures> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the client does not panic")
    }
}

fn enter(namespace: &std::path::Path) {
    use std::os::fd::AsFd as _;
    let file = std::fs::File::open(namespace).expect("a network namespace");
    let kind = rustix::thread::LinkNameSpaceType::Network;
    rustix::thread::move_into_link_name_space(file.as_fd(), Some(kind)).expect("root may enter it");
}

/// A kept connection: to where, and when it was last used.
type Kept = (SocketAddr, Instant, SendRequest<Empty<Bytes>>);

/// One target's connections and addresses.
struct Line {
    peer: Peer,
    kept: Mutex<Vec<Kept>>,
    addresses: Mutex<Vec<SocketAddr>>,
    next: std::sync::atomic::AtomicUsize,
}

async fn send(target: Target, stop: Arc<AtomicBool>) -> Figures {
    let line = Arc::new(Line {
        peer: target.peer.clone(),
        kept: Mutex::default(),
        addresses: Mutex::default(),
        next: 0.into(),
    });
    let refreshing = match target.peer {
        Peer::Address(address) => {
            line.addresses.lock().expect("no panic").push(address);
            None
        }
        Peer::Name { name, port } => {
            let line = Arc::clone(&line);
            line.refresh(&name, port).await;
            Some(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(REFRESH).await;
                    line.refresh(&name, port).await;
                }
            }))
        }
    };
    let began = Instant::now();
    let mut clock = tokio::time::interval(Duration::from_secs(1) / target.rate);
    let (fates, mut received) = tokio::sync::mpsc::unbounded_channel();
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        // The moment it was due: that the client itself was late counts as slow.
        let due = clock.tick().await;
        let (line, fates) = (Arc::clone(&line), fates.clone());
        let keep = number.is_multiple_of(2);
        number += 1;
        tokio::spawn(async move {
            let sent = Instant::now();
            let (fate, again) = line.ask(keep).await;
            let late = sent.duration_since(due);
            let _ = fates.send(Sent { at: due - began, took: due.elapsed(), late, fate, again });
        });
    }
    drop(fates);
    let mut sent = Vec::new();
    while let Some(one) = received.recv().await {
        sent.push(one);
    }
    if let Some(task) = refreshing {
        task.abort();
    }
    Figures::of(target.name, &mut sent)
}

impl Line {
    /// What became of one request, and whether it was tried a second time.
    async fn ask(&self, keep: bool) -> (Fate, bool) {
        let tries = if matches!(self.peer, Peer::Name { .. }) { 2 } else { 1 };
        let mut fate = Fate::Refused;
        for number in 0..tries {
            let Some(address) = self.address() else { return (Fate::Refused, number > 0) };
            fate = timeout(LOST, self.once(address, keep)).await.unwrap_or(Fate::Timeout);
            if fate == Fate::Answered {
                return (fate, number > 0);
            }
        }
        (fate, tries > 1)
    }

    fn address(&self) -> Option<SocketAddr> {
        let addresses = self.addresses.lock().expect("no panic");
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        addresses.get(next % addresses.len().max(1)).copied()
    }

    async fn refresh(&self, name: &str, port: u16) {
        // No answer is no news.
        if let Ok(found) = names::look_up(name).await {
            *self.addresses.lock().expect("no panic") = found.into_iter().map(|ip| (ip, port).into()).collect();
        }
    }

    async fn once(&self, address: SocketAddr, keep: bool) -> Fate {
        let mut connection = match keep.then(|| self.take(address)).flatten() {
            Some(connection) => connection,
            None => {
                let Ok(stream) = TcpStream::connect(address).await else { return Fate::Refused };
                let _ = stream.set_nodelay(true);
                let Ok((connection, driver)) = handshake(TokioIo::new(stream)).await else { return Fate::Refused };
                tokio::spawn(driver);
                connection
            }
        };
        let mut request = hyper::Request::get("/").header("Host", "bench");
        if !keep {
            request = request.header("Connection", "close");
        }
        let request = request.body(Empty::new()).expect("a request");
        let Ok(answer) = connection.send_request(request).await else { return Fate::Broken };
        let status = answer.status();
        if answer.into_body().collect().await.is_err() {
            return Fate::Broken;
        }
        if status != 200 {
            return Fate::Status(status.as_u16());
        }
        if keep {
            self.kept.lock().expect("no panic").push((address, Instant::now(), connection));
        }
        Fate::Answered
    }

    /// A kept connection to this address that the other end has not closed.
    fn take(&self, address: SocketAddr) -> Option<SendRequest<Empty<Bytes>>> {
        let mut kept = self.kept.lock().expect("no panic");
        kept.retain(|(_, used, connection)| !connection.is_closed() && used.elapsed() < STALE);
        let index = kept.iter().rposition(|(of, _, connection)| *of == address && connection.is_ready())?;
        Some(kept.swap_remove(index).2)
    }
}
