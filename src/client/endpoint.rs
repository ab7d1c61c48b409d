//! Where the engine is: a socket, a host, or a host behind ssh.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;

use super::tls::{self, Tls, TlsError};

/// The socket that is meant where nothing else is said.
pub const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
/// The port of an engine without TLS.
const PLAIN_PORT: u16 = 2375;
/// The port of an engine with TLS.
const TLS_PORT: u16 = 2376;

/// Why a text names no engine.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The scheme is none of unix, tcp, http, https, ssh.
    #[error("`{0}` names no engine: it must begin with unix://, tcp://, http://, https:// or ssh://")]
    Scheme(String),
    /// It is no URL of its scheme.
    #[error("`{host}` names no engine: {problem}")]
    Form {
        /// The text as given, credentials hidden.
        host: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The certificates cannot be used.
    #[error("the TLS settings for the engine cannot be used")]
    Tls(#[from] TlsError),
}

/// Where the engine is. `Display` gives it back as `DOCKER_HOST` would have it.
#[derive(Debug, Clone)]
pub struct Endpoint(pub(super) Address);

#[derive(Debug, Clone)]
pub(super) enum Address {
    Unix(PathBuf),
    Tcp(Tcp),
    Ssh(Ssh),
}

#[derive(Debug, Clone)]
pub(super) struct Tcp {
    /// The host as a URL writes it: an IPv6 address in brackets.
    pub authority: String,
    /// The host and port to dial.
    pub dial: (String, u16),
    /// A path that stands before every request's.
    pub base: String,
    /// The name the certificate must bear, and the settings to check it with.
    pub tls: Option<(ServerName<'static>, Arc<rustls::ClientConfig>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ssh {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    /// The engine's socket on that host, where it is not the one the docker command there would choose.
    pub socket: Option<String>,
}

impl Endpoint {
    /// Reads a text as `DOCKER_HOST` has it. An empty one means the default socket. `tls` matters to `tcp://` alone, as
    /// in the docker command; `https://` has TLS in any case.
    ///
    /// # Errors
    /// [`EndpointError`] for a text that names no engine and for certificates that cannot be used.
    pub fn parse(host: &str, tls: Option<Tls>) -> Result<Self, EndpointError> {
        let host = if host.is_empty() { DEFAULT_HOST } else { host };
        let Some((scheme, rest)) = host.split_once("://") else {
            return Err(EndpointError::Scheme(host.to_owned()));
        };
        let form = |problem| EndpointError::Form { host: crate::model::RedactedUrl::new(host).to_string(), problem };
        match scheme {
            "unix" if rest.is_empty() => Err(form("it has no path")),
            "unix" => Ok(Self(Address::Unix(PathBuf::from(rest)))),
            "tcp" | "http" | "https" => {
                let tls = match (scheme, tls) {
                    ("https", None) => Some(Tls::default()),
                    ("http", _) => None,
                    (_, tls) => tls,
                };
                Self::tcp(rest, tls, form)
            }
            "ssh" => Self::ssh(rest, form),
            _ => Err(EndpointError::Scheme(host.to_owned())),
        }
    }

    fn tcp(rest: &str, tls: Option<Tls>, form: impl Fn(&'static str) -> EndpointError) -> Result<Self, EndpointError> {
        let url = url::Url::parse(&format!("http://{rest}")).map_err(|_| form("it has no host and port"))?;
        let name = url.host_str().filter(|name| !name.is_empty()).ok_or_else(|| form("it has no host"))?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(form("it may hold a host, a port and a path only"));
        }
        let default = if tls.is_some() { TLS_PORT } else { PLAIN_PORT };
        // The URL type takes port 80 for silence, so it is looked for in the text.
        let authority = rest.split('/').next().unwrap_or(rest);
        let port = match url.port() {
            Some(port) => port,
            None if authority.ends_with(":80") => 80,
            None => default,
        };
        let dial = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match tls {
            Some(tls) => {
                let server =
                    ServerName::try_from(dial.clone()).map_err(|_| form("no certificate bears such a name"))?;
                Some((server, tls::client_config(&tls)?))
            }
            None => None,
        };
        Ok(Self(Address::Tcp(Tcp {
            authority: format!("{name}:{port}"),
            dial: (dial, port),
            base: url.path().trim_end_matches('/').to_owned(),
            tls,
        })))
    }

    fn ssh(rest: &str, form: impl Fn(&'static str) -> EndpointError) -> Result<Self, EndpointError> {
        let url = url::Url::parse(&format!("ssh://{rest}")).map_err(|_| form("it has no host"))?;
        let name = url.host_str().filter(|name| !name.is_empty()).ok_or_else(|| form("it has no host"))?;
        if url.password().is_some() {
            return Err(form("a password cannot stand in it; use a key or an agent"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(form("it may hold a user, a host, a port and a socket's path only"));
        }
        // ssh would take such a host or user for an option.
        if name.starts_with('-') || url.username().starts_with('-') {
            return Err(form("user and host may not begin with a dash"));
        }
        // The other side's shell reads the path.
        let socket = Some(url.path()).filter(|path| !matches!(*path, "" | "/"));
        if socket.is_some_and(|path| !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b))) {
            return Err(form("a socket's path may hold letters, digits, `/`, `.`, `_` and `-` only"));
        }
        Ok(Self(Address::Ssh(Ssh {
            user: Some(url.username()).filter(|user| !user.is_empty()).map(str::to_owned),
            host: name.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port(),
            socket: socket.map(str::to_owned),
        })))
    }

    /// What stands in the `Host` header.
    pub(super) fn authority(&self) -> &str {
        match &self.0 {
            Address::Tcp(tcp) => &tcp.authority,
            // Not a name that anything resolves; Go's server wants one.
            Address::Unix(_) | Address::Ssh(_) => "engine.localhost",
        }
    }

    /// What stands before every request's path.
    pub(super) fn base(&self) -> &str {
        match &self.0 {
            Address::Tcp(tcp) => &tcp.base,
            Address::Unix(_) | Address::Ssh(_) => "",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Tcp(tcp) => write!(f, "tcp://{}{}", tcp.authority, tcp.base),
            Address::Ssh(ssh) => {
                f.write_str("ssh://")?;
                if let Some(user) = &ssh.user {
                    write!(f, "{user}@")?;
                }
                if ssh.host.contains(':') { write!(f, "[{}]", ssh.host) } else { f.write_str(&ssh.host) }?;
                if let Some(port) = ssh.port {
                    write!(f, ":{port}")?;
                }
                f.write_str(ssh.socket.as_deref().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_docker_takes_is_taken() {
        for (given, shown) in [
            ("", DEFAULT_HOST),
            ("unix:///run/x.sock", "unix:///run/x.sock"),
            ("tcp://10.0.0.1", "tcp://10.0.0.1:2375"),
            ("tcp://10.0.0.1:80", "tcp://10.0.0.1:80"),
            ("http://h:1/base/", "tcp://h:1/base"),
            ("tcp://[fd00::1]:9", "tcp://[fd00::1]:9"),
            ("https://h", "tcp://h:2376"),
            ("ssh://me@h:22", "ssh://me@h:22"),
            ("ssh://h/run/user/1000/docker.sock", "ssh://h/run/user/1000/docker.sock"),
            ("ssh://[fd00::1]", "ssh://[fd00::1]"),
        ] {
            assert_eq!(Endpoint::parse(given, None).expect(given).to_string(), shown);
        }
        assert_eq!(Endpoint::parse("tcp://h", Some(Tls::default())).expect("valid").to_string(), "tcp://h:2376");
    }

    #[test]
    fn what_names_no_engine_is_refused() {
        for bad in [
            "10.0.0.1:2375",
            "npipe:////./pipe/x",
            "fd://",
            "unix://",
            "tcp://",
            "tcp://u:p@h",
            "tcp://h?x",
            "ssh://",
            "ssh://u:p@h",
            "ssh://-oProxyCommand=x",
            "ssh://-l@h",
            "ssh://h/a;b",
            "ssh://h/$(x)",
        ] {
            assert!(Endpoint::parse(bad, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_repeated_in_the_error() {
        let error = Endpoint::parse("ssh://u:pa55word@h", None).expect_err("refused");
        assert!(!error.to_string().contains("pa55word"), "{error}");
    }
}
