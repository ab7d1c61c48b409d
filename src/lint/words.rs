//! Words of messages.

use std::time::Duration;

/// A duration as a stack file has it: `90s`, `1m30s`, `500ms`.
pub(super) fn duration(it: Duration) -> String {
    let (seconds, milliseconds) = (it.as_secs(), it.subsec_millis());
    match (seconds, milliseconds) {
        (0, 0) => "0s".to_owned(),
        (0, _) => format!("{milliseconds}ms"),
        (_, 0) if seconds < 120 => format!("{seconds}s"),
        (_, 0) if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        (_, 0) => format!("{}m{}s", seconds / 60, seconds % 60),
        _ => format!("{:.1}s", it.as_secs_f64()),
    }
}

/// Names in a sentence: all of them up to eight, then how many more.
pub(super) fn names(names: &[String]) -> String {
    const MOST: usize = 8;
    match names.len().checked_sub(MOST) {
        None | Some(0) => names.join(", "),
        Some(left) => format!("{} and {left} more", names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ")),
    }
}

/// A duration that the engine counts in nanoseconds; `None` where it says nothing.
pub(super) fn nanoseconds(it: i64) -> Option<Duration> {
    u64::try_from(it).ok().filter(|it| *it > 0).map(Duration::from_nanos)
}
