//! One way to the engine for every request: pooled connections, the negotiated version in every path, a deadline for
//! every try, and a count.
//!
//! Bodies are never logged, neither way: they hold secrets and credentials.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout, timeout_at};

use super::connector::Connector;
use super::counts::RequestCounts;
use super::deadlines::Deadlines;
use super::endpoint::Endpoint;
use super::error::{Attempt, ConnectFailed, Error, Failure};
use super::registry::AuthHeader;
use super::version::{ApiVersion, NEWEST_API, OLDEST_API};

/// The most an answer may hold. 1,000 services make 2 MB; nothing legitimate comes near.
const MAX_ANSWER: usize = 256 * 1024 * 1024;
/// Credentials for the registry that the engine or its nodes will ask.
const REGISTRY_AUTH: &str = "x-registry-auth";
/// So many bytes are read at a time.
const READ: usize = 64 * 1024;
/// Between two tries of a read.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// One request for an object or a list.
pub(super) struct Call {
    pub attempt: Attempt,
    pub method: Method,
    /// Without version, with query.
    pub path: String,
    pub body: Bytes,
    pub auth: Option<AuthHeader>,
}

impl Call {
    pub(super) fn get(attempt: Attempt, path: String) -> Self {
        Self { attempt, method: Method::GET, path, body: Bytes::new(), auth: None }
    }
}

pub(super) struct Transport {
    http: legacy::Client<Connector, Body>,
    endpoint: Endpoint,
    deadlines: Deadlines,
    version: tokio::sync::Mutex<Option<ApiVersion>>,
    pub(super) counts: RequestCounts,
}

impl Transport {
    pub(super) fn new(endpoint: Endpoint, deadlines: Deadlines) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(8)
            // A buffer that grows with long lists would stay as long as its connection.
            .http1_read_buf_exact_size(READ)
            .build(Connector(endpoint.clone()));
        Self { http, endpoint, deadlines, version: tokio::sync::Mutex::new(None), counts: RequestCounts::default() }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// Reads, in as many tries as its deadline allows, and gives the whole body of a success.
    pub(super) async fn read(&self, call: &Call) -> Result<Bytes, Error> {
        let end = Instant::now() + self.deadlines.read;
        let version = self.negotiate(end).await?;
        self.read_until(call, Some(version), end).await.map(|(_, body)| body)
    }

    /// Writes once, and gives the whole body of a success.
    pub(super) async fn write(&self, call: &Call) -> Result<Bytes, Error> {
        let version = self.negotiate(Instant::now() + self.deadlines.read).await?;
        let end = Instant::now() + self.deadlines.write;
        self.try_once(call, Some(version), self.deadlines.write, end).await.map(|(_, body)| body)
    }

    /// The version in every path: the engine's, or the newest that is known here. Asked once.
    pub(super) async fn version(&self) -> Result<ApiVersion, Error> {
        self.negotiate(Instant::now() + self.deadlines.read).await
    }

    async fn negotiate(&self, end: Instant) -> Result<ApiVersion, Error> {
        let mut known = self.version.lock().await;
        if let Some(version) = *known {
            return Ok(version);
        }
        let attempt = || Attempt::Engine("ask the engine for its API version");
        let (head, _) = self.read_until(&Call::get(attempt(), "/_ping".to_owned()), None, end).await?;
        let said = head.headers.get("api-version").and_then(|value| value.to_str().ok());
        let version = match said.and_then(ApiVersion::parse) {
            Some(version) if version >= OLDEST_API => version.min(NEWEST_API),
            _ => {
                let message = match said {
                    Some(said) => format!("it speaks API {said}, skep needs {OLDEST_API} or newer (Engine 20.10)"),
                    None => "it does not say, so it is no Docker engine".to_owned(),
                };
                return Err(Error::Incompatible(failure(attempt(), message, None)));
            }
        };
        *known = Some(version);
        Ok(version)
    }

