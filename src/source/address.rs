//! Where a repository is: on this machine, or behind http(s) or ssh.

use std::path::PathBuf;

use url::Url;

use super::Error;
use crate::model::RedactedUrl;

/// The address of a repository, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A path or a `file://` URL: read in place.
    Local(PathBuf),
    /// Behind a network: cloned.
    Remote(Remote),
}

/// How a remote repository is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In clear text.
    Http,
    /// Over TLS.
    Https,
    /// `ssh://` or the short form `user@host:path`.
    Ssh,
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            "ssh" | "git+ssh" | "ssh+git" => Some(Scheme::Ssh),
            _ => None,
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Ssh => 22,
        }
    }
}

/// The parts of a remote address that decide about credentials and host keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// The user in the address, if there is one.
    pub user: Option<String>,
    /// The host in lower case; an IPv6 address without its brackets.
    pub host: String,
    /// The port, the scheme's own where the address names none.
    pub port: u16,
    /// The path without a leading slash, `..` resolved.
    pub path: String,
}

impl Address {
    /// Understands a URL, an scp-like address or a path.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for other schemes (`git://` proves nothing about the server) and for malformed URLs.
    pub fn parse(url: &RedactedUrl) -> Result<Self, Error> {
        let text = url.reveal();
        let unsupported = || Error::Unsupported { url: url.clone() };
        if text.starts_with("file://") {
            let path = Url::parse(text).ok().and_then(|parsed| parsed.to_file_path().ok());
            return path.map(Address::Local).ok_or_else(unsupported);
        }
        if text.is_empty() || text.starts_with('-') {
            return Err(unsupported());
        }
        if text.contains("://") || short_form(text).is_some() {
            return Remote::parse(text).map(Address::Remote).ok_or_else(unsupported);
        }
        Ok(Address::Local(PathBuf::from(text)))
    }
}

impl Remote {
    /// Understands a URL or an scp-like address; `None` where it is neither or of an unknown scheme.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.contains("://") {
            let (user, host, path) = short_form(text)?;
            let (user, host) = (user.map(str::to_owned), host.to_ascii_lowercase());
            return Some(Self { scheme: Scheme::Ssh, user, host, port: 22, path: trimmed(path) });
        }
        let url = Url::parse(text).ok()?;
        let scheme = Scheme::parse(url.scheme())?;
        let host = url.host_str()?.trim_matches(['[', ']']).to_ascii_lowercase();
        let user = (!url.username().is_empty()).then(|| url.username().to_owned());
        Some(Self { scheme, user, host, port: url.port().unwrap_or(scheme.default_port()), path: trimmed(url.path()) })
    }

    /// The host as a known_hosts file writes it: with the port where it is not 22.
    pub fn known_hosts_name(&self) -> String {
        if self.port == 22 { self.host.clone() } else { format!("[{}]:{}", self.host, self.port) }
    }
}

/// A prefix of remote addresses: a scheme, perhaps a host, perhaps the first segments of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    scheme: Scheme,
    below: Option<Remote>,
}

impl Prefix {
    /// Understands `https://`, `https://host`, `https://host/team/`, `ssh://git@host`, `git@host:team`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(scheme) = text.strip_suffix("://") {
            return Scheme::parse(scheme).map(|scheme| Self { scheme, below: None });
        }
        let below = Remote::parse(text)?;
        Some(Self { scheme: below.scheme, below: Some(below) })
    }

    /// Whether it covers the address: whole segments only, so that `…/team` covers neither `…/team-b` nor another host
    /// whose name begins alike.
    pub fn covers(&self, remote: &Remote) -> bool {
        let Some(below) = &self.below else { return self.scheme == remote.scheme };
        self.scheme == remote.scheme
            && below.host == remote.host
            && below.port == remote.port
            && (below.user.is_none() || remote.user.is_none() || below.user == remote.user)
            && match remote.path.strip_prefix(&below.path) {
                Some(rest) => below.path.is_empty() || rest.is_empty() || rest.starts_with('/') || rest == ".git",
                None => false,
            }
    }

    /// How much of an address it fixes: the longer one wins.
    pub fn length(&self) -> usize {
        self.below.as_ref().map_or(0, |below| 1 + below.path.len())
    }
}

/// `[user@]host:path`: a colon before any slash, as git tells it from a path.
fn short_form(text: &str) -> Option<(Option<&str>, &str, &str)> {
    let (user, rest) = match text.split_once('@') {
        Some((user, rest)) if !user.contains(['/', ':']) => (Some(user), rest),
        _ => (None, text),
    };
    let (host, path) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once("]:")?,
        None => rest.split_once(':')?,
    };
    (!host.is_empty() && !host.contains('/') && !host.starts_with('-') && !path.is_empty())
        .then_some((user, host, path))
}

fn trimmed(path: &str) -> String {
    path.trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<Address, Error> {
        Address::parse(&RedactedUrl::new(text))
    }

    #[test]
    fn paths_are_local_and_everything_else_says_how_it_is_reached() {
        for (text, path) in
            [("/srv/a", "/srv/a"), ("./a:b", "./a:b"), ("fleet", "fleet"), ("file:///srv/a%20b", "/srv/a b")]
        {
            assert_eq!(address(text), Ok(Address::Local(path.into())), "{text}");
        }
        for (text, scheme, user, host, port, path) in [
            ("https://Git.Example.org/team/a.git", Scheme::Https, None, "git.example.org", 443, "team/a.git"),
            ("http://u:p@[::1]:81/a", Scheme::Http, Some("u"), "::1", 81, "a"),
            ("ssh://git@host:2222/~/a", Scheme::Ssh, Some("git"), "host", 2222, "~/a"),
            ("git@host:team/a.git", Scheme::Ssh, Some("git"), "host", 22, "team/a.git"),
        ] {
            let expected = Remote { scheme, user: user.map(str::to_owned), host: host.into(), port, path: path.into() };
            assert_eq!(address(text), Ok(Address::Remote(expected)), "{text}");
        }
        for text in ["git://host/a", "ftp://host/a", "", "-oProxyCommand=x", "file://host/a", "https:///a b"] {
            assert!(matches!(address(text), Err(Error::Unsupported { .. }) | Ok(Address::Remote(_))), "{text}");
        }
        assert!(address("git://host/a").is_err());
        assert!(address("-oProxyCommand=x").is_err());
    }

    #[test]
    fn a_prefix_covers_whole_segments_of_one_host() {
        for (prefix, url, covered) in [
            ("https://h", "https://h/team/a.git", true),
            ("https://h", "https://h.evil.org/a", false),
            ("https://h/team", "https://h/team/a.git", true),
            ("https://h/team/", "https://h/team/a.git", true),
            ("https://h/team", "https://h/team-b/a.git", false),
            ("https://h/team", "https://h/team/../other/a.git", false),
            ("https://h/team/a", "https://h/team/a.git", true),
            ("https://h", "http://h/a", false),
            ("https://h", "https://h:8443/a", false),
            ("https://", "https://anything/a", true),
            ("ssh://h", "git@h:team/a.git", true),
            ("git@h:team", "ssh://git@h/team/a", true),
            ("ssh://deploy@h", "git@h:team/a", false),
        ] {
            let (parsed, remote) = (Prefix::parse(prefix), Remote::parse(url));
            assert_eq!(parsed.zip(remote).map(|(p, r)| p.covers(&r)), Some(covered), "{prefix} {url}");
        }
        assert_eq!(Prefix::parse("git.example.org"), None);
    }
}
