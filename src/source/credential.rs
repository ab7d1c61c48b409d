//! Which credential a repository gets. They come from files, chosen by the URL, and are read at each use, so that a
//! rotated secret needs no restart.

use std::path::{Path, PathBuf};

use super::address::{Prefix, Remote, Scheme};
use super::disk;
use super::error::{Cause, Error, Refusal};
use crate::model::{RedactedUrl, Secret};

/// A credential for all repositories below a URL. Every part is optional: for each of identity, known hosts and CA the
/// credential with the longest prefix that has it counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credential {
    /// What the URL must begin with, in whole segments: `https://git.example.org/team`, `ssh://git@host`, `git@host:team`,
    /// or only `https://`.
    pub prefix: String,
    /// The user. `git` where neither this nor the URL says.
    pub username: Option<String>,
    /// The file with the password or token.
    pub password_file: Option<PathBuf>,
    /// The file with the private SSH key.
    pub ssh_key_file: Option<PathBuf>,
    /// The file with the passphrase of that key.
    pub passphrase_file: Option<PathBuf>,
    /// The file with the host keys that are known, as OpenSSH writes it.
    pub known_hosts_file: Option<PathBuf>,
    /// The file with the certificates of the CAs that are trusted besides the system's, in PEM. The TLS library has one
    /// list of them: a CA named here is trusted for every https source of the process.
    pub ca_file: Option<PathBuf>,
}

/// The credentials of a source, longest prefix first.
#[derive(Debug, Clone, Default)]
pub(super) struct Credentials(Vec<(Prefix, Credential)>);

/// What to prove ourselves with.
pub(super) enum Identity {
    Password { username: String, password: Secret<String> },
    Key { username: String, key: Secret<String>, passphrase: Option<Secret<String>> },
}

impl Credentials {
    /// Sorts them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names a prefix that no address can have.
    pub fn new(credentials: Vec<Credential>) -> Result<Self, Error> {
        let mut sorted = Vec::with_capacity(credentials.len());
        for credential in credentials {
            let Some(prefix) = Prefix::parse(&credential.prefix) else {
                return Err(Error::Unsupported { url: RedactedUrl::new(credential.prefix) });
            };
            sorted.push((prefix, credential));
        }
        sorted.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.length()));
        Ok(Self(sorted))
    }

    /// Reads the identity for an address; `None` where no credential has one.
    pub fn identity(&self, remote: &Remote) -> Result<Option<Identity>, Error> {
        let identity = self.find(remote, |credential| {
            let file = match remote.scheme {
                Scheme::Ssh => credential.ssh_key_file.as_ref().or(credential.password_file.as_ref()),
                Scheme::Http | Scheme::Https => credential.password_file.as_ref(),
            };
            file.map(|file| (credential, file))
        });
        let Some((credential, file)) = identity else { return Ok(None) };
        let username = remote.user.as_ref().or(credential.username.as_ref()).map_or("git", String::as_str).to_owned();
        if remote.scheme == Scheme::Ssh && credential.ssh_key_file.is_some() {
            let key = Secret::new(read_text("ssh key", file)?);
            let passphrase = credential.passphrase_file.as_deref().map(|file| read_line("passphrase", file));
            return Ok(Some(Identity::Key { username, key, passphrase: passphrase.transpose()? }));
        }
        Ok(Some(Identity::Password { username, password: read_line("password", file)? }))
    }

    /// The user that SSH is spoken to as.
    pub fn username(&self, remote: &Remote) -> String {
        let configured = self.find(remote, |credential| credential.username.as_deref());
        remote.user.as_deref().or(configured).unwrap_or("git").to_owned()
    }

    /// Reads the known_hosts file for an address, if there is one.
    pub fn known_hosts(&self, remote: &Remote) -> Result<Option<String>, Error> {
        let file = self.find(remote, |credential| credential.known_hosts_file.as_deref());
        file.map(|file| read_text("known_hosts", file)).transpose()
    }

    /// Reads the CA file for an address, if there is one.
    pub fn ca(&self, remote: &Remote) -> Result<Option<(&Path, Vec<u8>)>, Error> {
        let file = self.find(remote, |credential| credential.ca_file.as_deref());
        file.map(|file| Ok((file, read("CA", file)?))).transpose()
    }

    /// Whether a server that refuses was shown something of ours.
    pub fn refusal(&self, remote: &Remote, url: &RedactedUrl) -> Refusal {
        let in_url = url.reveal().split_once("://").is_some_and(|(_, rest)| {
            rest.split('/').next().is_some_and(|authority| authority.contains('@')) && remote.scheme != Scheme::Ssh
        });
        match self.identity(remote) {
            Ok(None) if !in_url => Refusal::NoCredential,
            _ => Refusal::Credential,
        }
    }

    fn find<'a, T>(&'a self, remote: &Remote, part: impl Fn(&'a Credential) -> Option<T>) -> Option<T> {
        self.0.iter().filter(|(prefix, _)| prefix.covers(remote)).find_map(|(_, credential)| part(credential))
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    disk::read(path).map_err(|error| unusable(what, path, &error.to_string()))
}

