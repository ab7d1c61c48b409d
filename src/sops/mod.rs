//! Files encrypted with SOPS, decrypted in memory with age keys.

/// The keys that files are decrypted with. It shows none of them.
#[derive(Clone, Default)]
pub struct Keys;

impl Keys {
    /// None: an encrypted file is then an error.
    pub const fn none() -> Self {
        Self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        true
    }
}
