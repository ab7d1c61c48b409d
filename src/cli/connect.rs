//! From the environment to an engine and the credentials of registries.

use std::path::{Path, PathBuf};

use crate::client::{Client, Credentials, Identity, Selection, Tls, Verification};

use super::environment::Environment;
use super::failure::Failure;

/// Connects to the engine that the docker command would use, and makes sure that it is a swarm manager.
///
/// # Errors
/// What is wrong with the environment, or with the engine behind it.
pub async fn manager(environment: &Environment) -> Result<Client, Failure> {
    let client = client(environment)?;
    client.info().await?.require_manager()?;
    Ok(client)
}

/// A client for the engine that the docker command would use. Nothing is sent yet.
///
/// # Errors
/// What is wrong with the environment.
pub fn client(environment: &Environment) -> Result<Client, Failure> {
    let selection = Selection {
        host: environment.get("DOCKER_HOST").map(str::to_owned),
        context: environment.get("DOCKER_CONTEXT").map(str::to_owned),
        tls: tls(environment)?,
        directory: environment.docker_config(),
    };
    let endpoint = selection.endpoint().map_err(|error| Failure::usage(super::print::chain(&error)))?;
    Ok(Client::new(endpoint))
}

/// The credentials of docker's `config.json`.
pub fn credentials(environment: &Environment, file: Option<&Path>) -> Credentials {
    match file.map(Path::to_owned).or_else(|| Some(environment.docker_config()?.join("config.json"))) {
        Some(file) => Credentials::from_file(file),
        None => Credentials::none(),
    }
}

/// `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`, as docker reads them: any text in the first turns both TLS and
/// verification on.
fn tls(environment: &Environment) -> Result<Option<Tls>, Failure> {
    let verify = environment.get("DOCKER_TLS_VERIFY").is_some();
    let asked = verify || environment.get("DOCKER_TLS").is_some();
    if !asked {
        return Ok(None);
    }
    let directory = environment.get("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| environment.docker_config());
    let Some(directory) = directory else {
        return Err(Failure::usage(
            "DOCKER_TLS_VERIFY is set, and neither DOCKER_CERT_PATH nor HOME says where the certificates are",
        ));
    };
    let read = |name: &str| match std::fs::read(directory.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::usage(format!("{} cannot be read: {error}", directory.join(name).display()))),
    };
    let identity = match (read("cert.pem")?, read("key.pem")?) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key: crate::model::Secret::new(key) }),
        _ => None,
    };
    let verification = if verify { Verification::Full } else { Verification::Skip };
    Ok(Some(Tls { ca: read("ca.pem")?, identity, verification }))
}
