//! Whether whoever sends the requests knows in time where to.

use std::time::Duration;

use crate::diag::code;
use crate::lint::facts::{Door, Facts};
use crate::lint::words::{self, duration};
use crate::lint::{Finding, World, traefik};

/// Swarm sends SIGTERM 2 s after a task left DNS; a proxy that learns of it more quickly loses nothing.
const IN_TIME: Duration = Duration::from_secs(2);

pub(in crate::lint) fn check(facts: &Facts<'_>, world: &World, found: &mut Vec<Finding>) {
    if facts.door == Some(Door::Traefik) {
        found.extend(refresh(facts, world));
    }
    let Some(reads) = world.reads(facts.subject.spec) else { return };
    let means_tasks = |host: &str| world.means_tasks(host, facts.stack());
    let once: Vec<String> = reads
        .targets
        .iter()
        .filter(|target| target.once && means_tasks(&target.host))
        .map(|target| format!("`{}`", target.host))
        .collect();
    if !once.is_empty() {
        let says = format!(
            "its configuration looks {} up once, and the name means tasks: from the first update on 62 % of all requests were lost, \
             until it was restarted",
            words::names(&once)
        );
        let hint = "nginx: `resolver 127.0.0.11 valid=1s;` and `set $up http://NAME:PORT; proxy_pass $up;`; haproxy: `resolvers` \
                    with `hold valid 1s`";
        found.push(facts.warning(code::DNS_ONCE, says, &[hint]));
    }
    if let Some(why) = reads.no_retry {
        let says = format!(
            "it sends no failed request to another server ({why}): when a node is lost, a third of them fails for 7-8 s, 478-536 in the \
             measured run; with a retry 0-2"
        );
        let hint = "haproxy: `option redispatch 1` and `retry-on conn-failure empty-response`; nginx: `proxy_next_upstream error \
                    timeout;`";
        found.push(facts.warning(code::NO_RETRY, says, &[hint]));
    }
}

/// Traefik asks which tasks there are, and sends requests to those that are gone until it asks again.
fn refresh(facts: &Facts<'_>, world: &World) -> Option<Finding> {
    let traefik = world.slowest_traefik();
    let poll = traefik.map_or(traefik::DEFAULT_POLL, |traefik| traefik.poll);
    if poll < IN_TIME || traefik::uses_virtual_address(&facts.subject.spec.labels) || serves_on(facts, poll) {
        return None;
    }
    let who = traefik.map_or("Traefik".to_owned(), |traefik| format!("Traefik ({})", traefik.name));
    let at = if poll == traefik::DEFAULT_POLL { "" } else { "at 15s " };
    let says = format!(
        "{who} learns of tasks every {}, Swarm ends one 2 s after taking it out: {at}16-27 % of requests are lost at every update, at \
         1s none",
        duration(poll)
    );
    let cure = match traefik {
        Some(traefik) => format!("`{}` among the arguments of {}", traefik.cure(), traefik.name),
        None => format!("`{}` among Traefik's arguments", traefik::THIRD),
    };
    let label = if traefik.is_some_and(|traefik| traefik.is_second) { "docker" } else { "swarm" };
    let other = format!("or let Swarm's own address balance: `deploy.labels: {{ traefik.{label}.lbswarm: \"true\" }}`");
    Some(facts.warning(code::PROXY_REFRESH, says, &[&cure, &other]))
}

/// Whether the old task goes on answering for long enough: its stop signal is one that nobody heeds, and its end comes later.
fn serves_on(facts: &Facts<'_>, poll: Duration) -> bool {
    let signal = facts.container.stop_signal.trim_start_matches("SIG");
    let grace = facts.container.stop_grace_period.and_then(words::nanoseconds).unwrap_or(Duration::from_secs(10));
    matches!(signal, "CONT" | "URG" | "CHLD") && grace > poll
}
