//! Image references, by the grammar and the normalisation of Docker's own command.
//!
//! `nginx`, `docker.io/nginx` and `index.docker.io/library/nginx:latest` are one image; the form people write, and the
//! one `docker stack deploy` stores in a service's spec, is the *familiar* one: `nginx:latest`.

use std::fmt;

/// The registry that is meant where none is named.
pub const DEFAULT_HOST: &str = "docker.io";
/// The tag that is meant where neither tag nor digest is named.
pub const DEFAULT_TAG: &str = "latest";
/// The most characters a repository's name may have, its registry included.
const MAX_NAME: usize = 255;
/// The most characters of a tag.
const MAX_TAG: usize = 128;

/// Why a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// There is nothing in it.
    #[error("an image reference may not be empty")]
    Empty,
    /// An upper-case letter in the repository's name.
    #[error("the repository name in `{0}` must be lower case")]
    UpperCase(String),
    /// 64 hexadecimal digits, which would be an image id.
    #[error("`{0}` is an image id; a service needs a name")]
    Id(String),
    /// The repository's name is too long.
    #[error("the repository name in `{0}` has more than {MAX_NAME} characters")]
    TooLong(String),
    /// The tag breaks the grammar.
    #[error("`{tag}` is no valid tag in `{reference}`")]
    Tag {
        /// The tag as given.
        tag: String,
        /// The whole reference.
        reference: String,
    },
    /// The digest breaks the grammar, or names an algorithm that nobody uses.
    #[error("`{digest}` is no valid digest in `{reference}`")]
    Digest {
        /// The digest as given.
        digest: String,
        /// The whole reference.
        reference: String,
    },
    /// Anything else.
    #[error("`{0}` is no valid image reference")]
    Form(String),
}

