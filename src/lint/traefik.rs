//! Traefik: what its labels say of a service, and how often it asks which tasks there are.

use std::time::Duration;

use crate::swarm::{ContainerSpec, Labels};

/// How often Traefik's Swarm provider asks by itself (measured: up to 12 s of errors at every update).
pub(super) const DEFAULT_POLL: Duration = Duration::from_secs(15);

/// A Traefik.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Traefik {
    /// Its service.
    pub name: String,
    /// How often it asks which tasks there are.
    pub poll: Duration,
    /// Whether it is of version 2, whose settings have other names.
    pub is_second: bool,
}

impl Traefik {
    /// What its arguments, variables and configuration files say.
    pub fn of(name: &str, container: &ContainerSpec, files: &[String]) -> Self {
        let words = || container.command.iter().chain(&container.args).chain(&container.env);
        let said = words().find_map(|word| poll_of_setting(word));
        let poll = said.or_else(|| files.iter().find_map(|text| poll_of_file(text)));
        let tag = container.image.rsplit_once(':').map_or("", |(_, tag)| tag);
        let is_second = tag.trim_start_matches('v').starts_with('2')
            || words().any(|word| word.to_ascii_lowercase().contains("swarmmode"));
        Self { name: name.to_owned(), poll: poll.unwrap_or(DEFAULT_POLL), is_second }
    }

    /// The argument that makes it ask every second.
    pub fn cure(&self) -> &'static str {
        if self.is_second { SECOND } else { THIRD }
    }
}

pub(super) const THIRD: &str = "--providers.swarm.refreshSeconds=1";
const SECOND: &str = "--providers.docker.swarmModeRefreshSeconds=1";

/// Whether Traefik sends requests to a service with these labels.
pub(super) fn is_routed(labels: &Labels) -> bool {
    let is = |value: &str| labels.get("traefik.enable").is_some_and(|it| it.eq_ignore_ascii_case(value));
    let routes = |key: &String| key.starts_with("traefik.http.") || key.starts_with("traefik.tcp.");
    !is("false") && (is("true") || labels.keys().any(routes))
}

/// Whether Traefik is told to use Swarm's virtual address, which knows by itself which tasks there are.
pub(super) fn uses_virtual_address(labels: &Labels) -> bool {
    let is_said = |key: &&str| labels.get(*key).is_some_and(|it| it.eq_ignore_ascii_case("true"));
    ["traefik.swarm.lbswarm", "traefik.docker.lbswarm"].iter().any(|key| is_said(key))
}

/// Whether Traefik looks by itself whether a task answers.
pub(super) fn checks(labels: &Labels) -> bool {
    labels.keys().any(|key| key.to_ascii_lowercase().ends_with(".loadbalancer.healthcheck.path"))
}

/// `--providers.swarm.refreshSeconds=1`, or the variable of that setting: upper or lower case are the same.
fn poll_of_setting(word: &str) -> Option<Duration> {
    let (key, value) = word.split_once('=')?;
    let key = key.trim_start_matches('-').to_ascii_lowercase().replace('_', ".");
    let key = key.strip_prefix("traefik.").unwrap_or(&key);
    matches!(key, "providers.swarm.refreshseconds" | "providers.docker.swarmmoderefreshseconds")
        .then(|| seconds(value))
        .flatten()
}

/// The same in a file, YAML or TOML.
fn poll_of_file(text: &str) -> Option<Duration> {
    text.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or(line);
        let (key, value) = line.split_once([':', '='])?;
        let key = key.trim().trim_matches('"').to_ascii_lowercase();
        let is_it = matches!(key.rsplit('.').next(), Some("refreshseconds" | "swarmmoderefreshseconds"));
        is_it.then(|| seconds(value)).flatten()
    })
}

/// A number of seconds, or a duration as Go writes one, of one unit.
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim().trim_matches(['"', '\'']);
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: f64 = number.parse().ok()?;
    let factor = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * factor).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(arguments: &[&str], env: &[&str], files: &[&str]) -> Duration {
        let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
        let container = ContainerSpec {
            image: "traefik:v3".into(),
            args: strings(arguments),
            env: strings(env),
            ..Default::default()
        };
        Traefik::of("t", &container, &strings(files)).poll
    }

    #[test]
    fn its_poll_is_read_wherever_traefik_reads_it() {
        let one = Duration::from_secs(1);
        for said in ["--providers.swarm.refreshSeconds=1", "--providers.docker.swarmmoderefreshseconds=1s"] {
            assert_eq!(poll(&[said], &[], &[]), one, "{said}");
        }
        assert_eq!(poll(&[], &["TRAEFIK_PROVIDERS_SWARM_REFRESHSECONDS=1"], &[]), one);
        assert_eq!(poll(&[], &[], &["providers:\n  swarm:\n    refreshSeconds: 1\n"]), one);
        assert_eq!(poll(&[], &[], &["[providers.docker]\n  swarmModeRefreshSeconds = \"500ms\"\n"]), one / 2);
        for silent in
            ["--providers.swarm=true", "--providers.file.refreshSeconds=1", "--providers.swarm.refreshSeconds=soon"]
        {
            assert_eq!(poll(&[silent], &[], &["# refreshSeconds: 1"]), DEFAULT_POLL, "{silent}");
        }
    }
}