    async fn read_until(
        &self,
        call: &Call,
        version: Option<ApiVersion>,
        end: Instant,
    ) -> Result<(hyper::http::response::Parts, Bytes), Error> {
        loop {
            let error = match self.try_once(call, version, self.deadlines.read_try, end).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let first = version.is_none();
            if !is_worth_another_try(&error, first) || Instant::now() + PAUSE >= end {
                return Err(error);
            }
            tracing::debug!(attempt = %call.attempt, error = %error, "the engine did not answer, asking again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn try_once(
        &self,
        call: &Call,
        version: Option<ApiVersion>,
        patience: Duration,
        end: Instant,
    ) -> Result<(hyper::http::response::Parts, Bytes), Error> {
        let late = |_| {
            let message = format!("no answer from the engine at {} in time", self.endpoint);
            Error::Timeout(failure(call.attempt.clone(), message, None))
        };
        let body = Full::new(call.body.clone()).map_err(|never| match never {}).boxed_unsync();
        let mut request = Request::new(body);
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = self.uri(&call.path, version).map_err(|error| self.broken(&call.attempt, error))?;
        if !call.body.is_empty() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(auth) = &call.auth {
            let mut value = HeaderValue::from_str(auth.reveal())
                .map_err(|_| Error::Invalid(failure(call.attempt.clone(), "malformed credentials".into(), None)))?;
            value.set_sensitive(true);
            request.headers_mut().insert(REGISTRY_AUTH, value);
        }
        let limit = end.min(Instant::now() + patience);
        let response = match timeout_at(limit, self.http.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                self.counts.add(&call.method, 0);
                return Err(self.unreachable(&call.attempt, &error));
            }
            Err(elapsed) => {
                self.counts.add(&call.method, 0);
                return Err(late(elapsed));
            }
        };
        self.counts.add(&call.method, response.status().as_u16());
        let (head, body) = response.into_parts();
        let body = timeout_at(end, collect(body, patience)).await.map_err(late)?.map_err(|broken| match broken {
            Broken::Late => {
                let message = format!("the engine at {} stopped in the middle of its answer", self.endpoint);
                Error::Timeout(failure(call.attempt.clone(), message, None))
            }
            Broken::TooLarge => {
                let message = "the engine's answer is too large".to_owned();
                Error::Decode(failure(call.attempt.clone(), message, None))
            }
            Broken::Connection(error) => self.broken(&call.attempt, error),
        })?;
        if head.status.is_success() || head.status == StatusCode::NOT_MODIFIED {
            return Ok((head, body));
        }
        Err(Error::from_answer(call.attempt.clone(), head.status.as_u16(), &body))
    }

    /// Reads once, from something slower than the swarm's own store.
    pub(super) async fn read_slowly(&self, call: &Call, patience: Duration) -> Result<Bytes, Error> {
        let version = self.version().await?;
        self.try_once(call, Some(version), patience, Instant::now() + patience).await.map(|(_, body)| body)
    }

    /// Sends a request that somebody else made (bollard), with path, address and the alphabet of its credentials put
    /// right. No deadline, no retry.
    pub(super) async fn forward(
        &self,
        mut request: Request<Body>,
        attempt: &Attempt,
    ) -> Result<Response<Incoming>, Error> {
        let version = self.version().await?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        *request.uri_mut() = self.uri(&path, Some(version)).map_err(|error| self.broken(attempt, error))?;
        if let Some(auth) = request.headers_mut().get_mut(REGISTRY_AUTH) {
            // bollard writes the standard alphabet, Go reads the URL-safe one.
            let safe: Vec<u8> = auth
                .as_bytes()
                .iter()
                .map(|byte| match byte {
                    b'+' => b'-',
                    b'/' => b'_',
                    byte => *byte,
                })
                .collect();
            if let Ok(mut value) = HeaderValue::from_bytes(&safe) {
                value.set_sensitive(true);
                *auth = value;
            }
        }
        let method = request.method().clone();
        match self.http.request(request).await {
            Ok(response) => {
                self.counts.add(&method, response.status().as_u16());
                Ok(response)
            }
            Err(error) => {
                self.counts.add(&method, 0);
                Err(self.unreachable(attempt, &error))
            }
        }
    }

    fn uri(&self, path: &str, version: Option<ApiVersion>) -> Result<Uri, hyper::http::uri::InvalidUri> {
        let (authority, base) = (self.endpoint.authority(), self.endpoint.base());
        match version {
            Some(version) => format!("http://{authority}{base}/v{version}{path}").parse(),
            None => format!("http://{authority}{base}{path}").parse(),
        }
    }

    fn unreachable(&self, attempt: &Attempt, error: &legacy::Error) -> Error {
        let cause = root_cause(error);
        if !error.is_connect() {
            let message = format!("the connection to the engine at {} broke", self.endpoint);
            return Error::Unavailable(failure(attempt.clone(), message, Some(cause.into())));
        }
        let message = format!("cannot connect to the engine at {}", self.endpoint);
        let denied = io_kind(error) == Some(std::io::ErrorKind::PermissionDenied);
        let failure = failure(attempt.clone(), message, Some(Box::new(ConnectFailed(cause))));
        if denied { Error::Unauthorized(failure) } else { Error::Unavailable(failure) }
    }

    fn broken(&self, attempt: &Attempt, error: impl std::error::Error) -> Error {
        let message = format!("the connection to the engine at {} broke", self.endpoint);
        Error::Unavailable(failure(attempt.clone(), message, Some(root_cause(&error).into())))
    }
}

enum Broken {
    Late,
    TooLarge,
    Connection(hyper::Error),
}

/// Reads a body to its end, as long as each part comes within `patience`.
async fn collect(mut body: Incoming, patience: Duration) -> Result<Bytes, Broken> {
    let mut whole = bytes::BytesMut::new();
    while let Some(frame) = timeout(patience, body.frame()).await.map_err(|_| Broken::Late)? {
        if let Ok(data) = frame.map_err(Broken::Connection)?.into_data() {
            if whole.len() + data.len() > MAX_ANSWER {
                return Err(Broken::TooLarge);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

/// A swarm without a leader, a hung engine and a broken connection may be better in a moment. An engine that is not
/// there is told at once, and so is one with which not even the first words were exchanged: a certificate or key that is
/// refused shows as a broken connection. Whoever waits for an engine asks again itself.
fn is_worth_another_try(error: &Error, first: bool) -> bool {
    match error {
        Error::Timeout(_) => true,
        Error::Unavailable(failure) if failure.status.is_none() => {
            !first && !failure.source.as_ref().is_some_and(|source| source.is::<ConnectFailed>())
        }
        Error::Unavailable(_) => true,
        _ => false,
    }
}

pub(super) fn failure(
    attempt: Attempt,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
) -> Box<Failure> {
    Box::new(Failure { attempt, message, status: None, source })
}

/// What is at the bottom of a chain: hyper's own layers ("client error (Connect)") tell nobody anything.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<std::io::ErrorKind> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        cause = error.source();
    }
    None
}
