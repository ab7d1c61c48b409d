//! Registry credentials: docker's `config.json`, and the header that gives them to the engine.
//!
//! The file is read at every look-up, so a changed one counts at once; it is small, and a look-up precedes a request
//! that Raft must agree to. No entry means no header: an empty one would overwrite the credentials that the engine keeps
//! with the service.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::Value;

use crate::model::Secret;
use crate::swarm::image::{DEFAULT_HOST, ImageError, ImageReference};

/// The key under which docker keeps the credentials of its default registry.
const DEFAULT_KEY: &str = "https://index.docker.io/v1/";
/// How long a credential helper may take.
const HELPER: Duration = Duration::from_secs(30);

/// The value of `X-Registry-Auth`: URL-safe base64 of the credentials as JSON, as Go's decoder wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthHeader(Secret<String>);

impl AuthHeader {
    fn new(credential: &DockerCredential, key: &str) -> Option<Self> {
        let json = match credential {
            DockerCredential::IdentityToken(token) if token.is_empty() => return None,
            DockerCredential::IdentityToken(token) => {
                serde_json::json!({ "identitytoken": token, "serveraddress": key })
            }
            DockerCredential::UsernamePassword(name, password) if name.is_empty() && password.is_empty() => {
                return None;
            }
            DockerCredential::UsernamePassword(name, password) => {
                serde_json::json!({ "username": name, "password": password, "serveraddress": key })
            }
        };
        Some(Self(Secret::new(URL_SAFE.encode(json.to_string()))))
    }

    /// The header's value, for the one who sends it.
    pub(super) fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

/// Credentials of one registry, for whoever asks it without the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A name and a password.
    Password {
        /// The name.
        name: String,
        /// The password.
        password: Secret<String>,
    },
    /// A token that a credential helper keeps in a password's stead.
    Token(Secret<String>),
}

impl Login {
    fn new(credential: DockerCredential) -> Option<Self> {
        match credential {
            DockerCredential::IdentityToken(token) if token.is_empty() => None,
            DockerCredential::IdentityToken(token) => Some(Login::Token(Secret::new(token))),
            DockerCredential::UsernamePassword(name, password) if name.is_empty() && password.is_empty() => None,
            DockerCredential::UsernamePassword(name, password) => {
                Some(Login::Password { name, password: Secret::new(password) })
            }
        }
    }
}

/// Why credentials could not be had. It never quotes the file or what a helper printed to its standard output.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The image's registry cannot be told.
    #[error("cannot tell the image's registry")]
    Image(#[from] ImageError),
    /// The file is there and cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no configuration of docker's.
    #[error("{path} is no valid configuration of docker's")]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// The entry of this registry cannot be decoded.
    #[error("{path} has a malformed entry for {registry}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The registry.
        registry: String,
    },
    /// The credential helper that the file names does not run, or fails.
    #[error("the credential helper that {path} names for {registry} failed")]
    Helper {
        /// The file.
        path: PathBuf,
        /// The registry.
        registry: String,
    },
}

/// Where credentials come from.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    file: Option<PathBuf>,
}

impl Credentials {
    /// No credentials for any registry.
    pub fn none() -> Self {
        Self::default()
    }

    /// Docker's `config.json` at this path. Where there is no such file, there are no credentials.
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self { file: Some(path.into()) }
    }

    /// The header for the registry of `image`; `None` where there is no entry for it.
    ///
    /// # Errors
    /// [`CredentialsError`] where there may be an entry that cannot be had. Docker's command goes on without; whoever does
    /// the same should say so.
    pub async fn header(&self, image: &str) -> Result<Option<AuthHeader>, CredentialsError> {
        Ok(self.find(image).await?.and_then(|(credential, key)| AuthHeader::new(&credential, &key)))
    }

    /// The same, for whoever asks the registry itself.
    ///
    /// # Errors
    /// As [`Credentials::header`].
    pub async fn login(&self, image: &str) -> Result<Option<Login>, CredentialsError> {
        Ok(self.find(image).await?.and_then(|(credential, _)| Login::new(credential)))
    }

    /// The entry for the registry of `image`, and the name that docker keeps it under.
    async fn find(&self, image: &str) -> Result<Option<(DockerCredential, String)>, CredentialsError> {
        let Some(path) = self.file.clone() else { return Ok(None) };
        let image = ImageReference::parse(image)?;
        let key = if image.host() == DEFAULT_HOST { DEFAULT_KEY } else { image.host() }.to_owned();
        let bytes = match tokio::fs::read(&path).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CredentialsError::Read { path, source }),
        };
        let config = without_empty_fields(&bytes).ok_or_else(|| CredentialsError::Form { path: path.clone() })?;
        let asked = key.clone();
        // A helper is a process that is waited for.
        let look_up = tokio::task::spawn_blocking(move || {
            docker_credential::get_credential_from_reader(config.as_slice(), &asked)
        });
        let registry = key.clone();
        let found = match tokio::time::timeout(HELPER, look_up).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => return Err(CredentialsError::Helper { path, registry }),
        };
        match found {
            Ok(credential) => Ok(Some((credential, key))),
            Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
            Err(CredentialRetrievalError::HelperFailure { stdout, stderr, .. })
                if says_not_found(&stdout) || says_not_found(&stderr) =>
            {
                Ok(None)
            }
            Err(
                CredentialRetrievalError::CredentialDecodingError | CredentialRetrievalError::CredentialMismatchError,
            ) => Err(CredentialsError::Entry { path, registry }),
            Err(CredentialRetrievalError::ConfigReadError | CredentialRetrievalError::ConfigNotFound) => {
                Err(CredentialsError::Form { path })
            }
            Err(_) => Err(CredentialsError::Helper { path, registry }),
        }
    }
}

