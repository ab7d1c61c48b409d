//! What decoding one stack needs besides its tree, and how much it may still take up.

use std::cell::{Cell, RefCell};

use super::Input;
use super::unit::Units;
use crate::model::Confidential;

/// How many ports one stack may publish: half of all the numbers there are.
pub(super) const MAX_PORTS: usize = 32_768;
/// How many bytes interpolated values of one stack may have in all.
pub(super) const MAX_EXPANDED: usize = 16 * 1024 * 1024;
/// How many bytes the files of one stack may have in all: its configs and secrets, or what its services read from env
/// files. Swarm's log holds configs and secrets, and is not made for more.
pub(super) const MAX_CONTENT: usize = 32 << 20;

/// What decoding needs.
pub(super) struct Context<'a> {
    /// What is loaded.
    pub input: &'a Input<'a>,
    /// What paths and variables mean where they stand.
    pub units: &'a Units,
    ports: Cell<usize>,
    has_refused_ports: Cell<bool>,
    content: Cell<usize>,
    /// Texts that came out of encrypted configs and secrets.
    pub confidential: RefCell<Confidential>,
}

impl<'a> Context<'a> {
    /// For one stack.
    pub fn new(input: &'a Input<'a>, units: &'a Units) -> Self {
        Self {
            input,
            units,
            ports: Cell::new(MAX_PORTS),
            has_refused_ports: Cell::new(false),
            content: Cell::new(MAX_CONTENT),
            confidential: RefCell::default(),
        }
    }

    /// Whether so many ports more are borne.
    pub fn spend_ports(&self, count: usize) -> bool {
        let borne = spend(&self.ports, count);
        self.has_refused_ports.set(!borne);
        borne
    }

    /// Whether it was said already that no more ports are borne.
    pub fn has_refused_ports(&self) -> bool {
        self.has_refused_ports.get()
    }

    /// Whether so many bytes more of files are borne.
    pub fn spend_content(&self, bytes: usize) -> bool {
        spend(&self.content, bytes)
    }
}

fn spend(left: &Cell<usize>, amount: usize) -> bool {
    let rest = left.get().checked_sub(amount);
    left.set(rest.unwrap_or(0));
    rest.is_some()
}
