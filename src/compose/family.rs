//! The services that others extend.

use std::collections::BTreeMap;

use super::unit::Unit;
use crate::yaml::Node;

/// The services of one file that others extend.
pub(super) struct Family {
    /// The file's located path.
    pub path: String,
    /// The services by name.
    pub services: BTreeMap<String, Node>,
    /// What their relative paths and variables mean.
    pub unit: Unit,
    /// Whether their variables are still to be replaced: of another file only what is asked for counts.
    pub raw: bool,
}
