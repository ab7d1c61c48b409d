//! Waits that grow, and differ from each other.

use std::time::Duration;

/// How long to wait after the first failure, the second, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after so many failures in a row: twice the one before, up to the longest, and of that between a half and
    /// all, so that those who failed together do not come back together.
    pub fn delay(self, failures: u32) -> Duration {
        self.delay_with(failures, random())
    }

    fn delay_with(self, failures: u32, random: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        whole.mul_f64(0.5 + random / 2.0)
    }
}

/// Between 0 and 1. Where the system has no randomness to give, 1: the longest wait.
pub(super) fn random() -> f64 {
    getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_vary_by_half() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(10) };
        let whole: Vec<u64> = (1..=6).map(|failures| backoff.delay_with(failures, 1.0).as_secs()).collect();
        assert_eq!(whole, [1, 2, 4, 8, 10, 10]);
        assert_eq!(backoff.delay_with(4, 0.0), Duration::from_secs(4));
        assert_eq!(backoff.delay_with(u32::MAX, 1.0), Duration::from_secs(10));
        let random = backoff.delay(1);
        assert!((Duration::from_millis(500)..=Duration::from_secs(1)).contains(&random), "{random:?}");
    }
}
