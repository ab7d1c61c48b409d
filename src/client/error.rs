//! What can go wrong with a request, as decisions: each variant is something a caller does differently.
//!
//! The engine's statuses are no help by themselves (a stale version is a 500, an object in use a 400, a rename a 501), so
//! [`table`](Error::from_answer) maps status and message together, in one place.

use std::borrow::Cow;
use std::fmt;

use crate::model::{Confidential, Kind};

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// All objects of a kind were asked for.
    List,
    /// One object was asked for.
    Read,
    /// It was to be made.
    Create,
    /// It was to be written.
    Update,
    /// It was to be deleted.
    Delete,
}

impl Verb {
    /// The lower-case word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::List => "list",
            Verb::Read => "read",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Delete => "delete",
        }
    }
}

/// What was attempted. Its `Display` is the beginning of every message: `create service shop_web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// All objects of a kind were asked for.
    List(Kind),
    /// Something was done to one object.
    Object {
        /// What.
        verb: Verb,
        /// To an object of which kind.
        kind: Kind,
        /// Its name, or its id where no name is at hand.
        name: String,
    },
    /// The engine itself was asked something, in words that follow "to": `read the engine's version`.
    Engine(&'static str),
}

impl Attempt {
    /// Something done to one object.
    pub fn object(verb: Verb, kind: Kind, name: impl Into<String>) -> Self {
        Attempt::Object { verb, kind, name: name.into() }
    }

    /// What is done, where it is done to objects of the swarm.
    pub fn verb(&self) -> Option<Verb> {
        match self {
            Attempt::List(_) => Some(Verb::List),
            Attempt::Object { verb, .. } => Some(*verb),
            Attempt::Engine(_) => None,
        }
    }

    /// Whether it changes the swarm.
    pub fn is_write(&self) -> bool {
        matches!(self.verb(), Some(Verb::Create | Verb::Update | Verb::Delete))
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attempt::List(kind) => write!(f, "list {kind}s"),
            Attempt::Object { verb, kind, name } => write!(f, "{} {kind} {name}", verb.as_str()),
            Attempt::Engine(what) => f.write_str(what),
        }
    }
}

/// The circumstances of an [`Error`].
#[derive(Debug, thiserror::Error)]
#[error("{attempt}: {message}")]
pub struct Failure {
    /// What was attempted.
    pub attempt: Attempt,
    /// The engine's words, without what its RPC layer puts before them; or skep's own where no answer came.
    pub message: String,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// What was beneath it, where that says more.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine says there is no such object. Proof of absence only where it was asked for by its full id.
    #[error(transparent)]
    NotFound(Box<Failure>),
    /// The object was written since it was read. Read it, compare, and decide anew: it may be one's own write, which
    /// the engine's proxy sent twice.
    #[error(transparent)]
    Conflict(Box<Failure>),
    /// The name is taken; perhaps by one's own earlier attempt.
    #[error(transparent)]
    AlreadyExists(Box<Failure>),
    /// Something still uses the object.
    #[error(transparent)]
    InUse(Box<Failure>),
    /// The engine never changes this of an existing object: a config's data, a service's name or mode.
    #[error(transparent)]
    Immutable(Box<Failure>),
    /// The engine refuses the content.
    #[error(transparent)]
    Invalid(Box<Failure>),
    /// The engine belongs to a worker.
    #[error(transparent)]
    NotManager(Box<Failure>),
    /// The engine belongs to no swarm.
    #[error(transparent)]
    NoSwarm(Box<Failure>),
    /// The engine or a proxy before it does not let this client in.
    #[error(transparent)]
    Unauthorized(Box<Failure>),
    /// The engine's API is older or newer than what this version of skep speaks.
    #[error(transparent)]
    Incompatible(Box<Failure>),
    /// Nobody answers: no engine, or a swarm without a leader.
    #[error(transparent)]
    Unavailable(Box<Failure>),
    /// No answer in time.
    #[error(transparent)]
    Timeout(Box<Failure>),
    /// The answer is not what the API promises.
    #[error(transparent)]
    Decode(Box<Failure>),
    /// The engine failed in a way that has no row in the table.
    #[error(transparent)]
    Unexpected(Box<Failure>),
}

/// When it is worth trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Later, and later each time: the fault is in the way to the engine, or in the swarm's state.
    Transient,
    /// Soon, after reading again: the world is not what it was when the decision was made.
    Conflict,
    /// Not before something changed: the wish itself is refused.
    Permanent,
}

impl Class {
    /// A stable word, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Transient => "transient",
            Class::Conflict => "conflict",
            Class::Permanent => "permanent",
        }
    }
}

