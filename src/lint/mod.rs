//! Which updates drop requests, and why: told from the spec of a service and from what stands around it.
//!
//! The same rules serve files ([`of_files`]), the specs that a plan sends ([`of_written`]) and services that run ([`lint`]).
//! Every number in a message was measured, on the terms that `docs/zero-downtime.md` names.
//!
//! Whoever reads the result is tired. So a service gets a code once at most, what follows from another finding is not told
//! beside it, and services of which the same is to be said are said in one breath ([`condense`]).

mod compute;
mod facts;
mod finding;
mod proxy_config;
mod rules;
mod traefik;
mod words;
mod world;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use compute::{BLIND, Check, Computed, LONGEST, SHORTEST, at_once, is_none};
pub use facts::is_database;
pub use finding::{Finding, condense};
pub use world::World;

use crate::desired::Desired;
use crate::diag::{Diagnostic, Severity, Span, code};
use crate::settings::ZeroDowntime;
use crate::swarm::{Service, ServiceSpec};
use facts::Facts;

/// Whether skep fills in what is not said of how updates roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// It does: only what is said can be wrong.
    Auto,
    /// Nobody does: the engine's defaults hold.
    Off,
}

impl From<ZeroDowntime> for Filled {
    fn from(setting: ZeroDowntime) -> Self {
        match setting {
            ZeroDowntime::Auto | ZeroDowntime::Enforce => Filled::Auto,
            ZeroDowntime::Off => Filled::Off,
        }
    }
}

/// A service that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What it is called in messages: its key in the file, or its full name.
    pub key: &'a str,
    /// What it is, or is to be.
    pub spec: &'a ServiceSpec,
    /// Where it stands in its file.
    pub span: Option<Span>,
    /// What becomes of what the spec does not say.
    pub filled: Filled,
    /// Whether its file says that two of it must not run side by side.
    pub single: bool,
    /// Whether its image brings a healthcheck, where somebody knows.
    pub image_check: Option<bool>,
}

impl<'a> Subject<'a> {
    /// A service that runs.
    pub fn live(service: &'a Service, image_check: Option<bool>) -> Self {
        let spec = &service.spec;
        Self { key: &spec.name, spec, span: None, filled: Filled::Off, single: false, image_check }
    }
}

/// All that is to be said of one service, each code once.
pub fn lint(subject: &Subject<'_>, world: &World) -> Vec<Finding> {
    let Some(facts) = Facts::of(subject, world) else { return Vec::new() };
    let mut found = Vec::new();
    rules::availability::check(&facts, &mut found);
    rules::policy::check(&facts, &mut found);
    rules::proxy::check(&facts, world, &mut found);
    rules::end::check(&facts, &mut found);
    found
}

/// All that is to be said of a stack's files, without what they accept.
pub fn of_files(desired: &Desired, filled: Filled, world: &World) -> Vec<Diagnostic> {
    let findings = desired.services.values().flat_map(|service| {
        let subject = Subject {
            key: &service.key,
            spec: &service.spec,
            span: service.span,
            filled,
            single: service.single,
            image_check: None,
        };
        lint(&subject, world)
    });
    told(findings.collect(), desired)
}

/// All that is to be said of services that a plan writes, by their full names and with the specs that it sends; without what
/// the plan tells itself: what an update costs right now, and tasks that find no node.
pub fn of_written<'a>(
    written: impl IntoIterator<Item = (&'a str, &'a ServiceSpec)>,
    desired: &Desired,
    filled: Filled,
    world: &World,
    told_already: &[Diagnostic],
) -> Vec<Diagnostic> {
    let written: BTreeMap<&str, &ServiceSpec> = written.into_iter().collect();
    let findings = written.into_iter().filter_map(|(name, spec)| Some((desired.services.get(name)?, spec)));
    let findings = findings.flat_map(|(service, spec)| {
        let subject =
            Subject { key: &service.key, spec, span: service.span, filled, single: service.single, image_check: None };
        let mut found = lint(&subject, world);
        let is_told = |finding: &Finding| {
            let stands_for = [code::ONE_REPLICA_STOP_FIRST, code::ALL_AT_ONCE];
            let is_same = |told: &&Diagnostic| {
                told.span == service.span && told.message.starts_with(&format!("{}: ", finding.key))
            };
            finding.code == code::START_FIRST_STUCK
                || told_already.iter().filter(is_same).any(|told| told.code == finding.code)
                || (stands_for.contains(&finding.code)
                    && told_already.iter().filter(is_same).any(|told| stands_for.contains(&told.code)))
        };
        found.retain(|finding| !is_told(finding));
        found
    });
    told(findings.collect(), desired)
}

/// What the files do not accept, in few words and without their secrets. What nobody can mend (a database has its data for
/// itself) is no fault of a file: the plan says it when it happens, and an audit counts it.
fn told(findings: Vec<Finding>, desired: &Desired) -> Vec<Diagnostic> {
    let is_told =
        |finding: &Finding| finding.severity < Severity::Note && !desired.accepted.covers(&finding.diagnostic());
    let told = findings.into_iter().filter(is_told);
    let mut diagnostics = condense(told.collect());
    diagnostics.iter_mut().for_each(|diagnostic| diagnostic.conceal(&desired.confidential));
    diagnostics
}
