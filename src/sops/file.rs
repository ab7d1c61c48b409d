//! Whole files: whether one is encrypted, in which of SOPS's stores, and what it holds.

use super::fault::Fault;
use super::key::Keys;
use super::value::BEGIN;
use super::{dotenv, json, text};
use crate::diag::{Diagnostic, Sources};
use crate::model::{Confidential, Secret};

/// What an encrypted file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its content, decrypted: that which `sops decrypt` prints, byte by byte for JSON and files of any bytes, the same
    /// values for YAML, the same lines for dotenv, where each stands on the line it stands on in the encrypted file.
    pub content: Secret<Vec<u8>>,
    /// The texts that were decrypted.
    pub confidential: Confidential,
}

/// Decrypts a whole file. `None` where it is not encrypted. `path` is what it is called in messages; its end tells a JSON
/// file with the one key `data` from a file of bytes.
///
/// # Errors
/// No key is given or none fits, the MAC does not agree, or the file has no form that SOPS gives it. The diagnostic has no
/// place: that is where the file was asked for.
pub fn open(content: &[u8], path: &str, keys: &Keys) -> Result<Option<Opened>, Box<Diagnostic>> {
    decrypt(content, path, keys).map_err(|fault| Box::new(fault.of(path)))
}

fn decrypt(content: &[u8], path: &str, keys: &Keys) -> Result<Option<Opened>, Fault> {
    // Every file that SOPS writes is UTF-8 and has at least a MAC.
    let Ok(text) = std::str::from_utf8(content) else { return Ok(None) };
    if !text.contains(BEGIN) {
        return Ok(None);
    }
    let opened = |content: Vec<u8>, confidential| Some(Opened { content: Secret::new(content), confidential });
    if text.trim_start().starts_with('{') {
        let is_binary = !path.to_ascii_lowercase().ends_with(".json");
        return Ok(json::decrypt(text, keys, is_binary)?.and_then(|(content, texts)| opened(content, texts)));
    }
    if dotenv::is_encrypted_file(text) {
        let (content, confidential) = dotenv::decrypt(text, keys)?;
        return Ok(opened(content.into_bytes(), confidential));
    }
    let has_line = |wanted: &str| text.lines().any(|line| line.trim_end() == wanted);
    if has_line("[sops]") {
        return Err(Fault::format("it is an INI file encrypted with SOPS, a form that skep does not support"));
    }
    if !has_line("sops:") {
        return Ok(None);
    }
    let file = Sources::new().add(path, "");
    Ok(text::decrypt(text, file, keys)?.and_then(|(content, texts)| opened(content.into_bytes(), texts)))
}