fn read_text(what: &'static str, path: &Path) -> Result<String, Error> {
    String::from_utf8(read(what, path)?).map_err(|_| unusable(what, path, "it is not text"))
}

/// A secret on one line, without the line end that editors and `echo` leave.
fn read_line(what: &'static str, path: &Path) -> Result<Secret<String>, Error> {
    let text = read_text(what, path)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(unusable(what, path, "it is empty")),
        line => Ok(Secret::new(line.to_owned())),
    }
}

fn unusable(what: &'static str, path: &Path, cause: &str) -> Error {
    Error::Credential { what, path: path.to_owned(), source: Cause::new(cause) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(url: &str) -> Remote {
        Remote::parse(url).expect("an address")
    }

    fn password(credentials: &Credentials, url: &str) -> Option<(String, String)> {
        match credentials.identity(&remote(url)).expect("readable") {
            Some(Identity::Password { username, password }) => Some((username, password.reveal().clone())),
            Some(Identity::Key { .. }) => panic!("a key"),
            None => None,
        }
    }

    #[test]
    fn the_longest_prefix_decides_part_by_part() {
        let dir = tempfile::tempdir().expect("directory");
        let file = |name: &str, content: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).expect("written");
            path
        };
        let general = Credential {
            prefix: "https://h".into(),
            password_file: Some(file("general", "one\n")),
            ca_file: Some(file("ca", "PEM")),
            ..Credential::default()
        };
        let team = Credential {
            prefix: "https://h/team".into(),
            username: Some("bot".into()),
            password_file: Some(file("team", "two\r\n")),
            ..Credential::default()
        };
        let credentials = Credentials::new(vec![general, team]).expect("valid");
        assert_eq!(password(&credentials, "https://h/other/a"), Some(("git".into(), "one".into())));
        assert_eq!(password(&credentials, "https://h/team/a"), Some(("bot".into(), "two".into())));
        assert_eq!(password(&credentials, "https://ann@h/team/a"), Some(("ann".into(), "two".into())));
        assert_eq!(password(&credentials, "https://else/a"), None);
        let ca = credentials.ca(&remote("https://h/team/a")).expect("readable");
        assert_eq!(ca.map(|(_, content)| content), Some(b"PEM".to_vec()), "the team's credential has none of its own");
        std::fs::write(dir.path().join("team"), "three").expect("written");
        assert_eq!(
            password(&credentials, "https://h/team/a"),
            Some(("bot".into(), "three".into())),
            "read at each use"
        );
    }

    #[test]
    fn an_unusable_file_is_named_and_its_content_is_not() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("token");
        let credential =
            Credential { prefix: "https://".into(), password_file: Some(path.clone()), ..Credential::default() };
        let credentials = Credentials::new(vec![credential]).expect("valid");
        let unusable =
            |source: &str| Error::Credential { what: "password", path: path.clone(), source: Cause::new(source) };
        let error = credentials.identity(&remote("https://h/a")).err();
        assert_eq!(error, Some(unusable("there is no such file")));
        std::fs::write(&path, "\n").expect("written");
        assert_eq!(credentials.identity(&remote("https://h/a")).err(), Some(unusable("it is empty")));
        std::fs::write(&path, b"\xff").expect("written");
        assert_eq!(credentials.identity(&remote("https://h/a")).err(), Some(unusable("it is not text")));
    }

    #[test]
    fn a_prefix_that_fits_nothing_is_an_error() {
        let credential = Credential { prefix: "git.example.org".into(), ..Credential::default() };
        assert!(matches!(Credentials::new(vec![credential]), Err(Error::Unsupported { .. })));
    }
}
