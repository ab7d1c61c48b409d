//! Registries, asked directly: what a tag points to, for which platforms an image was made, and its own healthcheck.
//!
//! The engine's own answer to that ([`super::Client::distribution`]) says neither when a registry wants to be left alone
//! (`Retry-After`) nor what stands in an image's configuration. What the engine alone can reach (behind a mirror, with an
//! authority that only it knows) is [`Refusal::Unreachable`] here, and is to be asked through it.

mod challenge;
mod connector;
mod insecure;
mod manifest;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::Timestamp;

use super::registry::Login;
use crate::model::{Digest, Secret};
use crate::swarm::image::{DEFAULT_HOST, ImageReference};
use challenge::Challenge;
use connector::Connector;
pub use insecure::Insecure;
pub use manifest::{Facts, Manifest};
use token::Token;

/// Where the default registry answers.
const DEFAULT_API: &str = "registry-1.docker.io";
/// The most a manifest or a configuration may hold. Registries themselves take 4 MiB.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// What skep calls itself.
const AGENT: &str = concat!("skep/", env!("CARGO_PKG_VERSION"));
/// How often a registry may send on to where it keeps a blob.
const MAX_REDIRECTS: usize = 3;
/// The longest a registry is left alone: what asks for more has made a mistake.
const MAX_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);
/// What is said by those who do not know the question for the head alone.
const NO_HEAD: [&str; 3] = ["it answers 400", "it answers 405", "it answers 501"];
/// The header in which a registry says what it speaks of.
const CONTENT_DIGEST: &str = "docker-content-digest";

/// Why a registry did not say what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has none of that name, tag or digest.
    #[error("it has none of that name")]
    Missing,
    /// It does not tell these credentials, or wants some.
    #[error("it does not give it to skep")]
    Denied,
    /// It was asked too often: for how long it wants to be left alone, where it says so.
    #[error("it was asked too often")]
    Busy(Option<Duration>),
    /// There is no way to it from here. The engine may know one.
    #[error("{0}")]
    Unreachable(String),
    /// It is there and gave no answer that can be read: why, in a few words.
    #[error("{0}")]
    Unanswered(String),
}

/// A client for all registries. Nothing in it waits for ever by its own deadline: whoever asks has one.
pub struct Registries {
    http: legacy::Client<Connector, Full<Bytes>>,
    insecure: Arc<Insecure>,
    /// Which of them are known to speak without TLS: only those that the engine takes for insecure are tried.
    plain: Mutex<HashMap<String, bool>>,
    /// How each repository wants to be asked, by host and repository.
    ways: Mutex<HashMap<(String, String), Way>>,
}

/// How a repository wants to be asked.
#[derive(Debug, Clone)]
enum Way {
    Basic,
    Bearer(Token),
}

