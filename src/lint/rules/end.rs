//! Whether a task may finish what it is at.

use std::time::Duration;

use crate::diag::code;
use crate::lint::Finding;
use crate::lint::facts::Facts;
use crate::lint::words::duration;

/// The engine's own grace, and the least that is asked of one that is said.
const ENGINE_GRACE: Duration = Duration::from_secs(10);

pub(in crate::lint) fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if !facts.serves() {
        return;
    }
    let container = facts.container;
    if matches!(container.stop_signal.trim_start_matches("SIG"), "KILL" | "9") {
        let says = "its tasks are ended by SIGKILL, in the midst of what they answer: 10-21 of about 160 requests of 4 s were cut \
                    at updates";
        let hint = "no `stop_signal`, or the one that makes it finish: SIGTERM for most, SIGQUIT for nginx";
        found.push(facts.warning(code::ABRUPT_EXIT, says, &[hint]));
        return;
    }
    // Silence is 10 s. Zero is an end at once.
    let Some(grace) = container.stop_grace_period.and_then(|it| u64::try_from(it).ok()).map(Duration::from_nanos)
    else {
        return;
    };
    if grace < ENGINE_GRACE {
        let says = format!(
            "requests that take longer than {} are cut at every update: of about 160 of 4 s, 10-11 were lost with 1 s, none with 20 s",
            duration(grace)
        );
        found.push(facts.warning(
            code::NO_GRACE,
            says,
            &["`stop_grace_period: 20s`, or what the longest request takes"],
        ));
    }
}
