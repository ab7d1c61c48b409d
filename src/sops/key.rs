//! The keys that files are decrypted with.

use std::fmt;

use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

use super::bech32;

/// How many keys one run takes.
const MAX_KEYS: usize = 100;

/// Why a text is not a file of keys. It says nothing of what the text holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A line that is no key.
    #[error("line {line} is not an age key (AGE-SECRET-KEY-1…)")]
    Form {
        /// The line, from 1.
        line: usize,
    },
    /// A kind of key that age knows and skep does not.
    #[error("line {line} is a key of a kind that skep does not support: only AGE-SECRET-KEY-1… is")]
    Unsupported {
        /// The line, from 1.
        line: usize,
    },
    /// There is no key in it.
    #[error("it holds no age key")]
    Empty,
    /// More keys than anybody has.
    #[error("it holds more than {MAX_KEYS} keys")]
    TooMany,
}

/// The keys that files are decrypted with: age's X25519 identities. It shows none of them, and they are wiped from memory
/// when it goes.
#[derive(Clone, Default)]
pub struct Keys(Vec<Identity>);

/// The same keys in the same order.
impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|identity| identity.public).eq(other.0.iter().map(|identity| identity.public))
    }
}

impl Eq for Keys {}

/// One key and the recipient it opens for.
#[derive(Clone)]
pub(super) struct Identity {
    pub secret: Zeroizing<[u8; 32]>,
    pub public: [u8; 32],
}

impl Keys {
    /// None: an encrypted file is then an error.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the text of a key file, as `age-keygen` writes it: a key a line, empty lines, and comments after `#`.
    ///
    /// # Errors
    /// Any [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some(secret) = bech32::decode("age-secret-key-", line) else {
                let is_other =
                    ["AGE-SECRET-KEY-PQ-", "AGE-PLUGIN-", "-----BEGIN"].iter().any(|it| line.starts_with(it));
                let line = index + 1;
                return Err(if is_other { KeyError::Unsupported { line } } else { KeyError::Form { line } });
            };
            if keys.len() == MAX_KEYS {
                return Err(KeyError::TooMany);
            }
            let public = x25519(*secret, X25519_BASEPOINT_BYTES);
            keys.push(Identity { secret, public });
        }
        if keys.is_empty() { Err(KeyError::Empty) } else { Ok(Self(keys)) }
    }

    /// Adds the keys of another.
    pub fn extend(&mut self, other: Keys) {
        self.0.extend(other.0);
    }

    /// The key that opens for a recipient as it is written.
    pub(super) fn find(&self, recipient: &str) -> Option<&Identity> {
        let public = bech32::decode("age", recipient)?;
        self.0.iter().find(|identity| identity.public == *public)
    }
}

/// Nothing of what it holds is shown.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../tests/fixtures/sops/key.txt");

    #[test]
    fn a_key_file_is_read_as_age_keygen_writes_it() {
        let keys = Keys::parse(FILE).expect("a key file");
        let public = FILE.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("its comment");
        assert!(keys.find(public).is_some());
        assert!(keys.find("age1x76f5lq4x6qynxjgtu29pxfdmwwdrx9jhv03yyu8pn86tqn4ggkq30f4w2").is_none());
        let several = format!("\n{FILE}\r\n# another\n{}", include_str!("../../tests/fixtures/sops/other-key.txt"));
        assert_eq!(Keys::parse(&several).map(|keys| keys.0.len()), Ok(2));
        assert_eq!(format!("{keys:?}"), "Keys(1)");
    }

    #[test]
    fn what_is_no_key_is_named_by_its_line_alone() {
        for (text, error) in [
            ("", KeyError::Empty),
            ("# only a comment\n", KeyError::Empty),
            ("# one\nAGE-SECRET-KEY-1XYZ", KeyError::Form { line: 2 }),
            ("AGE-SECRET-KEY-PQ-1XYZ", KeyError::Unsupported { line: 1 }),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", KeyError::Unsupported { line: 1 }),
        ] {
            assert_eq!(Keys::parse(text).err(), Some(error), "{text}");
        }
    }
}