/// An answer of a registry.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Registries {
    /// A client that asks those registries without TLS, or without a look at their certificate, which the engine does.
    pub fn new(insecure: Insecure) -> Self {
        let insecure = Arc::new(insecure);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(4)
            .build(Connector::new(Arc::clone(&insecure)));
        Self { http, insecure, plain: Mutex::default(), ways: Mutex::default() }
    }

    /// The digest of what an image's tag points to: one request that registries do not count as a pull.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn digest(&self, image: &ImageReference, login: Option<&Login>) -> Result<String, Refusal> {
        let answer = self.ask(&Method::HEAD, image, &manifest_path(image), manifest::ACCEPTED, login).await;
        match answer {
            Ok(answer) => match named_digest(&answer.headers) {
                Some(digest) => Ok(digest),
                None => Ok(self.manifest(image, login).await?.digest),
            },
            // Not everybody answers a question for the head alone.
            Err(Refusal::Unanswered(why)) if NO_HEAD.contains(&why.as_str()) => {
                Ok(self.manifest(image, login).await?.digest)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// What an image's tag, or its digest where it has one, points to.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn manifest(&self, image: &ImageReference, login: Option<&Login>) -> Result<Manifest, Refusal> {
        let answer = self.ask(&Method::GET, image, &manifest_path(image), manifest::ACCEPTED, login).await?;
        let digest = match (image.digest(), named_digest(&answer.headers)) {
            (Some(digest), _) => digest.to_owned(),
            (None, Some(digest)) => digest,
            (None, None) => of(&answer.body),
        };
        check(&digest, &answer.body)?;
        let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        Manifest::read(digest, kind, &answer.body)
    }

    /// For which platforms an image was made, and with `healthcheck` its own healthcheck: that of the image for the first of
    /// `nodes` (operating system, architecture) that it is made for.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn facts(
        &self,
        image: &ImageReference,
        manifest: &Manifest,
        nodes: &[(String, String)],
        healthcheck: bool,
        login: Option<&Login>,
    ) -> Result<Facts, Refusal> {
        match &manifest.kind {
            manifest::Kind::Other => Ok(Facts::default()),
            manifest::Kind::Image { config } => self.configuration(image, config, login).await,
            manifest::Kind::Index(entries) => {
                let platforms = entries.iter().map(|entry| entry.platform.clone()).collect();
                let entry = manifest::suitable(entries, nodes).filter(|_| healthcheck);
                let Some(entry) = entry else { return Ok(Facts { platforms, ..Facts::default() }) };
                let one = image.clone().with_digest(&entry.digest);
                let one = one.map_err(|error| Refusal::Unanswered(error.to_string()))?;
                match self.manifest(&one, login).await?.kind {
                    manifest::Kind::Image { config } => {
                        Ok(Facts { platforms, ..self.configuration(image, &config, login).await? })
                    }
                    _ => Ok(Facts { platforms, ..Facts::default() }),
                }
            }
        }
    }

    async fn configuration(
        &self,
        image: &ImageReference,
        digest: &str,
        login: Option<&Login>,
    ) -> Result<Facts, Refusal> {
        let path = format!("/v2/{}/blobs/{digest}", image.path());
        let answer = self.ask(&Method::GET, image, &path, "*/*", login).await?;
        check(digest, &answer.body)?;
        Facts::read(&answer.body)
    }

    /// Asks, with credentials where the registry wants some.
    async fn ask(
        &self,
        method: &Method,
        image: &ImageReference,
        path: &str,
        accept: &str,
        login: Option<&Login>,
    ) -> Result<Answer, Refusal> {
        let host = if image.host() == DEFAULT_HOST { DEFAULT_API } else { image.host() };
        let key = (host.to_owned(), image.path().to_owned());
        let known = self.ways.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let authorization = known.and_then(|way| header_of(&way, login));
        let answer = self.send(method, host, path, accept, authorization).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return judged(answer);
        }
        let way = match Challenge::of(answer.headers.get_all(WWW_AUTHENTICATE)) {
            Some(Challenge::Basic) => Way::Basic,
            Some(Challenge::Bearer(challenge)) => Way::Bearer(self.token(host, image.path(), &challenge, login).await?),
            None => return Err(Refusal::Denied),
        };
        let authorization = header_of(&way, login).ok_or(Refusal::Denied)?;
        let answer = judged(self.send(method, host, path, accept, Some(authorization)).await?)?;
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).insert(key, way);
        Ok(answer)
    }

    /// Sends one request, and follows where it leads.
    async fn send(
        &self,
        method: &Method,
        host: &str,
        path: &str,
        accept: &str,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Refusal> {
        let head = |uri: &str, authorization: Option<&HeaderValue>| {
            let mut request =
                Request::builder().method(method).uri(uri).header(ACCEPT, accept).header(USER_AGENT, AGENT);
            if let Some(value) = authorization {
                request = request.header(AUTHORIZATION, value);
            }
            request.body(Full::default()).map_err(|error| Refusal::Unanswered(error.to_string()))
        };
        let (mut uri, mut answer) = match self.is_plain(host) {
            Some(plain) => {
                let uri = format!("{}://{host}{path}", if plain { "http" } else { "https" });
                let answer = self.once(head(&uri, authorization.as_ref())?).await?;
                (uri, answer)
            }
            // As the engine does: TLS first, and without it only where that fails.
            None => {
                let secure = format!("https://{host}{path}");
                match self.once(head(&secure, authorization.as_ref())?).await {
                    Err(Refusal::Unreachable(_)) => {
                        let uri = format!("http://{host}{path}");
                        let answer = self.once(head(&uri, authorization.as_ref())?).await?;
                        self.remember(host, true);
                        (uri, answer)
                    }
                    answer => {
                        let answer = answer?;
                        self.remember(host, false);
                        (secure, answer)
                    }
                }
            }
        };
        for _ in 0..MAX_REDIRECTS {
            let Some(next) = led_to(&answer, &uri) else { break };
            let is_secure = next.starts_with("https://");
            if !is_secure && !self.insecure.covers(host) {
                return Err(Refusal::Unanswered("it leads to an address without TLS".to_owned()));
            }
            // Credentials are for the registry, and not for where it keeps its blobs.
            let same = authority(&next) == authority(&uri);
            answer = self.once(head(&next, authorization.as_ref().filter(|_| same))?).await?;
            uri = next;
        }
        Ok(answer)
    }

    /// Whether a host is asked without TLS; `None` where that is to be found out.
    fn is_plain(&self, host: &str) -> Option<bool> {
        if !self.insecure.covers(host) {
            return Some(false);
        }
        self.plain.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied()
    }

    fn remember(&self, host: &str, is_plain: bool) {
        self.plain.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), is_plain);
    }

    async fn once(&self, request: Request<Full<Bytes>>) -> Result<Answer, Refusal> {
        let answer = self.http.request(request).await.map_err(|error| {
            let cause = super::transport::root_cause(&error);
            if error.is_connect() { Refusal::Unreachable(cause) } else { Refusal::Unanswered(cause) }
        })?;
        let (head, mut body) = answer.into_parts();
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refusal::Unanswered(super::transport::root_cause(&error)))?;
            if let Ok(data) = frame.into_data() {
                if whole.len() + data.len() > MAX_BODY {
                    return Err(Refusal::Unanswered("its answer is too large".to_owned()));
                }
                whole.extend_from_slice(&data);
            }
        }
        Ok(Answer { status: head.status, headers: head.headers, body: whole.freeze() })
    }
}

