//! The controller's configuration file.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

/// How often a remote repository is asked, where nobody says.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);

/// The controller's configuration, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "skep controller configuration")]
pub struct Controller {
    /// The format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// This swarm's name. A skep.yaml that names another cluster writes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The repositories to follow.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Credentials for repositories, chosen by URL prefix: the longest that fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// Keys for files that are encrypted with SOPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decryption: Option<Decryption>,
    /// docker's config.json with registry credentials; read again when it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker_config: Option<String>,
    /// Where clones are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<String>,
    /// How often everything on the swarm is listed anew, as `60s` [default: 60s]. Events are only hints.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub resync: Option<Duration>,
}

/// How encrypted files are decrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decryption {
    /// Files with age keys (AGE-SECRET-KEY-1…), such as a Swarm secret under /run/secrets; read again for each look. The
    /// file that `SOPS_AGE_KEY_FILE` names is read besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub age_key_files: Vec<String>,
}

/// A repository to follow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// Its URL (`https://`, `http://`, `ssh://`, `git@host:path`, `file://`) or a local path.
    pub url: String,
    /// The branch, tag or commit [default: HEAD].
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The directory of skep.yaml in it [default: the root].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// How often a remote one is asked, as `30s` [default: 30s]. A local one is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub interval: Option<Duration>,
    /// Every directory that matches is a stack, instead of a skep.yaml.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discover: Option<String>,
}

/// Credentials for the repositories whose URL begins with a prefix. Everything secret is the path of a file, such as a
/// Swarm secret under /run/secrets, and read when it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credential {
    /// The URL prefix, as `https://git.example.org/`.
    pub url: String,
    /// The user's name [default: `git` for ssh, `token` for http with a password].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// A file with the password or token for http(s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
    /// A file with the private key for ssh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh_key_file: Option<String>,
    /// A file with the private key's passphrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase_file: Option<String>,
    /// A known_hosts file. A host that is not in it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_hosts_file: Option<String>,
    /// A PEM file with the certificate authorities to trust for https.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
}
