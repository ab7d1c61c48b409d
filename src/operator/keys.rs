//! The keys that encrypted files are decrypted with, and the files they are kept in.

use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::sops::{KeyError, Keys};

/// A file of keys has a line for each. One that is larger is something else.
const MAX_FILE: u64 = 64 * 1024;

/// Why the keys cannot be had. It names the file and nothing of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the file of age keys {path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// It holds no keys.
    #[error("the file of age keys {path} is not one: {why}")]
    NoKeys {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: KeyError,
    },
}

/// Where keys come from.
#[derive(Debug, Clone, Default)]
pub struct KeySource {
    /// Files of keys, read anew for each look: a key that was changed needs no restart.
    pub files: Vec<PathBuf>,
    /// Keys that are given as they are.
    pub given: Keys,
}

impl KeySource {
    /// All of the keys.
    ///
    /// # Errors
    /// A file that cannot be read or holds no keys.
    pub fn read(&self) -> Result<Keys, Error> {
        let mut keys = self.given.clone();
        for path in &self.files {
            let text = text(path).map_err(|why| Error::Unreadable { path: path.clone(), why })?;
            keys.extend(Keys::parse(&text).map_err(|why| Error::NoKeys { path: path.clone(), why })?);
        }
        Ok(keys)
    }
}

fn text(path: &Path) -> Result<Zeroizing<String>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    // Opening a pipe would wait for somebody to write to it.
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut text = Zeroizing::new(String::new());
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let length = file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if length as u64 > MAX_FILE { Err(format!("it has more than {MAX_FILE} bytes")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../tests/fixtures/sops/key.txt");

    #[test]
    fn files_and_given_keys_are_one_ring_and_changes_show() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("keys.txt");
        std::fs::write(&path, KEY).expect("written");
        let given = Keys::parse(include_str!("../../tests/fixtures/sops/other-key.txt")).expect("a key");
        let source = KeySource { files: vec![path.clone()], given: given.clone() };
        let both = source.read().expect("both");
        assert_ne!(both, given);
        assert_eq!(source.read().expect("again"), both);
        std::fs::write(&path, include_str!("../../tests/fixtures/sops/other-key.txt")).expect("written");
        assert_ne!(source.read().expect("another"), both);
    }

    #[test]
    fn a_file_that_is_no_use_is_named_and_not_quoted() {
        let dir = tempfile::tempdir().expect("a directory");
        let message = |path: PathBuf| {
            let source = KeySource { files: vec![path], given: Keys::none() };
            source.read().expect_err("an error").to_string().replace(&dir.path().display().to_string(), "DIR")
        };
        std::fs::write(dir.path().join("wrong"), "hunter2\n").expect("written");
        std::fs::write(dir.path().join("large"), vec![b'#'; 100_000]).expect("written");
        insta::assert_snapshot!(message(dir.path().join("none")), @"the file of age keys DIR/none cannot be read: No such file or directory (os error 2)");
        insta::assert_snapshot!(message(dir.path().to_owned()), @"the file of age keys DIR cannot be read: it is no regular file");
        insta::assert_snapshot!(message(dir.path().join("wrong")), @"the file of age keys DIR/wrong is not one: line 1 is not an age key (AGE-SECRET-KEY-1…)");
        insta::assert_snapshot!(message(dir.path().join("large")), @"the file of age keys DIR/large cannot be read: it has more than 65536 bytes");
    }
}