fn manifest_path(image: &ImageReference) -> String {
    let image = image.clone().with_latest();
    let reference = image.digest().or(image.tag()).unwrap_or_default();
    format!("/v2/{}/manifests/{reference}", image.path())
}

/// What a registry says of an answer's content, where it is a digest.
fn named_digest(headers: &HeaderMap) -> Option<String> {
    let named = headers.get(CONTENT_DIGEST)?.to_str().ok()?;
    let image = ImageReference::parse("a").ok()?.with_digest(named).ok()?;
    image.digest().map(str::to_owned)
}

/// Nothing is believed that is not what it was asked for. Digests of other algorithms than the common one are left to the
/// engine, which checks what it pulls.
fn check(digest: &str, body: &[u8]) -> Result<(), Refusal> {
    if digest.starts_with("sha256:") && of(body) != digest {
        return Err(Refusal::Unanswered("its answer is not what its digest says".to_owned()));
    }
    Ok(())
}

fn of(body: &[u8]) -> String {
    format!("sha256:{}", Digest::of(body))
}

fn header_of(way: &Way, login: Option<&Login>) -> Option<HeaderValue> {
    let text = match (way, login) {
        (Way::Basic, Some(login)) => basic(login)?,
        (Way::Basic, None) => return None,
        (Way::Bearer(token), _) => Secret::new(format!("Bearer {}", token.valid()?.reveal())),
    };
    let mut value = HeaderValue::from_str(text.reveal()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn basic(login: &Login) -> Option<Secret<String>> {
    let Login::Password { name, password } = login else { return None };
    Some(Secret::new(format!("Basic {}", STANDARD.encode(format!("{name}:{}", password.reveal())))))
}

fn judged(answer: Answer) -> Result<Answer, Refusal> {
    let pause = || answer.headers.get("retry-after").and_then(|value| retry_after(value.to_str().ok()?));
    match answer.status {
        status if status.is_success() => Ok(answer),
        StatusCode::NOT_FOUND => Err(Refusal::Missing),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Refusal::Denied),
        StatusCode::TOO_MANY_REQUESTS => Err(Refusal::Busy(pause())),
        StatusCode::SERVICE_UNAVAILABLE if pause().is_some() => Err(Refusal::Busy(pause())),
        status => Err(Refusal::Unanswered(format!("it answers {}", status.as_u16()))),
    }
}

/// A pause in seconds, or until a moment of the wall clock.
fn retry_after(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(MAX_PAUSE));
    }
    let until = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
    let pause = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
    Some(pause.min(MAX_PAUSE))
}

/// Where an answer sends on to.
fn led_to(answer: &Answer, from: &str) -> Option<String> {
    if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let place = answer.headers.get(LOCATION)?.to_str().ok()?;
    let next = url::Url::parse(from).ok()?.join(place).ok()?;
    matches!(next.scheme(), "http" | "https").then(|| next.to_string())
}

fn authority(uri: &str) -> Option<(String, u16)> {
    let uri: Uri = uri.parse().ok()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    Some((uri.host()?.to_owned(), port))
}
