//! Configurations of nginx and haproxy that stand in configs of the swarm, as far as the rules ask.
//!
//! This is no parser of theirs: what it does not understand it says nothing of.

use std::collections::BTreeSet;

/// Where a proxy sends requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// The name that it looks up.
    pub host: String,
    /// Whether it looks it up once, when it starts, or keeps the answer for as long as its TTL says (600 s).
    pub once: bool,
}

/// What a configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reads {
    /// Where it sends requests, each once.
    pub targets: BTreeSet<Target>,
    /// Why a failed request is not sent to another server, where that is seen.
    pub no_retry: Option<&'static str>,
}

impl Reads {
    /// Those of a service by its image's name; `None` where it is no proxy, or its configuration is not among its configs.
    pub fn of(image: &str, texts: impl FnOnce() -> Vec<String>) -> Option<Self> {
        let read = match image {
            "nginx" | "openresty" | "nginx-unprivileged" | "angie" => nginx,
            "haproxy" => haproxy,
            _ => return None,
        };
        let mut found = Self::default();
        for text in texts() {
            let reads = read(&text);
            found.targets.extend(reads.targets);
            found.no_retry = found.no_retry.or(reads.no_retry);
        }
        (found != Self::default()).then_some(found)
    }
}

/// The host of `http://host:port/path`, `host:port` or `host`; nothing for an address, which no update changes the name of.
fn host(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next().unwrap_or(rest);
    let is_address = rest.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    (!host.is_empty() && !is_address && host != "unix" && host != "localhost").then_some(host)
}

/// The directives of an nginx configuration, as words; braces end one as semicolons do.
fn directives(text: &str) -> Vec<Vec<&str>> {
    let plain = text.lines().map(|line| line.split('#').next().unwrap_or(line));
    let pieces = plain.flat_map(|line| line.split_inclusive([';', '{', '}']));
    let mut found = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for piece in pieces {
        words.extend(piece.trim_end_matches([';', '{', '}']).split_whitespace());
        if piece.ends_with([';', '{', '}']) {
            if piece.ends_with('}') {
                found.push(vec!["}"]);
            }
            found.push(std::mem::take(&mut words));
        }
    }
    found.retain(|words| !words.is_empty());
    found
}

fn nginx(text: &str) -> Reads {
    const PASSES: [&str; 5] = ["proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass"];
    let directives = directives(text);
    let is_valid =
        |words: &[&str]| words.first() == Some(&"resolver") && words.iter().any(|it| it.starts_with("valid="));
    let asks_again = directives.iter().any(|words| is_valid(words));
    let set: Vec<(&str, &str)> = directives
        .iter()
        .filter_map(|words| match words.as_slice() {
            ["set", name, value, ..] => Some((*name, value.trim_matches(['"', '\'']))),
            _ => None,
        })
        .collect();
    let mut reads = Reads::default();
    let mut upstreams: Vec<&str> = Vec::new();
    let mut inside = false;
    for words in &directives {
        match words.as_slice() {
            ["upstream", name, ..] => {
                upstreams.push(name);
                inside = true;
            }
            ["}", ..] => inside = false,
            ["server", address, options @ ..] if inside => {
                let once = !options.contains(&"resolve");
                reads.targets.extend(host(address).map(|host| Target { host: host.to_owned(), once }));
            }
            ["proxy_next_upstream", "off"] => reads.no_retry = Some("`proxy_next_upstream off`"),
            ["proxy_next_upstream_tries", "1"] => reads.no_retry = Some("`proxy_next_upstream_tries 1`"),
            _ => {}
        }
    }
    for words in &directives {
        let [pass, url, ..] = words.as_slice() else { continue };
        if !PASSES.contains(pass) {
            continue;
        }
        // A variable is looked up for every request, by the resolver that the file names.
        let (url, once) = match url.split_once('$') {
            None => (*url, true),
            Some(("" | "http://" | "https://", rest)) => {
                let name = rest.split([':', '/', '$']).next().unwrap_or(rest);
                let value = set.iter().find(|(known, _)| known.strip_prefix('$') == Some(name));
                let Some((_, value)) = value else { continue };
                (*value, !asks_again)
            }
            Some(_) => continue,
        };
        let target = host(url).filter(|host| !upstreams.contains(host) && !host.contains('$'));
        reads.targets.extend(target.map(|host| Target { host: host.to_owned(), once }));
    }
    reads
}

fn haproxy(text: &str) -> Reads {
    let mut reads = Reads::default();
    let (mut is_sent_elsewhere, mut serves) = (false, false);
    for line in text.lines().map(|line| line.split('#').next().unwrap_or(line)) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["server", _, address, options @ ..] | ["server-template", _, _, address, options @ ..] => {
                serves = true;
                let once = !options.contains(&"resolvers");
                reads.targets.extend(host(address).map(|host| Target { host: host.to_owned(), once }));
            }
            ["option", "redispatch", ..] | ["retry-on", ..] => is_sent_elsewhere = true,
            _ => {}
        }
    }
    if serves && !is_sent_elsewhere {
        reads.no_retry = Some("neither `option redispatch` nor `retry-on`");
    }
    reads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(reads: &Reads) -> Vec<(&str, bool)> {
        reads.targets.iter().map(|target| (target.host.as_str(), target.once)).collect()
    }

    #[test]
    fn nginx_asks_once_unless_a_variable_and_a_resolver_say_otherwise() {
        let plain = "server { location / { proxy_pass http://web:8080/; } } # proxy_pass http://not:1;";
        assert_eq!(targets(&nginx(plain)), [("web", true)]);
        let variable = "resolver 127.0.0.11 valid=1s;\nset $up http://tasks.web:80;\nproxy_pass $up;";
        assert_eq!(targets(&nginx(variable)), [("tasks.web", false)]);
        let by_ttl = "resolver 127.0.0.11; set $up tasks.web; proxy_pass http://$up:80;";
        assert_eq!(targets(&nginx(by_ttl)), [("tasks.web", true)]);
        let upstream =
            "upstream app { server tasks.web:80 resolve; server 10.0.0.1; } location / { proxy_pass http://app; }";
        assert_eq!(targets(&nginx(upstream)), [("tasks.web", false)]);
        assert_eq!(
            targets(&nginx("proxy_pass http://10.0.0.9:80; proxy_pass http://unix:/a; proxy_pass http://$host;")),
            []
        );
    }

    #[test]
    fn whoever_repeats_nothing_says_so() {
        assert_eq!(nginx("proxy_next_upstream error timeout;").no_retry, None);
        assert!(nginx("proxy_next_upstream off;").no_retry.is_some());
        let servers = "backend b\n  server-template s 3 tasks.web:80 resolvers docker check\n";
        let reads = haproxy(servers);
        assert_eq!(targets(&reads), [("tasks.web", false)]);
        assert!(reads.no_retry.is_some());
        assert_eq!(haproxy(&format!("defaults\n  option redispatch 1\n{servers}")).no_retry, None);
        assert_eq!(haproxy("global\n  maxconn 9\n").no_retry, None);
    }
}
