//! Versions of the Engine API, and the span of them that skep speaks.

/// The oldest API that has all skep needs: Engine 20.10, the first with jobs and `ServiceStatus`.
pub const OLDEST_API: ApiVersion = ApiVersion { major: 1, minor: 41 };
/// The newest API this version of skep was written against.
pub const NEWEST_API: ApiVersion = ApiVersion { major: 1, minor: 53 };

/// A version of the Engine API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// Always 1 so far.
    pub major: u32,
    /// As 41 in 1.41.
    pub minor: u32,
}

impl ApiVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