impl Error {
    /// Hides texts that must not be shown in the engine's words, which may repeat what was sent.
    pub fn conceal(&mut self, confidential: &Confidential) {
        let (Error::NotFound(failure)
        | Error::Conflict(failure)
        | Error::AlreadyExists(failure)
        | Error::InUse(failure)
        | Error::Immutable(failure)
        | Error::Invalid(failure)
        | Error::NotManager(failure)
        | Error::NoSwarm(failure)
        | Error::Unauthorized(failure)
        | Error::Incompatible(failure)
        | Error::Unavailable(failure)
        | Error::Timeout(failure)
        | Error::Decode(failure)
        | Error::Unexpected(failure)) = self;
        if let Cow::Owned(hidden) = confidential.hide_inside(&failure.message) {
            failure.message = hidden;
        }
    }
}

type Decide = fn(Box<Failure>) -> Error;

/// What the engine says and what it means: the first row whose text the message contains, any status.
const TEXTS: &[(&str, Decide)] = &[
    ("update out of sequence", Error::Conflict),
    ("Worker nodes can't be used", Error::NotManager),
    ("Use \"docker swarm init\"", Error::NoSwarm),
    ("not part of a swarm", Error::NoSwarm),
    ("does not have a leader", Error::Unavailable),
    ("needs to be unlocked", Error::Unavailable),
    ("code = Unavailable", Error::Unavailable),
    ("code = DeadlineExceeded", Error::Timeout),
    ("context deadline exceeded", Error::Timeout),
    ("code = PermissionDenied", Error::Unauthorized),
    ("code = Unauthenticated", Error::Unauthorized),
    ("raft message is too large", Error::Invalid),
    // Of a constraint whose value has characters that the engine does not take, with the status 500.
    ("' is invalid", Error::Invalid),
    ("only updates to Labels are allowed", Error::Immutable),
    ("service mode change is not allowed", Error::Immutable),
    ("renaming services is not supported", Error::Immutable),
    // A port that "is already in use by" another service is a fault of the file and does not match.
    ("is in use by", Error::InUse),
    ("has active endpoints", Error::InUse),
    ("constraint expected", Error::Invalid),
    ("is too new. Maximum supported API version", Error::Incompatible),
    ("is too old. Minimum supported API version", Error::Incompatible),
    // A registry's refusals, which the engine passes on under a status of its own choice, 500 among them.
    ("no basic auth credentials", Error::Unauthorized),
    ("authentication required", Error::Unauthorized),
    ("incorrect username or password", Error::Unauthorized),
    ("denied: requested access", Error::Unauthorized),
    ("manifest unknown", Error::NotFound),
    ("name unknown", Error::NotFound),
    // An endpoint that the engine, or the proxy before it, does not have: nothing is known of the object.
    ("page not found", Error::Incompatible),
];

impl Error {
    /// What an answer other than success means. `body` is the whole of it.
    pub(super) fn from_answer(attempt: Attempt, status: u16, body: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Answer {
            message: String,
        }
        let answer = serde_json::from_slice::<Answer>(body).ok();
        let known = answer.is_some();
        let message = match answer {
            Some(answer) => answer.message,
            None => format!("status {status}{}", quoted(body)),
        };
        let decide = TEXTS
            .iter()
            .find(|(text, _)| message.contains(text))
            .map_or_else(|| by_status(&attempt, status, &message, known), |(_, decide)| *decide);
        decide(Box::new(Failure { attempt, message: without_rpc(&message), status: Some(status), source: None }))
    }

    /// The circumstances.
    pub fn failure(&self) -> &Failure {
        match self {
            Error::NotFound(failure)
            | Error::Conflict(failure)
            | Error::AlreadyExists(failure)
            | Error::InUse(failure)
            | Error::Immutable(failure)
            | Error::Invalid(failure)
            | Error::NotManager(failure)
            | Error::NoSwarm(failure)
            | Error::Unauthorized(failure)
            | Error::Incompatible(failure)
            | Error::Unavailable(failure)
            | Error::Timeout(failure)
            | Error::Decode(failure)
            | Error::Unexpected(failure) => failure,
        }
    }

    /// When it is worth trying again.
    pub fn class(&self) -> Class {
        match self {
            Error::NotFound(_) | Error::Conflict(_) | Error::AlreadyExists(_) | Error::InUse(_) => Class::Conflict,
            Error::Immutable(_) | Error::Invalid(_) => Class::Permanent,
            // A node can be promoted, a proxy opened, an engine replaced, without a word to whoever waits.
            Error::NotManager(_)
            | Error::NoSwarm(_)
            | Error::Unauthorized(_)
            | Error::Incompatible(_)
            | Error::Unavailable(_)
            | Error::Timeout(_)
            | Error::Decode(_)
            | Error::Unexpected(_) => Class::Transient,
        }
    }

