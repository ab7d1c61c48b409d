//! Names of configs and secrets by content. Their data can never change, so a changed content is a new object.

use crate::model::name::MAX_CONFIG_NAME;
use crate::model::{Digest, StackName};

/// How many characters of a digest or fingerprint tell versions apart: 48 bits, over a handful of versions of one name.
pub const SUFFIX: usize = 12;

/// The part of a digest or fingerprint that goes into a name.
pub fn suffix(hash: &str) -> &str {
    hash.get(..SUFFIX).unwrap_or(hash)
}

/// What the content of a config is known by, its template driver included.
pub fn of_config(data: &str, driver: Option<&str>) -> Digest {
    match driver {
        None => Digest::of(data),
        Some(driver) => Digest::of(format!("{driver}\0{data}")),
    }
}

/// What may be the hash of a later version: the hexadecimal digits behind the last `-` of a name, or nothing.
pub fn hash_of(name: &str) -> &str {
    let hash = name.rsplit_once('-').map_or("", |(_, hash)| hash);
    if hash.bytes().all(|byte| byte.is_ascii_hexdigit()) { hash } else { "" }
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

/// How another tool names the versions of one config or secret: this, and then so many digits of a digest of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// What its names begin with.
    pub prefix: String,
    digits: usize,
}

impl Scheme {
    /// Whether the tool would give this name, for some content.
    pub fn gives(&self, name: &str) -> bool {
        let digits = name.strip_prefix(&self.prefix).filter(|digits| digits.len() == self.digits);
        digits.is_some_and(|digits| digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
    }
}

/// The names that other tools give to the versions of a config or secret, in `stack` under this key, with this `name:` and
/// this file, as their sources say:
///
/// - swarm-cd 1.10.0 (`swarmcd/stack.go`, `rotateObjects`): `<stack>-<key>-` and 8 digits of MD5, whatever `name:` says;
/// - doco-cd at 03cbeb36 (`internal/docker/swarm.go`, `SetConfigHashPrefixes`): `<name>_` and 8 digits of SHA-256, where the
///   name is `name:` or else `<stack>_` and the last part of the file's path, not the key;
/// - docker-sdp 0.2.15 (`docker_stack_deploy/cli/deployer.py`, `augment_secrets_or_config`): it appends `_` and 12 digits of
///   SHA-1 to the key where there is no `name:`, and `docker stack deploy` puts `<stack>_` in front.
///
/// Portainer runs `docker stack deploy` on the file as it is, and gives no names.
pub fn schemes(stack: &StackName, key: &str, own: Option<&str>, file: Option<&str>) -> Vec<Scheme> {
    let own = own.filter(|own| !own.is_empty());
    let mut schemes = vec![Scheme { prefix: format!("{stack}-{key}-"), digits: 8 }];
    let named = own.map(str::to_owned).or_else(|| Some(stack.scope(file?)));
    schemes.extend(named.map(|name| Scheme { prefix: format!("{name}_"), digits: 8 }));
    if own.is_none() {
        schemes.push(Scheme { prefix: format!("{}_", stack.scope(key)), digits: 12 });
    }
    schemes
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
    fn a_name_of_another_tool_is_known_by_key_file_and_digest() {
        let stack = StackName::parse("shop").expect("valid");
        let is_given =
            |own, name: &str| schemes(&stack, "conf", own, Some("nginx.conf")).iter().any(|scheme| scheme.gives(name));
        for name in ["shop-conf-0123abcd", "shop_nginx.conf_0123abcd", "shop_conf_0123456789ab"] {
            assert!(is_given(None, name), "{name}");
        }
        for name in ["front_0123abcd", "shop-conf-0123abcd"] {
            assert!(is_given(Some("front"), name), "{name}");
        }
        for (own, name) in [
            (None, "shop_conf"),
            (None, "shop-conf"),
            (None, "shop-conf-0123ABCD"),
            (None, "shop-conf-0123abcde"),
            (None, "shop-other-0123abcd"),
            (None, "shop_conf_0123abcd"),
            (Some("front"), "shop_nginx.conf_0123abcd"),
            (Some("front"), "front_0123456789ab"),
        ] {
            assert!(!is_given(own, name), "{name}");
        }
    }

    #[test]
    fn a_short_hash_is_its_own_suffix() {
        assert_eq!(suffix("ab"), "ab");
    }
}
