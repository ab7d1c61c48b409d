//! Whether a task is there for every request: one is left, and it answers.

use crate::diag::code;
use crate::lint::facts::{Apart, Door, Facts, Order};
use crate::lint::{Filled, Finding, traefik};

/// The lines of a healthcheck; what is tried is for the application to say.
const HEALTHCHECK: &str = "`healthcheck: { test: [CMD, wget, -q, -O, /dev/null, \"http://127.0.0.1:PORT/\"], interval: 5s, \
                           timeout: 3s, retries: 3, start_period: 30s }`";

pub(in crate::lint) fn check(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    match facts.rolls.order.value {
        Order::StopFirst => stop_first(facts, found),
        Order::StartFirst => start_first(facts, found),
    }
}

fn stop_first(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if !facts.serves() {
        return;
    }
    if facts.tasks == 1 && !facts.is_global {
        found.push(one_replica(facts));
        return;
    }
    let parallelism = facts.rolls.parallelism;
    if !facts.is_global && (parallelism == 0 || parallelism >= facts.tasks) {
        let says = format!("all {} tasks end before the new ones start, so nobody answers meanwhile", facts.tasks);
        let hint = "`deploy.update_config: { parallelism: 1 }`, or `order: start-first`";
        found.push(facts.warning(code::ALL_AT_ONCE, says, &[hint]));
        return;
    }
    found.extend(no_healthcheck(facts, "3.6-6.7 % of requests lost at an update of 3 replicas"));
}

fn one_replica(facts: &Facts<'_>) -> Finding {
    const OUT: &str = "nobody answers for 3-5 s at every update (12-26 % of requests lost)";
    let code = code::ONE_REPLICA_STOP_FIRST;
    if let Some(apart) = &facts.apart {
        let why = match apart {
            Apart::Single => "which must not run twice".to_owned(),
            Apart::Data(_) => "with data of its own".to_owned(),
            Apart::HostPort(port) => format!("with port {port} of its node"),
        };
        let says = format!(
            "one replica {why}: it ends before its successor starts, so nobody answers for some seconds at every update"
        );
        return facts.note(code, says, &[]);
    }
    match (facts.check, facts.subject.filled) {
        (None, Filled::Auto) if !facts.rolls.order.said => {
            let says = format!("one replica without a healthcheck ends before its successor starts: {OUT}");
            let hint = format!("{HEALTHCHECK}: with one, skep starts the new task first");
            facts.warning(code, says, &[&hint])
        }
        (None, _) => {
            let says =
                format!("one replica, stop-first and without a healthcheck, ends before its successor starts: {OUT}");
            facts.warning(
                code,
                says,
                &["`deploy.update_config: { order: start-first }`, with a healthcheck", HEALTHCHECK],
            )
        }
        (Some(_), _) => {
            let says = format!("one replica, stop-first, ends before its successor starts: {OUT}");
            facts.warning(code, says, &["`deploy.update_config: { order: start-first }`"])
        }
    }
}

fn start_first(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    match &facts.apart {
        Some(Apart::Data(target)) => {
            let says = format!("start-first runs two tasks at once on the data in {target} at every update");
            found.push(facts.warning(code::RUNS_TWICE, says, &["`deploy.update_config: { order: stop-first }`"]));
            return;
        }
        Some(Apart::Single) => {
            let says = "start-first runs two tasks at once at every update, and its file says `single`";
            found.push(facts.warning(code::RUNS_TWICE, says, &["`deploy.update_config: { order: stop-first }`"]));
            return;
        }
        Some(Apart::HostPort(port)) if !facts.has_spare_nodes() => {
            let says = format!(
                "start-first, and port {port} of the node is taken by the old task: the update waits for ever in `updating`"
            );
            found.push(facts.warning(
                code::START_FIRST_STUCK,
                says,
                &["`deploy.update_config: { order: stop-first }`"],
            ));
            return;
        }
        _ => {}
    }
    if facts.tasks == 1 && facts.is_database() {
        let says = "a database that start-first runs twice at every update";
        found.push(facts.warning(code::RUNS_TWICE, says, &["`deploy.update_config: { order: stop-first }`"]));
        return;
    }
    if let Some((most, nodes)) = facts.is_full() {
        let says = format!(
            "start-first, and with max_replicas_per_node {most} its {} tasks fill all {nodes} nodes: the update waits for ever \
             in `updating`",
            facts.tasks
        );
        let hint = "`deploy.update_config: { order: stop-first }`, or a higher `max_replicas_per_node`";
        found.push(facts.warning(code::START_FIRST_STUCK, says, &[hint]));
    }
    if facts.serves() {
        let measured = "5.2-6.5 % of requests lost at a start-first update of 3 replicas";
        found.extend(no_healthcheck(facts, measured));
    }
}

/// What nothing tells when it can answer. A Traefik that tries by itself is something.
fn no_healthcheck(facts: &Facts<'_>, measured: &str) -> Option<Finding> {
    let tries = facts.door == Some(Door::Traefik) && traefik::checks(&facts.subject.spec.labels);
    if facts.check.is_some() || tries {
        return None;
    }
    let says = format!("no healthcheck: a task gets requests before it listens ({measured})");
    Some(facts.warning(code::NO_HEALTHCHECK, says, &[HEALTHCHECK]))
}
