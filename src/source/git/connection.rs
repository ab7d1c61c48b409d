//! One conversation with a server: listing its references, or fetching from it.
//!
//! libgit2 reports what a callback refused as a general error, so the callbacks leave the cause here.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use git2::{
    AutotagOption, CertificateCheckStatus, Cred, CredentialType, Direction, ErrorClass, ErrorCode, FetchOptions,
    FetchPrune, ProxyOptions, RemoteCallbacks,
};

use super::library;
use super::reference::Advertised;
use crate::model::RedactedUrl;
use crate::source::Error;
use crate::source::address::{Remote, Scheme};
use crate::source::credential::{Credentials, Identity};
use crate::source::error::{Cause, HostKeyProblem, Refusal};
use crate::source::known_hosts::{KnownHosts, Verdict, fingerprint};

/// The most questions for a credential that are answered in one conversation: a name, a key, and the answers after one
/// redirection.
const MAX_QUESTIONS: u32 = 4;

/// A conversation with the server of one repository.
pub(super) struct Connection<'a> {
    url: &'a RedactedUrl,
    remote: &'a Remote,
    credentials: &'a Credentials,
    begun: Instant,
    limit: Duration,
    max_bytes: u64,
    known_hosts: Option<KnownHosts>,
    cause: RefCell<Option<Error>>,
    questions: Cell<u32>,
    shown: RefCell<Option<Remote>>,
}

impl<'a> Connection<'a> {
    /// Prepares one that may last `limit` and receive `max_bytes`, and reads what decides whether the server is trusted.
    pub fn new(
        url: &'a RedactedUrl,
        remote: &'a Remote,
        credentials: &'a Credentials,
        limit: Duration,
        max_bytes: u64,
    ) -> Result<Self, Error> {
        library::setup();
        let mut known_hosts = None;
        match remote.scheme {
            Scheme::Ssh => {
                known_hosts = credentials.known_hosts(remote)?.as_deref().map(KnownHosts::parse);
                let host = remote.known_hosts_name();
                let lines = known_hosts.as_ref().map(|known| known.lines(&host)).unwrap_or_default();
                if let Err(error) = library::prefer_host_keys(&host, lines) {
                    // Not fatal: the server's own preference is tried, and checked all the same.
                    tracing::debug!(%host, %error, "known host keys could not be handed to the git library");
                }
            }
            Scheme::Https => {
                if let Some((path, content)) = credentials.ca(remote)? {
                    let unusable = |source| Error::Credential { what: "CA", path: path.to_owned(), source };
                    library::trust(path, &content).map_err(unusable)?;
                }
            }
            Scheme::Http => {}
        }
        Ok(Self {
            url,
            remote,
            credentials,
            begun: Instant::now(),
            limit,
            max_bytes,
            known_hosts,
            cause: RefCell::default(),
            questions: Cell::default(),
            shown: RefCell::default(),
        })
    }

    /// The references that the server has.
    pub fn list(&self) -> Result<Vec<Advertised>, Error> {
        self.talk(|callbacks| {
            let mut remote = git2::Remote::create_detached(self.url.reveal())?;
            let connection = remote.connect_auth(Direction::Fetch, Some(callbacks), Some(proxy()))?;
            let heads = connection.list()?.iter().map(|head| Advertised {
                name: head.name().to_owned(),
                id: head.oid(),
                target: head.symref_target().map(str::to_owned),
            });
            Ok(heads.collect())
        })
    }

    /// Fetches every branch and tag, and `also` one more reference, into a bare repository of ours. That one is kept under a
    /// name of our own: it may be `HEAD`.
    pub fn fetch(&self, into: &git2::Repository, also: Option<&str>) -> Result<(), Error> {
        let mut wanted = vec!["+refs/heads/*:refs/heads/*".to_owned(), "+refs/tags/*:refs/tags/*".to_owned()];
        wanted.extend(also.map(|name| format!("+{name}:refs/skep/{name}")));
        self.talk(|callbacks| {
            let mut options = FetchOptions::new();
            options
                .remote_callbacks(callbacks)
                .proxy_options(proxy())
                .prune(FetchPrune::On)
                .download_tags(AutotagOption::None)
                .update_fetchhead(false);
            into.remote_anonymous(self.url.reveal())?.fetch(&wanted, Some(&mut options), None)
        })
        .map_err(|error| match error {
            Error::Clone { url, source, .. } => Error::Clone { url, path: into.path().to_owned(), source },
            error => error,
        })
    }

