//! How a registry wants to be asked: the `WWW-Authenticate` of its answer.

use hyper::header::{GetAll, HeaderValue};

/// What a registry wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token of somebody else.
    Bearer(Bearer),
}

/// Where tokens are had, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Bearer {
    /// The address.
    pub realm: String,
    /// The registry as that address knows it.
    pub service: Option<String>,
    /// What is to be allowed.
    pub scope: Option<String>,
}

impl Challenge {
    /// A token is better than a password, where a registry takes both.
    pub(super) fn of(headers: GetAll<'_, HeaderValue>) -> Option<Self> {
        let found: Vec<Self> = headers.iter().filter_map(|value| Self::parse(value.to_str().ok()?)).collect();
        found.iter().find(|it| matches!(it, Challenge::Bearer(_))).or(found.first()).cloned()
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut bearer = Bearer::default();
        for (key, value) in parameters(rest) {
            match key.to_ascii_lowercase().as_str() {
                "realm" => bearer.realm = value,
                "service" => bearer.service = Some(value),
                "scope" => bearer.scope = Some(value),
                _ => {}
            }
        }
        (!bearer.realm.is_empty()).then_some(Challenge::Bearer(bearer))
    }
}

/// `key="value"` and `key=value`, with commas between them and perhaps in them.
fn parameters(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches([' ', ',']).to_owned();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((key, value.trim().to_owned()));
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_with_and_without_quotes() {
        let bearer = |text: &str| match Challenge::parse(text) {
            Some(Challenge::Bearer(bearer)) => bearer,
            other => panic!("{text}: {other:?}"),
        };
        let it = bearer(r#"Bearer realm="https://a.example/token",service="r, s",scope="repository:a/b:pull,push""#);
        assert_eq!(it.realm, "https://a.example/token");
        assert_eq!(it.service.as_deref(), Some("r, s"));
        assert_eq!(it.scope.as_deref(), Some("repository:a/b:pull,push"));
        assert_eq!(bearer("bearer realm=https://a.example/t, service=r").service.as_deref(), Some("r"));
        assert_eq!(Challenge::parse(r#"Basic realm="lab""#), Some(Challenge::Basic));
        for other in ["", "Negotiate", "Bearer", r#"Bearer service="r""#, "Bearer realm"] {
            assert_eq!(Challenge::parse(other), None, "{other}");
        }
    }
}
