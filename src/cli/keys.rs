//! The keys for encrypted files, from the environment as `sops` reads it.

use std::path::{Path, PathBuf};

use crate::operator::keys::KeySource;
use crate::settings::Controller;
use crate::sops::Keys;

use super::environment::Environment;
use super::failure::Failure;

/// The variable that names a file of keys.
const FILE: &str = "SOPS_AGE_KEY_FILE";
/// The variable that holds keys.
const TEXT: &str = "SOPS_AGE_KEY";

/// Where keys come from: the environment, and the controller's configuration.
///
/// # Errors
/// `SOPS_AGE_KEY` holds no keys. Files are not looked at yet.
pub fn source(environment: &Environment, configuration: Option<&Controller>) -> Result<KeySource, Failure> {
    let named = environment.get(FILE).map(|path| environment.directory.join(path));
    let decryption = configuration.and_then(|configuration| configuration.decryption.as_ref());
    let configured = decryption.into_iter().flat_map(|decryption| &decryption.age_key_files).map(PathBuf::from);
    let given = match environment.get(TEXT) {
        Some(text) => Keys::parse(text).map_err(|why| Failure::usage(format!("{TEXT} holds no age keys: {why}")))?,
        None => Keys::none(),
    };
    let mut files: Vec<PathBuf> = named.into_iter().chain(configured).collect();
    files.dedup();
    Ok(KeySource { files, given })
}

/// The keys themselves.
///
/// # Errors
/// Those of [`source`], and a file that cannot be read or holds no keys.
pub fn read(environment: &Environment, configuration: Option<&Controller>) -> Result<Keys, Failure> {
    source(environment, configuration)?.read().map_err(|error| Failure::usage(error.to_string()))
}

/// The same for a program that runs on: the files must be readable when it starts.
///
/// # Errors
/// Those of [`read`].
pub fn checked(environment: &Environment, configuration: &Controller) -> Result<KeySource, Failure> {
    let source = source(environment, Some(configuration))?;
    source.read().map_err(|error| Failure::usage(error.to_string()))?;
    let files: Vec<_> = source.files.iter().map(|file| Path::display(file).to_string()).collect();
    if !files.is_empty() {
        tracing::info!(files = files.join(", "), "age keys are read from files");
    }
    Ok(source)
}
