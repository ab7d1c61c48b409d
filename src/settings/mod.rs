//! `skep.yaml` and the controller's configuration: types, defaults, merging, validation.

mod controller;
mod decode;
mod fleet;
mod stack;

pub use controller::{Controller, Credential, DEFAULT_INTERVAL, Decryption, Source};
pub use decode::{read_controller, read_fleet};
pub use fleet::{Fleet, StackEntry};
pub use stack::{
    Adopt, DEFAULT_MAX_DELETE, DEFAULT_PARALLEL, DEFAULT_TIMEOUT, Drift, OnFailure, Removed, Resolve, Settings,
    StackSettings, Strictness, SyncMode, SyncSettings, ZeroDowntime,
};
