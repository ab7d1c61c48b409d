//! How many requests were made: for the tests that prove silence, and for telemetry.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hyper::Method;

/// Requests of one sort: the HTTP method, and the status answered; 0 where no answer came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sort {
    /// As `GET`.
    pub method: String,
    /// As 200; 0 where no answer came.
    pub status: u16,
}

/// Counts requests as they end.
#[derive(Debug, Default)]
pub struct RequestCounts(Mutex<BTreeMap<Sort, u64>>);

impl RequestCounts {
    pub(super) fn add(&self, method: &Method, status: u16) {
        let sort = Sort { method: method.as_str().to_owned(), status };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(sort).or_default() += 1;
    }

    /// All counts so far.
    pub fn snapshot(&self) -> BTreeMap<Sort, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests that change nothing.
    pub fn reads(&self) -> u64 {
        self.sum(is_read)
    }

    /// Requests that may change something, whatever came of them.
    pub fn writes(&self) -> u64 {
        self.sum(|method| !is_read(method))
    }

    fn sum(&self, counts: impl Fn(&str) -> bool) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(sort, _)| counts(&sort.method)).map(|(_, count)| count).sum()
    }
}

fn is_read(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_are_told_apart_whatever_came_of_them() {
        let counts = RequestCounts::default();
        counts.add(&Method::GET, 200);
        counts.add(&Method::GET, 200);
        counts.add(&Method::POST, 500);
        counts.add(&Method::DELETE, 0);
        assert_eq!((counts.reads(), counts.writes()), (2, 2));
        assert_eq!(counts.snapshot().get(&Sort { method: "GET".into(), status: 200 }), Some(&2));
    }
}
