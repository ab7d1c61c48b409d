//! What stacks that are deployed side by side cannot share: published ports, and names without the stack's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex};

use skep::desired::Desired;

/// Who has what: how many share a thing, or that one has it alone.
#[derive(Debug, Default)]
pub struct Claims {
    taken: Mutex<BTreeMap<String, Holder>>,
    given_back: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Alone,
    Shared(u32),
}

/// What one stack has until this is dropped.
pub struct Claim<'a> {
    claims: &'a Claims,
    alone: BTreeSet<String>,
    shared: BTreeSet<String>,
}

impl Claims {
    /// Waits until a stack can have all it needs.
    pub fn take(&self, desired: &Desired, stack: &str) -> Claim<'_> {
        let own = |name: &&String| !name.starts_with(&format!("{stack}_"));
        let named = desired.networks.keys().chain(desired.configs.keys()).chain(desired.secrets.keys());
        let mut alone: BTreeSet<String> = named.filter(own).cloned().collect();
        for service in desired.services.values() {
            let ports = service.spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports);
            alone.extend(
                ports.filter(|port| port.published_port != 0).map(|port| format!("port {}", port.published_port)),
            );
        }
        for network in desired.networks.values() {
            let pools = network.spec.ipam.iter().flat_map(|ipam| &ipam.config);
            alone.extend(pools.map(|pool| format!("subnet {}", pool.subnet)));
        }
        let shared = desired.external.iter().map(|external| external.name.clone()).collect();
        let claim = Claim { claims: self, alone, shared };
        let mut taken = self.taken.lock().expect("no panic while claiming");
        while !claim.fits(&taken) {
            taken = self.given_back.wait(taken).expect("no panic while claiming");
        }
        for thing in &claim.alone {
            taken.insert(thing.clone(), Holder::Alone);
        }
        for thing in &claim.shared {
            let count = match taken.get(thing) {
                Some(Holder::Shared(count)) => count + 1,
                _ => 1,
            };
            taken.insert(thing.clone(), Holder::Shared(count));
        }
        drop(taken);
        claim
    }
}

impl Claim<'_> {
    fn fits(&self, taken: &BTreeMap<String, Holder>) -> bool {
        self.alone.iter().all(|thing| !taken.contains_key(thing))
            && self.shared.iter().all(|thing| taken.get(thing) != Some(&Holder::Alone))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let Ok(mut taken) = self.claims.taken.lock() else { return };
        for thing in self.alone.iter().chain(&self.shared) {
            match taken.get(thing).copied() {
                Some(Holder::Shared(count @ 2..)) => drop(taken.insert(thing.clone(), Holder::Shared(count - 1))),
                _ => drop(taken.remove(thing)),
            }
        }
        self.claims.given_back.notify_all();
    }
}
