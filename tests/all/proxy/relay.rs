//! Passing HTTP/1.1 on: bodies stream, so `/events` works; connections are kept.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};

use super::fault::Verdict;
use super::{Request as Record, State};

type Body = BoxBody<Bytes, hyper::Error>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(super) async fn serve(listener: UnixListener, engine: PathBuf, state: Arc<Mutex<State>>) {
    let engine: Arc<Path> = engine.into();
    while let Ok((stream, _)) = listener.accept().await {
        let (engine, state) = (Arc::clone(&engine), Arc::clone(&state));
        let service = service_fn(move |request| relay(request, Arc::clone(&engine), Arc::clone(&state)));
        // Its error is a client that went away, or a fault that was asked for.
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// An error closes the connection without an answer.
async fn relay(
    request: Request<Incoming>,
    engine: Arc<Path>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Body>, Failure> {
    let (head, body) = request.into_parts();
    let mut record = Record {
        at: Instant::now(),
        method: head.method.to_string(),
        path: without_version(head.uri.path()).to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body: Value::Null,
        credentials: head.headers.get("x-registry-auth").map(|header| credentials(header.as_bytes())),
        answered: None,
        status: None,
        bookkeeping: false,
    };
    let is_write = record.is_write();
    let body: Body = if is_write {
        let bytes = body.collect().await?.to_bytes();
        record.body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        whole(bytes)
    } else {
        body.boxed()
    };
    let (number, verdict) = {
        let mut state = lock(&state);
        record.bookkeeping = is_bookkeeping(&record, &state.bookkeeping);
        state.requests.push(record.clone());
        (state.requests.len() - 1, state.fault.judge(is_write && !record.is_lease()))
    };
    match verdict {
        Verdict::Delay(time) => tokio::time::sleep(time).await,
        Verdict::Refuse => return Err("refused on purpose".into()),
        Verdict::Pass | Verdict::Lose | Verdict::Hold(_) => {}
    }
    // A write that is on its way is carried out, even if the client goes away meanwhile.
    let answer = tokio::spawn(forward(Request::from_parts(head, body), engine)).await??;
    if !is_write {
        note(&state, number, &record, answer.status().as_u16());
        return Ok(answer);
    }
    let (head, body) = answer.into_parts();
    let bytes = body.collect().await?.to_bytes();
    learn(&state, &record, &bytes);
    match verdict {
        Verdict::Lose => {
            lock(&state).fault.happens();
            return Err("lost on purpose".into());
        }
        Verdict::Hold(mut released) => {
            lock(&state).fault.happens();
            // Ends with an error when the sender is dropped, which is what disarming does.
            let _ = released.changed().await;
        }
        Verdict::Pass | Verdict::Delay(_) | Verdict::Refuse => {}
    }
    note(&state, number, &record, head.status.as_u16());
    Ok(Response::from_parts(head, whole(bytes)))
}

async fn forward(request: Request<Body>, engine: Arc<Path>) -> Result<Response<Body>, Failure> {
    let stream = UnixStream::connect(engine).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?.map(|body| body.boxed()))
}

/// Writes the status down, unless the list was forgotten meanwhile and another request has the number.
fn note(state: &Mutex<State>, number: usize, record: &Record, status: u16) {
    if let Some(request) = lock(state).requests.get_mut(number)
        && request.status.is_none()
        && (&request.method, &request.path) == (&record.method, &record.path)
    {
        request.answered = Some(Instant::now());
        request.status = Some(status);
    }
}

/// The names of skep's own config objects begin with `skep.`; a deletion names only an id, so ids are remembered.
fn is_bookkeeping(record: &Record, known: &[String]) -> bool {
    let Some(rest) = record.path.strip_prefix("/configs/") else { return false };
    let id = rest.trim_end_matches("/update");
    let named = record.body["Name"].as_str().is_some_and(|name| name.starts_with("skep."));
    named || known.iter().any(|known| known == id)
}

fn learn(state: &Mutex<State>, record: &Record, answer: &[u8]) {
    if !record.bookkeeping {
        return;
    }
    let id = if record.path == "/configs/create" {
        let answer: Value = serde_json::from_slice(answer).unwrap_or(Value::Null);
        answer["ID"].as_str().map(str::to_owned)
    } else {
        record.path.strip_prefix("/configs/").map(|rest| rest.trim_end_matches("/update").to_owned())
    };
    lock(state).bookkeeping.extend(id);
}

/// The header is JSON in base64, of either alphabet; what is neither is shown as text.
fn credentials(header: &[u8]) -> Value {
    let decoded = URL_SAFE.decode(header).or_else(|_| STANDARD.decode(header)).unwrap_or_else(|_| header.to_vec());
    serde_json::from_slice(&decoded).unwrap_or_else(|_| String::from_utf8_lossy(&decoded).into_owned().into())
}

fn without_version(path: &str) -> &str {
    match path.strip_prefix("/v").and_then(|rest| rest.split_once('/')) {
        Some((version, rest)) if version.chars().all(|c| c.is_ascii_digit() || c == '.') => {
            &path[path.len() - rest.len() - 1..]
        }
        _ => path,
    }
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().expect("no panic while the state is held")
}