    /// A stable word for the variant, for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Error::NotFound(_) => "not_found",
            Error::Conflict(_) => "conflict",
            Error::AlreadyExists(_) => "already_exists",
            Error::InUse(_) => "in_use",
            Error::Immutable(_) => "immutable",
            Error::Invalid(_) => "invalid",
            Error::NotManager(_) => "not_manager",
            Error::NoSwarm(_) => "no_swarm",
            Error::Unauthorized(_) => "unauthorized",
            Error::Incompatible(_) => "incompatible",
            Error::Unavailable(_) => "unavailable",
            Error::Timeout(_) => "timeout",
            Error::Decode(_) => "decode",
            Error::Unexpected(_) => "unexpected",
        }
    }

    /// Whether this was a write that may have taken effect all the same, now or seconds from now: no answer came, or the
    /// engine itself gave up waiting for it. Whoever sees this reads and compares before writing again.
    pub fn may_have_happened(&self) -> bool {
        self.failure().attempt.is_write()
            && match self {
                Error::Timeout(_) | Error::Decode(_) | Error::Unexpected(_) => true,
                Error::Unavailable(failure) => failure.status.is_some() || !is_connect(failure),
                _ => false,
            }
    }
}

/// Marks a failure that came before anything was sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ConnectFailed(pub String);

fn is_connect(failure: &Failure) -> bool {
    failure.source.as_ref().is_some_and(|source| source.is::<ConnectFailed>())
}

fn by_status(attempt: &Attempt, status: u16, message: &str, known: bool) -> Decide {
    let verb = attempt.verb();
    match status {
        502 | 503 | 429 => Error::Unavailable,
        408 | 504 => Error::Timeout,
        401 | 403 => Error::Unauthorized,
        // Only the engine's own words prove anything about an object.
        _ if !known => Error::Unexpected,
        400 | 413 => Error::Invalid,
        // What is not found by a creation is something it refers to.
        404 if verb == Some(Verb::Create) => Error::Invalid,
        404 => Error::NotFound,
        409 if verb == Some(Verb::Create) => Error::AlreadyExists,
        409 => Error::Conflict,
        501 => Error::Immutable,
        // 20.10 looks the networks of a spec up by name and calls a missing one its own failure.
        500 if message.starts_with("network ") && message.ends_with(" not found") => Error::Invalid,
        _ => Error::Unexpected,
    }
}

/// The first line of a plain text that is no engine's, such as Go's `Client sent an HTTP request to an HTTPS server.`
fn quoted(body: &[u8]) -> String {
    let line = std::str::from_utf8(body).ok().and_then(|text| text.lines().next()).unwrap_or_default().trim();
    let plain =
        !line.is_empty() && line.len() <= 160 && !line.starts_with(['<', '{', '[']) && !line.contains(char::is_control);
    if plain { format!(": {line}") } else { ", not in the words of an engine".to_owned() }
}

