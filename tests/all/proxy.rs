//! A proxy in front of an engine's socket: it counts what skep asks for, and loses or holds answers when told to.

mod fault;
mod relay;

pub use fault::Fault;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::wait::wait_until;

/// A request that passed, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it arrived.
    #[allow(dead_code, reason = "the benchmark reads it")]
    pub at: Instant,
    pub method: String,
    /// Without the API's version and the query: `/services/create`.
    pub path: String,
    /// What stood after the question mark.
    pub query: String,
    /// The body of a write, as JSON; null for others.
    pub body: Value,
    /// The registry credentials that came with it, as JSON; none where there was no such header.
    pub credentials: Option<Value>,
    /// When the engine began to answer.
    #[allow(dead_code, reason = "the benchmark reads it")]
    pub answered: Option<Instant>,
    /// The answer's status; none while there is no answer, or when it was lost on purpose.
    pub status: Option<u16>,
    /// Whether a bookkeeping object of skep's own is written: a record, a rendering, the lease.
    pub bookkeeping: bool,
}

impl Request {
    /// Whether it is a renewal of the lease: these come by the clock.
    pub fn is_lease(&self) -> bool {
        self.bookkeeping && self.body["Name"] == "skep.lease"
    }

    /// Whether it may change something: everything but GET, HEAD and the test of a login.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD") && self.path != "/auth"
    }
}

/// A proxy on a socket of its own, which ends when this is dropped.
pub struct Proxy {
    // In this order: the runtime ends before the socket's directory goes.
    _runtime: Runtime,
    dir: TempDir,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    fault: fault::Plan,
    /// Ids of config objects that were seen to be skep's own.
    bookkeeping: Vec<String>,
}

impl Proxy {
    /// Starts a proxy to an engine's socket.
    pub fn start(engine: &Path) -> Proxy {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let dir = tempfile::tempdir().expect("a directory");
        let state = Arc::new(Mutex::new(State::default()));
        let listener = {
            let _context = runtime.enter();
            tokio::net::UnixListener::bind(dir.path().join("docker.sock")).expect("a socket")
        };
        runtime.spawn(relay::serve(listener, engine.to_owned(), Arc::clone(&state)));
        Proxy { _runtime: runtime, dir, state }
    }

    /// The socket it listens on.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("docker.sock")
    }

    /// `DOCKER_HOST` for whoever is to be watched.
    pub fn docker_host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Everything asked since the start, or since [`Proxy::forget`].
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// The requests that may have changed something.
    pub fn writes(&self) -> Vec<Request> {
        self.requests().into_iter().filter(Request::is_write).collect()
    }

    /// The writes to the users' objects: without skep's own records and lease.
    pub fn object_writes(&self) -> Vec<Request> {
        self.writes().into_iter().filter(|request| !request.bookkeeping).collect()
    }

    /// Forgets what passed so far.
    pub fn forget(&self) {
        self.lock().requests.clear();
    }

    /// Arms a fault, in place of an earlier one; writes are counted from now.
    pub fn arm(&self, fault: Fault) {
        self.lock().fault = fault::Plan::new(fault);
    }

    /// Lets everything pass again, answers that are held included.
    pub fn disarm(&self) {
        self.lock().fault = fault::Plan::default();
    }

    /// Waits until the armed fault has happened.
    #[track_caller]
    pub fn wait_fault(&self, within: Duration) {
        wait_until(within, "the fault happened", || self.fault_happened());
    }

    /// Whether the armed fault has happened.
    pub fn fault_happened(&self) -> bool {
        self.lock().fault.has_happened()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while the state is held")
    }
}
