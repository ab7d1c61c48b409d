//! One encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use aes_gcm::aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::fault::Fault;

/// What every encrypted value begins with.
pub(super) const BEGIN: &str = "ENC[AES256_GCM,";

/// SOPS takes nonces of 32 bytes, which few ciphers do.
type Cipher = AesGcm<Aes256, U32>;

/// What opens values.
pub(super) struct Opener(Cipher);

/// A decrypted value's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Bytes,
    Integer,
    Float,
    Boolean,
    Time,
    Comment,
}

/// A value that was decrypted, in the form that SOPS encrypts and signs.
pub(super) struct Plain {
    pub kind: Type,
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Plain {
    /// The value as text.
    pub fn text(&self) -> Result<&str, Fault> {
        std::str::from_utf8(&self.bytes).map_err(|_| Fault::format("a value in it is not text, but bytes"))
    }

    /// A boolean's value.
    pub fn is_true(&self) -> bool {
        self.bytes.first().is_some_and(|byte| matches!(byte, b'T' | b't' | b'1'))
    }
}

/// Whether a text has the form of an encrypted value.
pub(super) fn is_encrypted(text: &str) -> bool {
    text.starts_with(BEGIN) && text.ends_with(']')
}

impl Opener {
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Cipher::new(&(*key).into()))
    }

    /// Opens a value. `place` is the path of keys that it was encrypted at.
    pub fn open(&self, text: &str, place: &str) -> Result<Plain, Fault> {
        let parts = Parts::read(text).ok_or_else(|| Fault::format("an encrypted value in it is malformed"))?;
        let payload = Payload { msg: &parts.sealed, aad: place.as_bytes() };
        let bytes = self
            .0
            .decrypt(&parts.nonce, payload)
            .map_err(|_| Fault::Mac("a value in it was changed, moved or renamed after it was encrypted".to_owned()))?;
        let plain = Plain { kind: parts.kind, bytes: Zeroizing::new(bytes) };
        plain.check()
    }

    /// Opens a comment. One that does not open was never encrypted.
    pub fn comment(&self, text: &str, place: &str) -> Option<String> {
        let plain = self.open(text, place).ok().filter(|plain| plain.kind == Type::Comment)?;
        plain.text().ok().map(str::to_owned)
    }
}

impl Plain {
    /// Brings a value into the form that is signed.
    fn check(mut self) -> Result<Self, Fault> {
        let wrong = || Fault::format("an encrypted value in it is not of the type it says");
        let whole = match self.kind {
            Type::Text | Type::Bytes | Type::Comment | Type::Time => return Ok(self),
            Type::Integer => self.text()?.parse::<i64>().map_err(|_| wrong())?.to_string(),
            Type::Float => self.text()?.parse::<f64>().map_err(|_| wrong())?.to_string(),
            Type::Boolean => match self.text()? {
                "True" | "true" | "TRUE" | "T" | "t" | "1" => "True".to_owned(),
                "False" | "false" | "FALSE" | "F" | "f" | "0" => "False".to_owned(),
                _ => return Err(wrong()),
            },
        };
        self.bytes = Zeroizing::new(whole.into_bytes());
        Ok(self)
    }
}

struct Parts {
    /// The ciphertext and its tag.
    sealed: Vec<u8>,
    nonce: Nonce<Cipher>,
    kind: Type,
}

impl Parts {
    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(BEGIN)?.strip_suffix(']')?.strip_prefix("data:")?;
        let (data, rest) = rest.split_once(",iv:")?;
        let (nonce, rest) = rest.split_once(",tag:")?;
        let (tag, kind) = rest.split_once(",type:")?;
        let mut sealed = STANDARD.decode(data).ok()?;
        sealed.extend(STANDARD.decode(tag).ok().filter(|tag| tag.len() == 16)?);
        let nonce = STANDARD.decode(nonce).ok()?;
        let kind = match kind {
            "str" => Type::Text,
            "bytes" => Type::Bytes,
            "int" => Type::Integer,
            "float" => Type::Float,
            "bool" => Type::Boolean,
            "time" => Type::Time,
            "comment" => Type::Comment,
            _ => return None,
        };
        Some(Self { sealed, nonce: Nonce::<Cipher>::try_from(nonce.as_slice()).ok()?, kind })
    }
}
