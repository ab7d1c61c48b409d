//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// Asks until the condition holds. `what` completes the sentence "gave up waiting until …".
#[track_caller]
pub fn wait_until(within: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(within, what, || condition().then_some(()));
}

/// Asks until there is a value.
#[track_caller]
pub fn wait_for<T>(within: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let mut value = None;
    let is_there = holds_within(within, || {
        value = ask();
        value.is_some()
    });
    assert!(is_there, "gave up after {within:?} waiting until {what}");
    value.expect("it is there")
}

/// Asks until the condition holds, and says whether it did in time.
pub fn holds_within(within: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
}