/// The words of every helper made with docker's own library.
fn says_not_found(text: &str) -> bool {
    text.contains("credentials not found")
}

/// Docker reads an empty field as an absent one, the crate does not.
fn without_empty_fields(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut config: Value = serde_json::from_slice(bytes).ok()?;
    let entries = config.get_mut("auths").and_then(Value::as_object_mut);
    for entry in entries.into_iter().flat_map(|entries| entries.values_mut()).filter_map(Value::as_object_mut) {
        entry.retain(|_, value| value.as_str() != Some(""));
    }
    if let Some(config) = config.as_object_mut() {
        config.retain(|_, value| value.as_str() != Some(""));
    }
    serde_json::to_vec(&config).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(header: &AuthHeader) -> Value {
        let json = URL_SAFE.decode(header.reveal()).expect("URL-safe base64");
        serde_json::from_slice(&json).expect("JSON")
    }

    fn credentials(directory: &tempfile::TempDir, config: &Value) -> Credentials {
        let path = directory.path().join("config.json");
        std::fs::write(&path, config.to_string()).expect("written");
        Credentials::from_file(path)
    }

    #[tokio::test]
    async fn the_entry_of_the_images_registry_is_sent_in_the_engines_alphabet() {
        let directory = tempfile::tempdir().expect("directory");
        // These characters differ between the two alphabets of base64.
        let auth = base64::engine::general_purpose::STANDARD.encode("me:pp?>?>~~~");
        let found = credentials(
            &directory,
            &serde_json::json!({ "auths": {
                "https://index.docker.io/v1/": { "auth": auth },
                "r.example.org:5000": { "username": "u", "password": "p", "auth": "", "identitytoken": "" },
                "token.example.org": { "identitytoken": "t" },
            }}),
        );
        let hub = found.header("nginx").await.expect("readable").expect("entry");
        assert!(!hub.reveal().contains(['+', '/']));
        assert_eq!(
            decoded(&hub),
            serde_json::json!({ "username": "me", "password": "pp?>?>~~~", "serveraddress": DEFAULT_KEY })
        );
        let own = found.header("r.example.org:5000/a/b:1").await.expect("readable").expect("entry");
        assert_eq!(decoded(&own).get("username"), Some(&Value::from("u")));
        let token = found.header("token.example.org/a").await.expect("readable").expect("entry");
        assert_eq!(decoded(&token).get("identitytoken"), Some(&Value::from("t")));
        assert_eq!(format!("{hub:?}"), "AuthHeader(Secret(…))");
    }

    #[tokio::test]
    async fn no_entry_and_no_file_send_no_header() {
        let directory = tempfile::tempdir().expect("directory");
        let found = credentials(
            &directory,
            &serde_json::json!({ "auths": { "other.example.org": { "auth": "eDp5" }, "empty.example.org": {} } }),
        );
        assert_eq!(found.header("nginx").await.expect("readable"), None);
        assert_eq!(found.header("empty.example.org/a").await.expect("readable"), None);
        let missing = Credentials::from_file(directory.path().join("none.json"));
        assert_eq!(missing.header("nginx").await.expect("no file"), None);
        assert_eq!(Credentials::none().header("nginx").await.expect("none"), None);
    }

    #[tokio::test]
    async fn a_changed_file_counts_at_once() {
        let directory = tempfile::tempdir().expect("directory");
        let found = credentials(&directory, &serde_json::json!({}));
        assert_eq!(found.header("r.example.org/a").await.expect("readable"), None);
        credentials(
            &directory,
            &serde_json::json!({ "auths": { "r.example.org": { "username": "u", "password": "p" } } }),
        );
        assert!(found.header("r.example.org/a").await.expect("readable").is_some());
    }

    #[tokio::test]
    async fn a_damaged_file_is_an_error_that_quotes_nothing() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("config.json");
        std::fs::write(&path, "{ \"auths\": hunter2").expect("written");
        let error = Credentials::from_file(path).header("nginx").await.expect_err("damaged");
        assert!(matches!(error, CredentialsError::Form { .. }));
        assert!(!format!("{error:?}").contains("hunter2"));
        let malformed =
            credentials(&directory, &serde_json::json!({ "auths": { "r.example.org": { "auth": "%%%" } } }));
        let error = malformed.header("r.example.org/a").await.expect_err("malformed");
        assert!(matches!(error, CredentialsError::Entry { .. }));
    }
}