/// `rpc error: code = Unknown desc = update out of sequence` is for the engine's developers up to `desc = `.
fn without_rpc(message: &str) -> String {
    match message.strip_prefix("rpc error: ").and_then(|rest| rest.split_once(" desc = ")) {
        Some((_, words)) => words.to_owned(),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(verb: Verb, status: u16, message: &str) -> Error {
        let body = serde_json::json!({ "message": message }).to_string();
        Error::from_answer(Attempt::object(verb, Kind::Service, "shop_web"), status, body.as_bytes())
    }

    /// The engine's words as 20.10 says them, with what each must mean.
    #[test]
    fn every_known_answer_is_a_decision() {
        use Verb::{Create, Delete, Read, Update};
        for (verb, status, message, reason) in [
            (Update, 500, "rpc error: code = Unknown desc = update out of sequence", "conflict"),
            (Update, 400, "invalid service version '': strconv.ParseUint: parsing \"\": invalid syntax", "invalid"),
            (Read, 404, "service shop_web not found", "not_found"),
            (Delete, 404, "service shop_web not found", "not_found"),
            (
                Create,
                409,
                "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service shop_web already exists",
                "already_exists",
            ),
            (Create, 409, "network with name shop_default already exists", "already_exists"),
            (Update, 501, "rpc error: code = Unimplemented desc = service mode change is not allowed", "immutable"),
            (Update, 501, "rpc error: code = Unimplemented desc = renaming services is not supported", "immutable"),
            (Update, 400, "rpc error: code = InvalidArgument desc = only updates to Labels are allowed", "immutable"),
            (Create, 400, "rpc error: code = InvalidArgument desc = secret not found: y", "invalid"),
            (
                Create,
                400,
                "rpc error: code = InvalidArgument desc = EndpointSpec: port published with ingress mode can't be used with dnsrr mode",
                "invalid",
            ),
            (
                Create,
                400,
                "rpc error: code = InvalidArgument desc = EndpointSpec: duplicate published ports provided",
                "invalid",
            ),
            (
                Create,
                400,
                "rpc error: code = InvalidArgument desc = port '8080' is already in use by service 'st_a' (x) as an ingress port",
                "invalid",
            ),
            (Create, 500, "rpc error: code = Unknown desc = constraint expected one operator from ==, !=", "invalid"),
            (Create, 400, "unrecognized update order x", "invalid"),
            (Create, 500, "network nope not found", "invalid"),
            (
                Update,
                400,
                "rpc error: code = FailedPrecondition desc = service x does not have a previous spec",
                "invalid",
            ),
            (
                Delete,
                400,
                "rpc error: code = InvalidArgument desc = config 'c' is in use by the following service: s",
                "in_use",
            ),
            (Delete, 400, "rpc error: code = FailedPrecondition desc = network x is in use by task y", "in_use"),
            (
                Update,
                500,
                "rpc error: code = Unknown desc = raft: raft message is too large and can't be sent",
                "invalid",
            ),
            (
                Read,
                503,
                "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.",
                "no_swarm",
            ),
            (
                Read,
                503,
                "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
                "not_manager",
            ),
            (
                Update,
                500,
                "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.",
                "unavailable",
            ),
            (Update, 500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded", "timeout"),
            (Read, 400, "client version 1.53 is too new. Maximum supported API version is 1.41", "incompatible"),
            (Read, 404, "page not found", "incompatible"),
            (Read, 500, "Head \"http://r/v2/a/manifests/1\": no basic auth credentials", "unauthorized"),
            (Read, 500, "manifest unknown: manifest unknown", "not_found"),
            (Read, 500, "something nobody has seen", "unexpected"),
        ] {
            assert_eq!(answered(verb, status, message).reason(), reason, "{status} {message}");
        }
    }

    #[test]
    fn an_answer_that_is_not_the_engines_proves_no_absence() {
        let attempt = Attempt::object(Verb::Read, Kind::Service, "shop_web");
        let error = Error::from_answer(attempt, 404, b"<html>404 not found</html>");
        assert_eq!(error.reason(), "unexpected");
        assert_eq!(error.to_string(), "read service shop_web: status 404, not in the words of an engine");
        let attempt = Attempt::Engine("ask the engine for its API version");
        let error = Error::from_answer(attempt, 400, b"Client sent an HTTP request to an HTTPS server.\n");
        assert!(error.to_string().ends_with("status 400: Client sent an HTTP request to an HTTPS server."), "{error}");
    }

    #[test]
    fn what_the_engine_repeats_of_a_secret_is_hidden() {
        let mut confidential = Confidential::new();
        confidential.add("hunter2-and-more");
        let mut error = answered(Verb::Create, 400, "invalid argument: label hunter2-and-more is no good");
        error.conceal(&confidential);
        assert!(error.to_string().ends_with("label *** is no good"), "{error}");
    }

    #[test]
    fn a_message_begins_with_what_was_attempted_and_leaves_the_rpc_layer_out() {
        let error = answered(
            Verb::Create,
            409,
            "rpc error: code = AlreadyExists desc = name conflicts with an existing object",
        );
        assert_eq!(error.to_string(), "create service shop_web: name conflicts with an existing object");
    }

    #[test]
    fn an_unanswered_write_may_have_happened_and_a_refused_one_has_not() {
        let timeout =
            answered(Verb::Update, 500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded");
        assert!(timeout.may_have_happened());
        assert!(!answered(Verb::Update, 400, "no").may_have_happened());
        assert!(!answered(Verb::Read, 504, "no").may_have_happened());
        let attempt = || Attempt::object(Verb::Create, Kind::Config, "c");
        let failure = |source: Option<Box<dyn std::error::Error + Send + Sync>>| {
            Error::Unavailable(Box::new(Failure { attempt: attempt(), message: String::new(), status: None, source }))
        };
        assert!(!failure(Some(Box::new(ConnectFailed("no such file".into())))).may_have_happened());
        assert!(failure(None).may_have_happened());
    }
}
