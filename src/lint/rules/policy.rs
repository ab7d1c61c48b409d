//! Whether a bad version is noticed in time and taken back well.

use crate::diag::code;
use crate::lint::Finding;
use crate::lint::facts::{Facts, Order};
use crate::lint::words::duration;

pub(in crate::lint) fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let rolls = &facts.rolls;
    // What only the engine's silence says matters to those who wait for an answer.
    let counts = |said: bool| said || facts.serves();
    let is_early = facts.has_batches()
        && rolls.delay.value < rolls.monitor.value
        && counts(rolls.delay.said || rolls.monitor.said);
    let is_kept = rolls.failure_action.value != "rollback" && counts(rolls.failure_action.said);
    if is_early {
        found.push(early(facts, is_kept && !rolls.failure_action.said));
    }
    // Of a policy that nobody wrote, one thing is said; its cure has all of it.
    if is_kept && (rolls.failure_action.said || !is_early) {
        let says = match (rolls.failure_action.value.as_str(), rolls.failure_action.said) {
            ("continue", _) => "a version that fails replaces all tasks all the same (`failure_action: continue`)",
            (_, true) => "a version that fails stays, half rolled out (`failure_action: pause`)",
            (_, false) => "a version that fails stays, half rolled out (`failure_action: pause`, the engine's default)",
        };
        let hint = "`deploy.update_config: { failure_action: rollback }`";
        found.push(facts.warning(code::FAILURE_NOT_ROLLBACK, says, &[hint]));
    }
    if !is_early && counts(rolls.monitor.said) {
        found.extend(late(facts));
    }
    let rolls_back = rolls.failure_action.value == "rollback" && rolls.order.value == Order::StartFirst;
    if rolls_back && rolls.rollback_order.value == Order::StopFirst {
        let says = "it rolls forward start-first and back stop-first, one by one: with both alike and all at once, a bad version lost \
                    6.8 % of requests in place of 14 % (nginx), 0.08 % in place of 8.6 % (haproxy)";
        let hint = "`deploy.rollback_config: { order: start-first, parallelism: 0 }`";
        found.push(facts.warning(code::ROLLBACK_STOP_FIRST, says, &[hint]));
    }
}

fn early(facts: &Facts<'_>, is_silent: bool) -> Finding {
    let says = format!(
        "failures count for {}, the next batch waits for {}: a version that died once it was healthy was everywhere before that \
         was known, 9-18 % of requests lost (0-1.7 % where they are alike)",
        duration(facts.rolls.monitor.value),
        duration(facts.rolls.delay.value)
    );
    let rest = if is_silent { ", failure_action: rollback" } else { "" };
    facts.warning(code::DELAY_BELOW_MONITOR, says, &[&format!("`{}`", facts.computed().line(rest))])
}

/// A healthcheck that takes longer to notice than anybody waits.
fn late(facts: &Facts<'_>) -> Option<Finding> {
    let notices = facts.check?.notices_within();
    if facts.rolls.monitor.value >= notices {
        return None;
    }
    let says = format!(
        "failures count for {}, and its healthcheck takes up to {} to notice one: a version that turns unhealthy later is \
         `completed`, and nothing takes it back",
        duration(facts.rolls.monitor.value),
        duration(notices)
    );
    let hint = format!("`deploy.update_config: {{ monitor: {} }}`", duration(facts.computed().monitor));
    Some(facts.warning(code::MONITOR_TOO_SHORT, says, &[&hint, "or a quicker healthcheck"]))
}