/// A parsed image reference. `Display` prints the familiar form.
///
/// ```
/// use skep::swarm::image::ImageReference;
/// let image = ImageReference::parse("docker.io/library/nginx").unwrap();
/// assert_eq!(image.to_string(), "nginx");
/// assert_eq!(image.with_latest().to_string(), "nginx:latest");
/// assert_eq!(ImageReference::parse("ghcr.io/a/b:1").unwrap().host(), "ghcr.io");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference {
    host: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageReference {
    /// Parses and normalises `text`.
    ///
    /// # Errors
    /// [`ImageError`] says which rule of the grammar it breaks.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        if text.is_empty() {
            return Err(ImageError::Empty);
        }
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(ImageError::Id(text.to_owned()));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let (host, rest) = split_host(rest);
        // In what follows the host only a tag has a colon.
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if path.chars().any(char::is_uppercase) {
            return Err(ImageError::UpperCase(text.to_owned()));
        }
        let path =
            if host == DEFAULT_HOST && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        if !is_host(host) || !path.split('/').all(is_path_component) {
            return Err(ImageError::Form(text.to_owned()));
        }
        if host.len() + 1 + path.len() > MAX_NAME {
            return Err(ImageError::TooLong(text.to_owned()));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ImageError::Tag { tag: tag.to_owned(), reference: text.to_owned() });
        }
        if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
            return Err(ImageError::Digest { digest: digest.to_owned(), reference: text.to_owned() });
        }
        Ok(Self { host: host.to_owned(), path, tag: tag.map(str::to_owned), digest: digest.map(str::to_owned) })
    }

    /// The registry's host, with its port where one is named; `docker.io` where the text names none.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository's path at its registry, `library/` included.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, as `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The same reference with the tag `latest` where it has neither tag nor digest.
    #[must_use]
    pub fn with_latest(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The same reference pinned to a digest; its tag stays, as Docker's command keeps it.
    ///
    /// # Errors
    /// [`ImageError::Digest`] where `digest` is none.
    pub fn with_digest(mut self, digest: &str) -> Result<Self, ImageError> {
        if !is_digest(digest) {
            return Err(ImageError::Digest { digest: digest.to_owned(), reference: self.to_string() });
        }
        self.digest = Some(digest.to_owned());
        Ok(self)
    }

    /// The same reference without its digest: the text that a registry is asked about.
    #[must_use]
    pub fn without_digest(mut self) -> Self {
        self.digest = None;
        self
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host == DEFAULT_HOST {
            match self.path.strip_prefix("library/") {
                Some(short) if !short.contains('/') => f.write_str(short)?,
                _ => f.write_str(&self.path)?,
            }
        } else {
            write!(f, "{}/{}", self.host, self.path)?;
        }
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// The familiar form of `text`, with `:latest` where it has neither tag nor digest: what `docker stack deploy` writes
/// into a service's spec.
///
/// # Errors
/// [`ImageError`] says which rule of the grammar `text` breaks.
pub fn familiar(text: &str) -> Result<String, ImageError> {
    Ok(ImageReference::parse(text)?.with_latest().to_string())
}

/// The registry and the rest. A first part is a registry only if it could not be a directory of the default one: it has
/// a dot, a colon or an upper-case letter, or is `localhost`.
fn split_host(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':']) || first == "localhost" || first.chars().any(char::is_uppercase) =>
        {
            (if first == "index.docker.io" { DEFAULT_HOST } else { first }, rest)
        }
        _ => (DEFAULT_HOST, name),
    }
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                let valid = !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
                return valid && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    port.is_none_or(is_port) && name.split('.').all(is_host_component)
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_host_component(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Runs of `[a-z0-9]`, joined by one dot, one or two underscores, or any number of dashes.
fn is_path_component(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<u8>| b.is_some_and(word);
    let joints =
        || text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).filter(|joint| !joint.is_empty());
    ends(text.bytes().next())
        && ends(text.bytes().next_back())
        && joints().all(|joint| matches!(joint, "." | "_" | "__") || joint.bytes().all(|b| b == b'-'))
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

fn is_digest(text: &str) -> bool {
    let digits = match text.split_once(':') {
        Some(("sha256", digits)) if digits.len() == 64 => digits,
        Some(("sha384", digits)) if digits.len() == 96 => digits,
        Some(("sha512", digits)) if digits.len() == 128 => digits,
        _ => return false,
    };
    digits.bytes().all(is_lower_hex)
}

fn is_lower_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_familiar_form_is_dockers() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let pinned = format!("nginx@{digest}");
        let both = format!("docker.io/library/nginx:1.27@{digest}");
        let both_familiar = format!("nginx:1.27@{digest}");
        for (given, expected) in [
            ("nginx", "nginx:latest"),
            ("nginx:1.27", "nginx:1.27"),
            ("library/nginx", "nginx:latest"),
            ("docker.io/nginx", "nginx:latest"),
            ("index.docker.io/library/nginx:1", "nginx:1"),
            ("docker.io/library/a/b", "library/a/b:latest"),
            ("bitnami/redis", "bitnami/redis:latest"),
            ("ghcr.io/a/b_c__d-e--f.g", "ghcr.io/a/b_c__d-e--f.g:latest"),
            ("localhost/x", "localhost/x:latest"),
            ("localhost:5000/x:v1", "localhost:5000/x:v1"),
            ("registry:5000/x", "registry:5000/x:latest"),
            ("UPPER/x", "UPPER/x:latest"),
            ("[fd00::1]:5000/x:v1", "[fd00::1]:5000/x:v1"),
            (pinned.as_str(), pinned.as_str()),
            (both.as_str(), both_familiar.as_str()),
        ] {
            assert_eq!(familiar(given).as_deref(), Ok(expected), "{given}");
        }
    }

    #[test]
    fn the_host_is_the_registry_that_is_asked() {
        for (given, host) in
            [("nginx", "docker.io"), ("a/b", "docker.io"), ("r.io:5/x", "r.io:5"), ("localhost/x", "localhost")]
        {
            assert_eq!(ImageReference::parse(given).expect(given).host(), host);
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        let id = "ab".repeat(32);
        let long = format!("r.io/{}", "a".repeat(251));
        let tag = format!("a:{}", "t".repeat(129));
        for bad in [
            "",
            ":1",
            "a:",
            "a:-x",
            "a b",
            "Nginx",
            "a/B",
            "-a",
            "a-",
            "a___b",
            "a..b",
            "a//b",
            "/a",
            "a/",
            "r.io/",
            "-r.io/a",
            "r..io/a",
            "r.io:x/a",
            "a@sha256:12",
            "a@md5:00",
            "a:1:2",
            "[::1/a",
            &id,
            &long,
            &tag,
        ] {
            assert!(familiar(bad).is_err(), "{bad}");
        }
        assert!(matches!(familiar("Nginx"), Err(ImageError::UpperCase(_))));
        assert!(matches!(familiar(&id), Err(ImageError::Id(_))));
    }

    #[test]
    fn a_digest_is_added_beside_the_tag() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        let image = ImageReference::parse("a/b:2").and_then(|image| image.with_digest(&digest)).expect("valid");
        assert_eq!(image.to_string(), format!("a/b:2@{digest}"));
        assert_eq!(image.without_digest().to_string(), "a/b:2");
    }
}
