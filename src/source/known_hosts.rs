//! The host keys that are known, as OpenSSH's known_hosts files hold them. A host that is not in the file is not trusted,
//! the first time no more than later.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::{digest, hmac};

/// A parsed known_hosts file. Lines that cannot be read trust nobody; certificate authorities are not supported.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts(Vec<Line>);

#[derive(Debug, Clone)]
struct Line {
    revoked: bool,
    hosts: String,
    kind: String,
    key: Vec<u8>,
}

/// What a file says of a host's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the known one.
    Known,
    /// The file does not name the host.
    Unknown,
    /// The file names the host with other keys only.
    Mismatch,
    /// The file revokes this key.
    Revoked,
}

impl KnownHosts {
    /// Reads the text of a file.
    pub fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(Line::parse).collect())
    }

    /// What it says of the key that a host showed. `host` is `name`, or `[name]:port` where the port is not 22; `key` the
    /// key in SSH's wire form.
    pub fn check(&self, host: &str, key: &[u8]) -> Verdict {
        let mut verdict = Verdict::Unknown;
        for line in self.0.iter().filter(|line| line.names(host)) {
            match (line.revoked, line.key == key) {
                (true, true) => return Verdict::Revoked,
                (true, false) => {}
                (false, true) => verdict = Verdict::Known,
                (false, false) if verdict == Verdict::Unknown => verdict = Verdict::Mismatch,
                (false, false) => {}
            }
        }
        verdict
    }

    /// The keys that are trusted for a host, each as a line of a known_hosts file that names this host alone.
    pub fn lines(&self, host: &str) -> Vec<String> {
        let trusted = self.0.iter().filter(|line| !line.revoked && line.names(host));
        trusted.map(|line| format!("{host} {} {}", line.kind, STANDARD.encode(&line.key))).collect()
    }
}

/// A key's fingerprint in the form that ssh-keygen prints.
pub fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(digest::digest(&digest::SHA256, key)))
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let mut hosts = words.next()?;
        let revoked = match hosts {
            "@revoked" => true,
            marker if marker.starts_with('@') || marker.starts_with('#') => return None,
            _ => false,
        };
        if revoked {
            hosts = words.next()?;
        }
        let (kind, key) = (words.next()?, words.next()?);
        Some(Self { revoked, hosts: hosts.to_owned(), kind: kind.to_owned(), key: STANDARD.decode(key).ok()? })
    }

    fn names(&self, host: &str) -> bool {
        if let Some(hashed) = self.hosts.strip_prefix("|1|") {
            return hashed_name(hashed, host);
        }
        let mut named = false;
        for pattern in self.hosts.split(',') {
            match pattern.strip_prefix('!') {
                Some(pattern) if fits(pattern, host) => return false,
                Some(_) => {}
                None => named |= fits(pattern, host),
            }
        }
        named
    }
}

/// `salt|hash`: the form that HashKnownHosts writes. The algorithm is the format's, not a choice.
fn hashed_name(hashed: &str, host: &str) -> bool {
    let decoded =
        hashed.split_once('|').and_then(|(salt, hash)| STANDARD.decode(salt).ok().zip(STANDARD.decode(hash).ok()));
    decoded.is_some_and(|(salt, hash)| {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
        hmac::verify(&key, host.as_bytes(), &hash).is_ok()
    })
}

/// Whether a pattern with `*` and `?` fits the name, upper and lower case alike.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    let (mut pattern, mut name) = (pattern.as_str(), name.as_str());
    // Where to go on from when the last `*` has to swallow one character more.
    let mut retry = None;
    loop {
        let (wanted, given) = (pattern.chars().next(), name.chars().next());
        match (wanted, given) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = tail(pattern);
                retry = Some((pattern, name));
                continue;
            }
            (Some(wanted), Some(given)) if wanted == '?' || wanted == given => {
                (pattern, name) = (tail(pattern), tail(name));
                continue;
            }
            _ => {}
        }
        match retry {
            Some((after, rest)) if !rest.is_empty() => {
                (pattern, name) = (after, tail(rest));
                retry = Some((after, name));
            }
            _ => return false,
        }
    }
}

fn tail(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The body of a key does not matter here, only that the lines hold base64.
    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAA";
    const OTHER: &str = "AAAAC3NzaC1lZDI1NTE5BBBB";

    fn check(file: &str, host: &str) -> Verdict {
        KnownHosts::parse(file).check(host, &STANDARD.decode(KEY).expect("base64"))
    }

    #[test]
    fn only_a_key_that_the_file_names_is_known() {
        for (file, host, verdict) in [
            (format!("h ssh-ed25519 {KEY} a comment"), "h", Verdict::Known),
            (format!("# h ssh-ed25519 {KEY}"), "h", Verdict::Unknown),
            (format!("h,other ssh-ed25519 {OTHER}\nh ssh-rsa {KEY}"), "h", Verdict::Known),
            (format!("h ssh-ed25519 {OTHER}"), "h", Verdict::Mismatch),
            (format!("h ssh-ed25519 {KEY}"), "[h]:2222", Verdict::Unknown),
            (format!("[h]:2222 ssh-ed25519 {KEY}"), "[h]:2222", Verdict::Known),
            (format!("[h]:2222 ssh-ed25519 {KEY}"), "h", Verdict::Unknown),
            (format!("*.example.org,!bad.example.org ssh-ed25519 {KEY}"), "git.Example.org", Verdict::Known),
            (format!("*.example.org,!bad.example.org ssh-ed25519 {KEY}"), "bad.example.org", Verdict::Unknown),
            (format!("10.0.0.? ssh-ed25519 {KEY}"), "10.0.0.7", Verdict::Known),
            (format!("10.0.0.? ssh-ed25519 {KEY}"), "10.0.0.77", Verdict::Unknown),
            (format!("h ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {KEY}"), "h", Verdict::Revoked),
            (format!("@cert-authority * ssh-ed25519 {KEY}"), "h", Verdict::Unknown),
            ("h ssh-ed25519 not/base64!".to_owned(), "h", Verdict::Unknown),
            (String::new(), "h", Verdict::Unknown),
        ] {
            assert_eq!(check(&file, host), verdict, "{file} {host}");
        }
    }

    #[test]
    fn hashed_names_are_understood() {
        // HMAC-SHA1 of the name under the salt, computed here as ssh-keygen -H does.
        let salt = [7_u8; 20];
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt), b"git.example.org");
        let line = format!("|1|{}|{} ssh-ed25519 {KEY}", STANDARD.encode(salt), STANDARD.encode(tag));
        assert_eq!(check(&line, "git.example.org"), Verdict::Known);
        assert_eq!(check(&line, "other.example.org"), Verdict::Unknown);
    }

    #[test]
    fn what_is_handed_on_names_one_host() {
        let file = format!("a,[b]:22 ssh-ed25519 {KEY}\n* ssh-rsa {OTHER}");
        let lines = KnownHosts::parse(&file).lines("a");
        assert_eq!(lines, [format!("a ssh-ed25519 {KEY}"), format!("a ssh-rsa {OTHER}")]);
    }
}
