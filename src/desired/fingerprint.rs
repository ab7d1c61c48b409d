//! What a secret's content is known by.
//!
//! The engine never returns a secret's data, so whether it still is what git says can only be told by something kept
//! beside it, and that must not help anybody to guess a weak password: scrypt with N = 2^14, r = 8, p = 1 (about 70 ms a
//! guess), salted with the swarm's id and the secret's plain name, so that equal contents do not show as equal.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use scrypt::{Params, scrypt};
use sha2::{Digest, Sha256};

use super::Desired;

/// log2 of scrypt's cost.
const LOG_COST: u8 = 14;
/// scrypt's block size.
const BLOCK: u32 = 8;
/// scrypt's parallelism.
const LANES: u32 = 1;

/// The fingerprints of one process, each computed once. It holds no content and no fingerprint leaves it but through
/// [`fill`]. Shared by reference; two threads that ask for one fingerprint wait for one computation.
#[derive(Default)]
pub struct Cache {
    known: Mutex<HashMap<[u8; 32], Slot>>,
}

/// Filled once. `None` when it cannot be computed, which these parameters never lead to.
type Slot = Arc<OnceLock<Option<String>>>;

impl Cache {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The fingerprint of a secret's content, 64 hexadecimal digits. Takes about 70 ms of CPU the first time.
    pub fn fingerprint(&self, swarm_id: &str, plain_name: &str, content: &[u8]) -> Option<String> {
        let salt = salt(swarm_id, plain_name);
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key(&salt, content)).or_default())
        };
        slot.get_or_init(|| compute(content, &salt)).clone()
    }
}

/// Nothing of what it holds is shown.
impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// Gives every secret with a content its fingerprint. About 70 ms of CPU for each that `cache` does not know.
pub fn fill(desired: &mut Desired, swarm_id: &str, cache: &Cache) {
    for (plain_name, secret) in &mut desired.secrets {
        if let Some(content) = &secret.content {
            secret.fingerprint = cache.fingerprint(swarm_id, plain_name, content.reveal());
        }
    }
}

/// The id's length is part of it, so no other pair of id and name gives the same salt.
fn salt(swarm_id: &str, plain_name: &str) -> Vec<u8> {
    format!("skep secret\0{}\0{swarm_id}{plain_name}", swarm_id.len()).into_bytes()
}

/// Known to this process only: a plain digest of a secret must not be written anywhere.
fn key(salt: &[u8], content: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(salt.len().to_le_bytes());
    hasher.update(salt);
    hasher.update(content);
    hasher.finalize().into()
}

fn compute(content: &[u8], salt: &[u8]) -> Option<String> {
    let params = Params::new(LOG_COST, BLOCK, LANES).ok()?;
    let mut output = [0_u8; 32];
    scrypt(content, salt, &params, &mut output).ok()?;
    Some(output.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_scrypt_over_id_and_name() {
        // By OpenSSL: scrypt of "hunter2", salt "skep secret\\0" "6\\0" "swarm1shop_password", n 16384, r 8, p 1.
        let expected = "29b23d055fcb788337c6c7866d8f9b26e7224e17703962daf74991468f3fee83";
        let fingerprint = Cache::new().fingerprint("swarm1", "shop_password", b"hunter2");
        assert_eq!(fingerprint.as_deref(), Some(expected));
    }

    #[test]
    fn content_name_and_swarm_each_change_it() {
        let cache = Cache::new();
        let of = |swarm, name, content: &str| cache.fingerprint(swarm, name, content.as_bytes());
        let one = of("swarm", "name", "content");
        assert_ne!(one, of("swarm", "name", "other"));
        assert_ne!(one, of("swarm", "other", "content"));
        assert_ne!(one, of("other", "name", "content"));
        assert_ne!(of("ab", "c", "x"), of("a", "bc", "x"), "the id and the name do not run together");
    }

    #[test]
    fn each_is_computed_once() {
        let cache = Cache::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| cache.fingerprint("swarm", "name", b"content"));
            }
        });
        cache.fingerprint("swarm", "name", b"content");
        let known = cache.known.lock().expect("not poisoned");
        assert_eq!(known.len(), 1);
        assert!(known.values().all(|slot| slot.get().is_some_and(Option::is_some)));
    }

    #[test]
    fn nothing_shows_in_debug() {
        let cache = Cache::new();
        cache.fingerprint("swarm", "name", b"content");
        assert_eq!(format!("{cache:?}"), "Cache { .. }");
    }
}
