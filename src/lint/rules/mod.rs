//! The rules, by what they are about.

pub(super) mod availability;
pub(super) mod end;
pub(super) mod policy;
pub(super) mod proxy;
