//! The part of the age format (age-encryption.org/v1) that SOPS uses: a data key of 32 bytes, encrypted to X25519
//! recipients.
//!
//! The crate `age` brings 150 others, most for translated messages and for recipients that SOPS files do not have; this is
//! a header of a few lines over primitives of `ring` and `x25519-dalek`. No other stanza is tried, so a header that asks
//! for years of scrypt costs nothing.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use x25519_dalek::x25519;
use zeroize::Zeroizing;

use super::key::Identity;

/// The most that one recipient's copy of the data key may take. It takes 400 bytes.
const MAX_LENGTH: usize = 16 * 1024;

const VERSION: &str = "age-encryption.org/v1";
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
/// What a wrapped file key takes: 16 bytes and a tag.
const WRAPPED: usize = 32;
const NONCE: usize = 16;

/// The data key in an armoured age file. `None` where it is no such file, or not for this identity.
pub(super) fn data_key(armoured: &str, identity: &Identity) -> Option<Zeroizing<[u8; 32]>> {
    let file = unarmour(armoured)?;
    let (header, payload) = split(&file)?;
    let file_key = stanzas(header).find_map(|stanza| unwrap(&stanza?, identity))?;
    verify(header, &file_key)?;
    decrypt(payload, &file_key)
}

fn unarmour(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

/// The header, its last line included, and what follows it.
fn split(file: &[u8]) -> Option<(&str, &[u8])> {
    let dashes = file.windows(5).position(|window| window == b"\n--- ")?;
    let length = file.get(dashes + 1..)?.iter().position(|byte| *byte == b'\n')?;
    let (header, rest) = file.split_at_checked(dashes + 1 + length)?;
    Some((std::str::from_utf8(header).ok()?, rest.get(1..)?))
}

/// An X25519 stanza: the sender's share, and the wrapped file key.
struct Stanza {
    share: [u8; 32],
    body: [u8; WRAPPED],
}

/// The stanzas of a header; `None` in place of those of another kind.
fn stanzas(header: &str) -> impl Iterator<Item = Option<Stanza>> {
    let mut lines = header.lines();
    let is_known = lines.next() == Some(VERSION);
    let body = header.split("\n-> ").skip(1);
    body.filter(move |_| is_known).map(|stanza| {
        let stanza = stanza.split("\n--- ").next()?;
        let (kind, body) = stanza.split_once('\n')?;
        let share = kind.strip_prefix("X25519 ")?;
        Some(Stanza {
            share: STANDARD_NO_PAD.decode(share).ok()?.try_into().ok()?,
            body: STANDARD_NO_PAD.decode(body.trim_end_matches('\n')).ok()?.try_into().ok()?,
        })
    })
}

fn unwrap(stanza: &Stanza, identity: &Identity) -> Option<Zeroizing<Vec<u8>>> {
    let shared = Zeroizing::new(x25519(*identity.secret, stanza.share));
    if shared.iter().all(|byte| *byte == 0) {
        return None;
    }
    let key = derive(&[stanza.share, identity.public].concat(), &*shared, b"age-encryption.org/v1/X25519")?;
    open(&key, [0; 12], &stanza.body)
}

fn verify(header: &str, file_key: &[u8]) -> Option<()> {
    let (signed, tag) = header.rsplit_once(' ')?;
    let key = derive(&[], file_key, b"header")?;
    let tag = STANDARD_NO_PAD.decode(tag).ok()?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &*key), signed.as_bytes(), &tag).ok()
}

/// A data key is one chunk, the first and last.
fn decrypt(payload: &[u8], file_key: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let (nonce, chunk) = payload.split_at_checked(NONCE)?;
    let key = derive(nonce, file_key, b"payload")?;
    let mut last = [0; 12];
    if let Some(flag) = last.last_mut() {
        *flag = 1;
    }
    let opened = open(&key, last, chunk)?;
    Some(Zeroizing::new(opened.as_slice().try_into().ok()?))
}

fn derive(salt: &[u8], secret: &[u8], purpose: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, salt);
    salt.extract(secret).expand(&[purpose], hkdf::HKDF_SHA256).ok()?.fill(&mut *key).ok()?;
    Some(key)
}

fn open(key: &[u8; 32], nonce: [u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?);
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}
