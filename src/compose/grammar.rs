//! The short forms by themselves, without a stack around them: what one text means. For whoever feeds them any text at all,
//! such as the fuzz targets.

use super::template::{Expansion, expand_as_docker};
use super::{Mount, Port, env_file, mount, port, quantity};
use crate::diag::{Faults, FileId};

/// What a text becomes when its references are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpolated {
    /// By the Compose Specification: `None` where it is malformed or the result is too large. What is undefined is empty.
    pub text: Option<String>,
    /// By `docker stack deploy`: `None` where that refuses it.
    pub docker: Option<String>,
}

/// A text with its references replaced, where results may have `limit` bytes.
pub fn interpolate<'a>(text: &str, lookup: &(dyn Fn(&str) -> Option<&'a str> + 'a), limit: usize) -> Interpolated {
    let mut expansion = Expansion::new(lookup, limit);
    let expanded = expansion.expand(text).ok().filter(|_| expansion.stray.is_empty());
    Interpolated { text: expanded, docker: expand_as_docker(text, lookup, limit) }
}

/// The ports of the short form of `ports:`, ranges expanded.
pub fn ports(text: &str) -> Option<Vec<Port>> {
    port::short(text).ok().map(|short| short.ports)
}

/// The mount of the short form of `volumes:`.
pub fn mount(text: &str) -> Option<Mount> {
    mount::short(text).ok().map(|short| short.mount)
}

/// Bytes, as in `50M`.
pub fn bytes(text: &str) -> Option<i64> {
    quantity::bytes(text)
}

/// Billionths of a processor, as in `0.5`.
pub fn nano_cpus(text: &str) -> Option<i64> {
    quantity::nano_cpus(text)
}

/// The names and values of an `env_file:`, which is literal. Faults go to `faults`.
pub fn env_file<'a>(text: &'a str, file: FileId, faults: &mut Faults) -> Vec<(&'a str, Option<&'a str>)> {
    env_file::parse(text, file, faults).into_iter().map(|line| (line.name, line.value)).collect()
}
