//! Docker contexts: named endpoints, kept under docker's configuration directory.
//!
//! A context's directory is the SHA-256 of its name: `contexts/meta/<id>/meta.json` holds the endpoint and
//! `contexts/tls/<id>/docker/` its certificates.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::endpoint::{Endpoint, EndpointError};
use super::tls::{Identity, Tls, Verification};
use crate::model::{Digest, Secret};

/// The context that stands for `DOCKER_HOST` or the default socket, and has no files.
const DEFAULT: &str = "default";

/// What says which engine is meant, in docker's order: the first that is there wins.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// `--host` or `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`. Without it the `currentContext` of `config.json` counts.
    pub context: Option<String>,
    /// The TLS settings of the environment, for `host` alone.
    pub tls: Option<Tls>,
    /// Docker's configuration directory, usually `~/.docker`.
    pub directory: Option<PathBuf>,
}

/// Why no endpoint could be found.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// There is no such context.
    #[error("there is no docker context `{0}`")]
    Unknown(String),
    /// A file of the context cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not what docker writes.
    #[error("{path} is not what docker writes there")]
    Form {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The endpoint is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DockerEndpoint {
    #[serde(rename = "Host")]
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct DockerConfig {
    current_context: Option<String>,
}

impl Selection {
    /// The endpoint that is meant. Files are read from the disk.
    ///
    /// # Errors
    /// [`ContextError`], where a context is named that is not there or not usable.
    pub fn endpoint(&self) -> Result<Endpoint, ContextError> {
        self.endpoint_with(&|path| std::fs::read(path))
    }

    fn endpoint_with(&self, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Endpoint, ContextError> {
        let context = match (&self.host, &self.context) {
            (Some(host), _) if !host.is_empty() => return Ok(Endpoint::parse(host, self.tls.clone())?),
            (_, Some(context)) if !context.is_empty() => Some(context.clone()),
            _ => self.current(read)?,
        };
        match context {
            Some(name) if name != DEFAULT => self.context(&name, read),
            _ => Ok(Endpoint::parse("", None)?),
        }
    }

    fn current(&self, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Option<String>, ContextError> {
        let Some(directory) = &self.directory else { return Ok(None) };
        let path = directory.join("config.json");
        let Some(bytes) = find(&path, read)? else { return Ok(None) };
        let config: DockerConfig =
            serde_json::from_slice(&bytes).map_err(|source| ContextError::Form { path, source })?;
        Ok(config.current_context.filter(|name| !name.is_empty()))
    }

    fn context(&self, name: &str, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Endpoint, ContextError> {
        let unknown = || ContextError::Unknown(name.to_owned());
        let contexts = self.directory.as_ref().ok_or_else(unknown)?.join("contexts");
        let id = Digest::of(name);
        let path = contexts.join("meta").join(id.as_str()).join("meta.json");
        let bytes = find(&path, read)?.ok_or_else(unknown)?;
        let metadata: Metadata =
            serde_json::from_slice(&bytes).map_err(|source| ContextError::Form { path, source })?;
        let endpoint = metadata.endpoints.docker.unwrap_or_default();
        let files = contexts.join("tls").join(id.as_str()).join("docker");
        let ca = find(&files.join("ca.pem"), read)?;
        let identity = match (find(&files.join("cert.pem"), read)?, find(&files.join("key.pem"), read)?) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key: Secret::new(key) }),
            _ => None,
        };
        let verification = if endpoint.skip_tls_verify { Verification::Skip } else { Verification::Full };
        // As in docker: a context speaks TLS if it has any certificate, or says that it does not check the engine's.
        let tls = (ca.is_some() || identity.is_some() || endpoint.skip_tls_verify).then_some(Tls {
            ca,
            identity,
            verification,
        });
        Ok(Endpoint::parse(&endpoint.host, tls)?)
    }
}

fn find(path: &Path, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Option<Vec<u8>>, ContextError> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ContextError::Read { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn select(selection: &Selection, files: &[(&str, &str)]) -> Result<String, ContextError> {
        let files: BTreeMap<PathBuf, &str> = files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect();
        let read = |path: &Path| {
            files.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        selection.endpoint_with(&read).map(|endpoint| endpoint.to_string())
    }

    fn meta(name: &str) -> String {
        format!("/d/contexts/meta/{}/meta.json", Digest::of(name))
    }

    fn selection() -> Selection {
        Selection { directory: Some("/d".into()), ..Selection::default() }
    }

    #[test]
    fn the_order_is_host_then_context_then_current_context_then_the_socket() {
        let (prod, dev) = (meta("prod"), meta("dev"));
        let files = [
            ("/d/config.json", r#"{"currentContext":"dev","auths":{}}"#),
            (prod.as_str(), r#"{"Name":"prod","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://prod:1"}}}"#),
            (dev.as_str(), r#"{"Name":"dev","Endpoints":{"docker":{"Host":"ssh://dev","SkipTLSVerify":false}}}"#),
        ];
        let mut chosen = selection();
        assert_eq!(select(&chosen, &files).expect("current"), "ssh://dev");
        chosen.context = Some("prod".into());
        assert_eq!(select(&chosen, &files).expect("named"), "tcp://prod:1");
        chosen.host = Some("unix:///x".into());
        assert_eq!(select(&chosen, &files).expect("host"), "unix:///x");
        assert_eq!(select(&selection(), &[]).expect("nothing"), super::super::endpoint::DEFAULT_HOST);
        let default = Selection { context: Some("default".into()), ..selection() };
        assert_eq!(select(&default, &files).expect("default"), super::super::endpoint::DEFAULT_HOST);
    }

    #[test]
    fn a_context_that_is_not_there_is_named() {
        let chosen = Selection { context: Some("gone".into()), ..selection() };
        assert!(matches!(select(&chosen, &[]), Err(ContextError::Unknown(name)) if name == "gone"));
    }

    #[test]
    fn a_context_that_skips_verification_speaks_tls() {
        let path = meta("lab");
        let chosen = Selection { context: Some("lab".into()), ..selection() };
        let files = [(path.as_str(), r#"{"Endpoints":{"docker":{"Host":"tcp://lab","SkipTLSVerify":true}}}"#)];
        assert_eq!(select(&chosen, &files).expect("context"), "tcp://lab:2376");
    }
}