    fn talk<'c, T>(&'c self, talk: impl FnOnce(RemoteCallbacks<'c>) -> Result<T, git2::Error>) -> Result<T, Error> {
        self.cause.take();
        self.shown.take();
        self.questions.take();
        let mut callbacks = RemoteCallbacks::new();
        callbacks
            .credentials(|url, user, allowed| self.credential(url, user, allowed))
            .certificate_check(|certificate, host| match certificate.as_hostkey() {
                Some(key) => self.check_host_key(host, key.hostkey().unwrap_or_default()),
                None => Ok(CertificateCheckStatus::CertificatePassthrough),
            })
            .transfer_progress(|progress| self.may_go_on(progress.received_bytes() as u64))
            .sideband_progress(|_| self.may_go_on(0));
        talk(callbacks).map_err(|error| self.cause.take().unwrap_or_else(|| self.fault(&error)))
    }

    /// Called by libgit2 again after each refusal: the same answer twice is a refused one.
    fn credential(&self, url: &str, user: Option<&str>, allowed: CredentialType) -> Result<Cred, git2::Error> {
        let questions = self.questions.replace(self.questions.get() + 1);
        // After a redirection the URL is another one, and what is meant for this server is not for that one.
        let Some(remote) = Remote::parse(url) else { return Err(self.abort(self.refused(Refusal::NoCredential))) };
        if allowed.contains(CredentialType::USERNAME) && questions < MAX_QUESTIONS {
            return Cred::username(&self.credentials.username(&remote));
        }
        let refused = || self.refused(self.credentials.refusal(&remote, self.url));
        let again =
            self.shown.borrow().as_ref().is_some_and(|shown| (&shown.host, shown.port) == (&remote.host, remote.port));
        let identity = match self.credentials.identity(&remote) {
            Err(error) => return Err(self.abort(error)),
            Ok(Some(identity)) if !again && questions < MAX_QUESTIONS => identity,
            Ok(_) => return Err(self.abort(refused())),
        };
        self.shown.replace(Some(remote.clone()));
        match identity {
            Identity::Password { username, password } if allowed.contains(CredentialType::USER_PASS_PLAINTEXT) => {
                Cred::userpass_plaintext(user.unwrap_or(&username), password.reveal())
            }
            Identity::Key { username, key, passphrase } if allowed.contains(CredentialType::SSH_MEMORY) => {
                let passphrase = passphrase.as_ref().map(|passphrase| passphrase.reveal().as_str());
                Cred::ssh_key_from_memory(user.unwrap_or(&username), None, key.reveal(), passphrase)
            }
            // The server takes neither.
            _ => Err(self.abort(refused())),
        }
    }

    fn check_host_key(&self, connected: &str, key: &[u8]) -> Result<CertificateCheckStatus, git2::Error> {
        // libgit2 reads the URL itself: were it to find another host in it, we would check the wrong one.
        if !connected.trim_matches(['[', ']']).eq_ignore_ascii_case(&self.remote.host) {
            return Err(self.abort(Error::Unsupported { url: self.url.clone() }));
        }
        let host = self.remote.known_hosts_name();
        let offered = || fingerprint(key);
        let problem = match self.known_hosts.as_ref().map(|known| known.check(&host, key)) {
            Some(Verdict::Known) => return Ok(CertificateCheckStatus::CertificateOk),
            None => HostKeyProblem::NoFile,
            Some(Verdict::Unknown) => HostKeyProblem::Unknown { offered: offered() },
            Some(Verdict::Mismatch) => HostKeyProblem::Mismatch { offered: offered() },
            Some(Verdict::Revoked) => HostKeyProblem::Revoked { offered: offered() },
        };
        Err(self.abort(Error::HostKey { url: self.url.clone(), host, problem }))
    }

