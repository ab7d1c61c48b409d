//! Going through one file: each value is opened or taken as it is, and all of them are signed.

use serde_json::{Map, Value};
use sha2::{Digest, Sha512};

use super::fault::Fault;
use super::key::Keys;
use super::metadata::{self, Metadata};
use super::value::{Opener, Plain, Type, is_encrypted};
use crate::model::Confidential;

/// What the MAC over encrypted values alone begins with, so that it never is that over all: SHA-256 of `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// One file that is being decrypted.
pub(super) struct Session {
    metadata: Metadata,
    opener: Opener,
    hash: Sha512,
    confidential: Confidential,
    /// The keys on the way to the value that is looked at, each with a colon behind it.
    place: String,
    /// Whether the rule speaks of any of them.
    named: bool,
}

/// What a value is.
pub(super) enum Found {
    /// As it stands there.
    Clear,
    /// Decrypted.
    Plain(Plain),
}

/// Where a walk was before it went below a key.
pub(super) struct Mark {
    length: usize,
    named: bool,
}

impl Session {
    pub fn start(sops: &Map<String, Value>, keys: &Keys) -> Result<Self, Fault> {
        let key = metadata::data_key(sops, keys)?;
        let metadata = Metadata::read(sops)?;
        let mut hash = Sha512::new();
        if metadata.mac_only_encrypted {
            hash.update(ONLY_ENCRYPTED);
        }
        let opener = Opener::new(&key);
        Ok(Self { metadata, opener, hash, confidential: Confidential::new(), place: String::new(), named: false })
    }

    /// Goes below a key.
    pub fn enter(&mut self, key: &str) -> Mark {
        let mark = Mark { length: self.place.len(), named: self.named };
        self.named = self.named || self.metadata.rule.names(key);
        self.place.push_str(key);
        self.place.push(':');
        mark
    }

    /// Comes back from below it.
    pub fn leave(&mut self, mark: &Mark) {
        self.place.truncate(mark.length);
        self.named = mark.named;
    }

    /// The place that the walk is at.
    pub fn place(&self) -> &str {
        if self.place.is_empty() { ":" } else { &self.place }
    }

    /// A value: its text where it has one, and the form of it that is signed where it stands in clear.
    pub fn value(&mut self, text: Option<&str>, signed: &[u8]) -> Result<Found, Fault> {
        let encrypted = match self.metadata.rule.encrypts(self.named) {
            Some(encrypted) => encrypted,
            None => text.is_some_and(is_encrypted),
        };
        if !encrypted {
            if !self.metadata.mac_only_encrypted {
                self.hash.update(signed);
            }
            return Ok(Found::Clear);
        }
        match text {
            // Nothing is encrypted of an empty text.
            Some("") => Ok(Found::Clear),
            Some(text) if is_encrypted(text) => {
                let plain = self.opener.open(text, self.place())?;
                if plain.kind != Type::Comment {
                    self.hash.update(&plain.bytes);
                }
                self.remember(&plain);
                Ok(Found::Plain(plain))
            }
            _ => {
                let place = self.place.trim_end_matches(':').replace(':', ".");
                Err(Fault::Mac(format!("`{place}` stands in clear where the file's rule wants it encrypted")))
            }
        }
    }

    /// Whether a boolean is true is told by much, and hiding the word would hide every other.
    fn remember(&mut self, plain: &Plain) {
        if matches!(plain.kind, Type::Boolean | Type::Comment) {
            return;
        }
        if let Ok(text) = plain.text() {
            self.confidential.add(text);
            self.confidential.add(text.trim());
        }
    }

    /// Compares the MAC of what was seen with that of the metadata. The texts that were decrypted are then to be believed.
    pub fn finish(self) -> Result<(Confidential, Opener), Fault> {
        let Self { metadata, opener, hash, confidential, .. } = self;
        let wrong = || Fault::Mac("its MAC does not fit: values in it were changed after it was encrypted".to_owned());
        if !is_encrypted(&metadata.mac) {
            return Err(Fault::format("the `mac` of its SOPS metadata is malformed"));
        }
        let mac = opener.open(&metadata.mac, &metadata.last_modified).map_err(|_| wrong())?;
        let computed: String = hash.finalize().iter().map(|byte| format!("{byte:02X}")).collect();
        if mac.bytes.eq_ignore_ascii_case(computed.as_bytes()) { Ok((confidential, opener)) } else { Err(wrong()) }
    }
}
