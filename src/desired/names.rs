//! Names of configs and secrets by content. Their data can never change, so a changed content is a new object.

use crate::model::name::MAX_CONFIG_NAME;

/// How many characters of a digest or fingerprint tell versions apart: 48 bits, over a handful of versions of one name.
pub const SUFFIX: usize = 12;

/// The part of a digest or fingerprint that goes into a name.
pub fn suffix(hash: &str) -> &str {
    hash.get(..SUFFIX).unwrap_or(hash)
}

/// The name of a later version: `<plain>-<hash>`, within the engine's 64 characters. What must go is taken from the plain
/// name; `hash` stays whole (give it a [`suffix`]).
///
/// ```
/// use skep::desired::names::versioned;
/// assert_eq!(versioned("shop_nginx.conf", "0f3a5c"), "shop_nginx.conf-0f3a5c");
/// assert_eq!(versioned(&"x".repeat(64), "0f3a5c").len(), 64);
/// ```
pub fn versioned(plain: &str, hash: &str) -> String {
    versioned_within(plain, hash, MAX_CONFIG_NAME)
}

/// The same within another number of characters.
pub fn versioned_within(plain: &str, hash: &str, most: usize) -> String {
    let room = most.saturating_sub(hash.chars().count() + 1);
    let plain: String = plain.chars().take(room).collect();
    format!("{plain}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::check_config_name;

    #[test]
    fn a_long_name_gives_way_to_its_hash() {
        let hash = suffix("0123456789abcdef");
        assert_eq!(hash, "0123456789ab");
        for length in [1, 50, 51, 52, 64, 200] {
            let name = versioned(&"n".repeat(length), hash);
            assert!(name.ends_with("-0123456789ab"), "{name}");
            assert_eq!(check_config_name(&name), Ok(()), "{length}");
        }
        assert_ne!(versioned(&"n".repeat(64), "a"), versioned(&"n".repeat(64), "b"));
    }

    #[test]
    fn a_short_hash_is_its_own_suffix() {
        assert_eq!(suffix("ab"), "ab");
    }
}