    fn may_go_on(&self, received: u64) -> bool {
        if self.begun.elapsed() > self.limit {
            self.cause.replace(Some(Error::Timeout { url: self.url.clone(), after: self.limit }));
            return false;
        }
        if received > self.max_bytes {
            let source = Cause::new(format!("it has more than {} bytes", self.max_bytes));
            self.cause.replace(Some(Error::Transport { url: self.url.clone(), source }));
            return false;
        }
        true
    }

    fn refused(&self, refusal: Refusal) -> Error {
        Error::Unauthorized { url: self.url.clone(), refusal }
    }

    fn abort(&self, error: Error) -> git2::Error {
        let text = error.to_string();
        self.cause.replace(Some(error));
        git2::Error::new(ErrorCode::Auth, ErrorClass::Callback, text)
    }

    /// What libgit2 failed with by itself.
    fn fault(&self, error: &git2::Error) -> Error {
        let url = self.url.clone();
        let message = error.message();
        let source = Cause::scrubbed(message, &url);
        let waited = self.begun.elapsed();
        // Messages are the only place where libgit2 tells these apart.
        let says = |words: &[&str]| words.iter().any(|word| message.to_ascii_lowercase().contains(word));
        match (error.code(), error.class()) {
            (ErrorCode::Timeout, _) => Error::Timeout { url, after: waited },
            _ if says(&["timed out", "timeout"]) => Error::Timeout { url, after: waited },
            // Over TLS the timeout of a read shows only as the reading call's EAGAIN, and libssh2 says only that it failed.
            (_, ErrorClass::Os) if says(&["temporarily unavailable"]) => Error::Timeout { url, after: waited },
            (_, ErrorClass::Ssh) if waited >= library::setup().answer_timeout => Error::Timeout { url, after: waited },
            (ErrorCode::Certificate, _) => Error::Certificate { url, source },
            (_, ErrorClass::Ssl) if says(&["certificate"]) => Error::Certificate { url, source },
            (ErrorCode::Auth, _) => self.refused(self.credentials.refusal(self.remote, self.url)),
            (_, ErrorClass::Http) if says(&["status code: 401"]) => self.refused(Refusal::Credential),
            (_, ErrorClass::Http) if says(&["status code: 403"]) => self.refused(Refusal::Forbidden),
            (_, ErrorClass::Http) if says(&["status code: 404", "status code: 410"]) => Error::NotFound { url },
            (_, ErrorClass::Http) if says(&["status code: 5", "status code: 429"]) => {
                Error::Unreachable { url, source }
            }
            (_, ErrorClass::Ssh)
                if says(&["not found", "does not appear", "does not exist", "no such", "could not read from"]) =>
            {
                Error::NotFound { url }
            }
            // A key that cannot be used: a wrong passphrase, or a form that libssh2 does not know.
            (_, ErrorClass::Ssh) if says(&["authenticat", "private key", "passphrase"]) => {
                self.refused(Refusal::Credential)
            }
            (_, ErrorClass::Ssh) if says(&["start ssh session"]) => Error::Unreachable { url, source },
            (_, ErrorClass::Os) if says(&["failed to connect", "ssl error"]) => Error::Unreachable { url, source },
            (_, ErrorClass::Net | ErrorClass::Ssl) | (ErrorCode::Eof, _) => Error::Unreachable { url, source },
            (
                _,
                ErrorClass::Os
                | ErrorClass::Odb
                | ErrorClass::Indexer
                | ErrorClass::Filesystem
                | ErrorClass::Reference
                | ErrorClass::Repository
                | ErrorClass::Zlib
                | ErrorClass::Object
                | ErrorClass::Config,
            ) => Error::Clone { url, path: std::path::PathBuf::new(), source },
            _ => Error::Transport { url, source },
        }
    }
}

/// The proxy that the environment names, as git does it.
fn proxy<'a>() -> ProxyOptions<'a> {
    let mut options = ProxyOptions::new();
    options.auto();
    options
}
